//! One thread's share of the gateway: its connections to upstreams, and its source of draws.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, HeaderValue};

use super::closing::Closing;
use super::dialer::Dialer;
use super::endpoint::Endpoint;
use super::house::House;
use super::pool::Pool;
use crate::chance::{Chance, Draws, Purpose};
use crate::units::{Duration, RequestId};
use crate::wire::{ApiError, RequestNumber};

/// One thread's share of the gateway.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) house: Arc<House>,
    tls: rustls::ClientConfig,
    /// By the number of their endpoint. The lock is never contended: it is this thread's alone.
    pools: Mutex<BTreeMap<u64, Arc<Pool>>>,
    chance: Chance,
    drawn: AtomicU64,
    /// What the draws of requests derive from that are numbered by a harness.
    harness: Option<Chance>,
    pub(super) closing: Closing,
}

impl Worker {
    /// A worker whose draws come from `chance`, that of no other worker.
    pub(super) fn new(house: Arc<House>, tls: rustls::ClientConfig, chance: Chance) -> Self {
        let (pools, drawn, harness) = (Mutex::default(), AtomicU64::new(0), None);
        Self { house, tls, pools, chance, drawn, harness, closing: Closing::default() }
    }

    /// With the draws of a harness that numbers the requests, if there is one.
    #[must_use]
    pub(super) fn with_harness(self, harness: Option<Chance>) -> Self {
        Self { harness, ..self }
    }

    /// The number of the request with these headers, by which its attempts draw.
    ///
    /// # Errors
    /// A harness was to say it and has not.
    pub(super) fn number(&self, headers: &HeaderMap) -> Result<RequestId, ApiError> {
        if self.harness.is_none() {
            return Ok(RequestId(self.drawn.fetch_add(1, Ordering::Relaxed)));
        }
        let told = headers.get(RequestNumber::HEADER).map_or(&[][..], HeaderValue::as_bytes);
        RequestNumber::read(told).map(|number| number.id)
    }

    /// Whether a harness numbers the requests.
    pub(super) const fn is_harnessed(&self) -> bool {
        self.harness.is_some()
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
    pub(super) fn draws(&self, request: RequestId, attempt: u8) -> Draws {
        self.harness.unwrap_or(self.chance).request(request, attempt)
    }

    /// How long a stretch of the gateway's time takes on the wall.
    pub(super) fn on_the_wall(&self, length: Duration) -> std::time::Duration {
        self.house.desk.clock().on_the_wall(length)
    }

    /// The connections to an upstream.
    pub(super) fn pool(&self, endpoint: &Endpoint) -> Arc<Pool> {
        let mut pools = self.lock();
        let new = || {
            let timeouts = endpoint.timeouts();
            let [connect, idle] =
                [timeouts.connect, timeouts.idle_connection].map(|length| self.on_the_wall(length));
            let dialer = Dialer::new(self.tls.clone(), endpoint.origin().clone(), connect);
            Arc::new(Pool::new(dialer, idle))
        };
        Arc::clone(pools.entry(endpoint.number()).or_insert_with(new))
    }

    /// Closes the connections that are not needed any more, for as long as the thread serves.
    pub(super) async fn keep_sweeping(&self) {
        let mut ticks = tokio::time::interval(SWEEP);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let mut pools = self.lock();
            // Endpoints of a configuration that was replaced are not asked for again.
            pools.retain(|known, _| self.house.is_current(*known));
            pools.values().for_each(|pool| pool.sweep());
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Arc<Pool>>> {
        self.pools.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For the runtime's timers.
pub(super) const fn std_duration(duration: Duration) -> std::time::Duration {
    std::time::Duration::from_nanos(duration.as_nanos())
}

/// How often connections are looked through. Chosen: a part of the seconds that they are kept.
const SWEEP: std::time::Duration = std::time::Duration::from_secs(1);
