//! A test of error counts that may be looked at after every event.

use crate::math;
use crate::units::Ratio;

/// Whether errors fall on the canary more often than its share of the traffic explains.
///
/// If no arm is worse, each error belongs to the canary with probability rho, its share, whatever
/// the common error rate does over time. The test is a mixture likelihood ratio: with counts s_i of
/// the two arms, n = s_1 + s_2, a_i = k rho_i and prior strength k,
///
/// `ln E = lnG(k) - lnG(k + n) + sum_i [lnG(a_i + s_i) - lnG(a_i) - s_i ln rho_i]`.
///
/// Under no difference E is a martingale that starts at 1, so it reaches 1 / alpha with
/// probability at most alpha over all time, whatever the rule for looking or stopping (Ville). E
/// answers to a canary that is better, too; the p-value moves only while the canary has more than
/// its share of the errors. A small k reacts to large differences within few errors, a large k to
/// small ones within many.
///
/// Source: M. Lindon and A. Malek, Anytime-Valid Inference for Multinomial Count Data, NeurIPS
/// 2022, arXiv:2011.03567.
///
/// ```
/// use coalmine::stats::ErrorShareTest;
/// use coalmine::units::Ratio;
/// let mut test = ErrorShareTest::new(10.0, Ratio::new(0.1).unwrap()).unwrap();
/// for _ in 0..5 {
///     test.record(true);
/// }
/// assert!(test.p_value() <= 0.05);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ErrorShareTest {
    strength: f64,
    canary_share: f64,
    canary_errors: u64,
    errors: u64,
    ln_evidence: f64,
    /// The largest ln E so far at which the canary had more than its share; 0 before.
    strongest: f64,
}

impl ErrorShareTest {
    /// A test without events, for a prior of `strength` k > 0 and a canary that receives the share
    /// `canary_share` of the traffic. `None` for a share of 0 or 1: with one arm there is nothing
    /// to compare.
    ///
    /// # Panics
    /// `strength` is not positive and finite.
    pub fn new(strength: f64, canary_share: Ratio) -> Option<Self> {
        assert!(strength > 0.0 && strength.is_finite(), "a prior of strength {strength}");
        let canary_share = canary_share.get();
        (canary_share > 0.0 && canary_share < 1.0).then_some(Self {
            strength,
            canary_share,
            canary_errors: 0,
            errors: 0,
            ln_evidence: 0.0,
            strongest: 0.0,
        })
    }

    /// All errors recorded.
    pub const fn errors(&self) -> u64 {
        self.errors
    }

    /// Those of them on the canary.
    pub const fn canary_errors(&self) -> u64 {
        self.canary_errors
    }

    /// ln E as it stands: evidence for a difference in either direction; 0 before the first error.
    pub const fn ln_evidence(&self) -> f64 {
        self.ln_evidence
    }

    /// Whether the canary has more than its share of the errors.
    pub fn canary_is_worse(&self) -> bool {
        self.canary_errors as f64 > self.canary_share * self.errors as f64
    }

    /// The smallest 1 / E so far among the moments at which the canary had more than its share of
    /// the errors, at most 1: the probability under no difference of ever seeing one this small is
    /// at most this. Reject at alpha when it is at most alpha.
    pub fn p_value(&self) -> f64 {
        math::exp(-self.strongest)
    }

