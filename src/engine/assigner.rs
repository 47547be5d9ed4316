//! Assigns requests, by whichever way the split is to choose.

use super::interleave::Interleave;
use super::split_check::{SplitCheck, SplitFinding};
use super::sticky_map::StickyMap;
use super::{Ask, Assignment, Slot, Split, StickyKey};
use crate::units::{Draw, Ratio};

/// Assigns the unpinned requests of one model, and counts what it assigned. Volatile: it begins
/// anew with every split.
#[derive(Clone, Debug, Default)]
pub(super) struct Assigner {
    assignment: Assignment,
    salt: u64,
    turns: Interleave,
    check: SplitCheck,
}

impl Assigner {
    /// Begins anew with these weights.
    pub(super) fn begin(&mut self, assignment: Assignment, salt: u64, split: &Split) {
        self.assignment = assignment;
        self.salt = salt;
        self.turns = Interleave::new(split);
        self.check = SplitCheck::new(split.weights().len(), assignment == Assignment::Sticky);
    }

    /// The version that an unpinned request is assigned to, by the split with which this began, and
    /// the end of its owner's place where that decides.
    #[inline]
    pub(super) fn assign(
        &mut self,
        split: &Split,
        places: &StickyMap,
        ask: &Ask<'_>,
    ) -> (Slot, Option<u16>) {
        match (self.assignment, ask.sticky) {
            (Assignment::Random, _) | (Assignment::Sticky, None) => {
                let version = split.assign(ask.draw);
                self.check.count(version);
                (version, None)
            }
            (Assignment::Even, _) => (self.turns.take_turn(), None),
            (Assignment::Sticky, Some(key)) => {
                let place = key.place(self.salt);
                let version = places.owner(place);
                self.check.count_first(place, version);
                (version, Some(place.bits() as u16))
            }
        }
    }

    /// The version that another attempt goes to where the first one's has lost its traffic: it is
    /// counted nowhere, and nobody's turn.
    pub(super) fn reassign(
        &self,
        split: &Split,
        places: &StickyMap,
        draw: Draw,
        sticky: Option<StickyKey<'_>>,
    ) -> Slot {
        match (self.assignment, sticky) {
            (Assignment::Sticky, Some(key)) => places.owner(key.place(self.salt)),
            _ => split.assign(draw),
        }
    }

    /// Counts a request that was routed, pinned or not, and says now and then what the counts tell.
    #[inline]
    pub(super) fn routed(
        &mut self,
        pinned: bool,
        split: Option<&Split>,
        max_pinned: Ratio,
    ) -> Option<Vec<SplitFinding>> {
        let due = self.check.routed(pinned);
        due.then(|| self.check.look(split, max_pinned))
    }
}
