//! What is due: the checks of triggers and the steps of rollouts, and what they lead to.
//!
//! At one instant the checks of all models come first, then the steps.

use super::core::Engine;
use super::decision;
use super::deployment::{Checked, Deployment};
use super::watch::Step;
use super::{Action, Cause, Change, EventKind, Evidence, NoTarget, Slot};
use crate::exchange::ModelIndex;
use crate::units::Timestamp;

/// What came of the action of a firing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Effect {
    /// Traffic went elsewhere.
    Moved,
    /// The rollout stands still.
    Paused,
    /// There is nowhere to go.
    Refused(NoTarget),
    /// Nothing changed: it is only to be told.
    Told,
}

impl Engine {
    /// Carries out all that is due up to and at `now`.
    #[inline]
    pub(super) fn run_up_to(&mut self, now: Timestamp) {
        while self.next_due <= now {
            self.run_next();
        }
    }

    /// Carries out all that is due before `now`.
    #[inline]
    pub(super) fn run_before(&mut self, now: Timestamp) {
        while self.next_due < now {
            self.run_next();
        }
    }

    /// Carries out the checks that are due up to and at `now`, and the steps before `now`.
    pub(super) fn run_checks_up_to(&mut self, now: Timestamp) {
        while self.next_due < now || self.next_check <= now {
            self.run_next();
        }
    }

    /// Carries out what is due next, at its nominal time.
    #[inline(never)]
    fn run_next(&mut self) {
        let at = self.next_due;
        for index in 0..self.deployments.len() {
            let model = ModelIndex(index as u16);
            if self.next_check == at {
                self.run_checks(at, model);
            } else {
                self.run_step(at, model);
            }
        }
        self.renew_next_due();
    }

    fn run_checks(&mut self, at: Timestamp, model: ModelIndex) {
        let checked = self.deployments[usize::from(model.0)].check(at);
        // Conditions are independent, but of those that fire at one check only the first that moves
        // traffic does: after it there is nothing left to roll back.
        let mut moved = false;
        for checked in checked {
            moved |= self.tell_and_act(at, model, checked, moved);
        }
    }

    /// Tells of a trigger's step and carries out the action of a firing, unless traffic has been
    /// moved at this check already. Whether traffic was moved.
    fn tell_and_act(
        &mut self,
        at: Timestamp,
        model: ModelIndex,
        checked: Checked,
        moved: bool,
    ) -> bool {
        let Checked { trigger, version, step, evidence } = checked;
        if matches!(step, Step::Began | Step::Fires { began: true }) {
            self.emit(at, model, EventKind::BreachBegan { trigger, version });
        }
        if step == Step::Ended {
            self.emit(at, model, EventKind::BreachEnded { trigger, version });
        }
        let Some(evidence) = evidence.filter(|_| !moved) else { return false };
        self.emit(at, model, EventKind::Fired { trigger, version, evidence: evidence.clone() });
        let rules = &self.deployments[usize::from(model.0)].state.rules;
        let recipients = rules.notification.clone();
        let action = rules.triggers[trigger].action.clone();
        let effect = self.act(at, model, action, version, evidence.clone());
        let refused = match effect {
            Effect::Refused(why) => Some(why),
            _ => None,
        };
        // A refusal has no other entry that would say so.
        if effect == Effect::Told || refused.is_some() || !recipients.is_nobody() {
            let told = Change::Notified { recipients: recipients.clone(), refused };
            self.change(at, model, Cause::Trigger(evidence), told);
        }
        if !recipients.is_nobody() {
            self.emit(at, model, EventKind::Notified { trigger, version, recipients });
        }
        effect == Effect::Moved
    }

    /// Carries out the action of a firing.
    fn act(
        &mut self,
        at: Timestamp,
        model: ModelIndex,
        action: Action,
        version: Slot,
        evidence: Box<Evidence>,
    ) -> Effect {
        let deployment = &self.deployments[usize::from(model.0)];
        let named = match &action {
            Action::RollbackTo(target) => Some(target),
            Action::RollbackToLastStable => None,
            Action::Notify => return Effect::Told,
            Action::Pause => {
                let Ok(change) = decision::pause(&deployment.state) else { return Effect::Told };
                self.change(at, model, Cause::Trigger(evidence), change);
                return Effect::Paused;
            }
        };
        match deployment.rollback_target(named, version) {
            Ok(target) => {
                let terms = deployment.terms;
                let change = decision::roll_back(&deployment.state, terms, Some(version), target);
                self.change(at, model, Cause::Trigger(evidence), change);
                Effect::Moved
            }
            Err(why) => {
                self.emit(at, model, EventKind::RollbackRefused { version, action, why });
                Effect::Refused(why)
            }
        }
    }

    /// The step of a model's rollout, if it is due at `at`: on to the next one, or a word about
    /// what it waits for; or the end of the bake.
    fn run_step(&mut self, at: Timestamp, model: ModelIndex) {
        let deployment = &mut self.deployments[usize::from(model.0)];
        if deployment.next_step() != Some(at) {
            return;
        }
        match deployment.take_step(at) {
            Ok(Some(change)) => self.change(at, model, Cause::Rollout, change),
            Ok(None) => {}
            Err(waits) => self.emit(at, model, waits),
        }
    }

    pub(super) fn renew_next_due(&mut self) {
        let check = self.deployments.iter().filter_map(Deployment::next_check).min();
        let step = self.deployments.iter().filter_map(Deployment::next_step).min();
        self.next_check = check.unwrap_or(Timestamp::MAX);
        self.next_due = self.next_check.min(step.unwrap_or(Timestamp::MAX));
    }
}
