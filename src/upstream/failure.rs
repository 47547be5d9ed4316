//! The ways in which an upstream fails.

use std::fmt;

use crate::chance::Distribution;
use crate::units::{Duration, Rate, Ratio};

/// One way of failing, and how probable it is.
#[derive(Clone, PartialEq, Debug)]
pub struct Failure {
    /// What happens.
    pub kind: FailureKind,
    /// How probable it is for a request.
    pub probability: Ratio,
    /// How long it takes, in seconds, where it ends the request in its own time; `None`: what
    /// follows from its kind.
    pub latency: Option<Distribution>,
}

/// What happens to a request instead of a complete answer. Shares of an answer are shares of its
/// tokens.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum FailureKind {
    /// An HTTP status, 400 to 599, after [`Failure::DEFAULT_LATENCY_SECS`].
    Status(u16),
    /// Nothing ever comes.
    Timeout,
    /// The connection breaks.
    Reset {
        /// After this share of the answer; `None`: before any of it, and fast.
        at: Option<Ratio>,
    },
    /// The connection is not accepted.
    Refused,
    /// What comes cannot be read: bad JSON, or a bad event at the start of a stream.
    Malformed,
    /// The stream stops without an end. An answer that is not streamed cannot be read.
    Truncated {
        /// After this share of the answer.
        at: Ratio,
    },
    /// A success without a single token.
    Empty,
    /// The answer stops for a while, and goes on.
    Stall {
        /// After this share of the answer.
        after: Ratio,
        /// For so long.
        lasts: Duration,
    },
    /// A success with a chunk that comes twice: whoever counts the answer whole does not see it.
    DuplicateChunk,
    /// Something else than JSON or an event stream, such as the page of a proxy.
    WrongContentType,
    /// Tokens come no faster than this.
    SlowDrip {
        /// More than 0.
        rate: Rate,
    },
    /// The stream carries an error after it began as a success. An answer that is not streamed
    /// cannot be read.
    ErrorInStream {
        /// After this share of the answer.
        at: Ratio,
    },
}

impl Failure {
    /// Seconds that a failure takes that needs no answer, unless stated: it is fast.
    pub const DEFAULT_LATENCY_SECS: f64 = 0.04;

    /// How long such a failure takes unless stated.
    pub(super) fn default_latency() -> Distribution {
        Distribution::constant(Self::DEFAULT_LATENCY_SECS).expect("the constant is in range")
    }
}

impl FailureKind {
    /// Whether it ends the request before an answer is begun, in a time of its own.
    pub(super) const fn is_fast(self) -> bool {
        matches!(self, Self::Status(_) | Self::Refused | Self::Reset { at: None })
    }

    /// Its place among all kinds: failures are drawn in this order, whatever that in a file.
    pub const fn rank(self) -> u16 {
        match self {
            Self::Status(status) => status,
            Self::Timeout => 1_000,
            Self::Reset { .. } => 1_001,
            Self::Refused => 1_002,
            Self::Malformed => 1_003,
            Self::Truncated { .. } => 1_004,
            Self::Empty => 1_005,
            Self::Stall { .. } => 1_006,
            Self::DuplicateChunk => 1_007,
            Self::WrongContentType => 1_008,
            Self::SlowDrip { .. } => 1_009,
            Self::ErrorInStream { .. } => 1_010,
        }
    }
}

/// What happens to the requests concerned: `answered 503`, `never answered`.
impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Status(status) => write!(f, "answered {status}"),
            Self::Timeout => f.write_str("never answered"),
            Self::Reset { at: None } => f.write_str("reset"),
            Self::Reset { at: Some(at) } => write!(f, "reset at {at}"),
            Self::Refused => f.write_str("refused"),
            Self::Malformed => f.write_str("malformed"),
            Self::Truncated { at } => write!(f, "truncated at {at}"),
            Self::Empty => f.write_str("empty"),
            Self::Stall { after, lasts } => write!(f, "stalled for {lasts} after {after}"),
            Self::DuplicateChunk => f.write_str("with a chunk twice"),
            Self::WrongContentType => f.write_str("of a wrong content type"),
            Self::SlowDrip { rate } => write!(f, "dripping at {rate}"),
            Self::ErrorInStream { at } => write!(f, "with an error in the stream at {at}"),
        }
    }
}
