//! The runs of a sweep on all processors, and what is kept of them where the command is
//! interrupted.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};

use super::disk::write_whole;
use super::interrupt::Interrupt;
use super::open::{open_traces, simulation_failure};
use super::progress::Progress;
use super::provenance::Provenance;
use super::sweep_rare::Rarities;
use super::terminal::Failure;
use super::workers::{self, PATIENCE};
use crate::result::evaluate;
use crate::run::{Rehearsal, run_summed, run_virtual};
use crate::study::{Cell, Ledger, Plan, Row, RowsFile, RunKey, Shard};
use crate::units::Duration;

/// How the runs of a sweep are made.
pub(super) struct Playing<'a> {
    pub(super) plan: &'a Plan,
    pub(super) shard: Shard,
    pub(super) cells: Arc<Vec<Cell>>,
    pub(super) jobs: Option<NonZeroUsize>,
    pub(super) interrupt: &'a Interrupt,
    /// Where the result of each run is kept.
    pub(super) keep: Option<PathBuf>,
    /// Where the rows are kept now and then, so that another command can go on from there.
    pub(super) partial: Option<PathBuf>,
}

/// Whether all runs were made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Played {
    All,
    Interrupted,
}

impl Playing<'_> {
    /// Makes the runs that are missing, and enters their rows. What is entered when it is
    /// interrupted, or a run fails, is kept.
    pub(super) fn play(&self, ledger: &mut Ledger) -> Result<Played, Failure> {
        let mut kept_at = Provenance::begin();
        loop {
            let runs = ledger.next_runs();
            if runs.is_empty() {
                return Ok(Played::All);
            }
            let mut progress = Progress::of_runs(ledger.most());
            let played = self.play_round(ledger, runs, &mut progress, &mut kept_at);
            progress.clear();
            if !matches!(played, Ok(Played::All)) {
                self.keep_rows(ledger)?;
                return played;
            }
        }
    }

    fn play_round(
        &self,
        ledger: &mut Ledger,
        runs: Vec<RunKey>,
        progress: &mut Progress,
        kept_at: &mut Provenance,
    ) -> Result<Played, Failure> {
        let mut done = ledger.entered();
        progress.show(done);
        let (pieces, answers) = (runs.len(), self.start(runs));
        let mut made = 0;
        loop {
            // The sender of each worker is gone when there is nothing left to do.
            match answers.recv_timeout(PATIENCE) {
                Ok((_, row)) => {
                    let strange = |error| Failure::internal(format!("error: a bug: {error}"));
                    ledger.enter(row?).map_err(strange)?;
                    (done, made) = (done + 1, made + 1);
                    progress.show(done);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) if made == pieces => return Ok(Played::All),
                Err(RecvTimeoutError::Disconnected) => {
                    let message = "error: a bug in coalmine ended a run without an answer";
                    return Err(Failure::internal(message));
                }
            }
            if self.interrupt.is_asked() {
                return Ok(Played::Interrupted);
            }
            if kept_at.so_far() > KEPT_EVERY {
                self.keep_rows(ledger)?;
                *kept_at = Provenance::begin();
            }
        }
    }

    fn start(&self, runs: Vec<RunKey>) -> Receiver<(usize, Result<Row, Failure>)> {
        let cells = Arc::clone(&self.cells);
        let (seeds, keep) = (self.plan.seeds, self.keep.clone());
        let file = self.plan.scenario.clone();
        let rare = self.plan.rare.then(|| Rarities::new(cells.len(), seeds.first, &file));
        workers::start(runs.len(), self.jobs, move |piece| {
            let RunKey { cell, index } = runs[piece];
            if let Some(rare) = &rare {
                return rare.run(&cells[cell], cell, seeds.at(index));
            }
            let run = Run { cell: &cells[cell], place: cell, seed: seeds.at(index), file: &file };
            run.make(keep.as_deref())
        })
    }

    fn keep_rows(&self, ledger: &Ledger) -> Result<(), Failure> {
        let Some(path) = &self.partial else { return Ok(()) };
        let bytes = RowsFile::to_bytes(&self.plan.hash, self.shard, ledger.rows());
        write_whole(path, &bytes).map_err(|error| Failure::unwritten(path, &error))
    }
}

/// One run.
struct Run<'a> {
    cell: &'a Cell,
    place: usize,
    seed: u64,
    file: &'a str,
}

impl Run<'_> {
    /// Makes it; its result goes into `keep`, where that is said.
    fn make(&self, keep: Option<&Path>) -> Result<Row, Failure> {
        let Self { cell, place, seed, file } = self;
        let scenario = &cell.loaded.scenario;
        let traces = open_traces(scenario)?;
        let failed = |error| {
            let Failure { exit, message } = simulation_failure(scenario, file, error);
            Failure { exit, message: format!("{message}\n   in cell {place}, seed {seed}") }
        };
        let index = u32::try_from(*place).map_err(Failure::internal)?;
        let Some(folder) = keep else {
            let record = run_summed(scenario, *seed, traces).map_err(failed)?;
            return Ok(Row::of(index, cell, &record));
        };
        let rehearsal = run_virtual(scenario, *seed, traces, &mut |_| {}).map_err(failed)?;
        let row = Row::of(index, cell, &rehearsal.record);
        self.keep(folder, rehearsal)?;
        Ok(row)
    }

    fn keep(&self, folder: &Path, rehearsal: Rehearsal) -> Result<(), Failure> {
        let Self { cell, place, seed, .. } = self;
        let result = evaluate(&cell.loaded, cell.files.clone(), *seed, rehearsal);
        let path = folder.join(format!("cell-{place}-seed-{seed}.json"));
        write_whole(&path, result.to_json().as_bytes())
            .map_err(|error| Failure::unwritten(&path, &error))
    }
}

/// Chosen: what a power failure takes is made again in that time, and a file of a million rows is
/// written in less than a second.
const KEPT_EVERY: Duration = Duration::from_secs(30);
