//! What other rollback rules would have made of recorded traffic: a trace with its observed
//! outcomes goes through the engine, once for each rule set.
//!
//! Two readings: a [`Survey`] finds which versions there are, when each began and ended and what
//! share it had; a [`Plan`] makes splits of that; a [`Trial`] plays the requests through one
//! engine for each rule set. Every request goes to the version that the recording says, by the
//! engine's own assignment: it is given a draw that falls to that version under the split in force,
//! so that windows, conditions and judges see what they would have seen. Actions are turned into
//! notifications: all traffic stays as it was recorded, and what would have been moved is counted.
//!
//! The first rule set is that of the day. It must come to what the recording shows ([`Identity`]),
//! or nothing that follows can be trusted.
//!
//! Outcomes of requests that would have gone elsewhere are unknown: they are bounded, not guessed.
//! Memory does not grow with the trace, but for requests in flight. Knows no files and no terminal.

mod candidate;
mod error;
#[cfg(test)]
pub(crate) mod example;
mod firing;
mod identity;
mod muted;
mod observation;
mod plan;
mod recorded_end;
mod replay;
mod report;
mod requirement;
mod schema;
mod spared;
mod split_plan;
mod survey;
mod terms;
mod trial;

pub use candidate::{Candidate, RolledBack, RuleHealth};
pub use error::BacktestError;
pub use firing::Firing;
pub use identity::{Finding, Identity};
pub use observation::Unusable;
pub use plan::{Plan, rule_names};
pub use recorded_end::RecordedEnd;
pub use report::{BacktestReport, TraceInfo, UsedSplit, UsedVersion};
pub use requirement::{Requirement, RequirementError};
pub use schema::backtest_schema;
pub use spared::{Moved, Spared};
pub use survey::{Survey, Surveyed};
pub use terms::{RolledBackBy, SaidEnd, SaidSplit, Terms};
pub use trial::{About, Trial, Tried};
