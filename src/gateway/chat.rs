//! `POST /v1/chat/completions`: from a request to the answer of the version that the engine chose.

use std::sync::Arc;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER, VARY};
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response, StatusCode, Version};
use http_body_util::BodyExt;
use hyper::body::{Body as _, Incoming};
use tokio::time::timeout;

use super::access_secret::Presented;
use super::attempt::{Answer, Attempted, Call, Streamed, attempt};
use super::denied::denied;
use super::desk::{Admitted, Asked, Denied, Desk};
use super::fault::retry_soon;
use super::flow::Flow;
use super::house::Settings;
use super::pass_headers::CANARY_VERSION;
use super::relay::Relay;
use super::room::Seat;
use super::taped::{Subject, TapedRequest};
use super::ticket_guard::TicketGuard;
use super::version_route::VersionRoute;
use super::worker::{Worker, std_duration};
use crate::chance::Purpose;
use crate::engine::{Completion, StickyKey, Target};
use crate::scenario::StickySource;
use crate::units::RequestId;
use crate::wire::{ApiError, ChatAsk};

/// Answers a chat completion; `id` is the request's.
pub(super) async fn chat(
    worker: &Worker,
    request: Request<Incoming>,
    id: &HeaderValue,
) -> Result<Response<Body>, ApiError> {
    let house = &worker.house;
    let settings = house.settings();
    let seat = settings.room.enter().ok_or_else(|| {
        let words = "the gateway has as many requests as it may have";
        ApiError::overloaded(words, retry_soon())
    })?;
    let (head, body) = request.into_parts();
    let presented = Presented::of(&head.headers)?;
    // Before anything of the body is read: who has no key must not cost memory.
    let number = worker.number(&head.headers)?;
    let known = house.desk.authenticate(presented.id, &presented.secret);
    known.map_err(|error| refused(worker, number, "", &Denied::Key(error)))?;
    check_type(&head.headers)?;
    let body = read(body, &head.headers, &settings).await?;
    let ask = ChatAsk::read(&body).map_err(|error| error.to_api_error())?;
    let pin = pin(&head.headers, &ask)?;
    let (model, _) = ask.named();
    let place = house.desk.model(model);
    let owner = place.and_then(|place| {
        let by = &settings.models[usize::from(place.0)].sticky_by;
        owner(by, &head.headers, &ask, presented.id)
    });
    let asked = Asked {
        number,
        key: (presented.id, presented.secret),
        model,
        pin: pin.as_ref(),
        draw: worker.draws(number, 0).draw(Purpose::Split, 0),
        sticky: owner.map(StickyKey::Text),
    };
    let admitted = house.desk.admit(asked);
    let admitted = admitted.map_err(|error| refused(worker, number, model, &error))?;
    let is_held = settings.models[usize::from(admitted.model.0)].may_retry;
    let answer_bytes = settings.limits.answer_bytes;
    let client = (head.version == Version::HTTP_2).then_some(settings.limits.write_timeout);
    let headers = &head.headers;
    let call = Call { body: &body, ask: &ask, headers, id, is_held, answer_bytes, client };
    let taped = TapedRequest::new(house, || {
        subject(&house.desk, &admitted, &ask, &head.headers, presented.id)
    });
    follow(worker, call, admitted, Caller { number, owner, seat, taped }).await
}

/// What the client is told of a request that goes to no version.
fn refused(worker: &Worker, number: RequestId, model: &str, why: &Denied) -> ApiError {
    let desk = &worker.house.desk;
    // Nobody else listens: strangers must not cost the engine's lock once more.
    if let (Denied::Key(error), true) = (why, worker.is_harnessed()) {
        desk.key_refused(number, error);
    }
    denied(desk, model, why)
}

/// Whose request it is.
struct Caller<'a> {
    number: RequestId,
    /// Whom it sticks by.
    owner: Option<&'a str>,
    seat: Seat,
    /// Where it is recorded, if it is.
    taped: Option<Arc<TapedRequest>>,
}

