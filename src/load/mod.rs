//! The load generator: sends the requests of a workload over HTTP, each at its time, and tells what
//! became of every one of them.
//!
//! Its loop is **open** by default: a request is sent when its time has come, whether or not those
//! before it have been answered, and its latency counts from that intended time. So a server that
//! stands still shows in the latencies of all who would have come meanwhile; to leave them out is
//! known as coordinated omission. How much later than intended a request was sent, its dispatch
//! lag, is the generator's own doing and is recorded apart. A **closed** loop sends the next
//! request when one has been answered, and everything that is told of it says so.
//!
//! Each thread has a runtime, its connections and an [`Observer`] of its own; what they share is
//! the [`Schedule`]. Knows neither gateway nor mock nor engine: any server that is compatible with
//! OpenAI's chat completions will do.

mod answered;
mod caller;
mod control;
mod dialer;
mod fault;
mod feed;
mod finished;
mod generate;
mod keys;
mod limits;
mod message;
mod message_error;
mod meter;
mod patience;
mod pool;
mod prompts;
mod report;
mod schedule;
mod schema;
mod settings;
mod target;
mod template;
mod token_times;
mod trace_row;
mod worker;

pub use control::Control;
pub use finished::{Finished, Observer};
pub use generate::{Load, LoadError, generate};
pub use keys::Keys;
pub use limits::{Limit, Limits};
pub use message::{Message, MessageParts};
pub use message_error::MessageError;
pub use meter::{LoadMeter, Recent};
pub use patience::Patience;
#[cfg(test)]
pub(crate) use report::tests::example_report;
pub use report::{LoadFacts, LoadReport, LoadTimes, LoadVersion, Rates, Requests, Spread, Tokens};
pub use schedule::Schedule;
pub use schema::load_schema;
pub use settings::{LoadSettings, Pacing};
pub use target::{Http, Target, TargetError};
pub use trace_row::trace_row;
