//! What the threads of a live run tell the one that conducts it.

use super::feed_event::FeedEvent;
use crate::director::Told;
use crate::exchange::{Class, Ending, Observed, Request, VersionIndex};
use crate::load::LoadError;
use crate::record::{Arm, KeyFault};
use crate::units::{Duration, RequestId, Timestamp};

/// Something that has happened.
#[derive(Debug)]
pub(super) enum Notice {
    /// A request was taken from the workload, in this phase, to be sent at this time.
    Taken { at: Timestamp, phase: u16, request: Request },
    /// The gateway assigned a request to a version.
    Assigned {
        at: Timestamp,
        id: RequestId,
        version: VersionIndex,
        arm: Arm,
        /// The stable of its model at the time.
        stable: Option<VersionIndex>,
    },
    /// The gateway began another attempt at a request.
    AttemptBegan { at: Timestamp, id: RequestId, version: VersionIndex, arm: Arm },
    /// An attempt has ended, as the gateway sees it.
    AttemptEnded { at: Timestamp, id: RequestId, attempt: u8, ended: AttemptEnd },
    /// The gateway refused a request for its key.
    KeyRefused { at: Timestamp, id: RequestId, reason: KeyFault },
    /// The engine has told something.
    Told(Told),
    /// A request has ended, as its client sees it.
    Finished(ClientEnd),
    /// A gateway elsewhere has told something.
    Fed(FeedEvent),
    /// What a gateway elsewhere tells was cut off for so long on the wall, and is no more.
    FedAgain { cut_for: Duration },
    /// A gateway elsewhere tells nothing more, and why.
    FeedEnded(String),
    /// All requests have ended.
    Over(Box<Result<(), LoadError>>),
}

/// How an attempt ended, as the gateway sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct AttemptEnd {
    /// What the engine made of it.
    pub(super) class: Class,
    pub(super) observed: Observed,
    /// Whether another attempt is to follow.
    pub(super) is_followed: bool,
}

/// How a request ended, as its client sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct ClientEnd {
    pub(super) id: RequestId,
    /// When it was to be sent.
    pub(super) intended: Timestamp,
    pub(super) ended: Timestamp,
    pub(super) ending: Ending,
    /// All that was seen of its answer.
    pub(super) observed: Observed,
    /// The version that it says it is of; `None`: none, or one that the plan does not have.
    pub(super) served: Option<VersionIndex>,
    /// From the intended time, where its answer was streamed.
    pub(super) first_token: Option<Duration>,
    /// How much later than intended it was sent.
    pub(super) lag: Duration,
}

impl ClientEnd {
    /// From the intended time to the end.
    pub(super) const fn latency(&self) -> Duration {
        self.ended.since(self.intended)
    }
}
