//! One request, from when it is sent to its end.
//!
//! Words of endings are those of who simulates versions: a stream that is closed before its end is
//! truncated, a plain answer that is cannot be read, and what is broken off by the other side's
//! system is reset. Nothing is ever sent twice: a request goes to another connection only where
//! the one that it was meant for had been closed before anything of it was sent.

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as _, Incoming};
use tokio::time::{Instant, timeout, timeout_at};

use super::answered::{Answered, head_fault};
use super::dialer::Link;
use super::fault::{Fault, Stage};
use super::feed::Due;
use super::message::Message;
use super::patience::Patience;
use super::pool::Pool;
use super::target::Target;
use crate::clock::WallClock;
use crate::exchange::Ending;
use crate::units::Duration;
use crate::wire::{StreamEnding, StreamReader, read_answer};

/// Sends requests on the connections of one thread.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) clock: WallClock,
    pub(super) target: Target,
    pub(super) message: Message,
    pub(super) patience: Patience,
    pub(super) pool: Pool,
}

/// What is left of an answer that has come to its end.
struct Rest {
    link: Link,
    body: Incoming,
}

impl Caller {
    /// Sends the request for `due`, and how it ended. What is left to do for its connection is done
    /// by [`Left::finish`], after which another request can use it.
    pub(super) async fn call(&self, due: &Due) -> (Answered, Result<(), Fault>, Left<'_>) {
        let (request, bytes) = self.message.request(&self.target, due);
        let sent = self.clock.now();
        let mut answered = Answered::new(sent, bytes);
        let deadline = Instant::now() + self.clock.until(sent + self.patience.total);
        let exchange = self.exchange(request, due, &mut answered);
        let ended = timeout_at(deadline, exchange).await.unwrap_or_else(|_| {
            let total = self.patience.total;
            Err(Fault::told(Ending::Timeout, format!("no complete answer within {total}")))
        });
        let (ended, rest) = match ended {
            Ok((ended, rest)) => (ended, rest),
            Err(fault) => (Err(fault), None),
        };
        answered.ended.get_or_insert_with(|| self.clock.now());
        (answered, ended, Left { caller: self, rest })
    }

    async fn exchange(
        &self,
        request: Request<Full<Bytes>>,
        due: &Due,
        answered: &mut Answered,
    ) -> Result<(Result<(), Fault>, Option<Rest>), Fault> {
        let (response, link) = self.send(request, answered).await?;
        let (head, mut body) = response.into_parts();
        let status = head.status.as_u16();
        answered.note_head(status, &head.headers);
        let ended = if status != 200 {
            self.refusal(status, &mut body, answered).await
        } else if due.request.stream {
            match head_fault(&head.headers, "text/event-stream") {
                Some(fault) => Err(fault),
                None => self.stream(&mut body, answered).await,
            }
        } else {
            match head_fault(&head.headers, "json") {
                Some(fault) => Err(fault),
                None => self.plain(&mut body, answered).await,
            }
        };
        Ok((ended, Some(Rest { link, body })))
    }

    /// Sends a request, on a new connection where there is no other.
    async fn send(
        &self,
        mut request: Request<Full<Bytes>>,
        answered: &mut Answered,
    ) -> Result<(Response<Incoming>, Link), Fault> {
        loop {
            let (mut link, is_new) = match self.pool.take() {
                Some(mut link) => {
                    if !link.is_ready().await {
                        continue;
                    }
                    (link, false)
                }
                None => self.connect(answered).await?,
            };
            match link.send(request).await {
                Ok(response) => return Ok((response, link)),
                Err(mut error) => match error.take_message() {
                    Some(unsent) if !is_new => request = unsent,
                    _ => return Err(Fault::new(Stage::Head, error.error())),
                },
            }
        }
    }

    async fn connect(&self, answered: &mut Answered) -> Result<(Link, bool), Fault> {
        let began = self.clock.now();
        let limit = self.clock.until(began + self.patience.connect);
        let (link, is_new) = self.pool.connect(limit).await?;
        if is_new {
            answered.connect = Some(self.clock.now().since(began));
        }
        Ok((link, is_new))
    }

    /// Another status than that of a success; its body is read so that its connection can be used
    /// again.
    async fn refusal(
        &self,
        status: u16,
        body: &mut Incoming,
        answered: &mut Answered,
    ) -> Result<(), Fault> {
        // The status has come: what becomes of the rest does not matter.
        while let Ok(Some(piece)) = self.next(body).await {
            answered.bytes_received += piece.len() as u64;
            if answered.bytes_received > MOST_OF_A_REFUSAL {
                break;
            }
        }
        Err(if (400..600).contains(&status) {
            Fault::of(Ending::Status(status))
        } else {
            Fault::told(Ending::Malformed, format!("its status is {status}"))
        })
    }

