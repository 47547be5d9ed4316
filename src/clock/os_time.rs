//! What the operating system says the time is. Everyone else is told.

use std::time::{Instant, SystemTime};

use crate::units::{Duration, Timestamp};

/// Now, on the clock that never goes back.
#[expect(clippy::disallowed_methods, reason = "the one module that reads the OS clock")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// Now, in UTC; the epoch where the system's clock stands before it.
#[expect(clippy::disallowed_methods, reason = "the one module that reads the OS clock")]
pub(super) fn utc() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    Timestamp::EPOCH + nanos(since)
}

/// A length of the standard library's as one of ours; saturates.
pub(super) fn nanos(length: std::time::Duration) -> Duration {
    Duration::from_nanos(u64::try_from(length.as_nanos()).unwrap_or(u64::MAX))
}
