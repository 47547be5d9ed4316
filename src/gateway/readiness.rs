//! Whether the gateway should get traffic: what a load balancer asks. Knows not who sets it.

use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the gateway should get traffic.
#[derive(Debug, Default)]
pub(super) struct Readiness {
    draining: AtomicBool,
    journal_is_broken: AtomicBool,
}

impl Readiness {
    /// No more requests are to come: the gateway is about to stop.
    pub(super) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether the journal could be written the last time.
    pub(super) fn journal_is(&self, sound: bool) {
        self.journal_is_broken.store(!sound, Ordering::Relaxed);
    }

    pub(super) fn journal_is_sound(&self) -> bool {
        !self.journal_is_broken.load(Ordering::Relaxed)
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Why it should get none; `None`: it should get some.
    pub(super) fn fault(&self) -> Option<&'static str> {
        if self.is_draining() {
            Some("the gateway is about to stop")
        } else if !self.journal_is_sound() {
            Some("the journal cannot be written")
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_that_can_be_written_again_makes_it_ready_and_draining_has_no_end() {
        let readiness = Readiness::default();
        assert_eq!(readiness.fault(), None);
        readiness.journal_is(false);
        assert_eq!(readiness.fault(), Some("the journal cannot be written"));
        readiness.journal_is(true);
        assert_eq!(readiness.fault(), None);
        readiness.drain();
        readiness.journal_is(true);
        assert_eq!(readiness.fault(), Some("the gateway is about to stop"));
    }
}
