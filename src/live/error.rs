//! Why a live run could not be played.

use super::elsewhere::ElsewhereError;
use crate::gateway::StartError;
use crate::load::{LoadError, MessageError};
use crate::mock::MockError;
use crate::simulator::SimulationError;
use crate::units::KeyId;
use crate::workload::SourceError;

/// Why a live run did not reach its end.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// The scenario has what servers cannot be made to play.
    #[error("the scenario cannot be played live: {}", .0.join("; "))]
    Unfit(Vec<String>),
    /// A trace could not be read on, or another fault that a simulation has too.
    #[error(transparent)]
    Simulation(#[from] SimulationError),
    /// The upstreams cannot be served.
    #[error("the mock of the upstreams cannot be served: {0}")]
    Mock(#[from] MockError),
    /// The gateway does not begin.
    #[error("the gateway cannot be served: {0}")]
    Gateway(#[from] StartError),
    /// The gateway's interface fails.
    #[error("the gateway's interface fails: {0}")]
    Interface(String),
    /// A gateway elsewhere cannot serve the run.
    #[error("the gateway at {url} cannot serve the run: {why}")]
    Elsewhere {
        /// Where it is.
        url: String,
        /// Why it cannot.
        why: ElsewhereError,
    },
    /// The gateway refuses what a run begins with.
    #[error("the gateway refuses {what}: {why}")]
    Refused {
        /// What was asked for.
        what: String,
        /// What it says.
        why: String,
    },
    /// No request can be made of what the scenario says.
    #[error("no request can be made of the scenario: {0}")]
    Message(#[from] MessageError),
    /// The load cannot be generated.
    #[error(transparent)]
    Load(LoadError),
    /// The machine has no thread, runtime or socket left.
    #[error("the machine has nothing left to run with: {0}")]
    Machine(#[from] std::io::Error),
    /// It did not reach its end, and neither did the keys that were made for it.
    #[error("{error}; {}", keys_left(.keys))]
    KeysLeft {
        /// Why it did not.
        error: Box<Self>,
        /// Which keys a gateway elsewhere may still have.
        keys: Vec<KeyId>,
    },
    /// It was asked to stop.
    #[error("the run was interrupted")]
    Interrupted,
}

impl LiveError {
    /// The same, and which keys made for the run a gateway elsewhere may still have.
    pub(super) fn having_left(self, keys: Vec<KeyId>) -> Self {
        if keys.is_empty() { self } else { Self::KeysLeft { error: Box::new(self), keys } }
    }

    /// The same, and what was changed of a gateway elsewhere before.
    pub(super) fn having_changed(self, changes: &[String]) -> Self {
        if changes.is_empty() {
            return self;
        }
        let left = format!("what was changed of it until then stays: {}", changes.join(", "));
        match self {
            Self::Elsewhere { url, why: ElsewhereError::Unfit(mut problems) } => {
                problems.push(left);
                Self::Elsewhere { url, why: ElsewhereError::Unfit(problems) }
            }
            Self::Refused { what, why } => Self::Refused { what, why: format!("{why}; {left}") },
            Self::Interface(why) => Self::Interface(format!("{why}; {left}")),
            other => other,
        }
    }
}

impl From<LoadError> for LiveError {
    fn from(error: LoadError) -> Self {
        match error {
            LoadError::Schedule(error) => Self::from(error),
            other => Self::Load(other),
        }
    }
}

impl From<SourceError> for LiveError {
    fn from(error: SourceError) -> Self {
        Self::Simulation(error.into())
    }
}

fn keys_left(keys: &[KeyId]) -> String {
    let keys: Vec<String> =
        keys.iter().map(|key| format!("`coalmine keys revoke {key}`")).collect();
    format!("the gateway may still have access keys that were made for it: {}", keys.join(", "))
}
