//! `coalmine run`: a scenario in virtual time, from its file to its report files.

use std::path::{Path, PathBuf};

use super::arguments::{FailOn, OutputFormat, RunArguments};
use super::digest::digest;
use super::exit::Exit;
use super::open::{open, open_trace, trace_failure};
use super::output::{Output, write_reports};
use super::progress::Progress;
use super::provenance::Provenance;
use super::terminal::{Failure, print};
use crate::report::evaluate;
use crate::run::run_virtual;
use crate::scenario::{Scenario, Traffic};
use crate::simulator::SimulationError;

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
        SimulationError::Trace(error) => trace_failure(scenario, &error),
        other => Failure::internal(format!("error: {other}")),
    })?;
    let result = evaluate(&loaded, vec![digest(&arguments.scenario)?], seed, rehearsal);
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
