//! A test of shares that may be looked at at any time.

use crate::math;
use crate::units::Ratio;

/// The natural logarithm of the evidence E that independent events do not fall on their arms with
/// the probabilities that they should: `counts` pairs each arm's probability rho_i with the number
/// s_i of its events.
///
/// With n = s_1 + s_2 + ..., a_i = k rho_i and prior strength k = `strength`,
///
/// `ln E = lnG(k) - lnG(k + n) + sum_i [lnG(a_i + s_i) - lnG(a_i) - s_i ln rho_i]`.
///
/// Where the probabilities are as stated, E is a martingale that starts at 1, so it reaches
/// 1 / alpha with probability at most alpha over all time, whatever the rule for looking or
/// stopping (Ville). Infinite where an arm of probability 0 has an event; 0 without events.
///
/// Source: M. Lindon and A. Malek, Anytime-Valid Inference for Multinomial Count Data, NeurIPS
/// 2022, arXiv:2011.03567.
///
/// # Panics
/// `strength` is not positive and finite.
pub fn ln_share_evidence(strength: f64, counts: impl IntoIterator<Item = (Ratio, u64)>) -> f64 {
    assert!(strength > 0.0 && strength.is_finite(), "a prior of strength {strength}");
    let mut all = 0.0;
    let mut sum = 0.0;
    for (share, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
        if share == Ratio::ZERO {
            return f64::INFINITY;
        }
        let (share, count) = (share.get(), count as f64);
        all += count;
        sum += math::ln_gamma(strength * share + count)
            - math::ln_gamma(strength * share)
            - count * math::ln(share);
    }
    math::ln_gamma(strength) - math::ln_gamma(strength + all) + sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Strength of the prior, shares with their counts, and the evidence.
    type Case<'a> = (f64, &'a [(f64, u64)], f64);

    fn evidence(strength: f64, counts: &[(f64, u64)]) -> f64 {
        let ratio = |&(share, count): &(f64, u64)| (Ratio::new(share).unwrap(), count);
        ln_share_evidence(strength, counts.iter().map(ratio))
    }

    #[test]
    fn evidence_agrees_with_scipy() {
        // scipy.special.gammaln in the formula above.
        let table: [Case<'_>; 4] = [
            (10.0, &[(0.5, 60), (0.5, 40)], 0.623_612_346_233_244_4),
            (10.0, &[(0.95, 1_000), (0.05, 200)], 106.042_092_220_194_72),
            (2.0, &[(0.7, 700), (0.2, 200), (0.1, 100)], -6.741_009_926_720_835),
            (10.0, &[(0.9, 9_000_000), (0.1, 1_010_000)], 37.841_565_400_362_015),
        ];
        for (strength, counts, expected) in table {
            let found = evidence(strength, counts);
            assert!((found - expected).abs() < 1e-6, "{found} {expected}");
        }
    }

    #[test]
    fn without_events_there_is_no_evidence_and_an_impossible_event_is_all_of_it() {
        assert_eq!(evidence(10.0, &[(0.5, 0), (0.5, 0)]), 0.0);
        assert_eq!(evidence(10.0, &[(1.0, 5), (0.0, 0)]), 0.0);
        assert_eq!(evidence(10.0, &[(1.0, 5), (0.0, 1)]), f64::INFINITY);
    }
}
