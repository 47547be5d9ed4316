//! Arrivals that do not depend on each other, at a rate that rises and falls like that of a day.

use std::f64::consts::{PI, TAU};
use std::fmt;

use super::error::ArrivalsError;
use super::exposure::Exposure;
use super::key::{Form, Given, Key, Kind};
use super::lane::{Coming, Lane};
use super::nanos::{NANOS_PER_SECOND, instant, round};
use super::process::{Model, Times};
use crate::math;
use crate::units::{Duration, Rate, Ratio, format_set_share};

/// A rate that swings about its mean: mean (1 + amplitude cos(2 pi (t - peak) / period)).
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Diurnal {
    mean: Rate,
    amplitude: f64,
    period: Duration,
    peak_at: Duration,
}

impl Diurnal {
    /// About this mean, more than 0, up and down by this share of it, once in `period`, at least
    /// 1 s; `peak_at` is the time from the beginning to a peak.
    ///
    /// # Errors
    /// A parameter out of range.
    pub fn new(
        mean: Rate,
        amplitude: Ratio,
        period: Duration,
        peak_at: Duration,
    ) -> Result<Self, ArrivalsError> {
        if mean == Rate::ZERO {
            return Err(ArrivalsError::NoRate { key: "mean" });
        }
        if period < SHORTEST {
            let (value, allowed) = (period.to_string(), format!("at least {SHORTEST}"));
            return Err(ArrivalsError::OutOfRange { key: "period", value, allowed });
        }
        Ok(Self { mean, amplitude: amplitude.get(), period, peak_at })
    }

    /// The mean of what swings between `trough` and `peak`, and how far it swings.
    fn between(trough: Rate, peak: Rate) -> Result<(Rate, Ratio), ArrivalsError> {
        let [low, high] = [trough, peak].map(Rate::per_second);
        if high < low {
            let allowed = format!("at least the trough, {trough}");
            let value = peak.to_string();
            return Err(ArrivalsError::OutOfRange { key: "peak", value, allowed });
        }
        let mean = Rate::per(0.5 * (low + high), Duration::from_secs(1));
        match (mean, Ratio::new((high - low) / (high + low))) {
            (Some(mean), Ok(amplitude)) => Ok((mean, amplitude)),
            _ => Err(ArrivalsError::NoRate { key: "peak" }),
        }
    }

    /// The mean, and how far it swings to reach `peak`.
    fn up_to(peak: Rate, mean: Rate) -> Result<(Rate, Ratio), ArrivalsError> {
        if mean == Rate::ZERO {
            return Err(ArrivalsError::NoRate { key: "mean" });
        }
        let amplitude = Ratio::new(peak.per_second() / mean.per_second() - 1.0);
        amplitude.map(|amplitude| (mean, amplitude)).map_err(|_| {
            let allowed = format!("at least the mean, {mean}, and at most twice it");
            ArrivalsError::OutOfRange { key: "peak", value: peak.to_string(), allowed }
        })
    }
}

impl Model for Diurnal {
    const NAME: &'static str = "diurnal";
    const ABOUT: &'static str =
        "independent arrivals whose mean rate rises and falls like that of a day";
    const FORM: Form = Form::Map(&[
        Key::optional("mean", Kind::Rate, "the mean rate; with amplitude or peak"),
        Key::optional("amplitude", Kind::Ratio, "how far it swings, 0% to 100% of the mean"),
        Key::optional("peak", Kind::Rate, "the highest rate; with mean or trough"),
        Key::optional("trough", Kind::Rate, "the lowest rate; with peak"),
        Key::defaulted("period", Kind::Duration, "24h", "the length of a day, at least 1s"),
        Key::defaulted(
            "peak_at",
            Kind::Duration,
            "0s",
            "time to a peak from the beginning of the workload, or of the phase whose arrivals \
             they are",
        ),
    ]);
    type Times = DiurnalTimes;

    fn build(given: &Given) -> Result<Self, ArrivalsError> {
        let (mean, amplitude) = match *given.among(&["mean", "amplitude", "peak", "trough"]) {
            ["mean", "amplitude"] => (given.rate("mean")?, given.ratio("amplitude")?),
            ["mean", "peak"] => Self::up_to(given.rate("peak")?, given.rate("mean")?)?,
            ["peak", "trough"] => Self::between(given.rate("trough")?, given.rate("peak")?)?,
            ref keys => {
                let given = if keys.is_empty() { "nothing".to_owned() } else { keys.join(", ") };
                let allowed = "mean and amplitude, or mean and peak, or peak and trough";
                return Err(ArrivalsError::Undefined { model: Self::NAME, given, allowed });
            }
        };
        Self::new(mean, amplitude, given.duration("period")?, given.duration("peak_at")?)
    }

    fn highest_rate(&self) -> f64 {
        self.mean.per_second() * (1.0 + self.amplitude)
    }

    fn times(&self, _: u32) -> DiurnalTimes {
        DiurnalTimes { process: *self, at: 0, exposure: Exposure::new() }
    }
}

impl fmt::Display for Diurnal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mean, amplitude, period, peak_at } = self;
        let amplitude = format_set_share(*amplitude);
        write!(f, "Poisson, {mean} ± {amplitude} in {period}, a peak at {peak_at}")
    }
}

/// The times of a [`Diurnal`] process.
pub(crate) struct DiurnalTimes {
    process: Diurnal,
    at: u64,
    exposure: Exposure,
}

impl Times for DiurnalTimes {
    #[inline(never)]
    fn next(&mut self, lane: &mut Lane) -> Option<Coming> {
        let request = lane.advance();
        let seconds = self.seconds_until(self.exposure.of(request.1));
        self.at = self.at.saturating_add(round(seconds * NANOS_PER_SECOND));
        Some(lane.open(request, instant(self.at)?))
    }
}

