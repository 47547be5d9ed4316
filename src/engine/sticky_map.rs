//! Sticky assignment: which stretch of [0, 1) belongs to which version, and how stretches change
//! hands when weights do.
//!
//! A canary that grows takes from the stable, from the lowest places up; one that shrinks gives
//! back to the stable, from its highest places down. So raising a weight moves users from the
//! stable to the canary and nobody else, and none ever moves from one canary to another; only where
//! canaries grow by more than the stable had do they get places that others gave up. A single
//! canary of weight w has the places below w.
//!
//! The salt lasts as long as any canary does. When a canary is deployed where none was, the places
//! are drawn anew, so that not the same users are always first.

use serde::Serialize;

use super::sticky_hash;
use super::{Slot, Split};
use crate::units::{Draw, ModelId};

/// The owner of every place in [0, 1). Durable: it follows from the model's splits and tags alone.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub(super) struct StickyMap {
    /// How often the places were drawn anew.
    rollout: u32,
    /// Neighbours have different owners, and the last one ends at the last place; empty before the
    /// first split.
    stretches: Vec<Stretch>,
}

/// Places up to and including the `last`, from the one after the last of the stretch before.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
struct Stretch {
    last: u64,
    owner: Slot,
}

impl StickyMap {
    /// What tells the places of this rollout from those of another, and of another model.
    pub(super) fn salt(&self, model: &ModelId) -> u64 {
        sticky_hash::salt(model, self.rollout)
    }

    /// The owner of a place.
    ///
    /// # Panics
    /// There was no split yet: a bug of the caller.
    #[inline]
    pub(super) fn owner(&self, place: Draw) -> Slot {
        let stretch = self.stretches.iter().find(|stretch| place.bits() <= stretch.last);
        stretch.expect("the stretches of a split cover all places").owner
    }

    /// Hands stretches over until every version has its part of `split`.
    pub(super) fn follow(&mut self, split: &Split, stable: Option<Slot>) {
        let mut change = Handover::of(&self.stretches);
        let first = || split.parts().next().map(|(version, _)| version);
        let Some(base) = stable.or_else(|| change.largest()).or_else(first) else { return };
        let goes_on = split.parts().any(|(owner, _)| owner != base && change.length(owner) > 0);
        if !goes_on {
            self.rollout += u32::from(split.parts().count() > 1);
            change = Handover { pieces: vec![Piece { length: ALL, owner: base, freed: false }] };
        }
        change.shrink(split, base);
        change.grow(split, base);
        self.stretches = change.finish();
    }
}

/// Stretches while they change hands.
#[derive(Debug)]
struct Handover {
    pieces: Vec<Piece>,
}

#[derive(Clone, Copy, Debug)]
struct Piece {
    length: u128,
    owner: Slot,
    /// Given up in this change: the last to be taken.
    freed: bool,
}

impl Handover {
    fn of(stretches: &[Stretch]) -> Self {
        let mut below = 0;
        let piece = |stretch: &Stretch| {
            let end = u128::from(stretch.last) + 1;
            let length = end - std::mem::replace(&mut below, end);
            Piece { length, owner: stretch.owner, freed: false }
        };
        Self { pieces: stretches.iter().map(piece).collect() }
    }

    /// The stretches that the pieces make up.
    fn finish(self) -> Vec<Stretch> {
        let mut end = 0;
        let mut stretches: Vec<Stretch> = Vec::new();
        for Piece { length, owner, .. } in self.pieces {
            end += length;
            let last = (end - 1) as u64;
            match stretches.last_mut().filter(|stretch| stretch.owner == owner) {
                Some(stretch) => stretch.last = last,
                None => stretches.push(Stretch { last, owner }),
            }
        }
        stretches
    }

