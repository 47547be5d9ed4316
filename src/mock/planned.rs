//! What a mock plans for a request, for whoever holds it against what became of that.

use crate::exchange::{Ending, VersionIndex};
use crate::units::{Duration, Timestamp};
use crate::wire::RequestNumber;

/// What is planned for a request whose turn has come: what its client sees if it waits as long as
/// that takes, and nothing is late.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Planned {
    /// Which request, and which attempt at it.
    pub number: RequestNumber,
    /// By which version of the mock, a place in its list.
    pub version: VersionIndex,
    /// When the request came.
    pub came: Timestamp,
    /// How it ends. On the wire one that is refused looks like one that is reset.
    pub ending: Ending,
    /// From its coming to its end.
    pub latency: Duration,
    /// From its coming to the first token, where its answer is streamed and there is one.
    pub first_token: Option<Duration>,
}
