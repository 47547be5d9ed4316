//! A version that a mock answers as: its names, its behaviour now, and what became of its requests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::Value;

use super::DescribedBehaviour;
use super::lane::Lane;
use super::settings::MockVersion;
use super::tally::Tally;
use crate::clock::WallClock;
use crate::upstream::Setting;

/// One version of a mock.
#[derive(Debug)]
pub(super) struct Version {
    names: Vec<String>,
    setting: Setting,
    clock: WallClock,
    tally: Arc<Tally>,
    now: Mutex<Now>,
}

/// The behaviour in force.
#[derive(Debug)]
struct Now {
    description: Value,
    lane: Arc<Lane>,
}

impl Version {
    /// A version as it starts; its bursts run from the start in `setting`, whatever comes.
    pub(super) fn new(version: MockVersion, setting: Setting, clock: WallClock) -> Self {
        let MockVersion { models, behaviour } = version;
        let tally = Arc::<Tally>::default();
        let lane = Lane::new(behaviour.behaviour(), setting, clock, Arc::clone(&tally));
        let now = Now { description: behaviour.description().clone(), lane: Arc::new(lane) };
        Self { names: models, setting, clock, tally, now: Mutex::new(now) }
    }

    /// The name that it is listed by.
    pub(super) fn name(&self) -> &str {
        self.names.first().map_or("", String::as_str)
    }

    /// Whether `model` means it.
    pub(super) fn answers_to(&self, model: &str) -> bool {
        self.names.iter().any(|name| name == model)
    }

    /// All names that mean it.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// Where its requests go now.
    pub(super) fn lane(&self) -> Arc<Lane> {
        Arc::clone(&self.lock().lane)
    }

    /// How its behaviour is described; null where that is not known.
    pub(super) fn description(&self) -> Value {
        self.lock().description.clone()
    }

    /// Counts of its requests.
    pub(super) fn counts(&self) -> Value {
        let mut counts = self.tally.to_json();
        counts["waiting"] = self.lane().waiting().into();
        counts
    }

    /// It behaves so from now on. Requests that have come are answered as before; slots, queue and
    /// rate limit of the new behaviour are empty.
    pub(super) fn behave(&self, behaviour: &DescribedBehaviour) {
        let tally = Arc::clone(&self.tally);
        let lane = Lane::new(behaviour.behaviour(), self.setting, self.clock, tally);
        let description = behaviour.description().clone();
        *self.lock() = Now { description, lane: Arc::new(lane) };
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
