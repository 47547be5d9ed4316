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

/// Chosen: one event a nanosecond is the finest that timestamps can tell apart.
const MAX_PER_SECOND: f64 = 1e9;
