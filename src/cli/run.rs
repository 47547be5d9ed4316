//! `coalmine run`: a scenario in virtual time, from its file to its report files.

use std::path::{Path, PathBuf};

use super::terminal::{Failure, print};
use super::arguments::{FailOn, OutputFormat, RunArguments};
use super::digest::file_digests;
use super::exit::Exit;
use super::open::{open, open_trace, trace_failure};
use super::output::{Output, write_reports};
use super::progress::Progress;
use super::provenance::Provenance;
use crate::gate::{Gate, Judgement, Line, Verdict};
use crate::report::{ResultFile, ScenarioInfo};
use crate::run::{Rehearsal, run_virtual};
use crate::scenario::{Expectation, Loaded, Scenario, Traffic};
use crate::simulator::SimulationError;
use crate::summary::{ColumnSpec, ReferenceSpec, Selection, Summary, Table};

pub(super) fn run(arguments: &RunArguments) -> Result<Exit, Failure> {
    let provenance = Provenance::begin();
    let loaded = open(&arguments.scenario, &arguments.reading)?;
    let scenario = &loaded.scenario;
    let seed = arguments.seed.unwrap_or(scenario.seed);
    let trace = open_trace(scenario)?;
    let mut progress = Progress::new(expected_requests(scenario));
    let rehearsal = run_virtual(scenario, seed, trace, &mut |done| progress.show(done));
    progress.clear();
    let rehearsal = rehearsal.map_err(|error| match error {
        SimulationError::Trace(error) => trace_failure(scenario, error),
        other => Failure::internal(format!("error: {other}")),
    })?;
    let result = evaluate(&arguments.scenario, &loaded, seed, rehearsal)?;
    let out = arguments.out.clone().unwrap_or_else(|| default_folder(&scenario.name));
    let run_json = provenance.finish(&result);
    write_reports(&result, &out, !arguments.no_charts, Some(&run_json))?;
    let output = match arguments.format {
        OutputFormat::Json => Output::Json,
        OutputFormat::Text => Output::Text { intervals: arguments.intervals },
    };
    print(&output.render(&result))?;
    if arguments.format == OutputFormat::Text {
        let repeat = repeat_command(arguments, seed);
        let files = out.display();
        print(&format!("\nReport files: {files}\n{}\nRepeat: {repeat}\n", run_json.summary()))?;
    }
    Ok(Exit::of(&result.gate, arguments.fail_on == FailOn::Fail, false))
}

/// What follows from a run: table and verdict, with all that they rest on.
fn evaluate(
    path: &Path,
    loaded: &Loaded,
    seed: u64,
    rehearsal: Rehearsal,
) -> Result<ResultFile, Failure> {
    let scenario = &loaded.scenario;
    let columns = columns(scenario);
    let Rehearsal { record, trace } = rehearsal;
    let summary = Summary::of(&record);
    let table = Table::of(&summary, &columns, &references(scenario));
    let judgement = judge(scenario, &summary, &columns);
    let files = file_digests(path, loaded)?;
    let info = ScenarioInfo::of(scenario, files, seed, loaded.resolved.clone());
    Ok(ResultFile::new(info, trace, judgement, table, record))
}

fn judge(scenario: &Scenario, summary: &Summary<'_>, columns: &[ColumnSpec]) -> Judgement {
    let lines = scenario.gate.iter().map(|line| Line {
        text: &line.text,
        assertion: &line.assertion,
        file: &line.file,
        line: line.line,
    });
    let expected = scenario.expect.map(|expectation| match expectation {
        Expectation::Fail => Verdict::Fail,
        Expectation::Inconclusive => Verdict::Inconclusive,
    });
    let lines: Vec<_> = lines.collect();
    Gate { lines: &lines, columns, expected, distrust: &[] }.judge(summary)
}

fn columns(scenario: &Scenario) -> Vec<ColumnSpec> {
    let columns = scenario.columns.iter().map(|column| ColumnSpec {
        title: column.title.clone(),
        selection: Selection {
            phase: column.phase,
            version: column.version,
            arm: None,
        },
    });
    columns.collect()
}

fn references(scenario: &Scenario) -> Vec<ReferenceSpec> {
    let references = scenario.references.iter().map(|reference| ReferenceSpec {
        column: reference.column,
        metric: reference.metric,
        value: reference.value,
    });
    references.collect()
}

fn expected_requests(scenario: &Scenario) -> Option<u64> {
    match &scenario.traffic {
        Traffic::Generated(workload) => workload.expected_requests(),
        Traffic::Trace { replay, .. } => replay.requests,
    }
}

fn default_folder(name: &str) -> PathBuf {
    Path::new("reports").join(name)
}

/// The one command that repeats this run, whatever the scenario's own seed becomes.
fn repeat_command(arguments: &RunArguments, seed: u64) -> String {
    let mut command = format!("coalmine run {} --seed {seed}", arguments.scenario.display());
    for setting in &arguments.reading.settings {
        command.push_str(&format!(" --set '{setting}'"));
    }
    if arguments.reading.allow_outside {
        command.push_str(" --allow-outside");
    }
    command
}
