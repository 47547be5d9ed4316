//! A proportion that was counted, and the difference of two.

use super::interval::{Confidence, Interval};
use super::measured::Measured;

/// So many hits in so many trials.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Proportion {
    hits: u64,
    total: u64,
}

impl Proportion {
    /// `hits` in `total` trials.
    ///
    /// # Panics
    /// More hits than trials.
    pub fn new(hits: u64, total: u64) -> Self {
        assert!(hits <= total, "{hits} hits in {total} trials");
        Self { hits, total }
    }

    /// How many hits.
    pub const fn hits(self) -> u64 {
        self.hits
    }

    /// How many trials.
    pub const fn total(self) -> u64 {
        self.total
    }

    /// The share of hits, in [0, 1]; `None` without trials.
    pub fn share(self) -> Option<f64> {
        (self.total > 0).then(|| self.hits as f64 / self.total as f64)
    }

    /// The interval of `self` - `base`, two proportions of independent trials: Newcombe's hybrid
    /// score interval, the two Wilson intervals combined by [`Measured::difference`]. It lies in
    /// [-1, 1], and its coverage is close to the stated confidence also for few hits, where that
    /// of the usual normal interval is far below.
    ///
    /// [-1, 1] or nearly so without trials on either side.
    ///
    /// Source: R. G. Newcombe, Interval estimation for the difference between independent
    /// proportions: comparison of eleven methods, Statistics in Medicine 17 (1998), 873-890,
    /// method 10, doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I.
    pub fn difference(self, base: Self, confidence: Confidence) -> Interval {
        self.measured(confidence).difference(base.measured(confidence))
    }

    /// The share with Wilson's interval; one half without trials, which bound nothing.
    pub fn measured(self, confidence: Confidence) -> Measured {
        Measured {
            value: self.share().unwrap_or(0.5),
            limits: Interval::wilson(self.hits, self.total, confidence),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_agree_with_statsmodels() {
        // statsmodels confint_proportions_2indep(.., method="newcomb", compare="diff"); the first
        // three are in Newcombe's table II with four digits.
        let cases = [
            ((48, 80), (56, 70), (-0.33387265403690614, -0.05243147240236498)),
            ((3, 10), (9, 10), (-0.809017973535488, -0.1705227239345029)),
            ((0, 20), (0, 10), (-0.27753279986288926, 0.1611251580528194)),
            ((0, 10), (10, 10), (-1.0, -0.6075093504305241)),
            ((0, 1_779), (4, 3_498), (-0.0029367188592600694, 0.0011216363073082158)),
            ((3, 50), (0, 40), (-0.03606625607875302, 0.16217091688838173)),
            ((1_350, 100_000), (1_200, 100_000), (0.0005166526334282827, 0.0024848018555154354)),
        ];
        for (second, first, (low, high)) in cases {
            let proportion = |(hits, total)| Proportion::new(hits, total);
            let confidence = Confidence::PERCENT_95;
            let found = proportion(second).difference(proportion(first), confidence);
            assert!((found.low - low).abs() < 1e-12, "{second:?}: {found:?}");
            assert!((found.high - high).abs() < 1e-12, "{second:?}: {found:?}");
            // What one is above the other, the other is below.
            let turned = proportion(first).difference(proportion(second), confidence);
            assert_eq!((turned.low, turned.high), (-found.high, -found.low));
        }
    }

    #[test]
    fn no_trials_tell_nothing_of_a_difference() {
        let none = Proportion::new(0, 0);
        assert_eq!(none.share(), None);
        let found = none.difference(Proportion::new(0, 1_000_000), Confidence::PERCENT_95);
        assert!(found.low < 0.01 && found.high > 0.99, "{found:?}");
    }

    /// The probability that of two counts `holds` holds, summed over all outcomes.
    fn coverage(
        (n, share): (u64, f64),
        (m, base): (u64, f64),
        holds: impl Fn(Proportion, Proportion) -> bool,
    ) -> f64 {
        let density = |n: u64, share: f64| {
            let none = (0..n).fold(1.0, |product, _| product * (1.0 - share));
            let quotient = share / (1.0 - share);
            let more = move |(x, p): &(u64, f64)| {
                let next = p * (n - x) as f64 / (x + 1) as f64 * quotient;
                (*x < n).then_some((x + 1, next))
            };
            std::iter::successors(Some((0, none)), more).collect::<Vec<_>>()
        };
        let mut covered = 0.0;
        for (a, p) in density(n, share) {
            for (b, q) in density(m, base) {
                // A million outcomes of less amount to less than 10^-9.
                if p * q > 1e-15 && holds(Proportion::new(a, n), Proportion::new(b, m)) {
                    covered += p * q;
                }
            }
        }
        covered
    }

    fn of_difference(one: (u64, f64), other: (u64, f64)) -> f64 {
        coverage(one, other, |counted, base| {
            let found = counted.difference(base, Confidence::PERCENT_95);
            (found.low..=found.high).contains(&(one.1 - other.1))
        })
    }

    #[test]
    fn intervals_of_ratios_cover_about_as_often_as_they_say() {
        let measured = |counted: Proportion| counted.measured(Confidence::PERCENT_95);
        // scipy.stats.binom.pmf, and the signs of the ends of x - R b; error rates as of releases.
        for (one, other, expected) in [
            ((1_000, 0.05), (1_000, 0.01), 0.9530422064342511),
            ((1_000, 0.01), (1_000, 0.01), 0.9588655900686682),
            ((400, 0.03), (400, 0.02), 0.9552829230648084),
            ((1_000, 0.03), (300, 0.01), 0.9613161881680761),
        ] {
            let covered = coverage(one, other, |counted, base| {
                let found = measured(counted).ratio(measured(base));
                (found.low..=found.high).contains(&(one.1 / other.1))
            });
            assert!((covered - expected).abs() < 1e-6, "{one:?} {other:?}: {covered}");
        }
    }

    #[test]
    fn intervals_cover_about_as_often_as_they_say() {
        for (one, other) in [
            ((80, 0.3), (100, 0.3)),
            ((200, 0.01), (200, 0.02)),
            ((150, 0.05), (50, 0.1)),
            ((100, 0.001), (300, 0.001)),
        ] {
            let covered = of_difference(one, other);
            // Newcombe's own least coverage of method 10 is near 0.92.
            assert!(covered > 0.92, "{one:?} {other:?}: {covered}");
        }
        let covered = of_difference((120, 0.2), (150, 0.25));
        assert!((covered - 0.95).abs() < 0.01, "{covered}");
    }
}
