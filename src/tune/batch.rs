//! Runs that can be made at once, in whatever order, and their answers.

use std::sync::Arc;

use super::observation::{Observation, observe};
use super::played::Played;
use crate::engine::RuleSet;
use crate::exchange::{ModelIndex, VersionIndex};
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
    watching: Option<Watching>,
}

/// Whom runs watch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Watching {
    pub(super) canary: VersionIndex,
    /// How many triggers the rules of its model have.
    pub(super) triggers: usize,
}

/// One run: of which scenario (its place), under which seed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Run {
    /// What is normal is measured.
    Measure { scenario: usize, seed: u64 },
    /// Triggers that may not act are watched.
    Watch { scenario: usize, seed: u64 },
    /// The canary of this model under rules that act.
    Play { scenario: usize, seed: u64, canary: VersionIndex, model: ModelIndex },
}

/// What came of a run.
#[derive(Clone, Debug)]
pub enum Answer {
    /// Of one that measures what is normal.
    Measured(Box<Record>),
    /// Of one that watches triggers, with the place of its scenario.
    Watched(usize, Observation),
    /// Of one with rules that act, with the place of its scenario.
    Played(usize, Played),
}

impl Batch {
    pub(super) const fn new(
        scenarios: Vec<Arc<Scenario>>,
        runs: Vec<Run>,
        watching: Option<Watching>,
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
        match self.runs[run] {
            Run::Measure { seed, .. } => {
                run_summed(plan, seed, traces).map(|record| Answer::Measured(Box::new(record)))
            }
            Run::Watch { scenario, seed } => {
                let Watching { canary, triggers } = self.watching.expect("a batch that watches");
                let seen = observe(plan, (canary, triggers), seed, traces)?;
                Ok(Answer::Watched(scenario, seen))
            }
            Run::Play { scenario, seed, canary, model } => {
                let record = run_summed(plan, seed, traces)?;
                let rules: &RuleSet = &plan.models[usize::from(model.0)].rules;
                Ok(Answer::Played(scenario, Played::of(&record, canary, rules)))
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

    pub(super) fn into_observation(self) -> Option<(usize, Observation)> {
        match self {
            Self::Watched(scenario, seen) => Some((scenario, seen)),
            _ => None,
        }
    }
}
