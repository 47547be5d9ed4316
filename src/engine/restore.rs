//! From a live engine to its durable state, and back after a restart.

use super::core::Engine;
use super::{Cause, Change, DurableState, EventKind, ModelSettings, ModelState};
use crate::exchange::ModelIndex;
use crate::units::{ModelId, Timestamp};

/// Why an engine cannot be restored from a state.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RestoreError {
    /// The journal speaks of a model that is not served.
    #[error("the journal has entries of model {0}, which is not among the models to serve")]
    UnknownModel(ModelId),
}

impl Engine {
    /// An engine that goes on at `now` from `state`, as one that was stopped there: its windows,
    /// timers and judges begin empty. Where versions were being watched, that is told and
    /// journalled.
    ///
    /// # Errors
    /// `models` lack one that the state knows.
    pub fn restore(
        now: Timestamp,
        models: impl IntoIterator<Item = ModelSettings>,
        mut state: DurableState,
    ) -> Result<Self, RestoreError> {
        let mut engine = Self::new(models);
        engine.entries = state.entries;
        engine.head = state.head;
        engine.last_entry = state.at;
        engine.keys = std::mem::take(&mut state.keys);
        let now = state.at.map_or(now, |at| at.max(now));
        engine.now = now;
        for index in 0..engine.deployments.len() {
            let model = ModelIndex(index as u16);
            let deployment = &mut engine.deployments[index];
            let Some(restored) = state.models.remove(&deployment.id) else { continue };
            let watched = deployment.restore(now, restored);
            if !watched.is_empty() {
                let id = |slot: &_| deployment.state.catalog.id(*slot).clone();
                let versions = watched.iter().map(id).collect();
                engine.emit(now, model, EventKind::ObservationLost { versions: watched });
                engine.change(now, model, Cause::Restart, Change::ObservationLost { versions });
            }
        }
        if let Some((id, _)) = state.models.pop_first() {
            return Err(RestoreError::UnknownModel(id));
        }
        engine.renew_next_due();
        Ok(engine)
    }

    /// What is durable about the engine: the fold of the journal up to now.
    pub fn durable(&self) -> DurableState {
        let models = self.deployments.iter().map(|d| (d.id.clone(), d.state.clone()));
        DurableState {
            models: models.filter(|(_, state)| *state != ModelState::default()).collect(),
            keys: self.keys.clone(),
            entries: self.entries,
            head: self.head,
            at: self.last_entry,
        }
    }
}
