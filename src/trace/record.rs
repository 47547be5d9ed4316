//! One row of a trace: the canonical record.

use super::error::TraceErrorKind;
use crate::exchange::Ending;
use crate::units::{Duration, ModelId, Money, Tokens, VersionId};

/// A request that was recorded, and what was observed of it where the source has that.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TraceRecord {
    /// When it was sent, since the trace began.
    pub at: Duration,
    /// The model that was asked for.
    pub model: Option<ModelId>,
    /// The version that answered.
    pub version: Option<VersionId>,
    /// Who asked: a number, so that a trace names nobody.
    pub user: Option<u64>,
    /// The conversation that the request is part of.
    pub session: Option<u64>,
    /// The turn of the conversation that it follows, by the number that this has in the source.
    pub parent: Option<u64>,
    /// Tokens of the prompt.
    pub input: Option<Tokens>,
    /// Tokens of the answer.
    pub output: Option<Tokens>,
    /// Whether the answer was streamed.
    pub stream: Option<bool>,
    /// The blocks that the prompt is made of.
    pub prefix: Option<Prefix>,
    /// The HTTP status of the answer, 100 to 599.
    pub status: Option<u16>,
    /// How it failed, where the status does not tell.
    pub failure: Option<Failure>,
    /// From the request's start to the first token, at most `duration`.
    pub first_token: Option<Duration>,
    /// From the request's start to its end.
    pub duration: Option<Duration>,
    /// What it cost.
    pub cost: Option<Money>,
}

impl TraceRecord {
    /// How the request ended; `None` where nothing was observed of that.
    ///
    /// A failure of which the source does not say more counts as status 500.
    pub fn ending(&self) -> Option<Ending> {
        match (self.failure, self.status) {
            (Some(Failure::Other), Some(status @ 400..)) | (None, Some(status @ 400..)) => {
                Some(Ending::Status(status))
            }
            (Some(failure), _) => Some(failure.ending()),
            (None, Some(_)) => Some(Ending::Success),
            (None, None) => None,
        }
    }

    /// Whether it is known to have failed.
    pub(super) fn has_failed(&self) -> bool {
        self.ending().is_some_and(|ending| ending != Ending::Success)
    }

    /// The time of the first token of an answer that is known to have been streamed.
    pub(super) fn streamed_first_token(&self) -> Option<Duration> {
        self.first_token.filter(|_| self.stream == Some(true))
    }

    /// The first token cannot come after the end.
    pub(super) fn check(&self) -> Result<(), TraceErrorKind> {
        match (self.first_token, self.duration) {
            (Some(first), Some(duration)) if first > duration => Err(TraceErrorKind::value(
                "first_token_ns",
                &first.as_nanos().to_string(),
                "at most duration_ns",
            )),
            _ => Ok(()),
        }
    }
}

/// The blocks of tokens that a prompt is made of: those that two prompts begin with alike can be
/// answered out of one cache.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Prefix {
    /// Tokens of a block, more than 0; the last block may have fewer.
    pub block: u32,
    /// What each block holds and all before it, as a number: equal numbers, equal prompts so far.
    pub hashes: Vec<u64>,
}

impl Prefix {
    /// Of a prompt of `input` tokens in blocks of `block`, of which the last may be a part of one.
    pub(super) fn of(block: u32, hashes: Vec<u64>, input: Tokens) -> Result<Self, TraceErrorKind> {
        let (found, input) = (hashes.len() as u64, input.get());
        let expected = u64::from(input.div_ceil(block));
        if found == expected {
            Ok(Self { block, hashes })
        } else {
            Err(TraceErrorKind::Blocks { found, expected, input, block })
        }
    }
}

/// What the hashes of a prefix may be.
pub(super) const BLOCKS_ALLOWED: &str = "a list of whole numbers, one for each block of the prompt";

