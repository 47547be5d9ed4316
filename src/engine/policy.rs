//! Policies: what becomes of a request whose attempt failed, and how many may be pinned. Nothing is
//! tried again unless it is asked for.
//!
//! A failed attempt counts against the version that was attempted, whatever follows: a policy hides
//! a failure from a client, never from a rule. Once a client has received a token of an answer,
//! nothing can be sent in its place, so nothing is tried again.

use serde::{Deserialize, Serialize};

use super::backoff::Wait;
use super::policy_error::MAX_ATTEMPTS;
use super::{Backoff, PolicyError, RetryOn};
use crate::exchange::{Ending, RetryAfter};
use crate::units::{Duration, Ratio};

/// The policies of a model.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policies {
    /// Whether and when a failed attempt is made again, on the same version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<RetryPolicy>,
    /// Where a request goes at last whose attempts have failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<Fallback>,
    /// The share of pinned requests above which the engine says that the split decides too little.
    pub max_pinned: Ratio,
}

impl Default for Policies {
    /// No retry, no fallback, and up to 5 % of the requests pinned.
    fn default() -> Self {
        Self { retry: None, fallback: None, max_pinned: Ratio::from_percent(5) }
    }
}

/// Where requests fall back to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fallback {
    /// One attempt on the version that the tag `stable` names, whatever its weight, unless it is
    /// the one that failed or was itself rolled back. Pinned requests do not fall back.
    Stable,
}

/// When a failed attempt is made again.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(try_from = "RawRetry", into = "RawRetry")]
pub struct RetryPolicy {
    attempts: u8,
    on: Vec<RetryOn>,
    backoff: Backoff,
    honours_retry_after: bool,
}

impl RetryPolicy {
    /// The most further attempts that a request can have.
    pub const MAX_ATTEMPTS: u8 = MAX_ATTEMPTS;

    /// Up to `attempts` attempts, 1 to [`RetryPolicy::MAX_ATTEMPTS`], after the first one, each
    /// where the one before ended as `on` lists. It does not honour `retry-after`.
    ///
    /// # Errors
    /// No attempts or too many, or nothing to retry on.
    pub fn new(attempts: u8, on: Vec<RetryOn>, backoff: Backoff) -> Result<Self, PolicyError> {
        if attempts == 0 || attempts > Self::MAX_ATTEMPTS {
            return Err(PolicyError::Attempts { attempts });
        }
        if on.is_empty() {
            return Err(PolicyError::OnNothing);
        }
        Ok(Self { attempts, on, backoff, honours_retry_after: false })
    }

    /// The same policy, which waits at least as long as the `retry-after` of the answer before asks
    /// for, but no longer than its backoff's longest wait; or which does not care.
    #[must_use]
    pub fn honouring_retry_after(self, honours_retry_after: bool) -> Self {
        Self { honours_retry_after, ..self }
    }

    /// How many attempts may follow the first.
    pub const fn attempts(&self) -> u8 {
        self.attempts
    }

    /// On what endings.
    pub fn on(&self) -> &[RetryOn] {
        &self.on
    }

    /// How long to wait before.
    pub const fn backoff(&self) -> Backoff {
        self.backoff
    }

    /// Whether it waits as long as the answer before asks for.
    pub const fn honours_retry_after(&self) -> bool {
        self.honours_retry_after
    }

    /// Whether an attempt that was answered 429 is followed by another: the only answer that asks
    /// for a wait.
    pub fn retries_rate_limits(&self) -> bool {
        self.on.iter().any(|on| on.covers(Ending::Status(429)))
    }

    /// The wait before further attempt `number`, counted from 1, after an answer that `asked` for
    /// one.
    pub(super) fn wait(&self, number: u8, asked: Option<RetryAfter>) -> Wait {
        let heard = asked.filter(|_| self.honours_retry_after);
        self.backoff.before(number, heard.map_or(Duration::ZERO, RetryAfter::wait))
    }

    /// Whether an attempt that ended so is followed by another, `made` having followed the first.
    pub(super) fn applies(&self, ending: Ending, made: u8) -> bool {
        made < self.attempts && self.on.iter().any(|on| on.covers(ending))
    }
}

/// A retry as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRetry {
    attempts: u8,
    on: Vec<RetryOn>,
    backoff: Backoff,
    // Left out where it is off, as it was before there was this choice.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    honours_retry_after: bool,
}

impl TryFrom<RawRetry> for RetryPolicy {
    type Error = PolicyError;
    fn try_from(raw: RawRetry) -> Result<Self, PolicyError> {
        let policy = Self::new(raw.attempts, raw.on, raw.backoff)?;
        Ok(policy.honouring_retry_after(raw.honours_retry_after))
    }
}

impl From<RetryPolicy> for RawRetry {
    fn from(policy: RetryPolicy) -> Self {
        let RetryPolicy { attempts, on, backoff, honours_retry_after } = policy;
        Self { attempts, on, backoff, honours_retry_after }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_applies_to_its_endings_until_its_attempts_are_made() {
        let on = vec![RetryOn::Status(503), RetryOn::Timeout];
        let retry = RetryPolicy::new(2, on, Backoff::default()).unwrap();
        assert!(retry.applies(Ending::Status(503), 0) && retry.applies(Ending::Timeout, 1));
        assert!(!retry.applies(Ending::Status(503), 2));
        assert!(!retry.applies(Ending::Status(500), 0));
    }

    #[test]
    fn no_attempts_too_many_and_no_endings_are_refused() {
        let with = |attempts| RetryPolicy::new(attempts, vec![RetryOn::Reset], Backoff::default());
        assert_eq!(with(11), Err(PolicyError::Attempts { attempts: 11 }));
        assert_eq!(with(0).unwrap_err().to_string(), "0 further attempts: allowed are 1 to 10");
        assert_eq!(
            RetryPolicy::new(1, Vec::new(), Backoff::default()),
            Err(PolicyError::OnNothing)
        );
    }

    #[test]
    fn policies_are_read_back_as_they_were_written() {
        let retry = RetryPolicy::new(2, RetryOn::DEFAULT.to_vec(), Backoff::default()).unwrap();
        let policies = Policies {
            retry: Some(retry.clone()),
            fallback: Some(Fallback::Stable),
            ..Policies::default()
        };
        let text = serde_json::to_string(&policies).unwrap();
        assert_eq!(serde_json::from_str::<Policies>(&text).unwrap(), policies);
        assert!(!text.contains("retry_after"), "an older journal has the same bytes: {text}");
        let honouring = Policies { retry: Some(retry.honouring_retry_after(true)), ..policies };
        let written = serde_json::to_string(&honouring).unwrap();
        assert_eq!(serde_json::from_str::<Policies>(&written).unwrap(), honouring);
        let forged = text.replace("\"attempts\":2", "\"attempts\":200");
        assert!(serde_json::from_str::<Policies>(&forged).is_err());
    }
}
