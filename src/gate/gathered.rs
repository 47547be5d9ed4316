//! A metric of a line, read from all runs: its value in each, and what is known of it over all.

use super::range::Range;
use super::runs::{FEWEST_RUNS, Runs};
use crate::assertion::{OverRuns, Reading};
use crate::metric::Quantile;
use crate::stats::{Confidence, Interval, Moments, QuantileRanks};
use crate::summary::{Basis, Estimate, Limits, Method};

/// A metric as read from all runs.
#[derive(Clone, Debug)]
pub(super) struct Gathered<'a> {
    pub(super) reading: &'a Reading,
    /// In each run; a point, never, or unknown where it has no data.
    points: Vec<Range>,
    over: Over,
}

/// What is known of it over all runs.
#[derive(Clone, Debug)]
enum Over {
    /// Its values, which are exact for each run.
    Exact(Vec<Estimate>),
    /// An estimate, made from the requests of all runs together.
    Pooled { basis: Basis<'static>, of_attempts: bool, dependent: bool },
    /// In how many runs there is any of it.
    Hits(u64),
    /// Which quantile of its values, and these in order, the least first; never comes last.
    Sorted(Quantile, Vec<Range>),
}

/// What is known of a metric at some confidence.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Known {
    pub(super) range: Range,
    /// In its base unit; absent where there is none, and where it is infinite.
    pub(super) value: Option<f64>,
    /// As an estimate, where it is one of requests.
    pub(super) estimate: Option<Estimate>,
}

impl<'a> Gathered<'a> {
    pub(super) fn of(reading: &'a Reading, runs: &Runs<'_>) -> Self {
        let estimates = runs.figures.estimates(reading);
        let points: Vec<Range> = estimates.iter().map(point).collect();
        let over = match reading.over_runs {
            OverRuns::Itself if !reading.is_estimate() => Over::Exact(estimates),
            OverRuns::Itself => Over::Pooled {
                of_attempts: estimates.iter().any(|estimate| estimate.of_attempts),
                dependent: !runs.dependences.is_empty(),
                basis: runs.figures.pooled(reading, &estimates),
            },
            OverRuns::Probability => {
                let any =
                    |range: &&Range| !matches!(range, Range::Known { high, .. } if *high == 0.0);
                Over::Hits(points.iter().filter(any).count() as u64)
            }
            OverRuns::Quantile(quantile) => {
                let mut sorted = points.clone();
                sorted.sort_by(|one, other| order(*one).total_cmp(&order(*other)));
                Over::Sorted(quantile, sorted)
            }
        };
        Self { reading, points, over }
    }

    /// In one run.
    pub(super) fn point(&self, run: usize) -> Range {
        self.points.get(run).copied().unwrap_or(Range::Unknown)
    }

    /// How many runs it was read from.
    pub(super) fn runs(&self) -> u64 {
        self.points.len() as u64
    }

    /// Over all runs.
    pub(super) fn known(&self, confidence: Confidence) -> Known {
        match &self.over {
            Over::Exact(estimates) => exact(estimates, &self.points),
            Over::Pooled { basis, of_attempts, dependent } => {
                let metric = self.reading.metric;
                let estimate = Estimate::of(metric, basis, Method::Gate(confidence));
                let mut estimate = Estimate { of_attempts: *of_attempts, ..estimate };
                if *dependent && estimate.has_data() {
                    estimate.interval = self.spread(&estimate, confidence);
                }
                let (range, value) = (Range::of(&estimate), estimate.value);
                Known { range, value, estimate: Some(estimate) }
            }
            Over::Hits(hits) => {
                let interval = Interval::clopper_pearson(*hits, self.runs(), confidence);
                let range = Range::Known { low: interval.low, high: interval.high };
                let value = (self.runs() > 0).then(|| *hits as f64 / self.runs() as f64);
                Known { range, value, estimate: None }
            }
            Over::Sorted(quantile, sorted) => {
                let n = self.runs();
                let ranks = QuantileRanks::of(quantile.per_mille(), n, confidence);
                let at = |rank: u64| {
                    let place = rank.checked_sub(1).and_then(|place| usize::try_from(place).ok());
                    place.and_then(|place| sorted.get(place)).copied().unwrap_or(Range::Unknown)
                };
                let value = match at(quantile.rank(n)) {
                    Range::Known { low, .. } => Some(low),
                    Range::Never | Range::Unknown => None,
                };
                Known { range: between(ranks, at, sorted), value, estimate: None }
            }
        }
    }

