//! The runs of a search for rules on all processors.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::mpsc::RecvTimeoutError;

use super::exit::Exit;
use super::interrupt::Interrupt;
use super::open::{open_traces, simulation_failure};
use super::progress::Progress;
use super::terminal::Failure;
use super::workers::{self, PATIENCE};
use crate::scenario::Scenario;
use crate::tune::{Answer, Batch, Tuned, Tuning};
use crate::units::format_count;

/// How the runs of a search are made.
pub(super) struct Playing<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) file: &'a str,
    pub(super) jobs: Option<NonZeroUsize>,
    pub(super) interrupt: &'a Interrupt,
}

impl Playing<'_> {
    /// Makes all runs of a search.
    pub(super) fn play(&self, mut tuning: Tuning) -> Result<Tuned, Failure> {
        let bug = |error: &dyn std::fmt::Display| {
            Failure::internal(format!("error: a bug in coalmine: {error}"))
        };
        let mut made = 0;
        while let Some(batch) = tuning.batch().map_err(|error| bug(&error))? {
            let mut progress = Progress::of_runs(made + tuning.runs_left());
            let runs = batch.runs() as u64;
            let answers = self.make(batch, made, &mut progress);
            progress.clear();
            tuning.enter(answers?).map_err(|error| bug(&error))?;
            made += runs;
        }
        tuning.found().ok_or_else(|| bug(&"a search ended without an answer"))
    }

    /// The answers of a batch, in the order of its runs.
    fn make(
        &self,
        batch: Batch,
        before: u64,
        progress: &mut Progress,
    ) -> Result<Vec<Answer>, Failure> {
        let (pieces, batch) = (batch.runs(), Arc::new(batch));
        let file = self.file.to_owned();
        let coming = workers::start(pieces, self.jobs, move |piece| {
            let scenario = batch.scenario(piece);
            let traces = open_traces(scenario)?;
            let failed = |error| simulation_failure(scenario, &file, error);
            batch.make(piece, traces).map_err(failed)
        });
        let mut answers: Vec<Option<Answer>> = (0..pieces).map(|_| None).collect();
        let mut made = 0;
        loop {
            match coming.recv_timeout(PATIENCE) {
                Ok((piece, answer)) => {
                    answers[piece] = Some(answer?);
                    made += 1;
                    progress.show(before + made);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.interrupt.is_asked() {
                let done = format_count(before + made);
                let name = &self.scenario.name;
                let message = format!(
                    "interrupted after {done} runs of the search for {name}: nothing was written"
                );
                return Err(Failure { exit: Exit::Interrupted, message });
            }
        }
        let all: Option<Vec<Answer>> = answers.into_iter().collect();
        all.ok_or_else(|| {
            Failure::internal("error: a bug in coalmine ended a run without an answer")
        })
    }
}
