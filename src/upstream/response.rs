//! The plan of one response, and what those who wait for it see.

use super::FailureKind;
use crate::exchange::{Ending, Finish, Observed, Request, RetryAfter, Usage};
use crate::units::{Duration, Tokens};

/// All that will happen to one request at its upstream.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ResponsePlan {
    /// How it ends.
    pub ending: Ending,
    /// Time to the end.
    pub latency: Duration,
    /// What of that passes after the last token, where the answer is complete.
    pub tail: Duration,
    /// Time to the first token, where the answer is streamed and has one.
    pub first_token: Option<Duration>,
    /// Tokens of the answer that come.
    pub output: Tokens,
    /// Whether a chunk of its stream comes twice; who counts by the answer's usage counts it once.
    pub repeats: bool,
    /// When the upstream asks to be asked again, where it says so.
    pub retry_after: Option<RetryAfter>,
    /// The failure that makes it go so. `None`: nothing is wrong, or there is no room for it. Those
    /// who wait cannot tell a page from bad JSON, nor a stall from a slow answer; whoever sends the
    /// bytes must.
    pub failure: Option<FailureKind>,
}

/// How long the parties to a request wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The client, for the complete answer.
    pub client: Duration,
    /// The gateway, for the upstream's complete answer.
    pub upstream: Duration,
}

impl ResponsePlan {
    /// Nothing ever comes.
    pub const NEVER: Self = Self::without_answer(Ending::Timeout, Duration::MAX);

    /// An end after `latency` without any token.
    pub(super) const fn without_answer(ending: Ending, latency: Duration) -> Self {
        let (first_token, retry_after, failure) = (None, None, None);
        let (output, repeats, tail) = (Tokens::ZERO, false, Duration::ZERO);
        Self { ending, latency, tail, first_token, output, repeats, retry_after, failure }
    }

    /// The plan of a request that first waits for its turn.
    pub(super) fn delayed(self, wait: Duration) -> Self {
        Self {
            latency: self.latency.saturating_add(wait),
            first_token: self.first_token.map(|first| first.saturating_add(wait)),
            ..self
        }
    }

    /// What comes of the plan for a client that waits for at most `limits.client`, behind a gateway
    /// that waits for at most `limits.upstream`. A client that leaves ends it as
    /// [`Ending::ClientClosed`]: whether that is the version's fault is the engine's to say.
    #[inline]
    pub fn observe(&self, request: &Request, limits: Limits) -> Observed {
        let Self { ending, latency, first_token, output, repeats, retry_after, .. } = *self;
        let cut = limits.client.min(limits.upstream);
        if latency > cut {
            let left = limits.client < limits.upstream;
            let ending = if left { Ending::ClientClosed } else { Ending::Timeout };
            let first_token = first_token.filter(|first| *first <= cut);
            return Observed { first_token, ..Observed::without_answer(ending, cut) };
        }
        let (usage, finish) = match ending {
            Ending::Success => (Usage { input: request.input, output }, Some(Finish::Stop)),
            _ => (Usage::default(), None),
        };
        let is_estimated = false;
        Observed { ending, latency, first_token, usage, is_estimated, finish, repeats, retry_after }
    }
}
