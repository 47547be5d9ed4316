//! The gates of several scenarios together: what became of each, and what is stored of their runs
//! for later gates to be held against.
//!
//! Knows nothing of files and of how it is shown.

#[cfg(test)]
pub(crate) mod example;
mod outcome;
mod suite_report;

pub use outcome::{Outcome, OutcomeCounts};
pub use suite_report::{AgainstStored, GatedScenario, LeftOut, SuiteReport};
