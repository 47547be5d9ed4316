//! What a few runs show of a scenario before any is steered: which checks are made, and how many
//! requests come when.

use std::collections::{BTreeMap, BTreeSet};

use super::OpenTraces;
use super::lookout::Lookout;
use crate::chance::{Chance, Draws, Purpose};
use crate::engine::{Slot, Split};
use crate::exchange::{ModelIndex, Request, VersionIndex};
use crate::run::source_of;
use crate::scenario::Scenario;
use crate::simulator::{Checked, SimulationError, Steering, simulate_steered};
use crate::units::{Draw, Duration, Timestamp};
use crate::upstream::Aim;

/// A check that a trigger makes of a version while nothing is wrong with it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Check {
    pub(super) model: ModelIndex,
    /// The trigger's place in the rule set.
    pub(super) trigger: usize,
    pub(super) version: VersionIndex,
    pub(super) at: Timestamp,
}

/// What the runs showed.
#[derive(Clone, Debug, Default)]
pub(super) struct Survey {
    runs: u64,
    /// In their order.
    pub(super) checks: BTreeSet<Check>,
    seen: Seen,
    /// By model, a request that it had.
    samples: BTreeMap<ModelIndex, Request>,
}

/// By version and second of engine time.
type BySecond<T> = BTreeMap<(VersionIndex, i64), T>;

#[derive(Clone, Debug, Default)]
struct Seen {
    /// How many requests without a pin were sent to it.
    asked: BySecond<u64>,
    /// Its weight, as a request was assigned.
    weights: BySecond<f64>,
}

/// Sees what happens in one run and leads nothing elsewhere.
struct Surveyor<'a> {
    scenario: &'a Scenario,
    checks: Vec<Check>,
    seen: Seen,
}

impl Survey {
    /// Of a few runs under draws that follow from `seed` and that no other run has.
    pub(super) fn make<E: From<SimulationError>>(
        scenario: &Scenario,
        seed: u64,
        open: OpenTraces<'_, E>,
    ) -> Result<Self, E> {
        let mut survey = Self::default();
        for run in FIRST_SURVEY..FIRST_SURVEY + RUNS {
            let chance = Chance::new(seed, run);
            let source = source_of(scenario, open()?, chance)?;
            let mut lookout = Lookout::new(scenario);
            let mut surveyor = Surveyor { scenario, checks: Vec::new(), seen: survey.seen.clone() };
            simulate_steered(scenario, chance, source, &mut lookout, &mut surveyor)?;
            survey.runs += 1;
            survey.seen = surveyor.seen;
            let is_healthy = |check: &Check| {
                lookout.first_onset(check.version).is_none_or(|onset| check.at <= onset)
            };
            survey.checks.extend(surveyor.checks.into_iter().filter(is_healthy));
            for model in (0..scenario.models.len() as u16).map(ModelIndex) {
                survey.samples.extend(lookout.sample(model).map(|request| (model, request)));
            }
        }
        Ok(survey)
    }

    /// A request that a model had; `None` where it had none.
    pub(super) fn sample(&self, model: ModelIndex) -> Option<&Request> {
        self.samples.get(&model)
    }

    /// How many requests without a pin a version gets in a stretch of time, on average. Parts of
    /// seconds count with their share.
    pub(super) fn requests(&self, version: VersionIndex, from: Timestamp, until: Timestamp) -> f64 {
        if until <= from {
            return 0.0;
        }
        let seconds = (version, from.second())..=(version, until.second());
        let counted = self.seen.asked.range(seconds).map(|((_, second), count)| {
            let start = Timestamp::from_second(*second);
            let end = start + Duration::from_secs(1);
            let part = until.min(end).since(from.max(start)).as_secs_f64();
            part * *count as f64
        });
        counted.sum::<f64>() / self.runs as f64
    }

    /// The weight of a version when it was last assigned something before `at`.
    pub(super) fn weight(&self, version: VersionIndex, at: Timestamp) -> Option<f64> {
        let before = (version, i64::MIN)..=(version, at.second());
        self.seen.weights.range(before).next_back().map(|(_, weight)| *weight)
    }
}

impl Steering for Surveyor<'_> {
    fn splits(&mut self, at: Timestamp, model: ModelIndex, split: &Split, draws: Draws) -> Draw {
        let first = self.scenario.first_version(model).0;
        for (slot, weight) in (0..).zip(split.weights()) {
            let place = (VersionIndex(first + slot), at.second());
            self.seen.weights.insert(place, weight.get());
        }
        draws.draw(Purpose::Split, 0)
    }

    fn aims(&mut self, at: Timestamp, version: VersionIndex, _: Draws) -> Option<Aim> {
        *self.seen.asked.entry((version, at.second())).or_default() += 1;
        None
    }

    fn checked(&mut self, seen: &mut Checked<'_>) {
        let (at, scenario) = (seen.at, seen.scenario);
        for model in (0..scenario.models.len() as u16).map(ModelIndex) {
            let first = scenario.first_version(model).0;
            let check = |trigger, Slot(slot)| {
                let version = VersionIndex(first + slot);
                Check { model, trigger, version, at }
            };
            let looks = seen.engine.looks(model, at).into_iter();
            self.checks.extend(looks.map(|look| check(look.trigger, look.version)));
        }
    }
}

/// Chosen: a mean over eight runs is near enough for what is planned by it.
const RUNS: u64 = 8;
/// Numbers of runs that no study reaches: the first bytes of SHA-256 of "survey".
const FIRST_SURVEY: u64 = 0x811f_2a14_b985_0c9d;
