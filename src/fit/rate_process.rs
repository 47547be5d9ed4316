//! Bursts as a rate alone, without the requests: what makes their dispersion, worked out fast
//! enough to search for parameters.

use super::arrival_model::Bursts;
use super::counts::dispersion;
use super::spread::middle;
use crate::chance::{Chance, Draws, Purpose};
use crate::math;
use crate::units::RequestId;

/// Many recordings' lengths of bursts, always of the same draws: what differs between two sets of
/// parameters is the parameters.
pub(super) struct RateProcess {
    seconds: usize,
    stretches: Vec<Draws>,
    integral: Vec<f64>,
}

/// What a stretch of traffic is compared by.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Burstiness {
    /// Dispersion of the counts in windows of [`WINDOWS`].
    pub(super) dispersion: [f64; 3],
    /// The share of seconds in which nothing comes.
    pub(super) empty: f64,
}

impl RateProcess {
    /// For recordings of so many seconds, at least 120.
    pub(super) fn new(seconds: usize) -> Self {
        let stretches = (MOST_SECONDS / seconds).clamp(LEAST_STRETCHES, MOST_STRETCHES);
        let chance = Chance::new(SEED, 0);
        let stretches = (0..stretches as u64).map(|n| chance.request(RequestId(n), 0)).collect();
        Self { seconds, stretches, integral: vec![0.0; seconds] }
    }

    /// The median over all stretches. For counts of independent arrivals at a rate that varies,
    /// the dispersion is 1 + Var(L) / E(L) with L the rate's integral over the window, and a window
    /// is empty with probability E(exp(-L)) (D. R. Cox and V. Isham, Point Processes, 1980,
    /// section 2.3).
    pub(super) fn burstiness(&mut self, bursts: &Bursts) -> Burstiness {
        let rates = rate_table(bursts.rate_cv);
        let mut dispersions = [const { Vec::new() }; 3];
        let mut empty = Vec::new();
        for place in 0..self.stretches.len() {
            self.play(self.stretches[place], bursts, &rates);
            for (all, window) in dispersions.iter_mut().zip(WINDOWS) {
                let whole = self.integral.chunks_exact(window);
                let sums: Vec<f64> = whole.map(|part| part.iter().sum()).collect();
                all.push(1.0 + dispersion(&sums).unwrap_or(0.0));
            }
            let silent: f64 = self.integral.iter().map(|sum| math::exp(-sum)).sum();
            empty.push(silent / self.seconds as f64);
        }
        Burstiness { dispersion: dispersions.map(|all| middle(&all)), empty: middle(&empty) }
    }

    /// Fills the integral of the rate over each second.
    fn play(&mut self, draws: Draws, bursts: &Bursts, rates: &[f64]) {
        self.integral.fill(0.0);
        let end = self.seconds as f64;
        let sigma = math::ln_1p(bursts.on_cv * bursts.on_cv).sqrt();
        let mu = math::ln(bursts.on) - 0.5 * sigma * sigma;
        // Some cycles before the beginning, so that it begins as if it had always been going on.
        let mut at = -WARM_UP * (bursts.on + bursts.off);
        for number in 0.. {
            let unit = |purpose| draws.draw(purpose, number).unit();
            at -= bursts.off * math::ln(unit(Purpose::BurstOff));
            if at >= end {
                return;
            }
            let z = math::normal_quantile(unit(Purpose::BurstOn));
            let length = math::exp(mu + sigma * z);
            let rate = unit(Purpose::BurstRate) * rates.len() as f64;
            let rate = bursts.rate * rates[(rate as usize).min(rates.len() - 1)];
            self.add(at, (at + length).min(end), rate);
            at += length;
        }
    }

    /// Adds a burst from `from` to `to`.
    fn add(&mut self, from: f64, to: f64, rate: f64) {
        let from = from.max(0.0);
        if to <= from {
            return;
        }
        let (first, last) = (from as usize, (to as usize).min(self.seconds - 1));
        if first == last {
            self.integral[first] += rate * (to - from);
            return;
        }
        self.integral[first] += rate * (first as f64 + 1.0 - from);
        self.integral[first + 1..last].iter_mut().for_each(|sum| *sum += rate);
        self.integral[last] += rate * (to - last as f64);
    }
}

/// Equally likely values of a gamma distribution of mean 1, scaled so that theirs is 1 too.
fn rate_table(cv: f64) -> Vec<f64> {
    let shape = 1.0 / (cv * cv);
    let value = |place: u32| {
        math::gamma_quantile((f64::from(place) + 0.5) / f64::from(RATES), shape) / shape
    };
    let mut table: Vec<f64> = (0..RATES).map(value).collect();
    let mean = table.iter().sum::<f64>() / f64::from(RATES);
    table.iter_mut().for_each(|value| *value /= mean);
    table
}

/// The windows, in seconds, in which traffic is compared.
pub(super) const WINDOWS: [usize; 3] = [1, 10, 60];
/// Chosen: the medians then scatter by a few percent, and a set of parameters takes a millisecond
/// or so.
const MOST_STRETCHES: usize = 48;
const LEAST_STRETCHES: usize = 6;
const MOST_SECONDS: usize = 200_000;
/// Cycles.
const WARM_UP: f64 = 3.0;
const RATES: u32 = 128;
const SEED: u64 = 60;

#[cfg(test)]
mod tests {
    use super::*;

    /// By an independent simulation of 4e7 s with numpy's generators: 13.05, 84.6, 188.8. The
    /// median of an hour lies below the mean of the long run, the more the longer the window: in
    /// 400 hours of the same simulation half of them lay between 11.6 and 13.9, 70 and 93, 130 and
    /// 216.
    #[test]
    fn the_rate_of_bursts_has_the_dispersion_of_the_bursts() {
        let bursts = Bursts { on: 9.0, on_cv: 1.3, off: 27.0, rate: 10.2, rate_cv: 0.7 };
        let found = RateProcess::new(3_436).burstiness(&bursts).dispersion;
        let bounds = [(11.6, 13.9), (70.0, 93.0), (130.0, 216.0)];
        for (found, (low, high)) in found.into_iter().zip(bounds) {
            assert!((low..high).contains(&found), "{found}");
        }
    }

    #[test]
    fn bursts_without_end_are_a_steady_rate() {
        let bursts = Bursts { on: 1e6, on_cv: 0.1, off: 1e-3, rate: 2.0, rate_cv: 0.05 };
        let found = RateProcess::new(600).burstiness(&bursts);
        assert!(found.dispersion.into_iter().all(|d| (d - 1.0).abs() < 1e-6), "{found:?}");
        // e^-2.
        assert!((found.empty - 0.135_335).abs() < 0.01, "{found:?}");
    }
}
