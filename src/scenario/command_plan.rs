//! What an operator does in the course of a rehearsal.

use crate::engine::{CommandKind, Target};
use crate::exchange::ModelIndex;
use crate::record::Order;
use crate::units::{Duration, KeyId};

/// A command that is given to the engine at a time. It may be refused then, as it may be at a
/// gateway: that is told, and the run goes on.
#[derive(Clone, PartialEq, Debug)]
pub struct CommandPlan {
    /// When, from the beginning of its phase.
    pub at: Duration,
    /// For which model; `None`: for all, as keys are.
    pub model: Option<ModelIndex>,
    /// What. Versions are named as written: tags may have moved by then.
    pub instruction: Instruction,
}

/// What a command asks for.
#[derive(Clone, PartialEq, Debug)]
pub enum Instruction {
    /// What the engine takes as it is.
    Engine(CommandKind),
    /// Another secret for the key of a client, which whoever carries out the plan makes.
    NewSecret {
        /// Whose: the key of a client of the workload.
        key: KeyId,
        /// How long the old secret stays valid.
        grace: Duration,
        /// How long the client goes on with the old one.
        adopted_after: Duration,
        /// The version that the key is made for from then on.
        version: Option<Target>,
    },
}

impl Instruction {
    /// What is asked for, as a record keeps it.
    pub fn order(&self) -> Order {
        match self {
            Self::Engine(kind) => Order::from(kind),
            Self::NewSecret { key, grace, adopted_after, version } => {
                let (key, version) = (key.clone(), version.clone());
                let adopted_after = Some(*adopted_after);
                Order::RegenerateKey { key, grace: *grace, adopted_after, version }
            }
        }
    }
}
