//! A scenario played over HTTP, all in one process: a mock of its upstreams, the gateway before
//! them and the load generator, at free ports of this machine, on one clock that runs so many times
//! as fast as the wall's.
//!
//! Who conducts the run follows the plan's phases by the same machine as the simulator, and deploys
//! and commands through the gateway's interface like a user. Requests carry the numbers of the
//! workload, so splits and answers are those that a simulation draws. What the gateway's engine
//! tells and what clients see becomes the same record as that of a run in virtual time; how late
//! the harness made things is told beside it.
//!
//! A gateway that runs elsewhere may serve instead ([`Elsewhere`]). Then nobody stands within it:
//! it is prepared, commanded and heard over its interface, and what became of single requests tell
//! their clients and the mock, which knows them by the ids that the gateway passes on.

mod asked;
mod client_meter;
mod commanding;
mod conductor;
mod cues;
mod doubts;
mod elsewhere;
mod error;
mod far;
mod far_gateway;
mod far_rollout;
mod feed;
mod feed_event;
mod found;
mod gateway_plan;
mod hearsay;
mod left_behind;
mod live_run;
mod live_settings;
mod live_watch;
mod notice;
mod operator;
mod orders;
mod overheads;
mod pace;
mod preparation;
mod reached;
mod requests;
mod retelling;
mod rule_numbers;
mod secrets;
mod shadows;
mod stables;
mod stage;
mod status;
mod tap;
mod unfit;

pub use elsewhere::{Elsewhere, ElsewhereError};
pub use error::LiveError;
pub use left_behind::LeftBehind;
pub use live_run::run_live;
pub use live_settings::LiveSettings;
pub use live_watch::LiveWatch;
