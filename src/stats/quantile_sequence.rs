//! Intervals and a test of a quantile that hold however often they are looked at.

use super::histogram::DurationHistogram;
use super::interval::{Confidence, QuantileRanks, first_rank};
use super::measured::Measured;
use super::multinomial::ln_share_evidence;
use super::quantile_difference::QuantileSample;
use crate::math;
use crate::units::Ratio;

/// A quantile of independent durations of one distribution, whatever that is, followed as they come
/// in: intervals that all hold at once with a confidence, and a test of two samples that may be
/// made at any time.
///
/// Of n durations k are at most the p-quantile, a binomial number; the evidence against a value
/// with k durations up to it is the beta-binomial mixture. In the form of its source, with
/// s = k - pn, v = p(1 - p)n, g = p and h = 1 - p,
///
/// `ln M = -((v+hs)/h) ln g - ((v-gs)/g) ln h + lnB((r+v-gs)/g, (r+v+hs)/h) - lnB(r/g, r/h)`,
///
/// which is [`ln_share_evidence`] of the shares p and 1 - p with the counts k and n - k and the
/// strength r / (p(1 - p)). With t the number of durations at which the interval should be narrow,
/// `r = max(rho - gh, 0.001 gh)`, `rho = p(1 - p)t / (2 ln(1/alpha) + ln(1 + 2 ln(1/alpha)))`.
/// M reaches 1 / alpha with probability at most alpha over all time (Ville).
///
/// Durations that are equal or share a bin are counted in favour of no difference: any number of
/// them may lie up to the quantile. Of two samples, the p-value is `exp(-min (ln M_1 + ln M_2))`
/// over all values for a common quantile.
///
/// The intervals are wide: the first finite upper limit of a p99 at alpha = 0.001 takes some 800
/// durations, of a p95 160. And the test takes each distribution as one that stays: where latency
/// drifts, by the hour or with the load, while the weights change, it finds differences that are
/// none. It is for display and for stationary comparisons.
///
/// Source: S. R. Howard and A. Ramdas, Sequential estimation of quantiles with applications to A/B
/// testing and best-arm identification, Bernoulli 28 (2022), 1704-1728, arXiv:1906.09712.
///
/// ```
/// use coalmine::stats::{Confidence, DurationHistogram, QuantileSequence};
/// use coalmine::units::Duration;
/// let mut latencies = DurationHistogram::default();
/// (1..=1_000).for_each(|millis| latencies.record(Duration::from_millis(millis)));
/// let median = QuantileSequence::new(500, Confidence::PERCENT_95, 1_000);
/// let limits = median.measured(&latencies).unwrap().limits;
/// assert!(limits.low > 0.44 && limits.high < 0.56);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct QuantileSequence {
    per_mille: u64,
    /// ln(1 / alpha), at which a value is excluded.
    sufficient: f64,
    /// That of the prior on the share p.
    strength: f64,
}

impl QuantileSequence {
    /// The quantile of `per_mille` thousandths (990 is the 99th percentile), at 1 - alpha =
    /// `confidence`, with intervals that are narrowest near `narrow_at` durations.
    ///
    /// # Panics
    /// `per_mille` outside 1 to 999, `narrow_at` is 0.
    pub fn new(per_mille: u64, confidence: Confidence, narrow_at: u64) -> Self {
        assert!((1..=999).contains(&per_mille), "quantile {per_mille} of 1000");
        assert!(narrow_at > 0, "narrow at 0 durations");
        let sufficient = -math::ln(2.0 * confidence.tail());
        Self { per_mille, sufficient, strength: strength(sufficient, narrow_at as f64) }
    }

    /// The ranks, from 1, of the durations between which the quantile lies if there are `count`.
    pub fn ranks(&self, count: u64) -> QuantileRanks {
        let lowest = self.likeliest(count);
        let holds = |below: u64| self.ln_evidence(below, count) < self.sufficient;
        let least = first_rank([0, lowest], holds);
        let beyond = first_rank([lowest, count + 1], |below| !holds(below));
        QuantileRanks {
            lower: (least > 0).then_some(least),
            upper: (beyond <= count).then_some(beyond),
        }
    }

    /// The quantile of these durations in seconds with its interval, infinite where so few do not
    /// bound it; `None` without durations.
    pub fn measured(&self, durations: &DurationHistogram) -> Option<Measured> {
        let sample = QuantileSample::of(self.per_mille, durations)?;
        Some(sample.measured(self.ranks(durations.count())))
    }

