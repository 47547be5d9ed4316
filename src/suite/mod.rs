//! The gates of several scenarios together: what became of each, and what is stored of their runs
//! for later gates to be held against.
//!
//! Knows nothing of files and of how it is shown.

mod baseline;
#[cfg(test)]
pub(crate) mod example;
mod gating;
mod outcome;
mod schema;
mod suite_report;

pub use baseline::{Baseline, BaselineError};
pub use gating::{Gated, Played};
pub use outcome::{Outcome, OutcomeCounts};
pub use schema::suite_schema;
pub use suite_report::{AgainstStored, GatedScenario, LeftOut, SuiteReport};
