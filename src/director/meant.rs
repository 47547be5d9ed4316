//! Whom the names of a phase mean, from its beginning on: whoever has the tags then.

use super::standing::Standing;
use crate::exchange::VersionIndex;
use crate::scenario::{NamedVersion, PhasePlan};

/// The versions that a phase names; `None` where a tag names none.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Meant {
    /// Those of its split, in the order of the plan.
    pub split: Vec<Option<VersionIndex>>,
    /// That of its rollout.
    pub rollout: Option<VersionIndex>,
    /// Those of its faults, in the order of the plan.
    pub faults: Vec<Option<VersionIndex>>,
}

impl Meant {
    /// By the tags as they stand.
    pub fn by(standing: &Standing, phase: &PhasePlan) -> Self {
        let meant = |named: &NamedVersion| match named {
            NamedVersion::Fixed(version) => Some(*version),
            NamedVersion::Holder { model, tag, .. } => standing.holder(*model, tag),
        };
        Self {
            split: phase.split.iter().flatten().map(|(named, _)| meant(named)).collect(),
            rollout: phase.rollout.as_ref().and_then(|rollout| meant(&rollout.version)),
            faults: phase.faults.iter().map(|(named, _)| meant(named)).collect(),
        }
    }
}
