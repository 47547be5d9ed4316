//! What a run remembers of a model beside the engine.

use crate::engine::Slot;
use crate::exchange::{ModelIndex, VersionIndex};
use crate::record::Arm;
use crate::scenario::{Scenario, StickyBy};
use crate::units::TagName;

/// What is known of a model beside the engine, from the events that it told.
#[derive(Clone, Debug)]
pub struct ModelState {
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
    /// At the start of a run.
    pub(super) fn new(scenario: &Scenario, model: ModelIndex) -> Self {
        let plan = &scenario.models[usize::from(model.0)];
        Self {
            first_version: scenario.first_version(model),
            stable: None,
            sticky_by: plan.sticky_by,
            tags: Vec::new(),
            triggers: (0..plan.rules.triggers.len()).collect(),
        }
    }

    /// The version that the tag `stable` names.
    #[inline]
    pub const fn stable(&self) -> Option<VersionIndex> {
        self.stable
    }

    /// What its requests stick by, where they do.
    #[inline]
    pub const fn sticky_by(&self) -> StickyBy {
        self.sticky_by
    }

    /// The plan's number for each trigger of its present rules.
    pub fn triggers(&self) -> &[usize] {
        &self.triggers
    }

    /// On which side of the split a version stands.
    #[inline]
    pub fn arm(&self, version: VersionIndex) -> Arm {
        if self.stable == Some(version) { Arm::Stable } else { Arm::Canary }
    }

    /// The plan's number for a trigger of the present rules.
    pub fn trigger(&self, place: usize) -> usize {
        self.triggers.get(place).copied().unwrap_or(place)
    }

    /// The plan's number for a version of the model.
    #[inline]
    pub fn place(&self, slot: Slot) -> VersionIndex {
        VersionIndex(self.first_version.0 + slot.0)
    }
}