    /// Counts an error, on the canary or on the stable version.
    pub fn record(&mut self, canary: bool) {
        let (share, arm_errors) = if canary {
            (self.canary_share, self.canary_errors)
        } else {
            (1.0 - self.canary_share, self.errors - self.canary_errors)
        };
        // E grows by what the mixture predicted for this arm over what equal arms would have.
        let predicted =
            (self.strength * share + arm_errors as f64) / (self.strength + self.errors as f64);
        self.ln_evidence += math::ln(predicted / share);
        self.errors += 1;
        self.canary_errors += u64::from(canary);
        if self.canary_is_worse() {
            self.strongest = self.strongest.max(self.ln_evidence);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::splitmix::SplitMix;
    use super::*;

    fn test(strength: f64, share: f64) -> ErrorShareTest {
        ErrorShareTest::new(strength, Ratio::new(share).unwrap()).unwrap()
    }

    #[test]
    fn errors_in_a_row_reject_when_the_reference_table_says() {
        // Rows: rho, then the errors for k = 2, 10 and 100, at alpha = 0.05.
        let table = [(0.05, [3, 4, 8]), (0.1, [3, 5, 10]), (0.2, [4, 6, 15]), (0.5, [8, 12, 29])];
        for (share, row) in table {
            for (strength, expected) in [2.0, 10.0, 100.0].into_iter().zip(row) {
                let mut test = test(strength, share);
                while test.p_value() > 0.05 {
                    test.record(true);
                }
                assert_eq!(test.errors(), expected, "rho {share}, k {strength}");
            }
        }
    }

    #[test]
    fn the_running_evidence_equals_the_closed_form() {
        for (strength, share) in [(2.0, 0.05), (10.0, 0.3), (100.0, 0.5)] {
            let mut test = test(strength, share);
            let mut errors = SplitMix::new(4);
            for n in 1..=20_000_u32 {
                test.record(errors.hit(share * 1.1));
                if n.is_power_of_two() || n == 20_000 {
                    let (all, canary) = (f64::from(n), test.canary_errors() as f64);
                    let arm = |share: f64, count: f64| {
                        math::ln_gamma(strength * share + count)
                            - math::ln_gamma(strength * share)
                            - count * math::ln(share)
                    };
                    let closed = math::ln_gamma(strength) - math::ln_gamma(strength + all)
                        + arm(share, canary)
                        + arm(1.0 - share, all - canary);
                    let found = test.ln_evidence();
                    assert!((found - closed).abs() < 1e-8, "{found} {closed}");
                }
            }
        }
    }

    #[test]
    fn looking_after_every_error_raises_no_more_false_alarms_than_alpha() {
        for (strength, share) in [(2.0, 0.05), (10.0, 0.2), (10.0, 0.5), (100.0, 0.5)] {
            let mut errors = SplitMix::new(99);
            let (mut either, mut worse) = (0, 0);
            for _ in 0..2_000 {
                let mut test = test(strength, share);
                let mut strongest = 0.0_f64;
                for _ in 0..2_000 {
                    test.record(errors.hit(share));
                    strongest = strongest.max(test.ln_evidence());
                }
                either += u32::from(strongest >= math::ln(20.0));
                worse += u32::from(test.p_value() <= 0.05);
            }
            // 5 % of 2,000 are 100; three standard deviations above are 129.
            assert!(either <= 129, "{either} of 2000 in both directions, rho {share}");
            assert!(worse <= either && worse > 0, "{worse} of 2000 against the canary");
        }
    }

    #[test]
    fn a_canary_with_twice_its_share_is_found() {
        let mut errors = SplitMix::new(7);
        let found = (0..200).filter(|_| {
            let mut test = test(10.0, 0.1);
            (0..400).for_each(|_| test.record(errors.hit(0.2)));
            test.p_value() <= 0.001
        });
        assert!(found.count() >= 180);
    }

    #[test]
    fn a_canary_that_is_better_never_rejects() {
        let mut test = test(10.0, 0.5);
        (0..1_000).for_each(|_| test.record(false));
        assert!(test.ln_evidence() > math::ln(1e6));
        assert_eq!(test.p_value(), 1.0);
        assert!(!test.canary_is_worse());
    }

    #[test]
    fn one_arm_alone_cannot_be_compared() {
        assert_eq!(ErrorShareTest::new(10.0, Ratio::ZERO), None);
        assert_eq!(ErrorShareTest::new(10.0, Ratio::ONE), None);
    }
}
