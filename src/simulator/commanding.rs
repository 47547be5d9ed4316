//! The commands of a plan: given as an operator would, told, and refused where the engine does.

use super::virtual_run::{PLAN, VirtualRun};
use crate::director::TriggerHealth;
use crate::engine::{Command, CommandError, CommandKind, RuleSet};
use crate::exchange::ModelIndex;
use crate::record::{Happening, Observer, Refusal};
use crate::scenario::{CommandPlan, Instruction};

impl<O: Observer> VirtualRun<'_, O> {
    /// Gives a command of the plan. That it is refused is told, and the run goes on.
    #[cold]
    pub(super) fn command(&mut self, phase: u16, command: usize) {
        let plan = &self.scenario.phases[usize::from(phase)].commands[command];
        let (at, model, order) = (self.now, plan.model, plan.instruction.order());
        self.observer.happened(at, Happening::Commanded { model, order: order.clone() });
        let place = (usize::from(phase), command);
        match self.carry_out(plan, place) {
            Ok(true) => {}
            Ok(false) => self.observer.happened(at, Happening::CommandIdle { model, order }),
            Err(error) => {
                let why = Refusal::Reason(error);
                self.observer.happened(at, Happening::CommandRefused { model, order, why });
            }
        }
        self.drain_events();
    }

    /// Whether the command changes anything.
    fn carry_out(
        &mut self,
        plan: &CommandPlan,
        place: (usize, usize),
    ) -> Result<bool, CommandError> {
        // What is for all models is the same whichever passes it on.
        let (at, model) = (self.now, plan.model.unwrap_or(ModelIndex(0)));
        let given = |kind| Command { model, by: PLAN.to_owned(), kind };
        match &plan.instruction {
            Instruction::Engine(CommandKind::Rules(new)) => {
                let (before, old) = (self.health(model), self.engine.rules(model).cloned());
                self.order(&given(CommandKind::Rules(new.clone())))?;
                if let Some(old) = old {
                    self.count_in(model, place, (&old, new), before);
                }
                Ok(true)
            }
            Instruction::Engine(kind) => self.order(&given(kind.clone())),
            Instruction::NewSecret { key, grace, adopted_after, version } => {
                let (digest, version) = (self.gatekeeper.new_secret(key), version.clone());
                let (key, grace) = (key.clone(), *grace);
                let kind = CommandKind::RegenerateKey { key: key.clone(), digest, grace, version };
                let changes = self.order(&given(kind))?;
                self.gatekeeper.adopt(&key, digest, at + *adopted_after);
                Ok(changes)
            }
        }
    }

    /// Lets the engine carry out a command. Whether it changes anything.
    fn order(&mut self, command: &Command) -> Result<bool, CommandError> {
        let prepared = self.engine.prepare(self.now, command)?;
        let changes = prepared.entry().is_some();
        prepared.commit();
        Ok(changes)
    }

    /// How every trigger fared, those of rule sets that were replaced included.
    pub(super) fn trigger_health(&self) -> Vec<TriggerHealth> {
        let models = (0..self.scenario.models.len() as u16).map(ModelIndex);
        models.flat_map(|model| self.health(model)).chain(self.ended.iter().copied()).collect()
    }

    /// How the triggers of a model's present rules fare.
    fn health(&self, model: ModelIndex) -> Vec<TriggerHealth> {
        let state = self.narrator.model(model);
        let health = |(trigger, slot, health)| TriggerHealth {
            model,
            trigger: state.trigger(trigger),
            version: state.place(slot),
            health,
        };
        self.engine.health(model).into_iter().map(health).collect()
    }

    /// From now on the triggers of a model are those of `new`, which the command at `place` has
    /// set. A trigger of `old` that goes on keeps its number; of the others it is kept how they
    /// fared.
    fn count_in(
        &mut self,
        model: ModelIndex,
        place: (usize, usize),
        (old, new): (&RuleSet, &RuleSet),
        before: Vec<TriggerHealth>,
    ) {
        self.narrator.rules_replaced(self.scenario, model, place, (old, new));
        let triggers = self.narrator.model(model).triggers();
        self.ended.extend(before.into_iter().filter(|one| !triggers.contains(&one.trigger)));
    }
}
