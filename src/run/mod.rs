//! One run of a scenario, with everything it left behind: in virtual time, and what every other
//! kind of run shares with it.
//!
//! Judges nothing. The caller opens the trace, if the scenario replays one: no files are named
//! here.

mod live_facts;
mod recording;
mod rehearsal;
mod ticking;

pub use live_facts::{GatewayFacts, LiveFacts, Overhead, OwnAnswers};
pub use recording::{Recorded, record_run, trace_record};
pub use rehearsal::{
    AnsweredAsRecorded, FIRST_RUN, Rehearsal, TraceReport, header, rule_health, run_summed,
    run_virtual, source_of, trace_reports,
};
