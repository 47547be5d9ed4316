//! `coalmine run`: a scenario in virtual time or over HTTP, from its file to its report files.

use std::path::{Path, PathBuf};

use super::arguments::{FailOn, ReportFormat, RunArguments};
use super::both::{Played, tell_both};
use super::exit::Exit;
use super::live::LivePlay;
use super::open::{Opened, open_for_runs, open_traces, simulation_failure};
use super::output::{check_folder, printed, write_reports};
use super::progress::Progress;
use super::provenance::Provenance;
use super::quoting::shell_word;
use super::terminal::{Failure, print};
use crate::result::evaluate;
use crate::run::{Rehearsal, run_virtual};
use crate::scenario::Scenario;

pub(super) fn run(arguments: &RunArguments) -> Result<Exit, Failure> {
    let provenance = Provenance::begin();
    let Opened { loaded, files } = open_for_runs(&arguments.scenario, &arguments.reading, 1)?;
    let scenario = &loaded.scenario;
    let seed = arguments.seed.unwrap_or(scenario.seed);
    let out = arguments.out.clone().unwrap_or_else(|| default_folder(&scenario.name));
    check_folder(&out, "--out")?;
    // Before anything is played: a simulation may take its time.
    let live_play = LivePlay::of(&arguments.live, &arguments.scenario)?;
    let play = |provenance: Provenance, rehearsal: Rehearsal| {
        let result = evaluate(&loaded, files.clone(), seed, rehearsal);
        let run = provenance.finish(&result, repeat_command(arguments, seed));
        Played { result, run }
    };
    let rehearsal = match live_play {
        None => play_virtual(scenario, seed, &arguments.scenario)?,
        Some(live) if arguments.live.both => {
            let simulated = play(provenance, play_virtual(scenario, seed, &arguments.scenario)?);
            let provenance = Provenance::begin();
            let live = play(provenance, live.play(scenario, seed)?);
            return tell_both(arguments, &out, simulated, &live);
        }
        Some(live) => live.play(scenario, seed)?,
    };
    let Played { result, run } = play(provenance, rehearsal);
    write_reports(&result, &out, !arguments.no_charts, Some(&run), None)?;
    print(&printed(&result, arguments.format, arguments.intervals))?;
    if arguments.format == ReportFormat::Text {
        let files = out.display();
        print(&format!("\nReport files: {files}\n{run}"))?;
    }
    Ok(Exit::of(&result.gate, arguments.fail_on == FailOn::Fail))
}

fn play_virtual(scenario: &Scenario, seed: u64, file: &Path) -> Result<Rehearsal, Failure> {
    let traces = open_traces(scenario)?;
    let mut progress = Progress::new(scenario.expected_requests());
    let rehearsal = run_virtual(scenario, seed, traces, &mut |done| progress.show(done));
    progress.clear();
    let file = file.display().to_string();
    rehearsal.map_err(|error| simulation_failure(scenario, &file, error))
}

fn default_folder(name: &str) -> PathBuf {
    Path::new("reports").join(name)
}

/// The one command that repeats this run, whatever the scenario's own seed becomes.
fn repeat_command(arguments: &RunArguments, seed: u64) -> String {
    let scenario = shell_word(&arguments.scenario.display().to_string());
    let mut command = format!("coalmine run {scenario} --seed {seed}");
    command.push_str(&arguments.reading.as_given());
    command.push_str(&arguments.live.as_given());
    if let Some(out) = &arguments.out {
        command.push_str(&format!(" --out {}", shell_word(&out.display().to_string())));
    }
    if arguments.no_charts {
        command.push_str(" --no-charts");
    }
    if arguments.fail_on == FailOn::Fail {
        command.push_str(" --fail-on fail");
    }
    command
}
