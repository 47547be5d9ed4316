//! One run of a scenario, with everything it left behind.
//!
//! Judges nothing. The caller opens the trace, if the scenario replays one: no files are named
//! here.

mod recording;
mod rehearsal;
mod ticking;

pub use recording::{Recorded, record_run};
pub use rehearsal::{AnsweredAsRecorded, Rehearsal, TraceReport, run_virtual};
