//! Scenario files from the disk to loaded plans.

use std::io::{self, BufReader, Seek};
use std::path::{Path, PathBuf};

use super::digest::{Digested, digest};
use super::disk;
use super::output::RESULT_JSON;
use super::shared_arguments::ScenarioArguments;
use super::terminal::{Failure, complain};
use crate::result::{FileDigest, ResultFile};
use crate::scenario::{
    Document, Loaded, Problem, ProblemKind, Scenario, Spot, is_fault_list, load,
};
use crate::simulator::SimulationError;
use crate::trace::TraceError;
use crate::validation::{broken_trace, trace_problem};
use crate::workload::{SourceError, TraceInput};

/// A scenario and the files that it was read from: its own, then those that it names.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) loaded: Loaded,
    pub(super) files: Vec<FileDigest>,
}

/// Why a scenario or a trace cannot be used: what to say, and each problem by itself.
#[derive(Debug)]
pub(super) struct Refusal {
    pub(super) failure: Failure,
    /// Without any, the input is not to blame.
    pub(super) problems: Vec<Problem>,
}

impl Refusal {
    /// A file cannot be read, which is `what` to the program.
    fn unreadable(what: &str, path: &Path, error: &io::Error) -> Self {
        let message = format!("cannot read {what} {}: {error}", path.display());
        let failure = Failure::input(format!("error: {message}"));
        let place = Spot::file(path.display().to_string());
        Self { failure, problems: vec![Problem::new(ProblemKind::UnreadableFile, place, message)] }
    }

    /// A trace of `scenario` cannot be replayed.
    pub(super) fn of_trace(scenario: &Scenario, failed: &SourceError) -> Self {
        let problem = trace_problem(scenario, failed);
        let failure = Failure::input(format!("error: {}: {}", problem.place, problem.message));
        Self { failure, problems: vec![problem] }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        refusal.failure
    }
}

/// Reads and checks a scenario; says what is odd about it.
pub(super) fn open(path: &Path, reading: &ScenarioArguments) -> Result<Opened, Failure> {
    tell(read_scenario(path, reading)?)
}

/// The same where so many runs are made, whatever the scenario says.
pub(super) fn open_for_runs(
    path: &Path,
    reading: &ScenarioArguments,
    runs: u64,
) -> Result<Opened, Failure> {
    let mut opened = read_scenario(path, reading)?;
    opened.loaded.warnings = opened.loaded.warnings.for_runs(runs);
    tell(opened)
}

fn tell(opened: Opened) -> Result<Opened, Failure> {
    if opened.loaded.warnings.count() > 0 {
        complain(&opened.loaded.warnings.to_string());
    }
    Ok(opened)
}

/// Reads and checks a scenario, and says nothing.
pub(super) fn read_scenario(path: &Path, reading: &ScenarioArguments) -> Result<Opened, Refusal> {
    let bytes =
        std::fs::read(path).map_err(|error| Refusal::unreadable("scenario", path, &error))?;
    let working_directory =
        disk::working_directory().map_err(|failure| Refusal { failure, problems: Vec::new() })?;
    if is_fault_list(&bytes) {
        let shown = path.display();
        let failure = Failure::input(format!(
            "error: {shown} is a list of faults, no scenario\n  help: `coalmine tune SCENARIO \
             --against {shown}` seeks rules against them"
        ));
        return Err(Refusal { failure, problems: Vec::new() });
    }
    let document = Document {
        path,
        bytes: &bytes,
        settings: &reading.settings,
        working_directory: &working_directory,
        allow_outside: reading.allow_outside,
    };
    let others = Digested::default();
    let loaded = load(document, &others).map_err(|error| Refusal {
        failure: Failure::input(&error),
        problems: error.problems().collect(),
    })?;
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

/// Names the trace and the place in front of what is wrong with it; `-` is stdin.
pub(super) fn broken_trace_failure(path: &Path, error: &TraceError) -> Failure {
    let Problem { place, message, .. } = broken_trace(trace_name(path), error);
    Failure::input(format!("error: {place}: {message}"))
}

/// A trace's path, or what else it comes from.
pub(super) fn trace_name(path: &Path) -> String {
    if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() }
}

/// Opens the traces that a scenario replays.
pub(super) fn open_traces(scenario: &Scenario) -> Result<Vec<TraceInput>, Failure> {
    let open = |path: &PathBuf| open_trace(path).map_err(Failure::from);
    scenario.traffic.files().iter().map(open).collect()
}

/// Opens the trace at `path`, or keeps what stdin has where that is `-`: who replays a trace can go
/// back in it.
pub(super) fn open_trace_or_stdin(path: &Path) -> Result<TraceInput, Failure> {
    if path != Path::new("-") {
        return Ok(open_trace(path)?);
    }
    let kept = tempfile::tempfile().and_then(|mut kept| {
        io::copy(&mut io::stdin().lock(), &mut kept)?;
        kept.rewind()?;
        Ok(kept)
    });
    let kept = kept.map_err(|error| {
        Failure::internal(format!("error: cannot keep what stdin has: {error}"))
    })?;
    Ok(Box::new(BufReader::with_capacity(disk::READ_AHEAD, kept)))
}

/// Opens a trace.
pub(super) fn open_trace(path: &Path) -> Result<TraceInput, Refusal> {
    disk::open_trace(path).map_err(|error| Refusal::unreadable("trace", path, &error))
}

/// Names the trace and the line in front of what is wrong with it.
pub(super) fn trace_failure(scenario: &Scenario, failed: &SourceError) -> Failure {
    Refusal::of_trace(scenario, failed).into()
}

/// What to say of a scenario whose run did not come to its end; `file` is its own.
pub(super) fn simulation_failure(
    scenario: &Scenario,
    file: &str,
    error: SimulationError,
) -> Failure {
    match error {
        SimulationError::Trace(error) => trace_failure(scenario, &error),
        error @ SimulationError::Crowded { .. } => {
            Failure::input(format!("error: {file}: {error}"))
        }
        other => Failure::internal(format!("error: {other}")),
    }
}