    /// Every owner but `base` gives what it has too much of to `base`.
    fn shrink(&mut self, split: &Split, base: Slot) {
        let mut owners: Vec<_> = self.pieces.iter().map(|piece| piece.owner).collect();
        owners.sort_unstable();
        owners.dedup();
        for owner in owners.into_iter().filter(|owner| *owner != base) {
            let surplus = self.length(owner).saturating_sub(part(split, owner));
            self.hand_over(surplus, base, true, |piece| piece.owner == owner);
        }
    }

    /// Every owner but `base` takes what it lacks: first what was `base`'s all along.
    fn grow(&mut self, split: &Split, base: Slot) {
        for freed in [false, true] {
            for (owner, part) in split.parts().filter(|(owner, _)| *owner != base) {
                let lacks = part.saturating_sub(self.length(owner));
                let takes = |piece: &Piece| piece.owner == base && piece.freed == freed;
                self.hand_over(lacks, owner, false, takes);
            }
        }
    }

    /// Gives `owner` up to `amount` of the stretches that `from` picks: the highest if they are
    /// freed by it, else the lowest.
    fn hand_over(
        &mut self,
        mut amount: u128,
        owner: Slot,
        freed: bool,
        from: impl Fn(&Piece) -> bool,
    ) {
        while amount > 0 {
            let found = if freed {
                self.pieces.iter().rposition(&from)
            } else {
                self.pieces.iter().position(&from)
            };
            let Some(index) = found else { return };
            let piece = self.pieces[index];
            let length = piece.length.min(amount);
            amount -= length;
            self.pieces[index] = Piece { length, owner, freed };
            if length < piece.length {
                let rest = Piece { length: piece.length - length, ..piece };
                self.pieces.insert(if freed { index } else { index + 1 }, rest);
            }
        }
    }

    fn length(&self, owner: Slot) -> u128 {
        let own = self.pieces.iter().filter(|piece| piece.owner == owner);
        own.map(|piece| piece.length).sum()
    }

    /// The owner of most places, of several the first; `None` where nobody owns any.
    fn largest(&self) -> Option<Slot> {
        let owners = self.pieces.iter().map(|piece| piece.owner);
        owners.min_by_key(|owner| (ALL - self.length(*owner), *owner))
    }
}

/// The part of `split` that `owner` gets.
fn part(split: &Split, owner: Slot) -> u128 {
    split.parts().find(|(version, _)| *version == owner).map_or(0, |(_, part)| part)
}

