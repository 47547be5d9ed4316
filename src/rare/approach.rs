//! How a scenario's false rollbacks are looked for, and one run by which they are.

use super::OpenTraces;
use super::lookout::Lookout;
use super::survey::Survey;
use super::tilted::Tilted;
use super::tilting::Tilting;
use crate::chance::Chance;
use crate::run::{FIRST_RUN, source_of};
use crate::scenario::Scenario;
use crate::simulator::{SimulationError, simulate_steered};
use crate::units::Duration;

/// What all runs of a scenario have in common.
#[derive(Clone, Debug)]
pub struct Approach {
    tilting: Tilting,
}

/// Why a scenario's false rollbacks cannot be looked for.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{why}")]
pub struct Unsuited {
    /// What of it is not decided by single draws.
    pub why: String,
}

/// What one run comes to.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RareRun {
    /// Requests that were sent.
    pub requests: u64,
    /// When the first version that was never bad was rolled back, from the beginning of the run;
    /// `None`: none was.
    pub rolled_back_after: Option<Duration>,
    /// By which trigger, in the list of all triggers.
    pub trigger: Option<u16>,
    /// The logarithm of the run's weight.
    pub ln_weight: f64,
}

impl Approach {
    /// What is prepared for runs of a scenario: it follows from that and `seed`.
    ///
    /// # Errors
    /// A trace cannot be opened or is broken, or the plan asks for what the engine refuses. Within:
    /// the scenario is not suited.
    pub fn of<E: From<SimulationError>>(
        scenario: &Scenario,
        seed: u64,
        open: OpenTraces<'_, E>,
    ) -> Result<Result<Self, Unsuited>, E> {
        let survey = Survey::make(scenario, seed, open)?;
        Ok(match Tilting::of(scenario, &survey) {
            Ok(tilting) => Ok(Self { tilting }),
            Err(why) => Err(Unsuited { why }),
        })
    }

    /// The run of a seed. It ends with the first false rollback.
    ///
    /// # Errors
    /// Those of [`Approach::of`].
    pub fn run<E: From<SimulationError>>(
        &self,
        scenario: &Scenario,
        seed: u64,
        open: OpenTraces<'_, E>,
    ) -> Result<RareRun, E> {
        let chance = Chance::new(seed, FIRST_RUN);
        let source = source_of(scenario, open()?, chance)?;
        let mut lookout = Lookout::new(scenario);
        let mut tilted = Tilted::new(&self.tilting, seed, scenario.start);
        let end = simulate_steered(scenario, chance, source, &mut lookout, &mut tilted)?.end;
        Ok(RareRun {
            requests: lookout.requests(),
            rolled_back_after: lookout.hit().map(|at| at.since(scenario.start)),
            trigger: lookout.trigger(),
            ln_weight: tilted.ln_weight(lookout.hit().unwrap_or(end)),
        })
    }
}
