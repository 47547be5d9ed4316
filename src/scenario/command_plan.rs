//! What an operator does in the course of a rehearsal.

use crate::engine::CommandKind;
use crate::exchange::ModelIndex;
use crate::units::Duration;

/// A command that is given to the engine at a time. It may be refused then, as it may be at a
/// gateway: that is told, and the run goes on.
#[derive(Clone, PartialEq, Debug)]
pub struct CommandPlan {
    /// When, from the beginning of its phase.
    pub at: Duration,
    /// For which model.
    pub model: ModelIndex,
    /// What. Versions are named as written: tags may have moved by then.
    pub kind: CommandKind,
    /// What it is, in words: "roll back to stable".
    pub what: String,
}
