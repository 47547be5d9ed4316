//! A test of one arm's error rate against an objective that may be looked at after every request.

use super::odds_bets::OddsBets;
use crate::units::Ratio;

/// Whether an error rate is above its objective p0.
///
/// The capital of bets on errors: with x = 1 for an error, 0 for a success, and bets l_j,
///
/// `K = sum_j w_j prod (1 + l_j (x - p0))`.
///
/// While each request fails with probability at most p0, given all before it, K is a nonnegative
/// supermartingale: it reaches 1 / alpha with probability at most alpha over all time, whatever the
/// rule for looking or stopping (Ville). That the rate changes over time below p0 does no harm. The
/// bet l_j = (q_j - p0) / (p0 (1 - p0)), in (0, 1 / p0), gains most where the rate is q_j: there
/// are 12, of odds 1.1 to 1000 times the objective's, which weigh the same. Half of the capital is
/// bet from the first request on, the other half joins over time, half of it within as many
/// requests as bring 50 errors at p0: so a rate that turns bad after a long good time is found
/// soon.
///
/// In 20,000 runs of 20,000 requests at p0 = 1 %, looked at after each at alpha = 0.01, it raised a
/// false alarm in 0.4 % (`tests/judges.rs`).
///
/// A single arm has nobody to share its bad minutes with: what troubles all versions counts against
/// it too. It takes errors as they come; bursts only matter if they take the rate above p0.
///
/// Source: I. Waudby-Smith and A. Ramdas, Estimating means of bounded random variables by betting,
/// JRSS B 86 (2024), doi:10.1093/jrsssb/qkad009, arXiv:2010.09686, with a mixture of constant bets.
///
/// ```
/// use coalmine::stats::ObjectiveTest;
/// use coalmine::units::Ratio;
/// let mut test = ObjectiveTest::new(Ratio::from_percent(1));
/// for request in 0..200 {
///     test.record(request % 10 == 0);
/// }
/// assert!(test.ln_evidence() > 1000_f64.ln());
/// ```
#[derive(Clone, PartialEq, Debug)]
pub struct ObjectiveTest {
    objective: f64,
    requests: u64,
    errors: u64,
    bets: OddsBets,
}

impl ObjectiveTest {
    /// A test without requests of the hypothesis that at most the share `objective` of requests
    /// fails.
    ///
    /// # Panics
    /// An objective of 0 or 1: one error alone refutes the one, nothing the other.
    pub fn new(objective: Ratio) -> Self {
        let objective = objective.get();
        assert!(objective > 0.0 && objective < 1.0, "an objective of {objective}");
        Self { objective, requests: 0, errors: 0, bets: OddsBets::new(PACE_ERRORS / objective) }
    }

    /// All requests recorded.
    pub const fn requests(&self) -> u64 {
        self.requests
    }

    /// Those of them that failed.
    pub const fn errors(&self) -> u64 {
        self.errors
    }

    /// ln K as it stands: evidence that the error rate is above the objective; 0 before the first
    /// request. Reject at alpha once it has reached ln(1 / alpha), even if it falls again. It rises
    /// with errors only: there is nothing new to see after a success.
    pub fn ln_evidence(&self) -> f64 {
        self.bets.ln_capital()
    }

    /// Counts a request that failed or did not.
    pub fn record(&mut self, error: bool) {
        self.requests += 1;
        self.errors += u64::from(error);
        self.bets.record(error, self.objective);
    }
}

/// Chosen as of the test of two arms: what is kept is halved while 50 errors come at the objective.
const PACE_ERRORS: f64 = 50.0;

#[cfg(test)]
mod tests {
    use super::super::splitmix::SplitMix;
    use super::*;
    use crate::math;

    fn test(objective: f64) -> ObjectiveTest {
        ObjectiveTest::new(Ratio::new(objective).unwrap())
    }

