//! The latencies of a version since its activation, as the status shows them.

use schemars::JsonSchema;
use serde::Serialize;

use super::since_activation::{Quantiles, SoFar};
use crate::stats::Measured;

/// The latencies of a version's successes since its activation, in the order in which they began:
/// those count that began before any attempt that is under way.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "LatencySoFar")]
pub(super) struct LatencyView {
    /// When the first attempt began, in RFC 3339.
    since: String,
    successes: u64,
    /// Attempts that are over and wait for one that began before them.
    waiting: u64,
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

impl LatencyView {
    /// `None` without successes.
    pub(super) fn of(so_far: &SoFar) -> Option<Self> {
        let Quantiles { p50, p90, p99 } = so_far.quantiles()?;
        let [p50_ms, p90_ms, p99_ms] = [p50, p90, p99].map(IntervalView::of_seconds);
        Some(Self {
            since: so_far.since.to_string(),
            successes: so_far.successes(),
            waiting: so_far.waiting,
            confidence: SoFar::CONFIDENCE.get(),
            p50_ms,
            p90_ms,
            p99_ms,
        })
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
