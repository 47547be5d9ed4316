//! A connection to an upstream, for one request at a time. It has no task of its own: whoever waits
//! for an answer drives it, so that a piece of a stream costs one turn of one task.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Waker};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::client::conn::http1::{Connection, SendRequest, handshake};

use super::dialer::Socket;

/// A connection to an upstream.
#[derive(Debug)]
pub(super) struct UpstreamConnection {
    sender: SendRequest<Full<Bytes>>,
    /// `None`: it is closed.
    connection: Option<Connection<Socket, Full<Bytes>>>,
    /// Whether it has brought an answer before.
    is_used: bool,
}

/// Why a request has no answer.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub(super) struct Lost {
    #[source]
    pub(super) error: hyper::Error,
    /// Whether its connection had brought an answer before.
    pub(super) was_used: bool,
}

impl UpstreamConnection {
    /// A new one, over `socket`.
    pub(super) async fn open(socket: Socket) -> hyper::Result<Self> {
        let (sender, connection) = handshake(socket).await?;
        Ok(Self { sender, connection: Some(connection), is_used: false })
    }

    /// Sends a request and waits for the head of its answer. The body comes only while
    /// [`Self::drive`] is called.
    pub(super) async fn ask(
        mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<(Response<Incoming>, Self), Lost> {
        let mut sending = pin!(self.sender.send_request(request));
        let answered = poll_fn(|context| {
            drive(&mut self.connection, context);
            // What it waits for is what the connection does, here and now.
            sending.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        });
        match answered.await {
            Ok(response) => {
                self.is_used = true;
                Ok((response, self))
            }
            Err(error) => Err(Lost { error, was_used: self.is_used }),
        }
    }

    /// Reads and writes what can be, and has the task of `context` called when more can. Whether
    /// the connection is open.
    pub(super) fn drive(&mut self, context: &mut Context<'_>) -> bool {
        drive(&mut self.connection, context);
        self.connection.is_some()
    }

    /// Whether it can take a request, as far as is known here.
    pub(super) fn is_ready(&mut self) -> bool {
        self.drive(&mut Context::from_waker(Waker::noop())) && self.sender.is_ready()
    }
}

fn drive(open: &mut Option<Connection<Socket, Full<Bytes>>>, context: &mut Context<'_>) {
    let Some(connection) = open else { return };
    // Why it has ended is told by the answer that it breaks off, if there is one.
    if Pin::new(connection).poll(context).is_ready() {
        *open = None;
    }
}
