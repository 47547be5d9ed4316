//! The runs of a sweep that looks for rare rollbacks: what they have in common is prepared once for
//! each combination, by whichever thread comes first.

use std::fmt::Display;
use std::sync::OnceLock;

use super::open::{open_traces, simulation_failure};
use super::terminal::{Failure, complain};
use crate::rare::{Approach, RareRun};
use crate::scenario::Scenario;
use crate::simulator::SimulationError;
use crate::study::{Cell, Row};
use crate::workload::TraceInput;

/// What the runs of each combination have in common.
pub(super) struct Rarities {
    /// The first seed: what is prepared follows from it.
    seed: u64,
    /// The scenario's file, as named.
    file: String,
    prepared: Vec<OnceLock<Result<Approach, Failure>>>,
}

/// Why a run cannot be made.
enum Trouble {
    Unopened(Failure),
    Broken(SimulationError),
}

impl From<SimulationError> for Trouble {
    fn from(error: SimulationError) -> Self {
        Self::Broken(error)
    }
}

impl Rarities {
    /// Of so many combinations, nothing of which is prepared yet.
    pub(super) fn new(cells: usize, seed: u64, file: &str) -> Self {
        let prepared = (0..cells).map(|_| OnceLock::new()).collect();
        Self { seed, file: file.to_owned(), prepared }
    }

    /// Makes the run of a seed for a combination (an index).
    pub(super) fn run(&self, cell: &Cell, place: usize, seed: u64) -> Result<Row, Failure> {
        let scenario = &cell.loaded.scenario;
        let prepare = || self.prepare(scenario, place);
        let approach = self.prepared[place].get_or_init(prepare).as_ref().map_err(Clone::clone)?;
        let open = || open(scenario);
        let run: RareRun = approach
            .run(scenario, seed, &open)
            .map_err(|trouble| self.failure(scenario, place, trouble))?;
        let place = u32::try_from(place).map_err(Failure::internal)?;
        Ok(Row::of_rare(place, seed, &run))
    }

    fn prepare(&self, scenario: &Scenario, place: usize) -> Result<Approach, Failure> {
        let open = || open(scenario);
        let approach = Approach::of(scenario, self.seed, &open)
            .map_err(|trouble| self.failure(scenario, place, trouble))?;
        let approach = approach.map_err(|unsuited| self.refused(place, &unsuited))?;
        if let Some(why) = approach.hindrance() {
            let combination = self.combination(place, "", ": ");
            complain(&format!("{combination}splitting, not weighted runs: {why}"));
        }
        Ok(approach)
    }

    /// Names a combination where there are several.
    fn combination(&self, place: usize, before: &str, after: &str) -> String {
        match self.prepared.len() {
            1 => String::new(),
            _ => format!("{before}combination {place}{after}"),
        }
    }

    fn refused(&self, place: usize, why: &dyn Display) -> Failure {
        Failure::usage(format!(
            "error: --rare: {}{}: there is no false rollback to look for: {why}\n  help: a version \
             is healthy without a fault: leave its faults out, as by --set \
             'phases.canary.faults={{}}'",
            self.file,
            self.combination(place, ", ", "")
        ))
    }

    fn failure(&self, scenario: &Scenario, place: usize, trouble: Trouble) -> Failure {
        match trouble {
            Trouble::Unopened(failure) => failure,
            Trouble::Broken(error) => {
                let Failure { exit, message } = simulation_failure(scenario, &self.file, error);
                Failure { exit, message: format!("{message}\n   in cell {place}") }
            }
        }
    }
}

fn open(scenario: &Scenario) -> Result<Vec<TraceInput>, Trouble> {
    open_traces(scenario).map_err(Trouble::Unopened)
}