/// What is recorded of a request beside its end: no word of the prompt.
fn subject(
    desk: &Desk,
    admitted: &Admitted,
    ask: &ChatAsk<'_>,
    headers: &HeaderMap,
    key: &str,
) -> Option<Subject> {
    let session = headers.get(SESSION).and_then(|value| value.to_str().ok());
    Some(Subject {
        sent: admitted.ticket.start(),
        model: desk.model_id(admitted.model)?.clone(),
        user: ask.user().unwrap_or(key).to_owned(),
        session: session.map(str::to_owned),
        is_stream: ask.is_stream(),
    })
}

/// Attempts until one is the last.
async fn follow(
    worker: &Worker,
    call: Call<'_>,
    admitted: Admitted,
    caller: Caller<'_>,
) -> Result<Response<Body>, ApiError> {
    let Caller { number, owner, seat, taped } = caller;
    let desk = &worker.house.desk;
    let Admitted { model, ticket, assigned, attempted } = admitted;
    let new_guard = |ticket, route| {
        let id = (number, call.id.clone());
        TicketGuard::new(Arc::clone(desk), ticket, route, id, taped.clone())
    };
    let mut guard = new_guard(ticket, attempted);
    loop {
        let route = Arc::clone(guard.route());
        let (ended, observed, answer) = match attempt(worker, call, guard).await {
            Attempted::Streams(streamed) => {
                let Streamed { headers, upstream, held, watch, patience } = *streamed;
                let flow = Flow::new(upstream, held, watch, patience, seat);
                let relay = Relay::new(flow, worker.closing.begun());
                return Ok(respond(StatusCode::OK, headers, Body::new(relay), &route, &assigned));
            }
            // Another attempt would make it worse, and the version has done nothing.
            Attempted::Full { guard, error } => {
                guard.decline();
                return Ok(served_by(error_response(&error), &route, &assigned));
            }
            Attempted::Ended { guard, observed, answer } => (guard, observed, answer),
        };
        let Completion::Retry(retry) = ended.complete(&observed) else {
            return Ok(match answer {
                Answer::Upstream { status, headers, body } => {
                    respond(status, headers, Body::from(body), &route, &assigned)
                }
                Answer::Error(error) => served_by(error_response(&error), &route, &assigned),
            });
        };
        if let Some(taped) = &taped {
            taped.goes_on();
        }
        let draws = worker.draws(number, retry.attempt());
        let wait = retry.after(draws.draw(Purpose::Backoff, 0));
        tokio::time::sleep(worker.on_the_wall(wait)).await;
        let draw = draws.draw(Purpose::Split, 0);
        let (ticket, route) = desk.retry(number, model, retry, draw, owner.map(StickyKey::Text));
        guard = new_guard(ticket, route);
    }
}

/// An answer with what it must say of itself.
fn respond(
    status: StatusCode,
    headers: HeaderMap,
    body: Body,
    served: &VersionRoute,
    assigned: &VersionRoute,
) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    served_by(response, served, assigned)
}

/// Which version's answer it is, and that no cache may give it to another client.
fn served_by(
    mut response: Response<Body>,
    served: &VersionRoute,
    assigned: &VersionRoute,
) -> Response<Body> {
    let headers = response.headers_mut();
    headers.insert(SERVED_VERSION, served.header.clone());
    if served.id != assigned.id {
        headers.insert(ASSIGNED_VERSION, assigned.header.clone());
    }
    response
}

/// An error as a response.
pub(super) fn error_response(error: &ApiError) -> Response<Body> {
    let mut response = Response::new(Body::from(error.to_json()));
    *response.status_mut() =
        StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Some(wait) = error.retry_after {
        headers.insert(RETRY_AFTER, HeaderValue::from(wait.wait().as_secs()));
    }
    response
}

/// That no cache between gateway and client may keep a response.
pub(super) fn forbid_caches(headers: &mut HeaderMap) {
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(VARY, HeaderValue::from_static("X-Canary-Version, Authorization"));
}

