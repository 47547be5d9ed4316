//! Commands, from the question to the effect, and the sealing of journal entries.
//!
//! A command is prepared (decided, and its entry sealed on the journal's present head), its entry
//! is appended to the store, and then it is committed. [`Prepared`] borrows the engine, so that
//! nothing can happen in between; dropped, it has changed nothing. Where others must use the engine
//! while the store works it is set aside ([`Accepted`]), and the engine's time stands still until
//! it is committed: then nothing is due in between. Automatic actions take effect at
//! once and are journalled after: a crash in between restores the canary, and its rule fires again.

use super::core::Engine;
use super::decision::decide;
use super::model_state::Occasion;
use super::{
    Cause, Change, Command, CommandError, CommandKind, Delivered, Entry, EventKind, RolloutState,
    Sealed, Slot, Undelivered,
};
use crate::exchange::ModelIndex;
use crate::units::Timestamp;

/// A command that has been accepted and has not taken effect.
#[must_use = "a command takes effect when it is committed"]
#[derive(Debug)]
pub struct Prepared<'a> {
    engine: &'a mut Engine,
    model: ModelIndex,
    entry: Option<Box<Sealed>>,
}

impl Prepared<'_> {
    /// The journal entry, to be appended to the store before the commit; `None`: the command
    /// changes nothing.
    pub fn entry(&self) -> Option<&Sealed> {
        self.entry.as_deref()
    }

    /// Lets the command take effect.
    pub fn commit(self) {
        let Self { engine, model, entry } = self;
        engine.commit(Accepted { model, entry });
    }

    /// Keeps the command apart, for [`Engine::commit`].
    pub fn set_aside(self) -> Accepted {
        Accepted { model: self.model, entry: self.entry }
    }
}

/// A command that has been accepted and has not taken effect, apart from its engine.
#[must_use = "a command takes effect when it is committed"]
#[derive(Debug)]
pub struct Accepted {
    model: ModelIndex,
    entry: Option<Box<Sealed>>,
}

impl Accepted {
    /// As [`Prepared::entry`].
    pub fn entry(&self) -> Option<&Sealed> {
        self.entry.as_deref()
    }
}

impl Engine {
    /// Lets a command take effect that was set aside. In the meantime the engine was called at no
    /// later time than that at which the command was prepared, and it prepared no other.
    ///
    /// # Panics
    /// Another entry was made in the meantime.
    pub fn commit(&mut self, accepted: Accepted) {
        let Accepted { model, entry } = accepted;
        let Some(entry) = entry else { return };
        assert_eq!(entry.entry().previous, self.head, "time stands still while a command is kept");
        self.enact(model, entry);
        self.renew_next_due();
    }

