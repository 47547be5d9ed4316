//! Asks a gateway over HTTP. Knows no route.
//!
//! A connection that breaks once it stands leaves it open what became of the request. What may be
//! repeated is then sent once more, at once: reads, and commands under the idempotency key that
//! they were sent with, which makes the gateway carry them out once. What makes a secret is never
//! sent twice.

use std::error::Error;

use reqwest::Response;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::redirect::Policy;

use super::admin_answer::{Answer, refused};
use super::admin_ask::{Ask, Repeat};
use super::admin_connection::Connection;
use super::terminal::{Failure, complain};
use crate::notify::{WebTls, causes};

/// Asks one gateway.
pub(super) struct Client {
    connection: Connection,
    http: reqwest::Client,
    has_roots: bool,
    authorization: HeaderValue,
}

/// Why there is no answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Fault {
    /// Nothing was sent.
    NoConnection(String),
    /// The answer took too long.
    TimedOut,
    /// The connection broke before the answer was whole.
    Broken(String),
    /// The gateway, or what stands before it, cannot answer at present.
    Unready(Failure),
}

impl Client {
    /// A client of the gateway that `connection` leads to.
    pub(super) fn new(connection: Connection) -> Result<Self, Failure> {
        let setup = |error: &(dyn Error + 'static)| {
            Failure::internal(format!(
                "error: HTTP cannot be set up: {}",
                causes(error, LONGEST_CAUSE)
            ))
        };
        let tls = WebTls::of_machine().map_err(|error| setup(&error))?;
        let http = reqwest::Client::builder()
            .tls_backend_preconfigured(tls.config)
            // The access key goes where --url points, and nowhere else.
            .redirect(Policy::none())
            .referer(false)
            .connect_timeout(std_duration(&connection))
            // Of each reading: events come once a second at least.
            .read_timeout(std_duration(&connection))
            .user_agent(concat!("coalmine/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| setup(&error))?;
        let authorization = HeaderValue::try_from(format!("Bearer {}", connection.key));
        let mut authorization = authorization.map_err(|error| setup(&error))?;
        authorization.set_sensitive(true);
        Ok(Self { connection, http, has_roots: tls.has_roots, authorization })
    }

    /// Asks, and reads the whole answer.
    pub(super) async fn call(&self, ask: &Ask) -> Result<Answer, Failure> {
        let mut answered = self.call_once(ask).await;
        if let (Err(Fault::Broken(why)), true) = (&answered, ask.repeat != Repeat::Never) {
            complain(&format!("the connection broke ({why}): trying once more"));
            answered = self.call_once(ask).await;
        }
        let (status, text) = answered.map_err(|fault| self.failure(ask, &fault))?;
        match status {
            200..=299 => Ok(Answer { status, text }),
            _ => Err(refused(&self.connection, ask, status, &text)),
        }
    }

    /// Asks for what goes on: the answer is its head. A refusal is a failure.
    pub(super) async fn open(
        &self,
        ask: &Ask,
        headers: &[(&'static str, String)],
    ) -> Result<Result<Response, Fault>, Failure> {
        let response = match self.send(ask, headers, false).await {
            Ok(response) => response,
            Err(fault) => return Ok(Err(fault)),
        };
        let status = response.status();
        if status.is_success() {
            return Ok(Ok(response));
        }
        match response.text().await {
            Ok(text) => {
                let failure = refused(&self.connection, ask, status.as_u16(), &text);
                if status.is_server_error() {
                    Ok(Err(Fault::Unready(failure)))
                } else {
                    Err(failure)
                }
            }
            Err(error) => Ok(Err(fault(&error))),
        }
    }

    /// How long an answer may take, in whole seconds, rounded up.
    pub(super) fn timeout_seconds(&self) -> u64 {
        self.connection.timeout.ceil_secs().as_secs()
    }

    /// What is told of a request without an answer.
    pub(super) fn failure(&self, ask: &Ask, fault: &Fault) -> Failure {
        let Connection { url, timeout, .. } = &self.connection;
        let is_open = "whether it was carried out is not known";
        let remedy = match &ask.repeat {
            Repeat::Harmless => String::new(),
            Repeat::UnderKey(key) => format!(
                "\n  help: {is_open}; to repeat it with --idempotency-key {key} carries it out \
                 once in any case"
            ),
            Repeat::Never => format!(
                "\n  help: {is_open}: `coalmine keys list` tells; a secret that was not seen is \
                 lost, and `coalmine keys regenerate` makes another"
            ),
        };
        Failure::internal(match fault {
            Fault::Unready(failure) => return failure.clone(),
            Fault::NoConnection(why) => format!(
                "error: no gateway can be reached at {url}: {why}\n  help: `coalmine serve CONFIG` \
                 starts one; --url or COALMINE_URL says where it is"
            ),
            Fault::TimedOut => {
                format!("error: {url} does not answer within {timeout} (--timeout){remedy}")
            }
            Fault::Broken(why) => {
                format!("error: the connection to {url} broke: {why}{remedy}")
            }
        })
    }

    async fn call_once(&self, ask: &Ask) -> Result<(u16, String), Fault> {
        let response = self.send(ask, &[], true).await?;
        let status = response.status().as_u16();
        let text = response.text().await.map_err(|error| fault(&error))?;
        Ok((status, text))
    }

    async fn send(
        &self,
        ask: &Ask,
        headers: &[(&'static str, String)],
        is_bounded: bool,
    ) -> Result<Response, Fault> {
        let mut url = self.connection.url.clone();
        if url.scheme() == "https" && !self.has_roots {
            let words = "the system has no certificates to know it by: install its package of CA \
                         certificates, or set SSL_CERT_FILE";
            return Err(Fault::NoConnection(words.to_owned()));
        }
        let path = format!("{}{}", url.path().trim_end_matches('/'), ask.path);
        url.set_path(&path);
        for (name, value) in &ask.query {
            url.query_pairs_mut().append_pair(name, value);
        }
        let mut request = self.http.request(ask.method.clone(), url);
        request = request.header(AUTHORIZATION, self.authorization.clone());
        if let Repeat::UnderKey(key) = &ask.repeat {
            request = request.header("idempotency-key", key);
        }
        if let Some(body) = &ask.body {
            request = request.header(CONTENT_TYPE, "application/json").body(body.clone());
        }
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        if is_bounded {
            request = request.timeout(std_duration(&self.connection));
        }
        request.send().await.map_err(|error| fault(&error))
    }
}

/// What went wrong on the way.
pub(super) fn fault(error: &reqwest::Error) -> Fault {
    // Its own words say no more than that the request failed, and where to.
    let why = error
        .source()
        .map_or_else(|| "no answer came".to_owned(), |cause| causes(cause, LONGEST_CAUSE));
    if error.is_connect() {
        Fault::NoConnection(why)
    } else if error.is_timeout() {
        Fault::TimedOut
    } else {
        Fault::Broken(why)
    }
}

const fn std_duration(connection: &Connection) -> std::time::Duration {
    std::time::Duration::from_nanos(connection.timeout.as_nanos())
}

/// Chosen: as much of a cause as a line can show.
const LONGEST_CAUSE: usize = 300;