fn check_type(headers: &HeaderMap) -> Result<(), ApiError> {
    if let Some(encoding) = headers.get(CONTENT_ENCODING) {
        let is_none = encoding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"identity");
        if !is_none || headers.get_all(CONTENT_ENCODING).iter().nth(1).is_some() {
            return Err(ApiError::unsupported_encoding());
        }
    }
    let value = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next()).map(str::trim);
    match essence {
        Some(essence) if essence.eq_ignore_ascii_case("application/json") => Ok(()),
        found => Err(ApiError::unsupported_media_type(found, "application/json")),
    }
}

/// The body, without a copy where it comes in one piece.
async fn read(
    mut body: Incoming,
    headers: &HeaderMap,
    settings: &Settings,
) -> Result<Bytes, ApiError> {
    let most = settings.limits.body_bytes;
    let too_large = || ApiError::too_large(most as usize);
    let told = headers.get(http::header::CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    if told.and_then(|told| told.parse::<u64>().ok()).is_some_and(|told| told > most) {
        return Err(too_large());
    }
    let reading = async {
        let mut whole: Option<BytesMut> = None;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|_| ApiError::malformed("the body broke off"))?;
            let piece = frame.into_data().unwrap_or_default();
            let length = whole.as_ref().map_or(0, BytesMut::len) + piece.len();
            if length as u64 > most {
                return Err(too_large());
            }
            match &mut whole {
                None if body.is_end_stream() => return Ok(piece),
                None => whole = Some(BytesMut::from(&*piece)),
                Some(whole) => whole.extend_from_slice(&piece),
            }
        }
        Ok(whole.unwrap_or_default().freeze())
    };
    let limit = settings.limits.read_timeout;
    timeout(std_duration(limit), reading).await.unwrap_or_else(|_| {
        let words = format!("the body did not come within {limit}");
        Err(ApiError { status: 408, ..ApiError::malformed(words) })
    })
}

/// The version that is asked for, if the split is not to choose.
fn pin(headers: &HeaderMap, ask: &ChatAsk<'_>) -> Result<Option<Target>, ApiError> {
    let mut values = headers.get_all(CANARY_VERSION).iter();
    let header = match (values.next(), values.next()) {
        (_, Some(_)) => {
            let words = "the header X-Canary-Version stands twice or more; allowed is once";
            return Err(ApiError::invalid("X-Canary-Version", words));
        }
        (None, None) => None,
        (Some(value), None) => match value.to_str().map(str::trim) {
            Ok(name) if name.eq_ignore_ascii_case(AUTO) => None,
            Ok(name) => Some(name),
            Err(_) => Some(""),
        },
    };
    let name = match (header, ask.named().1) {
        (Some(one), Some(other)) if one != other => {
            let words =
                format!("X-Canary-Version is {one:?} and model names {other:?}: name one version");
            return Err(ApiError::invalid("X-Canary-Version", words));
        }
        (one, other) => one.or(other),
    };
    let Some(name) = name else { return Ok(None) };
    let target = Target::new(name).ok_or_else(|| {
        let words = format!(
            "{name:?} can be the name of no version: allowed are auto, a version \
             or a tag"
        );
        ApiError::invalid("X-Canary-Version", words)
    })?;
    Ok(Some(target))
}

/// Whom the request belongs to.
fn owner<'a>(
    by: &StickySource,
    headers: &'a HeaderMap,
    ask: &'a ChatAsk<'_>,
    key: &'a str,
) -> Option<&'a str> {
    let header = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    match by {
        StickySource::User => ask.user(),
        StickySource::Session => header(&SESSION),
        StickySource::Client => Some(key),
        StickySource::Header(name) => header(name),
    }
}

/// What asks for the split, and so can be the name of no version and no tag.
pub(super) const AUTO: &str = "auto";
const SERVED_VERSION: HeaderName = HeaderName::from_static("x-served-version");
const ASSIGNED_VERSION: HeaderName = HeaderName::from_static("x-assigned-version");
const SESSION: HeaderName = HeaderName::from_static("x-session-id");
