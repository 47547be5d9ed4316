//! How fast engine time passes, measured in time on the wall.

use crate::units::Duration;

/// So many times as fast as on the wall: 0.001 to 10,000, in steps of a millionth.
///
/// Conversions are exact in whole nanoseconds, so a wait that is converted to wall time never ends
/// before its instant of engine time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct TimeScale {
    /// Engine nanoseconds in a wall millisecond.
    micros: u64,
}

impl TimeScale {
    /// As on the wall.
    pub const REAL: Self = Self { micros: ONE };

    /// `times` as fast as on the wall.
    ///
    /// # Errors
    /// Outside 0.001 to 10,000, or NaN.
    pub fn new(times: f64) -> Result<Self, ScaleError> {
        if !(SLOWEST..=FASTEST).contains(&times) {
            return Err(ScaleError { times });
        }
        Ok(Self { micros: (times * ONE as f64 + 0.5) as u64 })
    }

    /// How many times as fast.
    pub fn times(self) -> f64 {
        self.micros as f64 / ONE as f64
    }

    /// The engine time that passes in a stretch of wall time, rounded down; saturates.
    pub(super) fn engine(self, wall: Duration) -> Duration {
        if self.micros == ONE {
            return wall;
        }
        saturated(u128::from(wall.as_nanos()) * u128::from(self.micros) / u128::from(ONE))
    }

    /// The shortest stretch of wall time in which this much engine time passes; saturates.
    pub(super) fn wall(self, engine: Duration) -> Duration {
        if self.micros == ONE {
            return engine;
        }
        let scaled = u128::from(engine.as_nanos()) * u128::from(ONE);
        saturated(scaled.div_ceil(u128::from(self.micros)))
    }
}

impl Default for TimeScale {
    fn default() -> Self {
        Self::REAL
    }
}

/// A number that is no scale of time.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("{times} is no time scale: allowed are {SLOWEST} to {FASTEST} times as fast as real time")]
pub struct ScaleError {
    times: f64,
}

fn saturated(nanos: u128) -> Duration {
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// The steps in which a scale is told.
const ONE: u64 = 1_000_000;
/// Chosen: an hour of engine time would take six weeks.
const SLOWEST: f64 = 0.001;
/// Chosen: what a timer is late by, some 100 us, is then a second of engine time.
const FASTEST: f64 = 10_000.0;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_scale_outside_its_range_is_refused_with_the_range() {
        for wrong in [0.0, -1.0, 0.000_9, 10_001.0, f64::NAN, f64::INFINITY] {
            assert!(TimeScale::new(wrong).is_err(), "{wrong}");
        }
        let told = TimeScale::new(0.0).unwrap_err().to_string();
        assert_eq!(
            told,
            "0 is no time scale: allowed are 0.001 to 10000 times as fast as real time"
        );
    }

    #[test]
    fn at_a_hundred_times_a_second_takes_ten_milliseconds() {
        let scale = TimeScale::new(100.0).unwrap();
        assert_eq!(scale.wall(Duration::from_secs(1)), Duration::from_millis(10));
        assert_eq!(scale.engine(Duration::from_millis(10)), Duration::from_secs(1));
        assert_eq!(scale.wall(Duration::from_nanos(1)), Duration::from_nanos(1), "never short");
        assert_eq!(TimeScale::REAL, TimeScale::new(1.0).unwrap());
    }

    proptest! {
        #[test]
        fn a_wait_is_the_shortest_that_is_long_enough(times in SLOWEST..FASTEST, nanos: u32) {
            let scale = TimeScale::new(times).unwrap();
            let engine = Duration::from_nanos(u64::from(nanos) * 1_000);
            let wall = scale.wall(engine);
            prop_assert!(scale.engine(wall) >= engine);
            if !wall.is_zero() {
                prop_assert!(scale.engine(wall.saturating_sub(Duration::from_nanos(1))) < engine);
            }
        }

        #[test]
        fn no_length_overflows(times in SLOWEST..FASTEST, nanos: u64) {
            let scale = TimeScale::new(times).unwrap();
            let length = Duration::from_nanos(nanos);
            prop_assert!(scale.wall(scale.engine(length)) <= length);
            scale.engine(scale.wall(length));
        }
    }
}
