//! A test of the canary's error rate against the stable's that may be looked at after every event
//! and lasts over changes of the weights.

use super::odds_bets::OddsBets;
use crate::units::Ratio;

/// Whether the canary's error rate is more than `effect` times the stable's.
///
/// While the canary gets the share rho of the traffic and its error rate is r times the stable's,
/// an error is the canary's with probability `rho r / (1 - rho + rho r)`, whatever the common error
/// rate does over time. The evidence against "r is at most r0", the effect, is a mixture over
/// larger ratios r_j: with rho the share under which the request of an error was assigned and x = 1
/// for an error of the canary, 0 for one of the stable,
///
/// `E = sum_j w_j prod (r_j / r0)^x (1 - rho + rho r0) / (1 - rho + rho r_j)`.
///
/// Each product is a martingale at r = r0 and a supermartingale below, under any sequence of shares
/// that are fixed before the request; so E reaches 1 / alpha with probability at most alpha over
/// all time, whatever the rule for looking or stopping (Ville), and steps of a rollout do not end
/// it. A canary that is better than r0 only lowers it.
///
/// The r_j are 12 multiples of r0 from 1.1 to 1000, which weigh the same, and a mixture over the
/// error at which the canary turns bad: half of the weight begins with the first error, the other
/// half joins over time, half of it within 50 errors.
///
/// It holds where errors are independent given the common rate: `random` assignment, first attempts
/// only. In 20,000 hours at the ratio allowed, looked at after every error at alpha = 0.01, it
/// raised a false alarm in 0.3 to 0.8 % (95 % limits below 0.9 %): at shares of 5 and 50 %, on a
/// ladder of 5, 25 and 50 %, with and without shocks to both arms; with r0 = 1.5 and equal arms in
/// 0.03 %. Errors that come in bursts of one arm break it, in every one of those hours: see
/// [`BurstBlock`]. These are `tests/judges.rs`.
///
/// At alpha = 0.001 a canary that alone has errors is found after 4 of them at a share of 5 %, 18
/// at 50 % (r0 = 1.5), after 1,000 errors of equal arms too after 8 and 36; one with ten times the
/// stable's error rate after some 30 errors of both arms, then some 40 to 70.
///
/// [`BurstBlock`]: super::BurstBlock
///
/// Source: the likelihood ratio of M. Lindon and A. Malek, Anytime-Valid Inference for Multinomial
/// Count Data, NeurIPS 2022, arXiv:2011.03567, with a mixture over ratios in place of shares.
///
/// ```
/// use coalmine::stats::ErrorRatioTest;
/// use coalmine::units::Ratio;
/// let mut test = ErrorRatioTest::new(1.5);
/// let [first, second] = [5, 25].map(Ratio::from_percent);
/// for share in [first, first, second, second, second, second, second, second] {
///     test.record(true, share);
/// }
/// assert!(test.ln_evidence() > 1000_f64.ln());
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct ErrorRatioTest {
    effect: f64,
    canary_errors: u64,
    errors: u64,
    bets: OddsBets,
}

impl ErrorRatioTest {
    /// A test without events of the hypothesis that the canary's error rate is at most `effect`
    /// times the stable's: 1 for "not worse", 1.5 for "not worse by half".
    ///
    /// # Panics
    /// `effect` outside 1 to 1e6.
    pub fn new(effect: f64) -> Self {
        assert!((1.0..=1e6).contains(&effect), "an effect of {effect}, allowed are 1 to 1e6");
        Self { effect, canary_errors: 0, errors: 0, bets: OddsBets::new(PACE) }
    }

    /// All errors recorded.
    pub const fn errors(&self) -> u64 {
        self.errors
    }

    /// Those of them on the canary.
    pub const fn canary_errors(&self) -> u64 {
        self.canary_errors
    }

    /// ln E as it stands: evidence that the canary is worse by more than the effect; 0 before the
    /// first error. Reject at alpha once it has reached ln(1 / alpha), even if it falls again.
    pub fn ln_evidence(&self) -> f64 {
        self.bets.ln_capital()
    }

    /// Counts an error, on the canary or on the stable version. `share` is the canary's part of
    /// what both get together, as it was when the request was assigned. With a share of 0 or 1
    /// there was nothing to compare with: the error is counted and is no evidence.
    pub fn record(&mut self, canary: bool, share: Ratio) {
        self.errors += 1;
        self.canary_errors += u64::from(canary);
        let odds = self.effect * share.get();
        self.bets.record(canary, odds / (odds + share.complement().get()));
    }
}

/// In errors. Chosen: about what a deployment sees before its canary gets a larger share.
const PACE: f64 = 50.0;

#[cfg(test)]
mod tests {
    use super::super::splitmix::SplitMix;
    use super::*;
    use crate::math;

    fn share(share: f64) -> Ratio {
        Ratio::new(share).unwrap()
    }

    /// Whose an error is with this probability at a share and a ratio of the error rates.
    fn canary_probability(ratio: f64, share: f64) -> f64 {
        share * ratio / (1.0 - share + share * ratio)
    }

    #[test]
    fn the_evidence_agrees_with_exact_fractions() {
        // The sum over all beginnings and ratios of the formula, in fractions (Python). Runs of
        // errors: so many, whose they are, and the share.
        type Run = (usize, bool, f64);
        let cases: [(f64, &[Run], f64); 5] = [
            (1.0, &[(8, true, 0.5)], 3.711_651_497_425_241),
            (
                1.5,
                &[
                    (3, true, 0.05),
                    (10, false, 0.05),
                    (4, true, 0.25),
                    (3, false, 0.5),
                    (5, true, 0.5),
                ],
                1.270_834_629_497_701_6,
            ),
            (1.0, &[(40, false, 0.05)], -0.733_103_941_954_740_3),
            (1.5, &[(4, true, 0.01)], 13.640_014_503_909_55),
            (3.0, &[(6, true, 0.5), (1, false, 0.5)], -0.110_532_368_142_930_25),
        ];
        for (effect, runs, expected) in cases {
            let mut test = ErrorRatioTest::new(effect);
            for &(times, canary, at) in runs {
                (0..times).for_each(|_| test.record(canary, share(at)));
            }
            let found = test.ln_evidence();
            assert!((found - expected).abs() < 1e-12, "{effect}, {runs:?}: {found}");
        }
    }

