//! Scenario files from the disk to loaded plans.

use std::path::{Path, PathBuf};

use super::arguments::ScenarioArguments;
use super::digest::{Digested, digest};
use super::disk;
use super::output::RESULT_JSON;
use super::terminal::{Failure, complain};
use crate::result::{FileDigest, ResultFile};
use crate::scenario::{Document, Loaded, Scenario, load};
use crate::workload::{SourceError, TraceInput};

/// A scenario and the files that it was read from: its own, then those that it names.
pub(super) struct Opened {
    pub(super) loaded: Loaded,
    pub(super) files: Vec<FileDigest>,
}

/// Reads and checks a scenario; says what is odd about it.
pub(super) fn open(path: &Path, reading: &ScenarioArguments) -> Result<Opened, Failure> {
    let bytes = std::fs::read(path).map_err(|error| {
        Failure::input(format!("error: cannot read scenario {}: {error}", path.display()))
    })?;
    let working_directory = disk::working_directory()?;
    let document = Document {
        path,
        bytes: &bytes,
        settings: &reading.settings,
        working_directory: &working_directory,
        allow_outside: reading.allow_outside,
    };
    let others = Digested::default();
    let loaded = load(document, &others).map_err(Failure::input)?;
    if loaded.warnings.count() > 0 {
        complain(&loaded.warnings.to_string());
    }
    let files = std::iter::once(digest(path, &bytes)).chain(others.into_files()).collect();
    Ok(Opened { loaded, files })
}

/// A stored result, and the file that it was read from.
pub(super) struct StoredResult {
    pub(super) path: PathBuf,
    pub(super) text: String,
    pub(super) result: ResultFile,
}

/// Reads a result from its file, or from the one in the folder that is named.
pub(super) fn open_result(named: &Path) -> Result<StoredResult, Failure> {
    let path = if named.is_dir() { named.join(RESULT_JSON) } else { named.to_owned() };
    let shown = path.display();
    let text = std::fs::read_to_string(&path).map_err(|error| {
        Failure::input(format!(
            "error: cannot read result {shown}: {error}; name a result.json that `coalmine run` \
             has written, or its folder"
        ))
    })?;
    let result = ResultFile::from_json(&text)
        .map_err(|error| Failure::input(format!("error: {shown}: {error}")))?;
    Ok(StoredResult { path, text, result })
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
pub(super) fn trace_failure(scenario: &Scenario, failed: &SourceError) -> Failure {
    let SourceError { trace, error } = failed;
    let file = scenario.traffic.files().get(*trace);
    let file = file.map_or_else(String::new, |file| file.display().to_string());
    Failure::input(format!("error: {file}:{}: {}", error.line(), error.kind()))
}
