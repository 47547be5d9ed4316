//! How well a live run agrees with the simulated one of the same scenario: errors of latencies,
//! error rates, split and cost by version and phase, the difference between their rollbacks, and a
//! verdict against stated tolerances.
//!
//! [`fidelity`] makes a [`Fidelity`] from two results. For each phase and version it has a
//! [`VersionErrors`], whose [`MetricError`]s say how far the live value lies from the simulated
//! one: as a share of the simulated value, of shares of requests as a difference. Two figures are
//! given where the [`Harness`] told its overheads: as measured, and less them. [`Tolerances`] say
//! what is allowed.
//!
//! An error comes with its sampling error: the interval of the difference of two independent
//! samples, by the methods of [`compare`](crate::compare), wide enough for all judged errors to lie
//! in theirs at once with the stated confidence (Bonferroni). What follows is a [`Finding`]:
//!
//! | finding | where |
//! | --- | --- |
//! | `beyond` | the whole interval lies beyond the tolerance on one side |
//! | `within` | the error is no more than the tolerance, and known well enough |
//! | `undecided` | neither: the error may be within or beyond |
//! | `unjudged` | it is shown only |
//!
//! Both runs of one seed meet the same draws, request by request. Then most of what chance does is
//! the same in both, and the interval, which takes them for independent, is wider than need be: an
//! error that is no more than the tolerance counts as known well enough, however wide its interval.
//! Of runs that share no draws it does not where the interval reaches beyond the tolerance on both
//! sides.
//!
//! Knows nothing of files, of who ran what, and of how it is shown.

#[cfg(test)]
pub(crate) mod example;
mod finding;
mod harness;
mod metric_error;
mod notes;
mod report;
mod rollback_error;
mod schema;
mod settings;
mod tolerances;
mod version_errors;

pub use finding::{Finding, FindingCounts};
pub use harness::{Harness, Overhead, OverheadSpread};
pub use metric_error::{Deviation, MetricError};
pub use report::{Fidelity, fidelity};
pub use rollback_error::{RollbackError, RolledBack};
pub use schema::fidelity_schema;
pub use settings::{Settings, Sides};
pub use tolerances::{Allowed, ToleranceChange, ToleranceError, Tolerances};
pub use version_errors::VersionErrors;
