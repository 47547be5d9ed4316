//! What is known of an answer while it comes.

use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};

use super::fault::Fault;
use super::feed::Due;
use super::finished::Finished;
use super::token_times::TokenTimes;
use crate::exchange::{Ending, Finish, RetryAfter, Usage};
use crate::units::{Duration, Timestamp, Tokens};

/// What is known of an answer, from when its request was sent on.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) sent: Timestamp,
    pub(super) connect: Option<Duration>,
    pub(super) tokens: TokenTimes,
    /// When it was clear how it ended, where that was before its connection was done with it.
    pub(super) ended: Option<Timestamp>,
    pub(super) status: Option<u16>,
    pub(super) finish: Option<Finish>,
    pub(super) usage: Option<Usage>,
    pub(super) output_estimated: Tokens,
    pub(super) repeats: bool,
    pub(super) retry_after: Option<RetryAfter>,
    pub(super) served: Option<Box<str>>,
    pub(super) assigned: Option<Box<str>>,
    pub(super) bytes_sent: u64,
    pub(super) bytes_received: u64,
}

impl Answered {
    /// Nothing yet to a request of so many bytes.
    pub(super) fn new(sent: Timestamp, bytes_sent: usize) -> Self {
        Self {
            sent,
            connect: None,
            tokens: TokenTimes::default(),
            ended: None,
            status: None,
            finish: None,
            usage: None,
            output_estimated: Tokens::ZERO,
            repeats: false,
            retry_after: None,
            served: None,
            assigned: None,
            bytes_sent: bytes_sent as u64,
            bytes_received: 0,
        }
    }

    /// Its head has come.
    pub(super) fn note_head(&mut self, status: u16, headers: &HeaderMap) {
        let text = |name: &str| headers.get(name)?.to_str().ok().map(Box::from);
        self.status = Some(status);
        self.served = text(SERVED_VERSION);
        self.assigned = text(ASSIGNED_VERSION);
        self.retry_after = retry_after(headers).filter(|_| status != 200);
    }

    /// What is told of it, once it has ended.
    pub(super) fn finished<'a>(
        &'a self,
        due: &Due,
        now: Timestamp,
        ended: &'a Result<(), Fault>,
    ) -> Finished<'a> {
        let fault = ended.as_ref().err();
        let output = self.usage.map_or(self.output_estimated, |usage| usage.output);
        Finished {
            number: due.number,
            request: due.request,
            intended: due.intended,
            sent: self.sent,
            first_content: self.tokens.first,
            last_content: self.tokens.last,
            gaps: &self.tokens.gaps,
            ended: self.ended.unwrap_or(now),
            ending: fault.map_or(Ending::Success, |fault| fault.ending),
            status: self.status,
            finish: self.finish,
            usage: self.usage,
            output,
            repeats: self.repeats,
            retry_after: self.retry_after,
            served: self.served.as_deref(),
            assigned: self.assigned.as_deref(),
            connect: self.connect,
            bytes_sent: self.bytes_sent,
            bytes_received: self.bytes_received,
            cause: fault.and_then(|fault| fault.cause.as_deref()),
            is_local: fault.is_some_and(|fault| fault.is_local),
        }
    }
}

/// What is wrong with the head of a success that should be of `wanted` type; `None`: nothing.
pub(super) fn head_fault(headers: &HeaderMap, wanted: &str) -> Option<Fault> {
    let found = |name: http::HeaderName| {
        let value = headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()));
        value.unwrap_or_default().trim().to_ascii_lowercase()
    };
    let packed = found(CONTENT_ENCODING);
    if !packed.is_empty() && packed != "identity" {
        // None was asked for, and what is packed cannot be timed.
        return Some(Fault::told(Ending::Malformed, format!("it is packed with {packed}")));
    }
    let value = found(CONTENT_TYPE);
    let essence = value.split(';').next().unwrap_or_default().trim();
    (!essence.ends_with(wanted)).then(|| {
        let found = if essence.is_empty() { "none" } else { essence };
        Fault::told(Ending::Malformed, format!("its content type is {found}, not {wanted}"))
    })
}

fn retry_after(headers: &HeaderMap) -> Option<RetryAfter> {
    RetryAfter::read(headers.get(RETRY_AFTER)?.to_str().ok()?)
}

/// The headers by which a gateway tells its versions.
const SERVED_VERSION: &str = "x-served-version";
const ASSIGNED_VERSION: &str = "x-assigned-version";

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn a_success_has_the_type_that_was_asked_for_and_is_not_packed() {
        let fault = |of: &[(http::HeaderName, &'static str)], wanted| {
            let headers =
                of.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
            head_fault(&headers.collect(), wanted).map(|fault| fault.cause.unwrap())
        };
        let json = (CONTENT_TYPE, "Application/JSON; charset=utf-8");
        assert_eq!(fault(std::slice::from_ref(&json), "json"), None);
        assert_eq!(fault(&[json.clone(), (CONTENT_ENCODING, "identity")], "json"), None);
        let packed = fault(&[json.clone(), (CONTENT_ENCODING, "gzip")], "json").unwrap();
        assert!(packed.contains("gzip"), "{packed}");
        let other = fault(&[json], "text/event-stream").unwrap();
        assert!(other.contains("application/json"), "{other}");
        assert!(fault(&[], "json").unwrap().contains("none"));
    }

    #[test]
    fn a_wait_is_told_in_seconds_or_not_at_all() {
        let told = |value: &'static str| {
            let headers = [(RETRY_AFTER, HeaderValue::from_static(value))];
            retry_after(&headers.into_iter().collect()).map(|told| told.wait().as_secs())
        };
        let date = "Mon, 30 Nov 2026 08:00:00 GMT";
        assert_eq!([told("7"), told(date), told("soon")], [Some(7), None, None]);
    }
}
