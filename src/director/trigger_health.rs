//! How the triggers of a run fared.

use crate::engine::Health;
use crate::exchange::{ModelIndex, VersionIndex};

/// How a trigger fared on a version.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct TriggerHealth {
    /// Whose.
    pub model: ModelIndex,
    /// Its place among the triggers of all rule sets of its model.
    pub trigger: usize,
    /// On which version.
    pub version: VersionIndex,
    /// How it fared.
    pub health: Health,
}
