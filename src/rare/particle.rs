//! A run as a function of keys, one for each block of time: what begins in a block draws by its
//! key, so that a part of a run can be drawn anew while the rest stays as it is.

use std::collections::BTreeMap;

use super::OpenTraces;
use super::counted::rolls_back;
use super::lookout::Lookout;
use crate::chance::{Chance, Draws, Purpose};
use crate::engine::{Look, Split};
use crate::exchange::{ModelIndex, VersionIndex};
use crate::run::{FIRST_RUN, source_of};
use crate::scenario::Scenario;
use crate::simulator::{Checked, SimulationError, Steering, simulate_steered};
use crate::units::{Draw, Duration, RequestId, Timestamp};

/// The keys of a run and how near to a false rollback it came.
#[derive(Clone, Debug)]
pub(super) struct Particle {
    keys: Keys,
    /// Below 1: the nearest that a check came to a rollback; [`HIT`]: there was one.
    pub(super) score: f64,
    pub(super) requests: u64,
}

/// What a run's draws follow from.
#[derive(Clone, Debug)]
struct Keys {
    /// Of what belongs to no attempt: arrivals, users, bursts.
    base: u64,
    /// Of the attempts that begin in each block.
    blocks: Vec<u64>,
}

/// How the time of a run is divided.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blocks {
    pub(super) length: Duration,
    pub(super) count: usize,
}

/// Uniform draws in their order, for what is no draw of a run.
pub(super) struct Stream {
    chance: Chance,
    next: u64,
}

/// Steers a run by the keys of a particle, and sees how near it comes.
struct Climber<'a> {
    keys: &'a Keys,
    start: Timestamp,
    length: Duration,
    /// By model, trigger and version: the last check and the nearness of the latest ones.
    recent: BTreeMap<(ModelIndex, usize, VersionIndex), (Timestamp, Vec<f64>)>,
    nearest: f64,
}

impl Particle {
    /// A run of its own.
    pub(super) fn draw<E: From<SimulationError>>(
        (scenario, blocks): (&Scenario, Blocks),
        stream: &mut Stream,
        open: OpenTraces<'_, E>,
    ) -> Result<Self, E> {
        let base = stream.bits();
        let blocks_keys = (0..blocks.count).map(|_| stream.bits()).collect();
        Self::play((scenario, blocks), Keys { base, blocks: blocks_keys }, open)
    }

    /// The same run with a part of it drawn anew: each block with one of a few probabilities, and
    /// now and then what belongs to no block. Either is as probable back as forth.
    pub(super) fn moved<E: From<SimulationError>>(
        &self,
        (scenario, blocks): (&Scenario, Blocks),
        stream: &mut Stream,
        open: OpenTraces<'_, E>,
    ) -> Result<Self, E> {
        let mut keys = self.keys.clone();
        if stream.unit() < BASE_MOVES {
            keys.base = stream.bits();
        }
        let share = SHARES[(stream.unit() * SHARES.len() as f64) as usize];
        for key in &mut keys.blocks {
            if stream.unit() < share {
                *key = stream.bits();
            }
        }
        Self::play((scenario, blocks), keys, open)
    }

    fn play<E: From<SimulationError>>(
        (scenario, blocks): (&Scenario, Blocks),
        keys: Keys,
        open: OpenTraces<'_, E>,
    ) -> Result<Self, E> {
        let chance = Chance::new(keys.base, FIRST_RUN);
        let source = source_of(scenario, open()?, chance)?;
        let mut lookout = Lookout::new(scenario);
        let (start, length) = (scenario.start, blocks.length);
        let recent = BTreeMap::new();
        let mut climber = Climber { keys: &keys, start, length, recent, nearest: 0.0 };
        simulate_steered(scenario, chance, source, &mut lookout, &mut climber)?;
        let score = if lookout.hit().is_some() { HIT } else { climber.nearest.min(NEAREST) };
        let requests = lookout.requests();
        Ok(Self { keys, score, requests })
    }
}

impl Climber<'_> {
    fn look(&mut self, place: (ModelIndex, usize, VersionIndex), look: &Look) {
        let interval = look.next.since(look.at);
        let (last, recent) = self.recent.entry(place).or_insert((look.at, Vec::new()));
        if *last + interval != look.at {
            recent.clear();
        }
        *last = look.at;
        recent.push(look.nearness);
        // All checks of a duration have to find a breach.
        let needed = look.duration.as_nanos().div_ceil(interval.as_nanos().max(1)) as usize + 1;
        let latest = &recent[recent.len().saturating_sub(needed)..];
        self.nearest = self.nearest.max(latest.iter().sum::<f64>() / needed as f64);
    }
}

impl Steering for Climber<'_> {
    fn chance(&self, at: Timestamp, chance: Chance) -> Chance {
        let block = at.since(self.start).as_nanos() / self.length.as_nanos();
        let last = self.keys.blocks.len() - 1;
        let block = usize::try_from(block).unwrap_or(last).min(last);
        self.keys.blocks.get(block).map_or(chance, |key| Chance::new(*key, FIRST_RUN))
    }

    fn splits(&mut self, _: Timestamp, _: ModelIndex, _: &Split, draws: Draws) -> Draw {
        draws.draw(Purpose::Split, 0)
    }

    fn checked(&mut self, seen: &mut Checked<'_>) {
        for model in (0..seen.scenario.models.len() as u16).map(ModelIndex) {
            let first = seen.scenario.first_version(model).0;
            for look in seen.engine.looks(model, seen.at) {
                let version = VersionIndex(first + look.version.0);
                let rules = seen.engine.rules(model);
                let trigger = rules.and_then(|rules| rules.triggers.get(look.trigger));
                if trigger.is_some_and(rolls_back) && !seen.is_bad(version) {
                    self.look((model, look.trigger, version), &look);
                }
            }
        }
    }
}

impl Stream {
    /// Those of a number under a seed.
    pub(super) const fn new(seed: u64, number: u64) -> Self {
        Self { chance: Chance::new(seed, number), next: 0 }
    }

    fn bits(&mut self) -> u64 {
        self.next += 1;
        self.chance.request(RequestId(self.next), 0).draw(Purpose::Tilt, 0).bits()
    }

    /// Uniform in (0, 1).
    pub(super) fn unit(&mut self) -> f64 {
        Draw::from_bits(self.bits()).unit()
    }
}

/// The score of a run with a false rollback: above all others.
pub(super) const HIT: f64 = 2.0;
/// The greatest score of a run without one.
const NEAREST: f64 = 1.0;
/// How probable it is that a move draws anew what belongs to no block. Chosen: one move in four.
const BASE_MOVES: f64 = 0.25;
/// The shares of blocks that a move draws anew, each as probable. Chosen: small ones are accepted
/// near the top, great ones go far.
const SHARES: [f64; 4] = [0.02, 0.08, 0.25, 0.6];