/// How a request failed, where no HTTP status tells.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Failure {
    /// No complete answer in time.
    Timeout,
    /// The connection was not accepted.
    Refused,
    /// The connection broke off before the end.
    Reset,
    /// An answer that cannot be read.
    Malformed,
    /// A stream that ended without its finish.
    Truncated,
    /// A stream that carried an error after it had begun as a success.
    ErrorInStream,
    /// The client went away early.
    ClientClosed,
    /// The source says that it failed, and not how.
    Other,
}

impl Failure {
    /// All.
    pub const ALL: [Self; 8] = [
        Self::Timeout,
        Self::Refused,
        Self::Reset,
        Self::Malformed,
        Self::Truncated,
        Self::ErrorInStream,
        Self::ClientClosed,
        Self::Other,
    ];

    /// Its name in traces: that of its ending, where this tells it from others.
    pub const fn name(self) -> &'static str {
        match self.ending().word() {
            Some(word) => word,
            None => "other",
        }
    }

    /// The failure of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|failure| failure.name() == name)
    }

    /// What a request that failed so ended as; one of which no more is known as status 500.
    pub const fn ending(self) -> Ending {
        match self {
            Self::Timeout => Ending::Timeout,
            Self::Refused => Ending::Refused,
            Self::Reset => Ending::Reset,
            Self::Malformed => Ending::Malformed,
            Self::Truncated => Ending::Truncated,
            Self::ErrorInStream => Ending::ErrorInStream,
            Self::ClientClosed => Ending::ClientClosed,
            Self::Other => Ending::Status(500),
        }
    }

    /// The failure that an ending tells of which the status does not.
    pub const fn of(ending: Ending) -> Option<Self> {
        match ending {
            Ending::Success | Ending::Status(_) => None,
            Ending::Timeout => Some(Self::Timeout),
            Ending::Refused => Some(Self::Refused),
            Ending::Reset => Some(Self::Reset),
            Ending::Malformed => Some(Self::Malformed),
            Ending::Truncated => Some(Self::Truncated),
            Ending::ErrorInStream => Some(Self::ErrorInStream),
            Ending::ClientClosed => Some(Self::ClientClosed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_token_does_not_come_after_the_end() {
        let mut record =
            TraceRecord { first_token: Some(Duration::from_nanos(11)), ..TraceRecord::default() };
        record.check().unwrap();
        record.duration = Some(Duration::from_nanos(10));
        assert!(record.check().is_err());
        record.duration = Some(Duration::from_nanos(11));
        record.check().unwrap();
    }

    #[test]
    fn a_status_of_400_and_more_is_a_failure_and_what_the_source_says_beside_a_lower_one() {
        let ending =
            |status, failure| TraceRecord { status, failure, ..TraceRecord::default() }.ending();
        assert_eq!(ending(None, None), None);
        assert_eq!(ending(Some(200), None), Some(Ending::Success));
        assert_eq!(ending(Some(304), None), Some(Ending::Success));
        assert_eq!(ending(Some(503), None), Some(Ending::Status(503)));
        assert_eq!(ending(Some(200), Some(Failure::Truncated)), Some(Ending::Truncated));
        assert_eq!(ending(Some(504), Some(Failure::Timeout)), Some(Ending::Timeout));
        assert_eq!(ending(Some(429), Some(Failure::Other)), Some(Ending::Status(429)));
        assert_eq!(ending(None, Some(Failure::Other)), Some(Ending::Status(500)));
    }

    #[test]
    fn every_failure_is_known_by_its_name_and_its_ending() {
        for failure in Failure::ALL {
            assert_eq!(Failure::by_name(failure.name()), Some(failure));
            let told = Failure::of(failure.ending());
            assert!(told == Some(failure) || failure == Failure::Other, "{failure:?}");
            let name = failure.ending().name();
            assert!(failure.name() == name || failure == Failure::Other, "{failure:?}");
        }
        assert_eq!(Failure::Other.name(), "other");
    }
}
