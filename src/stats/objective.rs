//! A test of one arm's share of hits against an objective that may be looked at after every
//! request, in whatever order requests end.

use super::odds_bets::{MULTIPLES, POINTS};
use crate::math;
use crate::units::Ratio;

/// Whether the share of requests that are hits, errors for one, is above its objective p0.
///
/// The evidence is a mixture of constant bets on odds that are m_j times the objective's, after h
/// hits of n requests:
///
/// `K = 1/12 sum_j m_j^h / (1 - p0 + p0 m_j)^n`.
///
/// While each request is a hit with probability at most p0, given all that began before it, K is a
/// nonnegative supermartingale in the order in which requests begin: it reaches 1 / alpha with
/// probability at most alpha over all time, whatever the rule for looking or stopping (Ville). That
/// the share changes over time below p0 does no harm.
///
/// **n counts requests when they begin, h counts hits when they are known.** A request that is on
/// its way is taken for a miss: the least that it can multiply, so that what is seen is never more
/// than what the order of beginnings will show. With n of those that have ended a version whose
/// failures are fast would be condemned by them before its first success has come.
///
/// The m_j are 12 from 1.1 to 1000, as of [`ErrorRatioTest`](super::ErrorRatioTest). A single arm
/// has nobody to share its bad minutes with: what troubles all versions counts against it too.
///
/// Source: I. Waudby-Smith and A. Ramdas, Estimating means of bounded random variables by betting,
/// JRSS B 86 (2024), doi:10.1093/jrsssb/qkad009, arXiv:2010.09686, with a mixture of constant bets.
///
/// ```
/// use coalmine::stats::ObjectiveTest;
/// use coalmine::units::Ratio;
/// let test = ObjectiveTest::new(Ratio::from_percent(1));
/// assert!(test.ln_evidence(20, 200) > 1000_f64.ln());
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ObjectiveTest {
    /// What a request multiplies as a miss on each of the odds, as logarithms.
    ln_miss: [f64; POINTS],
}

impl ObjectiveTest {
    /// A test of the hypothesis that at most the share `objective` of requests are hits.
    ///
    /// # Panics
    /// An objective of 0 or 1: whether something is ever or always so is no question of chance.
    pub fn new(objective: Ratio) -> Self {
        let bound = objective.get();
        assert!(bound > 0.0 && bound < 1.0, "an objective of {bound}");
        Self { ln_miss: MULTIPLES.map(|multiple| -math::ln(1.0 - bound + bound * multiple)) }
    }

    /// ln K after `hits` of `requests`, those on their way among the latter: evidence that the
    /// share is above the objective. Reject at alpha once it has reached ln(1 / alpha), even if it
    /// falls again. It rises with hits only: there is nothing new to see after another end.
    pub fn ln_evidence(&self, hits: u64, requests: u64) -> f64 {
        let (hits, requests) = (hits as f64, requests as f64);
        let bets = self.ln_miss.iter().zip(MULTIPLES);
        let bets = bets.map(|(miss, multiple)| hits * math::ln(multiple) + requests * miss);
        let largest = bets.clone().fold(f64::NEG_INFINITY, f64::max);
        let sum: f64 = bets.map(|bet| math::exp(bet - largest)).sum();
        largest + math::ln(sum / POINTS as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::super::splitmix::SplitMix;
    use super::*;

    fn test(objective: f64) -> ObjectiveTest {
        ObjectiveTest::new(Ratio::new(objective).unwrap())
    }

    #[test]
    fn the_evidence_is_the_mean_of_what_each_bet_has_become() {
        for (objective, hits, requests) in [(0.01, 4_u32, 20_u32), (0.3, 0, 12), (0.001, 3, 3)] {
            let bet = |multiple: f64| {
                let mean = 1.0 - objective + objective * multiple;
                let hit = (0..hits).fold(1.0, |product, _| product * multiple / mean);
                (hits..requests).fold(hit, |product, _| product / mean)
            };
            let mean: f64 = MULTIPLES.iter().map(|multiple| bet(*multiple)).sum::<f64>() / 12.0;
            let found = test(objective).ln_evidence(u64::from(hits), u64::from(requests));
            assert!((found - math::ln(mean)).abs() < 1e-10, "{found}, not {}", math::ln(mean));
        }
        assert_eq!(test(0.01).ln_evidence(0, 0), 0.0);
    }

    #[test]
    fn the_evidence_is_fair_at_the_objective_and_less_below_it() {
        // Summed over every number of hits in 10 requests.
        let expected = |objective: f64, rate: f64| -> f64 {
            let ways = [1, 10, 45, 120, 210, 252, 210, 120, 45, 10, 1];
            let of = |hits: usize| {
                let probability = (0..10).fold(f64::from(ways[hits]), |product, request| {
                    product * if request < hits { rate } else { 1.0 - rate }
                });
                probability * math::exp(test(objective).ln_evidence(hits as u64, 10))
            };
            (0..=10).map(of).sum()
        };
        for objective in [0.001, 0.01, 0.3, 0.9] {
            let at_objective = expected(objective, objective);
            assert!((at_objective - 1.0).abs() < 1e-9, "{objective}: {at_objective}");
            assert!(expected(objective, 0.9 * objective) < 0.999, "{objective}");
            assert!(expected(objective, 1.1 * objective) > 1.001, "{objective}");
        }
    }

    /// Ten requests a second at the objective; a hit is known at once, a miss after 30 s.
    #[test]
    fn hits_that_are_known_before_misses_raise_no_more_false_alarms_than_alpha() {
        let mut draws = SplitMix::new(23);
        let (mut alarms, mut as_ended) = (0, 0);
        for _ in 0..1_000 {
            let test = test(0.05);
            let sufficed = |hits, requests| test.ln_evidence(hits, requests) >= math::ln(20.0);
            let (mut hits, mut alarm, mut early) = (0_u64, false, false);
            for begun in 1..=2_000_u64 {
                if draws.hit(0.05) {
                    hits += 1;
                    alarm |= sufficed(hits, begun);
                    early |= sufficed(hits, hits + begun.saturating_sub(300 + hits));
                }
            }
            alarms += u32::from(alarm);
            as_ended += u32::from(early);
        }
        // 5 % of 1,000 are 50; three standard deviations above are 71.
        assert!((1..=71).contains(&alarms), "{alarms} of 1000");
        assert!(as_ended > 900, "{as_ended} of 1000 by those that have ended");
    }

    #[test]
    fn evidence_stays_finite_whatever_comes() {
        assert!(test(0.5).ln_evidence(33_334, 100_000) < 0.0);
        let found = test(1e-12).ln_evidence(100_000, 100_000);
        assert!(found.is_finite() && found > math::ln(1e250));
    }
}
