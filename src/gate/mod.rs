//! The gate: assertions over a run's metrics to verdicts with their evidence.
//!
//! A line passes only if the whole interval of an estimate holds, fails only if the whole interval
//! violates it, and is inconclusive between: too few requests never pass. Counts and times of one
//! deterministic run are exact. Knows no files and no terminal; exit codes are the CLI's.

mod contradiction;
mod expected;
mod judgement;
mod line;
mod needed;
mod range;
mod resolve;

pub use crate::engine::Verdict;
pub use contradiction::Contradiction;
pub use judgement::{Gate, Judged, Judgement};
pub use line::{Line, LineResult, Side};
