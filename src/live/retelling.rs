//! What a gateway elsewhere tells of itself, in the words of the plan. It names versions and rules;
//! the record counts them.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::error::LiveError;
use super::feed_event::FeedEvent;
use super::rule_numbers::RuleNumbers;
use crate::director::{Narrator, Told};
use crate::engine::{Change, NoTarget, RuleSet, Sealed};
use crate::exchange::{ModelIndex, VersionIndex};
use crate::record::{Arm, Happening};
use crate::scenario::Scenario;
use crate::store::import_entry;
use crate::units::{KeyId, Ratio, Timestamp};

/// Retells what a gateway tells.
pub(super) struct Retelling<'a> {
    scenario: &'a Scenario,
    pub(super) narrator: Narrator,
    /// The rules of each model as they are there.
    rules: Vec<RuleSet>,
    revoked: BTreeSet<KeyId>,
    /// The last journal entry that was told.
    last_entry: u64,
}

impl<'a> Retelling<'a> {
    /// Of a gateway that has the rules which `scenario` begins with, after a journal entry.
    pub(super) fn new(scenario: &'a Scenario, last_entry: u64) -> Self {
        let rules = scenario.models.iter().map(|model| model.rules.clone()).collect();
        let narrator = Narrator::new(scenario);
        Self { scenario, narrator, rules, revoked: BTreeSet::new(), last_entry }
    }

    /// The last journal entry that was told.
    pub(super) const fn last_entry(&self) -> u64 {
        self.last_entry
    }

    /// Whether an access key was revoked.
    pub(super) fn is_revoked(&self, key: &KeyId) -> bool {
        self.revoked.contains(key)
    }

    /// The stable of a model.
    pub(super) fn stable(&self, model: ModelIndex) -> Option<VersionIndex> {
        self.narrator.model(model).stable()
    }

    /// On which side of the split a version stands.
    pub(super) fn arm(&self, model: ModelIndex, version: VersionIndex) -> Arm {
        self.narrator.model(model).arm(version)
    }

    /// An event in the words of the plan; `None`: it is none of the run's. `numbers` says which
    /// rule sets are to be set next.
    ///
    /// # Errors
    /// It is a journal entry that this version of coalmine does not know.
    pub(super) fn retell(
        &mut self,
        event: &FeedEvent,
        numbers: &mut RuleNumbers,
    ) -> Result<Option<Told>, LiveError> {
        if let Some(entry) = event.entry {
            self.last_entry = self.last_entry.max(entry);
            let sealed = import_entry(&event.data).map_err(|error| {
                LiveError::Interface(format!("its journal cannot be read: {error}"))
            })?;
            self.follow(&sealed, numbers);
            return Ok(Some(Told::Journalled(Box::new(sealed))));
        }
        let told: Value = serde_json::from_str(&event.data).unwrap_or_default();
        let happened = || {
            let at: Timestamp = told["at"].as_str()?.parse().ok()?;
            let model = self.model(told["model"].as_str()?)?;
            let happening = self.happening(&event.name, model, &told["data"])?;
            Some(Told::Happened { at, happening })
        };
        Ok(happened())
    }

    fn follow(&mut self, sealed: &Sealed, numbers: &mut RuleNumbers) {
        let entry = sealed.entry();
        if let Change::KeyRevoked { key, .. } = &entry.change {
            self.revoked.insert(key.clone());
        }
        let model = entry.model.as_ref().and_then(|id| self.model(id.as_str()));
        let (Some(model), Change::Rules { rules }) = (model, &entry.change) else { return };
        self.rules[usize::from(model.0)] = (**rules).clone();
        if let Some(set) = numbers.set_by(model, sealed) {
            let (before, now) = (&set.before, &set.now);
            self.narrator.rules_replaced(self.scenario, model, set.place, (before, now));
            numbers.renumber(model, self.narrator.model(model).triggers().to_vec());
        }
    }

    fn happening(&self, name: &str, model: ModelIndex, data: &Value) -> Option<Happening> {
        let version = |member: &str| self.version(model, data[member].as_str()?);
        let trigger = || self.trigger(model, data["rule"].as_str()?);
        Some(match name {
            "split_changed" => {
                let plan = &self.scenario.models[usize::from(model.0)];
                let weight = |id: &str| Ratio::new(data["split"][id].as_f64()?).ok();
                let weights = plan.versions.iter().map(|version| weight(version.id.as_str()));
                let weights = weights.map(|weight| weight.unwrap_or(Ratio::ZERO)).collect();
                Happening::SplitChanged { model, weights }
            }
            "breach_began" => {
                Happening::BreachBegan { trigger: trigger()?, version: version("version")? }
            }
            "breach_ended" => {
                Happening::BreachEnded { trigger: trigger()?, version: version("version")? }
            }
            "fired" => {
                let evidence = Box::new(read(&data["evidence"])?);
                Happening::Fired { trigger: trigger()?, version: version("version")?, evidence }
            }
            "notified" => {
                let recipients = self.rules[usize::from(model.0)].notification.clone();
                let (trigger, version) = (trigger()?, version("version")?);
                Happening::Notified { trigger, version, recipients }
            }
            "rolled_back" => {
                Happening::RolledBack { version: version("version"), target: version("target")? }
            }
            "rollback_refused" => {
                let why = no_target(data["why"].as_str().unwrap_or_default());
                Happening::RollbackRefused { version: version("version")?, why }
            }
            "drained" => Happening::Drained { version: version("version")? },
            "rollout_moved" => {
                let (from, to) = (read(&data["from"])?, read(&data["to"])?);
                Happening::RolloutMoved { version: version("version")?, from, to }
            }
            // Why a step waits and what is odd about a split it tells in words alone.
            _ => return None,
        })
    }

    fn model(&self, id: &str) -> Option<ModelIndex> {
        let place = self.scenario.models.iter().position(|model| model.id.as_str() == id)?;
        Some(ModelIndex(place as u16))
    }

    fn version(&self, model: ModelIndex, id: &str) -> Option<VersionIndex> {
        let versions = &self.scenario.models[usize::from(model.0)].versions;
        let place = versions.iter().position(|version| version.id.as_str() == id)?;
        Some(VersionIndex(self.scenario.first_version(model).0 + place as u16))
    }

    /// The plan's number for a rule.
    fn trigger(&self, model: ModelIndex, id: &str) -> Option<usize> {
        let triggers = &self.rules[usize::from(model.0)].triggers;
        let place = triggers.iter().position(|trigger| trigger.id == id)?;
        Some(self.narrator.model(model).trigger(place))
    }
}

fn read<T: DeserializeOwned>(value: &Value) -> Option<T> {
    serde_json::from_value(value.clone()).ok()
}

/// The reason that the interface names by its variant.
fn no_target(name: &str) -> Option<NoTarget> {
    let all = [NoTarget::Missing, NoTarget::AtFault, NoTarget::RolledBack, NoTarget::Unreachable];
    all.into_iter().find(|why| format!("{why:?}") == name)
}