    #[test]
    fn the_evidence_agrees_with_exact_fractions() {
        // The formula with l_j of the definition, summed over all beginnings, in fractions
        // (Python).
        let every_fifth = |n: u32| n.is_multiple_of(5);
        let cases: [(f64, Vec<bool>, f64); 5] = [
            (0.01, (0..20).map(every_fifth).collect(), 5.719_385_798_698_571),
            (0.05, vec![false; 60], -0.550_486_472_282_342),
            (0.001, vec![true; 3], 15.479_659_834_384_5),
            (0.2, (0..40).map(|n| n % 5 < 2).collect(), 2.014_477_207_323_373),
            (0.1, (0..35).map(|n| n >= 30).collect(), 2.961_462_510_650_726_5),
        ];
        for (objective, requests, expected) in cases {
            let mut test = test(objective);
            requests.iter().for_each(|error| test.record(*error));
            let found = test.ln_evidence();
            assert!((found - expected).abs() < 1e-12, "{objective}: {found}, not {expected}");
        }
    }

    #[test]
    fn the_evidence_is_fair_at_the_objective_and_less_below_it() {
        // Summed over every sequence of 10 requests.
        let expected = |objective: f64, rate: f64| -> f64 {
            let of_sequence = |sequence: u32| {
                let mut test = test(objective);
                let mut probability = 1.0;
                for error in (0..10).map(|request| sequence >> request & 1 == 1) {
                    probability *= if error { rate } else { 1.0 - rate };
                    test.record(error);
                }
                probability * math::exp(test.ln_evidence())
            };
            (0..1 << 10).map(of_sequence).sum()
        };
        for objective in [0.001, 0.01, 0.3, 0.9] {
            let at_objective = expected(objective, objective);
            assert!((at_objective - 1.0).abs() < 1e-9, "{objective}: {at_objective}");
            assert!(expected(objective, 0.9 * objective) < 0.999, "{objective}");
            assert!(expected(objective, 1.1 * objective) > 1.001, "{objective}");
        }
    }

    #[test]
    fn looking_after_every_request_raises_no_more_false_alarms_than_alpha() {
        let mut draws = SplitMix::new(23);
        let mut alarms = 0;
        for _ in 0..2_000 {
            let mut test = test(0.05);
            let mut strongest = 0.0_f64;
            for _ in 0..5_000 {
                test.record(draws.hit(0.05));
                strongest = strongest.max(test.ln_evidence());
            }
            alarms += u32::from(strongest >= math::ln(20.0));
        }
        // 5 % of 2,000 are 100; three standard deviations above are 129.
        assert!((1..=129).contains(&alarms), "{alarms} of 2000");
    }

    #[test]
    fn a_rate_that_turns_bad_late_is_found_soon() {
        // 10 % of errors against an objective of 1 % after 50,000 good requests: the median of 200.
        let mut draws = SplitMix::new(6);
        let mut needed: Vec<u64> = (0..200)
            .map(|_| {
                let mut test = test(0.01);
                (0..50_000).for_each(|_| test.record(draws.hit(0.005)));
                while test.ln_evidence() < math::ln(1_000.0) {
                    test.record(draws.hit(0.1));
                }
                test.requests() - 50_000
            })
            .collect();
        needed.sort_unstable();
        assert!(needed[100] < 150, "{}", needed[100]);
    }

    #[test]
    fn a_rate_below_the_objective_gives_no_evidence() {
        let mut test = test(0.5);
        (0..100_000).for_each(|request| test.record(request % 3 == 0));
        assert!(test.ln_evidence() < 0.0);
        assert_eq!((test.requests(), test.errors()), (100_000, 33_334));
    }

    #[test]
    fn evidence_stays_finite_whatever_comes() {
        let mut test = test(1e-12);
        assert_eq!(test.ln_evidence(), 0.0);
        (0..100_000).for_each(|_| test.record(true));
        assert!(test.ln_evidence().is_finite() && test.ln_evidence() > math::ln(1e250));
    }
}
