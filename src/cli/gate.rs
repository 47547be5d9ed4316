//! `coalmine gate`: the gates of many scenarios, from their files to one exit code.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::arguments::FailOn;
use super::baselines::Baselines;
use super::exit::Exit;
use super::gate_arguments::GateArguments;
use super::gate_outputs::{check_files, check_outputs, write_outputs};
use super::gated::{Gated, name_of_file};
use super::interrupt::Interrupt;
use super::open::{open, open_for_runs};
use super::playing::{Task, play};
use super::provenance::Provenance;
use super::quoting::shell_word;
use super::scenario_files::ScenarioFiles;
use super::terminal::{Failure, complain};
use super::wildcard;
use crate::suite::{LeftOut, Outcome, SuiteReport};
use crate::units::{Duration, format_count, format_counted, format_duration};

pub(super) fn gate(arguments: &GateArguments) -> Result<Exit, Failure> {
    let provenance = Provenance::begin();
    let interrupt = Interrupt::notice()?;
    let baselines = Baselines::of(arguments.baseline.as_deref())?;
    check_outputs(arguments)?;
    let ScenarioFiles { files, left_out } =
        ScenarioFiles::find(&arguments.paths, &arguments.reading)?;
    let opened: Vec<_> = files.iter().map(|file| prepare(file, arguments)).collect();
    let mut entries: Vec<Entry> = files.iter().zip(opened).map(Entry::of).collect();
    choose(&mut entries, &arguments.only)?;
    check_names(&entries, arguments)?;
    check_files(arguments, &entries.iter().map(|entry| entry.file.as_str()).collect::<Vec<_>>())?;
    let tasks = Arc::new(entries.iter_mut().filter_map(|entry| entry.task.take()).collect());
    let mut played = play(&tasks, arguments.jobs, &interrupt)?.into_iter().zip(tasks.iter());
    let mut gated = Vec::new();
    for entry in entries {
        gated.push(match entry.failure {
            Some(failure) => Gated::unreadable(&entry.file, &failure, arguments)?,
            None => match played.next() {
                Some((Ok(played), task)) => Gated::judge(task, played, arguments, &baselines)?,
                Some((Err(failure), task)) => Gated::unreadable(&task.file, &failure, arguments)?,
                None => return Err(Failure::internal("error: a scenario has no runs: a bug")),
            },
        });
        interrupt.check()?;
    }
    let left_out = left_out.iter().map(|left| LeftOut {
        file: left.path.display().to_string(),
        why: format!("a part of {}, no scenario by itself", left.part_of.display()),
    });
    let scenarios = gated.iter().map(|gated| gated.told.clone()).collect();
    let report = SuiteReport::of(scenarios, left_out.collect());
    interrupt.check()?;
    if std::io::stderr().is_terminal() {
        complain(&work(&report, provenance.so_far()));
    }
    write_outputs(&report, &gated, arguments)?;
    Ok(exit(&report, arguments.fail_on))
}

/// How much was done in which time: it differs from run to run, so it is no part of the result.
fn work(report: &SuiteReport, took: Duration) -> String {
    let runs: u64 = report.scenarios.iter().map(|one| one.seeds.len() as u64).sum();
    let requests: u64 = report.scenarios.iter().map(|one| one.requests).sum();
    let (runs, requests) = (format_counted(runs, "run", "runs"), format_count(requests));
    format!("simulated {runs} of {requests} requests in {}", format_duration(took))
}

/// A file, and what is to be done with it.
struct Entry {
    file: String,
    /// Its scenario's name; that of the file, without its ending, where it cannot be read.
    name: String,
    task: Option<Task>,
    failure: Option<Failure>,
}

impl Entry {
    fn of((path, prepared): (&PathBuf, Result<Task, Failure>)) -> Self {
        let file = path.display().to_string();
        match prepared {
            Ok(task) => {
                let name = task.opened.loaded.scenario.name.clone();
                Self { file, name, task: Some(task), failure: None }
            }
            Err(failure) => {
                let name = name_of_file(path);
                Self { file, name, task: None, failure: Some(failure) }
            }
        }
    }
}

fn prepare(path: &Path, arguments: &GateArguments) -> Result<Task, Failure> {
    let opened = match arguments.seeds {
        Some(runs) => open_for_runs(path, &arguments.reading, runs)?,
        None => open(path, &arguments.reading)?,
    };
    let scenario = &opened.loaded.scenario;
    let first = arguments.seed.unwrap_or(scenario.seed);
    let seeds = arguments.seeds.unwrap_or(scenario.seeds);
    let seeds = (0..seeds).map(|more| first.wrapping_add(more)).collect();
    let file = path.display().to_string();
    let report = arguments.out.as_ref().map(|_| {
        let given = arguments.reading.as_given();
        format!("coalmine run {} --seed {first}{given}", shell_word(&file))
    });
    Ok(Task { file, opened, seeds, report })
}

/// Keeps those that are asked for.
fn choose(entries: &mut Vec<Entry>, only: &[String]) -> Result<(), Failure> {
    if only.is_empty() {
        return Ok(());
    }
    let known = entries.iter().map(|entry| entry.name.clone()).collect::<Vec<_>>().join(", ");
    for pattern in only {
        if !entries.iter().any(|entry| wildcard::matches(pattern, &entry.name)) {
            let message = format!(
                "error: nothing to evaluate: --only {}: there is no scenario of this name; known: \
                 {known}",
                shell_word(pattern)
            );
            return Err(Failure { exit: Exit::NothingToEvaluate, message });
        }
    }
    entries.retain(|entry| only.iter().any(|pattern| wildcard::matches(pattern, &entry.name)));
    Ok(())
}

/// Refuses two scenarios of one name where their files would be the same.
fn check_names(entries: &[Entry], arguments: &GateArguments) -> Result<(), Failure> {
    if arguments.out.is_none() && arguments.save_baseline.is_none() && arguments.baseline.is_none()
    {
        return Ok(());
    }
    for (place, entry) in entries.iter().enumerate() {
        let readable = |entry: &&Entry| entry.failure.is_none();
        let twin = entries[..place].iter().filter(readable).find(|other| other.name == entry.name);
        if let Some(twin) = twin.filter(|_| entry.failure.is_none()) {
            let message = format!(
                "error: {} and {} have the same name, {}: their files would be the same; give one \
                 another name, or gate them one by one",
                twin.file, entry.file, entry.name
            );
            return Err(Failure { exit: Exit::Usage, message });
        }
    }
    Ok(())
}

/// The code for the gravest outcome.
fn exit(report: &SuiteReport, fail_on: FailOn) -> Exit {
    let lenient = fail_on == FailOn::Fail && !report.scenarios.is_empty();
    match report.outcome {
        Outcome::Pass => Exit::Pass,
        Outcome::NothingToEvaluate | Outcome::Inconclusive if lenient => Exit::Pass,
        Outcome::NothingToEvaluate => Exit::NothingToEvaluate,
        Outcome::Inconclusive => Exit::Inconclusive,
        Outcome::Fail => Exit::GateFailed,
        Outcome::Invalid => Exit::InvalidRun,
        Outcome::Unreadable => Exit::InvalidInput,
    }
}
