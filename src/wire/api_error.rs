//! What a client is told when its request is refused or failed.
//!
//! Knows the shape and words of the interface's errors, not how they are sent or what led to them.

use std::borrow::Cow;

use serde::Serialize;

use crate::exchange::RetryAfter;
use crate::units::Duration;

/// An error as a client of the OpenAI interface reads it.
///
/// ```
/// use coalmine::wire::ApiError;
/// let error = ApiError::model_not_found("gpt-5");
/// assert_eq!(error.status, 404);
/// let told = String::from_utf8(error.to_json()).unwrap();
/// assert!(told.starts_with(r#"{"error":{"message":"the model `gpt-5` does not exist"#));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ApiError {
    /// The HTTP status, 400 to 599.
    pub status: u16,
    /// The member `type`.
    pub kind: ErrorKind,
    /// The member `code`: what a program tells errors of one kind apart by.
    pub code: Option<Cow<'static, str>>,
    /// The member `param`: the field of the request that is at fault.
    pub param: Option<String>,
    /// The member `message`: for people; names the field, its value and what is allowed.
    pub message: String,
    /// The header `retry-after`: when the request may succeed, where that is known.
    pub retry_after: Option<RetryAfter>,
}

/// The member `type` of an error.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorKind {
    /// The request is wrong: 400, 405, 413, 415, 422.
    InvalidRequest,
    /// No valid access key: 401.
    Authentication,
    /// A valid access key without the right to do this: 403.
    Permission,
    /// Something that the request names does not exist: 404.
    NotFound,
    /// What is asked contradicts the present state: 409.
    Conflict,
    /// Too many requests: 429.
    RateLimit,
    /// The gateway or its upstream failed: 5xx.
    Server,
}

impl ApiError {
    /// 400: a value of the field `param` that is not allowed, or a field that is unknown; `message`
    /// names value and allowed range.
    pub fn invalid(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self::of(400, ErrorKind::InvalidRequest, message)
            .with_code("invalid_value")
            .with_param(param)
    }

    /// 400: a request that cannot be read at all, for example a body that is not JSON.
    pub fn malformed(message: impl Into<String>) -> Self {
        Self::of(400, ErrorKind::InvalidRequest, message).with_code("malformed_request")
    }

    /// 401: no access key, or one that is not valid; `message` never repeats the key.
    pub fn invalid_api_key(message: impl Into<String>) -> Self {
        Self::of(401, ErrorKind::Authentication, message).with_code("invalid_api_key")
    }

