//! Bursts: arrivals come at some rate for a while, then none come for a while.

use std::fmt;

use super::error::ArrivalsError;
use super::exposure::Exposure;
use super::key::{Form, Given, Key, Kind};
use super::lane::{Coming, Lane};
use super::nanos::{LATEST, NANOS_PER_SECOND, instant, round};
use super::process::{Model, Times};
use super::residual::residual;
use crate::chance::{Distribution, Purpose, Sampler};
use crate::units::{Duration, format_significant};

/// Bursts and the silence between them: independent of each other, each with its own length and
/// rate, and within a burst independent arrivals (an interrupted Poisson process).
///
/// It is stationary: it begins within a burst as often as a burst is on, with what is left of it,
/// so the mean rate holds from the beginning on.
#[derive(Clone, PartialEq, Debug)]
pub struct OnOff {
    on: Distribution,
    off: Distribution,
    rate: Distribution,
}

impl OnOff {
    /// Bursts of length `on`, `off` apart, both in seconds, each at its own `rate` per second.
    ///
    /// # Errors
    /// A mean that is infinite, a mean burst shorter than 1 ms, or a mean rate of 0.
    pub fn new(
        on: Distribution,
        off: Distribution,
        rate: Distribution,
    ) -> Result<Self, ArrivalsError> {
        for (key, distribution) in [("on", &on), ("off", &off), ("rate", &rate)] {
            if !distribution.mean().is_finite() {
                let (value, allowed) = ("infinite on average", "a distribution with a mean");
                let (value, allowed) = (value.to_owned(), allowed.to_owned());
                return Err(ArrivalsError::OutOfRange { key, value, allowed });
            }
        }
        let mean = Duration::from_secs_f64(on.mean());
        if mean < SHORTEST {
            let value = format!("{mean} on average");
            let allowed = format!("at least {SHORTEST}");
            return Err(ArrivalsError::OutOfRange { key: "on", value, allowed });
        }
        if rate.mean() == 0.0 {
            return Err(ArrivalsError::NoRate { key: "rate" });
        }
        Ok(Self { on, off, rate })
    }

    /// The share of time in which a burst is on.
    fn share_on(&self) -> f64 {
        self.on.mean() / (self.on.mean() + self.off.mean())
    }
}

impl Model for OnOff {
    const NAME: &'static str = "on_off";
    const ABOUT: &'static str =
        "bursts with silence between them: independent arrivals while a burst is on";
    const FORM: Form = Form::Map(&[
        Key::required("on", Kind::Durations, "length of a burst, on average at least 1ms"),
        Key::required("off", Kind::Durations, "length of the silence between two bursts"),
        Key::required(
            "rate",
            Kind::Rates,
            "mean rate within a burst, drawn anew for each, on average more than 0/s",
        ),
    ]);
    type Times = OnOffTimes;

    fn build(given: &Given) -> Result<Self, ArrivalsError> {
        let distribution = |key| given.distribution(key);
        Self::new(distribution("on")?, distribution("off")?, distribution("rate")?)
    }

    fn highest_rate(&self) -> f64 {
        self.rate.mean() * self.share_on()
    }

    fn times(&self, _: u32) -> OnOffTimes {
        OnOffTimes {
            process: self.clone(),
            on: Sampler::new(&self.on),
            off: Sampler::new(&self.off),
            rate: Sampler::new(&self.rate),
            period: Period::Before,
            burst: 0,
            end: 0,
            at: 0,
            exposure: Exposure::new(),
        }
    }
}

impl fmt::Display for OnOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [on, off] = [&self.on, &self.off].map(|of| Duration::from_secs_f64(of.mean()));
        let rate = format_significant(self.rate.mean(), 3);
        let mean = format_significant(self.highest_rate(), 3);
        write!(f, "bursts of {on} at {rate}/s, {off} apart, all on average: {mean}/s")
    }
}

/// The times of an [`OnOff`] process.
pub(crate) struct OnOffTimes {
    process: OnOff,
    on: Sampler,
    off: Sampler,
    rate: Sampler,
    period: Period,
    /// The number of the current burst, or of the last one.
    burst: u64,
    /// When the current period ends.
    end: u64,
    at: u64,
    exposure: Exposure,
}

#[derive(Clone, Copy)]
enum Period {
    /// Before the first.
    Before,
    /// A burst, with this rate per nanosecond.
    On(f64),
    Off,
}

impl Times for OnOffTimes {
    #[inline(never)]
    fn next(&mut self, lane: &mut Lane) -> Option<Coming> {
        let request = lane.advance();
        self.spend(self.exposure.of(request.1), lane)?;
        Some(lane.open(request, instant(self.at)?))
    }
}

impl OnOffTimes {
    /// Goes on to where the integrated rate has grown by `exposure`.
    #[inline]
    fn spend(&mut self, mut exposure: f64, lane: &Lane) -> Option<()> {
        loop {
            if let Period::On(per_nano) = self.period {
                let available = (self.end - self.at) as f64 * per_nano;
                if exposure < available {
                    self.at = (self.at + round(exposure / per_nano)).min(self.end);
                    return Some(());
                }
                exposure -= available;
            }
            if self.end > LATEST {
                return None;
            }
            self.at = self.end;
            self.begin_period(lane);
        }
    }

