//! Arrivals that do not depend on each other, at a rate that changes at fixed times.

use std::fmt;

use super::error::ArrivalsError;
use super::exposure::Exposure;
use super::key::{Form, Given, Key, Kind};
use super::lane::{Coming, Lane};
use super::nanos::{LATEST, NANOS_PER_SECOND, instant, round};
use super::process::{Model, Times};
use crate::units::{Duration, Rate};

/// Rates that hold one after the other, each for the same time; after the last nothing arrives.
#[derive(Clone, PartialEq, Debug)]
pub struct Piecewise {
    every: Duration,
    rates: Vec<Rate>,
}

impl Piecewise {
    /// Each of `rates` for `every` long.
    ///
    /// # Errors
    /// No rates, none above 0, no time for them, or together more than 292 years.
    pub fn new(every: Duration, rates: Vec<Rate>) -> Result<Self, ArrivalsError> {
        if rates.is_empty() {
            return Err(ArrivalsError::NoRates);
        }
        if rates.iter().all(|rate| *rate == Rate::ZERO) {
            return Err(ArrivalsError::AllRatesZero);
        }
        if every.is_zero() {
            return Err(ArrivalsError::NoTime);
        }
        let total = every.as_nanos().checked_mul(rates.len() as u64);
        if total.is_none_or(|total| total > LATEST) {
            return Err(ArrivalsError::TooLong { every, count: rates.len() });
        }
        Ok(Self { every, rates })
    }
}

impl Model for Piecewise {
    const NAME: &'static str = "piecewise";
    const ABOUT: &'static str =
        "independent arrivals whose mean rate changes at equal distances; after the last none";
    const FORM: Form = Form::Map(&[
        Key::defaulted("every", Kind::Duration, "1m", "how long each rate holds, more than 0s"),
        Key::required(
            "rates",
            Kind::RateList,
            "the mean rates one after the other, or the path of a file with such a list",
        ),
    ]);
    type Times = PiecewiseTimes;

    fn build(given: &Given) -> Result<Self, ArrivalsError> {
        Self::new(given.duration("every")?, given.rates("rates")?)
    }

    fn highest_rate(&self) -> f64 {
        self.rates.iter().map(|rate| rate.per_second()).fold(0.0, f64::max)
    }

    fn expected_count(&self) -> Option<f64> {
        Some(self.rates.iter().map(|rate| rate.per_second() * self.every.as_secs_f64()).sum())
    }

    fn times(&self, _: u32) -> PiecewiseTimes {
        PiecewiseTimes { process: self.clone(), segment: 0, at: 0, exposure: Exposure::new() }
    }
}

impl fmt::Display for Piecewise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Poisson with {} rates, {} each", self.rates.len(), self.every)
    }
}

/// The times of a [`Piecewise`] process.
pub(crate) struct PiecewiseTimes {
    process: Piecewise,
    segment: usize,
    at: u64,
    exposure: Exposure,
}

impl Times for PiecewiseTimes {
    #[inline(never)]
    fn next(&mut self, lane: &mut Lane) -> Option<Coming> {
        let request = lane.advance();
        self.spend(self.exposure.of(request.1))?;
        Some(lane.open(request, instant(self.at)?))
    }
}

impl PiecewiseTimes {
    /// Goes on to where the integrated rate has grown by `exposure`: the rate is constant within a
    /// segment, so the integral is exact.
    fn spend(&mut self, mut exposure: f64) -> Option<()> {
        while let Some(rate) = self.process.rates.get(self.segment) {
            let end = self.process.every.as_nanos() * (self.segment as u64 + 1);
            let per_nano = rate.per_second() / NANOS_PER_SECOND;
            let available = (end - self.at) as f64 * per_nano;
            if exposure < available {
                self.at = (self.at + round(exposure / per_nano)).min(end);
                return Some(());
            }
            exposure -= available;
            self.at = end;
            self.segment += 1;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{assert_close, counts, per_second, times};
    use super::*;

    #[test]
    fn piecewise_arrivals_keep_each_segments_rate_and_end_after_the_last() {
        let every = Duration::from_secs(500);
        let rates = [4.0, 0.0, 0.001, 90.0, 0.0, 0.0, 25.0, 0.0];
        let process = Piecewise::new(every, rates.map(per_second).to_vec()).unwrap();
        assert_eq!(process.expected_count(), Some(59_500.5));
        let halves = counts(times(process.clone(), 5), Duration::from_secs(250), 16);
        for (half, found) in halves.into_iter().enumerate() {
            let expected = rates[half / 2] * 250.0;
            assert_close(found, expected, 4.0 * expected.sqrt(), "arrivals in half a segment");
        }
        assert!(times(process, 5).all(|at| at < every * 7));
    }

    #[test]
    fn rates_that_are_no_process_are_refused() {
        let second = Duration::from_secs(1);
        assert_eq!(Piecewise::new(second, Vec::new()), Err(ArrivalsError::NoRates));
        let zeros = Piecewise::new(second, vec![Rate::ZERO; 3]);
        assert_eq!(zeros, Err(ArrivalsError::AllRatesZero));
        let no_time = Piecewise::new(Duration::ZERO, vec![per_second(1.0)]);
        assert_eq!(no_time, Err(ArrivalsError::NoTime));
        let too_long = Piecewise::new(Duration::MAX, vec![per_second(1.0); 2]);
        assert!(matches!(too_long, Err(ArrivalsError::TooLong { count: 2, .. })));
    }
}
