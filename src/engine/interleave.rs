//! Even assignment: versions take turns, so that after any number of requests each of them is
//! within one request of its share.
//!
//! The rule is Tijdeman's for the chairmen of a union. Each version's debt grows by its weight with
//! every request and falls by 1 with each that it gets. Of m versions, those whose debt is at least
//! 1 / (2m - 2) may take the next request, and it goes to the one of them whose debt would reach
//! 1 - 1 / (2m - 2) first. Then no debt ever leaves [-(1 - 1 / (2m - 2)), 1 - 1 / (2m - 2)], which
//! no rule can better. (Giving to the largest debt, as smooth round robins do, does not keep within
//! 1 for more than two.)
//!
//! Source: R. Tijdeman, The chairman assignment problem, Discrete Mathematics 32 (1980), 323-330,
//! doi:10.1016/0012-365X(80)90269-1.

use super::{Slot, Split};

/// Whose turn it is. Volatile: it begins anew with every split.
#[derive(Clone, Debug, Default)]
pub(super) struct Interleave {
    arms: Vec<Arm>,
    /// The least debt with which an arm may take a request.
    eligible: i128,
}

#[derive(Clone, Copy, Debug)]
struct Arm {
    version: Slot,
    weight: i128,
    /// What the arm should have got less what it got.
    debt: i128,
}

impl Interleave {
    /// Turns by the weights of `split`.
    pub(super) fn new(split: &Split) -> Self {
        let mut given = 0;
        let mut sum = 0;
        let mut arms = Vec::new();
        for (version, part) in split.parts() {
            // Each bound is rounded, not each weight, so that the weights sum to REQUEST.
            sum += part;
            let bound = (sum >> (64 - SHIFT)) as i128;
            arms.push(Arm { version, weight: bound - given, debt: 0 });
            given = bound;
        }
        let others = arms.len().saturating_sub(1).max(1) as i128;
        Self { arms, eligible: REQUEST / (2 * others) }
    }

    /// The version whose turn it is.
    ///
    /// # Panics
    /// There was no split yet: a bug of the caller.
    #[inline]
    pub(super) fn take_turn(&mut self) -> Slot {
        let limit = REQUEST - self.eligible;
        let mut next: Option<&mut Arm> = None;
        for arm in &mut self.arms {
            arm.debt += arm.weight;
            if arm.debt < self.eligible {
                continue;
            }
            // Whose debt reaches the limit after fewer requests: (limit - debt) / weight.
            let sooner = next.as_ref().is_none_or(|best| {
                (limit - arm.debt) * best.weight < (limit - best.debt) * arm.weight
            });
            if sooner {
                next = Some(arm);
            }
        }
        // The debts sum to 1 before it is given, so that one of m is at least 1 / m.
        let arm = next.expect("some arm of a split is eligible");
        arm.debt -= REQUEST;
        arm.version
    }
}

/// One request is 2^60 units of debt: the products of a debt and a weight, below 2^121, fit a word.
const SHIFT: u32 = 60;
const REQUEST: i128 = 1 << SHIFT;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::units::Ratio;

    fn interleave(weights: &[f64]) -> Interleave {
        let shares: Vec<_> = weights
            .iter()
            .enumerate()
            .map(|(index, weight)| (Slot(index as u16), Ratio::new(*weight).unwrap()))
            .collect();
        Interleave::new(&Split::new(weights.len(), &shares).unwrap())
    }

    #[test]
    fn a_canary_of_a_quarter_gets_every_fourth_request() {
        let mut turns = interleave(&[0.75, 0.25]);
        let got: Vec<_> = (0..8).map(|_| turns.take_turn().0).collect();
        // By hand, with a limit of 1/2 from which on a version is eligible: debts of (3/4, 1/4),
        // (1/2, 1/2), (1/4, 3/4), (1, 0), then (3/4, 1/4) again.
        assert_eq!(got, [0, 0, 1, 0, 0, 0, 1, 0]);
    }

    #[test]
    fn a_single_version_gets_everything() {
        let mut turns = interleave(&[0.0, 1.0, 0.0]);
        assert!((0..100).all(|_| turns.take_turn() == Slot(1)));
    }

    proptest! {
        #[test]
        fn each_version_is_within_one_of_its_share_after_any_number_of_requests(
            parts in proptest::collection::vec(prop_oneof![0_u32..6, 1_u32..1_000], 1..9),
        ) {
            let total: u32 = parts.iter().sum();
            prop_assume!(total > 0);
            let weights: Vec<_> =
                parts.iter().map(|part| f64::from(*part) / f64::from(total)).collect();
            let mut turns = interleave(&weights);
            let mut got = vec![0_i64; parts.len()];
            let versions = parts.iter().filter(|part| **part > 0).count() as f64;
            let bound = if versions > 1.0 { 1.0 - 1.0 / (2.0 * versions - 2.0) } else { 0.0 };
            for n in 1..=500_i64 {
                got[usize::from(turns.take_turn().0)] += 1;
                for (part, got) in parts.iter().zip(&got) {
                    let off = n * i64::from(*part) - got * i64::from(total);
                    let off = off as f64 / f64::from(total);
                    prop_assert!(off.abs() < 1.0 && off.abs() <= bound + 1e-9, "{off} after {n}");
                }
            }
        }
    }
}
