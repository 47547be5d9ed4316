//! One run of a scenario, with everything it left behind.
//!
//! Judges nothing. The caller opens the trace, if the scenario replays one: no files are named
//! here.

mod rehearsal;
mod ticking;

pub use rehearsal::{Rehearsal, TraceReport, run_virtual};
