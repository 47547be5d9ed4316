//! Runs that can be made at once, in whatever order, and their answers.

use std::sync::Arc;

use super::observation::{Observation, observe};
use super::played::Played;
use super::subject::Subject;
use crate::record::Record;
use crate::run::run_summed;
use crate::scenario::Scenario;
use crate::simulator::SimulationError;
use crate::workload::TraceInput;

/// Runs that can be made at once.
#[derive(Clone, Debug)]
pub struct Batch {
    scenarios: Vec<Arc<Scenario>>,
    runs: Vec<Run>,
    watching: Arc<Watching>,
}

/// Whom runs watch.
#[derive(Clone, Debug)]
pub(super) struct Watching {
    pub(super) subject: Subject,
    /// How many triggers the rules of its model have, where they may not act.
    pub(super) triggers: usize,
}

/// One run: of which scenario (its place), under which seed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Run {
    /// What is normal is measured.
    Measure { scenario: usize, seed: u64 },
    /// Triggers that may not act are watched.
    Watch { scenario: usize, seed: u64 },
    /// Nothing is wrong: only what fires all the same is told.
    Guard { scenario: usize, seed: u64 },
    /// Rules are in force.
    Play { scenario: usize, seed: u64 },
}

/// What came of a run.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Of one that measures what is normal.
    Measured(Box<Record>),
    /// Of one that watches triggers, with the place of its scenario.
    Watched(usize, Observation),
    /// Of one in which nothing is wrong, the triggers that fired.
    Fired(Vec<usize>),
    /// Of one with rules that act, with the place of its scenario.
    Played(usize, Played),
}

impl Batch {
    pub(super) const fn new(
        scenarios: Vec<Arc<Scenario>>,
        runs: Vec<Run>,
        watching: Arc<Watching>,
    ) -> Self {
        Self { scenarios, runs, watching }
    }

    /// How many runs.
    pub const fn runs(&self) -> usize {
        self.runs.len()
    }

    /// The scenario of a run (its place).
    ///
    /// # Panics
    /// There is no such run.
    pub fn scenario(&self, run: usize) -> &Scenario {
        let (Run::Measure { scenario, .. }
        | Run::Watch { scenario, .. }
        | Run::Guard { scenario, .. }
        | Run::Play { scenario, .. }) = self.runs[run];
        &self.scenarios[scenario]
    }

    /// Makes a run (its place), which replays `traces`.
    ///
    /// # Errors
    /// A trace is broken, or the plan asks for what the engine refuses.
    ///
    /// # Panics
    /// There is no such run, or there are not as many traces as its scenario replays.
    pub fn make(&self, run: usize, traces: Vec<TraceInput>) -> Result<Answer, SimulationError> {
        let plan = self.scenario(run);
        let Watching { subject, triggers } = &*self.watching;
        match self.runs[run] {
            Run::Measure { seed, .. } => {
                run_summed(plan, seed, traces).map(|record| Answer::Measured(Box::new(record)))
            }
            Run::Watch { scenario, seed } => {
                let seen = observe(plan, (subject.canary(), *triggers), seed, traces)?;
                Ok(Answer::Watched(scenario, seen))
            }
            Run::Guard { seed, .. } => {
                let seen = observe(plan, (subject.canary(), *triggers), seed, traces)?;
                let fired = (0..*triggers).filter(|trigger| seen.firings[*trigger].is_some());
                Ok(Answer::Fired(fired.collect()))
            }
            Run::Play { scenario, seed } => {
                let record = run_summed(plan, seed, traces)?;
                let rules = &plan.models[usize::from(subject.model().0)].rules;
                Ok(Answer::Played(scenario, Played::of(&record, subject, rules)))
            }
        }
    }
}

impl Answer {
    pub(super) fn into_record(self) -> Option<Record> {
        match self {
            Self::Measured(record) => Some(*record),
            _ => None,
        }
    }
}
