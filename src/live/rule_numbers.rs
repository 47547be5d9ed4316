//! Which rule set of the plan a gateway is being given: its triggers have numbers of their own.

use std::collections::BTreeMap;

use crate::engine::{Change, RuleSet, Sealed};
use crate::exchange::ModelIndex;

/// The rule sets of the models as they are now, and those that commands of the plan are setting.
#[derive(Clone, Debug, Default)]
pub(super) struct RuleNumbers {
    /// Of models whose rules were replaced, the plan's number for each of their triggers.
    numbers: BTreeMap<ModelIndex, Vec<usize>>,
    coming: Vec<(ModelIndex, RulesSet)>,
}

/// A rule set that takes the place of another by a command of the plan.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct RulesSet {
    /// The phase and the command (indices).
    pub(super) place: (usize, usize),
    pub(super) before: RuleSet,
    pub(super) now: RuleSet,
}

impl RuleNumbers {
    /// The plan's number for a trigger of a model's present rules.
    pub(super) fn number(&self, model: ModelIndex, trigger: usize) -> usize {
        let own = self.numbers.get(&model).and_then(|numbers| numbers.get(trigger));
        own.copied().unwrap_or(trigger)
    }

    /// From now on these are the numbers of a model's triggers.
    pub(super) fn renumber(&mut self, model: ModelIndex, numbers: Vec<usize>) {
        self.numbers.insert(model, numbers);
    }

    /// The next rules that are set for a model are these.
    pub(super) fn expect(&mut self, model: ModelIndex, set: RulesSet) {
        self.coming.retain(|(known, _)| *known != model);
        self.coming.push((model, set));
    }

    /// None are set after all.
    pub(super) fn expect_none(&mut self, model: ModelIndex) {
        self.coming.retain(|(known, _)| *known != model);
    }

    /// The rules that a journal entry of a model sets, if it sets those that were expected.
    pub(super) fn set_by(&mut self, model: ModelIndex, sealed: &Sealed) -> Option<RulesSet> {
        let Change::Rules { .. } = sealed.entry().change else { return None };
        let place = self.coming.iter().position(|(known, _)| *known == model)?;
        Some(self.coming.remove(place).1)
    }
}
