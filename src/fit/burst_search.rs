//! The parameters of bursts that are as bursty as a recording.

use super::arrival_model::Bursts;
use super::counts::SecondCounts;
use super::rate_process::{Burstiness, RateProcess, WINDOWS};

/// Bursts with the recorded mean rate whose dispersion at 1, 10 and 60 s and share of empty seconds
/// are as near to the recorded ones as a search finds; `None` where the recording is too short to
/// have any, or no more bursty than independent arrivals.
///
/// Four parameters are free: the mean lengths of bursts and silences, and how much length and rate
/// vary; the mean rate within a burst follows from the mean rate of all. The search begins with
/// bursts cut out of the recording and goes up and down with each parameter in turn, by ever
/// smaller factors (compass search: T. G. Kolda, R. M. Lewis and V. Torczon, SIAM Review 45, 2003,
/// doi:10.1137/S003614450242889).
pub(super) fn find_bursts(counts: &SecondCounts) -> Option<Bursts> {
    let seconds = counts.seconds().len();
    let of = |window| counts.dispersion(window);
    let dispersion = [of(WINDOWS[0])?, of(WINDOWS[1])?, of(WINDOWS[2])?];
    if seconds < LEAST_SECONDS || dispersion.iter().all(|d| *d <= LEAST_DISPERSION) {
        return None;
    }
    let whole = counts.windows(1).count() as f64;
    let mean = counts.windows(1).sum::<u64>() as f64 / whole;
    let empty = counts.windows(1).filter(|count| *count == 0).count() as f64 / whole;
    let wanted = Burstiness { dispersion, empty };
    let mut process = RateProcess::new(seconds);
    let mut distance = |of: &Logarithms| distance(&process.burstiness(&of.bursts(mean)), &wanted);
    let mut best = Logarithms::of(&cut_out(counts), seconds);
    let mut least = distance(&best);
    for step in STEPS {
        loop {
            let mut improved = false;
            for place in 0..4 {
                for direction in [step, -step] {
                    let mut tried = best;
                    tried.0[place] += direction;
                    let tried = tried.within(seconds);
                    let found = distance(&tried);
                    if found < least {
                        (best, least, improved) = (tried, found, true);
                        break;
                    }
                }
            }
            if !improved || least < NEAR {
                break;
            }
        }
    }
    Some(best.bursts(mean))
}

/// The sum of the squared logarithms of what one is of the other.
fn distance(found: &Burstiness, wanted: &Burstiness) -> f64 {
    let pairs = found.dispersion.into_iter().zip(wanted.dispersion);
    let apart = pairs.map(|(found, wanted)| crate::math::ln(found / wanted));
    let empty = EMPTY_WEIGHT * (found.empty - wanted.empty);
    apart.map(|apart| apart * apart).sum::<f64>() + empty * empty
}

/// The logarithms of `on`, `off`, `on_cv` and `rate_cv`.
#[derive(Clone, Copy)]
struct Logarithms([f64; 4]);

impl Logarithms {
    fn of(bursts: &Bursts, seconds: usize) -> Self {
        let Bursts { on, off, on_cv, rate_cv, rate: _ } = *bursts;
        Self([on, off, on_cv, rate_cv].map(crate::math::ln)).within(seconds)
    }

    /// Kept to what is allowed, and to what a recording can show.
    fn within(self, seconds: usize) -> Self {
        let longest = seconds as f64 / 4.0;
        let bounds = [(0.1, longest), (0.05, longest), (0.05, 5.0), (0.05, 5.0)];
        let ln = crate::math::ln;
        Self(std::array::from_fn(|place| {
            let (least, greatest) = bounds[place];
            self.0[place].clamp(ln(least), ln(greatest))
        }))
    }

    fn bursts(self, mean: f64) -> Bursts {
        let [on, off, on_cv, rate_cv] = self.0.map(crate::math::exp);
        Bursts { on, off, on_cv, rate_cv, rate: mean * (on + off) / on }
    }
}

/// Bursts as they stand in the recording: stretches of seconds of which none has fewer requests
/// than a quarter of the mean, apart from single seconds.
fn cut_out(counts: &SecondCounts) -> Bursts {
    let seconds = counts.seconds();
    let mean = seconds.iter().map(|count| f64::from(*count)).sum::<f64>() / seconds.len() as f64;
    let least = (mean / 4.0).max(1.0);
    let is_on = |second: usize| seconds.get(second).is_some_and(|c| f64::from(*c) >= least);
    let (mut lengths, mut rates, mut begun) = (Vec::new(), Vec::new(), None);
    for second in 0..=seconds.len() {
        let goes_on = is_on(second) || (begun.is_some() && is_on(second + 1));
        match (begun, goes_on) {
            (None, true) => begun = Some(second),
            (Some(from), false) => {
                let length = (second - from) as f64;
                let sum: f64 = seconds[from..second].iter().map(|c| f64::from(*c)).sum();
                lengths.push(length);
                rates.push(sum / length);
                begun = None;
            }
            _ => {}
        }
    }
    let bursts = lengths.len().max(1) as f64;
    let on: f64 = lengths.iter().sum::<f64>().max(1.0) / bursts;
    let off = (seconds.len() as f64 - lengths.iter().sum::<f64>()).max(1.0) / bursts;
    let (on_cv, rate_cv) = (cv(&lengths), cv(&rates));
    Bursts { on, on_cv, off, rate: mean * (on + off) / on, rate_cv }
}

/// Standard deviation over mean; a middling one where there is none.
fn cv(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
    let cv = (squares / (n - 1.0)).sqrt() / mean;
    if cv.is_finite() { cv.clamp(0.1, 3.0) } else { 0.5 }
}

/// Factors of 1.8 down to 1.03.
const STEPS: [f64; 5] = [0.6, 0.3, 0.15, 0.07, 0.03];
/// Near enough: a percent of each figure.
const NEAR: f64 = 3e-4;
/// A tenth of all seconds weighs as much as a factor of 1.5 in a dispersion.
const EMPTY_WEIGHT: f64 = 4.0;
/// Chosen: two windows of a minute.
const LEAST_SECONDS: usize = 180;
/// Chosen: less is no burst but chance.
const LEAST_DISPERSION: f64 = 1.2;
