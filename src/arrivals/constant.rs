//! Arrivals at equal distances.

use std::fmt;

use super::error::ArrivalsError;
use super::key::{Form, Given, Kind, VALUE};
use super::lane::{Coming, Lane};
use super::nanos::{between, instant, round};
use super::process::{Model, Times};
use crate::units::Rate;

/// At equal distances, the first at the beginning; none at rate 0.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Constant {
    rate: Rate,
}

impl Constant {
    /// At this rate.
    pub const fn new(rate: Rate) -> Self {
        Self { rate }
    }
}

impl Model for Constant {
    const NAME: &'static str = "constant";
    const ABOUT: &'static str = "equal gaps at this rate, more than 0/s";
    const FORM: Form = Form::One(Kind::Rate);
    type Times = ConstantTimes;

    fn build(given: &Given) -> Result<Self, ArrivalsError> {
        match given.rate(VALUE)? {
            Rate::ZERO => Err(ArrivalsError::NoRate { key: VALUE }),
            rate => Ok(Self::new(rate)),
        }
    }

    fn highest_rate(&self) -> f64 {
        self.rate.per_second()
    }

    fn expected_count(&self) -> Option<f64> {
        (self.rate == Rate::ZERO).then_some(0.0)
    }

    fn times(&self, _: u32) -> ConstantTimes {
        ConstantTimes { gap: between(self.rate) }
    }
}

impl fmt::Display for Constant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "constant, {}", self.rate)
    }
}

/// The times of a [`Constant`] process.
pub(crate) struct ConstantTimes {
    /// In nanoseconds; `None` where nothing arrives.
    gap: Option<f64>,
}

impl Times for ConstantTimes {
    #[inline]
    fn next(&mut self, lane: &mut Lane) -> Option<Coming> {
        let gap = self.gap?;
        let request = lane.advance();
        // From the number, not from the last time: one rounding however many there were.
        Some(lane.open(request, instant(round(request.0 as f64 * gap))?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{per_second, times};
    use super::super::superposition::Arrivals;
    use super::*;
    use crate::chance::Chance;
    use crate::units::Duration;

    #[test]
    fn constant_arrivals_are_where_they_belong_however_late() {
        let thirty_thousand_an_hour = Rate::per(30_000.0, Duration::from_secs(3_600)).unwrap();
        let at = |rate, number: u64| {
            let mut lane = Lane::new(Chance::new(0, 0), 0);
            lane.skip(number);
            Constant::new(rate).times(0).next(&mut lane).unwrap().at
        };
        for number in [0, 1, 7, 1_000_000] {
            let exact = Duration::from_millis(120) * number;
            assert_eq!(at(thirty_thousand_an_hour, number), exact);
            assert_eq!(at(per_second(3.0), 3 * number), Duration::from_secs(number));
        }
        // After 139 days one bit of a double is 2 ns.
        let late = at(thirty_thousand_an_hour, 100_000_000).as_nanos();
        assert!(late.abs_diff(12_000_000_000_000_000) <= 4, "{late}");
        assert_eq!(at(per_second(3.0), 1), Duration::from_nanos(333_333_333));
        assert_eq!(at(per_second(3.0), 2), Duration::from_nanos(666_666_667));
    }

    #[test]
    fn nothing_arrives_at_rate_0_or_beyond_all_time() {
        assert_eq!(times(Constant::new(Rate::ZERO), 1).count(), 0);
        assert_eq!(Arrivals::from(Constant::new(Rate::ZERO)).expected_count(), Some(0.0));
        let once_a_century = Constant::new(per_second(1.0 / 3_155_760_000.0));
        assert_eq!(times(once_a_century, 1).count(), 3);
    }
}
