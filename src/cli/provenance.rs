//! What may differ between two runs of one seed: when, how long, where and by which command.

use std::fmt;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::page;
use crate::result::ResultFile;
use crate::units::{Duration, Timestamp, format_count, format_counted, format_duration};

/// A run that has begun.
pub(super) struct Provenance {
    started: Instant,
    started_at: Timestamp,
}

/// The content of `run.json`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct RunFile {
    schema: u64,
    coalmine: String,
    started_at: String,
    /// From the reading of the scenario to the result, before files are written.
    duration_seconds: f64,
    requests: u64,
    requests_per_second: f64,
    /// Whether the requests went over HTTP.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    live: bool,
    command: Vec<String>,
    /// The command that gives the same result, whatever the scenario's own seed becomes.
    repeat: String,
    machine: Machine,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Machine {
    system: String,
    architecture: String,
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

    /// How long it has taken until now.
    pub(super) fn so_far(&self) -> Duration {
        Duration::from_secs_f64(self.started.elapsed().as_secs_f64())
    }

    pub(super) fn finish(self, result: &ResultFile, repeat: String) -> RunFile {
        let duration_seconds = self.started.elapsed().as_secs_f64();
        let requests = result.record.requests();
        RunFile {
            schema: 1,
            coalmine: env!("CARGO_PKG_VERSION").to_owned(),
            started_at: self.started_at.to_string(),
            duration_seconds,
            requests,
            live: result.live.is_some(),
            requests_per_second: requests as f64 / duration_seconds.max(f64::MIN_POSITIVE),
            command: std::env::args().collect(),
            repeat,
            machine: Machine {
                system: std::env::consts::OS.to_owned(),
                architecture: std::env::consts::ARCH.to_owned(),
                processors: std::thread::available_parallelism().map_or(1, usize::from),
            },
        }
    }
}

/// How much was done in which time, and how to do it again.
impl fmt::Display for RunFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let took = format_duration(Duration::from_secs_f64(self.duration_seconds));
        let done = if self.live { "Played" } else { "Simulated" };
        writeln!(f, "{done} {} requests in {took}", format_count(self.requests))?;
        writeln!(f, "Repeat: {}", self.repeat)
    }
}

impl RunFile {
    pub(super) fn from_json(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }

    /// Whether it tells of the run that left `result` behind.
    pub(super) fn is_of(&self, result: &ResultFile) -> bool {
        let seed = format!(" --seed {}", result.scenario.seed);
        let told = self.coalmine == result.coalmine && self.requests == result.record.requests();
        told && (self.repeat.ends_with(&seed) || self.repeat.contains(&(seed + " ")))
    }

    /// What a page tells of it.
    pub(super) fn provenance(&self) -> page::Provenance {
        let Machine { system, architecture, processors } = &self.machine;
        let processors = format_counted(*processors as u64, "processor", "processors");
        page::Provenance {
            started_at: self.started_at.clone(),
            took: Duration::from_secs_f64(self.duration_seconds),
            machine: format!("{system} {architecture}, {processors}"),
            command: self.repeat.clone(),
        }
    }

    pub(super) fn to_json(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }
}
