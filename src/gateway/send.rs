//! Sends a request to an upstream and waits for the head of its answer.

use std::error::Error;
use std::io;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http::{Extensions, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use hyper_util::client::legacy::Error as ClientError;
use hyper_util::client::legacy::connect::capture_connection;
use tokio::time::{Instant, sleep_until};

use super::dialer::Uses;
use super::fault::{Fault, Limit};
use super::worker::UpstreamClient;
use crate::exchange::Ending;

/// Why no head of an answer came.
#[derive(Debug)]
pub(super) struct Unanswered {
    pub(super) fault: Fault,
    /// What the connection says of it.
    pub(super) error: Option<ClientError>,
}

/// Sends the request that `request` makes; and again where a connection that had been used before
/// turns out to be closed: its upstream closed it as the request went out, and began no answer.
/// That is nobody's failure.
pub(super) async fn send(
    client: &UpstreamClient,
    request: impl Fn() -> Request<Full<Bytes>>,
    first_byte: Duration,
    deadline: Instant,
) -> Result<Response<Incoming>, Unanswered> {
    let mut stale = 0;
    loop {
        match send_once(client, request(), first_byte, deadline).await {
            Err(Unanswered { error: Some(error), .. })
                if stale < MOST_STALE && is_stale(&error) =>
            {
                stale += 1;
            }
            Ok(response) => {
                if let Some(uses) = response.extensions().get::<Uses>() {
                    uses.add();
                }
                return Ok(response);
            }
            unanswered => return unanswered,
        }
    }
}

async fn send_once(
    client: &UpstreamClient,
    mut request: Request<Full<Bytes>>,
    first_byte: Duration,
    deadline: Instant,
) -> Result<Response<Incoming>, Unanswered> {
    let mut connection = capture_connection(&mut request);
    let mut sending = pin!(client.request(request));
    // The dialer sees to the limit of connections; this one begins when there is one.
    let waiting = async {
        drop(connection.wait_for_connection_metadata().await);
        let first_byte = Instant::now() + first_byte;
        sleep_until(first_byte.min(deadline)).await;
        if first_byte < deadline { Limit::FirstByte } else { Limit::Total }
    };
    let late = |limit| Err(Unanswered { fault: Fault::late(limit), error: None });
    tokio::select! {
        biased;
        answered = &mut sending => answered.map_err(|error| {
            Unanswered { fault: fault(&error), error: Some(error) }
        }),
        limit = waiting => late(limit),
        () = sleep_until(deadline) => late(Limit::Total),
    }
}

fn fault(error: &ClientError) -> Fault {
    if !error.is_connect() {
        let is_garbage = hyper_error(error).is_some_and(hyper::Error::is_parse);
        return Fault::of(if is_garbage { Ending::Malformed } else { Ending::Reset });
    }
    match io_error(error) {
        Some(io::ErrorKind::TimedOut) => Fault::late(Limit::Connect),
        _ => Fault::of(Ending::Refused),
    }
}

/// Whether a connection had brought an answer before, and was closed before it began another.
fn is_stale(error: &ClientError) -> bool {
    let mut extras = Extensions::new();
    let Some(connected) = error.connect_info() else { return false };
    connected.get_extras(&mut extras);
    if !extras.get::<Uses>().is_some_and(Uses::is_used) {
        return false;
    }
    let is_cut = |error: &hyper::Error| {
        error.is_incomplete_message() || error.is_closed() || error.is_canceled()
    };
    let is_broken = |kind| {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected};
        matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected)
    };
    hyper_error(error).is_some_and(is_cut) || io_error(error).is_some_and(is_broken)
}

fn hyper_error<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a hyper::Error> {
    causes(error).find_map(|cause| cause.downcast_ref())
}

fn io_error(error: &(dyn Error + 'static)) -> Option<io::ErrorKind> {
    causes(error).find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind)
}

/// What became of a stream whose body ended with an error: one whose connection was closed, as a
/// server does that ends, stopped without its end; any other broke off.
pub(super) fn broken_off(error: &hyper::Error) -> Ending {
    let is_closed = error.is_incomplete_message()
        || io_error(error).is_some_and(|kind| kind == io::ErrorKind::UnexpectedEof);
    if is_closed { Ending::Truncated } else { Ending::Reset }
}

/// An error and what it comes from.
pub(super) fn causes<'a>(
    error: &'a (dyn Error + 'static),
) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| (*error).source())
}

/// How many closed connections are met with in one attempt. Chosen: an upstream that is started
/// anew closes all at once, yet one that breaks off at this very request is not asked for ever.
const MOST_STALE: u32 = 2;
