//! Virtual time: one loop over arrivals, ends of requests, checks and cues.
//!
//! The engine that is driven here is the one that serves; nothing waits, nothing is random but by
//! the plan's seed, and one run uses one thread. Knows no sockets and no async.

mod attempts;
mod commanding;
mod error;
mod events;
mod following;
mod gatekeeper;
mod kept;
mod outcomes;
mod pacing;
mod queue;
mod recorded;
mod steered;
mod steering;
mod upstreams;
mod virtual_run;
mod waiting;

pub use error::SimulationError;
pub use steering::{Checked, Steering};
pub use virtual_run::{Finished, simulate, simulate_steered};
