//! When requests are sent: the generated arrival processes.
//!
//! The gap before a request is a function of the request's own draw, so a sequence of arrivals is a
//! function of seed and run; times add up in whole nanoseconds, without drift.

use crate::chance::{Distribution, Draws, Purpose, Sampler};
use crate::units::{Duration, Rate};

/// A process of arrivals, from the start of the workload on.
#[derive(Clone, PartialEq, Debug)]
pub enum Arrivals {
    /// At equal distances, the first at the start; none at rate 0.
    Constant(Rate),
    /// Independent of each other at a steady rate; none at rate 0.
    Poisson(Rate),
    /// Independent of each other at a rate that changes at fixed times.
    Piecewise(Piecewise),
}

impl Arrivals {
    /// How many arrivals there will be on average; `None` where they do not end.
    pub fn expected_count(&self) -> Option<f64> {
        match self {
            Self::Constant(rate) | Self::Poisson(rate) => (rate.per_second() == 0.0).then_some(0.0),
            Self::Piecewise(piecewise) => Some(piecewise.expected_count()),
        }
    }
}

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
    /// No rates, no time for them, or together more than 292 years.
    pub fn new(every: Duration, rates: Vec<Rate>) -> Result<Self, PiecewiseError> {
        if rates.is_empty() {
            return Err(PiecewiseError::NoRates);
        }
        if every.is_zero() {
            return Err(PiecewiseError::NoTime);
        }
        let total = every.as_nanos().checked_mul(rates.len() as u64);
        if total.is_none_or(|total| total > LATEST) {
            return Err(PiecewiseError::TooLong { every, count: rates.len() });
        }
        Ok(Self { every, rates })
    }

    /// How long each rate holds.
    pub const fn every(&self) -> Duration {
        self.every
    }

    /// The rates in their order.
    pub fn rates(&self) -> &[Rate] {
        &self.rates
    }

    fn expected_count(&self) -> f64 {
        self.rates.iter().map(|rate| rate.per_second() * self.every.as_secs_f64()).sum()
    }
}

/// Rates that are no process.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PiecewiseError {
    /// An empty list.
    #[error("there are no rates: at least 1 is needed")]
    NoRates,
    /// Segments of no length.
    #[error("each rate holds for 0 s: more than 0 s is needed")]
    NoTime,
    /// An end beyond all time.
    #[error("{count} rates of {every} each are too long: together at most 292 years are allowed")]
    TooLong {
        /// How long each holds.
        every: Duration,
        /// How many there are.
        count: usize,
    },
}

/// The times of a process, one after the other.
pub(super) struct ArrivalTimes {
    process: Process,
    /// Exponential with mean 1.
    exposure: Sampler,
}

enum Process {
    Constant { gap: f64 },
    Poisson { gap: f64, at: u64 },
    Piecewise { rates: Piecewise, segment: usize, at: u64 },
    Nothing,
}

impl ArrivalTimes {
    pub(super) fn new(arrivals: &Arrivals) -> Self {
        let process = match arrivals {
            Arrivals::Constant(rate) => {
                nanos_between(*rate).map_or(Process::Nothing, |gap| Process::Constant { gap })
            }
            Arrivals::Poisson(rate) => {
                nanos_between(*rate).map_or(Process::Nothing, |gap| Process::Poisson { gap, at: 0 })
            }
            Arrivals::Piecewise(rates) => {
                Process::Piecewise { rates: rates.clone(), segment: 0, at: 0 }
            }
        };
        let unit = Distribution::exponential(1.0).expect("1 is a valid mean");
        Self { process, exposure: Sampler::new(&unit) }
    }

    /// When request number `index`, whose draws these are, is sent; `None` once it is all over.
    #[inline]
    pub(super) fn next(&mut self, index: u64, draws: Draws) -> Option<Duration> {
        let at = match &mut self.process {
            // From the index, not from the last time: one rounding however many there were.
            Process::Constant { gap } => round(index as f64 * *gap),
            Process::Poisson { gap, at } => {
                let exposure = self.exposure.sample(draws.draw(Purpose::Gap, 0));
                *at = at.saturating_add(round(exposure * *gap));
                *at
            }
            Process::Piecewise { rates, segment, at } => {
                let exposure = self.exposure.sample(draws.draw(Purpose::Gap, 0));
                *at = spend(rates, segment, *at, exposure)?;
                *at
            }
            Process::Nothing => return None,
        };
        (at <= LATEST).then_some(Duration::from_nanos(at))
    }
}

/// The instant at which the rate's integral since `at` reaches `exposure`: a Poisson process whose
/// rate changes is one of rate 1 on the scale of its integrated rate (time rescaling; Çınlar,
/// "Introduction to Stochastic Processes", 1975, chapter 4.7). The rate is constant within a
/// segment, so the integral is exact.
fn spend(rates: &Piecewise, segment: &mut usize, at: u64, mut exposure: f64) -> Option<u64> {
    let mut at = at;
    while let Some(rate) = rates.rates.get(*segment) {
        let end = rates.every.as_nanos() * (*segment as u64 + 1);
        let per_nano = rate.per_second() / NANOS_PER_SECOND;
        let available = (end - at) as f64 * per_nano;
        if exposure < available {
            return Some((at + round(exposure / per_nano)).min(end));
        }
        exposure -= available;
        at = end;
        *segment += 1;
    }
    None
}

/// The mean gap in nanoseconds, unrounded; `None` at rate 0.
fn nanos_between(rate: Rate) -> Option<f64> {
    let per_second = rate.per_second();
    (per_second > 0.0).then(|| NANOS_PER_SECOND / per_second)
}

/// To the nearest whole number; saturates.
#[inline]
fn round(nanos: f64) -> u64 {
    (nanos + 0.5) as u64
}

