//! What a version once answered.

use super::{Ending, VersionIndex};
use crate::units::{Duration, Tokens};

/// An answer that was recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordedAnswer {
    /// The version that gave it.
    pub version: VersionIndex,
    /// How it ended.
    pub ending: Ending,
    /// From the request's start to the end.
    pub latency: Duration,
    /// From the request's start to the first token, where that is known.
    pub first_token: Option<Duration>,
    /// Tokens of the answer.
    pub output: Tokens,
}
