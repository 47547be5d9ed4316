//! How a scenario's false rollbacks are looked for, and one run by which they are.

use serde::{Deserialize, Serialize};

use super::OpenTraces;
use super::counted::rolls_back;
use super::lookout::Lookout;
use super::particle::Blocks;
use super::splitting::{Ladder, Replicate};
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
pub struct Approach(Method);

#[derive(Clone, Debug)]
enum Method {
    Weighted(Tilting),
    Splitting { ladder: Ladder, why: Option<String> },
}

/// Why a scenario's false rollbacks cannot be looked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unsuited {
    /// Nothing could roll a healthy version back.
    #[error("no trigger that rolls back ever checks a version that is not bad")]
    NoCheck,
}

/// What one run comes to.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RareRun {
    /// Requests that were sent; of a replicate in all its runs.
    pub requests: u64,
    /// When the first version that was never bad was rolled back, from the beginning of a weighted
    /// run; `None`: none was.
    pub rolled_back_after: Option<Duration>,
    /// By which trigger, in the list of all triggers.
    pub trigger: Option<u16>,
    /// What it tells of the probability.
    pub figure: RareFigure,
}

/// What a run tells of the probability of a false rollback.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum RareFigure {
    /// It is one of many that are weighted: the probability is the mean of the weights of those
    /// with a false rollback.
    Weighted {
        /// The logarithm of its weight.
        ln_weight: f64,
    },
    /// It is a replicate of multilevel splitting: the probability is their mean.
    Split {
        /// The logarithm of what it estimates; absent where that is 0.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ln_probability: Option<f64>,
    },
}

impl Approach {
    /// What is prepared for runs of a scenario: it follows from that and `seed`. Runs are weighted
    /// where every trigger that rolls back counts draws one by one, and split where one does not.
    ///
    /// # Errors
    /// A trace cannot be opened or is broken, or the plan asks for what the engine refuses. Within:
    /// there is nothing to look for.
    pub fn of<E: From<SimulationError>>(
        scenario: &Scenario,
        seed: u64,
        open: OpenTraces<'_, E>,
    ) -> Result<Result<Self, Unsuited>, E> {
        let Some((survey, blocks)) = surveyed(scenario, seed, open)? else {
            return Ok(Err(Unsuited::NoCheck));
        };
        let method = match Tilting::of(scenario, &survey) {
            Ok(tilting) => Method::Weighted(tilting),
            Err(why) => {
                let ladder = Ladder::find(scenario, blocks, seed, open)?;
                Method::Splitting { ladder, why: Some(why) }
            }
        };
        Ok(Ok(Self(method)))
    }

    /// The same by splitting, whatever the triggers count.
    ///
    /// # Errors
    /// Those of [`Approach::of`].
    pub fn by_splitting<E: From<SimulationError>>(
        scenario: &Scenario,
        seed: u64,
        open: OpenTraces<'_, E>,
    ) -> Result<Result<Self, Unsuited>, E> {
        let Some((_, blocks)) = surveyed(scenario, seed, open)? else {
            return Ok(Err(Unsuited::NoCheck));
        };
        let ladder = Ladder::find(scenario, blocks, seed, open)?;
        Ok(Ok(Self(Method::Splitting { ladder, why: None })))
    }

    /// What stands in the way of weighted runs, in words such as `errors: it compares with the
    /// stable`; `None` where runs are weighted, or splitting was asked for.
    pub fn hindrance(&self) -> Option<&str> {
        match &self.0 {
            Method::Weighted(_) => None,
            Method::Splitting { why, .. } => why.as_deref(),
        }
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
        match &self.0 {
            Method::Weighted(tilting) => weighted(tilting, scenario, seed, open),
            Method::Splitting { ladder, .. } => {
                let Replicate { ln_probability, requests } =
                    ladder.replicate(scenario, seed, open)?;
                let figure = RareFigure::Split { ln_probability };
                Ok(RareRun { requests, rolled_back_after: None, trigger: None, figure })
            }
        }
    }
}

/// What a few runs show; `None` where no trigger that rolls back ever checks.
fn surveyed<E: From<SimulationError>>(
    scenario: &Scenario,
    seed: u64,
    open: OpenTraces<'_, E>,
) -> Result<Option<(Survey, Blocks)>, E> {
    let survey = Survey::make(scenario, seed, open)?;
    let blocks = blocks(scenario, &survey);
    Ok(blocks.map(|blocks| (survey, blocks)))
}

fn weighted<E: From<SimulationError>>(
    tilting: &Tilting,
    scenario: &Scenario,
    seed: u64,
    open: OpenTraces<'_, E>,
) -> Result<RareRun, E> {
    let chance = Chance::new(seed, FIRST_RUN);
    let source = source_of(scenario, open()?, chance)?;
    let mut lookout = Lookout::new(scenario);
    let mut tilted = Tilted::new(tilting, seed, scenario.start);
    let end = simulate_steered(scenario, chance, source, &mut lookout, &mut tilted)?.end;
    let ln_weight = tilted.ln_weight(lookout.hit().unwrap_or(end));
    Ok(RareRun {
        requests: lookout.requests(),
        rolled_back_after: lookout.hit().map(|at| at.since(scenario.start)),
        trigger: lookout.trigger(),
        figure: RareFigure::Weighted { ln_weight },
    })
}

/// Blocks of a twentieth of a check interval, up to the last check; `None` where there is none of a
/// trigger that rolls back.
fn blocks(scenario: &Scenario, survey: &Survey) -> Option<Blocks> {
    let checks = survey.checks.iter().filter_map(|check| {
        let rules = &scenario.models[usize::from(check.model.0)].rules;
        // Of rules that a command sets nothing more is known here.
        let trigger = rules.triggers.get(check.trigger);
        let rolls_back = trigger.is_none_or(rolls_back);
        let interval = trigger.map_or(LONGEST_BLOCK, |trigger| trigger.check_interval);
        rolls_back.then_some((check.at, interval))
    });
    let (last, interval) = checks.reduce(|one, other| (one.0.max(other.0), one.1.min(other.1)))?;
    let length = Duration::from_nanos(interval.as_nanos() / 20);
    let length = length.clamp(SHORTEST_BLOCK, LONGEST_BLOCK);
    let count = last.since(scenario.start).as_nanos() / length.as_nanos() + 1;
    Some(Blocks { length, count: usize::try_from(count).unwrap_or(MOST_BLOCKS).min(MOST_BLOCKS) })
}

/// Chosen: in shorter blocks hardly anything begins.
const SHORTEST_BLOCK: Duration = Duration::from_millis(50);
/// Chosen: what brings a run near to a rollback is a handful of hits, and they must not lie in the
/// same block: then no move could keep them and draw the rest anew. With blocks of 10 s and windows
/// of 20 s one climb in six came to the top, where all do with these.
const LONGEST_BLOCK: Duration = Duration::from_secs(1);
/// Chosen: what begins after so many blocks is all of the last one.
const MOST_BLOCKS: usize = 100_000;
