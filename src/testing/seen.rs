//! An attempt that ended, as rules see it.

use crate::engine::Slot;
use crate::exchange::{Class, Observed};
use crate::units::Timestamp;

/// An attempt that ended and was evidence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) at: Timestamp,
    pub(super) version: Slot,
    pub(super) class: Class,
    pub(super) observed: Observed,
}
