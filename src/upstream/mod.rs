//! Upstreams that answer: a version's normal behaviour, the faults that change it, and the plan
//! of one response.
//!
//! A [`ResponsePlan`] says all that will happen to a request before it happens; the simulator
//! schedules it, a live mock sleeps through it, and that makes the two comparable. An upstream of
//! limited [`Capacity`] has a state besides: its driver tells it of requests that come and end, see
//! [`Responder`]. Knows nothing of HTTP, clocks or rules.

mod active_fault;
mod aim;
mod behaviour;
mod burst_state;
mod capacity;
mod compiled_failure;
mod failure;
mod fault;
mod pace;
mod rate_limit;
mod responder;
mod response;

pub use aim::{Aim, Region};
pub use behaviour::{Behaviour, Bursts, Correlation, Latency, LatencyParts};
pub use capacity::{Capacity, Waiting};
pub use failure::{Failure, FailureKind};
pub use fault::{Fault, FaultShape, LatencyChange};
pub use rate_limit::RateLimit;
pub use responder::{Begun, Responder, Setting};
pub use response::{Limits, ResponsePlan};
