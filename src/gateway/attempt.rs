//! One attempt at a request: it is sent, and what comes back is read as far as it must be before
//! its client gets anything. Decides nothing about what follows.

use bytes::{Bytes, BytesMut};
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version};
use http_body::Body as _;
use http_body_util::{BodyExt, Full};
use tokio::time::{Instant, timeout_at};

use super::fault::{Fault, Limit, retry_soon};
use super::flow::{Patience, Watch, observed};
use super::pass_headers::{to_client, to_upstream};
use super::send::{SOON, Unanswered, Waits, broken_off, send};
use super::sieve::Sieve;
use super::ticket_guard::TicketGuard;
use super::unreadable::{Lost, Unreadable};
use super::upstream_body::UpstreamBody;
use super::worker::{Worker, std_duration};
use crate::exchange::{Class, Classification, Ending, Observed, RetryAfter};
use crate::units::Duration;
use crate::wire::{AnswerFacts, ApiError, ChatAsk, RequestNumber, read_answer};

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
    /// How long its client may take nothing of a stream, where its connection does not see to that.
    pub(super) client: Option<Duration>,
}

/// What came of an attempt.
pub(super) enum Attempted {
    /// It has ended, and this is what its client gets unless another follows.
    Ended { guard: TicketGuard, observed: Observed, answer: Answer },
    /// Nothing was sent: there are as many requests as there may be.
    Full { guard: TicketGuard, error: ApiError },
    /// Its answer is on its way.
    Streams(Box<Streamed>),
}

