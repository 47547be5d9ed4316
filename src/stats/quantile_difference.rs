//! The difference of one quantile of two samples.

use super::histogram::DurationHistogram;
use super::interval::{Confidence, Interval, QuantileRanks};
use super::measured::Measured;
use crate::math;

/// The same quantile of two samples of independent durations, compared whatever their
/// distributions. All of it is in seconds.
///
/// Either quantile lies between two order statistics; [`Measured::difference`] makes the interval
/// of the difference of both. The test is that interval, turned around: p is the least alpha at
/// which it excludes 0, so that test and interval always agree. Both take the two distributions as
/// they are: that the quantiles are equal does not mean that the spreads are.
///
/// An order statistic is known to the bin it was counted in, and the limits are the far ends of
/// those bins: values that the histograms do not tell apart are never found to differ.
///
/// Source: H. A. David and H. N. Nagaraja, Order Statistics (3rd ed., 2003), section 7.1, for the
/// limits of each.
#[derive(Debug)]
pub struct QuantileDifference {
    first: QuantileSample,
    other: QuantileSample,
}

impl QuantileDifference {
    /// The quantile of `per_mille` thousandths of `first` and `other`; `None` where either is
    /// empty.
    ///
    /// # Panics
    /// `per_mille` outside 1 to 999.
    pub fn of(
        per_mille: u64,
        first: &DurationHistogram,
        other: &DurationHistogram,
    ) -> Option<Self> {
        let sample = |durations| QuantileSample::of(per_mille, durations);
        Some(Self { first: sample(first)?, other: sample(other)? })
    }

    /// The quantile of the first and of the other; infinite limits where so few do not bound it.
    pub fn measured(&self, confidence: Confidence) -> [Measured; 2] {
        let measured =
            |sample: &QuantileSample| sample.measured(sample.ranks(confidence.tail(), None));
        [measured(&self.first), measured(&self.other)]
    }

    /// The two-sided p-value that both have the same quantile: the least alpha, from 1e-16, at
    /// which the interval of the difference at the confidence 1 - alpha excludes 0; 1 where none
    /// does. To within 1e-9 of itself, on the side of more.
    pub fn p_value(&self) -> f64 {
        let at = |ln_alpha: f64, within: Option<[Ranks; 2]>| {
            let tail = 0.5 * math::exp(ln_alpha);
            let of = |sample: &QuantileSample, one: usize| {
                sample.ranks(tail, within.map(|[wide, narrow]| [wide[one], narrow[one]]))
            };
            [of(&self.first, 0), of(&self.other, 1)]
        };
        let (mut least, mut most) = (math::ln(LEAST_ALPHA), 0.0);
        let (mut wide, mut narrow) = (at(least, None), at(most, None));
        if self.is_told(wide) {
            return LEAST_ALPHA;
        }
        if !self.is_told(narrow) {
            return 1.0;
        }
        // The ranks close in on the point with alpha, hence each search stays within the last.
        while most - least > LN_ALPHA_STEP {
            let middle = 0.5 * (least + most);
            let ranks = at(middle, Some([wide, narrow]));
            if self.is_told(ranks) {
                (most, narrow) = (middle, ranks);
            } else {
                (least, wide) = (middle, ranks);
            }
        }
        math::exp(most)
    }

    /// Whether the interval of the difference excludes 0 where the quantiles are bounded so.
    fn is_told(&self, [first, other]: Ranks) -> bool {
        let interval = self.other.measured(other).difference(self.first.measured(first));
        interval.low > 0.0 || interval.high < 0.0
    }
}

/// Those of the first sample and of the other.
type Ranks = [QuantileRanks; 2];

/// Chosen: no two samples are told apart with less doubt, for 1 less it is the largest confidence
/// below 1 that there is.
const LEAST_ALPHA: f64 = 1e-16;

/// Chosen: far below what anyone reads of a p-value, in 36 steps from the least alpha.
const LN_ALPHA_STEP: f64 = 1e-9;

/// A sample of which a quantile is asked.
#[derive(Debug)]
pub(super) struct QuantileSample {
    per_mille: u64,
    count: u64,
    value: f64,
    /// Of each bin, in rising order: the rank of its largest value, and its ends.
    bins: Vec<(u64, Interval)>,
}

impl QuantileSample {
    /// `None` where it is empty.
    pub(super) fn of(per_mille: u64, durations: &DurationHistogram) -> Option<Self> {
        let value = durations.quantile(per_mille)?.as_secs_f64();
        let mut through = 0;
        let bins = durations.spans().map(|([low, high], count)| {
            through += count;
            (through, Interval { low: low.as_secs_f64(), high: high.as_secs_f64() })
        });
        Some(Self { per_mille, count: durations.count(), value, bins: bins.collect() })
    }

    fn ranks(&self, tail: f64, within: Option<[QuantileRanks; 2]>) -> QuantileRanks {
        QuantileRanks::of_tail(self.per_mille, self.count, tail, within)
    }

    /// How many durations there are.
    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// The ends of the bin at this place among those that are not empty, in rising order.
    pub(super) fn bin(&self, place: usize) -> Option<Interval> {
        self.bins.get(place).map(|(_, ends)| *ends)
    }

    /// How many durations lie in the first so many of these bins.
    pub(super) fn through(&self, bins: usize) -> u64 {
        bins.checked_sub(1).and_then(|last| self.bins.get(last)).map_or(0, |(through, _)| *through)
    }