    async fn plain(&self, body: &mut Incoming, answered: &mut Answered) -> Result<(), Fault> {
        let whole = self.collect(body, answered).await.map_err(|fault| match fault.ending {
            // Half of an answer is none that can be read.
            Ending::Truncated => Fault { ending: Ending::Malformed, ..fault },
            _ => fault,
        })?;
        answered.ended = Some(self.clock.now());
        let facts = read_answer(&whole)
            .map_err(|error| Fault::told(Ending::Malformed, error.to_string()))?;
        (answered.usage, answered.finish) = (facts.usage, facts.finish);
        answered.output_estimated = facts.output_estimated;
        Ok(())
    }

    /// A whole body, without a copy where it comes in one piece.
    async fn collect(&self, body: &mut Incoming, answered: &mut Answered) -> Result<Bytes, Fault> {
        let Some(first) = self.next(body).await? else { return Ok(Bytes::new()) };
        answered.bytes_received += first.len() as u64;
        if body.is_end_stream() {
            return Ok(first);
        }
        let mut whole = BytesMut::from(&*first);
        while let Some(piece) = self.next(body).await? {
            answered.bytes_received += piece.len() as u64;
            if answered.bytes_received > MOST_OF_AN_ANSWER {
                return Err(Fault::told(Ending::Malformed, "it has more than 64 MiB"));
            }
            whole.extend_from_slice(&piece);
        }
        Ok(whole.freeze())
    }

    async fn stream(&self, body: &mut Incoming, answered: &mut Answered) -> Result<(), Fault> {
        let mut reader = StreamReader::new();
        let mut pieces = 0;
        let cut = loop {
            let piece = match self.next(body).await {
                Ok(Some(piece)) => piece,
                Ok(None) => break None,
                Err(fault) => break Some(fault),
            };
            let now = self.clock.now();
            reader.push(&piece);
            answered.bytes_received += piece.len() as u64;
            answered.tokens.note(now, reader.contents() - pieces);
            pieces = reader.contents();
            if reader.is_over() {
                break None;
            }
        };
        answered.ended = Some(self.clock.now());
        let facts = reader.finish();
        answered.usage = facts.usage;
        answered.output_estimated = facts.output_estimated;
        (answered.finish, answered.repeats) = (facts.finish, facts.repeats);
        let end = Fault::told(Ending::Truncated, "the stream ended before it said so");
        match facts.ending {
            StreamEnding::Complete => Ok(()),
            StreamEnding::ErrorInStream => Err(Fault::of(Ending::ErrorInStream)),
            StreamEnding::Malformed => {
                Err(Fault::told(Ending::Malformed, "an event of the stream cannot be read"))
            }
            StreamEnding::Truncated => Err(cut.unwrap_or(end)),
        }
    }

    /// The next piece of a body, for which is waited as long as one may take.
    async fn next(&self, body: &mut Incoming) -> Result<Option<Bytes>, Fault> {
        let frame = match self.patience.idle {
            None => body.frame().await,
            Some(idle) => {
                let limit = self.clock.until(self.clock.now() + idle);
                timeout(limit, body.frame())
                    .await
                    .map_err(|_| Fault::told(Ending::Timeout, format!("nothing came for {idle}")))?
            }
        };
        match frame {
            None => Ok(None),
            Some(Ok(frame)) => Ok(Some(frame.into_data().unwrap_or_default())),
            Some(Err(error)) => Err(Fault::new(Stage::Body, &error)),
        }
    }
}

/// What is left to do for the connection of a request that has ended.
pub(super) struct Left<'a> {
    caller: &'a Caller,
    rest: Option<Rest>,
}

impl Left<'_> {
    /// Waits for the end of a body that is sent apart, for a moment, and gives the connection back.
    pub(super) async fn finish(self) {
        let Some(Rest { link, mut body }) = self.rest else { return };
        if !body.is_end_stream() {
            let limit = self.caller.clock.until(self.caller.clock.now() + AFTER_THE_END);
            let end = async {
                match body.frame().await {
                    // The end of a chunked body, or its trailers.
                    None => true,
                    Some(Ok(frame)) => frame.is_trailers(),
                    Some(Err(_)) => false,
                }
            };
            if timeout(limit, end).await != Ok(true) {
                return;
            }
        }
        self.caller.pool.give_back(link);
    }
}

/// For how long the end of a body is waited for that has said all. Chosen: as long as one may be on
/// its way; some servers never send it.
const AFTER_THE_END: Duration = Duration::from_secs(1);
/// Chosen: far above any answer of a model.
const MOST_OF_AN_ANSWER: u64 = 64 << 20;
/// Chosen: above the page of any proxy; what has more loses its connection.
const MOST_OF_A_REFUSAL: u64 = 1 << 20;
