//! How late the waits of a live run ended.

use std::sync::{Mutex, PoisonError};

use crate::stats::DurationHistogram;
use crate::units::Duration;

/// Records how late waits ended, in wall time; shared by all who wait.
///
/// ```
/// # use coalmine::clock::Lag;
/// # use coalmine::units::Duration;
/// let lag = Lag::default();
/// lag.record(Duration::from_micros(40));
/// assert_eq!(lag.histogram().max(), Some(Duration::from_micros(40)));
/// ```
#[derive(Debug, Default)]
pub struct Lag(Mutex<DurationHistogram>);

impl Lag {
    /// All that was recorded until now.
    pub fn histogram(&self) -> DurationHistogram {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A wait ended this late, as [`WallClock::sleep_until`](super::WallClock::sleep_until) tells.
    pub fn record(&self, late: Duration) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).record(late);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_several_threads_record_is_counted_once_each() {
        let lag = Lag::default();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let lag = &lag;
                scope.spawn(move || {
                    for micros in 0..100 {
                        lag.record(Duration::from_micros(thread * 100 + micros));
                    }
                });
            }
        });
        let histogram = lag.histogram();
        assert_eq!(histogram.count(), 400);
        assert_eq!(histogram.max(), Some(Duration::from_micros(399)));
    }
}