    /// The p-value that both have the same quantile, at most 1: with the smallest at which one has
    /// looked, as with this one alone, rejecting at alpha is wrong with probability at most alpha.
    /// It is two-sided: which of the quantiles is the larger one is another question. 1 where
    /// either has no durations.
    pub fn p_value(&self, first: &DurationHistogram, other: &DurationHistogram) -> f64 {
        let sample = |durations| QuantileSample::of(self.per_mille, durations);
        let (Some(first), Some(other)) = (sample(first), sample(other)) else { return 1.0 };
        let least = common_values(&first, &other)
            .map(|[one, two]| self.least(one, first.count()) + self.least(two, other.count()))
            .fold(f64::INFINITY, f64::min);
        math::exp(-least).min(1.0)
    }

    /// The least evidence against a value up to which between so many durations of `count` lie. It
    /// falls up to the likeliest number and rises from there.
    fn least(&self, [from, to]: [u64; 2], count: u64) -> f64 {
        self.ln_evidence(self.likeliest(count).clamp(from, to), count)
    }

    fn ln_evidence(&self, below: u64, count: u64) -> f64 {
        let share = Ratio::of(self.per_mille, 1_000).unwrap_or_default();
        let counts = [(share, below), (share.complement(), count - below)];
        ln_share_evidence(self.strength, counts)
    }

    /// Where the evidence is least: M at k + 1 is at least M at k from k = p(n - 1) on.
    fn likeliest(&self, count: u64) -> u64 {
        let scaled = u128::from(self.per_mille) * u128::from(count.saturating_sub(1));
        scaled.div_ceil(1_000) as u64
    }
}

/// r / (p(1 - p)), which does not depend on p.
fn strength(sufficient: f64, narrow_at: f64) -> f64 {
    let twice = 2.0 * sufficient;
    (narrow_at / (twice + math::ln_1p(twice)) - 1.0).max(1e-3)
}

/// Between how many durations of each sample lie up to a value, for every value there is: those in
/// the gaps between bins are at the ends of their neighbours.
fn common_values(
    first: &QuantileSample,
    other: &QuantileSample,
) -> impl Iterator<Item = [[u64; 2]; 2]> {
    let (mut i, mut j) = (0, 0);
    std::iter::from_fn(move || {
        let (one, two) = (first.bin(i), other.bin(j));
        // Bins with some value in common are looked at together, else the lower one alone.
        let (ours, theirs) = match (one, two) {
            (None, None) => return None,
            (Some(one), Some(two)) => (one.low <= two.high, two.low <= one.high),
            (one, two) => (one.is_some(), two.is_some()),
        };
        let range = |sample: &QuantileSample, place: usize, within: bool| {
            [sample.through(place), sample.through(place + usize::from(within))]
        };
        let ranges = [range(first, i, ours), range(other, j, theirs)];
        (i, j) = (i + usize::from(ours), j + usize::from(theirs));
        Some(ranges)
    })
}

#[cfg(test)]
mod tests {
    use super::super::splitmix::SplitMix;
    use super::*;
    use crate::units::Duration;

    fn confidence(probability: f64) -> Confidence {
        Confidence::new(probability).unwrap()
    }

    fn of_micros(micros: impl Iterator<Item = u64>) -> DurationHistogram {
        let mut histogram = DurationHistogram::default();
        micros.for_each(|micros| histogram.record(Duration::from_micros(micros)));
        histogram
    }

    /// The least share for which the test of `below` of `count` does not reject, or the largest.
    fn share_limit(below: u64, count: u64, alpha: f64, narrow_at: f64, largest: bool) -> f64 {
        let strength = strength(-math::ln(alpha), narrow_at);
        let observed = below as f64 / count as f64;
        let excess = |share: f64| {
            let share = Ratio::new(share).unwrap();
            let counts = [(share, below), (share.complement(), count - below)];
            ln_share_evidence(strength, counts) + math::ln(alpha)
        };
        let end = if largest { 1.0 - 1e-9 } else { 1e-9 };
        if excess(end) <= 0.0 {
            return end;
        }
        math::root(excess, [observed.clamp(1e-9, 1.0 - 1e-9), end], 1e-9)
    }

