//! A message that reached its recipient, as the journal keeps it. Knows not how it was sent.

use serde::{Deserialize, Serialize};

use super::Channel;

/// A message that reached its recipient. Without it a restart would not know which messages a crash
/// has cut off, and would send none of them or all.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivered {
    /// The number of the entry that it told of; `None`: what it told of has none.
    pub about: Option<u64>,
    /// By which way it went.
    pub channel: Channel,
    /// To whom: an e-mail address, or of a webhook its scheme and host. No secret.
    pub recipient: String,
}
