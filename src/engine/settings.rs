//! What is fixed about a model before its first command.

use crate::units::ModelId;

/// What the engine is told of a model at its construction.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ModelSettings {
    /// The name that clients ask for.
    pub id: ModelId,
    /// How many versions may be registered.
    pub max_versions: u16,
}

impl ModelSettings {
    /// A model with as many versions as the engine can count.
    pub const fn new(id: ModelId) -> Self {
        Self { id, max_versions: u16::MAX }
    }
}