    #[test]
    fn the_mixture_agrees_with_the_reference_of_its_authors() {
        // beta_binomial_log_mixture_two_sided of gostevehoward/confseq (MIT), from the authors' R
        // implementation, to 1e-5: s = 10, v = v_opt = 100, g = 0.2, h = 0.8 is n = t = 625,
        // k = 135.
        let fifth = QuantileSequence::new(200, Confidence::PERCENT_95, 625);
        let found = fifth.ln_evidence(135, 625);
        assert!((found + 0.694_101_2).abs() < 1e-5, "{found}");
        // beta_binomial_mixture_bound_two_sided: s = 31.4308, k = 156.43 at alpha = 0.05.
        assert!(fifth.ln_evidence(156, 625) < math::ln(20.0));
        assert!(fifth.ln_evidence(157, 625) > math::ln(20.0));
    }

    #[test]
    fn shares_have_the_limits_of_the_reference() {
        // bernoulli_confidence_interval of the same: k, n, t_opt, and the interval.
        let cases = [
            (700, 1_000, 100.0, [0.651_629, 0.745_949]),
            (15, 50, 50.0, [0.129_556, 0.511_896]),
            (5, 50, 50.0, [0.013_021, 0.269_264]),
            (1, 50, 50.0, [0.0, 0.134_89]),
            (100, 200, 1.0, [0.328_923, 0.671_076]),
        ];
        for (below, count, narrow_at, expected) in cases {
            for (largest, expected) in [false, true].into_iter().zip(expected) {
                let found = share_limit(below, count, 0.05, narrow_at, largest);
                assert!((found - expected).abs() < 1e-5, "{below} of {count}: {found} {expected}");
            }
        }
    }

    #[test]
    fn ranks_agree_with_the_source_form_in_scipy() {
        // Over all k of lnM as the source has it, with scipy.special.betaln. The last two are one
        // duration apart: from when on the p99 is bounded above.
        let cases = [
            (100, 500, 0.95, 100, (Some(35), Some(66))),
            (1_000, 500, 0.95, 1_000, (Some(453), Some(548))),
            (1_000, 950, 0.999, 1_000, (Some(919), Some(976))),
            (5_000, 990, 0.999, 1_000, (Some(4_917), Some(4_977))),
            (50, 900, 0.95, 500, (Some(36), None)),
            (829, 990, 0.999, 830, (Some(806), None)),
            (830, 990, 0.999, 830, (Some(807), Some(830))),
            (160, 950, 0.999, 161, (Some(138), None)),
            (161, 950, 0.999, 161, (Some(139), Some(161))),
        ];
        for (count, per_mille, probability, narrow_at, (lower, upper)) in cases {
            let sequence = QuantileSequence::new(per_mille, confidence(probability), narrow_at);
            assert_eq!(
                sequence.ranks(count),
                QuantileRanks { lower, upper },
                "{per_mille} {count}"
            );
        }
    }

    #[test]
    fn p_values_agree_with_brute_force_in_scipy() {
        // Over all values and all counts between the limits of F, at alpha = 0.001 and t = 1000.
        type Spread = (std::ops::Range<u64>, u64);
        let cases: [(u64, Spread, Spread, f64); 5] = [
            (500, (0..100, 1), (40..160, 1), 1.512_903_542_348_151_6e-6),
            (900, (0..300, 1), (100..350, 1), 2.618_171_563_507_586_4e-9),
            (750, (0..400, 3), (30..400, 5), 5.019_674_156_768_81e-22),
            (500, (0..100, 1), (3..103, 1), 1.0),
            (500, (0..60, 1), (500..560, 1), 2.491_351_635_616_267_3e-7),
        ];
        for (per_mille, (one, every), (two, every_other), expected) in cases {
            let first = of_micros(one.map(|i| 100 + i / every));
            let other = of_micros(two.map(|i| 100 + i / every_other));
            let sequence = QuantileSequence::new(per_mille, confidence(0.999), 1_000);
            for found in [sequence.p_value(&first, &other), sequence.p_value(&other, &first)] {
                assert!((found / expected - 1.0).abs() < 1e-9, "{per_mille}: {found} {expected}");
            }
        }
    }

