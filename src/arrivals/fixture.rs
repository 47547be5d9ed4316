//! What the tests of the models share.

use super::superposition::{ArrivalTimes, Arrivals, Taken};
use crate::chance::Chance;
use crate::units::{Duration, Rate};

pub(super) fn per_second(events: f64) -> Rate {
    Rate::per(events, Duration::from_secs(1)).unwrap()
}

/// The times of `arrivals` under `seed`; of closed ones, while nothing is answered.
pub(super) fn times<A: Into<Arrivals>>(
    arrivals: A,
    seed: u64,
) -> impl Iterator<Item = Duration> + use<A> {
    let mut times = ArrivalTimes::new(&arrivals.into(), Chance::new(seed, 0), Taken::default());
    std::iter::from_fn(move || times.next().map(|coming| coming.at))
}

/// How many of `times` lie in each of the first `count` windows.
pub(super) fn counts(
    times: impl Iterator<Item = Duration>,
    window: Duration,
    count: usize,
) -> Vec<f64> {
    let mut counts = vec![0.0; count];
    for at in times {
        let Some(in_window) = counts.get_mut((at.as_nanos() / window.as_nanos()) as usize) else {
            break;
        };
        *in_window += 1.0;
    }
    counts
}

/// Mean and sample variance.
pub(super) fn moments(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares = values.iter().map(|value| (value - mean) * (value - mean)).sum::<f64>();
    (mean, squares / (count - 1.0))
}

/// Fails unless `found` lies within `error` of `expected`.
pub(super) fn assert_close(found: f64, expected: f64, error: f64, what: &str) {
    assert!((found - expected).abs() <= error, "{what}: {found} against {expected} +- {error}");
}

/// Fails unless the mean of `counts` over many runs is `expected`, within 4 standard errors.
pub(super) fn assert_mean(counts: &[f64], expected: f64) {
    let (mean, variance) = moments(counts);
    let error = 4.0 * (variance / counts.len() as f64).sqrt();
    assert_close(mean, expected, error, "mean");
}

/// Fails unless a Poisson process has been seen: `times` are where the integral of its rate, given
/// in whole from 0 on, has grown by independent exponentials of mean 1. Their mean has a standard
/// error of n^-1/2, and so has their coefficient of variation.
pub(super) fn assert_unit_exposures(
    times: impl Iterator<Item = Duration>,
    integral: impl Fn(f64) -> f64,
) {
    let integrals = times.map(|at| integral(at.as_secs_f64()));
    let mut before = 0.0;
    let growths: Vec<f64> = integrals
        .map(|integral| {
            let growth = integral - before;
            before = integral;
            growth
        })
        .collect();
    let (mean, variance) = moments(&growths);
    let error = 4.0 / (growths.len() as f64).sqrt();
    assert_close(mean, 1.0, error, "mean exposure");
    assert_close(variance.sqrt() / mean, 1.0, error, "variation of the exposures");
    let under = growths.iter().filter(|growth| **growth < 0.1).count() as f64;
    // 1 - e^-0.1.
    let expected = 0.095_162_58;
    assert_close(under / growths.len() as f64, expected, error, "share under 0.1");
}
