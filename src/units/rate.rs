//! Events per unit of time.

use serde::{Deserialize, Serialize};

use super::Duration;

/// Events per second: finite, at least 0 and at most 10^9.
#[derive(Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Rate(f64);

impl Rate {
    /// No events.
    pub const ZERO: Self = Self(0.0);

    /// `events` in `time`; `None` if the rate is negative, NaN, or above 10^9 per second.
    pub fn per(events: f64, time: Duration) -> Option<Self> {
        let rate = events / time.as_secs_f64();
        (0.0..=MAX_PER_SECOND).contains(&rate).then_some(Self(rate))
    }

    /// Events per second.
    pub const fn per_second(self) -> f64 {
        self.0
    }
}

/// An amount that may be used up over a stretch of time, all at once or bit by bit: `500/m`. More
/// than 0, and a rate as [`Rate`] allows it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Quota {
    amount: f64,
    period: Duration,
}

impl Quota {
    /// `amount` in every `period`; `None` unless it is more than 0 and at most 10^9 per second.
    pub fn per(amount: f64, period: Duration) -> Option<Self> {
        let rate = Rate::per(amount, period)?;
        (rate > Rate::ZERO).then_some(Self { amount, period })
    }

    /// How much.
    pub const fn amount(self) -> f64 {
        self.amount
    }

    /// In which time.
    pub const fn period(self) -> Duration {
        self.period
    }
}

/// Chosen: one event a nanosecond is the finest that timestamps can tell apart.
const MAX_PER_SECOND: f64 = 1e9;