    fn begin_period(&mut self, lane: &Lane) {
        let (begins_on, is_first) = match self.period {
            Period::Before => {
                let share = lane.draws(0).draw(Purpose::Start, 0).unit();
                (share < self.process.share_on(), true)
            }
            Period::On(_) => (false, false),
            Period::Off => (true, false),
        };
        if begins_on && !is_first {
            self.burst += 1;
        }
        let draws = lane.draws(self.burst);
        let (draw, periods, sampler) = if begins_on {
            (draws.draw(Purpose::BurstOn, 0), &self.process.on, &self.on)
        } else {
            (draws.draw(Purpose::BurstOff, 0), &self.process.off, &self.off)
        };
        let seconds = if is_first { residual(periods, draw) } else { sampler.sample(draw) };
        self.end = self.at.saturating_add(round(seconds * NANOS_PER_SECOND));
        self.period = if begins_on {
            let rate = self.rate.sample(draws.draw(Purpose::BurstRate, 0));
            Period::On(rate.min(MOST_PER_SECOND) / NANOS_PER_SECOND)
        } else {
            Period::Off
        };
    }
}

/// Chosen: shorter bursts are single requests, and walking through them takes for ever.
const SHORTEST: Duration = Duration::from_millis(1);
/// What a rate is at most: one arrival a nanosecond.
const MOST_PER_SECOND: f64 = 1e9;

#[cfg(test)]
mod tests {
    use super::super::fixture::{assert_close, assert_mean, counts, moments, times};
    use super::*;
    use crate::chance::Chance;

    fn constant(value: f64) -> Distribution {
        Distribution::constant(value).unwrap()
    }

    /// The model that `design/workload.md` gives for Azure's code assistant.
    fn code_assistant() -> OnOff {
        OnOff::new(
            Distribution::lognormal_mean_cv(9.0, 1.3).unwrap(),
            Distribution::exponential(27.0).unwrap(),
            Distribution::gamma_mean_cv(10.2, 0.7).unwrap(),
        )
        .unwrap()
    }

    #[test]
    fn bursts_of_fixed_length_come_at_fixed_distances_at_their_rate() {
        let process = OnOff::new(constant(2.0), constant(3.0), constant(500.0)).unwrap();
        let at: Vec<f64> = times(process, 3).take(20_000).map(Duration::as_secs_f64).collect();
        let after_silence = |pair: &&[f64]| pair[1] - pair[0] > 2.0;
        let begins: Vec<f64> = at.windows(2).filter(after_silence).map(|pair| pair[1]).collect();
        assert!(begins.len() >= 18, "{}", begins.len());
        for pair in begins.windows(2) {
            assert_close(pair[1] - pair[0], 5.0, 0.03, "from burst to burst");
            let within = at.iter().filter(|at| (pair[0]..pair[1]).contains(at));
            let last = within.clone().fold(0.0, |_, at| *at);
            assert_close(last - pair[0], 2.0, 0.05, "length of a burst");
            assert_close(within.count() as f64, 1_000.0, 4.0 * 1_000.0_f64.sqrt(), "arrivals");
        }
    }

    /// By an independent simulation of 4e7 s with numpy's generators: 13.05, 84.6, 188.8. One of an
    /// hour scatters by 15 %, 22 % and 44 %, one of 300,000 s by a ninth of that.
    #[test]
    fn the_code_assistants_bursts_have_the_dispersion_of_an_independent_simulation() {
        let expected = [(1, 13.05, 0.15), (10, 84.6, 0.22), (60, 188.8, 0.44)];
        for (seconds, expected, scatter) in expected {
            let window = Duration::from_secs(seconds);
            let windows = counts(times(code_assistant(), 1), window, 300_000 / seconds as usize);
            let (mean, variance) = moments(&windows);
            let error = 4.0 * expected * scatter / 9.0;
            assert_close(variance / mean, expected, error, "dispersion");
        }
    }

    #[test]
    fn the_mean_rate_holds_from_the_beginning_on() {
        // The tables are made once: they take longer than all runs together.
        let mut times = code_assistant().times(0);
        let first_second = |seed| {
            (times.period, times.burst, times.end, times.at) = (Period::Before, 0, 0, 0);
            let mut lane = Lane::new(Chance::new(seed, 0), 0);
            let sent = std::iter::from_fn(|| times.next(&mut lane));
            sent.take_while(|coming| coming.at < Duration::from_secs(1)).count() as f64
        };
        assert_mean(&(0..2_000).map(first_second).collect::<Vec<_>>(), 10.2 * 9.0 / 36.0);
    }

    #[test]
    fn what_would_never_send_or_never_come_on_is_refused() {
        let key = |on: f64, rate: f64| {
            OnOff::new(constant(on), constant(1.0), constant(rate)).unwrap_err().key()
        };
        assert_eq!(key(0.0, 1.0), Some("on"));
        assert_eq!(key(0.0009, 1.0), Some("on"));
        assert_eq!(key(1.0, 0.0), Some("rate"));
        let endless = Distribution::pareto_min_shape(1.0, 0.9).unwrap();
        let error = OnOff::new(constant(1.0), endless, constant(1.0)).unwrap_err();
        assert_eq!(error.key(), Some("off"));
    }
}
