//! `coalmine report`: every output anew from a stored result.

use std::io::ErrorKind;
use std::path::Path;

use super::arguments::{ReportArguments, ReportFormat};
use super::exit::Exit;
use super::open::{StoredResult, open_result};
use super::output::{RUN_JSON, printed, write_reports};
use super::provenance::RunFile;
use super::terminal::{Failure, complain, print};
use crate::result::ResultFile;

pub(super) fn report(arguments: &ReportArguments) -> Result<Exit, Failure> {
    let StoredResult { path, result, .. } = open_result(&arguments.result)?;
    let beside = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let out = arguments.out.as_deref().or(beside).unwrap_or_else(|| Path::new("."));
    let folder = beside.unwrap_or_else(|| Path::new("."));
    let run = run_beside(&result, &folder.join(RUN_JSON))?;
    write_reports(&result, out, !arguments.no_charts, run.as_ref())?;
    print(&printed(&result, arguments.format, arguments.intervals))?;
    if arguments.format == ReportFormat::Text {
        print(&format!("\nReport files: {}\n", out.display()))?;
    }
    Ok(Exit::Pass)
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
