//! What is known of a version as a trigger comes to watch it.

use crate::units::{Price, Timestamp};

/// What the versions charge that a watch looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Prices {
    pub(super) own: Option<Price>,
    pub(super) stable: Option<Price>,
}

/// A version as it comes to be watched.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Watched {
    /// What it and the stable charge.
    pub(super) prices: Prices,
    /// How many requests have begun on it, of all activations.
    pub(super) begun: u64,
    /// When that is.
    pub(super) at: Timestamp,
}
