//! One attempt at a request: it is sent, and what comes back is read as far as it must be before
//! its client gets anything. Decides nothing about what follows.

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as _, Incoming};
use tokio::time::{Instant, timeout_at};

use super::pass_headers::{to_client, to_upstream};
use super::relay::{Patience, Relay, Watch, observed};
use super::ticket_guard::TicketGuard;
use super::worker::{UpstreamClient, Worker, std_duration};
use crate::exchange::{Ending, Observed, RetryAfter};
use crate::units::Duration;
use crate::wire::{AnswerFacts, ApiError, ChatAsk, StreamReader, read_answer};

/// What is to be sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    pub(super) body: &'a Bytes,
    pub(super) ask: &'a ChatAsk<'a>,
    pub(super) headers: &'a HeaderMap,
    pub(super) id: &'a HeaderValue,
    /// Whether a stream is held back until its first content.
    pub(super) is_held: bool,
    /// The most bytes that a plain answer may have.
    pub(super) answer_bytes: u64,
}

/// What came of an attempt.
pub(super) enum Attempted {
    /// It has ended, and this is what its client gets unless another follows.
    Ended { guard: TicketGuard, observed: Observed, answer: Answer },
    /// Its answer is on its way.
    Streams(HeaderMap, Box<Relay>),
}

/// What a client gets.
#[derive(Debug)]
pub(super) enum Answer {
    /// What the upstream said.
    Upstream { status: StatusCode, headers: HeaderMap, body: Bytes },
    /// That it said nothing which could be passed on.
    Error(ApiError),
}

