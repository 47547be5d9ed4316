//! One thread's share of the gateway: its connections to upstreams, and its source of draws.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use http::HeaderValue;
use http_body_util::Full;
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::dialer::Dialer;
use super::endpoint::Endpoint;
use super::house::House;
use crate::chance::{Chance, Draws, Purpose};
use crate::units::{Duration, RequestId};

/// The connections to one upstream.
pub(super) type UpstreamClient = Client<Dialer, Full<Bytes>>;

/// One thread's share of the gateway.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) house: Arc<House>,
    tls: rustls::ClientConfig,
    /// By the number of their endpoint. The lock is never contended: it is this thread's alone.
    clients: Mutex<BTreeMap<u64, UpstreamClient>>,
    chance: Chance,
    drawn: AtomicU64,
}

impl Worker {
    /// A worker whose draws come from `chance`, that of no other worker.
    pub(super) fn new(house: Arc<House>, tls: rustls::ClientConfig, chance: Chance) -> Self {
        let drawn = AtomicU64::new(0);
        Self { house, tls, clients: Mutex::default(), chance, drawn }
    }

    /// The draws of attempts at one more request.
    pub(super) fn next_request(&self) -> RequestId {
        RequestId(self.drawn.fetch_add(1, Ordering::Relaxed))
    }

    /// An id for a request that has none.
    pub(super) fn new_id(&self) -> HeaderValue {
        let drawn = self.drawn.fetch_add(1, Ordering::Relaxed);
        let bits = self.chance.request(RequestId(drawn), 0).draw(Purpose::Client, 0).bits();
        // Digits and letters are what headers may have.
        HeaderValue::try_from(format!("req-{bits:016x}"))
            .unwrap_or_else(|_| HeaderValue::from_static("req"))
    }

    /// The draws of an attempt.
    pub(super) const fn draws(&self, request: RequestId, attempt: u8) -> Draws {
        self.chance.request(request, attempt)
    }

    /// The connections to an upstream.
    pub(super) fn client(&self, endpoint: &Endpoint) -> UpstreamClient {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let number = endpoint.number();
        if let Some(client) = clients.get(&number) {
            return client.clone();
        }
        // Endpoints of a configuration that was replaced are not asked for again.
        clients.retain(|known, _| self.house.is_current(*known));
        let client = connect(endpoint, self.tls.clone());
        clients.insert(number, client.clone());
        client
    }
}

fn connect(endpoint: &Endpoint, tls: rustls::ClientConfig) -> UpstreamClient {
    let timeouts = endpoint.timeouts();
    Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(std_duration(timeouts.idle_connection))
        .build(Dialer::new(tls, std_duration(timeouts.connect)))
}

/// For the runtime's timers.
pub(super) const fn std_duration(duration: Duration) -> std::time::Duration {
    std::time::Duration::from_nanos(duration.as_nanos())
}
