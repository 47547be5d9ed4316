//! Answers as HTTP has them.

use bytes::Bytes;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{Either, Full};
use serde_json::Value;

use super::line::Broken;
use crate::exchange::RetryAfter;
use crate::wire::{ApiError, ErrorKind};

/// An answer: a body that is there, or one that comes bit by bit.
pub(super) type Reply = Response<Either<Full<Bytes>, UnsyncBoxBody<Bytes, Broken>>>;

/// JSON and its type.
pub(super) const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// A success with this body.
pub(super) fn whole(content_type: HeaderValue, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Either::Left(Full::new(body.into())));
    reply.headers_mut().insert(CONTENT_TYPE, content_type);
    reply
}

/// A success with this value.
pub(super) fn json(value: &Value) -> Reply {
    whole(JSON, value.to_string())
}

/// An error.
pub(super) fn error(error: &ApiError) -> Reply {
    let mut reply = whole(JSON, error.to_json());
    *reply.status_mut() =
        StatusCode::from_u16(error.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(retry_after) = error.retry_after {
        reply.headers_mut().insert(RETRY_AFTER, retry_after.wait().as_secs().into());
    }
    reply
}

/// The error that a behaviour answers by this status, 400 to 599.
pub(super) fn failure(status: u16, retry_after: Option<RetryAfter>) -> ApiError {
    let (kind, code) = match status {
        401 => (ErrorKind::Authentication, Some("invalid_api_key")),
        403 => (ErrorKind::Permission, None),
        404 => (ErrorKind::NotFound, None),
        409 => (ErrorKind::Conflict, None),
        429 => (ErrorKind::RateLimit, Some("rate_limit_exceeded")),
        400..500 => (ErrorKind::InvalidRequest, None),
        _ => (ErrorKind::Server, None),
    };
    let message = format!("answered {status}, as the mock is told to behave");
    let code = code.map(Into::into);
    ApiError { status, kind, code, param: None, message, retry_after }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Duration;

    #[test]
    fn an_error_says_its_status_kind_and_when_to_come_back() {
        let retry_after = Some(RetryAfter::of(Duration::from_millis(1_500)));
        let reply = error(&failure(429, retry_after));
        assert_eq!(reply.status(), 429);
        assert_eq!(reply.headers()[RETRY_AFTER], "2");
        for (status, kind) in [(400, "invalid_request_error"), (503, "server_error")] {
            let body: Value = serde_json::from_slice(&failure(status, None).to_json()).unwrap();
            assert_eq!(body["error"]["type"], kind);
            assert!(error(&failure(status, None)).headers().get(RETRY_AFTER).is_none());
        }
    }
}
