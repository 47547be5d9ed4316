//! A test whether two samples have the same quantile.

use super::fisher::fisher_exact;
use super::histogram::DurationHistogram;
use super::proportion::Proportion;

/// The two-sided p-value that two samples come from distributions with the same quantile of
/// `per_mille` thousandths: the shares of either that lie above that quantile of both together are
/// compared by [`fisher_exact`]. `None` where either is empty.
///
/// It is exact where the two distributions are the same, and nearly so for large samples whose
/// densities at the quantile are similar; values of one histogram bin count as equal. For the
/// median this is Mood's test.
///
/// Source: W. J. Conover, Practical Nonparametric Statistics (3rd ed., 1999), section 4.3, the
/// median test and its extension to other quantiles; A. M. Mood, Introduction to the Theory of
/// Statistics (1950), section 16.7.
///
/// # Panics
/// `per_mille` above 1000.
pub fn quantile_test(
    per_mille: u64,
    first: &DurationHistogram,
    second: &DurationHistogram,
) -> Option<f64> {
    if first.count() == 0 || second.count() == 0 {
        return None;
    }
    let mut both = first.clone();
    both.merge(second);
    let pooled = both.quantile(per_mille)?;
    let above = |sample: &DurationHistogram| {
        let all = sample.count();
        Proportion::new(all - sample.count_through(pooled), all)
    };
    Some(fisher_exact(above(first), above(second)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Duration;

    fn of(millis: impl Iterator<Item = u64>) -> DurationHistogram {
        let mut histogram = DurationHistogram::default();
        millis.for_each(|millis| histogram.record(Duration::from_millis(millis)));
        histogram
    }

    #[test]
    fn shares_above_the_pooled_quantile_are_compared() {
        // The pooled median of 1..=100 and 41..=140 is their 100th value, 70: 30 of the one lie
        // above it and 70 of the other. scipy.stats.fisher_exact([[30, 70], [70, 30]]).
        let p = quantile_test(500, &of(1..=100), &of(41..=140)).unwrap();
        assert!((p / 2.310_326_429_897_527e-8 - 1.0).abs() < 1e-6, "{p}");
        // Pooled p90, their 180th value: 120; none of the one lie above it and 20 of the other.
        // scipy.stats.fisher_exact([[0, 100], [20, 80]]).
        let p = quantile_test(900, &of(1..=100), &of(41..=140)).unwrap();
        assert!((p / 6.643_374_155_415_398e-7 - 1.0).abs() < 1e-6, "{p}");
    }

    #[test]
    fn equal_samples_and_values_of_one_bin_show_no_difference() {
        let sample = of((1..=1_000).map(|x| x * 7 % 997));
        assert_eq!(quantile_test(950, &sample, &sample), Some(1.0));
        let constant = |nanos| {
            let mut histogram = DurationHistogram::default();
            (0..100).for_each(|_| histogram.record(Duration::from_nanos(nanos)));
            histogram
        };
        // Within half a microsecond of 250 ms, which are in one bin.
        let (one, other) = (constant(250_000_000), constant(250_000_300));
        assert_eq!(quantile_test(500, &one, &other), Some(1.0));
    }

    #[test]
    fn an_empty_sample_cannot_be_compared() {
        assert_eq!(quantile_test(500, &of(1..=3), &DurationHistogram::default()), None);
    }
}