/// An answer on its way.
pub(super) struct Streamed {
    pub(super) headers: HeaderMap,
    pub(super) upstream: UpstreamBody,
    /// What has been taken from it.
    pub(super) held: Vec<Bytes>,
    pub(super) watch: Watch,
    pub(super) patience: Patience,
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
        let words = format!("the version {} has as many requests as it may have", guard.route().id);
        return Attempted::Full { guard, error: ApiError::overloaded(words, retry_soon()) };
    }
    let route = std::sync::Arc::clone(guard.route());
    let timeouts = route.endpoint.timeouts();
    let body = Bytes::from(route.parameters.splice(call.body, call.ask));
    // Digits are what headers may have.
    let number = || HeaderValue::try_from(guard.number().to_string()).ok();
    let number = worker.is_harnessed().then(number).flatten();
    let request = || {
        let mut request = Request::new(Full::new(body.clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = route.endpoint.chat().clone();
        *request.version_mut() = Version::HTTP_11;
        *request.headers_mut() = to_upstream(call.headers, call.id, &route.endpoint);
        if let Some(number) = &number {
            request.headers_mut().insert(RequestNumber::HEADER, number.clone());
        }
        request
    };
    let deadline = Instant::now() + worker.on_the_wall(timeouts.total);
    let idle = worker.on_the_wall(timeouts.idle);
    let patience = Patience { timeouts, idle, deadline, client: call.client.map(std_duration) };
    let pool = worker.pool(&route.endpoint);
    // The head of a plain answer comes with its end: only all of it can be late.
    let first_byte = if call.ask.is_stream() { timeouts.first_byte } else { timeouts.total };
    let [first_byte, soon] = [first_byte, SOON].map(|length| worker.on_the_wall(length));
    match send(&pool, request, Waits { first_byte, soon, deadline }).await {
        Err(Unanswered { fault, error }) => {
            let error = error.as_deref();
            guard.tell(fault, error.map(|error| error as &(dyn std::error::Error + 'static)));
            without_answer(guard, fault)
        }
        Ok(response) if response.status() != StatusCode::OK => {
            refused(guard, response, patience, call.answer_bytes).await
        }
        // None was asked for, and what cannot be read cannot be judged.
        Ok(response) if is_encoded(response.headers()) => {
            ended(guard, Unreadable::encoded(response.headers()))
        }
        Ok(response) if call.ask.is_stream() => streamed(guard, response, patience, call).await,
        Ok(response) => plain(guard, response, patience, call.answer_bytes).await,
    }
}

/// The answer to a request that was not streamed: its client needs all of it, and so does whoever
/// wants to know whether it is one.
async fn plain(
    guard: TicketGuard,
    response: Response<UpstreamBody>,
    patience: Patience,
    most: u64,
) -> Attempted {
    let (head, body) = response.into_parts();
    let whole = match collect(body, patience, most).await {
        Ok(whole) => whole,
        Err(lost) => return ended(guard, lost),
    };
    if !has_type(&head.headers, "json") {
        return ended(guard, Unreadable::content_type(&head.headers, "application/json"));
    }
    let AnswerFacts { usage, output_estimated, finish, .. } = match read_answer(&whole) {
        Ok(facts) => facts,
        Err(error) => return ended(guard, Unreadable::Answer(error)),
    };
    let without = Observed::without_answer(Ending::Success, guard.latency());
    let observed = Observed { finish, ..without }.counted(usage, output_estimated);
    let headers = to_client(&head.headers);
    let answer = Answer::Upstream { status: StatusCode::OK, headers, body: whole };
    Attempted::Ended { guard, observed, answer }
}

/// A streamed answer. Once its client has a piece of it no other attempt can follow, so where one
/// may follow nothing is passed on before the first content, or before there is more than is kept.
async fn streamed(
    guard: TicketGuard,
    response: Response<UpstreamBody>,
    patience: Patience,
    call: Call<'_>,
) -> Attempted {
    let (head, mut body) = response.into_parts();
    if !has_type(&head.headers, EVENTS) {
        return ended(guard, Unreadable::content_type(&head.headers, EVENTS));
    }
    let mut watch = Watch { guard, sieve: Sieve::default() };
    let (mut held, mut held_bytes) = (Vec::new(), 0);
    while call.is_held && watch.guard.first_token().is_none() && held_bytes < MOST_HELD {
        let fault = match next(&mut body, patience, broken_off).await {
            Ok(Some(piece)) => {
                let sifted = watch.sieve.pass(piece);
                if sifted.first_content {
                    watch.guard.first_token_came();
                }
                // Comments keep a connection alive that nobody sees yet.
                if sifted.has_events && !sifted.bytes.is_empty() {
                    held_bytes += sifted.bytes.len();
                    held.push(sifted.bytes);
                }
                continue;
            }
            Ok(None) => None,
            Err(fault) => Some(fault),
        };
        let Watch { guard, mut sieve } = watch;
        let ending = fault.map(|fault| fault.ending);
        let observed = observed(&guard, &sieve.facts(), ending);
        if observed.ending != Ending::Success {
            let fault = fault.filter(|fault| fault.ending == observed.ending);
            let fault = fault.unwrap_or_else(|| Fault::of(observed.ending));
            guard.tell_of_stream(fault);
            let answer = Answer::Error(fault.to_error(patience.timeouts));
            return Attempted::Ended { guard, observed, answer };
        }
        // A complete answer without any content.
        let mut whole = BytesMut::new();
        held.push(sieve.rest());
        held.iter().for_each(|piece| whole.extend_from_slice(piece));
        let headers = to_client(&head.headers);
        let answer = Answer::Upstream { status: StatusCode::OK, headers, body: whole.freeze() };
        return Attempted::Ended { guard, observed, answer };
    }
    let headers = to_client(&head.headers);
    Attempted::Streams(Box::new(Streamed { headers, upstream: body, held, watch, patience }))
}

/// An answer other than success. What is wrong with the request is passed on; what is wrong between
/// gateway and upstream is the gateway's to tell.
async fn refused(
    guard: TicketGuard,
    response: Response<UpstreamBody>,
    patience: Patience,
    most: u64,
) -> Attempted {
    let (head, body) = response.into_parts();
    let status = head.status.as_u16();
    if !(400..600).contains(&status) {
        return ended(guard, Unreadable::Status(status));
    }
    let body = collect(body, patience, most).await;
    let ending = Ending::Status(status);
    if ending.class(Classification::default()) == Class::Error {
        guard.tell(Fault::of(ending), None);
    }
    let retry_after = retry_after(&head.headers);
    let without = Observed::without_answer(ending, guard.latency());
    let observed = Observed { retry_after, ..without };
    let headers = to_client(&head.headers);
    let is_readable = has_type(&headers, "json") && !is_encoded(&head.headers);
    let answer = match body {
        Ok(body) if passes(status) && is_readable => {
            Answer::Upstream { status: head.status, headers, body }
        }
        _ => {
            let mut error = Fault::of(ending).to_error(patience.timeouts);
            error.retry_after = retry_after.or(error.retry_after);
            Answer::Error(error)
        }
    };
    Attempted::Ended { guard, observed, answer }
}

fn ended(guard: TicketGuard, lost: impl Into<Lost>) -> Attempted {
    let Lost { fault, why } = lost.into();
    guard.tell(fault, why.as_ref().map(|why| why as &(dyn std::error::Error + 'static)));
    without_answer(guard, fault)
}

fn without_answer(guard: TicketGuard, fault: Fault) -> Attempted {
    let observed = Observed::without_answer(fault.ending, guard.latency());
    let answer = Answer::Error(fault.to_error(guard.route().endpoint.timeouts()));
    Attempted::Ended { guard, observed, answer }
}

/// Whether a client gets what the upstream says with this status. Not where it is about the
/// gateway's own credentials, model names or patience: there it would tell of what is not the
/// client's.
const fn passes(status: u16) -> bool {
    !matches!(status, 401 | 403 | 404 | 407 | 408)
}

/// A whole body, without a copy where it comes in one piece.
async fn collect(mut body: UpstreamBody, patience: Patience, most: u64) -> Result<Bytes, Lost> {
    let too_long = || Err(Unreadable::TooLong(most).into());
    // Of a plain answer that breaks off nothing is left, however it does.
    let broken_off = |_: &hyper::Error| Ending::Reset;
    let Some(first) = next(&mut body, patience, broken_off).await? else { return Ok(Bytes::new()) };
    if first.len() as u64 > most {
        return too_long();
    }
    if body.is_end_stream() {
        return Ok(first);
    }
    let mut whole = BytesMut::from(&*first);
    while let Some(piece) = next(&mut body, patience, broken_off).await? {
        if (whole.len() + piece.len()) as u64 > most {
            return too_long();
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole.freeze())
}

async fn next(
    body: &mut UpstreamBody,
    patience: Patience,
    broken_off: impl Fn(&hyper::Error) -> Ending,
) -> Result<Option<Bytes>, Fault> {
    let idle = Instant::now() + patience.idle;
    match timeout_at(patience.deadline.min(idle), body.frame()).await {
        Err(_) if idle < patience.deadline => Err(Fault::late(Limit::Idle)),
        Err(_) => Err(Fault::late(Limit::Total)),
        Ok(None) => Ok(None),
        Ok(Some(Err(error))) => Err(Fault::of(broken_off(&error))),
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

/// Whether a body is packed, though that was not asked for.
fn is_encoded(headers: &HeaderMap) -> bool {
    let values = headers.get_all(CONTENT_ENCODING).into_iter();
    let mut named = values.map(HeaderValue::as_bytes).map(<[u8]>::trim_ascii);
    named.any(|value| !value.is_empty() && !value.eq_ignore_ascii_case(b"identity"))
}

fn retry_after(headers: &HeaderMap) -> Option<RetryAfter> {
    RetryAfter::read(headers.get(RETRY_AFTER)?.to_str().ok()?)
}

const EVENTS: &str = "text/event-stream";
/// Chosen: many times what comes before the first content; more, and streams that say nothing would
/// cost the gateway its memory.
const MOST_HELD: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn told(value: &str) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, HeaderValue::from_str(value).unwrap());
        retry_after(&headers).map(|told| told.wait().as_secs())
    }

    #[test]
    fn no_wait_is_too_long_to_be_told() {
        assert_eq!([told("0"), told("7"), told(" 65536 ")], [Some(1), Some(7), Some(65_535)]);
        let longest = u64::MAX.to_string();
        assert_eq!([told("18446744074"), told(&longest)], [Some(65_535); 2]);
        assert_eq!([told("soon"), told("Mon, 30 Nov 2026 08:00:00 GMT")], [None; 2]);
    }

    #[test]
    fn only_identity_is_no_encoding() {
        let encoded = |value: &'static str| {
            is_encoded(&HeaderMap::from_iter([(CONTENT_ENCODING, HeaderValue::from_static(value))]))
        };
        assert!(encoded("gzip") && encoded("br") && encoded("identity, gzip"));
        assert!(!encoded("identity") && !encoded("Identity ") && !is_encoded(&HeaderMap::new()));
    }
}
