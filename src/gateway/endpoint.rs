//! An upstream as requests reach it: where it is, what it is told, how long it may take and how
//! many may be on their way to it. Knows no connection.

use std::sync::atomic::{AtomicU64, Ordering};

use http::header::HOST;
use http::{HeaderMap, HeaderValue, Uri};

use super::room::Room;
use crate::scenario::{Timeouts, UpstreamEndpoint};
use crate::units::Duration;

/// An upstream that speaks OpenAI's protocol.
#[derive(Debug)]
pub(super) struct Endpoint {
    name: String,
    /// Which of all endpoints that this process has had: connections are kept by it.
    number: u64,
    /// Where connections lead.
    origin: Uri,
    /// The target of chat completions there.
    chat: Uri,
    /// What goes with each request: credentials among them are marked as sensitive.
    headers: HeaderMap,
    timeouts: Timeouts,
    /// How many may be on their way to it.
    most: Option<u32>,
    room: Room,
}

impl Endpoint {
    /// The upstream of `plan`, whose secret is the value of its header, if it has one.
    pub(super) fn new(
        plan: &UpstreamEndpoint,
        secret: Option<HeaderValue>,
    ) -> Result<Self, http::Error> {
        let mut headers: HeaderMap = plan.headers.iter().cloned().collect();
        if let (Some(key), Some(mut value)) = (&plan.key, secret) {
            value.set_sensitive(true);
            headers.insert(key.header.clone(), value);
        }
        let secure = plan.url.is_secure();
        let origin = Uri::builder()
            .scheme(if secure { "https" } else { "http" })
            .authority(plan.url.authority())
            .path_and_query("/")
            .build()?;
        let chat = Uri::try_from(format!("{}/chat/completions", plan.url.path()))?;
        if !headers.contains_key(HOST) {
            let (host, port) = (plan.url.host(), plan.url.port());
            let is_default = port == if secure { 443 } else { 80 };
            let named = if is_default { host.to_owned() } else { format!("{host}:{port}") };
            headers.insert(HOST, HeaderValue::try_from(named)?);
        }
        let most = plan.concurrency.map(std::num::NonZeroU32::get);
        Ok(Self {
            name: plan.name.clone(),
            number: next_number(),
            origin,
            chat,
            headers,
            timeouts: plan.timeouts,
            most,
            room: Room::new(most),
        })
    }

    /// In the place of an upstream that is gone: there is no room for any request.
    pub(super) fn gone(name: &str) -> Self {
        let none = Duration::ZERO;
        Self {
            name: name.to_owned(),
            number: next_number(),
            origin: Uri::from_static("http://gone.invalid/"),
            chat: Uri::from_static("/"),
            headers: HeaderMap::new(),
            timeouts: Timeouts {
                connect: none,
                first_byte: none,
                idle: none,
                total: none,
                idle_connection: none,
            },
            most: Some(0),
            room: Room::new(Some(0)),
        }
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// Where chat completions are asked for, for people. No secret is in it: the plan refuses URLs
    /// with credentials.
    pub(super) fn address(&self) -> String {
        format!("{}{}", self.origin.to_string().trim_end_matches('/'), self.chat)
    }

    /// Where connections lead.
    pub(super) const fn origin(&self) -> &Uri {
        &self.origin
    }

    /// The target of chat completions there.
    pub(super) const fn chat(&self) -> &Uri {
        &self.chat
    }

    pub(super) const fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    pub(super) const fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    /// Goes on from an endpoint of the same name: its requests under way are counted on.
    pub(super) fn succeed(&mut self, before: &Self) {
        self.room = before.room.with(self.most);
    }

    pub(super) const fn room(&self) -> &Room {
        &self.room
    }
}

fn next_number() -> u64 {
    MADE.fetch_add(1, Ordering::Relaxed)
}

/// How many endpoints this process has made: a number is never used twice.
static MADE: AtomicU64 = AtomicU64::new(0);
