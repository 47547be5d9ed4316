//! Journal entries: every accepted command and every automatic action, with its resolved effects
//! and, for an action, the evidence it was taken on.
//!
//! The entries form a chain: each states the SHA-256 of the one before, over its canonical bytes,
//! so that none can be changed, left out or put in unseen.

use serde::{Deserialize, Serialize};

use super::canonical::{self, CanonicalError};
use super::{Change, Digest, Evidence};
use crate::units::{ModelId, Timestamp};

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
    /// A restart of the engine.
    Restart,
    /// The end of a message that was to tell people.
    Delivery,
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

    /// An entry that came in another form than its canonical bytes, with the hash that was stated
    /// beside it.
    ///
    /// # Errors
    /// The hash is not that of the entry: what came is not what was sealed.
    pub fn stated(entry: Entry, hash: Digest) -> Result<Self, SealError> {
        let sealed = Self::new(entry);
        if sealed.hash != hash {
            return Err(SealError::Hash { found: sealed.hash, stated: hash });
        }
        Ok(sealed)
    }

    /// The entry.
    pub const fn entry(&self) -> &Entry {
        &self.entry
    }

    /// The SHA-256 of [`Sealed::to_bytes`].
    pub const fn hash(&self) -> Digest {
        self.hash
    }

    /// Whether it could be read again from the bytes that a store keeps.
    ///
    /// # Errors
    /// It could not: what it holds lies too deep for a reader.
    pub fn read_back(&self) -> Result<(), SealError> {
        Self::read(&self.to_bytes(), self.hash).map(drop)
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
            Self::Restart => "restart",
            Self::Delivery => "delivery",
        }
    }
}
