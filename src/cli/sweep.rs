//! `coalmine sweep`: a scenario under many values and seeds.

use std::path::Path;
use std::sync::Arc;

use super::exit::Exit;
use super::interrupt::Interrupt;
use super::output::check_folder;
use super::sweep_arguments::{SweepArguments, SweepParts, TermsArguments};
use super::sweep_cells::Planned;
use super::sweep_outputs::{check_telling, tell};
use super::sweep_playing::{Played, Playing};
use super::sweep_shards;
use super::terminal::{Failure, complain};
use crate::study::{Ledger, Plan, RowsFile, Shard, SweepReport};
use crate::units::format_count;

pub(super) fn sweep(arguments: &SweepArguments) -> Result<Exit, Failure> {
    match (&arguments.part, &arguments.terms) {
        (Some(SweepParts::Plan(arguments)), _) => sweep_shards::plan(arguments),
        (Some(SweepParts::Run(arguments)), _) => sweep_shards::run(arguments),
        (Some(SweepParts::Merge(arguments)), _) => sweep_shards::merge(arguments),
        (None, Some(terms)) => whole(terms, arguments),
        (None, None) => Err(Failure::usage("error: sweep what? Name a scenario file")),
    }
}

fn whole(terms: &TermsArguments, arguments: &SweepArguments) -> Result<Exit, Failure> {
    check_telling(&arguments.telling)?;
    let interrupt = Interrupt::notice()?;
    let out = arguments.telling.out.as_deref();
    if let Some(out) = out {
        check_folder(out, "--out")?;
    }
    let Planned { plan, cells } = Planned::of(terms, &arguments.reading)?;
    let partial = out.map(|out| out.join(PARTIAL));
    let mut ledger = begin(&plan, partial.as_deref())?;
    let cells = Arc::new(cells);
    let playing = Playing {
        plan: &plan,
        shard: Shard::WHOLE,
        cells: Arc::clone(&cells),
        jobs: arguments.jobs,
        interrupt: &interrupt,
        keep: out.filter(|_| arguments.keep).map(|out| out.join("runs")),
        partial: partial.clone(),
    };
    if playing.play(&mut ledger)? == Played::Interrupted {
        return Err(interrupted(&ledger, partial.as_deref()));
    }
    let report = SweepReport::of(&plan, &cells, &ledger);
    let exit = tell(&report, &cells, &ledger, &arguments.telling)?;
    if let Some(partial) = partial.filter(|partial| partial.exists()) {
        std::fs::remove_file(&partial).map_err(|error| Failure::unwritten(&partial, &error))?;
    }
    Ok(exit)
}

/// The rows that an interrupted command of the same plan has left behind, or none.
fn begin(plan: &Plan, partial: Option<&Path>) -> Result<Ledger, Failure> {
    let mut ledger = Ledger::new(plan.extent(), Shard::WHOLE);
    let Some(path) = partial.filter(|path| path.exists()) else { return Ok(ledger) };
    let shown = path.display();
    let bytes = std::fs::read(path)
        .map_err(|error| Failure::input(format!("error: cannot read {shown}: {error}")))?;
    let remedy = "remove it to begin anew, or name another folder with --out";
    let file = RowsFile::from_bytes(&bytes)
        .map_err(|error| Failure::input(format!("error: {shown}: {error}\n  help: {remedy}")))?;
    if file.plan != plan.hash {
        return Err(Failure::usage(format!(
            "error: {shown} holds the runs of another sweep, which was interrupted: its scenario, \
             values, seeds, gate lines or version of coalmine are others\n  help: {remedy}"
        )));
    }
    let count = file.rows.len() as u64;
    for row in file.rows {
        ledger.enter(row).map_err(|error| {
            Failure::input(format!("error: {shown}: {error}\n  help: {remedy}"))
        })?;
    }
    complain(&format!("going on from {} runs in {shown}", format_count(count)));
    Ok(ledger)
}

fn interrupted(ledger: &Ledger, partial: Option<&Path>) -> Failure {
    let (done, most) = (format_count(ledger.entered()), format_count(ledger.most()));
    let kept = match partial {
        Some(path) => {
            let shown = path.display();
            format!("kept in {shown}: the same command goes on from there")
        }
        None => "nothing was written: with --out DIR they would have been kept".to_owned(),
    };
    let message = format!("interrupted: {done} of {most} runs were made; {kept}");
    Failure { exit: Exit::Interrupted, message }
}

/// What an interrupted sweep leaves in its folder.
const PARTIAL: &str = "sweep.partial";
