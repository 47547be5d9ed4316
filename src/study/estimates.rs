//! What the runs of a cell tell of the long run: shares, means and quantiles over runs, each with
//! its 95 % interval and the number of runs.

use serde::{Deserialize, Serialize};

use crate::metric::Quantile;
use crate::stats::{Confidence, Interval, Moments, PairedShares, QuantileRanks};
use crate::units::Duration;

/// The share of runs in which something happened.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ShareOfRuns {
    /// In how many it did.
    pub hits: u64,
    /// Of how many.
    pub n: u64,
    /// The share, in [0, 1]; absent without runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The lower end of Wilson's interval.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
}

/// The time until something, in one run or as an end of an interval.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunTime {
    /// After so long, in nanoseconds.
    At(Duration),
    /// It never came: later than any time.
    Never,
}

/// A quantile over runs of the time until something. Runs in which it never came count as later
/// than all others.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeQuantile {
    /// Which quantile, in thousandths.
    pub per_mille: u64,
    /// Of how many runs.
    pub n: u64,
    /// The quantile; absent without runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<RunTime>,
    /// The lower end of its interval; absent where so few runs do not bound it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<RunTime>,
    /// The upper end, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<RunTime>,
}

/// A quantile over runs of a number of things.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountQuantile {
    /// Which quantile, in thousandths.
    pub per_mille: u64,
    /// Of how many runs.
    pub n: u64,
    /// The quantile; absent without runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<u64>,
    /// The lower end of its interval; absent where so few runs do not bound it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<u64>,
    /// The upper end, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<u64>,
}

/// A mean over runs, or over pairs of runs.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MeanOfRuns {
    /// Of how many.
    pub n: u64,
    /// The mean; absent where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The lower end of its interval; absent where there are fewer than two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// The upper end, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
}

impl ShareOfRuns {
    /// Of so many hits in so many runs.
    ///
    /// # Panics
    /// More hits than runs.
    pub fn of(hits: u64, n: u64) -> Self {
        let Interval { low, high } = Interval::wilson(hits, n, Confidence::PERCENT_95);
        let value = (n > 0).then(|| hits as f64 / n as f64);
        Self { hits, n, value, low, high }
    }
}

impl TimeQuantile {
    /// Of these times, the least first.
    pub fn of(quantile: Quantile, sorted: &[RunTime]) -> Self {
        let (value, low, high) = order_statistics(quantile, sorted);
        let (per_mille, n) = (quantile.per_mille(), sorted.len() as u64);
        Self { per_mille, n, value, low, high }
    }
}

impl CountQuantile {
    /// Of these counts, the least first.
    pub(super) fn of(quantile: Quantile, sorted: &[u64]) -> Self {
        let (value, low, high) = order_statistics(quantile, sorted);
        let (per_mille, n) = (quantile.per_mille(), sorted.len() as u64);
        Self { per_mille, n, value, low, high }
    }
}

impl MeanOfRuns {
    /// Of these counts, in whatever order: Student's t.
    pub fn of_counts(counts: impl IntoIterator<Item = u64>) -> Self {
        let sums =
            counts.into_iter().map(u128::from).fold((0, 0, 0), |(n, sum, squares), count| {
                (n + 1, sum + count, squares + count * count)
            });
        Self::of(Moments::of_sums(sums.0, sums.1, sums.2))
    }

    /// Of observations with these moments: Student's t.
    pub fn of(moments: Option<Moments>) -> Self {
        let Some(moments) = moments else {
            return Self { n: 0, value: None, low: None, high: None };
        };
        let limits = Interval::student(moments, Confidence::PERCENT_95);
        Self {
            n: moments.count,
            value: Some(moments.mean),
            low: limits.map(|limits| limits.low),
            high: limits.map(|limits| limits.high),
        }
    }

    /// The difference of two shares of paired runs, the second less the first.
    pub(super) fn of_shares(shares: PairedShares) -> Self {
        let Interval { low, high } = shares.interval(Confidence::PERCENT_95);
        let value = shares.difference();
        let limit = |end| value.is_some().then_some(end);
        Self { n: shares.pairs(), value, low: limit(low), high: limit(high) }
    }
}

