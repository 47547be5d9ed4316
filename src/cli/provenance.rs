//! What may differ between two runs of one seed: when, how long, where and by which command.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::result::ResultFile;
use crate::units::{Duration, Timestamp, format_count, format_duration};

/// A run that has begun.
pub(super) struct Provenance {
    started: Instant,
    started_at: Timestamp,
}

/// The content of `run.json`.
#[derive(Clone, Debug, Serialize)]
pub(super) struct RunFile {
    schema: u64,
    coalmine: &'static str,
    started_at: String,
    /// From the reading of the scenario to the result, before files are written.
    duration_seconds: f64,
    requests: u64,
    requests_per_second: f64,
    command: Vec<String>,
    machine: Machine,
}

#[derive(Clone, Debug, Serialize)]
struct Machine {
    system: &'static str,
    architecture: &'static str,
    processors: usize,
}

impl Provenance {
    #[expect(clippy::disallowed_methods, reason = "how long a run took is told, never used")]
    pub(super) fn begin() -> Self {
        let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let nanos = u64::try_from(since_epoch.as_nanos()).unwrap_or(u64::MAX);
        let started_at = Timestamp::EPOCH + Duration::from_nanos(nanos);
        Self { started: Instant::now(), started_at }
    }

    pub(super) fn finish(self, result: &ResultFile) -> RunFile {
        let duration_seconds = self.started.elapsed().as_secs_f64();
        let requests = result.record.requests();
        RunFile {
            schema: 1,
            coalmine: env!("CARGO_PKG_VERSION"),
            started_at: self.started_at.to_string(),
            duration_seconds,
            requests,
            requests_per_second: requests as f64 / duration_seconds.max(f64::MIN_POSITIVE),
            command: std::env::args().collect(),
            machine: Machine {
                system: std::env::consts::OS,
                architecture: std::env::consts::ARCH,
                processors: std::thread::available_parallelism().map_or(1, usize::from),
            },
        }
    }
}

impl RunFile {
    /// How much was done in which time, in a sentence.
    pub(super) fn summary(&self) -> String {
        let took = format_duration(Duration::from_secs_f64(self.duration_seconds));
        format!("Simulated {} requests in {took}", format_count(self.requests))
    }

    pub(super) fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }
}
