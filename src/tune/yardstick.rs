//! What is normal for a stable version, measured: thresholds that are worth a try lie above it.

use crate::exchange::VersionIndex;
use crate::record::Record;
use crate::stats::DurationHistogram;
use crate::units::{Duration, Ratio};

/// How a stable version fares without anything wrong.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Yardstick {
    /// The share of its requests that fail.
    pub error_rate: Ratio,
    /// The median latency of its successes; absent where nothing succeeded.
    pub latency_p50: Option<Duration>,
    /// Their 99th percentile, likewise.
    pub latency_p99: Option<Duration>,
}

impl Yardstick {
    /// Of the requests of `stable` in these runs.
    pub fn of(records: &[Record], stable: VersionIndex) -> Self {
        let mut latency = DurationHistogram::default();
        let (mut failed, mut succeeded) = (0, 0);
        let cells = records.iter().flat_map(|record| &record.cells);
        for cell in cells.filter(|cell| cell.version == stable) {
            latency.merge(&cell.tally.latency);
            failed += cell.tally.failed.total();
            succeeded += cell.tally.succeeded;
        }
        let requests = (failed + succeeded).max(1);
        Self {
            error_rate: Ratio::new(failed as f64 / requests as f64).unwrap_or_default(),
            latency_p50: latency.quantile(500),
            latency_p99: latency.quantile(990),
        }
    }
}
