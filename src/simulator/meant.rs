//! Whom the names of a phase mean, from its beginning on: whoever has the tags then.

use crate::engine::Engine;
use crate::exchange::VersionIndex;
use crate::scenario::{NamedVersion, PhasePlan, Scenario};

/// The versions that a phase names; `None` where a tag names none.
#[derive(Clone, Debug, Default)]
pub(super) struct Meant {
    /// Those of its split, in the order of the plan.
    pub(super) split: Vec<Option<VersionIndex>>,
    /// That of its rollout.
    pub(super) rollout: Option<VersionIndex>,
    /// Those of its faults, in the order of the plan.
    pub(super) faults: Vec<Option<VersionIndex>>,
}

impl Meant {
    /// By the tags of `engine` as they stand.
    pub(super) fn by(engine: &Engine, scenario: &Scenario, phase: &PhasePlan) -> Self {
        let meant = |named: &NamedVersion| match named {
            NamedVersion::Fixed(version) => Some(*version),
            NamedVersion::Holder { model, tag, .. } => {
                let slot = engine.catalog(*model)?.holder(tag.as_str())?;
                Some(VersionIndex(scenario.first_version(*model).0 + slot.0))
            }
        };
        Self {
            split: phase.split.iter().flatten().map(|(named, _)| meant(named)).collect(),
            rollout: phase.rollout.as_ref().and_then(|rollout| meant(&rollout.version)),
            faults: phase.faults.iter().map(|(named, _)| meant(named)).collect(),
        }
    }
}
