//! What a run does and tells beside its requests: the phase machine, time and events in, commands
//! and faults out; and what the engine tells, in the words of a record.
//!
//! Pure, so that the simulator and a live run share it. The [`Director`] follows the plan's phases,
//! schedules their faults, and keeps the truth that rollbacks are held against: which version is
//! bad, and since when. The [`Narrator`] follows the engine's events. [`Meant`] says whom the names
//! of a phase mean, and [`split_commands`] and [`rollout_command`] what it deploys, by how all
//! stands then: a [`Standing`]. Knows no drivers: it neither routes nor waits.

mod deploying;
mod meant;
mod model_state;
mod narrator;
mod phases;
mod standing;
mod telling;
mod trigger_health;
mod truth;

pub use deploying::{PhaseCommand, by_id, rollout_command, split_commands, target_named};
pub use meant::Meant;
pub use model_state::ModelState;
pub use narrator::{Narrator, Told};
pub use phases::{Cue, Director};
pub use standing::{ModelStanding, Standing};
pub use trigger_health::TriggerHealth;