impl DiurnalTimes {
    /// How long it takes until the integrated rate has grown by `exposure`: the root of
    /// x + a / w (sin(p + w x) - sin p) = exposure / mean, with w = 2 pi / period and p the angle
    /// since the peak, by Newton's steps within a bracket that shrinks. The left side never falls.
    fn seconds_until(&self, exposure: f64) -> f64 {
        let Diurnal { mean, amplitude, period, peak_at } = self.process;
        let day = period.as_nanos();
        let since_peak = (self.at % day + day - peak_at.as_nanos() % day) % day;
        let angle = TAU * (since_peak as f64 / day as f64);
        let speed = TAU / period.as_secs_f64();
        let wanted = exposure / mean.per_second();
        let (mut low, mut high) = (0.0, wanted + amplitude * period.as_secs_f64() / PI);
        let mut x = (wanted / (1.0 + amplitude * math::cos(angle))).min(high);
        for _ in 0..MOST_STEPS {
            // The difference of the sines as a product: it does not cancel.
            let half = 0.5 * speed * x;
            let swing = 2.0 * math::cos(angle + half) * math::sin(half);
            let excess = x + amplitude / speed * swing - wanted;
            if excess > 0.0 {
                high = x;
            } else {
                low = x;
            }
            let slope = 1.0 + amplitude * math::cos(angle + 2.0 * half);
            let step = x - excess / slope;
            let next = if step > low && step < high { step } else { low + 0.5 * (high - low) };
            if (next - x).abs() < NEGLIGIBLE {
                return next;
            }
            x = next;
        }
        x
    }
}

/// Chosen: a day in a rehearsal may be short, but not of the order of a gap.
const SHORTEST: Duration = Duration::from_secs(1);
/// A tenth of a nanosecond, in seconds.
const NEGLIGIBLE: f64 = 1e-10;
/// Enough to halve a century down to a nanosecond; Newton's steps need five.
const MOST_STEPS: u32 = 100;

#[cfg(test)]
mod tests {
    use super::super::fixture::{assert_close, assert_unit_exposures, counts, per_second, times};
    use super::super::key::Value;
    use super::*;

    fn diurnal(amplitude: f64, period: u64, peak_at: u64) -> Diurnal {
        let [period, peak_at] = [period, peak_at].map(Duration::from_secs);
        Diurnal::new(per_second(20.0), Ratio::new(amplitude).unwrap(), period, peak_at).unwrap()
    }

    #[test]
    fn the_rate_is_the_formulas() {
        // Days of about 100,000, 120 and 2 arrivals.
        for (amplitude, period, peak_at) in
            [(0.0, 5_000, 0), (0.6, 5_000, 1_000), (1.0, 5_000, 12_000), (0.9, 6, 2), (1.0, 1, 0)]
        {
            let speed = TAU / period as f64;
            let sine = |at: f64| math::sin(speed * (at - peak_at as f64));
            let integral = |at: f64| 20.0 * (at + amplitude / speed * (sine(at) - sine(0.0)));
            let process = diurnal(amplitude, period, peak_at);
            assert_unit_exposures(times(process, 11).take(60_000), integral);
        }
    }

    #[test]
    fn over_whole_days_the_mean_is_the_mean_and_half_a_day_has_the_peak() {
        let halves = counts(times(diurnal(0.8, 1_000, 250), 2), Duration::from_secs(500), 40);
        let total: f64 = halves.iter().sum();
        let expected: f64 = 20.0 * 20_000.0;
        assert_close(total, expected, 4.0 * expected.sqrt(), "arrivals in 20 days");
        // The half day around the peak has 1/2 + amplitude / pi of the day's.
        let around_peaks: f64 = halves.iter().step_by(2).sum();
        let share = 0.5 + 0.8 / PI;
        let error = 4.0 * (share * (1.0 - share) / total).sqrt();
        assert_close(around_peaks / total, share, error, "share around the peaks");
    }

    #[test]
    fn it_is_defined_by_any_two_that_suffice() {
        let build = |values: &[(&'static str, f64)]| {
            let mut given = Given::default();
            for (key, value) in values {
                let ratio = || Value::Ratio(Ratio::new(*value).unwrap());
                let rate = || Value::Rate(per_second(*value));
                given.add(key, if *key == "amplitude" { ratio() } else { rate() });
            }
            given.add("period", Value::Duration(Duration::from_secs(86_400)));
            given.add("peak_at", Value::Duration(Duration::ZERO));
            Diurnal::build(&given)
        };
        let one = build(&[("mean", 20.0), ("amplitude", 0.5)]).unwrap();
        assert_eq!(build(&[("peak", 30.0), ("trough", 10.0)]).unwrap(), one);
        assert_eq!(build(&[("mean", 20.0), ("peak", 30.0)]).unwrap(), one);
        let high = build(&[("mean", 20.0), ("peak", 41.0)]).unwrap_err().to_string();
        assert_eq!(
            high,
            "`peak` is 41/s: allowed is at least the mean, 20/s, and at most twice it"
        );
        let low = build(&[("trough", 20.0), ("peak", 10.0)]).unwrap_err().to_string();
        assert_eq!(low, "`peak` is 10/s: allowed is at least the trough, 20/s");
        let odd = build(&[("mean", 20.0), ("trough", 10.0)]).unwrap_err();
        assert!(matches!(odd, ArrivalsError::Undefined { .. }), "{odd}");
        assert!(build(&[]).unwrap_err().to_string().contains("nothing"));
        let none = build(&[("peak", 0.0), ("trough", 0.0)]).unwrap_err();
        assert_eq!(none, ArrivalsError::NoRate { key: "peak" });
    }
}
