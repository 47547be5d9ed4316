//! An OpenAI-compatible upstream that behaves as a scenario says.
//!
//! The behaviour model of [`upstream`](crate::upstream) decides what happens to a request and when;
//! [`serve`] sleeps through that plan in the time of a [`WallClock`](crate::clock::WallClock) and
//! makes it happen on the wire: answers plain and streamed, and every kind of failure down to
//! connections that are reset or end in the middle. Seed, request number and behaviour determine
//! an answer, so a mock answers as the simulator's upstream does. Knows nothing of gateways,
//! engines, ports and signals: the listener and the end of service are handed in.
//!
//! | request | answer |
//! | --- | --- |
//! | `POST /v1/chat/completions` | a chat completion, plain or streamed |
//! | `GET /v1/models`, `GET /v1/models/{model}` | the names that it answers to |
//! | `GET /admin/behaviour` | `{"<name>": <upstream>, ...}` as scenarios describe upstreams |
//! | `PUT /admin/behaviour` | replaces those that the body names, all or none |
//! | `GET /admin/stats` | requests by their ending, in flight and waiting; how late it was |

mod answer_text;
mod chat_request;
mod described_behaviour;
mod desk;
mod failure_tell;
#[cfg(test)]
mod fixture;
mod lane;
mod line;
mod pace;
mod player;
mod reply;
mod request_number;
mod script;
mod server;
mod settings;
mod tally;
mod version;

pub use described_behaviour::{BehaviourError, DescribedBehaviour};
pub use server::serve;
pub use settings::{MockError, MockSettings, MockVersion};
