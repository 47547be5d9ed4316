//! What a run remembers of a model beside the engine.

use crate::engine::Slot;
use crate::exchange::VersionIndex;
use crate::record::Arm;
use crate::scenario::StickyBy;
use crate::units::TagName;

/// What is known of a model beside the engine, from the events that it told.
#[derive(Clone, Debug)]
pub(super) struct ModelState {
    /// Where its versions begin in the plan's list.
    pub(super) first_version: VersionIndex,
    pub(super) stable: Option<VersionIndex>,
    /// What its requests stick by, where they do.
    pub(super) sticky_by: StickyBy,
    /// Its tags with their holders.
    pub(super) tags: Vec<(TagName, VersionIndex)>,
    /// The plan's number for each trigger of its present rules, counted over all its rule sets.
    pub(super) triggers: Vec<usize>,
}

impl ModelState {
    /// On which side of the split a version stands.
    #[inline]
    pub(super) fn arm(&self, version: VersionIndex) -> Arm {
        if self.stable == Some(version) { Arm::Stable } else { Arm::Canary }
    }

    /// The plan's number for a trigger of the present rules.
    pub(super) fn trigger(&self, place: usize) -> usize {
        self.triggers.get(place).copied().unwrap_or(place)
    }

    /// The plan's number for a version of the model.
    #[inline]
    pub(super) fn place(&self, slot: Slot) -> VersionIndex {
        VersionIndex(self.first_version.0 + slot.0)
    }
}
