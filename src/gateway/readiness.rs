//! Whether the gateway should get traffic: what a load balancer asks. Knows not who sets it.
//!
//! Requests need no journal, so one that cannot be written keeps no traffic away: a full disk would
//! else take every replica that shares its fate out of the load balancer, while all of them could
//! answer. It is told beside, and commands are refused.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Whether the gateway should get traffic, and how its journal fares.
#[derive(Debug, Default)]
pub(super) struct Readiness {
    draining: AtomicBool,
    journal_is_broken: AtomicBool,
    /// Entries that the journal does not have yet.
    waiting: AtomicU64,
}

impl Readiness {
    /// No more requests are to come: the gateway is about to stop.
    pub(super) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    /// Whether the journal could be written the last time, and how many entries wait to be.
    pub(super) fn journal_is(&self, sound: bool, waiting: usize) {
        self.journal_is_broken.store(!sound, Ordering::Relaxed);
        self.waiting.store(waiting as u64, Ordering::Relaxed);
    }

    pub(super) fn journal_is_sound(&self) -> bool {
        !self.journal_is_broken.load(Ordering::Relaxed)
    }

    /// How many entries the journal does not have yet.
    pub(super) fn entries_waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Why it should get none; `None`: it should get some.
    pub(super) fn fault(&self) -> Option<&'static str> {
        self.is_draining().then_some("the gateway is about to stop")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_that_cannot_be_written_keeps_no_traffic_away_and_draining_has_no_end() {
        let readiness = Readiness::default();
        assert!(readiness.fault().is_none() && readiness.journal_is_sound());
        readiness.journal_is(false, 3);
        assert_eq!(readiness.fault(), None);
        assert_eq!((readiness.journal_is_sound(), readiness.entries_waiting()), (false, 3));
        readiness.journal_is(true, 0);
        assert_eq!((readiness.journal_is_sound(), readiness.entries_waiting()), (true, 0));
        readiness.drain();
        readiness.journal_is(true, 0);
        assert_eq!(readiness.fault(), Some("the gateway is about to stop"));
    }
}
