//! What GitHub Actions is told of a suite: annotations, the job's summary, the step's outputs.
//!
//! Source: <https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands>.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::disk::working_directory;
use super::terminal::{Failure, complain, print};
use crate::report::{Checkout, STEP_SUMMARY_LIMIT, suite_annotations, suite_markdown};
use crate::suite::SuiteReport;

/// Tells GitHub what became of a suite. `lenient`: an inconclusive gate does not fail.
/// Annotations go to stdout where that is for people, else to stderr: the runner reads both.
pub(super) fn tell(report: &SuiteReport, lenient: bool, on_stdout: bool) -> Result<(), Failure> {
    let workspace = named("GITHUB_WORKSPACE").map(|path| path.display().to_string());
    let working_directory = working_directory()?.display().to_string();
    let checkout = workspace
        .as_deref()
        .map(|workspace| Checkout { workspace, working_directory: &working_directory });
    let annotations = suite_annotations(report, checkout, lenient);
    let annotations: String = annotations.iter().map(|line| format!("{line}\n")).collect();
    match on_stdout {
        true => print(&annotations)?,
        false => complain(&annotations),
    }
    if let Some(file) = named("GITHUB_STEP_SUMMARY") {
        let written = fs::metadata(&file).map_or(0, |metadata| metadata.len());
        let written = usize::try_from(written).unwrap_or(usize::MAX);
        let left = STEP_SUMMARY_LIMIT.saturating_sub(written);
        append(&file, &suite_markdown(report, left))?;
    }
    if let Some(file) = named("GITHUB_OUTPUT") {
        append(&file, &outputs(report))?;
    }
    Ok(())
}

fn named(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

fn outputs(report: &SuiteReport) -> String {
    let counts = report.counts;
    let verdict = report.outcome.name();
    format!(
        "verdict={verdict}\nscenarios={}\npassed={}\nfailed={}\ninconclusive={}\n",
        counts.scenarios, counts.passed, counts.failed, counts.inconclusive
    )
}

/// The runner made the file; what other steps wrote stays.
fn append(file: &Path, text: &str) -> Result<(), Failure> {
    let open = || -> io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(file)?;
        file.write_all(text.as_bytes())
    };
    open().map_err(|error| Failure::unwritten(file, &error))
}
