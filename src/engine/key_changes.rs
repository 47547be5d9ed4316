//! What commands and rollbacks change about access keys.

use super::core::Engine;
use super::deployment::Deployment;
use super::{Cause, Change, CommandError, CommandKind, Entry, EventKind, MadeFor, Sealed};
use crate::exchange::ModelIndex;
use crate::units::Timestamp;

impl Engine {
    /// What a command changes about keys; `None`: nothing, it is about something else.
    pub(super) fn decide_on_keys(
        &self,
        now: Timestamp,
        deployment: &Deployment,
        command: &CommandKind,
    ) -> Result<Option<Change>, CommandError> {
        if let CommandKind::CreateKey(new) = command {
            for model in new.models.iter().flatten() {
                if !self.deployments.iter().any(|deployment| deployment.id == *model) {
                    return Err(CommandError::KeyOfUnknownModel(model.clone()));
                }
            }
        }
        self.keys.decide(now, (&deployment.id, &deployment.state), command)
    }

    /// Carries out a sealed change of keys.
    pub(super) fn enact_on_keys(&mut self, at: Timestamp, model: ModelIndex, sealed: Box<Sealed>) {
        let Entry { number, change, .. } = sealed.entry();
        let done = self.keys.apply(at, change);
        done.expect("a change is carried out on the state that it was decided on");
        self.entries = *number;
        self.last_entry = Some(at);
        self.head = sealed.hash();
        if let Change::KeysInvalidated { keys, made_for } = change {
            let version = self.deployments[usize::from(model.0)].slot_of(&made_for.version);
            self.emit(at, model, EventKind::KeysInvalidated { version, keys: keys.clone() });
        }
        self.emit(at, model, EventKind::Journal(sealed));
    }

    /// What follows for keys from an entry: where the safeguard is off, a rollback invalidates
    /// those that were made for a version whose traffic it took.
    pub(super) fn keys_of_rolled_back(
        &self,
        model: ModelIndex,
        entry: &Entry,
    ) -> Vec<(Cause, Change)> {
        let deployment = &self.deployments[usize::from(model.0)];
        let Change::RolledBack { marked, .. } = &entry.change else { return Vec::new() };
        if deployment.terms.keys_survive_rollback {
            return Vec::new();
        }
        let mut changes = Vec::new();
        for version in marked {
            let made_for = MadeFor { model: deployment.id.clone(), version: version.clone() };
            let keys = self.keys.made_for(&made_for);
            if !keys.is_empty() {
                changes.push((entry.cause.clone(), Change::KeysInvalidated { keys, made_for }));
            }
        }
        changes
    }
}
