//! How far one metric of the live run lies from the simulated one.

use serde::{Deserialize, Serialize};

use super::finding::{Chances, Finding, judge};
use super::harness::Delay;
use super::tolerances::Allowed;
use crate::compare::{self, Difference, contrast};
use crate::metric::{Measure, Metric, Sample, Unit};
use crate::stats::{Confidence, DurationHistogram};
use crate::summary::{Basis, Estimate, Limits, Method, Selected};
use crate::units::{Duration, Ratio};

/// How far one metric of the live run lies from the simulated one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MetricError {
    /// Which.
    pub metric: Metric,
    /// Its simulated value, in the metric's base unit; absent without data, and for a quantile of
    /// too few values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulated: Option<f64>,
    /// Its value in the live run, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<f64>,
    /// By how many seconds of engine time the harness makes the live value more; absent where
    /// nothing of it was measured, and for what is no time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overhead: Option<f64>,
    /// The error as it was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub raw: Option<Deviation>,
    /// The error without the overhead of the harness: it is judged where it is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub less_overhead: Option<Deviation>,
    /// How much is allowed.
    pub allowed: Allowed,
    /// What it means.
    pub finding: Finding,
}

/// An error with its sampling error: of shares of requests the live value less the simulated one,
/// of all else this as a share of the simulated value.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Deviation {
    /// The error: 0.01 is a hundredth of the simulated value more, or a percentage point.
    pub error: f64,
    /// Between which limits it would lie in the long run; absent where too little was seen to
    /// bound it on either side. Of what is exact both are the error itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Limits>,
}

/// One metric of both runs, not judged yet.
pub(super) struct Measured {
    pub(super) metric: Metric,
    pub(super) simulated: Estimate,
    pub(super) live: Estimate,
}

impl MetricError {
    /// The error that is judged: without the overhead of the harness, where that is known.
    pub fn judged(&self) -> Option<Deviation> {
        self.less_overhead.or(self.raw)
    }

    /// Whether errors of a metric are differences: those of shares of requests. All others are
    /// shares of the simulated value.
    pub fn is_difference(metric: Metric) -> bool {
        metric.unit() == Unit::Ratio
    }
}

impl Measured {
    /// `metric` over the same requests of both runs; `None` where neither has data.
    pub(super) fn of(
        metric: Metric,
        simulated: &Selected<'_>,
        live: &Selected<'_>,
    ) -> Option<Self> {
        let [simulated, live] =
            [simulated, live].map(|requests| requests.estimate(metric, Method::Display));
        let any = simulated.has_data() || live.has_data();
        any.then_some(Self { metric, simulated, live })
    }

    /// What is allowed where a time may differ by `least` in any case.
    pub(super) fn at_least(&self, least: Duration, allowed: Allowed) -> Allowed {
        match (allowed, self.simulated.value) {
            (Allowed::UpTo(share), Some(value)) if self.metric.unit() == Unit::Time => {
                // In tenths of a percent, as it is shown.
                let share_of = (least.as_secs_f64() / value * 1e3).ceil() / 1e3;
                let least = Ratio::new(share_of).unwrap_or(Ratio::ONE);
                Allowed::UpTo(if least > share { least } else { share })
            }
            _ => allowed,
        }
    }

    /// Whether there is a value on both sides.
    pub(super) fn is_comparable(&self) -> bool {
        [&self.simulated, &self.live].into_iter().all(|one| value(one).is_some())
    }

    /// The error, with intervals of this confidence. It is judged where `chances` are told.
    pub(super) fn error(
        self,
        (simulated, live): (&Selected<'_>, &Selected<'_>),
        delay: Option<&Delay>,
        (allowed, confidence): (Allowed, Confidence),
        chances: Option<Chances>,
    ) -> MetricError {
        let Self { metric, simulated: one, live: two } = self;
        let difference = contrast(metric, (simulated, &one), (live, &two), confidence);
        let raw = Deviation::of(metric, &difference);
        let overhead = delay.and_then(|delay| overhead(metric, simulated, delay));
        let share = overhead.zip(one.value).map(|(overhead, value)| overhead / value);
        let less_overhead = raw.zip(share).map(|(raw, share)| raw.less(share));
        let judged = less_overhead.or(raw).zip(chances);
        let finding = judged.map_or(Finding::Unjudged, |(deviation, chances)| {
            let found = judge(deviation.error, deviation.limits(), allowed, chances);
            // What chance would explain of few requests can still be a lot.
            let is_small = metric.unit() != Unit::Ratio || deviation.error.abs() <= SMALL;
            let by_chance = allowed == Allowed::SamplingError && found == Finding::Within;
            if by_chance && !is_small { Finding::Undecided } else { found }
        });
        let (simulated, live) = (value(&one), value(&two));
        MetricError { metric, simulated, live, overhead, raw, less_overhead, allowed, finding }
    }
}

/// Up to which error of a share of requests chance may explain it. Chosen: a percentage point.
const SMALL: f64 = 0.01;

impl Deviation {
    fn of(metric: Metric, difference: &Difference) -> Option<Self> {
        let (error, interval) = match MetricError::is_difference(metric) {
            true => (difference.absolute?, difference.interval),
            false => (difference.relative?, difference.relative_interval),
        };
        let exact = Limits { low: Some(error), high: Some(error) };
        let is_exact = difference.finding == compare::Finding::Exact;
        Some(Self { error, interval: if is_exact { Some(exact) } else { interval } })
    }

    /// The same where so much of it, a share of the simulated value, is not the live run's own.
    /// That the simulated value is an estimate does not matter to a share that is small.
    fn less(self, share: f64) -> Self {
        let less = |end: Option<f64>| end.map(|end| end - share);
        let interval = self.interval.map(|own| Limits { low: less(own.low), high: less(own.high) });
        Self { error: self.error - share, interval }
    }

    /// From where to where it reaches; infinite where that is not known.
    fn limits(self) -> (f64, f64) {
        let Limits { low, high } = self.interval.unwrap_or(Limits { low: None, high: None });
        (low.unwrap_or(f64::NEG_INFINITY), high.unwrap_or(f64::INFINITY))
    }
}

/// By how many seconds a delay makes a metric of these requests more; `None` for what is no time.
fn overhead(metric: Metric, requests: &Selected<'_>, delay: &Delay) -> Option<f64> {
    match (metric.measure(), requests.basis(metric)) {
        (Measure::Mean(Sample::Latency | Sample::FirstToken), _) => Some(delay.of_mean()),
        (_, Basis::Quantile(quantile, durations)) => {
            let durations: &DurationHistogram = &durations;
            delay.of_quantile(quantile, durations)
        }
        _ => None,
    }
}

/// A value that can be held against another.
fn value(estimate: &Estimate) -> Option<f64> {
    estimate.value.filter(|_| !estimate.is_of_too_few())
}
