//! Tells how far a run has come, now and then.

use crate::engine::Sealed;
use crate::exchange::VersionIndex;
use crate::record::{Arm, Attempt, Happening, KeyRefusal, Observer, Outcome};
use crate::units::Timestamp;

/// Passes everything on to another observer, and the number of requests so far to `tick`.
pub(super) struct Ticking<'a, O> {
    observer: O,
    tick: &'a mut dyn FnMut(u64),
    completed: u64,
}

impl<'a, O> Ticking<'a, O> {
    pub(super) fn new(observer: O, tick: &'a mut dyn FnMut(u64)) -> Self {
        Self { observer, tick, completed: 0 }
    }

    pub(super) fn into_observer(self) -> O {
        self.observer
    }
}

impl<O: Observer> Observer for Ticking<'_, O> {
    #[inline]
    fn assigned(&mut self, at: Timestamp, phase: u16, version: VersionIndex, arm: Arm) {
        self.observer.assigned(at, phase, version, arm);
    }

    #[inline(always)]
    fn completed(&mut self, outcome: &Outcome) {
        self.observer.completed(outcome);
        self.completed += 1;
        if self.completed.is_multiple_of(TICK) {
            (self.tick)(self.completed);
        }
    }

    fn attempt_began(&mut self, at: Timestamp, version: VersionIndex, arm: Arm) {
        self.observer.attempt_began(at, version, arm);
    }

    fn attempted(&mut self, attempt: &Attempt) {
        self.observer.attempted(attempt);
    }

    fn key_rejected(&mut self, refusal: &KeyRefusal) {
        self.observer.key_rejected(refusal);
    }

    fn let_in(&mut self, at: Timestamp, client: u16) {
        self.observer.let_in(at, client);
    }

    fn became_bad(&mut self, at: Timestamp, version: VersionIndex) {
        self.observer.became_bad(at, version);
    }

    fn journalled(&mut self, entry: &Sealed) {
        self.observer.journalled(entry);
    }

    fn happened(&mut self, at: Timestamp, happening: Happening) {
        self.observer.happened(at, happening);
    }
}

/// Chosen: several times a second at the simulator's speed, and no cost between.
const TICK: u64 = 1 << 17;
