//! `coalmine sweep plan`, `run` and `merge`: a sweep on several machines.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::disk::write_whole;
use super::exit::Exit;
use super::interrupt::Interrupt;
use super::output::check_folder;
use super::sweep_arguments::{MergeArguments, PlanArguments, ShardArguments, WhichShard};
use super::sweep_cells::Planned;
use super::sweep_outputs::{check_telling, tell};
use super::sweep_playing::{Played, Playing};
use super::terminal::{Failure, complain};
use crate::study::{self, Ledger, MergeError, Plan, RowsFile, Shard, SweepReport};
use crate::units::{format_count, format_counted};

/// Writes a plan.
pub(super) fn plan(arguments: &PlanArguments) -> Result<Exit, Failure> {
    let PlanArguments { terms, reading, shards, output } = arguments;
    let Planned { plan, .. } = Planned::of(terms, reading)?;
    let plan = plan.divided(*shards).map_err(|error| Failure::usage(format!("error: {error}")))?;
    write(output, plan.to_json().as_bytes())?;
    let cells = plan.cells.len() as u64;
    complain(&format!(
        "{}: {} of {}, {} in all at most, in {}; hash {}",
        output.display(),
        format_counted(cells, "combination", "combinations"),
        format_counted(plan.seeds.count, "seed", "seeds"),
        format_counted(cells * plan.seeds.count, "run", "runs"),
        format_counted(plan.shards, "shard", "shards"),
        &plan.hash[..12]
    ));
    Ok(Exit::Pass)
}

/// Makes the runs of a shard.
pub(super) fn run(arguments: &ShardArguments) -> Result<Exit, Failure> {
    let interrupt = Interrupt::notice()?;
    let planned = Planned::read(&arguments.plan, arguments.allow_outside)?;
    let shard = which(arguments.shard, &planned.plan)?;
    let output = &arguments.output;
    if is_made(output, &planned.plan, shard)? {
        complain(&format!("{}: shard {shard} is there already", output.display()));
        return Ok(Exit::Pass);
    }
    planned.check_traces()?;
    let Planned { plan, cells } = planned;
    let mut ledger = Ledger::new(plan.extent(), shard);
    let playing = Playing {
        plan: &plan,
        shard,
        cells: Arc::new(cells),
        jobs: arguments.jobs,
        interrupt: &interrupt,
        keep: None,
        partial: None,
    };
    if playing.play(&mut ledger)? == Played::Interrupted {
        interrupt.check_writing()?;
    }
    write(output, &RowsFile::to_bytes(&plan.hash, shard, ledger.rows()))?;
    let runs = format_counted(ledger.entered(), "run", "runs");
    complain(&format!("{}: shard {shard}, {runs}", output.display()));
    Ok(Exit::Pass)
}

/// Puts shards together.
pub(super) fn merge(arguments: &MergeArguments) -> Result<Exit, Failure> {
    check_telling(&arguments.telling)?;
    if let Some(out) = &arguments.telling.out {
        check_folder(out, "--out")?;
    }
    let Planned { plan, cells } = Planned::read(&arguments.plan, arguments.allow_outside)?;
    let read = |path: &PathBuf| {
        let name = path.display().to_string();
        match std::fs::read(path) {
            Ok(bytes) => Ok((name, bytes)),
            Err(error) => Err(format!("error: cannot read shard {name}: {error}")),
        }
    };
    let (files, unread): (Vec<_>, Vec<_>) =
        arguments.shards.iter().map(read).partition(Result::is_ok);
    let unread: Vec<String> = unread.into_iter().filter_map(Result::err).collect();
    if !unread.is_empty() {
        return Err(Failure::input(unread.join("\n")));
    }
    let files: Vec<(String, Vec<u8>)> = files.into_iter().flatten().collect();
    let ledger = study::merge(&plan, &files).map_err(|problems| refused(&problems))?;
    let report = SweepReport::of(&plan, &cells, &ledger);
    tell(&report, &cells, &ledger, &arguments.telling)
}

fn refused(problems: &[MergeError]) -> Failure {
    let told = problems.iter().map(|problem| format!("error: {problem}"));
    Failure::input(told.collect::<Vec<_>>().join("\n"))
}

/// The shard that is meant: the one that is said, or the number that a cluster gives its tasks.
fn which(said: WhichShard, plan: &Plan) -> Result<Shard, Failure> {
    let shard = match said {
        WhichShard::Said(shard) => shard,
        WhichShard::Environment => from_environment(plan)?,
    };
    match plan.has(shard) {
        true => Ok(shard),
        false => Err(Failure::usage(format!(
            "error: --shard {shard}: the plan has {} shards, from 0/{0} to {1}/{0}",
            plan.shards,
            plan.shards - 1
        ))),
    }
}

fn from_environment(plan: &Plan) -> Result<Shard, Failure> {
    let set = VARIABLES.into_iter().find_map(|name| {
        let value = std::env::var_os(name)?.into_string().ok()?;
        (!value.is_empty()).then_some((name, value))
    });
    let Some((name, value)) = set else {
        return match plan.shards {
            1 => Ok(Shard::WHOLE),
            _ => Err(Failure::usage(format!(
                "error: which of {} shards? Write --shard INDEX/COUNT, or set {}",
                format_count(plan.shards),
                VARIABLES.join(" or ")
            ))),
        };
    };
    let index = value.trim().parse().ok().filter(|index| *index < plan.shards);
    index.map(|index| Shard { index, of: plan.shards }).ok_or_else(|| {
        Failure::usage(format!(
            "error: {name} is {value:?}: the plan's shards are counted from 0 to {}",
            plan.shards - 1
        ))
    })
}

/// Whether a file holds all of a shard already; one of another sweep, or that is something else,
/// is not written over.
fn is_made(output: &Path, plan: &Plan, shard: Shard) -> Result<bool, Failure> {
    // What is no file, such as a pipe, might never end; an empty one holds nothing.
    let bytes = output.is_file().then(|| std::fs::read(output).ok()).flatten();
    let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) else { return Ok(false) };
    let taken = |what: &str| {
        let shown = output.display();
        Err(Failure::usage(format!("error: {shown} {what}: name another file, or remove it")))
    };
    match RowsFile::from_bytes(&bytes) {
        Ok(file) if file.plan == plan.hash && file.shard == shard => Ok(true),
        Ok(file) if file.plan == plan.hash => taken(&format!("holds shard {}", file.shard)),
        Ok(_) => taken("holds a shard of another sweep"),
        Err(study::RowsError::Torn { .. }) => Ok(false),
        Err(_) => taken("is there already, and is no shard"),
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    write_whole(path, bytes).map_err(|error| Failure::unwritten(path, &error))
}

/// Set by Kubernetes for the pods of an indexed job, and by Slurm for the tasks of an array.
const VARIABLES: [&str; 2] = ["JOB_COMPLETION_INDEX", "SLURM_ARRAY_TASK_ID"];
