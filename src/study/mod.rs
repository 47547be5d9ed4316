//! Studies: many runs of a scenario, under several values of what is varied and many seeds, and
//! what they come to.
//!
//! A [`Variation`] says what is varied; each combination of values is a [`Cell`], run under the
//! same seeds as all others, so that cells are compared run by run. A [`Plan`] holds everything
//! that decides what comes out, and its hash. Of a run only a [`Row`] is kept; a [`Ledger`] holds
//! the rows that are there and says which runs are to be made next; a [`SweepReport`] is worked out
//! of all rows in their order, so that it is the same on any number of threads and machines: a
//! [`Shard`] is the part of one machine, a [`RowsFile`] what it leaves behind, [`merge`] puts them
//! together. Where false rollbacks are too rare to be counted, runs are weighted, and a
//! [`RareEstimate`] takes the place of all shares.
//!
//! Knows no files, no terminal and no threads.

mod cell;
mod cell_report;
mod estimates;
#[cfg(test)]
pub(crate) mod example;
mod fuzz;
mod judging;
mod ledger;
mod lines;
mod merge;
mod plan;
mod rare_estimate;
mod rare_row;
mod report;
mod row;
mod rows_file;
mod schema;
mod seeds;
mod shard;
mod spread;
mod stopping;
mod variation;

pub use cell::{Cell, cell_count, grid, trigger_names};
pub use cell_report::{AgainstFirst, CellReport, CountOfRuns, Within};
pub use estimates::{CountQuantile, MeanOfRuns, RunTime, ShareOfRuns, TimeQuantile};
#[doc(hidden)]
pub use fuzz::fuzz_sweep;
pub use ledger::{Extent, Ledger, RunKey, Stranger};
pub use lines::{LineError, Lines, given_line};
pub use merge::{MergeError, merge};
pub use plan::{Place, Plan, PlanError, PlannedCell, Terms};
pub use rare_estimate::{RareEstimate, RareMethod};
pub use report::{SweepReport, SweptScenario};
pub use row::Row;
pub use rows_file::{RowsError, RowsFile};
pub use schema::sweep_schema;
pub use seeds::Seeds;
pub use shard::{Shard, ShardError};
pub use spread::{AxisUnit, numbers};
pub use stopping::{BLOCK, Precision, PrecisionError};
pub use variation::{Variation, VariationError};
