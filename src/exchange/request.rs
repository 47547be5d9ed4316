//! Requests and their endings.

use std::borrow::Cow;
use std::num::NonZeroU32;

use serde::{Deserialize, Serialize};

use super::RetryAfter;
use crate::units::{Duration, RequestId, Tokens};

/// The place of a model in the plan's list of models.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ModelIndex(pub u16);

/// The place of a version in the plan's list of versions, those of all models one after the other.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct VersionIndex(pub u16);

/// What a client asks for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Request {
    /// Its identity.
    pub id: RequestId,
    /// The model asked for.
    pub model: ModelIndex,
    /// Which of the workload's users sent it.
    pub user: u32,
    /// Which of its user's sessions it belongs to, counted over all users.
    pub session: u32,
    /// Which of the workload's clients, by whose access key it is sent.
    pub client: u16,
    /// What it says: requests with the same number have the same prompt. `None`: like no other.
    pub prompt: Option<NonZeroU32>,
    /// Tokens of the prompt.
    pub input: Tokens,
    /// Tokens that a complete answer has.
    pub output: Tokens,
    /// Whether the answer is streamed.
    pub stream: bool,
}

/// A request and when it is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arrival {
    /// Since the workload began.
    pub at: Duration,
    /// What is sent.
    pub request: Request,
}

/// How a request ended, as its client would tell it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// A complete answer.
    Success,
    /// An HTTP status other than success, 400 to 599.
    Status(u16),
    /// No complete answer in time.
    Timeout,
    /// The connection was not accepted.
    Refused,
    /// The connection broke off before the end.
    Reset,
    /// A body or stream that cannot be read, or of another content type.
    Malformed,
    /// A stream that ended without its finish.
    Truncated,
    /// A stream that carried an error after it had begun as a success.
    ErrorInStream,
    /// The client went away early and of its own accord.
    ClientClosed,
}

/// What an ending says about the version that produced it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Class {
    /// The version answered.
    Success,
    /// The version failed.
    Error,
    /// The client asked for something impossible: no statement about the version's health.
    ClientError,
    /// Nobody can tell.
    Neutral,
}

/// What a deployment chooses to count as an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Classification {
    /// Whether a request that was answered 429 is an error of the version. Otherwise nobody can
    /// tell: it counts neither way, but for the share of rate-limited requests.
    pub rate_limited_is_error: bool,
}

impl Default for Classification {
    /// 429 is an error.
    fn default() -> Self {
        Self { rate_limited_is_error: true }
    }
}

impl Ending {
    /// Its name: `success`, an HTTP status, `timeout` and so on.
    pub fn name(self) -> Cow<'static, str> {
        if let Self::Status(status) = self {
            return Cow::Owned(status.to_string());
        }
        Cow::Borrowed(self.word().unwrap_or_default())
    }

    /// Its name where that is always the same; `None` for a status, which is told by its number.
    pub const fn word(self) -> Option<&'static str> {
        Some(match self {
            Self::Success => "success",
            Self::Status(_) => return None,
            Self::Timeout => "timeout",
            Self::Refused => "refused",
            Self::Reset => "reset",
            Self::Malformed => "malformed",
            Self::Truncated => "truncated",
            Self::ErrorInStream => "error_in_stream",
            Self::ClientClosed => "client_closed",
        })
    }

    /// The status that the version answered with; `None`: it did not come to that.
    pub const fn answered_status(self) -> Option<u16> {
        match self {
            Self::Success | Self::Malformed | Self::Truncated | Self::ErrorInStream => Some(200),
            Self::Status(status) => Some(status),
            Self::Timeout | Self::Refused | Self::Reset | Self::ClientClosed => None,
        }
    }

    /// What this ending says about the version, under a deployment's choice.
    ///
    /// Upstream 401, 403, 404 and 408 are errors of the version: the gateway has authenticated its
    /// client, so they mean a wrong upstream key or model name.
    pub const fn class(self, by: Classification) -> Class {
        match self {
            Self::Success => Class::Success,
            Self::Status(RATE_LIMITED) if !by.rate_limited_is_error => Class::Neutral,
            Self::Status(400 | 413 | 422) => Class::ClientError,
            Self::Status(_)
            | Self::Timeout
            | Self::Refused
            | Self::Reset
            | Self::Malformed
            | Self::Truncated
            | Self::ErrorInStream => Class::Error,
            Self::ClientClosed => Class::Neutral,
        }
    }
}

/// Why a complete answer ended where it did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Finish {
    /// The model had said all.
    Stop,
    /// It was cut off at the largest number of tokens.
    Length,
    /// For another reason, such as a filter or the call of a tool.
    Other,
}

/// Tokens that were counted for a request.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Usage {
    /// Of the prompt.
    pub input: Tokens,
    /// Of the answer.
    pub output: Tokens,
}

/// What was observed of a request when it ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Observed {
    /// How it ended.
    pub ending: Ending,
    /// From the request's start to its end.
    pub latency: Duration,
    /// From the request's start to the first token, where one came and the answer was streamed.
    pub first_token: Option<Duration>,
    /// What was counted: nothing for a failure.
    pub usage: Usage,
    /// Whether nobody told the usage: its output was estimated, and of the input nothing is known.
    pub is_estimated: bool,
    /// Why the answer ended where it did; `None` for a failure.
    pub finish: Option<Finish>,
    /// Whether a chunk of its stream came twice.
    pub repeats: bool,
    /// When the upstream asks to be asked again, where it says so.
    pub retry_after: Option<RetryAfter>,
}

impl Observed {
    /// An end after `latency` with nothing to show for it.
    pub const fn without_answer(ending: Ending, latency: Duration) -> Self {
        let usage = Usage { input: Tokens::ZERO, output: Tokens::ZERO };
        let (first_token, finish, repeats, retry_after) = (None, None, false, None);
        let is_estimated = false;
        Self { ending, latency, first_token, usage, is_estimated, finish, repeats, retry_after }
    }

    /// With what was counted: what the answer told, or else the estimate of its output.
    #[must_use]
    pub fn counted(self, told: Option<Usage>, output_estimated: Tokens) -> Self {
        let estimated = Usage { input: Tokens::ZERO, output: output_estimated };
        Self { usage: told.unwrap_or(estimated), is_estimated: told.is_none(), ..self }
    }

    /// Whether a success had no output token at all.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.ending == Ending::Success && self.usage.output == Tokens::ZERO
    }

    /// Whether a success was cut off at the largest number of tokens.
    #[inline]
    pub fn is_cut_off(&self) -> bool {
        self.finish == Some(Finish::Length)
    }
}

/// Too many requests.
const RATE_LIMITED: u16 = 429;
