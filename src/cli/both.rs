//! `coalmine run --both`: a scenario in virtual time and over HTTP, and how well the two agree.

use std::path::Path;

use super::arguments::{FailOn, RunArguments};
use super::digest::digest;
use super::exit::Exit;
use super::output::{Agreement, RESULT_JSON, printed, style, write_reports};
use super::provenance::RunFile;
use super::shared_arguments::ReportFormat;
use super::terminal::{Failure, print};
use crate::compare::RunInput;
use crate::fidelity::{Finding, Harness, Settings, Sides, fidelity};
use crate::report::{fidelity_markdown, fidelity_text};
use crate::result::ResultFile;

/// A run with what is told of how it was made.
pub(super) struct Played {
    pub(super) result: ResultFile,
    pub(super) run: RunFile,
}

/// Holds a live run against the simulated one, writes both with what came of it, and tells it.
pub(super) fn tell_both(
    arguments: &RunArguments,
    out: &Path,
    simulated: Played,
    live: &Played,
) -> Result<Exit, Failure> {
    let charts = !arguments.no_charts;
    let below = out.join(SIMULATED);
    write_reports(&simulated.result, &below, charts, Some(&simulated.run), None)?;
    let agreement = agree(simulated.result, &live.result)?;
    write_reports(&live.result, out, charts, Some(&live.run), Some(&agreement))?;
    let told = &agreement.told;
    print(&match arguments.format {
        ReportFormat::Json => told.to_json(),
        ReportFormat::Markdown => fidelity_markdown(told),
        ReportFormat::Csv => printed(&live.result, ReportFormat::Csv, arguments.intervals),
        ReportFormat::Text => {
            let of_live = printed(&live.result, ReportFormat::Text, arguments.intervals);
            let (files, run) = (out.display(), &live.run);
            let of_both = fidelity_text(told, style(true));
            format!("{of_live}\n{of_both}\nReport files: {files}\n{run}")
        }
    })?;
    Ok(exit(&live.result, told.verdict, arguments.fail_on == FailOn::Fail))
}

/// How well `live` agrees with `simulated`.
pub(super) fn agree(simulated: ResultFile, live: &ResultFile) -> Result<Agreement, Failure> {
    let harness = Harness::of(live.live.as_ref());
    let sha256 =
        |result: &ResultFile| digest(Path::new(RESULT_JSON), result.to_json().as_bytes()).sha256;
    let digests = [sha256(&simulated), sha256(live)];
    let [one, other] = [(&simulated, "simulated", 0), (live, "live", 1)]
        .map(|(result, label, place)| RunInput { label, sha256: &digests[place], result });
    let told = fidelity(&Sides::new(one, other), &harness, &Settings::default())
        .map_err(|refused| Failure::input(format!("error: {refused}")))?;
    Ok(Agreement { told, simulated })
}

/// The live run's gate comes first; a run that passes it must agree as well.
fn exit(live: &ResultFile, verdict: Finding, inconclusive_passes: bool) -> Exit {
    match (Exit::of(&live.gate, inconclusive_passes), verdict) {
        (Exit::Pass, Finding::Beyond) => Exit::GateFailed,
        (Exit::Pass, Finding::Undecided | Finding::Unjudged) if !inconclusive_passes => {
            Exit::Inconclusive
        }
        (exit, _) => exit,
    }
}

/// Where the simulated run's files go, below those of the live run.
pub(super) const SIMULATED: &str = "simulated";
