//! What versions charge, for windows of costs.

use crate::units::Price;

/// What the versions charge that a watch looks at.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Prices {
    pub(super) own: Option<Price>,
    pub(super) stable: Option<Price>,
}
