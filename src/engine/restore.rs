//! From a live engine to its durable state, and back after a restart.

use super::core::Engine;
use super::{Cause, Change, DurableState, EventKind, ModelSettings, ModelState};
use crate::exchange::ModelIndex;
use crate::units::Timestamp;

impl Engine {
    /// An engine that goes on at `now` from `state`, as one that was stopped there: its windows,
    /// timers and judges begin empty. Where versions were being watched, that is told and
    /// journalled. A model that the state knows and `models` lack is kept as it is, and is there
    /// again when an engine is restored with it.
    pub fn restore(
        now: Timestamp,
        models: impl IntoIterator<Item = ModelSettings>,
        mut state: DurableState,
    ) -> Self {
        let mut engine = Self::new(models);
        engine.entries = state.entries;
        engine.head = state.head;
        engine.last_entry = state.at;
        engine.keys = std::mem::take(&mut state.keys);
        engine.default_rules = std::mem::take(&mut state.default_rules);
        let now = state.at.map_or(now, |at| at.max(now));
        engine.now = now;
        for index in 0..engine.deployments.len() {
            let model = ModelIndex(index as u16);
            let deployment = &mut engine.deployments[index];
            let Some(restored) = state.models.remove(&deployment.id) else {
                deployment.state = ModelState::following(&engine.default_rules);
                continue;
            };
            let watched = deployment.restore(now, restored);
            if !watched.is_empty() {
                let id = |slot: &_| deployment.state.catalog.id(*slot).clone();
                let versions = watched.iter().map(id).collect();
                engine.emit(now, model, EventKind::ObservationLost { versions: watched });
                engine.change(now, model, Cause::Restart, Change::ObservationLost { versions });
            }
        }
        engine.dormant = state.models;
        engine.renew_next_due();
        engine
    }

    /// What is durable about the engine: the fold of the journal up to now.
    pub fn durable(&self) -> DurableState {
        let models = self.deployments.iter().map(|d| (d.id.clone(), d.state.clone()));
        let untouched = ModelState::following(&self.default_rules);
        let models = models.filter(|(_, state)| *state != untouched);
        DurableState {
            models: models.chain(self.dormant.clone()).collect(),
            default_rules: self.default_rules.clone(),
            keys: self.keys.clone(),
            entries: self.entries,
            head: self.head,
            at: self.last_entry,
        }
    }
}
