//! How the versions of a model stand: what a list of them shows.

use serde::{Deserialize, Serialize};

use super::{Evaluation, ModelState, Slot, Version};
use crate::units::{Ratio, TagName};

/// How a version stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The tag `stable` names it.
    Stable,
    /// It gets traffic and is not the stable.
    Canary,
    /// It gets none.
    Idle,
    /// A rollback took its traffic and it has not been deployed again, whatever its tags.
    RolledBack,
}

/// A version with all that is to be said of it now.
#[derive(Clone, PartialEq, Debug)]
pub struct VersionStatus<'a> {
    /// Its place in the catalog.
    pub slot: Slot,
    /// What it is.
    pub version: &'a Version,
    /// How it stands.
    pub status: Status,
    /// Its share of the traffic.
    pub weight: Ratio,
    /// Its tags, the most recently set last.
    pub tags: Vec<&'a TagName>,
    /// Results of runs, the oldest first.
    pub evaluations: &'a [Evaluation],
    /// Whether something answers for it.
    pub is_reachable: bool,
}

impl ModelState {
    /// The versions, the one that was registered last first.
    pub(super) fn statuses(&self) -> Vec<VersionStatus<'_>> {
        let one = |slot: Slot| VersionStatus {
            slot,
            version: self.catalog.version(slot),
            status: self.status(slot),
            weight: self.weight(slot),
            tags: self.catalog.tags_of(slot),
            evaluations: self.catalog.evaluations(slot),
            is_reachable: true,
        };
        self.catalog.slots().rev().map(one).collect()
    }

    fn status(&self, slot: Slot) -> Status {
        if self.catalog.is_rolled_back(slot) {
            Status::RolledBack
        } else if self.stable() == Some(slot) {
            Status::Stable
        } else if self.weight(slot).get() > 0.0 {
            Status::Canary
        } else {
            Status::Idle
        }
    }
}
