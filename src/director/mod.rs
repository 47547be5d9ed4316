//! The phase machine of a run: time and events in, commands and faults out.
//!
//! Pure, so that the simulator and a live run share it. It follows the plan's phases, schedules
//! their faults, and keeps the truth that rollbacks are held against: which version is bad, and
//! since when. Knows no drivers: it neither routes nor waits.

mod phases;
mod truth;

pub use phases::{Cue, Director};
