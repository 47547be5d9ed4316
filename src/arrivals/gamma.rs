//! Arrivals whose gaps have a gamma distribution: more regular or more bunched than by chance.

use std::fmt;

use super::error::ArrivalsError;
use super::key::{Form, Given, Key, Kind};
use super::lane::{Coming, Lane};
use super::nanos::{NANOS_PER_SECOND, instant, round};
use super::process::{Model, Times};
use super::residual::residual;
use crate::chance::{Distribution, Purpose, Sampler};
use crate::units::Rate;

/// A renewal process: gaps are independent of each other and have a gamma distribution.
///
/// With coefficient of variation 1 it is a Poisson process, below it is more regular, above it
/// bunches: the dispersion of counts in long windows tends to the square of the coefficient (D. R.
/// Cox, "Renewal Theory", 1962, chapter 4). It is stationary: the first gap is what is left of one
/// that had begun before, so the rate holds from the beginning on.
#[derive(Clone, PartialEq, Debug)]
pub struct Gamma {
    rate: Rate,
    cv: f64,
    /// In seconds.
    gap: Distribution,
}

impl Gamma {
    /// At this mean rate, more than 0, with gaps of this standard deviation over mean, 0.01 to 20.
    ///
    /// # Errors
    /// A parameter out of range.
    pub fn new(rate: Rate, cv: f64) -> Result<Self, ArrivalsError> {
        if rate == Rate::ZERO {
            return Err(ArrivalsError::NoRate { key: "rate" });
        }
        if !(LEAST_CV..=MOST_CV).contains(&cv) {
            let allowed = format!("{LEAST_CV} to {MOST_CV}");
            return Err(ArrivalsError::OutOfRange { key: "cv", value: cv.to_string(), allowed });
        }
        let gap = Distribution::gamma_mean_cv(1.0 / rate.per_second(), cv)?;
        Ok(Self { rate, cv, gap })
    }
}

impl Model for Gamma {
    const NAME: &'static str = "gamma";
    const ABOUT: &'static str =
        "independent gaps with a gamma distribution: more regular than Poisson, or more bunched";
    const FORM: Form = Form::Map(&[
        Key::required("rate", Kind::Rate, "the mean rate, more than 0/s"),
        Key::required(
            "cv",
            Kind::Number(LEAST_CV, MOST_CV),
            "standard deviation over mean of the gaps, 0.01 to 20; 1 is Poisson",
        ),
    ]);
    type Times = GammaTimes;

    fn build(given: &Given) -> Result<Self, ArrivalsError> {
        Self::new(given.rate("rate")?, given.number("cv")?)
    }

    fn highest_rate(&self) -> f64 {
        self.rate.per_second()
    }

    fn times(&self, _: u32) -> GammaTimes {
        GammaTimes { gap: Sampler::new(&self.gap), gaps: self.gap.clone(), at: 0 }
    }
}

impl fmt::Display for Gamma {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "gamma, {}, gap CV {}", self.rate, self.cv)
    }
}

/// The times of a [`Gamma`] process.
pub(crate) struct GammaTimes {
    gap: Sampler,
    gaps: Distribution,
    at: u64,
}

impl Times for GammaTimes {
    #[inline(never)]
    fn next(&mut self, lane: &mut Lane) -> Option<Coming> {
        let request = lane.advance();
        let (number, draws) = request;
        let draw = draws.draw(Purpose::Gap, 0);
        let gap = if number == 0 { residual(&self.gaps, draw) } else { self.gap.sample(draw) };
        self.at = self.at.saturating_add(round(gap * NANOS_PER_SECOND));
        Some(lane.open(request, instant(self.at)?))
    }
}

/// What the distribution takes: below it the gaps are equal for all that can be seen.
const LEAST_CV: f64 = 0.01;
/// What the distribution takes: beyond it a run is one bunch.
const MOST_CV: f64 = 20.0;

#[cfg(test)]
mod tests {
    use super::super::fixture::{assert_close, assert_mean, counts, moments, per_second, times};
    use super::*;
    use crate::chance::Chance;
    use crate::units::Duration;

    /// The sample's coefficient of variation c has a standard error of c ((1 + c^2) / 2n)^1/2:
    /// delta method with the gamma distribution's skewness 2 c and kurtosis 3 + 6 c^2.
    #[test]
    fn gaps_have_the_rate_and_the_variation_that_was_asked_for() {
        for (seed, cv) in [(1, 0.1), (2, 1.0), (3, 2.0), (4, 5.0)] {
            let at: Vec<f64> = times(Gamma::new(per_second(8.0), cv).unwrap(), seed)
                .take(100_001)
                .map(Duration::as_secs_f64)
                .collect();
            let gaps: Vec<f64> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
            let count = gaps.len() as f64;
            let (mean, variance) = moments(&gaps);
            assert_close(mean, 0.125, 4.0 * 0.125 * cv / count.sqrt(), "mean gap");
            let error = 4.0 * cv * ((1.0 + cv * cv) / (2.0 * count)).sqrt();
            assert_close(variance.sqrt() / mean, cv, error, "gap CV");
        }
    }

    /// Var N(t) = c^2 t / m + 1/6 + c^4 / 2 - m3 / 3 m^3 + o(1) for the stationary process, with m3
    /// the third central moment of the gap, here 2 c^4 m^3 (Cox, 1962, section 4.5).
    #[test]
    fn the_dispersion_of_long_windows_tends_to_the_square_of_the_variation() {
        for (seed, cv) in [(1, 0.5), (2, 2.0)] {
            let process = Gamma::new(per_second(20.0), cv).unwrap();
            let windows = counts(times(process, seed), Duration::from_secs(20), 500);
            let (mean, variance) = moments(&windows);
            let square = cv * cv;
            let expected = square + (1.0 / 6.0 - square * square / 6.0) / 400.0;
            let error = 4.0 * expected * (2.0_f64 / 500.0).sqrt();
            assert_close(variance / mean, expected, error, "dispersion");
        }
    }

    #[test]
    fn the_rate_holds_from_the_beginning_on() {
        // The table is made once: it takes longer than all runs together.
        let mut times = Gamma::new(per_second(3.0), 5.0).unwrap().times(0);
        let first_second = |seed| {
            times.at = 0;
            let mut lane = Lane::new(Chance::new(seed, 0), 0);
            let sent = std::iter::from_fn(|| times.next(&mut lane));
            sent.take_while(|coming| coming.at < Duration::from_secs(1)).count() as f64
        };
        assert_mean(&(0..2_000).map(first_second).collect::<Vec<_>>(), 3.0);
    }

    #[test]
    fn parameters_out_of_range_are_refused() {
        let no_rate = Gamma::new(Rate::ZERO, 1.0);
        assert_eq!(no_rate, Err(ArrivalsError::NoRate { key: "rate" }));
        for cv in [0.0, 0.009, 20.1, f64::NAN] {
            let error = Gamma::new(per_second(1.0), cv).unwrap_err();
            assert_eq!(error.key(), Some("cv"), "{error}");
        }
    }
}
