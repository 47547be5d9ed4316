//! The body of an upstream's answer: whoever reads it drives its connection, which is kept for
//! another request once the body has come whole, and closed where it is left before.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::pool::Pool;
use super::upstream_connection::UpstreamConnection;

/// The body of an upstream's answer.
#[derive(Debug)]
pub(super) struct UpstreamBody {
    incoming: Incoming,
    /// `None`: the body has come whole, or its connection is closed.
    connection: Option<UpstreamConnection>,
    home: Arc<Pool>,
}

impl UpstreamBody {
    /// The body that comes over `connection`, one of `home`.
    pub(super) fn new(incoming: Incoming, connection: UpstreamConnection, home: Arc<Pool>) -> Self {
        let mut body = Self { incoming, connection: Some(connection), home };
        body.leave_if_whole();
        body
    }

    fn leave_if_whole(&mut self) {
        if self.incoming.is_end_stream() {
            self.leave();
        }
    }

    fn leave(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.home.put(connection);
        }
    }
}

impl Body for UpstreamBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        let this = self.get_mut();
        let mut is_driven = false;
        loop {
            // What it waits for is what the connection does, here and now.
            let mut nobody = Context::from_waker(Waker::noop());
            if let Poll::Ready(next) = Pin::new(&mut this.incoming).poll_frame(&mut nobody) {
                match &next {
                    Some(Ok(_)) => this.leave_if_whole(),
                    Some(Err(_)) => this.connection = None,
                    None => this.leave(),
                }
                return Poll::Ready(next);
            }
            if is_driven {
                return Poll::Pending;
            }
            // Behind a connection that is closed there is an end or an error.
            let Some(connection) = &mut this.connection else { return Poll::Ready(None) };
            is_driven = connection.drive(context);
            if !is_driven {
                this.connection = None;
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}
