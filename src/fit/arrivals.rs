//! Which model of arrivals is as bursty as a recording: the simplest that is.
//!
//! Candidates are tried in the order of their simplicity. Each is played many times, for as long
//! as the recording lasts, and is accepted if the median dispersion of its counts in windows of
//! 1, 10 and 60 s lies within 25 % of the recorded one.

use super::arrival_model::ArrivalModel;
use super::burst_search::find_bursts;
use super::counts::SecondCounts;
use super::rate_process::WINDOWS;
use super::spread::Spread;
use crate::arrivals::{ArrivalTimes, Arrivals, Taken};
use crate::chance::Chance;
use crate::units::Duration;

/// The arrivals of a recording, as they are compared.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct RecordedArrivals {
    pub(super) counts: SecondCounts,
    /// From the beginning to the last request.
    pub(super) span: Duration,
    pub(super) requests: u64,
    /// Standard deviation over mean of the gaps.
    pub(super) gap_cv: Option<f64>,
}

/// A model that was tried.
#[derive(Clone, PartialEq, Debug)]
pub struct Candidate {
    /// The model.
    pub model: ArrivalModel,
    /// The dispersion of its counts in windows of 1, 10 and 60 s, over many twins; `None` where the
    /// recording is too short for two such windows.
    pub dispersion: [Option<Spread>; 3],
    /// Whether every median lies within 25 % of the recorded dispersion, or of 0.05 where that is
    /// less.
    pub fits: bool,
}

/// The model that was chosen, and those that were tried.
#[derive(Clone, PartialEq, Debug)]
pub struct ArrivalFit {
    /// The recorded dispersion in windows of 1, 10 and 60 s.
    pub recorded: [Option<f64>; 3],
    /// Simplest first; the last is chosen, unless none fits: then the one that comes nearest.
    pub tried: Vec<Candidate>,
    /// Which of them was chosen.
    pub chosen: usize,
    /// How often each was played.
    pub twins: u64,
}

impl ArrivalFit {
    /// The chosen one.
    pub fn candidate(&self) -> &Candidate {
        &self.tried[self.chosen]
    }

    /// Finds the model of `recorded`, of which at least two requests lie apart.
    pub(super) fn of(recorded: &RecordedArrivals) -> Self {
        // A twin takes as long as it has requests, or seconds to count them in.
        let work = recorded.requests.max(recorded.counts.seconds().len() as u64).max(1);
        let twins = (MOST_REQUESTS / work).clamp(LEAST_TWINS, MOST_TWINS);
        let dispersion = WINDOWS.map(|window| recorded.counts.dispersion(window));
        let mut fit = Self { recorded: dispersion, tried: Vec::new(), chosen: 0, twins };
        for kind in KINDS {
            let Some(model) = kind(recorded).map(ArrivalModel::rounded) else { continue };
            let Ok(arrivals) = model.arrivals() else { continue };
            let found = spreads(&arrivals, recorded.span, twins);
            let pairs = || found.iter().zip(dispersion);
            let fits = pairs().all(|(found, recorded)| match (found, recorded) {
                (Some(found), Some(recorded)) => {
                    (found.median - recorded).abs() <= NEAR * recorded.max(LEAST_DISPERSION)
                }
                _ => true,
            });
            fit.tried.push(Candidate { model, dispersion: found, fits });
            if fits {
                break;
            }
        }
        let nearest = |one: &usize, other: &usize| {
            fit.distance(&fit.tried[*one]).total_cmp(&fit.distance(&fit.tried[*other]))
        };
        fit.chosen = match fit.tried.last() {
            Some(last) if last.fits => fit.tried.len() - 1,
            _ => (0..fit.tried.len()).min_by(nearest).unwrap_or(0),
        };
        fit
    }

    /// How far a candidate is from the recording: the largest factor, as its logarithm.
    fn distance(&self, candidate: &Candidate) -> f64 {
        let pairs = candidate.dispersion.iter().zip(self.recorded);
        let apart = pairs.filter_map(|(found, recorded)| {
            let [found, recorded] =
                [found.as_ref()?.median, recorded?].map(|of| of.max(LEAST_DISPERSION));
            Some(crate::math::ln(found / recorded).abs())
        });
        apart.fold(0.0, f64::max)
    }
}

