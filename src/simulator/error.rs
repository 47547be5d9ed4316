//! Why a simulated run could not go on.

use crate::engine::{CommandError, RouteError};
use crate::units::Timestamp;
use crate::workload::SourceError;

/// Why a run did not reach its end.
#[derive(Debug, thiserror::Error)]
pub enum SimulationError {
    /// A trace could not be read on.
    #[error(transparent)]
    Trace(#[from] SourceError),
    /// The engine refused a command of the plan.
    #[error("at {at}: {error}")]
    Command {
        /// When.
        at: Timestamp,
        /// Why.
        error: CommandError,
    },
    /// More requests are in flight than a simulation holds.
    #[error(
        "at {at}: {in_flight} requests are in flight, more than a simulation holds: lower the rate \
         of the arrivals, or the latency of the upstreams"
    )]
    Crowded {
        /// When.
        at: Timestamp,
        /// How many.
        in_flight: usize,
    },
    /// The engine could not route a request.
    #[error("at {at}: {error}")]
    Route {
        /// When.
        at: Timestamp,
        /// Why.
        error: RouteError,
    },
}
