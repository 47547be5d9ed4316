//! Upstreams that answer: a version's normal behaviour, the faults that change it, and the plan
//! of one response.
//!
//! A [`ResponsePlan`] says all that will happen to a request before it happens; the simulator
//! schedules it, a live mock sleeps through it, and that makes the two comparable. Knows nothing of
//! HTTP, clocks or rules.

mod behaviour;
mod fault;
mod responder;

pub use behaviour::{Behaviour, Failure};
pub use fault::{Fault, LatencyChange};
pub use responder::{Limits, Responder, ResponsePlan};
