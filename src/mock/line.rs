//! A connection as the answers on it see it: how it is to end, and when their bytes left.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::punctuality::Punctuality;
use crate::units::Timestamp;

/// Shared by the answers of a connection, by its socket and by who closes it.
#[derive(Clone, Debug)]
pub(super) struct Line(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    is_reset: AtomicBool,
    marks: Mutex<Marks>,
    punctuality: Arc<Punctuality>,
}

/// When what is on its way to the socket was due.
#[derive(Debug)]
struct Marks {
    due: Vec<Timestamp>,
    /// Whether the socket takes nothing, as its client does not.
    is_blocked: bool,
    /// When it last took something again.
    released: Timestamp,
}

impl Line {
    pub(super) fn new(punctuality: Arc<Punctuality>) -> Self {
        let marks = Marks { due: Vec::new(), is_blocked: false, released: Timestamp::EPOCH };
        let (is_reset, marks) = (AtomicBool::new(false), Mutex::new(marks));
        Self(Arc::new(Shared { is_reset, marks, punctuality }))
    }

    /// Whether it is to be reset.
    pub(super) fn is_reset(&self) -> bool {
        self.0.is_reset.load(Ordering::Acquire)
    }

    /// It is to be reset instead of closed.
    pub(super) fn reset(&self) {
        self.0.is_reset.store(true, Ordering::Release);
    }

    /// Bytes that are due at `due` are on their way to the socket.
    pub(super) fn sends(&self, due: Timestamp) {
        let mut marks = self.0.marks.lock().unwrap_or_else(PoisonError::into_inner);
        if due <= marks.released {
            drop(marks);
            self.0.punctuality.held_up(1);
        } else {
            marks.due.push(due);
        }
    }

    /// All that was on its way has been taken by the socket.
    fn took_all(&self) {
        let mut marks = self.0.marks.lock().unwrap_or_else(PoisonError::into_inner);
        if marks.is_blocked {
            marks.is_blocked = false;
            marks.released = self.0.punctuality.clock().now();
            self.0.punctuality.held_up(marks.due.len() as u64);
            marks.due.clear();
        } else {
            marks.due.drain(..).for_each(|due| self.0.punctuality.sent(due));
        }
    }

    /// The socket takes nothing.
    fn took_nothing(&self) {
        self.0.marks.lock().unwrap_or_else(PoisonError::into_inner).is_blocked = true;
    }
}

/// A connection's socket, which tells its line what it has taken.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) stream: TcpStream,
    pub(super) line: Line,
}

impl AsyncRead for Socket {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let polled = Pin::new(&mut self.stream).poll_write(context, bytes);
        match &polled {
            Poll::Ready(Ok(length)) if *length == bytes.len() => self.line.took_all(),
            // What is left is tried next.
            Poll::Ready(_) => {}
            Poll::Pending => self.line.took_nothing(),
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

/// The answer goes no further, and the connection ends with it.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("finish the answer: the connection is broken off")]
pub(super) struct Broken;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{TimeScale, WallClock};
    use crate::units::Duration;

    fn line() -> (Line, Arc<Punctuality>) {
        let punctuality = Arc::new(Punctuality::new(WallClock::new(TimeScale::REAL)));
        (Line::new(Arc::clone(&punctuality)), punctuality)
    }

    #[test]
    fn everything_that_is_taken_is_timed_from_when_it_was_due() {
        let (line, punctuality) = line();
        let now = punctuality.clock().now();
        line.sends(now);
        line.sends(now - Duration::from_secs(5));
        assert_eq!(punctuality.lateness().sent().count(), 0);
        line.took_all();
        line.took_all();
        let lateness = punctuality.lateness();
        assert_eq!((lateness.sent().count(), lateness.held_up()), (2, 0));
        // The clock had begun by then: who was due before it is late since then.
        assert!(lateness.sent().max().is_some());
    }

    #[test]
    fn what_a_client_does_not_take_says_nothing_of_the_mock() {
        let (line, punctuality) = line();
        let due = punctuality.clock().now();
        line.sends(due);
        line.took_nothing();
        line.took_all();
        // It was due while nothing could be sent, though it is asked for only now.
        line.sends(due);
        let lateness = punctuality.lateness();
        assert_eq!((lateness.sent().count(), lateness.held_up()), (0, 2));
        line.sends(punctuality.clock().now() + Duration::from_millis(1));
        line.took_all();
        assert_eq!(punctuality.lateness().sent().count(), 1);
    }
}