    /// 403: the access key is valid, but not for this.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::of(403, ErrorKind::Permission, message).with_code("insufficient_permissions")
    }

    /// 404: something other than a model or a version does not exist, for example the path.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self::of(404, ErrorKind::NotFound, message).with_code("not_found")
    }

    /// 404: no model is called `model`.
    pub fn model_not_found(model: &str) -> Self {
        let message =
            format!("the model `{}` does not exist or this key may not use it", shortened(model));
        Self::of(404, ErrorKind::NotFound, message).with_code("model_not_found").with_param("model")
    }

    /// 404: no version or tag of `model` is called `named`; the `known` names are listed.
    pub fn version_not_found<'a>(
        model: &str,
        named: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let mut list = String::new();
        for name in known {
            list.push_str(if list.is_empty() { "" } else { ", " });
            list.push_str(name);
        }
        let known = if list.is_empty() { "it has none" } else { &list };
        let (model, named) = (shortened(model), shortened(named));
        let message =
            format!("the model `{model}` has no version or tag `{named}`; known: {known}");
        Self::of(404, ErrorKind::NotFound, message)
            .with_code("version_not_found")
            .with_param("version")
    }

    /// 405: the path exists, but not for this method; `allowed` lists those it has.
    pub fn method_not_allowed(method: &str, allowed: &str) -> Self {
        let message = format!("the method {} is not among {allowed}", shortened(method));
        Self::of(405, ErrorKind::InvalidRequest, message).with_code("method_not_allowed")
    }

    /// 409: what is asked contradicts the present state.
    pub fn conflict(message: impl Into<String>) -> Self {
        Self::of(409, ErrorKind::Conflict, message).with_code("conflict")
    }

    /// 413: a body of more than `limit` bytes.
    pub fn too_large(limit: usize) -> Self {
        let message = format!("the body has more than {limit} bytes");
        Self::of(413, ErrorKind::InvalidRequest, message).with_code("request_too_large")
    }

    /// 415: a body of another content type than the `allowed` one; `None`: it says none.
    pub fn unsupported_media_type(found: Option<&str>, allowed: &str) -> Self {
        let found = found
            .map_or(Cow::Borrowed("absent"), |found| Cow::Owned(format!("`{}`", shortened(found))));
        let message = format!("content-type is {found}, must be `{allowed}`");
        Self::of(415, ErrorKind::InvalidRequest, message)
            .with_code("unsupported_media_type")
            .with_param("content-type")
    }

    /// 415: a body that is packed.
    pub fn unsupported_encoding() -> Self {
        let message = "the body is packed: send it without content-encoding";
        Self::of(415, ErrorKind::InvalidRequest, message)
            .with_code("unsupported_media_type")
            .with_param("content-encoding")
    }

    /// 422: well formed, but refused.
    pub fn refused(message: impl Into<String>) -> Self {
        Self::of(422, ErrorKind::InvalidRequest, message).with_code("refused")
    }

    /// 429: too many requests; `retry_after` says when to come again.
    pub fn rate_limited(message: impl Into<String>, retry_after: RetryAfter) -> Self {
        Self::of(429, ErrorKind::RateLimit, message)
            .with_code("rate_limit_exceeded")
            .with_retry_after(retry_after)
    }

    /// 431: a head of more than `limit` bytes.
    pub fn head_too_large(limit: usize) -> Self {
        let message = format!("the head has more than {limit} bytes");
        Self::of(431, ErrorKind::InvalidRequest, message).with_code("head_too_large")
    }

    /// 500: the gateway itself failed, for example to write its journal.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::of(500, ErrorKind::Server, message).with_code("internal_error")
    }

    /// 502: the upstream could not be reached, broke off, or gave an answer that cannot be read.
    pub fn upstream_failed(message: impl Into<String>) -> Self {
        Self::of(502, ErrorKind::Server, message).with_code("upstream_failed")
    }

    /// 503: too much to do, or about to stop; `retry_after` says when to come again.
    pub fn overloaded(message: impl Into<String>, retry_after: RetryAfter) -> Self {
        Self::of(503, ErrorKind::Server, message)
            .with_code("overloaded")
            .with_retry_after(retry_after)
    }

    /// 504: the upstream gave no complete answer within `limit`.
    pub fn upstream_timed_out(limit: Duration) -> Self {
        let seconds = limit.as_secs_f64();
        let message = format!("the upstream gave no complete answer within {seconds} s");
        Self::of(504, ErrorKind::Server, message).with_code("upstream_timed_out")
    }

    /// The same error with another `code`.
    #[must_use]
    pub fn with_code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.code = Some(code.into());
        self
    }

    /// The same error, blamed on a field of the request.
    #[must_use]
    pub fn with_param(mut self, param: impl Into<String>) -> Self {
        self.param = Some(param.into());
        self
    }

    /// The same error, with a time to come again.
    #[must_use]
    pub fn with_retry_after(mut self, retry_after: RetryAfter) -> Self {
        self.retry_after = Some(retry_after);
        self
    }

    /// The body: `{"error": {"message", "type", "param", "code"}}`.
    pub fn to_json(&self) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.message.len() + ROOM);
        self.write(&mut body);
        body
    }

    /// The same as an event of a stream that has begun as a success: `data: {"error": ...}` and an
    /// empty line.
    pub fn to_event(&self) -> Vec<u8> {
        let mut event = Vec::with_capacity(self.message.len() + ROOM);
        event.extend_from_slice(b"data: ");
        self.write(&mut event);
        event.extend_from_slice(b"\n\n");
        event
    }

    fn of(status: u16, kind: ErrorKind, message: impl Into<String>) -> Self {
        let (code, param, retry_after) = (None, None, None);
        Self { status, kind, code, param, message: message.into(), retry_after }
    }

    fn write(&self, into: &mut Vec<u8>) {
        let body = Body {
            error: Told {
                message: &self.message,
                kind: self.kind.word(),
                param: self.param.as_deref(),
                code: self.code.as_deref(),
            },
        };
        serde_json::to_writer(into, &body).expect("strings are JSON and a Vec takes every byte");
    }
}

impl ErrorKind {
    /// How the interface calls it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request_error",
            Self::Authentication => "authentication_error",
            Self::Permission => "permission_error",
            Self::NotFound => "not_found_error",
            Self::Conflict => "conflict_error",
            Self::RateLimit => "rate_limit_error",
            Self::Server => "server_error",
        }
    }
}

