//! A version that a mock answers as: its names, its behaviour now, and what became of its requests.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::DescribedBehaviour;
use super::described_fault::DescribedFault;
use super::lane::{Lane, ScheduledFault};
use super::settings::MockVersion;
use super::tally::Tally;
use crate::clock::WallClock;
use crate::units::{Ratio, Timestamp};
use crate::upstream::{Behaviour, FailureKind, Setting};

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
    refuses_all: bool,
    lane: Arc<Lane>,
    /// The faults on it, and their descriptions.
    faults: Vec<ScheduledFault>,
    described: Vec<Value>,
}

impl Version {
    /// A version as it starts; its bursts run from the start in `setting`, whatever comes.
    pub(super) fn new(version: MockVersion, setting: Setting, clock: WallClock) -> Self {
        let MockVersion { models, behaviour } = version;
        let tally = Arc::<Tally>::default();
        let lane = Lane::new(behaviour.behaviour(), &[], setting, clock, Arc::clone(&tally));
        let now = Now {
            description: behaviour.description().clone(),
            refuses_all: refuses_all(behaviour.behaviour()),
            lane: Arc::new(lane),
            faults: Vec::new(),
            described: Vec::new(),
        };
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

    /// Whether its behaviour lets no request be accepted.
    pub(super) fn refuses_all(&self) -> bool {
        self.lock().refuses_all
    }

    /// How many requests have come, and not ended before that.
    pub(super) fn requests(&self) -> u64 {
        self.tally.requests()
    }

    /// Counts of its requests.
    pub(super) fn counts(&self) -> Value {
        let mut counts = self.tally.to_json();
        counts["waiting"] = self.lane().waiting().into();
        counts
    }

    /// It behaves so from now on. Requests that have come are answered as before; slots, queue and
    /// rate limit of the new behaviour are empty; the faults on it stay.
    pub(super) fn behave(&self, behaviour: &DescribedBehaviour) {
        let tally = Arc::clone(&self.tally);
        let mut now = self.lock();
        let lane = Lane::new(behaviour.behaviour(), &now.faults, self.setting, self.clock, tally);
        now.description = behaviour.description().clone();
        now.refuses_all = refuses_all(behaviour.behaviour());
        now.lane = Arc::new(lane);
    }

    /// These faults are on it, timed from `began`, and no others. Returns when they begin and end:
    /// then its [`Lane::admit`] is to be called.
    pub(super) fn set_faults(
        &self,
        faults: Vec<DescribedFault>,
        began: Timestamp,
    ) -> Vec<Timestamp> {
        let mut now = self.lock();
        (now.faults, now.described) = (Vec::new(), Vec::new());
        for DescribedFault { fault, description } in faults {
            let onset = began.saturating_add(fault.at);
            let until = fault.lasts.map(|lasts| onset.saturating_add(lasts));
            now.faults.push(ScheduledFault { fault, onset, until });
            now.described.push(description);
        }
        now.lane.set_faults(&now.faults, began);
        let instants = now.faults.iter().flat_map(|it| [Some(it.onset), it.until]);
        instants.flatten().collect()
    }

    /// Puts one more fault on it, from one instant to another or until it is taken off.
    pub(super) fn begin_fault(&self, fault: ScheduledFault) {
        let mut now = self.lock();
        now.faults.push(fault);
        now.described.push(Value::Null);
        now.lane.set_faults(&now.faults, self.clock.now());
    }

    /// Takes off every fault that has no end of its own, and those that have not begun by `time`.
    pub(super) fn end_open_faults(&self, time: Timestamp) {
        let mut now = self.lock();
        let goes_on =
            |it: &ScheduledFault| it.onset < time && it.until.is_some_and(|until| until > time);
        let kept: Vec<bool> = now.faults.iter().map(goes_on).collect();
        let mut is_kept = kept.iter();
        now.faults.retain(|_| is_kept.next() == Some(&true));
        let mut is_kept = kept.iter();
        now.described.retain(|_| is_kept.next() == Some(&true));
        now.lane.set_faults(&now.faults, time);
    }

    /// The faults on it and those to come; those that are over are not shown.
    pub(super) fn faults(&self, time: Timestamp) -> Value {
        let now = self.lock();
        let shown = now.faults.iter().zip(&now.described);
        let shown = shown.filter(|(fault, _)| fault.until.is_none_or(|until| until > time));
        let shown = shown.map(|(fault, description)| {
            json!({
                "fault": description,
                "is_on": fault.onset <= time,
                "begins": fault.onset.to_string(),
                "ends": fault.until.map(|until| until.to_string()),
            })
        });
        shown.collect()
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a behaviour refuses every connection.
fn refuses_all(behaviour: &Behaviour) -> bool {
    let refuses = |failure: &crate::upstream::Failure| {
        failure.kind == FailureKind::Refused && failure.probability >= Ratio::ONE
    };
    behaviour.failures.iter().any(refuses)
}
