//! How the connection of a request is to end, where that is decided by its answer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Shared by the answers of a connection and by who closes it.
#[derive(Clone, Debug, Default)]
pub(super) struct Line(Arc<AtomicBool>);

impl Line {
    /// Whether it is to be reset.
    pub(super) fn is_reset(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// It is to be reset instead of closed.
    pub(super) fn reset(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// The answer goes no further, and the connection ends with it.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("finish the answer: the connection is broken off")]
pub(super) struct Broken;
