//! A streamed answer on its way, as its body and its watchman drive it: every event is passed on as
//! it comes, and watched. However it ends, its ticket is handed back; where it breaks off, the
//! client is told by an event.
//!
//! As long as the client takes what comes, whoever sends the body drives the stream, at no cost but
//! its own. A client that has taken nothing for [`SLOW`] in all is not waited for any more: from
//! then on the watchman reads ahead of it, up to [`READ_AHEAD`], so that the version is judged by
//! what it does and not by who reads it. Once that much lies there the client is the slow side, and
//! the attempt ends as the client's doing.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::{Body as _, Frame};
use tokio::time::Instant;

use super::fault::{Fault, Limit};
use super::room::Seat;
use super::send::broken_off;
use super::sieve::Sieve;
use super::ticket_guard::TicketGuard;
use super::upstream_body::UpstreamBody;
use crate::exchange::{Ending, Observed};
use crate::scenario::Timeouts;
use crate::wire::{ApiError, StreamEnding, StreamFacts};

/// A stream that cannot be brought to an end which its client would understand.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[error("the answer broke off within an event, or nobody took it")]
pub(super) struct Broken;

/// A stream that is read as it passes.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) guard: TicketGuard,
    pub(super) sieve: Sieve,
}

/// How long a stream may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) timeouts: Timeouts,
    /// Between two pieces.
    pub(super) idle: std::time::Duration,
    /// When it must have ended.
    pub(super) deadline: Instant,
    /// How long its client may take nothing, where its connection does not see to that: one of
    /// HTTP/2 goes on while a stream of it stands still.
    pub(super) client: Option<std::time::Duration>,
}

/// What the body and the watchman share.
#[derive(Debug)]
pub(super) struct Flow {
    /// `None`: it is over.
    upstream: Option<UpstreamBody>,
    /// What the client has not taken.
    ready: VecDeque<Bytes>,
    ready_bytes: usize,
    /// `None`: the ticket has been handed back, and the rest is only passed on.
    guard: Option<TicketGuard>,
    sieve: Sieve,
    patience: Patience,
    /// Until when the upstream, which is waited for, must have said something.
    alarm: Option<Instant>,
    /// Since when the next piece is the client's to take.
    owed: Option<Instant>,
    /// How long it has let pieces lie, those before this one.
    slow: std::time::Duration,
    /// How many pieces went without a pause.
    in_a_row: u8,
    /// Whether the watchman reads ahead.
    is_ahead: bool,
    /// Whether it is to end as a failure of the connection.
    is_broken: bool,
    body: Option<Waker>,
    pub(super) watchman: Option<Waker>,
    /// Those of the attempt, where its ticket was handed back before its end.
    seats: Vec<Seat>,
    /// The request's among all that the gateway has, for as long as its answer is on its way.
    seat: Option<Seat>,
}