    #[test]
    fn the_evidence_is_least_at_the_likeliest_number_and_rises_on_both_sides() {
        for per_mille in [1, 250, 500, 900, 999] {
            let sequence = QuantileSequence::new(per_mille, Confidence::PERCENT_95, 100);
            for count in [1, 2, 7, 40, 1_000] {
                let all: Vec<f64> =
                    (0..=count).map(|below| sequence.ln_evidence(below, count)).collect();
                let (falling, rising) = all.split_at(sequence.likeliest(count) as usize);
                assert!(falling.is_sorted_by(|a, b| a > b), "{per_mille} {count}");
                assert!(rising.is_sorted_by(|a, b| *a <= b + 1e-12), "{per_mille} {count}");
                assert!(falling.last().is_none_or(|last| *last > rising[0]), "{per_mille} {count}");
            }
        }
    }

    #[test]
    fn drift_while_the_weights_change_looks_like_a_difference() {
        // Both arms have the same latency, which rises by 30 % while the other's share does from
        // 5 to 50 %.
        let mut draws = SplitMix::new(12);
        let mut arms = [DurationHistogram::default(), DurationHistogram::default()];
        for request in 0..6_000 {
            let part = f64::from(request) / 6_000.0;
            let arm = usize::from(draws.hit(0.05 + 0.45 * part));
            let seconds = (1.0 + 0.3 * part) * (1.0 + 0.2 * draws.uniform());
            arms[arm].record(Duration::from_secs_f64(seconds));
        }
        let median = QuantileSequence::new(500, confidence(0.999), 1_000);
        assert!(median.p_value(&arms[0], &arms[1]) < 1e-3);
    }

    #[test]
    fn an_interval_spans_the_bins_of_its_ranks() {
        let micros = of_micros((1..=1_000).map(|x| x + 1_000));
        let limits = QuantileSequence::new(500, Confidence::PERCENT_95, 1_000)
            .measured(&micros)
            .unwrap()
            .limits;
        // Ranks 453 and 548 in bins of 1 us, half a microsecond to either side.
        assert!((limits.low - 1_452.5e-6).abs() < 2e-9, "{limits:?}");
        assert!((limits.high - 1_548.5e-6).abs() < 2e-9, "{limits:?}");
        let few = QuantileSequence::new(990, confidence(0.999), 1_000);
        let limits = few.measured(&micros).unwrap().limits;
        assert!(limits.low.is_finite() && limits.high.is_finite());
        let limits = few.measured(&of_micros(1..=800)).unwrap().limits;
        assert_eq!(limits.high, f64::INFINITY);
        assert!(few.measured(&DurationHistogram::default()).is_none());
    }

    #[test]
    fn what_bins_do_not_tell_apart_is_no_difference() {
        // All between 249.984 and 250.112 ms, the bounds of a bin.
        let one = of_micros((0..1_000).map(|x| 250_000 + x % 50));
        let other = of_micros((0..1_000).map(|x| 250_000 + x % 100));
        let median = QuantileSequence::new(500, Confidence::PERCENT_95, 1_000);
        assert_eq!(median.p_value(&one, &other), 1.0);
        assert_eq!(median.p_value(&one, &DurationHistogram::default()), 1.0);
        let later = of_micros((0..1_000).map(|x| 300_000 + x % 100));
        assert!(median.p_value(&one, &later) < 1e-200);
    }

    #[test]
    fn looking_again_and_again_raises_no_more_false_alarms_than_alpha() {
        // Latencies of 100 to 1,100 ms: a bin of 0.1 % holds some of either arm. Looked at after
        // every 50 of each arm up to 600.
        let mut draws = SplitMix::new(31);
        let sequence = QuantileSequence::new(900, confidence(0.9), 300);
        let (mut alarms, mut missed) = (0, 0);
        for _ in 0..200 {
            let mut arms = [DurationHistogram::default(), DurationHistogram::default()];
            let (mut least, mut covers) = (1.0_f64, true);
            for count in 1..=600 {
                for arm in &mut arms {
                    arm.record(Duration::from_secs_f64(0.1 + draws.uniform()));
                }
                if count % 50 == 0 {
                    least = least.min(sequence.p_value(&arms[0], &arms[1]));
                    let limits = sequence.measured(&arms[0]).unwrap().limits;
                    covers &= limits.low <= 1.0 && limits.high >= 1.0;
                }
            }
            alarms += u32::from(least <= 0.1);
            missed += u32::from(!covers);
        }
        // 10 % of 200 are 20; three standard deviations above are 32.
        assert!(alarms <= 32 && missed <= 32, "{alarms} alarms, {missed} of 200 missed");
        assert!(missed > 0, "an interval that never misses is too wide");
    }
}