#[derive(Serialize)]
struct Body<'a> {
    error: Told<'a>,
}

/// In the order of the interface's description.
#[derive(Serialize)]
struct Told<'a> {
    message: &'a str,
    #[serde(rename = "type")]
    kind: &'static str,
    param: Option<&'a str>,
    code: Option<&'a str>,
}

/// At most the first 64 characters of what a client sent, so that an error cannot be made to carry
/// a whole prompt; a cut is marked.
pub(super) fn shortened(value: &str) -> Cow<'_, str> {
    match value.char_indices().nth(LONGEST_VALUE) {
        None => Cow::Borrowed(value),
        Some((end, _)) => Cow::Owned(format!("{}...", &value[..end])),
    }
}

/// Chosen: as long as the longest usual model name.
const LONGEST_VALUE: usize = 64;

/// Chosen: holds the members' names and the longest kind, code and field.
const ROOM: usize = 160;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn an_error_has_openais_shape() {
        let error = ApiError::invalid("top_p", "top_p is 3, must be from 0 to 1");
        let expected = json!({"error": {"message": "top_p is 3, must be from 0 to 1",
            "type": "invalid_request_error", "param": "top_p", "code": "invalid_value"}});
        assert_eq!(serde_json::from_slice::<Value>(&error.to_json()).unwrap(), expected);
        let event = error.to_event();
        let data = event.strip_prefix(b"data: ").unwrap().strip_suffix(b"\n\n").unwrap();
        assert_eq!(data, error.to_json());
    }

    #[test]
    fn every_status_has_its_kind_and_code() {
        let after = RetryAfter::of(Duration::from_secs(3));
        let errors = [
            (ApiError::malformed("x"), 400, "invalid_request_error", "malformed_request"),
            (ApiError::invalid_api_key("x"), 401, "authentication_error", "invalid_api_key"),
            (ApiError::forbidden("x"), 403, "permission_error", "insufficient_permissions"),
            (ApiError::not_found("x"), 404, "not_found_error", "not_found"),
            (ApiError::model_not_found("x"), 404, "not_found_error", "model_not_found"),
            (
                ApiError::method_not_allowed("PUT", "GET"),
                405,
                "invalid_request_error",
                "method_not_allowed",
            ),
            (ApiError::conflict("x"), 409, "conflict_error", "conflict"),
            (ApiError::too_large(10), 413, "invalid_request_error", "request_too_large"),
            (ApiError::refused("x"), 422, "invalid_request_error", "refused"),
            (ApiError::rate_limited("x", after), 429, "rate_limit_error", "rate_limit_exceeded"),
            (ApiError::internal("x"), 500, "server_error", "internal_error"),
            (ApiError::upstream_failed("x"), 502, "server_error", "upstream_failed"),
            (ApiError::overloaded("x", after), 503, "server_error", "overloaded"),
        ];
        for (error, status, kind, code) in errors {
            assert_eq!((error.status, error.kind.word()), (status, kind));
            assert_eq!(error.code.as_deref(), Some(code));
            assert_eq!(error.retry_after.is_some(), matches!(status, 429 | 503));
        }
    }

    #[test]
    fn an_unknown_version_is_answered_with_the_known_ones() {
        let error = ApiError::version_not_found("gpt-4", "v9", ["v1", "stable"]);
        assert_eq!(
            error.message,
            "the model `gpt-4` has no version or tag `v9`; known: v1, stable"
        );
        let error = ApiError::version_not_found("gpt-4", "v9", []);
        assert_eq!(
            error.message,
            "the model `gpt-4` has no version or tag `v9`; known: it has none"
        );
    }

    #[test]
    fn limits_and_what_was_found_are_told() {
        let error = ApiError::upstream_timed_out(Duration::from_millis(1_500));
        assert_eq!(error.message, "the upstream gave no complete answer within 1.5 s");
        let error = ApiError::unsupported_media_type(Some("text/plain"), "application/json");
        assert_eq!(error.message, "content-type is `text/plain`, must be `application/json`");
        let error = ApiError::unsupported_media_type(None, "application/json");
        assert_eq!(error.message, "content-type is absent, must be `application/json`");
    }

    #[test]
    fn what_a_client_sent_is_never_repeated_whole() {
        let error = ApiError::model_not_found(&"é".repeat(10_000));
        assert!(error.message.chars().count() < 130);
    }
}
