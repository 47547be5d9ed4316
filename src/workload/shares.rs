//! One of several things, each with its share.

use crate::chance::{Draws, Purpose};
use crate::units::Ratio;

/// Chooses a place in a list by the shares of its items; without a draw where only one has any.
#[derive(Clone, Debug)]
pub(super) enum Shares {
    Only(u16),
    /// For each item with a share the sum of the shares up to its own, as a threshold.
    Below(Vec<(u128, u16)>),
}

impl Shares {
    /// `shares` sum to 1; without any the first place is chosen.
    pub(super) fn new(shares: impl Iterator<Item = Ratio>) -> Self {
        let mut bound = 0;
        let mut bounds: Vec<_> = (0..)
            .zip(shares)
            .filter(|(_, share)| share.get() > 0.0)
            .map(|(place, share)| {
                bound += share.threshold();
                (bound, place)
            })
            .collect();
        match bounds[..] {
            [] => Self::Only(0),
            [(_, only)] => Self::Only(only),
            [.., ref mut last] => {
                // What rounding left over is the last one's.
                last.0 = Ratio::ONE.threshold();
                Self::Below(bounds)
            }
        }
    }

    #[inline]
    pub(super) fn choose(&self, draws: Draws, purpose: Purpose) -> u16 {
        match self {
            Self::Only(place) => *place,
            Self::Below(bounds) => {
                let draw = draws.draw(purpose, 0);
                let hit = bounds.iter().find(|(bound, _)| draw.is_below(*bound));
                hit.expect("the last bound is above every draw").1
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Chance;
    use crate::units::RequestId;

    #[test]
    fn places_get_their_shares() {
        let shares = [0.5, 0.0, 0.3, 0.2].map(|share| Ratio::new(share).unwrap());
        let chooser = Shares::new(shares.into_iter());
        let mut found = [0.0; 4];
        let chance = Chance::new(8, 0);
        for id in 0..100_000 {
            let draws = chance.request(RequestId(id), 0);
            found[usize::from(chooser.choose(draws, Purpose::Client))] += 1.0;
        }
        for (found, share) in found.into_iter().zip(shares) {
            let expected = 100_000.0 * share.get();
            let error = 4.0 * (expected * share.complement().get()).sqrt();
            assert!((found - expected).abs() <= error, "{found} against {expected}");
        }
    }

    #[test]
    fn the_only_place_with_a_share_is_chosen() {
        let draws = Chance::new(8, 0).request(RequestId(3), 0);
        let choose =
            |shares: &[Ratio]| Shares::new(shares.iter().copied()).choose(draws, Purpose::Client);
        assert_eq!(choose(&[]), 0);
        assert_eq!(choose(&[Ratio::ZERO, Ratio::ONE, Ratio::ZERO]), 1);
    }
}
