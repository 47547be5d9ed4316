//! Where the traces come from that runs replay.

use crate::workload::TraceInput;

/// Opens the traces that a scenario replays, in the order of their files in the plan.
pub type OpenTraces<'a, E> = &'a dyn Fn() -> Result<Vec<TraceInput>, E>;