/// The number of places.
const ALL: u128 = 1 << 64;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::StickyKey;
    use crate::units::Ratio;

    const BASE: Slot = Slot(0);

    fn model() -> ModelId {
        ModelId::new("gpt-4").unwrap()
    }

    fn split(weights: &[f64]) -> Split {
        let weight =
            |(index, weight): (usize, &f64)| (Slot(index as u16), Ratio::new(*weight).unwrap());
        Split::new(weights.len(), &weights.iter().enumerate().map(weight).collect::<Vec<_>>())
            .unwrap()
    }

    fn followed(splits: &[&[f64]]) -> StickyMap {
        let mut map = StickyMap::default();
        splits.iter().for_each(|weights| map.follow(&split(weights), Some(BASE)));
        map
    }

    fn owners(map: &StickyMap) -> Vec<Slot> {
        let salt = map.salt(&model());
        (0..1_000).map(|user| map.owner(StickyKey::Number(user).place(salt))).collect()
    }

    #[test]
    fn one_canary_has_the_places_below_its_weight() {
        let map = followed(&[&[1.0, 0.0], &[0.75, 0.25]]);
        assert_eq!(map.owner(Draw::from_bits((1 << 62) - 1)), Slot(1));
        assert_eq!(map.owner(Draw::from_bits(1 << 62)), BASE);
        // XXH64("alice", seed = XXH64("gpt-4", seed = 1)), by Python's xxhash: at 0.64 %.
        let place = StickyKey::Text("alice").place(map.salt(&model()));
        assert_eq!(place.bits(), 0x01a2_776a_b9c8_b374);
    }

    #[test]
    fn raising_and_lowering_a_weight_moves_users_only_one_way() {
        let mut map = followed(&[&[1.0, 0.0]]);
        let mut before: Option<Vec<Slot>> = None;
        for weight in [0.05, 0.25, 0.5, 1.0] {
            map.follow(&split(&[1.0 - weight, weight]), Some(BASE));
            let now = owners(&map);
            for (before, now) in before.iter().flatten().zip(&now) {
                assert!(before <= now, "a user went back to the stable");
            }
            before = Some(now);
        }
        map.follow(&split(&[0.9, 0.1]), Some(BASE));
        assert_eq!(owners(&map), owners(&followed(&[&[0.9, 0.1]])), "one canary, one answer");
    }

    #[test]
    fn a_second_canary_takes_from_the_stable_and_leaves_the_first_its_users() {
        let map = followed(&[&[0.9, 0.1, 0.0]]);
        let before = owners(&map);
        let mut after = map;
        after.follow(&split(&[0.7, 0.1, 0.2]), Some(BASE));
        for (before, after) in before.iter().zip(owners(&after)) {
            assert!(*before == after || *before == BASE && after == Slot(2));
        }
    }

    #[test]
    fn what_one_canary_gives_up_goes_to_the_stable_and_not_to_the_other() {
        let map = followed(&[&[0.5, 0.3, 0.2]]);
        let before = owners(&map);
        let mut after = map;
        after.follow(&split(&[0.5, 0.1, 0.4]), Some(BASE));
        for (before, after) in before.iter().zip(owners(&after)) {
            assert!(*before == after || *before == BASE || after == BASE, "{before:?} {after:?}");
        }
    }

    #[test]
    fn places_are_drawn_anew_for_a_new_canary_and_not_for_a_new_weight() {
        let mut map = followed(&[&[1.0, 0.0]]);
        assert_eq!(map.rollout, 0);
        for (weights, rollout) in [
            ([0.95, 0.05], 1),
            ([0.5, 0.5], 1),
            ([1.0, 0.0], 1),
            ([0.95, 0.05], 2),
            ([0.0, 1.0], 2),
        ] {
            map.follow(&split(&weights), Some(BASE));
            assert_eq!(map.rollout, rollout, "{weights:?}");
        }
    }

    proptest! {
        #[test]
        fn every_version_has_exactly_its_part_and_nobody_moves_without_need(
            changes in proptest::collection::vec(proptest::collection::vec(0_u32..5, 4), 1..12),
            stable in proptest::option::of(0_u16..4),
        ) {
            let stable = stable.map(Slot);
            let mut map = StickyMap::default();
            for parts in changes {
                let total: u32 = parts.iter().sum();
                prop_assume!(total > 0);
                let weights: Vec<_> =
                    parts.iter().map(|part| f64::from(*part) / f64::from(total)).collect();
                let split = split(&weights);
                let before = map.clone();
                map.follow(&split, stable);
                prop_assert_eq!(map.stretches.last().unwrap().last, u64::MAX);
                let length = |map: &StickyMap, owner| Handover::of(&map.stretches).length(owner);
                for index in 0..4 {
                    prop_assert_eq!(length(&map, Slot(index)), part(&split, Slot(index)));
                }
                let lasts = map.rollout == before.rollout && !before.stretches.is_empty();
                let Some(stable) = stable.filter(|_| lasts) else {
                    continue;
                };
                let grown = (0..4).map(Slot).filter(|slot| *slot != stable);
                let needed: u128 =
                    grown.map(|slot| length(&map, slot).saturating_sub(length(&before, slot))).sum();
                if needed > length(&before, stable) {
                    continue;
                }
                for user in 0..200 {
                    let place = StickyKey::Number(user).place(map.salt(&model()));
                    let (old, new) = (before.owner(place), map.owner(place));
                    let one_way = old == new
                        || old == stable && length(&map, new) > length(&before, new)
                        || new == stable && length(&map, old) < length(&before, old);
                    prop_assert!(one_way, "{old:?} to {new:?}");
                }
            }
        }
    }
}
