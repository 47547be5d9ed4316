//! Why a live run could not be played.

use super::elsewhere::ElsewhereError;
use super::left_behind::LeftBehind;
use crate::gateway::StartError;
use crate::load::{LoadError, MessageError};
use crate::mock::MockError;
use crate::simulator::SimulationError;
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
    /// It did not reach its end, and has left this at a gateway elsewhere.
    #[error("{error}; {}", left.told().collect::<Vec<_>>().join("; "))]
    Left {
        /// Why it did not.
        error: Box<Self>,
        /// What it has left.
        left: LeftBehind,
    },
    /// It was asked to stop.
    #[error("the run was interrupted")]
    Interrupted,
}

impl LiveError {
    /// The same, and what a run has left at a gateway elsewhere.
    pub(super) fn having_left(self, left: LeftBehind) -> Self {
        if left.is_nothing() { self } else { Self::Left { error: Box::new(self), left } }
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
