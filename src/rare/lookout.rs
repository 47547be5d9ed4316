//! Watches a run for the first rollback of a version that was never bad, and ends it there.

use crate::engine::Sealed;
use crate::exchange::{ModelIndex, Request, VersionIndex};
use crate::record::{Arm, Attempt, Happening, KeyRefusal, Observer, Onsets, Outcome};
use crate::scenario::Scenario;
use crate::units::Timestamp;

/// What a run comes to, as far as false rollbacks are concerned.
pub(super) struct Lookout<'a> {
    scenario: &'a Scenario,
    onsets: Onsets,
    /// By version, the first time that it became bad.
    first_onsets: Vec<Option<Timestamp>>,
    /// The trigger that has fired and whose rollback is to come, in the list of its model.
    fired: Option<String>,
    /// The first false rollback, and by which trigger, in the list of all triggers.
    hit: Option<(Timestamp, Option<u16>)>,
    requests: u64,
    /// A request of each model.
    samples: Vec<Option<Request>>,
}

impl<'a> Lookout<'a> {
    pub(super) fn new(scenario: &'a Scenario) -> Self {
        let versions = scenario.versions().count();
        Self {
            scenario,
            onsets: Onsets::new(versions),
            first_onsets: vec![None; versions],
            fired: None,
            hit: None,
            requests: 0,
            samples: vec![None; scenario.models.len()],
        }
    }

    /// The first false rollback.
    pub(super) fn hit(&self) -> Option<Timestamp> {
        self.hit.map(|(at, _)| at)
    }

    /// The place of its trigger in the list of all triggers, model by model.
    pub(super) fn trigger(&self) -> Option<u16> {
        self.hit.and_then(|(_, trigger)| trigger)
    }

    /// How many requests were assigned.
    pub(super) const fn requests(&self) -> u64 {
        self.requests
    }

    /// When a version became bad for the first time.
    pub(super) fn first_onset(&self, version: VersionIndex) -> Option<Timestamp> {
        self.first_onsets[usize::from(version.0)]
    }

    /// A request of a model that ended.
    pub(super) fn sample(&self, model: ModelIndex) -> Option<Request> {
        self.samples[usize::from(model.0)]
    }

    /// The place of a trigger in the list of all triggers.
    fn place(&self, version: VersionIndex, id: &str) -> Option<u16> {
        let model = self.scenario.model_of(version);
        let of = |model| self.scenario.triggers(ModelIndex(model));
        let before: usize = (0..model.0).map(|model| of(model).count()).sum();
        let own = of(model.0).position(|trigger| trigger.id == id)?;
        u16::try_from(before + own).ok()
    }

    fn rolled_back(&mut self, at: Timestamp, version: VersionIndex) {
        // A rollback by command has no trigger.
        let Some(id) = self.fired.take() else { return };
        if self.hit.is_none() && self.onsets.of(version).is_none() {
            self.hit = Some((at, self.place(version, &id)));
        }
    }
}

impl Observer for Lookout<'_> {
    fn assigned(&mut self, _: Timestamp, _: u16, _: VersionIndex, _: Arm) {
        self.requests += 1;
    }

    fn attempt_began(&mut self, _: Timestamp, _: VersionIndex, _: Arm) {}

    fn attempted(&mut self, _: &Attempt) {}

    fn completed(&mut self, outcome: &Outcome) {
        let sample = &mut self.samples[usize::from(outcome.request.model.0)];
        if sample.is_none() {
            *sample = Some(outcome.request);
        }
    }

    fn key_rejected(&mut self, _: &KeyRefusal) {}

    fn let_in(&mut self, _: Timestamp, _: u16) {}

    fn became_bad(&mut self, at: Timestamp, version: VersionIndex) {
        self.onsets.became_bad(at, version);
        self.first_onsets[usize::from(version.0)].get_or_insert(at);
    }

    fn journalled(&mut self, _: &Sealed) {}

    fn happened(&mut self, at: Timestamp, happening: Happening) {
        match happening {
            Happening::SplitChanged { model, weights } => {
                self.onsets.split_changed(self.scenario.first_version(model), &weights);
            }
            Happening::Fired { evidence, .. } => self.fired = Some(evidence.trigger),
            Happening::RolledBack { version: Some(version), .. } => self.rolled_back(at, version),
            _ => {}
        }
    }

    fn is_satisfied(&self) -> bool {
        self.hit.is_some()
    }
}
