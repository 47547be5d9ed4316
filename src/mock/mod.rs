//! An OpenAI-compatible upstream that behaves as a scenario says.
//!
//! The behaviour model of [`upstream`](crate::upstream) decides what happens to a request and when;
//! a [`MockServer`] sleeps through that plan in the time of a
//! [`WallClock`](crate::clock::WallClock) and makes it happen on the wire: answers plain and
//! streamed, and every kind of failure down to connections that are reset or end in the middle.
//! Seed, request number and behaviour determine an answer, so a mock answers as the simulator's
//! upstream does. Knows nothing of gateways, engines and signals; [`serve`] is handed the listener
//! and the end of service as well.
//!
//! | request | answer |
//! | --- | --- |
//! | `POST /v1/chat/completions` | a chat completion, plain or streamed |
//! | `GET /v1/models`, `GET /v1/models/{model}` | the names that it answers to |
//! | `GET /admin/behaviour` | `{"<name>": <upstream>, ...}` as scenarios describe upstreams |
//! | `PUT /admin/behaviour` | replaces those that the body names, all or none |
//! | `GET /admin/faults` | `{"<name>": [...]}`: the faults that are on them, and those to come |
//! | `PUT /admin/faults` | `{"<name>": [<fault>, ...]}`: replaces those of the names in the body |
//! | `GET /admin/stats` | requests by their ending, in flight and waiting; how late it was |

mod admin;
mod answer_text;
mod chat_request;
mod described_behaviour;
mod described_fault;
mod desk;
mod door;
#[cfg(test)]
mod fixture;
mod form;
mod lane;
mod line;
mod mock_server;
mod news;
mod numbering;
mod pace;
mod planned;
mod player;
mod punctuality;
mod reply;
mod schema_instance;
mod script;
mod server;
mod settings;
mod speech;
mod tally;
mod version;

pub use described_behaviour::{BehaviourError, DescribedBehaviour};
pub use mock_server::{MockAdmin, MockPlace, MockServer};
pub use news::MockNews;
pub use numbering::Numbering;
pub use planned::Planned;
pub use punctuality::Lateness;
pub use server::{MockReport, serve};
pub use settings::{MockError, MockSettings, MockVersion};
