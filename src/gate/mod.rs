//! The gate: assertions over a run's metrics to verdicts with their evidence.
//!
//! A line passes only if the whole interval of an estimate holds, fails only if the whole interval
//! violates it, and is inconclusive between: too few requests never pass. Counts and times of a
//! deterministic run are exact for its seed; over several runs such a line must hold in each.
//! Against a baseline of the same seeds the mean of the differences decides, against one of other
//! seeds the difference of both, and a line fails only together with all others that are held
//! against one, by Holm.
//!
//! Knows no files and no terminal; exit codes are the CLI's.

mod case;
mod conclusion;
mod contradiction;
mod evidence;
mod expected;
mod figures;
mod gathered;
mod inequality;
mod judgement;
mod judging;
mod line;
mod needed;
mod probability;
mod range;
mod read;
mod resolve;
mod run_values;
mod runs;
mod side;

pub use crate::engine::Verdict;
pub use contradiction::Contradiction;
pub use judgement::{Gate, Judged, Judgement};
pub use line::{Line, LineResult, PairedDifference};
pub use probability::{EstimatedProbability, claimed_probability};
pub use run_values::{RunValue, RunValues};
pub use runs::{Runs, Settings, Stored};
pub use side::{Part, Side, ValueUnit, Worked};