/// The dispersion of twins' counts over the time of the recording.
fn spreads(arrivals: &Arrivals, span: Duration, twins: u64) -> [Option<Spread>; 3] {
    let mut found = [const { Vec::new() }; 3];
    for seed in 0..twins {
        let counts = counts_of(arrivals, span, seed);
        for (all, window) in found.iter_mut().zip(WINDOWS) {
            all.extend(counts.dispersion(window));
        }
    }
    found.map(|all| (!all.is_empty()).then(|| Spread::of(&all)))
}

/// The counts of one twin.
pub(super) fn counts_of(arrivals: &Arrivals, span: Duration, seed: u64) -> SecondCounts {
    let mut times = ArrivalTimes::new(arrivals, Chance::new(seed, 0), Taken::default());
    let mut counts = SecondCounts::default();
    while times.next_at().is_some_and(|at| at <= span) {
        if let Some(coming) = times.take() {
            // The span of a recording is one that can be counted.
            let _ = counts.add(coming.at);
        }
    }
    // As long as the recording, though its last request may have come earlier.
    counts.end(span);
    counts
}

type Kind = fn(&RecordedArrivals) -> Option<ArrivalModel>;

/// The candidates, in the order in which they are tried.
const KINDS: [Kind; 7] = [
    RecordedArrivals::constant,
    |recorded| Some(ArrivalModel::Poisson { rate: recorded.rate() }),
    |recorded| recorded.piecewise(60),
    RecordedArrivals::gamma,
    |recorded| find_bursts(&recorded.counts).map(ArrivalModel::OnOff),
    |recorded| recorded.piecewise(10),
    |recorded| recorded.piecewise(1),
];

impl RecordedArrivals {
    /// Requests per second.
    fn rate(&self) -> f64 {
        self.requests as f64 / self.span.as_secs_f64()
    }

    /// Equal gaps, of which the first begins with the recording: their rate is one over their mean.
    fn constant(&self) -> Option<ArrivalModel> {
        let gaps = self.requests.saturating_sub(1) as f64;
        let rate = gaps / self.span.as_secs_f64();
        self.gap_cv.filter(|cv| *cv < LEAST_CV).map(|_| ArrivalModel::Constant { rate })
    }

    /// The rates of windows of so many seconds. A count is its rate plus the noise of independent
    /// arrivals, which the twin makes anew: with both its counts would vary more than the recorded
    /// ones. Of the variance D m of the counts, m their mean and D their dispersion, m is noise, so
    /// what a count deviates from m is multiplied by sqrt((D - 1) / D), and the rates vary by what
    /// is left.
    fn piecewise(&self, every: usize) -> Option<ArrivalModel> {
        let dispersion = self.counts.dispersion(every)?;
        let windows = self.counts.seconds().len().div_ceil(every);
        if windows > MOST_RATES || dispersion <= 1.0 {
            return None;
        }
        let kept = ((dispersion - 1.0) / dispersion).sqrt();
        let mean = self.rate();
        let last = self.span.as_secs_f64() - ((windows - 1) * every) as f64;
        let counts = self.counts.seconds().chunks(every).enumerate();
        let rates = counts.map(|(place, counts)| {
            let length = if place + 1 == windows { last.max(0.1) } else { every as f64 };
            let sum: f64 = counts.iter().map(|count| f64::from(*count)).sum();
            // A short window deviates by chance the more.
            let kept = kept * (length / every as f64).min(1.0).sqrt();
            (mean + kept * (sum / length - mean)).max(0.0)
        });
        Some(ArrivalModel::Piecewise { every: every as u64, rates: rates.collect() })
    }

    fn gamma(&self) -> Option<ArrivalModel> {
        let cv = self.gap_cv.filter(|cv| (LEAST_CV..MOST_CV).contains(cv))?;
        Some(ArrivalModel::Gamma { rate: self.rate(), cv })
    }
}

/// How near the dispersion of a twin must come to the recorded one.
pub(super) const NEAR: f64 = 0.25;
/// Chosen: what is less dispersed is as regular as can be told; 0 has no relative tolerance.
pub(super) const LEAST_DISPERSION: f64 = 0.05;
/// Chosen: the median of the dispersion of an hour of bursts at 60 s, which itself scatters by
/// half, is then known to a twelfth.
const MOST_TWINS: u64 = 40;
/// Chosen: long recordings scatter less, and take longer.
const LEAST_TWINS: u64 = 8;
/// Requests of all twins, or seconds.
const MOST_REQUESTS: u64 = 8_000_000;
/// Chosen: an hour, second by second.
const MOST_RATES: usize = 4_000;
/// What the model of gamma gaps allows; gaps that vary less are equal.
pub(super) const LEAST_CV: f64 = 0.01;
const MOST_CV: f64 = 20.0;