/// What the body and the watchman share, for one of them.
pub(super) fn lock(flow: &Mutex<Flow>) -> MutexGuard<'_, Flow> {
    flow.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Flow {
    /// Passes on `held`, which was taken before the answer began, and what comes after; the request
    /// keeps `seat` until then.
    pub(super) fn new(
        upstream: UpstreamBody,
        held: Vec<Bytes>,
        watch: Watch,
        patience: Patience,
        seat: Seat,
    ) -> Self {
        let Watch { guard, sieve } = watch;
        let ready_bytes = held.iter().map(Bytes::len).sum();
        Self {
            upstream: Some(upstream),
            ready: held.into(),
            ready_bytes,
            guard: Some(guard),
            sieve,
            patience,
            alarm: None,
            owed: Some(Instant::now()),
            slow: std::time::Duration::ZERO,
            in_a_row: 0,
            is_ahead: false,
            is_broken: false,
            body: None,
            watchman: None,
            seats: Vec::new(),
            seat: Some(seat),
        }
    }

    /// What the client gets next.
    pub(super) fn poll_next(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let now = Instant::now();
        self.was_taken(now);
        if self.in_a_row == MOST_IN_A_ROW {
            self.in_a_row = 0;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if self.upstream.is_some() && now >= self.patience.deadline {
            // The watchman is late where both sides are fast.
            self.end(Some(Fault::late(Limit::Total)));
        }
        if self.ready.is_empty() && !self.is_ahead {
            // Whether it is ready shows in what lies there.
            let _ = self.poll_upstream(context, now);
        }
        if let Some(piece) = self.ready.pop_front() {
            self.ready_bytes -= piece.len();
            self.owed = Some(now);
            self.in_a_row += 1;
            if self.is_ahead {
                self.watchman.take().into_iter().for_each(Waker::wake);
            }
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        if self.upstream.is_none() {
            self.seat = None;
            return Poll::Ready(std::mem::take(&mut self.is_broken).then_some(Err(Broken)));
        }
        self.in_a_row = 0;
        let waker = context.waker();
        if !self.body.as_ref().is_some_and(|known| known.will_wake(waker)) {
            self.body = Some(waker.clone());
        }
        Poll::Pending
    }

    /// The client is ready for more.
    fn was_taken(&mut self, now: Instant) {
        let Some(since) = self.owed.take() else { return };
        self.slow += now - since;
        if !self.is_ahead && self.slow >= SLOW && now < self.patience.deadline {
            self.is_ahead = true;
            self.watchman.take().into_iter().for_each(Waker::wake);
        }
    }

    /// Takes what the upstream has, until there is something to pass on or it is over.
    fn poll_upstream(&mut self, context: &mut Context<'_>, now: Instant) -> Poll<()> {
        let before = self.ready.len();
        while let Some(upstream) = &mut self.upstream {
            let Poll::Ready(next) = Pin::new(upstream).poll_frame(context) else {
                let Patience { deadline, idle, .. } = self.patience;
                self.alarm.get_or_insert_with(|| deadline.min(now + idle));
                return Poll::Pending;
            };
            self.alarm = None;
            match next {
                None => self.end(None),
                Some(Err(error)) => self.end(Some(Fault::of(broken_off(&error)))),
                Some(Ok(frame)) => self.take(frame.into_data().unwrap_or_default()),
            }
            if self.ready.len() > before {
                break;
            }
        }
        Poll::Ready(())
    }

    /// A piece has come.
    fn take(&mut self, piece: Bytes) {
        let sifted = self.sieve.pass(piece);
        if let Some(guard) = self.guard.as_mut().filter(|_| sifted.first_content) {
            guard.first_token_came();
        }
        self.pass(sifted.bytes);
        // Some upstreams keep the connection open after the last event: they are not waited for as
        // long as for a piece of an answer.
        if self.sieve.is_over() && self.hand_back(None) == Some(Ending::Success) {
            self.patience.idle = AFTER_THE_END;
        }
    }

    fn pass(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.ready_bytes += bytes.len();
            self.ready.push_back(bytes);
        }
    }

    /// Hands back the ticket: the stream ended by itself, or by `fault`.
    fn hand_back(&mut self, fault: Option<Fault>) -> Option<Ending> {
        let guard = self.guard.take()?;
        let observed = observed(&guard, &self.sieve.facts(), fault.map(|fault| fault.ending));
        if observed.ending != Ending::Success {
            let fault = fault.filter(|fault| fault.ending == observed.ending);
            guard.tell_of_stream(fault.unwrap_or_else(|| Fault::of(observed.ending)));
        }
        // A client that has begun to read cannot be given another answer.
        let _ = guard.complete(&observed);
        Some(observed.ending)
    }

    /// The stream has ended, or is cut off by `fault`; its client is told, unless it knows.
    fn end(&mut self, fault: Option<Fault>) {
        self.upstream = None;
        self.alarm = None;
        self.hand_back(fault);
        self.seats.clear();
        let timeouts = self.patience.timeouts;
        self.tell_end(|facts| {
            let fault = fault.unwrap_or_else(|| match facts.ending {
                StreamEnding::Malformed => Fault::of(Ending::Malformed),
                _ => Fault::of(Ending::Truncated),
            });
            fault.to_error(timeouts)
        });
    }

    /// The client is told of the end by `error`, unless it knows.
    fn tell_end(&mut self, error: impl FnOnce(&StreamFacts) -> ApiError) {
        if self.sieve.has_told_end() {
            let rest = self.sieve.rest();
            self.pass(rest);
        } else if self.sieve.is_within() {
            self.is_broken = true;
        } else {
            let error = error(&self.sieve.facts());
            self.pass(Bytes::from(error.to_event()));
        }
        if self.ready.is_empty() && !self.is_broken {
            self.seat = None;
        }
    }

    // For the watchman.

    /// The gateway ends: the stream does so with `error`, and its version is not to blame.
    pub(super) fn cut_off(&mut self, error: ApiError) {
        if self.upstream.take().is_none() {
            return;
        }
        (self.alarm, self.guard) = (None, None);
        self.seats.clear();
        self.tell_end(|_| error);
        self.wake_body();
    }

    /// Does what is due; when it is to be called again, at the latest. `None`: never.
    pub(super) fn look(&mut self, context: &mut Context<'_>, now: Instant) -> Option<Instant> {
        let owed = self.owed.map(|since| (since, now - since));
        if let (Some((_, lying)), Some(most)) = (owed, self.patience.client)
            && lying >= most
        {
            self.give_up();
        }
        // One of HTTP/2 may have closed its window while the upstream was waited for: then what
        // came lies there.
        let is_late = self.alarm.is_some_and(|alarm| now >= alarm);
        let is_slow = owed.is_some_and(|(_, lying)| self.slow + lying >= SLOW);
        // Whoever comes too late to look cannot say that it was the client.
        if now < self.patience.deadline && (is_late || is_slow) {
            self.is_ahead = true;
        }
        if self.is_ahead {
            self.read_ahead(context, now);
        }
        if let Some(limit) = self.passed_limit(now) {
            // Whose client takes nothing has no ticket any more by now.
            self.end(Some(Fault::late(limit)));
            self.owed.get_or_insert(now);
            self.wake_body();
        }
        if self.upstream.is_none() && (self.patience.client.is_none() || self.ready.is_empty()) {
            return None;
        }
        let by_client = self.owed.zip(self.patience.client).map(|(since, most)| since + most);
        let by_upstream =
            self.upstream.is_some().then(|| self.alarm.unwrap_or(self.patience.deadline));
        let tick = (!self.is_ahead).then(|| now + self.owed.map_or(TICK, |_| SLOW));
        [by_client, by_upstream, tick].into_iter().flatten().min()
    }

    /// Which limit of the upstream has passed.
    fn passed_limit(&self, now: Instant) -> Option<Limit> {
        let Patience { deadline, .. } = self.patience;
        self.upstream.as_ref()?;
        if now >= deadline {
            return Some(Limit::Total);
        }
        self.alarm.filter(|alarm| now >= *alarm).map(|_| Limit::Idle)
    }

    /// Takes what comes, as far as there is room before the client.
    fn read_ahead(&mut self, context: &mut Context<'_>, now: Instant) {
        let was_empty = self.ready.is_empty();
        while self.upstream.is_some() && self.ready_bytes < READ_AHEAD {
            if self.poll_upstream(context, now).is_pending() {
                break;
            }
        }
        if !self.ready.is_empty() {
            self.owed.get_or_insert(now);
        }
        if was_empty && (!self.ready.is_empty() || self.upstream.is_none()) {
            self.wake_body();
        }
        if self.upstream.is_some() && self.ready_bytes >= READ_AHEAD {
            // What the version has sent lies here: all that follows waits for the client.
            self.alarm = None;
            self.seats.extend(self.guard.take().map(TicketGuard::leave).into_iter().flatten());
        }
    }

    /// The client has taken nothing for too long: nothing is kept for it any more.
    fn give_up(&mut self) {
        (self.upstream, self.alarm, self.guard, self.seat) = (None, None, None, None);
        self.seats.clear();
        self.ready.clear();
        (self.ready_bytes, self.is_broken) = (0, true);
        self.wake_body();
    }

    fn wake_body(&mut self) {
        self.body.take().into_iter().for_each(Waker::wake);
    }
}

/// What was observed of a stream that has ended.
pub(super) fn observed(guard: &TicketGuard, facts: &StreamFacts, cut: Option<Ending>) -> Observed {
    let ending = match (facts.ending, cut) {
        (StreamEnding::Complete, _) => Ending::Success,
        (StreamEnding::ErrorInStream, _) => Ending::ErrorInStream,
        (StreamEnding::Malformed, _) => Ending::Malformed,
        (StreamEnding::Truncated, Some(cut)) => cut,
        (StreamEnding::Truncated, None) => Ending::Truncated,
    };
    let first_token = guard.first_token();
    let without = Observed::without_answer(ending, guard.latency());
    if ending != Ending::Success {
        return Observed { first_token, ..without };
    }
    let StreamFacts { usage, output_estimated, finish, repeats, .. } = *facts;
    Observed { first_token, finish, repeats, ..without }.counted(usage, output_estimated)
}

/// After how many pieces others of the thread have their turn: an upstream and a client that are
/// both fast would keep it from looking at its timers. Chosen: a turn of some tens of microseconds.
const MOST_IN_A_ROW: u8 = 16;
/// Chosen: long enough for the end of a body that is sent apart, so that its connection can be used
/// again.
const AFTER_THE_END: std::time::Duration = std::time::Duration::from_secs(1);
/// For how long a client may let pieces lie, in all, before the stream is read ahead of it. Chosen:
/// above the pauses of a client that reads as fast as it can, and so short that nobody makes a
/// version look slow by reading slowly.
const SLOW: std::time::Duration = std::time::Duration::from_millis(250);
/// How often it is looked whether the client takes what comes. Chosen: as [`SLOW`], a time that no
/// rule cares about; less often costs less.
const TICK: std::time::Duration = std::time::Duration::from_millis(500);
/// How many bytes are read ahead of a slow client. Chosen: most answers of a chat, whole; 250
/// streams of one connection hold 16 MB.
const READ_AHEAD: usize = 64 << 10;
