//! Instants of a workload in whole nanoseconds since its beginning.

use crate::units::{Duration, Rate};

pub(super) const NANOS_PER_SECOND: f64 = 1e9;

/// 292 years, what an instant after 1970 can hold; later arrivals do not happen.
pub(super) const LATEST: u64 = i64::MAX as u64;

/// To the nearest whole number; saturates.
#[inline]
pub(super) fn round(nanos: f64) -> u64 {
    (nanos + 0.5) as u64
}

/// The instant `nanos` after the beginning, if it can be told.
#[inline]
pub(super) fn instant(nanos: u64) -> Option<Duration> {
    (nanos <= LATEST).then_some(Duration::from_nanos(nanos))
}

/// The mean gap in nanoseconds, unrounded; `None` at rate 0.
pub(super) fn between(rate: Rate) -> Option<f64> {
    let per_second = rate.per_second();
    (per_second > 0.0).then(|| NANOS_PER_SECOND / per_second)
}
