//! The latencies of a version since its activation, as the status shows them.

use schemars::JsonSchema;
use serde::Serialize;

use super::since_activation::{Quantiles, SoFar};
use crate::stats::Measured;

/// The latencies of a version's successes since its activation, in the order in which they began:
/// those count that began before any attempt that is under way. First attempts alone, of requests
/// that were not pinned; since this gateway started where that is later.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "LatencySoFar")]
pub(super) struct LatencyView {
    /// When the first attempt began, in RFC 3339.
    since: String,
    successes: u64,
    /// Attempts that are over and wait for one that began before them.
    waiting: u64,
    /// With which each quantile by itself lies in its interval whenever one looks, however often:
    /// latencies must have one distribution, and each be independent of those before. Where they
    /// drift, or come in slow spells, intervals are too narrow.
    confidence: f64,
    /// null: no success counts yet.
    p50_ms: Option<IntervalView>,
    /// Likewise.
    p90_ms: Option<IntervalView>,
    /// Likewise.
    p99_ms: Option<IntervalView>,
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

impl From<&SoFar> for LatencyView {
    fn from(so_far: &SoFar) -> Self {
        let quantiles = so_far.quantiles();
        let quantile =
            |of: fn(Quantiles) -> Measured| quantiles.map(of).map(IntervalView::of_seconds);
        Self {
            since: so_far.since.to_string(),
            successes: so_far.successes(),
            waiting: so_far.waiting,
            confidence: SoFar::CONFIDENCE.get(),
            p50_ms: quantile(|all| all.p50),
            p90_ms: quantile(|all| all.p90),
            p99_ms: quantile(|all| all.p99),
        }
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
