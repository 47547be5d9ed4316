//! A streamed answer on its way: every piece is passed on as it comes, and watched. However it
//! ends, its ticket is handed back; where it breaks off, the client is told by an event.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body, Frame};
use hyper::body::Incoming;
use tokio::time::{Instant, Sleep, sleep_until};

use super::room::Seat;
use super::ticket_guard::TicketGuard;
use crate::exchange::{Ending, Observed, Usage};
use crate::wire::{ApiError, StreamEnding, StreamFacts, StreamReader};

/// The body of a streamed answer.
pub(super) struct Relay {
    upstream: Incoming,
    /// What was taken from the upstream before the answer began.
    held: std::vec::IntoIter<Bytes>,
    /// `None`: the ticket has been handed back, and the rest is only passed on.
    watch: Option<Watch>,
    idle: std::time::Duration,
    /// When the next piece, or the end, must have come.
    alarm: Pin<Box<Sleep>>,
    deadline: Instant,
    is_over: bool,
    /// The request's among all that the gateway has, for as long as its answer is on its way.
    seat: Option<Seat>,
}

/// A stream that is read as it passes.
pub(super) struct Watch {
    pub(super) guard: TicketGuard,
    pub(super) reader: StreamReader,
}

/// How long a stream may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// Between two pieces.
    pub(super) idle: std::time::Duration,
    /// When it must have ended.
    pub(super) deadline: Instant,
}

impl Watch {
    /// Reads a piece that passes.
    pub(super) fn read(&mut self, piece: &[u8]) {
        if self.reader.push(piece).first_content {
            self.guard.first_token_came();
        }
    }

    /// Hands the ticket back: the stream ended by itself, or as `cut` says.
    fn end(self, cut: Option<Ending>) -> Ending {
        let Self { guard, reader, .. } = self;
        let facts = reader.finish();
        let observed = observed(&guard, &facts, cut);
        // A client that has begun to read cannot be given another answer.
        let _ = guard.complete(&observed);
        observed.ending
    }
}

impl Relay {
    pub(super) fn new(
        upstream: Incoming,
        held: Vec<Bytes>,
        watch: Watch,
        patience: Patience,
    ) -> Self {
        let Patience { idle, deadline } = patience;
        let watch = Some(watch);
        let alarm = Box::pin(sleep_until(deadline.min(Instant::now() + idle)));
        Self {
            upstream,
            held: held.into_iter(),
            watch,
            idle,
            alarm,
            deadline,
            is_over: false,
            seat: None,
        }
    }

    /// Keeps the request's seat until the answer has ended.
    pub(super) fn keep(&mut self, seat: Seat) {
        self.seat = Some(seat);
    }

    /// The stream has ended, or is cut off; what the client is told at last.
    fn end(&mut self, cut: Option<Ending>) -> Option<Frame<Bytes>> {
        self.is_over = true;
        self.seat = None;
        let ending = self.watch.take()?.end(cut);
        last_words(ending).map(|words| Frame::data(Bytes::from(words)))
    }
}

impl Body for Relay {
    type Data = Bytes;
    type Error = std::convert::Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let this = &mut *self;
        if let Some(piece) = this.held.next() {
            return Poll::Ready(Some(Ok(Frame::data(piece))));
        }
        if this.is_over {
            return Poll::Ready(None);
        }
        let Poll::Ready(next) = Pin::new(&mut this.upstream).poll_frame(context) else {
            ready!(this.alarm.as_mut().poll(context));
            return Poll::Ready(this.end(Some(Ending::Timeout)).map(Ok));
        };
        let piece = match next {
            None => return Poll::Ready(this.end(None).map(Ok)),
            Some(Err(_)) => return Poll::Ready(this.end(Some(Ending::Reset)).map(Ok)),
            Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
        };
        if let Some(watch) = &mut this.watch {
            watch.read(&piece);
            // Some upstreams keep the connection open after the last event: they are not waited for
            // as long as for a piece of an answer.
            if watch.reader.is_over()
                && let Some(Ending::Success) = this.watch.take().map(|watch| watch.end(None))
            {
                this.idle = AFTER_THE_END;
            }
        }
        this.alarm.as_mut().reset(this.deadline.min(Instant::now() + this.idle));
        Poll::Ready(Some(Ok(Frame::data(piece))))
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
    let counted = Usage { output: facts.output_estimated, ..Usage::default() };
    let usage = facts.usage.unwrap_or(counted);
    Observed { first_token, usage, finish: facts.finish, repeats: facts.repeats, ..without }
}

/// What a client is told whose stream has broken off; `None`: it has been told all there is.
fn last_words(ending: Ending) -> Option<Vec<u8>> {
    let error = match ending {
        Ending::Timeout => {
            ApiError { status: 504, ..ApiError::upstream_failed("the upstream took too long") }
        }
        Ending::Reset => ApiError::upstream_failed("the upstream broke off its answer"),
        Ending::Truncated => {
            ApiError::upstream_failed("the upstream's answer stopped without an end")
        }
        _ => return None,
    };
    Some(error.to_event())
}

/// Chosen: long enough for the end of a body that is sent apart, so that its connection can be used
/// again.
const AFTER_THE_END: std::time::Duration = std::time::Duration::from_secs(1);
