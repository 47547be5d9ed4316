//! The latencies of a version since its activation, as the status shows them.

use schemars::JsonSchema;
use serde::Serialize;

use super::since_activation::{Latencies, SinceActivation};
use crate::stats::Measured;

/// The latencies of a version's successes since its activation.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "LatencySoFar")]
pub(super) struct LatencyView {
    /// When the first of them ended, in RFC 3339.
    since: String,
    successes: u64,
    /// With which each quantile by itself lies in its interval whenever one looks, however often:
    /// the latencies must have one distribution, and not drift.
    confidence: f64,
    p50_ms: IntervalView,
    p90_ms: IntervalView,
    p99_ms: IntervalView,
}

/// A value with its interval.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Interval")]
struct IntervalView {
    value: f64,
    /// null: so few do not bound it.
    low: Option<f64>,
    /// Likewise.
    high: Option<f64>,
}

impl From<Latencies> for LatencyView {
    fn from(latencies: Latencies) -> Self {
        let Latencies { since, successes, p50, p90, p99 } = latencies;
        let [p50_ms, p90_ms, p99_ms] = [p50, p90, p99].map(IntervalView::of_seconds);
        let confidence = SinceActivation::CONFIDENCE.get();
        Self { since: since.to_string(), successes, confidence, p50_ms, p90_ms, p99_ms }
    }
}

impl IntervalView {
    /// In milliseconds.
    fn of_seconds(measured: Measured) -> Self {
        let Measured { value, limits } = measured;
        let end = |seconds: f64| seconds.is_finite().then_some(seconds * 1e3);
        Self { value: value * 1e3, low: end(limits.low), high: end(limits.high) }
    }
}
