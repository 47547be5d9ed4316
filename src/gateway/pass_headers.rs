//! Which headers pass: of a request to the upstream, of an answer to the client. What is not named
//! here stays where it is: cookies, hop-by-hop headers, whatever could say who is behind.

use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue};

use super::endpoint::Endpoint;

/// The request's id, the client's own or one that is made.
pub(super) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Which version the client wants.
pub(super) const CANARY_VERSION: HeaderName = HeaderName::from_static("x-canary-version");

/// The headers of the request that goes to an upstream.
pub(super) fn to_upstream(client: &HeaderMap, id: &HeaderValue, endpoint: &Endpoint) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(12);
    for name in PASSED_UP {
        if let Some(value) = client.get(&name) {
            headers.insert(name, value.clone());
        }
    }
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // What is packed could be neither read nor judged.
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    headers.insert(REQUEST_ID, id.clone());
    // Last, so that no client replaces them.
    headers.extend(endpoint.headers().iter().map(|(name, value)| (name.clone(), value.clone())));
    headers
}

/// What of an upstream's headers its client gets.
pub(super) fn to_client(upstream: &HeaderMap) -> HeaderMap {
    let passes =
        |name: &HeaderName| PASSED_DOWN.contains(name) || name.as_str().starts_with("x-ratelimit-");
    let named = upstream.iter().filter(|(name, _)| passes(name));
    named.map(|(name, value)| (name.clone(), value.clone())).collect()
}

const PASSED_UP: [HeaderName; 5] = [
    ACCEPT,
    USER_AGENT,
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
    HeaderName::from_static("baggage"),
];

/// Beside `x-ratelimit-*`; the last two are what the clients that OpenAI publishes go by.
const PASSED_DOWN: [HeaderName; 4] = [
    CONTENT_TYPE,
    RETRY_AFTER,
    HeaderName::from_static("retry-after-ms"),
    HeaderName::from_static("x-should-retry"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_and_waits_pass_and_cookies_do_not() {
        let pairs = [
            ("content-type", "application/json"),
            ("x-ratelimit-remaining-requests", "7"),
            ("retry-after", "3"),
            ("retry-after-ms", "2500"),
            ("x-should-retry", "false"),
            ("set-cookie", "a=b"),
            ("transfer-encoding", "chunked"),
            ("server", "s"),
        ];
        let upstream: HeaderMap = pairs
            .into_iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)))
            .collect();
        let passed = to_client(&upstream);
        let mut names: Vec<&str> = passed.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        let expected = [
            "content-type",
            "retry-after",
            "retry-after-ms",
            "x-ratelimit-remaining-requests",
            "x-should-retry",
        ];
        assert_eq!(names, expected);
    }
}
