//! `GET /`: the dashboard.

use axum::body::Body;
use http::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderName, HeaderValue, Response, StatusCode};

use super::admin_request::text_response;
use crate::dashboard::served_page;

/// `GET /`: the same for everybody, without a figure; its script asks for them with a key.
pub(super) fn dashboard() -> Response<Body> {
    let page = served_page();
    let mut response = text_response(StatusCode::OK, HTML, page.text.as_str());
    let headers = response.headers_mut();
    let policy = HeaderValue::from_static(&page.policy);
    headers.insert(CONTENT_SECURITY_POLICY, policy);
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

pub(super) const HTML: &str = "text/html; charset=utf-8";
/// Beside the policy: for browsers that do not know it, and against caches that would keep the page
/// of another version.
const HEADERS: [(HeaderName, &str); 5] = [
    (CACHE_CONTROL, "no-store"),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
];

#[cfg(test)]
mod tests {
    use super::super::test_house::TestHouse;
    use crate::dashboard::served_page;

    #[tokio::test]
    async fn the_dashboard_is_open_to_all_and_shut_to_frames_caches_and_strange_scripts() {
        let house = TestHouse::new().await;
        let reply = house.call("GET", "/", None).await;
        assert_eq!((reply.status, &reply.text), (200, &served_page().text));
        let said = |name: &str| reply.headers[name].to_str().unwrap().to_owned();
        assert_eq!(said("content-type"), "text/html; charset=utf-8");
        assert_eq!(said("content-security-policy"), served_page().policy);
        assert_eq!(said("cache-control"), "no-store");
        assert_eq!(said("x-frame-options"), "DENY");
        assert_eq!(said("x-content-type-options"), "nosniff");
        assert_eq!(said("referrer-policy"), "no-referrer");
        // Nobody's secret and nobody's figures: not even names of models.
        assert!(!reply.text.contains("org/name") && !reply.text.contains(&house.key));
    }
}
