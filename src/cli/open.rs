//! Scenario files from the disk to loaded plans.

use std::path::{Path, PathBuf};

use super::arguments::ScenarioArguments;
use super::digest::digest;
use super::disk::{self, Disk};
use super::terminal::{Failure, complain};
use crate::result::FileDigest;
use crate::scenario::{Document, Loaded, Scenario, Traffic, load};
use crate::trace::TraceError;
use crate::workload::TraceInput;

/// A scenario and the file that it was read from.
pub(super) struct Opened {
    pub(super) loaded: Loaded,
    pub(super) file: FileDigest,
}

/// Reads and checks a scenario; says what is odd about it.
pub(super) fn open(path: &Path, reading: &ScenarioArguments) -> Result<Opened, Failure> {
    let bytes = std::fs::read(path).map_err(|error| {
        Failure::input(format!("error: cannot read scenario {}: {error}", path.display()))
    })?;
    let working_directory = std::env::current_dir()
        .map_err(|error| Failure::internal(format!("error: no working directory: {error}")))?;
    let document = Document {
        path,
        bytes: &bytes,
        settings: &reading.settings,
        working_directory: &working_directory,
        allow_outside: reading.allow_outside,
    };
    let loaded = load(document, &Disk).map_err(Failure::input)?;
    if loaded.warnings.count() > 0 {
        complain(&loaded.warnings.to_string());
    }
    Ok(Opened { loaded, file: digest(path, &bytes) })
}

/// Opens the traces that a scenario replays.
pub(super) fn open_traces(scenario: &Scenario) -> Result<Vec<TraceInput>, Failure> {
    let open = |path: &PathBuf| {
        disk::open_trace(path).map_err(|error| {
            Failure::input(format!("error: cannot read trace {}: {error}", path.display()))
        })
    };
    scenario.traffic.files().iter().map(open).collect()
}

/// Names the trace and the line in front of what is wrong with it.
pub(super) fn trace_failure(scenario: &Scenario, error: &TraceError) -> Failure {
    let path = match &scenario.traffic {
        Traffic::Trace { path, .. } => path.display().to_string(),
        Traffic::Generated(_) => "generated traffic".to_owned(),
    };
    Failure::input(format!("error: {path}:{}: {}", error.line(), error.kind()))
}
