//! Everything that one run left behind.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::{Blast, Bursts, Cell, JournalCopy, KeyRejections, Series, SplitSpan, Tally, Timeline};
use crate::engine::Assignment;
use crate::engine::Evidence;
use crate::exchange::{ModelIndex, VersionIndex};
use crate::units::{KeyId, ModelId, Price, TagName, Timestamp, VersionId};

/// Everything that one run left behind: integers, so that the same run gives the same bytes.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Record {
    /// The seed of all draws.
    pub seed: u64,
    /// Engine time of the first instant.
    pub start: Timestamp,
    /// Engine time at which the last request had ended and the last phase was over.
    pub end: Timestamp,
    /// The models under rehearsal; a [`VersionIndex`] counts in their versions one after the other.
    pub models: Vec<ModelInfo>,
    /// The access keys of the workload's clients, in its order; empty where it has none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clients: Vec<KeyId>,
    /// The phases that were reached, in order.
    pub phases: Vec<PhaseSpan>,
    /// Requests by phase, version and arm; those that never came are absent.
    pub cells: Vec<Cell>,
    /// Traffic over time.
    pub series: Series,
    /// What clients saw of each split, in the order of their beginnings.
    pub splits: Vec<SplitSpan>,
    /// What happened.
    pub timeline: Timeline,
    /// The rollbacks among it, with what was true.
    pub rollbacks: Vec<Rollback>,
    /// The versions that rollouts made the stable.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub promotions: Vec<Promotion>,
    /// The tags that were lost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lost_tags: Vec<LostTag>,
    /// The commands that were refused or never given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub undone_commands: Vec<UndoneCommand>,
    /// The harm that bad versions did.
    pub blasts: Vec<Blast>,
    /// The bad stretches of upstreams whose failures come in bursts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bursts: Vec<Bursts>,
    /// Requests that were refused for their access key.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub key_rejections: Vec<KeyRejections>,
    /// How each trigger fared.
    pub rules: Vec<RuleHealth>,
    /// The engine's own account.
    pub journal: JournalCopy,
}

/// A model, as reports name it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ModelInfo {
    /// Its name.
    pub id: ModelId,
    /// How its split chooses at the start.
    pub assignment: Assignment,
    /// Its versions.
    pub versions: Vec<VersionInfo>,
    /// The names of its triggers, in the order of its rule sets: events name them by their place.
    pub triggers: Vec<String>,
}

/// A version, as reports name it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct VersionInfo {
    /// Its name.
    pub id: VersionId,
    /// Its tags at the start.
    pub tags: Vec<TagName>,
    /// What it charges, where stated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price: Option<Price>,
}

impl Record {
    /// What metrics are made from, without its course: no series, timeline and journal.
    #[must_use]
    pub fn without_course(mut self) -> Self {
        self.series.versions.iter_mut().for_each(Vec::clear);
        self.timeline = Timeline { omitted: self.timeline.total(), events: Vec::new() };
        self.journal = JournalCopy { omitted: self.journal.total(), ..JournalCopy::default() };
        self
    }

    /// The versions of all models, in the order in which a [`VersionIndex`] counts them.
    pub fn versions(&self) -> impl Iterator<Item = &VersionInfo> + Clone {
        self.models.iter().flat_map(|model| &model.versions)
    }

    /// How many requests were sent: those that were assigned, those that a cache answered and those
    /// that were refused for their key.
    pub fn requests(&self) -> u64 {
        // Each is among the one or the other when it has ended.
        let ended =
            |cell: &Cell| cell.tally.completed() + cell.finals.as_ref().map_or(0, Tally::completed);
        self.cells.iter().map(ended).sum::<u64>() + self.refused_for_keys()
    }

    /// How many requests were refused for their key, before any version saw them.
    pub fn refused_for_keys(&self) -> u64 {
        self.key_rejections.iter().map(|rejections| rejections.count).sum()
    }

    /// A version; `None` where there is none of this index.
    pub fn version(&self, index: VersionIndex) -> Option<&VersionInfo> {
        self.versions().nth(usize::from(index.0))
    }

    /// The places of a model's versions in the list over all models; empty where there is no such
    /// model.
    pub fn versions_of(&self, model: ModelIndex) -> Range<u16> {
        let before = self.models.iter().take(usize::from(model.0));
        let start: usize = before.map(|model| model.versions.len()).sum();
        let own = self.models.get(usize::from(model.0)).map_or(0, |model| model.versions.len());
        start as u16..(start + own) as u16
    }

    /// The model of a version; `None` where there is no such version.
    pub fn model_of(&self, version: VersionIndex) -> Option<ModelIndex> {
        let mut models = (0..self.models.len() as u16).map(ModelIndex);
        models.find(|model| self.versions_of(*model).contains(&version.0))
    }

    /// The name of a trigger of the model that `version` is of; empty where there is none.
    pub fn trigger(&self, version: VersionIndex, index: usize) -> &str {
        let model = self.model_of(version).map(|model| &self.models[usize::from(model.0)]);
        model.and_then(|model| model.triggers.get(index)).map_or("", String::as_str)
    }
}

/// A phase and its time.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct PhaseSpan {
    /// Its name.
    pub name: String,
    /// Its first instant.
    pub start: Timestamp,
    /// The first instant after it.
    pub end: Timestamp,
}

/// A rollback that a trigger carried out, held against the truth.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Rollback {
    /// When.
    pub at: Timestamp,
    /// The phase in which it came (an index).
    pub phase: u16,
    /// The version at fault.
    pub version: VersionIndex,
    /// Where the traffic went.
    pub target: VersionIndex,
    /// What the trigger saw.
    pub evidence: Evidence,
    /// When the version became bad, or was activated, if later; absent where it was not bad at any
    /// time since its activation: a false rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub onset: Option<Timestamp>,
}

/// A version that a rollout made the stable.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Promotion {
    /// When.
    pub at: Timestamp,
    /// The phase in which it came (an index).
    pub phase: u16,
    /// Which.
    pub version: VersionIndex,
}

/// A tag that named a version and then none.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LostTag {
    /// When it was lost.
    pub at: Timestamp,
    /// The phase in which it was (an index).
    pub phase: u16,
    /// The version that it named last.
    pub version: VersionIndex,
    /// The tag.
    pub tag: TagName,
}

/// A command of the plan that was not carried out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct UndoneCommand {
    /// When it was refused, or when it was certain that it is never given.
    pub at: Timestamp,
    /// The phase in which that was (an index).
    pub phase: u16,
    /// Which model it was for (an index); absent for one about keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelIndex>,
    /// Whether it was given, and refused.
    pub given: bool,
}

/// How one trigger fared on one version over a run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RuleHealth {
    /// The trigger's name.
    pub trigger: String,
    /// The version it watched.
    pub version: VersionIndex,
    /// Whether it is a judge: one that has seen no error has nothing to go by, and misses nothing.
    pub judge: bool,
    /// Checks made.
    pub checks: u64,
    /// Checks that had too little data.
    pub no_data: u64,
    /// Checks at which the comparison held.
    pub breaches: u64,
    /// Firings.
    pub firings: u64,
    /// The longest that the timer grew, in nanoseconds.
    pub longest_timer: crate::units::Duration,
    /// How far a judge had come on the way to a breach when it ceased to watch, 1 of one that found
    /// one; absent of conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<crate::units::Ratio>,
}
