//! Several results held against the first of them: how far each metric differs, how sure that is,
//! and whether they are results of the same scenario at all.
//!
//! [`RunComparison`] is made by [`compare`] from two or more [`RunInput`]s. For each column of the
//! comparison table (matched by title) and each of its metrics it has a [`MetricComparison`]: the
//! [`Estimate`](crate::summary::Estimate) of every run, and for every run after the first a
//! [`Difference`] with interval, p-value and [`Finding`]. Figures of a whole run, such as its
//! rollbacks, are exact for that run and compared without significance.
//!
//! | metric | interval of the difference | test |
//! | --- | --- | --- |
//! | shares (error rates) | Newcombe's hybrid score | Fisher's exact |
//! | means (latency, time to first token) | Welch's t | Welch's t |
//! | quantiles | order statistics, by square and add | the same, turned around |
//! | cost per 1,000 tokens | delta method | the same |
//! | counts, figures of the run, prices that cannot vary | none: exact | none |
//!
//! The interval of a change in percent is that of the ratio of both values, by the same limits of
//! either (MOVER-R): that the first value is an estimate, too, is in it.
//!
//! The p-values of all tests of a comparison are adjusted together, by Holm: with a confidence of
//! 95 % the probability that any difference is found where there is none is at most 5 %. All of
//! this takes the requests of a run, and the runs, for independent; where they are not is told by
//! [`RunComparison::notes`]. The success rate is left out: what is to be found of it is found of
//! the error rate.
//!
//! Knows nothing of files and of how it is shown.

mod column;
mod comparison;
mod contrast;
mod difference;
mod error;
#[cfg(test)]
pub(crate) mod example;
mod family;
mod notes;
mod run;
mod scenario_difference;

pub use column::{ColumnComparison, MetricComparison};
pub use comparison::{RunComparison, compare};
pub(crate) use contrast::contrast;
pub use difference::{Difference, Finding, FindingCounts};
pub use error::CompareError;
pub use run::{ComparedRun, RunInput, Settings};
pub use scenario_difference::{RunDifferences, ScenarioDifference, scenario_differences};
