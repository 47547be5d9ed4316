//! What follows on the end of an attempt.

use super::Slot;
use super::backoff::Wait;
use crate::exchange::ModelIndex;
use crate::units::{Draw, Duration};

/// What follows on the end of an attempt.
#[must_use = "a request that is to be attempted again is not over"]
#[derive(PartialEq, Debug)]
pub enum Completion {
    /// Nothing: its client gets what this attempt led to.
    Done,
    /// The request is attempted again; its client waits.
    Retry(Retry),
}

/// A request between two attempts. It is held by the driver until [`Retry::after`] has passed, and
/// handed back to [`Engine::retry`](super::Engine::retry); where its client leaves before, it is
/// dropped: nothing of it is in flight.
#[must_use = "the request is attempted again when this is handed back"]
#[derive(PartialEq, Debug)]
pub struct Retry {
    pub(super) model: ModelIndex,
    pub(super) assigned: Slot,
    pub(super) failed: Slot,
    pub(super) pinned: bool,
    pub(super) attempt: u8,
    pub(super) wait: Wait,
}

impl Retry {
    /// The number of the attempt that is to be made: that of its
    /// [ticket](super::Ticket::attempt).
    pub const fn attempt(&self) -> u8 {
        self.attempt
    }

    /// How long to wait before it; the draw decides on the jitter. There is no wait before a
    /// fallback.
    pub fn after(&self, draw: Draw) -> Duration {
        self.wait.drawn(draw)
    }

    /// Whether this is the fallback to the stable.
    pub(super) const fn is_fallback(&self) -> bool {
        self.attempt == FALLBACK_ATTEMPT
    }
}

/// The number of the attempt that a request falls back to, whatever came before: nothing follows on
/// it, and what is drawn for it does not depend on how many attempts a policy allows.
pub(super) const FALLBACK_ATTEMPT: u8 = u8::MAX;