    /// The quantile, between the far ends of the bins of these ranks.
    pub(super) fn measured(&self, ranks: QuantileRanks) -> Measured {
        let bin = |rank: u64| {
            let bin = self.bins.partition_point(|(through, _)| *through < rank);
            self.bins[bin].1
        };
        let low = ranks.lower.map_or(f64::NEG_INFINITY, |rank| bin(rank).low);
        let high = ranks.upper.map_or(f64::INFINITY, |rank| bin(rank).high);
        Measured { value: self.value, limits: Interval { low, high } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Duration;

    fn of(nanos: impl Iterator<Item = u64>) -> DurationHistogram {
        let mut histogram = DurationHistogram::default();
        nanos.for_each(|nanos| histogram.record(Duration::from_nanos(nanos)));
        histogram
    }

    fn of_millis(millis: impl Iterator<Item = u64>) -> DurationHistogram {
        of(millis.map(|millis| millis * 1_000_000))
    }

    fn difference(
        per_mille: u64,
        first: &DurationHistogram,
        other: &DurationHistogram,
    ) -> QuantileDifference {
        QuantileDifference::of(per_mille, first, other).unwrap()
    }

    fn interval(difference: &QuantileDifference, confidence: Confidence) -> Interval {
        let [first, other] = difference.measured(confidence);
        other.difference(first)
    }

    #[test]
    fn intervals_and_tests_agree_with_scipy() {
        // By the definitions with scipy.stats.binom.cdf and .sf over all ranks, the bins' ends
        // computed apart, and bisection over ln alpha.
        let (early, late) = (of_millis(1..=100), of_millis(41..=140));
        let (first, slower) = (of_millis(1..=1_000), of_millis(151..=1_050));
        let squares = of((30_000..31_000).map(|x| x * x));
        let fewer = of((30_050..30_900).map(|x| x * x));
        let cases = [
            (500, &early, &late, 1.590532847379228e-8, 0.025121443865190173, 0.05491165501819241),
            (500, &late, &early, 1.590532847379228e-8, -0.05491165501819241, -0.025121443865190173),
            (900, &early, &late, 5.31227977751893e-5, 0.03144683705258686, 0.04855316294741314),
            (950, &first, &slower, 1.3022576107517956e-8, 0.03558232079371697, 0.07433745262006175),
            (
                500,
                &first,
                &of_millis(21..=1_020),
                0.3932182604675355,
                -0.024933903386526984,
                0.06486990338652696,
            ),
            (
                750,
                &squares,
                &fewer,
                0.004459350313548397,
                -0.006502760677582315,
                -0.0010497299044891334,
            ),
        ];
        for (per_mille, first, other, p, low, high) in cases {
            let found = difference(per_mille, first, other);
            let limits = interval(&found, Confidence::PERCENT_95);
            assert!((limits.low - low).abs() < 1e-12, "{per_mille}: {limits:?}");
            assert!((limits.high - high).abs() < 1e-12, "{per_mille}: {limits:?}");
            let found = found.p_value();
            assert!((found / p - 1.0).abs() < 1e-8, "{per_mille}: {found}");
        }
    }

    #[test]
    fn the_test_is_the_interval_turned_around() {
        let (first, other) = (of_millis(1..=1_000), of_millis(101..=900));
        for per_mille in [250, 500, 900] {
            let found = difference(per_mille, &first, &other);
            let p = found.p_value();
            let excludes = |alpha: f64| {
                let limits = interval(&found, Confidence::new(1.0 - alpha).unwrap());
                limits.low > 0.0 || limits.high < 0.0
            };
            for alpha in [1e-12, 1e-6, 1e-3, 0.01, 0.05, 0.5, 0.99] {
                assert_eq!(excludes(alpha), p <= alpha, "{per_mille}: {alpha} {p}");
            }
        }
    }

    #[test]
    fn constant_latencies_that_differ_are_told_apart() {
        let constant = |millis, n| of_millis(std::iter::repeat_n(millis, n));
        let found = difference(500, &constant(800, 1_000), &constant(820, 1_000));
        assert_eq!(found.p_value(), LEAST_ALPHA);
        let limits = interval(&found, Confidence::PERCENT_95);
        assert!((limits.low - 0.02).abs() < 1e-15 && limits.low == limits.high, "{limits:?}");
        // Ten do not bound a median where 2^-10 is above half of alpha.
        let p = difference(500, &constant(800, 10), &constant(820, 10)).p_value();
        assert!((p / (2.0 / 1_024.0) - 1.0).abs() < 1e-8, "{p}");
    }

    #[test]
    fn what_bins_do_not_tell_apart_is_no_difference() {
        let sample = of_millis((1..=1_000).map(|x| x * 7 % 997));
        assert_eq!(difference(950, &sample, &sample).p_value(), 1.0);
        // All in the bin from 249.984 to 250.112 ms, and the largest of either is not the same.
        let one = of((0..1_000).map(|x| 250_000_000 + 90 * x));
        let other = of((0..1_000).map(|x| 250_000_000 + 91 * x));
        assert_eq!(difference(500, &one, &other).p_value(), 1.0);
    }

    #[test]
    fn an_empty_sample_cannot_be_compared() {
        let empty = DurationHistogram::default();
        assert!(QuantileDifference::of(500, &of_millis(1..=3), &empty).is_none());
        assert!(QuantileDifference::of(500, &empty, &of_millis(1..=3)).is_none());
    }
}
