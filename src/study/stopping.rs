//! When a cell has runs enough.

use serde::{Deserialize, Serialize};

use crate::stats::{Confidence, Interval};

/// How precisely the probability of a rollback is to be known: half the width of its 95 % interval
/// (Wilson's), in (0, 0.5].
///
/// It is looked at after every [`BLOCK`] runs of a cell, in the order of their seeds, and at no
/// other time: so the same runs are made on any number of threads. Whoever stops when an interval
/// is narrow enough has one that covers a little less often than it says; with 100 runs and more
/// between two looks that is a matter of tenths of a percent.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Precision(f64);

/// A number that is no precision.
#[derive(Clone, Copy, PartialEq, Debug, thiserror::Error)]
#[error("{0} is no precision: allowed is more than 0% and at most 50%")]
pub struct PrecisionError(f64);

impl Precision {
    /// That half the width of the interval is at most this.
    ///
    /// # Errors
    /// Outside (0, 0.5].
    pub fn new(half_width: f64) -> Result<Self, PrecisionError> {
        match half_width > 0.0 && half_width <= 0.5 {
            true => Ok(Self(half_width)),
            false => Err(PrecisionError(half_width)),
        }
    }

    /// Half the width.
    pub const fn get(self) -> f64 {
        self.0
    }

    /// Whether so many `hits` in so many `runs` tell the probability so precisely.
    ///
    /// # Panics
    /// More hits than runs.
    pub fn is_reached(self, hits: u64, runs: u64) -> bool {
        let Interval { low, high } = Interval::wilson(hits, runs, Confidence::PERCENT_95);
        0.5 * (high - low) <= self.0
    }
}

impl TryFrom<f64> for Precision {
    type Error = PrecisionError;
    fn try_from(half_width: f64) -> Result<Self, PrecisionError> {
        Self::new(half_width)
    }
}

impl From<Precision> for f64 {
    fn from(precision: Precision) -> Self {
        precision.0
    }
}

/// Chosen: with fewer runs between two looks more of them would be looks; with more, a cell whose
/// outcome is certain would go on for nothing.
pub const BLOCK: u64 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_reached_where_half_the_interval_is_narrow_enough() {
        // Wilson, z = 1.959964: 0 of n reaches from 0 to z^2 / (n + z^2), 3.8415 / (n + 3.8415);
        // half of it is 1 % where n is 188.2. 50 of 100: z sqrt(0.25 / n + z^2 / 4 n^2) by
        // 1 + z^2 / n is 0.09617.
        let percent = |percent: f64| Precision::new(percent / 100.0).unwrap();
        assert!(!percent(1.0).is_reached(0, 188));
        assert!(percent(1.0).is_reached(0, 189));
        assert!(percent(9.62).is_reached(50, 100));
        assert!(!percent(9.61).is_reached(50, 100));
        for wrong in [0.0, -0.1, 0.51, f64::NAN] {
            assert!(Precision::new(wrong).is_err(), "{wrong}");
        }
    }
}
