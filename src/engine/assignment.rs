//! How unpinned requests are spread over the versions of a split.

use serde::{Deserialize, Serialize};

/// How the split chooses.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assignment {
    /// By the request's own draw: independent of all else.
    #[default]
    Random,
    /// In turns: after any number of requests under a split each version is within one request of
    /// its share.
    Even,
    /// By the request's [`StickyKey`](super::StickyKey), so that a key meets one version; without
    /// one by the draw. Raising a weight takes keys from the stable only.
    Sticky,
}