/// Sends the request to the version of `guard`.
pub(super) async fn attempt(worker: &Worker, call: Call<'_>, mut guard: TicketGuard) -> Attempted {
    if !guard.take_seats() {
        return full(guard);
    }
    let endpoint = std::sync::Arc::clone(&guard.route().endpoint);
    let limits = endpoint.timeouts();
    let client = worker.client(&endpoint);
    let body = Bytes::from(guard.route().parameters.splice(call.body, call.ask));
    let mut request = Request::new(Full::new(body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = endpoint.chat().clone();
    *request.version_mut() = Version::HTTP_11;
    *request.headers_mut() = to_upstream(call.headers, call.id, &endpoint);
    let deadline = Instant::now() + std_duration(limits.total);
    // The wait for a connection is limited by itself, on top.
    let head = std_duration(limits.connect) + std_duration(limits.first_byte);
    let patience = Patience { idle: std_duration(limits.idle), deadline };
    match send(&client, request, head, deadline).await {
        Err(ending) => ended(guard, ending),
        Ok(response) if response.status() != StatusCode::OK => {
            refused(guard, response, patience, call.answer_bytes).await
        }
        Ok(response) if call.ask.is_stream() => streamed(guard, response, patience, call).await,
        Ok(response) => plain(guard, response, patience, call.answer_bytes).await,
    }
}

async fn send(
    client: &UpstreamClient,
    request: Request<Full<Bytes>>,
    head: std::time::Duration,
    deadline: Instant,
) -> Result<Response<Incoming>, Ending> {
    match timeout_at(deadline.min(Instant::now() + head), client.request(request)).await {
        Err(_) => Err(Ending::Timeout),
        Ok(Ok(response)) => Ok(response),
        Ok(Err(error)) if error.is_connect() => {
            Err(if is_timeout(&error) { Ending::Timeout } else { Ending::Refused })
        }
        Ok(Err(error)) => Err(if is_garbage(&error) { Ending::Malformed } else { Ending::Reset }),
    }
}

/// The answer to a request that was not streamed: its client needs all of it, and so does whoever
/// wants to know whether it is one.
async fn plain(
    guard: TicketGuard,
    response: Response<Incoming>,
    patience: Patience,
    most: u64,
) -> Attempted {
    let (head, body) = response.into_parts();
    let whole = match collect(body, patience, most).await {
        Ok(whole) => whole,
        Err(ending) => return ended(guard, ending),
    };
    if !has_type(&head.headers, "json") {
        return ended(guard, Ending::Malformed);
    }
    let Ok(AnswerFacts { usage, finish, .. }) = read_answer(&whole) else {
        return ended(guard, Ending::Malformed);
    };
    let without = Observed::without_answer(Ending::Success, guard.latency());
    let observed = Observed { usage: usage.unwrap_or_default(), finish, ..without };
    let headers = to_client(&head.headers);
    let answer = Answer::Upstream { status: StatusCode::OK, headers, body: whole };
    Attempted::Ended { guard, observed, answer }
}

/// A streamed answer. Once its client has a piece of it no other attempt can follow, so where one
/// may follow nothing is passed on before the first content.
async fn streamed(
    guard: TicketGuard,
    response: Response<Incoming>,
    patience: Patience,
    call: Call<'_>,
) -> Attempted {
    let (head, mut body) = response.into_parts();
    if !has_type(&head.headers, "text/event-stream") {
        return ended(guard, Ending::Malformed);
    }
    let mut watch = Watch { guard, reader: StreamReader::new() };
    let mut held = Vec::new();
    while call.is_held && watch.guard.first_token().is_none() {
        let cut = match next(&mut body, patience).await {
            Ok(Some(piece)) => {
                watch.read(&piece);
                held.push(piece);
                continue;
            }
            Ok(None) => None,
            Err(ending) => Some(ending),
        };
        let Watch { guard, reader } = watch;
        let observed = observed(&guard, &reader.finish(), cut);
        if observed.ending != Ending::Success {
            let answer = Answer::Error(gateway_error(observed.ending, &guard));
            return Attempted::Ended { guard, observed, answer };
        }
        // A complete answer without any content.
        let mut whole = BytesMut::new();
        held.iter().for_each(|piece| whole.extend_from_slice(piece));
        let headers = to_client(&head.headers);
        let answer = Answer::Upstream { status: StatusCode::OK, headers, body: whole.freeze() };
        return Attempted::Ended { guard, observed, answer };
    }
    let relay = Relay::new(body, held, watch, patience);
    Attempted::Streams(to_client(&head.headers), Box::new(relay))
}

/// An answer other than success. What is wrong with the request is passed on; what is wrong between
/// gateway and upstream is the gateway's to tell.
async fn refused(
    guard: TicketGuard,
    response: Response<Incoming>,
    patience: Patience,
    most: u64,
) -> Attempted {
    let (head, body) = response.into_parts();
    let status = head.status.as_u16();
    if !(400..600).contains(&status) {
        return ended(guard, Ending::Malformed);
    }
    let body = collect(body, patience, most).await;
    let ending = Ending::Status(status);
    let retry_after = retry_after(&head.headers);
    let without = Observed::without_answer(ending, guard.latency());
    let observed = Observed { retry_after, ..without };
    let headers = to_client(&head.headers);
    let passes = matches!(status, 400 | 409 | 413 | 415 | 422 | 429 | 500..);
    let answer = match body {
        Ok(body) if passes && has_type(&headers, "json") => {
            Answer::Upstream { status: head.status, headers, body }
        }
        _ => {
            let mut error = gateway_error(ending, &guard);
            error.retry_after = retry_after;
            Answer::Error(error)
        }
    };
    Attempted::Ended { guard, observed, answer }
}

/// All seats are taken: as if the version had answered 503.
fn full(guard: TicketGuard) -> Attempted {
    let retry_after = Some(RetryAfter::of(Duration::from_secs(1)));
    let without = Observed::without_answer(Ending::Status(503), guard.latency());
    let observed = Observed { retry_after, ..without };
    let words = format!("the version {} has as many requests as it may have", guard.route().id);
    let error = ApiError::overloaded(words, RetryAfter::of(Duration::from_secs(1)));
    Attempted::Ended { guard, observed, answer: Answer::Error(error) }
}

fn ended(guard: TicketGuard, ending: Ending) -> Attempted {
    let observed = Observed::without_answer(ending, guard.latency());
    let answer = Answer::Error(gateway_error(ending, &guard));
    Attempted::Ended { guard, observed, answer }
}

/// What a client is told of an attempt that brought nothing that could be passed on.
fn gateway_error(ending: Ending, guard: &TicketGuard) -> ApiError {
    match ending {
        Ending::Timeout | Ending::Status(408) => {
            ApiError::upstream_timed_out(guard.route().endpoint.timeouts().total)
        }
        Ending::Refused => ApiError::upstream_failed("the upstream cannot be reached"),
        Ending::Reset => ApiError::upstream_failed("the upstream broke off"),
        Ending::Status(status @ (401 | 403 | 404)) => ApiError::upstream_failed(format!(
            "the upstream answered {status}: the gateway's credentials or its name of the model \
             are wrong"
        )),
        Ending::Status(429) => ApiError::rate_limited(
            "the upstream has too many requests",
            RetryAfter::of(Duration::from_secs(1)),
        ),
        Ending::Status(status) => {
            let words = format!("the upstream answered {status}");
            ApiError { status: status.max(500), ..ApiError::upstream_failed(words) }
        }
        Ending::ErrorInStream => ApiError::upstream_failed("the upstream's answer was an error"),
        Ending::Truncated => {
            ApiError::upstream_failed("the upstream's answer stopped without an end")
        }
        Ending::Malformed | Ending::Success | Ending::ClientClosed => {
            ApiError::upstream_failed("the upstream's answer cannot be read")
        }
    }
}

/// A whole body, without a copy where it comes in one piece.
async fn collect(mut body: Incoming, patience: Patience, most: u64) -> Result<Bytes, Ending> {
    let Some(first) = next(&mut body, patience).await? else { return Ok(Bytes::new()) };
    if first.len() as u64 > most {
        return Err(Ending::Malformed);
    }
    if body.is_end_stream() {
        return Ok(first);
    }
    let mut whole = BytesMut::from(&*first);
    while let Some(piece) = next(&mut body, patience).await? {
        if (whole.len() + piece.len()) as u64 > most {
            return Err(Ending::Malformed);
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

async fn next(body: &mut Incoming, patience: Patience) -> Result<Option<Bytes>, Ending> {
    let by = patience.deadline.min(Instant::now() + patience.idle);
    match timeout_at(by, body.frame()).await {
        Err(_) => Err(Ending::Timeout),
        Ok(None) => Ok(None),
        Ok(Some(Err(_))) => Err(Ending::Reset),
        Ok(Some(Ok(frame))) => Ok(Some(frame.into_data().unwrap_or_default())),
    }
}

fn has_type(headers: &HeaderMap, wanted: &str) -> bool {
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    value.is_some_and(|value| {
        let essence = value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        essence == wanted || essence.ends_with(wanted)
    })
}

fn retry_after(headers: &HeaderMap) -> Option<RetryAfter> {
    let seconds: u64 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(RetryAfter::of(Duration::from_secs(seconds)))
}

/// Whether it is a connection that did not come about in time.
fn is_timeout(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        let io = error.downcast_ref::<std::io::Error>();
        if io.is_some_and(|io| io.kind() == std::io::ErrorKind::TimedOut) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Whether what came is no HTTP.
fn is_garbage(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if error.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_parse) {
            return true;
        }
        cause = error.source();
    }
    false
}
