//! The answer that a command got under an idempotency key, kept so that a repeat gets the same.
//! Knows nothing of HTTP: a status is a number, an answer is text.

use crate::engine::Digest;
use crate::units::{Duration, Timestamp};

/// The answer that a command got under an idempotency key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// The key, made unique over clients by whoever takes it in.
    pub key: String,
    /// That of the request: the same key with another request is no repeat.
    pub request: Digest,
    /// The status of the answer.
    pub status: u16,
    /// The answer, as it was sent.
    pub answer: String,
    /// The journal entry that the command led to; `None`: it changed nothing.
    pub entry: Option<u64>,
    /// When it was given.
    pub at: Timestamp,
}

/// How long a reply is kept. Chosen: clients repeat within minutes, and operators' scripts within
/// the day; without an end the table would grow as the journal does.
pub const REPLY_LIFETIME: Duration = Duration::from_secs(24 * 60 * 60);
