//! How the deployments of all models stand, as far as it decides what a phase means and deploys.

use crate::engine::{Engine, RolloutState, Slot};
use crate::exchange::{ModelIndex, VersionIndex};
use crate::scenario::Scenario;
use crate::units::TagName;

/// How the deployments of all models stand, in the order of the plan.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Standing {
    /// One for each model.
    pub models: Vec<ModelStanding>,
}

/// How the deployment of a model stands.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct ModelStanding {
    /// Its tags with their holders.
    pub tags: Vec<(TagName, VersionIndex)>,
    /// The versions that were rolled back and not deployed again.
    pub rolled_back: Vec<VersionIndex>,
    /// The version that a rollout has promoted and rules still cover.
    pub promoted: Option<VersionIndex>,
}

impl Standing {
    /// As `engine` has it.
    pub fn of(engine: &Engine, scenario: &Scenario) -> Self {
        let models = (0..scenario.models.len() as u16).map(ModelIndex);
        Self { models: models.map(|model| ModelStanding::of(engine, scenario, model)).collect() }
    }

    /// The version that a tag of a model names; `None`: none.
    pub fn holder(&self, model: ModelIndex, tag: &TagName) -> Option<VersionIndex> {
        let tags = &self.models.get(usize::from(model.0))?.tags;
        tags.iter().find(|(known, _)| known == tag).map(|(_, version)| *version)
    }

    /// Whether a version was rolled back and not deployed again.
    pub fn is_rolled_back(&self, version: VersionIndex) -> bool {
        self.models.iter().any(|model| model.rolled_back.contains(&version))
    }

    /// The version of a model that a rollout has promoted and rules still cover.
    pub fn promoted(&self, model: ModelIndex) -> Option<VersionIndex> {
        self.models.get(usize::from(model.0))?.promoted
    }
}

impl ModelStanding {
    fn of(engine: &Engine, scenario: &Scenario, model: ModelIndex) -> Self {
        let Some(catalog) = engine.catalog(model) else { return Self::default() };
        let first = scenario.first_version(model);
        let place = |slot: Slot| VersionIndex(first.0 + slot.0);
        let promoted = engine.rollout(model).filter(|it| it.state() == RolloutState::Promoted);
        Self {
            tags: catalog.tags().map(|(tag, slot)| (tag.clone(), place(slot))).collect(),
            rolled_back: catalog
                .slots()
                .filter(|slot| catalog.is_rolled_back(*slot))
                .map(place)
                .collect(),
            promoted: promoted.and_then(|rollout| rollout.version()).map(place),
        }
    }
}
