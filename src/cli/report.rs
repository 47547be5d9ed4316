//! `coalmine report`: every output anew from a stored result.

use std::io::ErrorKind;
use std::path::Path;

use super::arguments::{ReportArguments, ReportFormat};
use super::both::{SIMULATED, agree};
use super::exit::Exit;
use super::open::{StoredResult, open_result};
use super::output::{Agreement, RESULT_JSON, RUN_JSON, printed, write_reports};
use super::provenance::RunFile;
use super::terminal::{Failure, complain, print};
use crate::result::ResultFile;

pub(super) fn report(arguments: &ReportArguments) -> Result<Exit, Failure> {
    let StoredResult { path, result, .. } = open_result(&arguments.result)?;
    let beside = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let out = arguments.out.as_deref().or(beside).unwrap_or_else(|| Path::new("."));
    let folder = beside.unwrap_or_else(|| Path::new("."));
    let run = run_beside(&result, &folder.join(RUN_JSON))?;
    let agreement = agreement_beside(&result, folder);
    write_reports(&result, out, !arguments.no_charts, run.as_ref(), agreement.as_ref())?;
    print(&printed(&result, arguments.format, arguments.intervals))?;
    if arguments.format == ReportFormat::Text {
        print(&format!("\nReport files: {}\n", out.display()))?;
    }
    Ok(Exit::Pass)
}

/// How well `result` agrees with the simulated run that lies below its folder, where `--both` has
/// left one: held against it anew.
fn agreement_beside(result: &ResultFile, folder: &Path) -> Option<Agreement> {
    let simulated = folder.join(SIMULATED);
    if result.live.is_none() || !simulated.join(RESULT_JSON).exists() {
        return None;
    }
    let held = open_result(&simulated)
        .and_then(|StoredResult { result: simulated, .. }| agree(simulated, result));
    if let Err(failure) = &held {
        let beside = simulated.display();
        let why = &failure.message;
        complain(&format!("warning: the report goes without {beside}: {why}"));
    }
    held.ok()
}

/// What is known of how `result` was made; `None` without a file, or with one of another run.
fn run_beside(result: &ResultFile, path: &Path) -> Result<Option<RunFile>, Failure> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            let message = format!("error: cannot read {}: {error}", path.display());
            return Err(Failure::input(message));
        }
    };
    let told = RunFile::from_json(&text).ok().filter(|run| run.is_of(result));
    if told.is_none() {
        complain(&format!(
            "warning: {} does not tell of the run of this result: the report goes without it",
            path.display()
        ));
    }
    Ok(told)
}
