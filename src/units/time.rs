//! Points in time and lengths of time, in whole nanoseconds.
//!
//! `std::time::Instant` can be neither printed, stored nor built in a test, and
//! `std::time::Duration` takes two words; both types here are one integer.

use std::fmt;
use std::ops::{Add, AddAssign, Mul, Sub};

use serde::{Deserialize, Serialize};

/// A length of time in nanoseconds, never negative; at most about 584 years.
///
/// ```
/// use coalmine::units::Duration;
/// assert_eq!(Duration::from_millis(1_500), Duration::from_secs(1) + Duration::from_millis(500));
/// assert_eq!(Duration::from_millis(1_500).ceil_secs(), Duration::from_secs(2));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Duration(u64);

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// The longest length of time that can be expressed.
    pub const MAX: Self = Self(u64::MAX);

    /// `nanos` nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// `micros` microseconds.
    pub const fn from_micros(micros: u64) -> Self {
        Self(micros * NANOS_PER_MICRO)
    }

    /// `millis` milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis * NANOS_PER_MILLI)
    }

    /// `secs` seconds.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs * NANOS_PER_SEC)
    }

    /// `secs` seconds, rounded to the nearest nanosecond. Negative and NaN become zero, too large
    /// becomes [`Duration::MAX`]: a saturating conversion, for results of sampling.
    pub fn from_secs_f64(secs: f64) -> Self {
        Self((secs * NANOS_PER_SEC as f64 + 0.5) as u64)
    }

    /// Nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Whole microseconds, rounded down.
    pub const fn as_micros(self) -> u64 {
        self.0 / NANOS_PER_MICRO
    }

    /// Whole seconds, rounded down.
    pub const fn as_secs(self) -> u64 {
        self.0 / NANOS_PER_SEC
    }

    /// Milliseconds.
    pub fn as_millis_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_MILLI as f64
    }

    /// Seconds.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / NANOS_PER_SEC as f64
    }

    /// Whether there is no time in it.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The next whole second, or this length itself if it is one.
    pub const fn ceil_secs(self) -> Self {
        Self(self.0.div_ceil(NANOS_PER_SEC) * NANOS_PER_SEC)
    }

    /// This length times `factor`; saturates, and a negative or NaN factor gives zero.
    pub fn mul_f64(self, factor: f64) -> Self {
        Self((self.0 as f64 * factor + 0.5) as u64)
    }

    /// The difference, or zero where `other` is longer.
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The sum, or [`Duration::MAX`].
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl Add for Duration {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for Duration {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Mul<u64> for Duration {
    type Output = Self;
    fn mul(self, times: u64) -> Self {
        Self(self.0 * times)
    }
}

/// A point in time: nanoseconds since 1970-01-01T00:00:00 UTC, from the year 1677 to 2262.
///
/// ```
/// use coalmine::units::{Duration, Timestamp};
/// let start: Timestamp = "2024-03-15T11:00:00Z".parse().unwrap();
/// assert_eq!((start + Duration::from_millis(250)).to_string(), "2024-03-15T11:00:00.25Z");
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// 1970-01-01T00:00:00Z.
    pub const EPOCH: Self = Self(0);
    /// The last instant that can be expressed; stands for "never" in comparisons.
    pub const MAX: Self = Self(i64::MAX);

    /// `nanos` nanoseconds after (before, if negative) the epoch.
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the epoch.
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// The whole second that this instant lies in, counted from the epoch.
    pub const fn second(self) -> i64 {
        self.0.div_euclid(NANOS_PER_SEC as i64)
    }

    /// The instant at which second `second` since the epoch begins; saturates.
    pub const fn from_second(second: i64) -> Self {
        Self(second.saturating_mul(NANOS_PER_SEC as i64))
    }

    /// The next whole second, or this instant itself if it is one.
    pub const fn ceil_second(self) -> Self {
        let second = self.second();
        if second * (NANOS_PER_SEC as i64) == self.0 { self } else { Self::from_second(second + 1) }
    }

    /// How long after `earlier` this instant is; zero if it is not after.
    pub const fn since(self, earlier: Self) -> Duration {
        let nanos = self.0.saturating_sub(earlier.0);
        Duration(if nanos > 0 { nanos as u64 } else { 0 })
    }

    /// The instant `duration` later, or [`Timestamp::MAX`].
    pub const fn saturating_add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add_unsigned(duration.0))
    }

    /// The instant `duration` earlier, or the earliest that can be expressed.
    pub const fn saturating_sub(self, duration: Duration) -> Self {
        Self(self.0.saturating_sub_unsigned(duration.0))
    }
}

impl Add<Duration> for Timestamp {
    type Output = Self;
    fn add(self, duration: Duration) -> Self {
        self.saturating_add(duration)
    }
}

impl Sub<Duration> for Timestamp {
    type Output = Self;
    fn sub(self, duration: Duration) -> Self {
        self.saturating_sub(duration)
    }
}

/// RFC 3339 in UTC, with as many decimals as needed.
impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = i128::from(self.0);
        match jiff::Timestamp::from_nanosecond(nanos) {
            Ok(timestamp) => timestamp.fmt(f),
            Err(_) => write!(f, "{nanos} ns since 1970"),
        }
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

const NANOS_PER_MICRO: u64 = 1_000;
const NANOS_PER_MILLI: u64 = 1_000_000;
const NANOS_PER_SEC: u64 = 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_round_towards_the_past_before_the_epoch_too() {
        assert_eq!(Timestamp::from_nanos(-1).second(), -1);
        assert_eq!(Timestamp::from_nanos(-1).ceil_second(), Timestamp::EPOCH);
        assert_eq!(Timestamp::from_nanos(1).ceil_second(), Timestamp::from_second(1));
        assert_eq!(Timestamp::from_second(7).ceil_second(), Timestamp::from_second(7));
    }

    #[test]
    fn the_time_since_a_later_instant_is_zero() {
        let later = Timestamp::from_second(5);
        assert_eq!(Timestamp::EPOCH.since(later), Duration::ZERO);
        assert_eq!(later.since(Timestamp::EPOCH), Duration::from_secs(5));
        assert_eq!(Timestamp::MAX.since(Timestamp::from_nanos(-1)), Duration(i64::MAX as u64));
    }

    #[test]
    fn conversions_from_floats_saturate() {
        assert_eq!(Duration::from_secs_f64(-1.0), Duration::ZERO);
        assert_eq!(Duration::from_secs_f64(f64::NAN), Duration::ZERO);
        assert_eq!(Duration::from_secs_f64(f64::INFINITY), Duration::MAX);
        assert_eq!(Duration::from_secs_f64(1.25), Duration::from_millis(1250));
        assert_eq!(Duration::from_secs(2).mul_f64(1.5), Duration::from_secs(3));
    }
}
