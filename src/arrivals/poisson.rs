//! Arrivals that do not depend on each other, at a steady rate.

use std::fmt;

use super::error::ArrivalsError;
use super::exposure::Exposure;
use super::key::{Form, Given, Kind, VALUE};
use super::lane::{Coming, Lane};
use super::nanos::{between, instant, round};
use super::process::{Model, Times};
use crate::units::Rate;

/// Independent of each other at a steady rate; none at rate 0.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Poisson {
    rate: Rate,
}

impl Poisson {
    /// At this mean rate.
    pub const fn new(rate: Rate) -> Self {
        Self { rate }
    }

    /// The mean rate.
    pub const fn rate(&self) -> Rate {
        self.rate
    }
}

impl Model for Poisson {
    const NAME: &'static str = "poisson";
    const ABOUT: &'static str = "independent arrivals at this mean rate, more than 0/s";
    const FORM: Form = Form::One(Kind::Rate);
    type Times = PoissonTimes;

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

    fn times(&self, _: u32) -> PoissonTimes {
        PoissonTimes { gap: between(self.rate), at: 0, exposure: Exposure::new() }
    }
}

impl fmt::Display for Poisson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Poisson, {}", self.rate)
    }
}

/// The times of a [`Poisson`] process.
pub(crate) struct PoissonTimes {
    /// In nanoseconds; `None` where nothing arrives.
    gap: Option<f64>,
    at: u64,
    exposure: Exposure,
}

impl Times for PoissonTimes {
    #[inline(always)]
    fn next(&mut self, lane: &mut Lane) -> Option<Coming> {
        let gap = self.gap?;
        let request = lane.advance();
        self.at = self.at.saturating_add(round(self.exposure.of(request.1) * gap));
        Some(lane.open(request, instant(self.at)?))
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{
        assert_close, assert_unit_exposures, counts, moments, per_second, times,
    };
    use super::*;
    use crate::units::Duration;

    /// The dispersion over m windows has a standard error of (2 / m)^1/2.
    #[test]
    fn poisson_arrivals_have_their_rate_and_dispersion_1_at_every_scale() {
        for (seed, rate) in [(1, 8.0), (2, 0.5), (3, 200.0)] {
            let process = Poisson::new(per_second(rate));
            assert_unit_exposures(times(process, seed).take(100_000), |at| rate * at);
            for seconds in [1, 10, 60] {
                let count = (50_000.0 / rate) as usize / seconds as usize;
                let window = Duration::from_secs(seconds);
                let (mean, variance) = moments(&counts(times(process, seed), window, count));
                let error = 4.0 * (2.0 / count as f64).sqrt();
                assert_close(variance / mean, 1.0, error, "dispersion");
            }
        }
    }

    #[test]
    fn nothing_arrives_at_rate_0() {
        assert_eq!(times(Poisson::new(Rate::ZERO), 1).count(), 0);
    }
}