    /// Decides on a command at `now`: after the checks that are due at `now` and before the steps
    /// of rollouts; but abort and rollback come before the checks.
    ///
    /// # Errors
    /// The command is refused, and nothing has changed.
    pub fn prepare(
        &mut self,
        now: Timestamp,
        command: &Command,
    ) -> Result<Prepared<'_>, CommandError> {
        let now = self.step_to(now);
        if matches!(command.kind, CommandKind::Rollback(_) | CommandKind::Abort) {
            self.run_before(now);
        } else {
            self.run_checks_up_to(now);
        }
        let model = command.model;
        let deployment = self.deployment(model)?;
        let of_keys = self.decide_on_keys(now, deployment, &command.kind)?;
        let change =
            match of_keys.map_or_else(|| self.decide_on_rules(command), |of| Ok(Some(of)))? {
                Some(change) => Some(change),
                None => decide(&deployment.state, deployment.terms, &command.kind)?,
            };
        for (version, _) in change.iter().filter_map(Change::shift).flat_map(|shift| &shift.split) {
            deployment.reachable(deployment.slot_of(version))?;
        }
        let cause = Cause::Command { by: command.by.clone() };
        let entry = change.map(|change| self.seal(now, model, cause, change));
        Ok(Prepared { engine: self, model, entry })
    }

    /// Carries out a command at `now`: [`Engine::prepare`] and [`Prepared::commit`] in one, for
    /// drivers that keep no store.
    ///
    /// # Errors
    /// The command is refused, and nothing has changed.
    pub fn apply(&mut self, now: Timestamp, command: &Command) -> Result<(), CommandError> {
        self.prepare(now, command)?.commit();
        Ok(())
    }

    /// Takes down that a message arrived; of a model that is not there, nothing.
    pub fn delivered(&mut self, now: Timestamp, model: ModelIndex, message: Delivered) {
        self.take_down(now, model, Change::Delivered { message });
    }

    /// Takes down that a message did not arrive; of a model that is not there, nothing.
    pub fn undelivered(&mut self, now: Timestamp, model: ModelIndex, message: Undelivered) {
        self.take_down(now, model, Change::Undelivered { message });
    }

    fn take_down(&mut self, now: Timestamp, model: ModelIndex, end: Change) {
        if self.deployment(model).is_ok() {
            let now = self.step_to(now);
            self.run_up_to(now);
            self.change(now, model, Cause::Delivery, end);
        }
    }

    /// Carries out an automatic action.
    pub(super) fn change(
        &mut self,
        at: Timestamp,
        model: ModelIndex,
        cause: Cause,
        change: Change,
    ) {
        let entry = self.seal(at, model, cause, change);
        self.enact(model, entry);
    }

    pub(super) fn seal(
        &self,
        at: Timestamp,
        model: ModelIndex,
        cause: Cause,
        change: Change,
    ) -> Box<Sealed> {
        Box::new(Sealed::new(Entry {
            number: self.entries + 1,
            at,
            model: (!change.is_of_all()).then(|| self.deployments[usize::from(model.0)].id.clone()),
            cause,
            change,
            previous: self.head,
        }))
    }

    /// Carries out a sealed entry and tells of all that follows.
    fn enact(&mut self, model: ModelIndex, sealed: Box<Sealed>) {
        let Entry { number, at, cause, change, .. } = sealed.entry();
        let at = *at;
        if change.is_of_keys() {
            return self.enact_on_keys(at, model, sealed);
        }
        if let Change::DefaultRules { .. } = change {
            return self.enact_default_rules(at, model, sealed);
        }
        let deployment = &mut self.deployments[usize::from(model.0)];
        let before = (deployment.state.rollout.state(), deployment.state.rollout.version());
        deployment.apply(Occasion { entry: *number, at, cause }, change);
        let rollout = &deployment.state.rollout;
        let moved =
            rollout_moved(before.0, rollout.state(), before.1.or_else(|| rollout.version()));
        let drained = deployment.take_drained();
        let rolled_back = match change {
            Change::RolledBack { version, target, .. } => {
                let slot = |id| deployment.slot_of(id);
                let version = version.as_ref().map(slot);
                Some(EventKind::RolledBack { version, target: slot(target) })
            }
            _ => None,
        };
        let shifted = change.shift().map(|_| EventKind::SplitChanged);
        let drained = drained.into_iter().map(EventKind::Drained);
        let told = rolled_back.into_iter().chain(moved).chain(shifted).chain(drained);
        let told: Vec<_> = told.collect();
        self.entries = *number;
        self.last_entry = Some(at);
        self.head = sealed.hash();
        told.into_iter().for_each(|kind| self.emit(at, model, kind));
        let invalidated = self.keys_of_rolled_back(model, sealed.entry());
        self.emit(at, model, EventKind::Journal(sealed));
        for (cause, change) in invalidated {
            self.change(at, model, cause, change);
        }
    }
}

fn rollout_moved(from: RolloutState, to: RolloutState, version: Option<Slot>) -> Option<EventKind> {
    let version = version.filter(|_| from != to)?;
    Some(EventKind::RolloutMoved { version, from, to })
}
