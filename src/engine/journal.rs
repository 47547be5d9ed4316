//! Journal entries: every accepted command and every automatic action, with its resolved effects
//! and, for an action, the evidence it was taken on.
//!
//! The entries form a chain: each states the SHA-256 of the one before, over its canonical bytes,
//! so that none can be changed, left out or put in unseen.

use serde::{Deserialize, Serialize};

use super::canonical::{self, CanonicalError};
use super::{Change, Digest};
use crate::units::{Duration, ModelId, Ratio, Timestamp, VersionId};

/// One entry of the journal.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Counted from 1, without gaps.
    pub number: u64,
    /// When it took effect.
    pub at: Timestamp,
    /// Whose deployment it changed; `None`: what all models share.
    pub model: Option<ModelId>,
    /// Who wanted it.
    pub cause: Cause,
    /// What it changed.
    pub change: Change,
    /// The hash of the entry before; zeros before the first.
    pub previous: Digest,
}

/// An entry with its own hash: what the next one states as its previous, and what a store keeps.
#[derive(Clone, PartialEq, Debug)]
pub struct Sealed {
    entry: Entry,
    hash: Digest,
}

/// Who wanted a change.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A command from outside.
    Command {
        /// Whose.
        by: String,
    },
    /// A trigger that fired.
    Trigger(Box<Evidence>),
    /// The rollout that is under way: its time had come.
    Rollout,
}

impl Sealed {
    /// An entry, sealed as it is.
    pub(super) fn new(entry: Entry) -> Self {
        let hash = Digest::of(&canonical::encode(&entry));
        Self { entry, hash }
    }

    /// The entry that a store kept as `bytes` with the hash `hash`.
    ///
    /// # Errors
    /// The hash is not that of the bytes, or they are no entry in canonical form.
    pub fn read(bytes: &[u8], hash: Digest) -> Result<Self, SealError> {
        let found = Digest::of(bytes);
        if found != hash {
            return Err(SealError::Hash { found, stated: hash });
        }
        Ok(Self { entry: canonical::decode(bytes)?, hash })
    }

    /// The entry.
    pub const fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The SHA-256 of [`Sealed::to_bytes`].
    pub const fn hash(&self) -> Digest {
        self.hash
    }

    /// The entry in canonical form: what a store keeps, with the hash beside it.
    pub fn to_bytes(&self) -> Vec<u8> {
        canonical::encode(&self.entry)
    }
}

/// Why what a store kept is no sealed entry.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The bytes were changed, or are cut off.
    #[error("the bytes have the hash {found}, not {stated}")]
    Hash {
        /// That of the bytes.
        found: Digest,
        /// That which was kept beside them.
        stated: Digest,
    },
    /// The bytes are no entry.
    #[error(transparent)]
    Form(#[from] CanonicalError),
}

impl Cause {
    /// Who wanted it, in a word.
    pub fn by(&self) -> &str {
        match self {
            Self::Command { by } => by,
            Self::Trigger(evidence) => &evidence.trigger,
            Self::Rollout => "rollout",
        }
    }
}

/// What a trigger saw when it fired: enough to evaluate it again.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The trigger's name.
    pub trigger: String,
    /// The version it fired on.
    pub version: VersionId,
    /// The check at which it fired.
    pub check: Timestamp,
    /// The check at which the breach began that led to the firing.
    pub first_breach: Timestamp,
    /// The timer's age: how long the breach has been seen to hold.
    pub held: Duration,
    /// What was read at the check.
    pub reading: Reading,
}

/// What a trigger read at a check.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// A share of the requests in the window.
    Share {
        /// The metric's name.
        metric: String,
        /// Requests with the property.
        hits: u64,
        /// Requests that count.
        requests: u64,
        /// The comparison that held.
        operator: String,
        /// What it was compared with.
        threshold: Ratio,
        /// The window's length.
        window: Duration,
    },
    /// A latency over the window.
    Time {
        /// The metric's name.
        metric: String,
        /// The metric's value, to within 1 %; `None` where only requests in flight count.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<Duration>,
        /// Requests above the threshold, those in flight included; absent for a mean.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        above: Option<u64>,
        /// Requests that count, those in flight included.
        requests: u64,
        /// Requests in flight for longer than the threshold.
        in_flight: u64,
        /// The comparison that held.
        operator: String,
        /// What it was compared with.
        threshold: Duration,
        /// The window's length.
        window: Duration,
    },
    /// A number of requests in the window.
    Count {
        /// The metric's name.
        metric: String,
        /// Requests.
        requests: u64,
        /// The comparison that held.
        operator: String,
        /// What it was compared with.
        threshold: u64,
        /// The window's length.
        window: Duration,
    },
    /// Too few requests, under a rule that takes that for a breach.
    NoData {
        /// The metric's name.
        metric: String,
        /// Requests.
        requests: u64,
        /// How many there should have been.
        min_requests: u64,
        /// The window's length.
        window: Duration,
    },
    /// The sequential test of the canary's share of errors.
    Sequential {
        /// Errors of the canary since its activation.
        canary_errors: u64,
        /// Errors of the stable over the same time.
        stable_errors: u64,
        /// The canary's share of the two versions' requests.
        expected_share: f64,
        /// The natural logarithm of the evidence against "the canary is no worse".
        ln_evidence: f64,
        /// The probability of a false alarm that was allowed.
        alpha: Ratio,
    },
}