const NANOS_PER_SECOND: f64 = 1e9;
/// 292 years, what an instant after 1970 can hold; later arrivals do not happen.
const LATEST: u64 = i64::MAX as u64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chance::Chance;
    use crate::trace::ShapeMeter;
    use crate::units::RequestId;
    use crate::units::Tokens;

    fn rate(per_second: f64) -> Rate {
        Rate::per(per_second, Duration::from_secs(1)).unwrap()
    }

    fn times(arrivals: &Arrivals, seed: u64) -> impl Iterator<Item = Duration> + use<> {
        let mut times = ArrivalTimes::new(arrivals);
        let chance = Chance::new(seed, 0);
        (0..).map_while(move |index| times.next(index, chance.request(RequestId(index), 0)))
    }

    #[test]
    fn constant_arrivals_are_where_they_belong_however_late() {
        let thirty_thousand_an_hour = Rate::per(30_000.0, Duration::from_secs(3_600)).unwrap();
        let at = |rate, index: u64| {
            let mut times = ArrivalTimes::new(&Arrivals::Constant(rate));
            times.next(index, Chance::new(0, 0).request(RequestId(index), 0)).unwrap()
        };
        for index in [0, 1, 7, 1_000_000] {
            let exact = Duration::from_millis(120) * index;
            assert_eq!(at(thirty_thousand_an_hour, index), exact);
            assert_eq!(at(rate(3.0), 3 * index), Duration::from_secs(index));
        }
        // After 139 days one bit of a double is 2 ns.
        let late = at(thirty_thousand_an_hour, 100_000_000).as_nanos();
        assert!(late.abs_diff(12_000_000_000_000_000) <= 4, "{late}");
        assert_eq!(at(rate(3.0), 1), Duration::from_nanos(333_333_333));
        assert_eq!(at(rate(3.0), 2), Duration::from_nanos(666_666_667));
    }

    /// With n arrivals the rate has a relative standard error of n^-1/2; the gaps' coefficient of
    /// variation one of n^-1/2 (delta method, exponential gaps); the dispersion over m windows one
    /// of (2 / m)^1/2.
    #[test]
    fn poisson_arrivals_have_their_rate_gap_variation_1_and_dispersion_1_at_every_scale() {
        for (seed, per_second) in [(1, 8.0), (2, 0.5), (3, 200.0)] {
            let mut meter = ShapeMeter::default();
            let count = 200_000;
            for at in times(&Arrivals::Poisson(rate(per_second)), seed).take(count) {
                meter.add(at, Tokens::new(1), Tokens::new(1));
            }
            let shape = meter.shape();
            let error = 4.0 / (count as f64).sqrt();
            let found = shape.rate.unwrap().per_second();
            assert!((found / per_second - 1.0).abs() < error, "rate {found}");
            let cv = shape.gap_cv.unwrap();
            assert!((cv - 1.0).abs() < error, "gap cv {cv}");
            for (window, dispersion) in [1.0, 10.0, 60.0].into_iter().zip(shape.dispersion) {
                let windows = count as f64 / per_second / window;
                let error = 4.0 * (2.0 / windows).sqrt();
                let found = dispersion.unwrap();
                assert!((found - 1.0).abs() < error, "dispersion {found} at {window} s");
            }
        }
    }

    #[test]
    fn piecewise_arrivals_keep_each_segments_rate_and_end_after_the_last() {
        let every = Duration::from_secs(500);
        let per_second = [4.0, 0.0, 0.001, 90.0, 0.0, 0.0, 25.0, 0.0];
        let rates = Piecewise::new(every, per_second.map(rate).to_vec()).unwrap();
        let arrivals = Arrivals::Piecewise(rates);
        assert_eq!(arrivals.expected_count(), Some(59_500.5));
        let mut counts = [0_u32; 8];
        let mut firsts = [0_u32; 8];
        for at in times(&arrivals, 5) {
            let segment = (at.as_nanos() / every.as_nanos()) as usize;
            counts[segment] += 1;
            firsts[segment] += u32::from(at.as_nanos() % every.as_nanos() < 250_000_000_000);
        }
        for (segment, per_second) in per_second.into_iter().enumerate() {
            let expected = per_second * 500.0;
            let found = f64::from(counts[segment]);
            let error = 4.0 * expected.sqrt();
            assert!((found - expected).abs() <= error, "{found} against {expected}");
            let half = f64::from(firsts[segment]);
            assert!((half - found / 2.0).abs() <= 2.0 * found.sqrt(), "{half} of {found}");
        }
    }

    #[test]
    fn rates_that_are_no_process_are_refused() {
        let second = Duration::from_secs(1);
        assert_eq!(Piecewise::new(second, Vec::new()), Err(PiecewiseError::NoRates));
        let no_time = Piecewise::new(Duration::ZERO, vec![rate(1.0)]);
        assert_eq!(no_time, Err(PiecewiseError::NoTime));
        let too_long = Piecewise::new(Duration::MAX, vec![rate(1.0); 2]);
        assert!(matches!(too_long, Err(PiecewiseError::TooLong { count: 2, .. })));
    }

    #[test]
    fn nothing_arrives_at_rate_0_or_beyond_all_time() {
        for arrivals in [Arrivals::Constant(Rate::ZERO), Arrivals::Poisson(Rate::ZERO)] {
            assert_eq!(times(&arrivals, 1).count(), 0);
            assert_eq!(arrivals.expected_count(), Some(0.0));
        }
        let once_a_century = Arrivals::Constant(rate(1.0 / 3_155_760_000.0));
        assert_eq!(times(&once_a_century, 1).count(), 3);
    }
}
