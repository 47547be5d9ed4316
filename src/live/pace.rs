//! The workload as the load generator asks for it, under the hand of the conductor: requests are
//! counted by phase, and held back while a phase begins, so that each is sent under what its phase
//! has deployed.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::notice::Notice;
use crate::exchange::{Arrival, Request};
use crate::load::Schedule;
use crate::scenario::PhaseEnd;
use crate::units::{Duration, Timestamp};
use crate::workload::{Change, Source, SourceError};

/// The workload, shared by those who send it and who conducts the run.
#[derive(Clone)]
pub(super) struct Pace(Arc<Mutex<State>>);

struct State {
    source: Source,
    start: Timestamp,
    conductor: Sender<Notice>,
    /// `None`: none has begun.
    phase: Option<u16>,
    /// How many more requests the phase has; `u64::MAX` where it does not end by their count.
    left: u64,
    /// Nothing is sent for the time being.
    is_held: bool,
    /// Nothing is sent any more.
    is_finished: bool,
    /// Whether a later phase brings requests of its own; `None`: there is none, or it never comes.
    later: Option<bool>,
}

impl Pace {
    /// Held until the first phase has begun; times of the workload count from `start`.
    pub(super) fn new(source: Source, start: Timestamp, conductor: Sender<Notice>) -> Self {
        Self(Arc::new(Mutex::new(State {
            source,
            start,
            conductor,
            phase: None,
            left: u64::MAX,
            is_held: true,
            is_finished: false,
            later: None,
        })))
    }

    /// Nothing is sent until [`Self::go_on`].
    pub(super) fn hold(&self) {
        self.lock().is_held = true;
    }

    /// The workload becomes that of a phase, which begins at `at`.
    pub(super) fn change(&self, at: Timestamp, change: Option<&Change>) -> Result<(), SourceError> {
        let mut state = self.lock();
        let at = at.since(state.start);
        state.source.change(at, change)
    }

    /// Whether a phase that is to come brings requests of its own; `None`: none comes.
    pub(super) fn expect(&self, later: Option<bool>) {
        self.lock().later = later;
    }

    /// Requests are sent again, as those of `phase`.
    pub(super) fn go_on(&self, phase: u16, end: PhaseEnd) {
        let mut state = self.lock();
        if state.phase != Some(phase) {
            state.left = match end {
                PhaseEnd::Requests(count) => count,
                _ => u64::MAX,
            };
        }
        (state.phase, state.is_held) = (Some(phase), state.left == 0);
    }

    /// Nothing is sent any more.
    pub(super) fn finish(&self) {
        self.lock().is_finished = true;
    }

    /// Looks at the workload, once nobody sends it any more.
    pub(super) fn with_source<T>(&self, look: impl FnOnce(&Source) -> T) -> T {
        look(&self.lock().source)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Schedule for Pace {
    fn next_at(&mut self) -> Result<Option<Duration>, SourceError> {
        let mut state = self.lock();
        if state.is_held || state.is_finished { Ok(None) } else { state.source.next_at() }
    }

    fn take(&mut self) -> Option<Arrival> {
        let mut state = self.lock();
        if state.is_held || state.is_finished {
            return None;
        }
        let arrival = state.source.take()?;
        let (at, request) = (state.start + arrival.at, arrival.request);
        let phase = state.phase.unwrap_or_default();
        // Without a conductor the run is over.
        let _ = state.conductor.send(Notice::Taken { at, phase, request });
        state.left -= u64::from(state.left != u64::MAX);
        state.is_held = state.left == 0;
        Some(arrival)
    }

    fn completed(&mut self, request: &Request, at: Duration) {
        let source = &mut self.lock().source;
        if source.waits_for_answers() {
            source.completed(request, at);
        }
    }

    fn waits_for_answers(&self) -> bool {
        self.lock().source.waits_for_answers()
    }

    fn goes_on(&mut self, under_way: bool) -> bool {
        let mut state = self.lock();
        if state.is_held || state.is_finished {
            return !state.is_finished;
        }
        let State { source, later, .. } = &mut *state;
        // What cannot be read is told by whoever asks for the next request.
        let may_come = later.is_some_and(|brings| source.could_go_on(brings).unwrap_or(false));
        may_come || (under_way && source.waits_for_answers())
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::sync::mpsc::{Receiver, channel};

    use super::*;
    use crate::arrivals::Constant;
    use crate::chance::{Chance, Distribution};
    use crate::units::Rate;
    use crate::workload::{Population, TokenSizes, Workload};

    /// Ten requests, one a second.
    fn pace() -> (Pace, Receiver<Notice>) {
        let size = || Distribution::constant(10.0).unwrap();
        let workload = Workload {
            arrivals: Constant::new(Rate::per(1.0, Duration::from_secs(1)).unwrap()).into(),
            requests: Some(10),
            sizes: vec![TokenSizes::independent(size(), size())],
            population: Population::of_users(NonZeroU32::MIN),
        };
        let (conductor, inbox) = channel();
        let source = Source::generate(&workload, Chance::new(1, 0));
        (Pace::new(source, Timestamp::from_second(100), conductor), inbox)
    }

    fn taken(inbox: &Receiver<Notice>) -> Vec<(i64, u16)> {
        let told = inbox.try_iter().map(|notice| match notice {
            Notice::Taken { at, phase, .. } => (at.as_nanos() / 1_000_000_000, phase),
            other => panic!("{other:?}"),
        });
        told.collect()
    }

    #[test]
    fn a_phase_has_as_many_requests_as_it_says_and_the_next_waits_for_its_beginning() {
        let (mut pace, inbox) = pace();
        assert_eq!((pace.next_at().unwrap(), pace.goes_on(false)), (None, true), "held at first");
        pace.go_on(0, PhaseEnd::Requests(2));
        for _ in 0..2 {
            assert!(pace.next_at().unwrap().is_some());
            assert!(pace.take().is_some());
        }
        assert_eq!(pace.next_at().unwrap(), None);
        assert!(pace.take().is_none() && pace.goes_on(false));
        let first = taken(&inbox);
        assert!(first.len() == 2 && first.iter().all(|(_, phase)| *phase == 0), "{first:?}");
        pace.go_on(1, PhaseEnd::Rest);
        while pace.next_at().unwrap().is_some() {
            pace.take();
        }
        assert_eq!(taken(&inbox).len(), 8);
        assert!(!pace.goes_on(true), "nothing is left, and nobody brings more");
    }

    #[test]
    fn what_is_held_or_finished_is_not_sent() {
        let (mut pace, _inbox) = pace();
        pace.go_on(0, PhaseEnd::Rest);
        assert!(pace.next_at().unwrap().is_some());
        pace.hold();
        assert_eq!((pace.next_at().unwrap(), pace.take().is_none()), (None, true));
        pace.go_on(0, PhaseEnd::Rest);
        assert!(pace.take().is_some());
        pace.finish();
        assert_eq!((pace.next_at().unwrap(), pace.goes_on(true)), (None, false));
    }
}