    /// Over all runs, as a sample of those that there could have been: exact values are so of their
    /// seeds only, and those of other seeds differ by chance. Of too few nothing is known.
    pub(super) fn sampled(&self, confidence: Confidence) -> Range {
        if !matches!(self.over, Over::Exact(_)) {
            return self.known(confidence).range;
        }
        if self.points.iter().all(|point| *point == Range::Never) {
            return Range::Never;
        }
        let Some(moments) = self.moments() else { return Range::Unknown };
        // Two or three that are equal by chance are no certainty.
        let varies = moments.variance > 0.0 || moments.count >= FEWEST_RUNS as u64;
        match Interval::student(moments, confidence).filter(|_| varies) {
            Some(Interval { low, high }) => Range::Known { low, high },
            None => Range::Unknown,
        }
    }

    /// The mean over runs of exact values, or the value of an estimate.
    pub(super) fn sampled_value(&self) -> Option<f64> {
        if !matches!(self.over, Over::Exact(_)) {
            return self.known(Confidence::PERCENT_95).value;
        }
        self.moments().map(|moments| moments.mean)
    }

    /// Of its values over runs; `None` where one has none.
    fn moments(&self) -> Option<Moments> {
        let values: Option<Vec<f64>> = self.points.iter().map(|point| point.value()).collect();
        Moments::of(&values?)
    }

    /// Whether it is a share of so few requests that it could come out the same although what makes
    /// it has changed: with k failures that are the same under the same draws, a rate that is
    /// higher by half would have left them so with a probability of e^(-k/2).
    pub(super) fn is_sparse(&self) -> bool {
        match &self.over {
            Over::Pooled { basis: Basis::Share(share), .. } => {
                share.hits().min(share.total() - share.hits()) < FEWEST_EVENTS
            }
            _ => false,
        }
    }

    /// Where requests bear on each other only the spread from run to run tells how sure a value is:
    /// the limits of both, of one run none.
    fn spread(&self, estimate: &Estimate, confidence: Confidence) -> Option<Limits> {
        let between = Interval::student(self.moments()?, confidence)?;
        let own = estimate.interval?;
        // What is estimated here is never negative.
        let low = own.low.map(|low| low.min(between.low.max(0.0)));
        Some(Limits { low, high: own.high.map(|high| high.max(between.high)) })
    }
}

fn point(estimate: &Estimate) -> Range {
    match estimate.value {
        Some(value) => Range::point(value),
        None if estimate.infinite => Range::Never,
        None => Range::Unknown,
    }
}

/// The values of exact figures: that of the only run, or all that there were.
fn exact(estimates: &[Estimate], points: &[Range]) -> Known {
    let range = points.iter().copied().reduce(Range::hull).unwrap_or(Range::Unknown);
    match estimates {
        [only] => Known { range, value: only.value, estimate: Some(only.clone()) },
        _ => Known { range, value: range.value(), estimate: None },
    }
}

/// Where a quantile over runs lies: between two of the values. A run without data could be any.
fn between(ranks: QuantileRanks, at: impl Fn(u64) -> Range, sorted: &[Range]) -> Range {
    if sorted.contains(&Range::Unknown) {
        return Range::Unknown;
    }
    match (ranks.lower.map(&at), ranks.upper.map(&at)) {
        (None, None) => Range::Unknown,
        (Some(low), Some(high)) => low.hull(high),
        (Some(Range::Never), None) => Range::Never,
        (Some(low), None) => low.hull(Range::Known { low: f64::INFINITY, high: f64::INFINITY }),
        (None, Some(high)) => high.hull(Range::point(f64::NEG_INFINITY)),
    }
}

const fn order(range: Range) -> f64 {
    match range {
        Range::Known { low, .. } => low,
        Range::Never | Range::Unknown => f64::INFINITY,
    }
}

/// Chosen: e^-5 is less than a hundredth.
const FEWEST_EVENTS: u64 = 10;
