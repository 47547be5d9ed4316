//! What is sent: requests with their times, token sizes and identities.
//!
//! A [`Source`] yields the requests of a run in the order of their times, either generated from a
//! [`Workload`] or, for a part or as a whole, [`Replay`]ed from traces. Knows no paths, no HTTP,
//! and nothing of what becomes of a request.

mod answers;
mod change;
mod clock;
mod generated;
mod identity;
mod mixture;
mod needs;
mod playback;
mod population;
mod replay;
mod replayed;
mod shares;
mod source;
mod tenant;
mod tokens;

pub use answers::{Answered, RecordedVersion};
pub use change::{Change, Pace};
pub use mixture::{SourceError, check_answers};
pub use needs::Needs;
pub use playback::{Playback, PlaybackOptions, Window};
pub use population::{Client, Pin, Population, Sessions};
pub use replay::{Part, Replay};
pub use replayed::{Recording, TraceInput, check_record};
pub use source::{Source, Workload};
pub use tenant::Tenant;
pub use tokens::{RankCorrelation, TokenSizes};
