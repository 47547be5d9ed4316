//! The split: weights over the versions of one model, and the assignment of a request by its draw.

use serde::{Deserialize, Serialize};

use super::Slot;
use crate::units::{Draw, Ratio};

/// Weights over a model's versions; they sum to 1.
#[derive(Clone, PartialEq, Debug)]
pub struct Split {
    /// By version index.
    weights: Vec<Ratio>,
    /// For each version with a weight above 0 the sum of the weights up to and including its own,
    /// as a threshold for draws; the last is the sum of all, so that no draw falls outside.
    bounds: Vec<(u128, Slot)>,
}

/// Why weights are no split.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum SplitError {
    /// They do not sum to 1.
    #[error("weights sum to {sum}; they must sum to 1 (100 %)")]
    Sum {
        /// What they sum to.
        sum: f64,
    },
    /// A version is named twice.
    #[error("the version at place {} is named twice", .0.0)]
    Repeated(Slot),
}

impl Split {
    /// The split that gives `shares` to their versions and nothing to the others of `versions`.
    ///
    /// # Errors
    /// The shares do not sum to 1 within 1e-9, or name a version twice.
    ///
    /// # Panics
    /// A share names a version that is not below `versions`: a bug of the caller.
    pub fn new(versions: usize, shares: &[(Slot, Ratio)]) -> Result<Self, SplitError> {
        let sum: f64 = shares.iter().map(|(_, weight)| weight.get()).sum();
        if (sum - 1.0).abs() > TOLERANCE {
            return Err(SplitError::Sum { sum });
        }
        let mut weights = vec![None; versions];
        for (version, weight) in shares {
            let slot = &mut weights[usize::from(version.0)];
            if slot.replace(*weight).is_some() {
                return Err(SplitError::Repeated(*version));
            }
        }
        let weights: Vec<_> = weights.into_iter().map(Option::unwrap_or_default).collect();
        let mut sum = 0.0;
        let mut bounds = Vec::new();
        for (index, weight) in weights.iter().enumerate().filter(|(_, w)| w.get() > 0.0) {
            sum += weight.get();
            let bound = Ratio::new(sum).unwrap_or(Ratio::ONE).threshold();
            bounds.push((bound, Slot(index as u16)));
        }
        if let Some(last) = bounds.last_mut() {
            last.0 = Ratio::ONE.threshold();
        }
        Ok(Self { weights, bounds })
    }

    /// All traffic to one version.
    pub fn all_to(versions: usize, version: Slot) -> Self {
        let split = Self::new(versions, &[(version, Ratio::ONE)]);
        split.expect("one weight of 1 sums to 1")
    }

    /// The version that a request with this draw is assigned to.
    #[inline]
    pub fn assign(&self, draw: Draw) -> Slot {
        let hit = self.bounds.iter().find(|(bound, _)| draw.is_below(*bound));
        hit.expect("the last bound is above every draw").1
    }

    /// The weight of a version.
    pub fn weight(&self, version: Slot) -> Ratio {
        self.weights.get(usize::from(version.0)).copied().unwrap_or_default()
    }

    /// The versions with a weight above 0 and what part of all 2^64 draws each of them gets,
    /// in their order; the parts sum to 2^64.
    pub(super) fn parts(&self) -> impl Iterator<Item = (Slot, u128)> {
        let below = std::iter::once(0).chain(self.bounds.iter().map(|(bound, _)| *bound));
        self.bounds.iter().zip(below).map(|((bound, version), below)| (*version, bound - below))
    }

    /// A draw that falls to `version`: the middle of those that do. `None` for a version that gets
    /// nothing. For drivers that play requests back whose assignment is known.
    pub fn draw_of(&self, version: Slot) -> Option<Draw> {
        let mut below = 0;
        for (slot, part) in self.parts() {
            if slot == version && part > 0 {
                // Below 2^64: the parts sum to that, and half of this one is yet to come.
                return u64::try_from(below + part / 2).ok().map(Draw::from_bits);
            }
            below += part;
        }
        None
    }

    /// The weights, by version index.
    pub fn weights(&self) -> &[Ratio] {
        &self.weights
    }
}

/// How far the sum of weights may be from 1.
const TOLERANCE: f64 = 1e-9;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ratio(value: f64) -> Ratio {
        Ratio::new(value).unwrap()
    }

    #[test]
    fn weights_that_do_not_sum_to_one_are_refused() {
        let shares = [(Slot(0), ratio(0.5)), (Slot(1), ratio(0.4))];
        assert_eq!(Split::new(2, &shares), Err(SplitError::Sum { sum: 0.9 }));
        let shares = [(Slot(0), ratio(0.5)), (Slot(0), ratio(0.5))];
        assert_eq!(Split::new(2, &shares), Err(SplitError::Repeated(Slot(0))));
    }

    #[test]
    fn draws_on_either_side_of_a_boundary_part() {
        let shares = [(Slot(0), ratio(0.75)), (Slot(1), ratio(0.25))];
        let split = Split::new(2, &shares).unwrap();
        let boundary = 3 << 62;
        assert_eq!(split.assign(Draw::from_bits(boundary - 1)), Slot(0));
        assert_eq!(split.assign(Draw::from_bits(boundary)), Slot(1));
        assert_eq!(split.assign(Draw::from_bits(u64::MAX)), Slot(1));
    }

    proptest! {
        #[test]
        fn no_draw_falls_outside_and_weight_zero_gets_nothing(
            parts in proptest::collection::vec(0_u32..4, 1..8),
            bits in proptest::num::u64::ANY,
        ) {
            let total: u32 = parts.iter().sum();
            prop_assume!(total > 0);
            let shares: Vec<_> = parts
                .iter()
                .enumerate()
                .map(|(i, part)| (Slot(i as u16), ratio(f64::from(*part) / f64::from(total))))
                .collect();
            let split = Split::new(parts.len(), &shares).unwrap();
            for bits in [bits, 0, u64::MAX] {
                let version = split.assign(Draw::from_bits(bits));
                prop_assert!(parts[usize::from(version.0)] > 0);
            }
            for (index, part) in parts.iter().enumerate() {
                let version = Slot(index as u16);
                let assigned = split.draw_of(version).map(|draw| split.assign(draw));
                prop_assert_eq!(assigned, (*part > 0).then_some(version));
            }
        }
    }
}
