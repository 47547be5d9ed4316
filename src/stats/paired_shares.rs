//! The difference of two proportions that were counted on the same trials.

use super::interval::{Confidence, Interval};
use crate::math;

/// Trials of which each was made twice, once of either kind: what came of it once only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PairedShares {
    first_only: u64,
    second_only: u64,
    pairs: u64,
}

impl PairedShares {
    /// Of so many `pairs` there were hits in the first trial only, and in the second only.
    ///
    /// # Panics
    /// There are more hits than pairs.
    pub fn new(first_only: u64, second_only: u64, pairs: u64) -> Self {
        let hits = first_only + second_only;
        assert!(hits <= pairs, "{hits} hits in {pairs} pairs");
        Self { first_only, second_only, pairs }
    }

    /// How many pairs there are.
    pub const fn pairs(self) -> u64 {
        self.pairs
    }

    /// The share of hits of the second trials less that of the first, in [-1, 1]; `None` without
    /// pairs.
    pub fn difference(self) -> Option<f64> {
        let difference = self.second_only as f64 - self.first_only as f64;
        (self.pairs > 0).then(|| difference / self.pairs as f64)
    }

    /// The interval of that difference: Wald's with one hit more on either side and two pairs more,
    /// with p = (b + 1) / (n + 2) and q = (c + 1) / (n + 2)
    /// `p - q +- z sqrt((p + q - (p - q)^2) / (n + 2))`. It is never a point, not even where no
    /// pair differs, and covers close to the stated confidence also for few of them.
    ///
    /// [-1, 1] without pairs.
    ///
    /// Source: D. G. Bonett and R. M. Price, Adjusted Wald confidence interval for a difference of
    /// binomial proportions based on paired data, Journal of Educational and Behavioral Statistics
    /// 37 (2012), 479-488, doi:10.3102/1076998611411915.
    pub fn interval(self, confidence: Confidence) -> Interval {
        if self.pairs == 0 {
            return Interval { low: -1.0, high: 1.0 };
        }
        let n = self.pairs as f64 + 2.0;
        let (p, q) = ((self.second_only as f64 + 1.0) / n, (self.first_only as f64 + 1.0) / n);
        let z = -math::normal_quantile(confidence.tail());
        let half = z * ((p + q - (p - q) * (p - q)) / n).sqrt();
        let end = |value: f64| value.clamp(-1.0, 1.0);
        Interval { low: end(p - q - half), high: end(p - q + half) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_that_of_the_formula() {
        // Worked out with Python's floats and z = 1.959963984540054.
        let cases = [
            (4, 10, 100, -0.017_185_340_732_427, 0.134_832_399_555_956),
            (0, 0, 1_000, -0.002_766_275_098_502, 0.002_766_275_098_502),
            (0, 5, 5, 0.195_835_985_223_577, 1.0),
        ];
        for (first, second, pairs, low, high) in cases {
            let found = PairedShares::new(first, second, pairs).interval(Confidence::PERCENT_95);
            assert!((found.low - low).abs() < 1e-12, "{first} {second} {pairs}: {found:?}");
            assert!((found.high - high).abs() < 1e-12, "{first} {second} {pairs}: {found:?}");
        }
    }

    #[test]
    fn it_turns_round_with_its_sides() {
        let one = PairedShares::new(3, 8, 40);
        let other = PairedShares::new(8, 3, 40);
        let (a, b) = (one.interval(Confidence::PERCENT_95), other.interval(Confidence::PERCENT_95));
        assert!((a.low + b.high).abs() < 1e-15 && (a.high + b.low).abs() < 1e-15);
        assert_eq!(one.difference(), Some(0.125));
    }

    #[test]
    fn without_pairs_nothing_is_known() {
        let none = PairedShares::new(0, 0, 0);
        let all = Interval { low: -1.0, high: 1.0 };
        assert_eq!((none.difference(), none.interval(Confidence::PERCENT_95)), (None, all));
    }
}
