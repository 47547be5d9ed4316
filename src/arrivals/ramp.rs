//! Arrivals that do not depend on each other, at a rate that goes evenly from one value to another.

use std::fmt;

use super::error::ArrivalsError;
use super::exposure::Exposure;
use super::key::{Form, Given, Key, Kind};
use super::lane::{Coming, Lane};
use super::nanos::{NANOS_PER_SECOND, instant, round};
use super::process::{Model, Times};
use crate::units::{Duration, Rate};

/// A rate that changes evenly from `from` to `to`, then stays there.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Ramp {
    from: Rate,
    to: Rate,
    over: Duration,
}

impl Ramp {
    /// From one rate to another within `over`, more than 0.
    ///
    /// # Errors
    /// Both rates 0, or no time between them.
    pub fn new(from: Rate, to: Rate, over: Duration) -> Result<Self, ArrivalsError> {
        if from == Rate::ZERO && to == Rate::ZERO {
            return Err(ArrivalsError::NoRate { key: "to" });
        }
        if over.is_zero() {
            let (value, allowed) = (over.to_string(), "more than 0 s".to_owned());
            return Err(ArrivalsError::OutOfRange { key: "over", value, allowed });
        }
        Ok(Self { from, to, over })
    }
}

impl Model for Ramp {
    const NAME: &'static str = "ramp";
    const ABOUT: &'static str =
        "independent arrivals whose mean rate goes evenly from one value to another, then stays";
    const FORM: Form = Form::Map(&[
        Key::required("from", Kind::Rate, "the mean rate at the beginning"),
        Key::required("to", Kind::Rate, "the mean rate at the end and after it; 0/s: none"),
        Key::required("over", Kind::Duration, "the time between them, more than 0s"),
    ]);
    type Times = RampTimes;

    fn build(given: &Given) -> Result<Self, ArrivalsError> {
        Self::new(given.rate("from")?, given.rate("to")?, given.duration("over")?)
    }

    fn highest_rate(&self) -> f64 {
        self.from.per_second().max(self.to.per_second())
    }

    fn expected_count(&self) -> Option<f64> {
        let mean = 0.5 * self.from.per_second();
        (self.to == Rate::ZERO).then(|| mean * self.over.as_secs_f64())
    }

    fn times(&self, _: u32) -> RampTimes {
        RampTimes { process: *self, at: 0, exposure: Exposure::new() }
    }
}

impl fmt::Display for Ramp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Poisson, from {} to {} over {}", self.from, self.to, self.over)
    }
}

/// The times of a [`Ramp`].
pub(crate) struct RampTimes {
    process: Ramp,
    at: u64,
    exposure: Exposure,
}

impl Times for RampTimes {
    #[inline(never)]
    fn next(&mut self, lane: &mut Lane) -> Option<Coming> {
        let request = lane.advance();
        self.spend(self.exposure.of(request.1))?;
        Some(lane.open(request, instant(self.at)?))
    }
}

impl RampTimes {
    /// Goes on to where the integrated rate has grown by `exposure`: on the slope the root of
    /// r x + s x^2 / 2 = exposure, in the form that does not cancel.
    fn spend(&mut self, mut exposure: f64) -> Option<()> {
        let Ramp { from, to, over } = self.process;
        let [from, to] = [from, to].map(|rate| rate.per_second() / NANOS_PER_SECOND);
        let end = over.as_nanos();
        if self.at < end {
            let slope = (to - from) / end as f64;
            let rate = from + slope * self.at as f64;
            let available = 0.5 * (rate + to) * (end - self.at) as f64;
            if exposure < available {
                let last = (rate * rate + 2.0 * slope * exposure).max(0.0).sqrt();
                self.at = (self.at + round(2.0 * exposure / (rate + last))).min(end);
                return Some(());
            }
            exposure -= available;
            self.at = end;
        }
        if to == 0.0 {
            return None;
        }
        self.at = self.at.saturating_add(round(exposure / to));
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{assert_unit_exposures, per_second, times};
    use super::*;

    fn ramp(from: f64, to: f64, seconds: u64) -> Ramp {
        Ramp::new(per_second(from), per_second(to), Duration::from_secs(seconds)).unwrap()
    }

    #[test]
    fn the_rate_goes_evenly_and_then_stays() {
        for (from, to) in [(5.0, 80.0), (80.0, 5.0), (0.0, 60.0), (30.0, 30.0)] {
            let integral = |at: f64| {
                let on_slope = at.min(500.0);
                let slope = (to - from) / 500.0;
                from * on_slope + 0.5 * slope * on_slope * on_slope + to * (at - on_slope)
            };
            assert_unit_exposures(times(ramp(from, to, 500), 7).take(40_000), integral);
        }
    }

    #[test]
    fn a_ramp_to_nothing_ends() {
        let process = ramp(80.0, 0.0, 500);
        assert_eq!(process.expected_count(), Some(20_000.0));
        let at: Vec<_> = times(process, 7).collect();
        assert!(at.len().abs_diff(20_000) < 4 * 142, "{}", at.len());
        assert!(at.iter().all(|at| *at <= Duration::from_secs(500)));
    }

    #[test]
    fn a_ramp_without_rates_or_time_is_refused() {
        let [zero, one] = [0.0, 1.0].map(per_second);
        let key = |result: Result<Ramp, ArrivalsError>| result.unwrap_err().key();
        assert_eq!(key(Ramp::new(zero, zero, Duration::from_secs(1))), Some("to"));
        assert_eq!(key(Ramp::new(zero, one, Duration::ZERO)), Some("over"));
    }
}
