//! The commands of a plan: given as an operator would, told, and refused where the engine does.

use super::trigger_health::TriggerHealth;
use super::virtual_run::{PLAN, VirtualRun};
use crate::engine::{Command, CommandKind, RuleSet};
use crate::exchange::ModelIndex;
use crate::record::{Happening, Observer};

impl<O: Observer> VirtualRun<'_, O> {
    /// Gives a command of the plan. That it is refused is told, and the run goes on.
    #[cold]
    pub(super) fn command(&mut self, phase: u16, command: usize) {
        let plan = &self.scenario.phases[usize::from(phase)].commands[command];
        let (at, model, what) = (self.now, plan.model, plan.what.clone());
        let given = Command { model, by: PLAN.to_owned(), kind: plan.kind.clone() };
        let before = self.health(model);
        let old = self.engine.rules(model).cloned();
        self.observer.happened(at, Happening::Commanded { model, what: what.clone() });
        if let Err(error) = self.engine.apply(at, &given) {
            let why = error.to_string();
            self.observer.happened(at, Happening::CommandRefused { model, what, why });
            return;
        }
        if let (CommandKind::Rules(new), Some(old)) = (&plan.kind, old) {
            let place = (usize::from(phase), command);
            self.count_in(model, place, (&old, new), before);
        }
        self.drain_events();
    }

    /// How every trigger fared, those of rule sets that were replaced included.
    pub(super) fn trigger_health(&self) -> Vec<TriggerHealth> {
        let models = (0..self.models.len() as u16).map(ModelIndex);
        models.flat_map(|model| self.health(model)).chain(self.ended.iter().copied()).collect()
    }

    /// How the triggers of a model's present rules fare.
    fn health(&self, model: ModelIndex) -> Vec<TriggerHealth> {
        let state = &self.models[usize::from(model.0)];
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
        let sets = self.scenario.rule_sets(model);
        let earlier = sets.take_while(|(at, _)| *at != Some(place));
        let first: usize = earlier.map(|(_, rules)| rules.triggers.len()).sum();
        let state = &mut self.models[usize::from(model.0)];
        let mut triggers: Vec<usize> = (first..first + new.triggers.len()).collect();
        for (index, number) in state.triggers.iter().enumerate() {
            if let Some(position) = new.position_of(old, index) {
                triggers[position] = *number;
            }
        }
        self.ended.extend(before.into_iter().filter(|one| !triggers.contains(&one.trigger)));
        state.triggers = triggers;
    }
}