/// A quantile of values (the least first) with its interval between two of them.
fn order_statistics<T: Copy>(
    quantile: Quantile,
    sorted: &[T],
) -> (Option<T>, Option<T>, Option<T>) {
    let n = sorted.len() as u64;
    if n == 0 {
        return (None, None, None);
    }
    let at = |rank: u64| {
        let place = rank.checked_sub(1).and_then(|place| usize::try_from(place).ok())?;
        sorted.get(place).copied()
    };
    let ranks = QuantileRanks::of(quantile.per_mille(), n, Confidence::PERCENT_95);
    (at(quantile.rank(n)), ranks.lower.and_then(at), ranks.upper.and_then(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// P(X <= k) of a binomial distribution, summed term by term.
    fn binomial(k: u64, n: u64, p: f64) -> f64 {
        let mut term = (0..n).fold(1.0, |product, _| product * (1.0 - p));
        let mut sum = term;
        for i in 0..k {
            term *= (n - i) as f64 / (i + 1) as f64 * p / (1.0 - p);
            sum += term;
        }
        sum
    }

    #[test]
    fn a_share_has_wilsons_interval() {
        // (p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n) for 7 of 50.
        let found = ShareOfRuns::of(7, 50);
        assert_eq!(found.value, Some(0.14));
        assert!((found.low - 0.069_508_334).abs() < 1e-8, "{found:?}");
        assert!((found.high - 0.261_861_937).abs() < 1e-8, "{found:?}");
        assert_eq!(ShareOfRuns::of(0, 0).value, None);
    }

    #[test]
    fn the_interval_of_a_quantile_is_that_of_the_binomial_distribution() {
        for (n, q) in [(20, Quantile::P50), (100, Quantile::P90), (60, Quantile::P95)] {
            let sorted: Vec<u64> = (1..=n).collect();
            let found = CountQuantile::of(q, &sorted);
            assert_eq!(found.value, Some((q.as_f64() * n as f64).ceil() as u64));
            // The value of rank r lies below the quantile with P(B < r), above with P(B >= r).
            let below = |rank: u64| binomial(rank - 1, n, q.as_f64());
            let low = (1..=n).rev().find(|rank| below(*rank) <= 0.025);
            let high = (1..=n).find(|rank| 1.0 - below(*rank) <= 0.025);
            assert_eq!((found.low, found.high), (low, high), "{n} {q:?}");
        }
    }

    #[test]
    fn what_never_came_is_later_than_all_else() {
        let at = |seconds| RunTime::At(Duration::from_secs(seconds));
        let mut times: Vec<RunTime> = (1..=60).map(at).collect();
        times.extend([RunTime::Never; 40]);
        let median = TimeQuantile::of(Quantile::P50, &times);
        assert_eq!((median.value, median.n), (Some(at(50)), 100));
        // Of 100 the median lies between the 40th and the 61st.
        assert_eq!((median.low, median.high), (Some(at(40)), Some(RunTime::Never)));
        let p90 = TimeQuantile::of(Quantile::P90, &times);
        assert_eq!((p90.value, p90.low), (Some(RunTime::Never), Some(RunTime::Never)));
        // 0.1^3 is little enough for the least of three to lie below, and nothing lies above.
        let few = TimeQuantile::of(Quantile::P90, &times[..3]);
        assert_eq!((few.value, few.low, few.high), (Some(at(3)), Some(at(1)), None));
        assert_eq!(TimeQuantile::of(Quantile::P50, &[]).value, None);
    }

    #[test]
    fn a_mean_has_students_interval() {
        // 2, 4, 9: mean 5, variance 13, t with 2 degrees of freedom 4.302653, times sqrt(13 / 3).
        let found = MeanOfRuns::of_counts([4, 9, 2]);
        assert_eq!((found.n, found.value), (3, Some(5.0)));
        assert!((found.low.unwrap() + 3.956_685_895).abs() < 1e-8, "{found:?}");
        assert!((found.high.unwrap() - 13.956_685_895).abs() < 1e-8, "{found:?}");
        let one = MeanOfRuns::of_counts([7]);
        assert_eq!((one.value, one.low), (Some(7.0), None));
        assert_eq!(MeanOfRuns::of_counts([]).value, None);
    }
}
