//! How late a mock's bytes were, measured where they leave it.

use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};

use crate::clock::{Lag, WallClock};
use crate::stats::DurationHistogram;
use crate::units::Timestamp;

/// How late the bytes of one serving thread were.
#[derive(Debug)]
pub(super) struct Punctuality {
    clock: WallClock,
    lag: Lag,
    held_up: AtomicU64,
}

impl Punctuality {
    pub(super) fn new(clock: WallClock) -> Self {
        Self { clock, lag: Lag::default(), held_up: AtomicU64::new(0) }
    }

    pub(super) const fn clock(&self) -> WallClock {
        self.clock
    }

    /// Bytes that were due at `due` have just been handed to the system.
    pub(super) fn sent(&self, due: Timestamp) {
        self.lag.record(self.clock.since(due));
    }

    /// So many things could not be sent when they were due: their client took nothing.
    pub(super) fn held_up(&self, count: u64) {
        self.held_up.fetch_add(count, Ordering::Relaxed);
    }

    /// What has been measured until now.
    pub(super) fn lateness(&self) -> Lateness {
        let held_up = self.held_up.load(Ordering::Relaxed);
        Lateness { sent: self.lag.histogram(), held_up }
    }
}

/// How late the tokens and heads of a mock's answers were, from when they were due to when they
/// were handed to the system, in wall time.
#[derive(Clone, Debug, Default)]
pub struct Lateness {
    pub(super) sent: DurationHistogram,
    pub(super) held_up: u64,
}

impl Lateness {
    /// How late everything was that was sent.
    pub const fn sent(&self) -> &DurationHistogram {
        &self.sent
    }

    /// How many could not be sent when they were due because their client took nothing: they say
    /// nothing about the mock, and are not among those sent.
    pub const fn held_up(&self) -> u64 {
        self.held_up
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.sent.merge(&other.sent);
        self.held_up += other.held_up;
    }

    pub(super) fn to_json(&self) -> Value {
        let Self { sent, held_up } = self;
        let micros = |late: Option<crate::units::Duration>| late.map(|late| late.as_micros());
        json!({
            "sent": sent.count(),
            "p50_us": micros(sent.quantile(500)),
            "p99_us": micros(sent.quantile(990)),
            "max_us": micros(sent.max()),
            "held_up_by_clients": held_up,
        })
    }
}