    #[test]
    fn the_evidence_is_fair_at_the_effect_and_less_below_it() {
        // Summed over every sequence of 10 errors under changing shares.
        let shares = [0.05, 0.05, 0.25, 0.05, 0.5, 0.5, 0.9, 0.001, 0.25, 0.3];
        let expected = |effect: f64, ratio: f64| -> f64 {
            let of_sequence = |sequence: u32| {
                let mut test = ErrorRatioTest::new(effect);
                let mut probability = 1.0;
                for (error, at) in shares.into_iter().enumerate() {
                    let canary = sequence >> error & 1 == 1;
                    let chance = canary_probability(ratio, at);
                    probability *= if canary { chance } else { 1.0 - chance };
                    test.record(canary, share(at));
                }
                probability * math::exp(test.ln_evidence())
            };
            (0..1 << shares.len()).map(of_sequence).sum()
        };
        for effect in [1.0, 1.5, 20.0] {
            let at_effect = expected(effect, effect);
            assert!((at_effect - 1.0).abs() < 1e-9, "{effect}: {at_effect}");
            assert!(expected(effect, 0.8 * effect) < 0.99, "{effect}");
            assert!(expected(effect, 1.2 * effect) > 1.01, "{effect}");
        }
    }

    #[test]
    fn looking_after_every_error_of_a_ladder_raises_no_more_false_alarms_than_alpha() {
        // 5, 25 and 50 % for 100 errors each, then 50 % to the end, at the ratio that is allowed.
        let mut draws = SplitMix::new(17);
        for effect in [1.0, 1.5] {
            let mut alarms = 0;
            for _ in 0..2_000 {
                let mut test = ErrorRatioTest::new(effect);
                let mut strongest = 0.0_f64;
                for error in 0..1_000 {
                    let at = [0.05, 0.25, 0.5, 0.5][(error / 100).min(3)];
                    test.record(draws.hit(canary_probability(effect, at)), share(at));
                    strongest = strongest.max(test.ln_evidence());
                }
                alarms += u32::from(strongest >= math::ln(20.0));
            }
            // 5 % of 2,000 are 100; three standard deviations above are 129.
            assert!((1..=129).contains(&alarms), "{alarms} of 2000 at an effect of {effect}");
        }
    }

    #[test]
    fn errors_in_a_row_reject_when_exact_fractions_say() {
        // At alpha = 0.05, 0.01 and 0.001, computed as above.
        let table = [
            (1.0, 0.01, [2, 2, 3]),
            (1.0, 0.05, [2, 3, 4]),
            (1.0, 0.25, [4, 5, 7]),
            (1.0, 0.5, [7, 10, 13]),
            (1.5, 0.05, [2, 3, 4]),
            (1.5, 0.5, [10, 13, 18]),
        ];
        for (effect, at, row) in table {
            let mut test = ErrorRatioTest::new(effect);
            for (inverse, expected) in [20.0, 100.0, 1_000.0].into_iter().zip(row) {
                while test.ln_evidence() < math::ln(inverse) {
                    test.record(true, share(at));
                }
                assert_eq!(test.errors(), expected, "{effect}, {at}, 1/{inverse}");
            }
            assert_eq!(test.canary_errors(), test.errors());
        }
    }

    #[test]
    fn a_canary_that_turns_bad_late_is_found_soon() {
        // After 2,000 errors of equal arms five times the errors; the median of 200 runs.
        let mut draws = SplitMix::new(5);
        let mut needed: Vec<u64> = (0..200)
            .map(|_| {
                let mut test = ErrorRatioTest::new(1.0);
                let mut record = |ratio: f64, test: &mut ErrorRatioTest| {
                    test.record(draws.hit(canary_probability(ratio, 0.25)), share(0.25));
                };
                (0..2_000).for_each(|_| record(1.0, &mut test));
                while test.ln_evidence() < math::ln(1_000.0) {
                    record(5.0, &mut test);
                }
                test.errors() - 2_000
            })
            .collect();
        needed.sort_unstable();
        assert!(needed[100] < 60, "{}", needed[100]);
    }

    #[test]
    fn a_canary_alone_or_without_traffic_is_no_evidence() {
        let mut test = ErrorRatioTest::new(1.0);
        for at in [Ratio::ONE, Ratio::ZERO] {
            test.record(true, at);
            test.record(false, at);
        }
        assert_eq!(test.ln_evidence(), 0.0);
        assert_eq!((test.errors(), test.canary_errors()), (4, 2));
    }

    #[test]
    fn evidence_stays_finite_whatever_comes() {
        let mut test = ErrorRatioTest::new(1e6);
        for round in 0..100_000_u32 {
            test.record(false, share(0.999_999_9));
            test.record(round % 1_000 == 0, share(1e-9));
        }
        assert!(test.ln_evidence().is_finite(), "{}", test.ln_evidence());
        let mut test = ErrorRatioTest::new(1.0);
        (0..100_000).for_each(|_| test.record(true, share(1e-9)));
        let most = math::ln(1e250);
        assert!((most..most + math::ln(1e10)).contains(&test.ln_evidence()));
    }
}
