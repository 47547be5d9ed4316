//! Posts a message to a webhook, once. Knows neither what it says nor whether it is tried again.

use std::error::Error;

use bytes::Bytes;
use reqwest::header::{CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, Response};

use super::line::causes;
use super::signature::SIGNATURE;
use super::tls::WebTls;
use super::{Failure, StartError, WebhookUrl};
use crate::units::Duration;

/// A client for webhooks. It follows no redirect, as the body would go where the address does not
/// point.
#[derive(Debug)]
pub(super) struct Poster {
    client: Client,
    has_roots: bool,
}

impl Poster {
    /// A client that trusts whom `tls` trusts.
    ///
    /// # Errors
    /// What the client says of its settings.
    pub(super) fn new(tls: WebTls, proxies_from_environment: bool) -> Result<Self, StartError> {
        let builder = Client::builder()
            .tls_backend_preconfigured(tls.config)
            .http1_only()
            .redirect(Policy::none())
            .referer(false)
            // Messages are hours apart: a connection kept would be closed by the other side.
            .pool_max_idle_per_host(0)
            .user_agent(concat!("coalmine/", env!("CARGO_PKG_VERSION")));
        let builder = if proxies_from_environment { builder } else { builder.no_proxy() };
        Ok(Self { client: builder.build()?, has_roots: tls.has_roots })
    }

    /// Posts `body`, JSON, under `id`, which is the same for every attempt, with its `signature` if
    /// it has one.
    ///
    /// # Errors
    /// No connection, or an answer that is no success.
    pub(super) async fn post(
        &self,
        url: &WebhookUrl,
        body: Bytes,
        id: &str,
        signature: Option<String>,
    ) -> Result<(), Failure> {
        if url.secret().scheme() == "https" && !self.has_roots {
            return Err(Failure::NoRoots);
        }
        let request = self
            .client
            .post(url.secret().clone())
            .header(CONTENT_TYPE, "application/json")
            .header("idempotency-key", id)
            .body(body);
        let request = match signature {
            Some(signature) => request.header(SIGNATURE, signature),
            None => request,
        };
        let answer = request.send().await.map_err(connection)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(());
        }
        let retry_after = retry_after(answer.headers());
        let said = reason(answer, url).await;
        Err(Failure::Status { status: status.as_u16(), said, retry_after })
    }
}

/// What the client says went wrong, without the address.
fn connection(error: reqwest::Error) -> Failure {
    let error = error.without_url();
    // Its own words say no more than that the request failed.
    let cause =
        error.source().map_or_else(|| error.to_string(), |error| causes(error, LONGEST_CAUSE));
    Failure::Connection { cause }
}

/// The seconds that `retry-after` asks for; its other form, a date, would need a clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    // A number that is too long for the type is longer than a day all the more.
    let seconds = is_number.then(|| text.parse().unwrap_or(LONGEST_RETRY_AFTER.as_secs()))?;
    Some(Duration::from_secs(seconds.min(LONGEST_RETRY_AFTER.as_secs())))
}

/// The word that the body is, such as Slack's `no_service`. Other bodies are not shown, nor is a
/// word from the address: pages for errors like to repeat what was asked for, and that is secret.
async fn reason(mut answer: Response, url: &WebhookUrl) -> Option<String> {
    let chunk = answer.chunk().await.ok()??;
    let word = std::str::from_utf8(&chunk).ok()?.trim();
    let is_word = (1..=LONGEST_REASON).contains(&word.len())
        && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    (is_word && !url.secret().as_str().contains(word)).then(|| word.to_owned())
}

/// Chosen: room for a chain of three or four errors.
const LONGEST_CAUSE: usize = 300;

/// Slack's longest reason is `action_prohibited` or so.
const LONGEST_REASON: usize = 40;

/// A day: more is never waited, see [`Pace`](super::Pace).
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests {
    use super::super::stand_in::{Answer, WebStandIn};
    use super::*;

    async fn posted(server: &WebStandIn) -> Result<(), Failure> {
        let poster = Poster::new(WebTls::of_machine().unwrap(), false).unwrap();
        let url = WebhookUrl::new(&server.url("/services/secret?token=secret")).unwrap();
        let signature = Some("t=7,v1=00".to_owned());
        poster.post(&url, Bytes::from_static(b"{\"text\":\"hi\"}"), "id-1", signature).await
    }

    #[tokio::test]
    async fn a_message_is_posted_as_json_under_its_id() {
        let server = WebStandIn::start(vec![Answer::status("200 OK", "", "ok")]).await;
        assert_eq!(posted(&server).await, Ok(()));
        let request = server.requests().remove(0);
        assert!(request.starts_with("POST /services/secret?token=secret HTTP/1.1\r\n"));
        for part in [
            "content-type: application/json\r\n",
            "idempotency-key: id-1\r\n",
            "x-coalmine-signature: t=7,v1=00\r\n",
            "content-length: 13\r\n",
            "user-agent: coalmine/",
            "\r\n\r\n{\"text\":\"hi\"}",
        ] {
            assert!(request.contains(part), "{part:?} in {request:?}");
        }
    }

    #[tokio::test]
    async fn an_answer_that_is_no_success_is_told_with_its_word_and_wait() {
        let cases = [
            (Answer::status("404 Not Found", "", "no_service\n"), 404, Some("no_service"), None),
            (Answer::status("500 Oh", "", "Cannot POST /services/secret"), 500, None, None),
            (Answer::status("403 No", "", "secret"), 403, None, None),
            (Answer::status("429 Slow", "retry-after: 30\r\n", "x y"), 429, None, Some(30)),
            (Answer::status("503 Busy", "retry-after: 999999\r\n", ""), 503, None, Some(86_400)),
            (Answer::status("429 Slow", "retry-after: soon\r\n", ""), 429, None, None),
            (Answer::status("307 There", "location: /other\r\n", ""), 307, None, None),
        ];
        for (answer, status, said, seconds) in cases {
            let server = WebStandIn::start(vec![answer]).await;
            let said = said.map(str::to_owned);
            let retry_after = seconds.map(Duration::from_secs);
            let expected = Failure::Status { status, said, retry_after };
            assert_eq!(posted(&server).await, Err(expected));
            assert_eq!(server.requests().len(), 1, "a redirect is not followed");
        }
    }

    #[tokio::test]
    async fn a_broken_connection_is_told_without_the_address() {
        let server = WebStandIn::start(vec![Answer::Close]).await;
        let closed = posted(&server).await.unwrap_err();
        let url = WebhookUrl::new(&format!("{}secret", WebStandIn::nobody().await)).unwrap();
        let poster = Poster::new(WebTls::of_machine().unwrap(), false).unwrap();
        let refused = poster.post(&url, Bytes::new(), "id", None).await.unwrap_err();
        assert!(refused.to_string().contains("refused"), "{refused}");
        for failure in [closed, refused] {
            assert!(matches!(failure, Failure::Connection { .. }) && failure.may_pass());
            assert!(!format!("{failure} {failure:?}").contains("secret"), "{failure:?}");
        }
    }

    #[tokio::test]
    async fn without_root_certificates_tls_is_not_tried() {
        let tls = WebTls { has_roots: false, ..WebTls::of_machine().unwrap() };
        let url = WebhookUrl::new("https://127.0.0.1:1/secret").unwrap();
        let failure = Poster::new(tls, false).unwrap().post(&url, Bytes::new(), "id", None).await;
        assert_eq!(failure, Err(Failure::NoRoots));
    }
}
