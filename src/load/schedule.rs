//! What is sent, and when.

use crate::exchange::{Arrival, Request};
use crate::units::Duration;
use crate::workload::{Source, SourceError};

/// Yields requests in the order of their times, which count from the beginning of the load. All
/// threads ask it, one at a time.
pub trait Schedule: Send + 'static {
    /// When the next request is to be sent, as far as is known.
    ///
    /// # Errors
    /// It cannot be read.
    fn next_at(&mut self) -> Result<Option<Duration>, SourceError>;

    /// The request whose time [`next_at`](Self::next_at) has told last.
    fn take(&mut self) -> Option<Arrival>;

    /// A request was answered, or given up, `at`.
    fn completed(&mut self, request: &Request, at: Duration);

    /// Whether some requests wait for the answers to others: then the loop is closed, in part.
    fn waits_for_answers(&self) -> bool;

    /// Whether requests may come although [`next_at`](Self::next_at) knows of none; `under_way`:
    /// whether some have not been answered. Who brings them later calls
    /// [`Control::nudge`](super::Control::nudge).
    fn goes_on(&mut self, under_way: bool) -> bool {
        under_way && self.waits_for_answers()
    }
}

impl Schedule for Source {
    fn next_at(&mut self) -> Result<Option<Duration>, SourceError> {
        Self::next_at(self)
    }

    fn take(&mut self) -> Option<Arrival> {
        Self::take(self)
    }

    fn completed(&mut self, request: &Request, at: Duration) {
        if Self::waits_for_answers(self) {
            Self::completed(self, request, at);
        }
    }

    fn waits_for_answers(&self) -> bool {
        Self::waits_for_answers(self)
    }
}
