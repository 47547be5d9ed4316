//! The schedule as all threads share it: one of them at a time waits for the next request.
//!
//! Nothing is taken before it is due, because an answer or a change may bring another request
//! before it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::control::Control;
use super::schedule::Schedule;
use crate::clock::WallClock;
use crate::exchange::Request;
use crate::units::{Duration, Timestamp};
use crate::workload::SourceError;

/// A request that is to be sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due {
    /// Its number among all.
    pub(super) number: u64,
    pub(super) request: Request,
    pub(super) intended: Timestamp,
}

/// What is sent next, and when.
#[derive(Debug)]
pub(super) struct Feed<S> {
    state: Mutex<State<S>>,
    /// Held by who waits for the next request.
    turn: tokio::sync::Mutex<()>,
    clock: WallClock,
    start: Timestamp,
    until: Option<Duration>,
    control: Control,
}

#[derive(Debug)]
struct State<S> {
    schedule: S,
    taken: u64,
    completed: u64,
    error: Option<SourceError>,
}

/// What is known of the next request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Next {
    At(Timestamp),
    /// One may come.
    Open,
    Over,
}

impl<S: Schedule> Feed<S> {
    /// Times count from `start`; nothing is sent `until` after it or later.
    pub(super) fn new(
        schedule: S,
        clock: WallClock,
        start: Timestamp,
        until: Option<Duration>,
        control: Control,
    ) -> Self {
        let state = State { schedule, taken: 0, completed: 0, error: None };
        let (state, turn) = (Mutex::new(state), tokio::sync::Mutex::new(()));
        Self { state, turn, clock, start, until, control }
    }

    /// Waits for the start, unless the load is stopped before.
    pub(super) async fn begins(&self) {
        tokio::select! {
            _ = self.clock.sleep_until(self.start) => {}
            () = self.control.stopped() => {}
        }
    }

    /// Waits until requests are due and puts some of them into `due`, which is empty before; none
    /// at the end, or when the load is stopped.
    pub(super) async fn next(&self, due: &mut Vec<Due>) {
        let _turn = self.turn.lock().await;
        while !self.control.is_stopped() {
            // Not in the head of the `match`, whose arms would then hold the lock.
            let next = self.lock().peek(self.start, self.until);
            match next {
                Next::Over => return,
                Next::At(at) if at <= self.clock.now() => {
                    self.take_due(due);
                    return;
                }
                Next::At(at) => tokio::select! {
                    _ = self.clock.sleep_until(at) => {}
                    () = self.control.nudged() => {}
                    () = self.control.stopped() => {}
                },
                Next::Open => tokio::select! {
                    () = self.control.nudged() => {}
                    () = self.control.stopped() => {}
                },
            }
        }
    }

    /// The next request whatever its time, for a closed loop; `None` at the end, or when the load
    /// is stopped.
    pub(super) fn next_at_once(&self) -> Option<Due> {
        let now = self.clock.now();
        let is_over = self.until.is_some_and(|until| now.since(self.start) >= until);
        if is_over || self.control.is_stopped() {
            return None;
        }
        let mut state = self.lock();
        let next = state.peek(self.start, None);
        let due = if matches!(next, Next::At(_)) { state.take(self.start) } else { None };
        due.map(|due| Due { intended: now, ..due })
    }

    /// The answer to a request came, or it was given up.
    pub(super) fn completed(&self, request: &Request, at: Timestamp) {
        let mut state = self.lock();
        state.completed += 1;
        state.schedule.completed(request, at.since(self.start));
        if state.schedule.waits_for_answers() {
            drop(state);
            self.control.nudge();
        }
    }

    /// Whether some requests wait for the answers to others.
    pub(super) fn waits_for_answers(&self) -> bool {
        self.lock().schedule.waits_for_answers()
    }

    /// Why it ended before its end.
    pub(super) fn take_error(&self) -> Option<SourceError> {
        self.lock().error.take()
    }

    fn take_due(&self, due: &mut Vec<Due>) {
        let mut state = self.lock();
        let now = self.clock.now();
        while due.len() < MOST_AT_ONCE
            && matches!(state.peek(self.start, self.until), Next::At(at) if at <= now)
        {
            due.extend(state.take(self.start));
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<S>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Schedule> State<S> {
    fn peek(&mut self, start: Timestamp, until: Option<Duration>) -> Next {
        match self.schedule.next_at() {
            _ if self.error.is_some() => Next::Over,
            Ok(Some(at)) if until.is_none_or(|until| at < until) => Next::At(start + at),
            Ok(Some(_)) => Next::Over,
            Ok(None) if self.schedule.goes_on(self.completed < self.taken) => Next::Open,
            Ok(None) => Next::Over,
            Err(error) => {
                self.error = Some(error);
                Next::Over
            }
        }
    }

    fn take(&mut self, start: Timestamp) -> Option<Due> {
        let arrival = self.schedule.take()?;
        let number = self.taken;
        self.taken += 1;
        Some(Due { number, request: arrival.request, intended: start + arrival.at })
    }
}

/// How many requests one thread takes at most before it is another's turn. Chosen: a thread that
/// takes one alone makes the other wake up for each, which costs more than a request; of many the
/// last would wait for the first.
const MOST_AT_ONCE: usize = 8;
