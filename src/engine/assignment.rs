//! How unpinned requests are spread over the versions of a split.

use std::fmt;

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

impl Assignment {
    /// Whether chance assigns each request, or each owner of requests: what the test of a
    /// sequential judge takes for given.
    pub const fn is_by_chance(self) -> bool {
        matches!(self, Self::Random | Self::Sticky)
    }
}

/// The word for it in files.
impl fmt::Display for Assignment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Random => "random",
            Self::Even => "even",
            Self::Sticky => "sticky",
        })
    }
}
