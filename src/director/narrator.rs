//! Follows what the engine tells, and tells it on in the words of a record.

use super::model_state::ModelState;
use super::telling;
use crate::engine::{Engine, Event, EventKind, RuleSet, Sealed, Slot};
use crate::exchange::{ModelIndex, VersionIndex};
use crate::record::Happening;
use crate::scenario::Scenario;
use crate::units::{TagName, Timestamp};

/// Follows what the engine tells, with what is known of each model beside it.
#[derive(Clone, Debug)]
pub struct Narrator {
    models: Vec<ModelState>,
}

/// Something that the engine has told.
#[derive(Clone, PartialEq, Debug)]
pub enum Told {
    /// It wrote an entry into its journal.
    Journalled(Box<Sealed>),
    /// Something happened.
    Happened {
        /// When.
        at: Timestamp,
        /// What.
        happening: Happening,
    },
}

impl Narrator {
    /// At the start of a run of `scenario`.
    pub fn new(scenario: &Scenario) -> Self {
        let models = (0..scenario.models.len() as u16).map(ModelIndex);
        Self { models: models.map(|model| ModelState::new(scenario, model)).collect() }
    }

    /// What is known of a model.
    ///
    /// # Panics
    /// The index is of another plan: a bug of the caller.
    #[inline]
    pub fn model(&self, model: ModelIndex) -> &ModelState {
        &self.models[usize::from(model.0)]
    }

    /// Tells on what `engine` has told last.
    pub fn follow(&mut self, engine: &Engine, event: Event, tell: &mut dyn FnMut(Told)) {
        let Event { at, model, kind } = event;
        let mut happened = |happening| tell(Told::Happened { at, happening });
        match kind {
            EventKind::SplitChanged => {
                if let Some(split) = engine.split(model) {
                    happened(Happening::SplitChanged { model, weights: split.weights().to_vec() });
                }
            }
            EventKind::Journal(entry) => {
                tell(Told::Journalled(entry));
                let state = self.model(model);
                let stable = engine.stable(model).map(|slot| state.place(slot));
                let Some(tags) = tags(state, engine, model) else { return };
                for happening in self.stands(model, stable, tags) {
                    tell(Told::Happened { at, happening });
                }
            }
            kind => {
                let state = &self.models[usize::from(model.0)];
                telling::happening(kind, model, state).into_iter().for_each(happened);
            }
        }
    }

    /// A model has this stable now and these tags with their holders; tells the tags that named a
    /// version before and do no more.
    pub fn stands(
        &mut self,
        model: ModelIndex,
        stable: Option<VersionIndex>,
        tags: Vec<(TagName, VersionIndex)>,
    ) -> Vec<Happening> {
        let state = &mut self.models[usize::from(model.0)];
        state.stable = stable;
        let mut before = std::mem::replace(&mut state.tags, tags);
        before.retain(|(tag, _)| !state.tags.iter().any(|(known, _)| known == tag));
        before.into_iter().map(|(tag, version)| Happening::TagLost { tag, version }).collect()
    }

    /// From now on the triggers of a model are those of `new`, which the command at `place` of the
    /// plan (a phase and a command, indices) has set. A trigger of `old` that goes on keeps its
    /// number.
    pub fn rules_replaced(
        &mut self,
        scenario: &Scenario,
        model: ModelIndex,
        place: (usize, usize),
        (old, new): (&RuleSet, &RuleSet),
    ) {
        let sets = scenario.rule_sets(model);
        let earlier = sets.take_while(|(at, _)| *at != Some(place));
        let first: usize = earlier.map(|(_, rules)| rules.triggers.len()).sum();
        let mut triggers: Vec<usize> = (first..first + new.triggers.len()).collect();
        let state = &mut self.models[usize::from(model.0)];
        for (index, number) in state.triggers.iter().enumerate() {
            if let Some(position) = new.position_of(old, index) {
                triggers[position] = *number;
            }
        }
        state.triggers = triggers;
    }
}

/// The tags of a model with their holders.
fn tags(
    state: &ModelState,
    engine: &Engine,
    model: ModelIndex,
) -> Option<Vec<(TagName, VersionIndex)>> {
    let tagged = |(tag, slot): (&TagName, Slot)| (tag.clone(), state.place(slot));
    Some(engine.catalog(model)?.tags().map(tagged).collect())
}
