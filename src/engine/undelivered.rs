//! A message that did not reach its recipient, as the journal keeps it. Knows not how it was sent.

use serde::{Deserialize, Serialize};

use super::Channel;

/// A message that did not reach its recipient.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Undelivered {
    /// The number of the entry that it was to tell of; `None`: what it told of has none.
    pub about: Option<u64>,
    /// By which way it was to go.
    pub channel: Channel,
    /// To whom: an e-mail address, or of a webhook its scheme and host; empty where what the rules
    /// name is no webhook. No secret.
    pub recipient: String,
    /// How it ended, in words. No secret.
    pub outcome: String,
}
