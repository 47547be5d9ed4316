//! What is fixed about a model before its first command.

use super::Safeguards;
use crate::units::ModelId;

/// What the engine is told of a model at its construction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ModelSettings {
    /// The name that clients ask for.
    pub id: ModelId,
    /// How many versions may be registered.
    pub max_versions: u16,
    /// What is guarded against: of each model on its own, so that one run shows a failure beside
    /// its absence.
    pub safeguards: Safeguards,
}

impl ModelSettings {
    /// A model with as many versions as the engine can count, and all safeguards on.
    pub fn new(id: ModelId) -> Self {
        Self { id, max_versions: u16::MAX, safeguards: Safeguards::default() }
    }
}
