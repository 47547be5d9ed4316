//! What the gateway's requests and its engine do, on its way to the conductor in the words of the
//! plan.

use std::fmt;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::notice::{AttemptEnd, Notice};
use super::rule_numbers::RuleNumbers;
use crate::director::Narrator;
use crate::engine::{AuthError, Engine, Event, EventKind};
use crate::exchange::{Class, Observed, VersionIndex};
use crate::gateway::{Attempting, Witness};
use crate::record::Arm;
use crate::scenario::Scenario;
use crate::units::{RequestId, Timestamp};

/// Follows the engine of a gateway and tells the conductor of it, and of every attempt.
pub(super) struct Tap {
    scenario: Arc<Scenario>,
    narrator: Narrator,
    rules: Arc<Mutex<RuleNumbers>>,
    conductor: Sender<Notice>,
}

impl Tap {
    /// One for the gateway of `scenario`; `rules` says which rule sets are to be set next.
    pub(super) fn new(
        scenario: &Arc<Scenario>,
        rules: &Arc<Mutex<RuleNumbers>>,
        conductor: Sender<Notice>,
    ) -> Self {
        let narrator = Narrator::new(scenario);
        let (scenario, rules) = (Arc::clone(scenario), Arc::clone(rules));
        Self { scenario, narrator, rules, conductor }
    }

    fn tell(&self, notice: Notice) {
        // Nobody listens any more once the run is over.
        let _ = self.conductor.send(notice);
    }

    /// The version of an attempt, and on which side of the split it stands.
    fn place(&self, attempt: Attempting) -> (VersionIndex, Arm) {
        let state = self.narrator.model(attempt.model);
        let version = state.place(attempt.version);
        (version, if attempt.is_pinned { Arm::Pinned } else { state.arm(version) })
    }

    fn rules(&self) -> MutexGuard<'_, RuleNumbers> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Witness for Tap {
    fn assigned(&mut self, at: Timestamp, attempt: Attempting) {
        let ((version, arm), id) = (self.place(attempt), attempt.number.id);
        let stable = self.narrator.model(attempt.model).stable();
        self.tell(Notice::Assigned { at, id, version, arm, stable });
    }

    fn attempt_began(&mut self, at: Timestamp, attempt: Attempting) {
        let ((version, arm), id) = (self.place(attempt), attempt.number.id);
        self.tell(Notice::AttemptBegan { at, id, version, arm });
    }

    fn attempt_ended(
        &mut self,
        at: Timestamp,
        attempt: Attempting,
        (class, observed): (Class, Observed),
        is_followed: bool,
    ) {
        let (id, attempt) = (attempt.number.id, attempt.number.attempt);
        let ended = AttemptEnd { class, observed, is_followed };
        self.tell(Notice::AttemptEnded { at, id, attempt, ended });
    }

    fn key_refused(&mut self, at: Timestamp, id: RequestId, why: &AuthError) {
        self.tell(Notice::KeyRefused { at, id, reason: why.into() });
    }

    fn told(&mut self, engine: &Engine, event: &Event) {
        let set = match &event.kind {
            EventKind::Journal(sealed) => self.rules().set_by(event.model, sealed),
            _ => None,
        };
        if let Some(set) = set {
            let (model, place) = (event.model, set.place);
            let rules = (&set.before, &set.now);
            self.narrator.rules_replaced(&self.scenario, model, place, rules);
            let numbers = self.narrator.model(model).triggers().to_vec();
            self.rules().renumber(model, numbers);
        }
        let conductor = self.conductor.clone();
        self.narrator.follow(engine, event.clone(), &mut |told| {
            let _ = conductor.send(Notice::Told(told));
        });
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tap").finish_non_exhaustive()
    }
}
