//! Sends a request to an upstream and waits for the head of its answer.

use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tokio::time::{Instant, timeout_at};

use super::dialer::DialError;
use super::fault::{Fault, Limit};
use super::pool::Pool;
use super::upstream_body::UpstreamBody;
use super::upstream_connection::{Lost, UpstreamConnection};
use crate::exchange::Ending;
use crate::units;

/// Why no head of an answer came.
#[derive(Debug)]
pub(super) struct Unanswered {
    pub(super) fault: Fault,
    /// What the connection says of it.
    pub(super) error: Option<DialError>,
}

/// How long is waited for the head of an answer, on the wall.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waits {
    /// For its first byte.
    pub(super) first_byte: Duration,
    /// How soon it shows that a connection had been closed: see [`SOON`].
    pub(super) soon: Duration,
    /// For the attempt as a whole.
    pub(super) deadline: Instant,
}

/// Sends the request that `request` makes; and again where a connection that had been used before
/// turns out to be closed: its upstream closed it as the request went out, and began no answer.
/// That is nobody's failure.
pub(super) async fn send(
    pool: &Arc<Pool>,
    request: impl Fn() -> Request<Full<Bytes>>,
    waits: Waits,
) -> Result<Response<UpstreamBody>, Unanswered> {
    let Waits { first_byte, soon, deadline } = waits;
    let mut stale = 0;
    loop {
        // An upstream that is started anew closes all at once.
        let kept = if stale < MOST_STALE { pool.take() } else { None };
        let connection = match kept {
            Some(connection) => connection,
            None => connect(pool, deadline).await?,
        };
        let sent = Instant::now();
        let since = sent + first_byte;
        let answered = timeout_at(since.min(deadline), connection.ask(request())).await;
        match answered {
            Ok(Ok((response, connection))) => {
                let body = |body| UpstreamBody::new(body, connection, Arc::clone(pool));
                return Ok(response.map(body));
            }
            Ok(Err(lost)) if lost.was_used && sent.elapsed() < soon && is_cut(&lost.error) => {
                stale += 1;
            }
            Ok(Err(Lost { error, .. })) => {
                let ending = if error.is_parse() { Ending::Malformed } else { Ending::Reset };
                return Err(Unanswered { fault: Fault::of(ending), error: Some(error.into()) });
            }
            Err(_) if since < deadline => return Err(late(Limit::FirstByte)),
            Err(_) => return Err(late(Limit::Total)),
        }
    }
}

/// The dialer sees to the limit of connections.
async fn connect(pool: &Pool, deadline: Instant) -> Result<UpstreamConnection, Unanswered> {
    let connected = timeout_at(deadline, pool.connect()).await;
    connected.map_err(|_| late(Limit::Total))?.map_err(|error| {
        let fault = match io_error(&*error) {
            Some(io::ErrorKind::TimedOut) => Fault::late(Limit::Connect),
            _ => Fault::of(Ending::Refused),
        };
        Unanswered { fault, error: Some(error) }
    })
}

fn late(limit: Limit) -> Unanswered {
    Unanswered { fault: Fault::late(limit), error: None }
}

/// Whether a connection was closed before it began an answer.
fn is_cut(error: &hyper::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected};
    error.is_incomplete_message()
        || error.is_closed()
        || error.is_canceled()
        || matches!(
            io_error(error),
            Some(BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected)
        )
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

/// How soon it shows that a connection had been closed. Chosen: a round trip across the world; what
/// breaks off later had been taken, and may have been worked on.
pub(super) const SOON: units::Duration = units::Duration::from_millis(300);
/// How many closed connections are met with in one attempt, before a new one is made. Chosen: an
/// upstream that breaks off at this very request is not asked for ever.
const MOST_STALE: u32 = 2;
