//! What is sent: requests with their times, token sizes and identities.
//!
//! A [`Source`] yields the requests of a run in the order of their times, either generated from a
//! [`Workload`] or replayed from a trace. Knows no paths, no HTTP, and nothing of what becomes of a
//! request.

mod change;
mod clock;
mod identity;
mod playback;
mod population;
mod replayed;
mod shares;
mod source;
mod tenant;
mod tokens;

pub use change::{Change, Pace};
pub use playback::{Playback, PlaybackOptions, Window};
pub use population::{Client, Pin, Population, Sessions};
pub use replayed::{Recording, TraceInput, check_record};
pub use source::{Replay, Source, Workload};
pub use tenant::Tenant;
pub use tokens::TokenSizes;
