//! From a request on a connection to its response: ids, what every response says of itself, and who
//! answers which path.

use std::convert::Infallible;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::header::ALLOW;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use hyper::body::Incoming;
use tower::ServiceExt;

use super::chat::{chat, error_response, forbid_caches};
use super::closing::Closing;
use super::pass_headers::REQUEST_ID;
use super::worker::Worker;
use crate::wire::ApiError;

/// Answers a request; `others` answers what is no chat completion.
pub(super) async fn answer(
    worker: Arc<Worker>,
    others: Router,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let began = worker.house.desk.now();
    let id = request_id(&worker, request.headers());
    let most = worker.house.settings().limits.header_bytes;
    let mut response = match (request.uri().path(), request.method()) {
        _ if most < SMALLEST_BUFFER && head_bytes(&request) > most as usize => {
            worker.house.meters.refused(431);
            error_response(&ApiError::head_too_large(most as usize))
        }
        (CHAT, &Method::POST) => {
            let answered = tokio::select! {
                // First, so that no attempt begins after it.
                biased;
                // It is none of those that were sent to no version.
                () = worker.closing.begun() => Ok(error_response(&Closing::error())),
                answered = chat(&worker, request, &id) => answered,
            };
            answered.unwrap_or_else(|error| {
                worker.house.meters.refused(error.status);
                tracing::debug!(
                    target: "coalmine::access", id = id.to_str().unwrap_or_default(),
                    status = error.status, why = error.message.as_str(), "request refused"
                );
                error_response(&error)
            })
        }
        (CHAT, method) => {
            worker.house.meters.refused(405);
            other_method(method)
        }
        _ => {
            let answered = others.oneshot(request.map(Body::new)).await;
            answered.unwrap_or_else(|never| match never {})
        }
    };
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id);
    forbid_caches(headers);
    let took = worker.house.desk.now().since(began);
    headers.insert(PROCESSING, HeaderValue::from(took.as_micros() / 1_000));
    Ok(response)
}

/// How many bytes the head has, as HTTP/1.1 writes it.
fn head_bytes(request: &Request<Incoming>) -> usize {
    let target = request.uri().path_and_query().map_or(1, |target| target.as_str().len());
    let line = request.method().as_str().len() + target + "  HTTP/1.1\r\n".len();
    let of_header = |(name, value): (&HeaderName, &HeaderValue)| {
        name.as_str().len() + value.len() + ": \r\n".len()
    };
    line + request.headers().iter().map(of_header).sum::<usize>() + "\r\n".len()
}

/// Who refuses a method says which there are: RFC 9110, section 15.5.6.
fn other_method(method: &Method) -> Response<Body> {
    let mut response = error_response(&ApiError::method_not_allowed(method.as_str(), "POST"));
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    response
}

/// The client's id for its request, where that is one; else a new one.
fn request_id(worker: &Worker, headers: &HeaderMap) -> HeaderValue {
    let is_id = |value: &&HeaderValue| {
        let bytes = value.as_bytes();
        (1..=LONGEST_ID).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)
    };
    headers.get(REQUEST_ID).filter(is_id).cloned().unwrap_or_else(|| worker.new_id())
}

/// The room that a connection has for a head, at least: hyper has no smaller one.
pub(super) const SMALLEST_BUFFER: u32 = 8_192;
const CHAT: &str = "/v1/chat/completions";
const PROCESSING: HeaderName = HeaderName::from_static("openai-processing-ms");
/// Chosen: room for any scheme of ids; a longer one is no id.
const LONGEST_ID: usize = 128;
