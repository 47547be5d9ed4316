//! Many runs on all processors: each scenario under each of its seeds.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;

use super::interrupt::Interrupt;
use super::open::{Opened, open_traces, simulation_failure};
use super::progress::Progress;
use super::provenance::{Provenance, RunFile};
use super::terminal::Failure;
use super::workers::{self, PATIENCE};
use crate::record::Record;
use crate::result::{ResultFile, evaluate};
use crate::run::{TraceReport, run_virtual};
use crate::units::Duration;

/// A scenario that is to be run.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) file: String,
    pub(super) opened: Opened,
    /// The seeds of its runs; at least one.
    pub(super) seeds: Vec<u64>,
    /// The command that repeats the first run, where its reports are wanted.
    pub(super) report: Option<String>,
}

/// The runs of a scenario.
#[derive(Debug)]
pub(super) struct Played {
    /// In the order of the seeds, without their course.
    pub(super) records: Vec<Record>,
    /// What all of them replayed.
    pub(super) traces: Vec<TraceReport>,
    /// The result of the first, and how it was made, where its reports are wanted.
    pub(super) report: Option<(ResultFile, RunFile)>,
    /// How long all of them took, one after the other.
    pub(super) took: Duration,
}

/// One run.
struct Made {
    record: Record,
    traces: Vec<TraceReport>,
    report: Option<(ResultFile, RunFile)>,
    took: Duration,
}

/// Makes the runs of all tasks, at most so many at once. The answers stand in the order of the
/// tasks, however they were made.
pub(super) fn play(
    tasks: &Arc<Vec<Task>>,
    jobs: Option<NonZeroUsize>,
    interrupt: &Interrupt,
) -> Result<Vec<Result<Played, Failure>>, Failure> {
    let runs: Vec<(usize, usize)> = tasks
        .iter()
        .enumerate()
        .flat_map(|(task, planned)| (0..planned.seeds.len()).map(move |seed| (task, seed)))
        .collect();
    let mut made: Vec<Vec<Option<Result<Made, Failure>>>> =
        tasks.iter().map(|task| task.seeds.iter().map(|_| None).collect()).collect();
    let mut progress = Progress::of_runs(runs.len() as u64);
    let answers = {
        let (tasks, runs) = (Arc::clone(tasks), runs.clone());
        workers::start(runs.len(), jobs, move |run| make(&tasks[runs[run].0], runs[run].1))
    };
    let mut done = 0;
    loop {
        // The sender of each worker is gone when there is nothing left to do.
        match answers.recv_timeout(PATIENCE) {
            Ok((run, one)) => {
                done += 1;
                progress.show(done);
                let (task, seed) = runs[run];
                made[task][seed] = Some(one);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        interrupt.check().inspect_err(|_| progress.clear())?;
    }
    progress.clear();
    Ok(made.into_iter().map(together).collect())
}

fn make(task: &Task, place: usize) -> Result<Made, Failure> {
    let provenance = Provenance::begin();
    let Opened { loaded, files } = &task.opened;
    let (scenario, seed) = (&loaded.scenario, task.seeds[place]);
    let traces = open_traces(scenario)?;
    let rehearsal = run_virtual(scenario, seed, traces, &mut |_| {})
        .map_err(|error| simulation_failure(scenario, &task.file, error))?;
    let took = provenance.so_far();
    let repeat = task.report.as_ref().filter(|_| place == 0);
    let Some(repeat) = repeat else {
        let (record, traces) = (rehearsal.record.without_course(), rehearsal.traces);
        return Ok(Made { record, traces, report: None, took });
    };
    let result = evaluate(loaded, files.clone(), seed, rehearsal);
    let run = provenance.finish(&result, repeat.clone());
    let (record, traces) = (result.record.clone().without_course(), result.traces.clone());
    Ok(Made { record, traces, report: Some((result, run)), took })
}

/// The runs of one scenario, or what the first that failed says.
fn together(runs: Vec<Option<Result<Made, Failure>>>) -> Result<Played, Failure> {
    let mut played = Played {
        records: Vec::with_capacity(runs.len()),
        traces: Vec::new(),
        report: None,
        took: Duration::ZERO,
    };
    for made in runs {
        let Made { record, traces, report, took } = made.ok_or_else(|| {
            Failure::internal("error: a bug in coalmine ended a run without an answer")
        })??;
        if played.records.is_empty() {
            (played.traces, played.report) = (traces, report);
        }
        played.records.push(record);
        played.took += took;
    }
    Ok(played)
}
