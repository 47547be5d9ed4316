//! What a gateway elsewhere tells of itself, in the words of the plan. It names versions and rules;
//! the record counts them.
//!
//! What its journal has is read off the journal, every entry of which comes once, however often the
//! stream of its events breaks; off the other events only what the journal does not have. Entries
//! of models and keys that are not the run's are nobody's business here.

use std::collections::BTreeSet;

use serde_json::Value;

use super::asked::Asked;
use super::doubts::Doubts;
use super::far_rollout::{FarRollout, Moved};
use super::feed_event::FeedEvent;
use super::rule_numbers::RuleNumbers;
use super::stables::Stables;
use crate::director::{Narrator, Told};
use crate::engine::{Cause, Change, CommandKind, Entry, Evidence, RuleSet, Sealed, Shift};
use crate::exchange::{ModelIndex, VersionIndex};
use crate::record::{Arm, Happening};
use crate::scenario::Scenario;
use crate::store::import_entry;
use crate::units::{KeyId, ModelId, Ratio, TagName, Timestamp, VersionId};

/// Retells what a gateway tells.
pub(super) struct Retelling<'a> {
    scenario: &'a Scenario,
    whose: Whose,
    narrator: Narrator,
    models: Vec<FarModel>,
    revoked: BTreeSet<KeyId>,
    asked: Asked,
    doubts: Doubts,
    /// The last journal entry that was told.
    last_entry: u64,
}

/// What of a gateway is the run's.
#[derive(Clone, Debug, Default)]
pub(super) struct Whose {
    /// Whose commands they are.
    pub(super) operator: String,
    /// The access keys that were made for it.
    pub(super) keys: Vec<KeyId>,
}

/// What is known of a model.
#[derive(Clone, Debug, Default)]
struct FarModel {
    /// As they are there.
    rules: RuleSet,
    rollout: FarRollout,
    tags: Vec<(TagName, VersionIndex)>,
    stables: Stables,
    /// Of the firing that was told last: an entry says what it did, and another who is told.
    fired: Option<Box<Evidence>>,
}

impl<'a> Retelling<'a> {
    /// Of a gateway that has the rules which `scenario` begins with, after a journal entry.
    pub(super) fn new(scenario: &'a Scenario, whose: Whose, last_entry: u64) -> Self {
        let model = |rules: &RuleSet| FarModel { rules: rules.clone(), ..FarModel::default() };
        Self {
            scenario,
            whose,
            narrator: Narrator::new(scenario),
            models: scenario.models.iter().map(|plan| model(&plan.rules)).collect(),
            revoked: BTreeSet::new(),
            asked: Asked::default(),
            doubts: Doubts::default(),
            last_entry,
        }
    }

    /// The last journal entry that was told.
    pub(super) const fn last_entry(&self) -> u64 {
        self.last_entry
    }

    /// What speaks against the run.
    pub(super) const fn doubts(&self) -> &Doubts {
        &self.doubts
    }

    /// Whether an access key was revoked.
    pub(super) fn is_revoked(&self, key: &KeyId) -> bool {
        self.revoked.contains(key)
    }

    /// The stable of a model at a time.
    pub(super) fn stable(&self, model: ModelIndex, at: Timestamp) -> Option<VersionIndex> {
        self.models[usize::from(model.0)].stables.at(at)
    }

    /// On which side of the split a version stood at a time.
    pub(super) fn arm(&self, model: ModelIndex, version: VersionIndex, at: Timestamp) -> Arm {
        if self.stable(model, at) == Some(version) { Arm::Stable } else { Arm::Canary }
    }

    /// The gateway has these tags of a model, and its rollout is in this state, as a status names
    /// it, before all that is told.
    pub(super) fn stands(
        &mut self,
        model: ModelIndex,
        tags: Vec<(TagName, VersionIndex)>,
        rollout: &str,
    ) {
        let known = &mut self.models[usize::from(model.0)];
        known.rollout = FarRollout::ended(rollout);
        known.tags = tags;
        // Nothing was there before that could be lost.
        let _ = self.tags_changed(Timestamp::EPOCH, model);
    }

    /// A command of a model was accepted, whose entry is still to be told.
    pub(super) fn asks(&mut self, model: ModelIndex, kind: &CommandKind) {
        self.asked.push(model, kind);
    }

    /// All entries have been told that there are.
    pub(super) fn all_told(&mut self) {
        self.asked.clear();
    }

    /// An event in the words of the plan; none: it is none of the run's, or cannot be read, which
    /// is doubted. `numbers` says which rule sets are to be set next.
    pub(super) fn retell(&mut self, event: &FeedEvent, numbers: &mut RuleNumbers) -> Vec<Told> {
        match event.entry {
            Some(number) => {
                self.last_entry = self.last_entry.max(number);
                self.journalled(&event.data, numbers)
            }
            None => self.besides(event).into_iter().collect(),
        }
    }

    fn journalled(&mut self, data: &str, numbers: &mut RuleNumbers) -> Vec<Told> {
        let Ok(sealed) = import_entry(data) else {
            let told: Value = serde_json::from_str(data).unwrap_or_default();
            if told["model"].as_str().is_none_or(|model| self.model(model).is_some()) {
                self.doubts.unreadable();
            }
            return Vec::new();
        };
        let entry = sealed.entry();
        let Some(model) = self.model_of(entry) else { return Vec::new() };
        if !self.is_wanted(model, entry) {
            self.doubts.of_others(entry);
        }
        let at = entry.at;
        let happenings = self.happenings(model, entry).unwrap_or_else(|| {
            self.doubts.unreadable();
            Vec::new()
        });
        let mut told: Vec<Told> =
            happenings.into_iter().map(|happening| Told::Happened { at, happening }).collect();
        self.follow(model, &sealed, numbers);
        let lost = self.follow_tags(model, entry);
        told.push(Told::Journalled(Box::new(sealed)));
        told.extend(lost.into_iter().map(|happening| Told::Happened { at, happening }));
        told
    }

    /// Whose deployment an entry is about that is the run's; of its keys the first one's.
    fn model_of(&self, entry: &Entry) -> Option<ModelIndex> {
        match &entry.change {
            Change::KeyCreated { key, .. }
            | Change::KeyRegenerated { key, .. }
            | Change::KeyRevoked { key } => self.whose.keys.contains(key).then_some(ModelIndex(0)),
            Change::KeysInvalidated { made_for, .. } => self.model(made_for.model.as_str()),
            _ => self.model(entry.model.as_ref().map(ModelId::as_str)?),
        }
    }

    /// Whether the run asked for what an entry says, or the gateway itself did it.
    fn is_wanted(&mut self, model: ModelIndex, entry: &Entry) -> bool {
        let Cause::Command { by } = &entry.cause else { return true };
        match &entry.change {
            // A note on a version changes nothing of it, and what else follows from a rollback.
            Change::Evaluated { .. } | Change::KeysInvalidated { .. } => true,
            // For a version its client asks.
            Change::KeyRegenerated { key, .. } => *by == self.whose.operator || by == key.as_str(),
            Change::KeyRevoked { .. } => {
                *by == self.whose.operator && self.asked.take(None, &entry.change)
            }
            change => *by == self.whose.operator && self.asked.take(Some(model), change),
        }
    }

    /// What has happened by an entry; `None`: it names what the plan does not have.
    fn happenings(&mut self, model: ModelIndex, entry: &Entry) -> Option<Vec<Happening>> {
        let mut told = Vec::new();
        if let Cause::Trigger(evidence) = &entry.cause
            && self.models[usize::from(model.0)].fired.as_ref() != Some(evidence)
        {
            let (trigger, version) = self.fired(model, evidence)?;
            told.push(Happening::Fired { trigger, version, evidence: evidence.clone() });
            self.models[usize::from(model.0)].fired = Some(evidence.clone());
        }
        match &entry.change {
            Change::RolledBack { version, target, .. } => {
                let target = self.version(model, target)?;
                let version = version.as_ref().and_then(|version| self.version(model, version));
                told.push(Happening::RolledBack { version, target });
            }
            Change::Notified { recipients, refused } => {
                let Cause::Trigger(evidence) = &entry.cause else { return Some(told) };
                let (trigger, version) = self.fired(model, evidence)?;
                if refused.is_some() {
                    told.push(Happening::RollbackRefused { version, why: *refused });
                }
                if !recipients.is_nobody() {
                    let recipients = recipients.clone();
                    told.push(Happening::Notified { trigger, version, recipients });
                }
            }
            Change::KeysInvalidated { keys, made_for } => {
                let (version, keys) = (self.version(model, &made_for.version)?, keys.clone());
                told.push(Happening::KeysInvalidated { version, keys });
            }
            Change::ObservationLost { .. } => self.doubts.restarted(),
            _ => {}
        }
        let moved = self.models[usize::from(model.0)].rollout.follow(&entry.change);
        if let Some(Moved { version, from, to }) = moved {
            let version = self.version(model, &version)?;
            told.push(Happening::RolloutMoved { version, from, to });
        }
        told.extend(entry.change.shift().map(|shift| self.split_changed(model, shift)));
        Some(told)
    }

    /// The plan's number for the rule that fired, and the version on which it did.
    fn fired(&self, model: ModelIndex, evidence: &Evidence) -> Option<(usize, VersionIndex)> {
        Some((self.trigger(model, &evidence.trigger)?, self.version(model, &evidence.version)?))
    }

    fn split_changed(&mut self, model: ModelIndex, shift: &Shift) -> Happening {
        for (version, _) in shift.split.iter().filter(|(_, weight)| *weight > Ratio::ZERO) {
            if self.version(model, version).is_none() {
                self.doubts.strange(version);
            }
        }
        let weight = |id: &VersionId| {
            let found = shift.split.iter().find(|(version, _)| version == id);
            found.map_or(Ratio::ZERO, |(_, weight)| *weight)
        };
        let versions = &self.scenario.models[usize::from(model.0)].versions;
        let weights = versions.iter().map(|version| weight(&version.id)).collect();
        Happening::SplitChanged { model, weights }
    }

    fn follow(&mut self, model: ModelIndex, sealed: &Sealed, numbers: &mut RuleNumbers) {
        let rules = match &sealed.entry().change {
            Change::KeyRevoked { key } => {
                self.revoked.insert(key.clone());
                return;
            }
            Change::Rules { rules } | Change::DefaultRulesFollowed { rules } => rules,
            _ => return,
        };
        self.models[usize::from(model.0)].rules = (**rules).clone();
        if let Some(set) = numbers.set_by(model, sealed) {
            let (before, now) = (&set.before, &set.now);
            self.narrator.rules_replaced(self.scenario, model, set.place, (before, now));
            numbers.renumber(model, self.narrator.model(model).triggers().to_vec());
        }
    }

    /// The tags as an entry has left them; tells those that no version has any more.
    fn follow_tags(&mut self, model: ModelIndex, entry: &Entry) -> Vec<Happening> {
        let set = match &entry.change {
            Change::Tagged { tag, version, .. } => Some((tag.as_str(), Some(version))),
            Change::Promoted { version, .. } => Some((STABLE, Some(version))),
            _ => None,
        };
        let dropped = entry.change.shift().into_iter().flat_map(|shift| &shift.dropped_tags);
        let moves: Vec<_> = dropped.map(|tag| (tag.as_str(), None)).chain(set).collect();
        if moves.is_empty() {
            return Vec::new();
        }
        for (tag, to) in moves {
            let to = to.and_then(|version| self.version(model, version));
            let tags = &mut self.models[usize::from(model.0)].tags;
            tags.retain(|(known, _)| known.as_str() != tag);
            tags.extend(to.and_then(|to| Some((TagName::new(tag).ok()?, to))));
        }
        self.tags_changed(entry.at, model)
    }

    fn tags_changed(&mut self, at: Timestamp, model: ModelIndex) -> Vec<Happening> {
        let known = &mut self.models[usize::from(model.0)];
        let holder = known.tags.iter().find(|(tag, _)| tag.as_str() == STABLE);
        let stable = holder.map(|(_, version)| *version);
        known.stables.set(at, stable);
        self.narrator.stands(model, stable, known.tags.clone())
    }

    /// An event that the journal does not have.
    fn besides(&mut self, event: &FeedEvent) -> Option<Told> {
        if !BESIDES.contains(&event.name.as_str()) {
            return None;
        }
        let Ok(told) = serde_json::from_str::<Value>(&event.data) else {
            self.doubts.unreadable();
            return None;
        };
        let model = self.model(told["model"].as_str().unwrap_or_default())?;
        let read = || {
            let at: Timestamp = told["at"].as_str()?.parse().ok()?;
            let version = VersionId::new(told["data"]["version"].as_str()?).ok()?;
            let version = self.version(model, &version)?;
            let trigger = || self.trigger(model, told["data"]["rule"].as_str()?);
            let happening = match event.name.as_str() {
                BREACH_BEGAN => Happening::BreachBegan { trigger: trigger()?, version },
                BREACH_ENDED => Happening::BreachEnded { trigger: trigger()?, version },
                _ => Happening::Drained { version },
            };
            Some(Told::Happened { at, happening })
        };
        let told = read();
        if told.is_none() {
            self.doubts.unreadable();
        }
        told
    }

    fn model(&self, id: &str) -> Option<ModelIndex> {
        let place = self.scenario.models.iter().position(|model| model.id.as_str() == id)?;
        Some(ModelIndex(place as u16))
    }

    fn version(&self, model: ModelIndex, id: &VersionId) -> Option<VersionIndex> {
        let versions = &self.scenario.models[usize::from(model.0)].versions;
        let place = versions.iter().position(|version| version.id == *id)?;
        Some(VersionIndex(self.scenario.first_version(model).0 + place as u16))
    }

    /// The plan's number for a rule.
    fn trigger(&self, model: ModelIndex, id: &str) -> Option<usize> {
        let triggers = &self.models[usize::from(model.0)].rules.triggers;
        let place = triggers.iter().position(|trigger| trigger.id == id)?;
        Some(self.narrator.model(model).trigger(place))
    }
}

const STABLE: &str = "stable";
const BREACH_BEGAN: &str = "breach_began";
const BREACH_ENDED: &str = "breach_ended";
/// What the journal does not have. Why a step waits and what is odd about a split is told in words
/// alone, and left out.
const BESIDES: [&str; 3] = [BREACH_BEGAN, BREACH_ENDED, "drained"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Digest, MadeFor, SealError};
    use crate::scenario::fixture::load_phases;
    use crate::store::ExportedEntry;

    const RULES: &str = "rules: {conditions: [{id: errors, metric: error_rate, operator: '>', \
                         threshold: 0.1, duration_seconds: 1, action: notify}]}";

    fn plan() -> Scenario {
        load_phases(RULES, &["split: {v1: 100%}"]).unwrap().scenario
    }

    fn retelling(scenario: &Scenario) -> Retelling<'_> {
        let keys = vec![KeyId::new("search").unwrap()];
        let mut retelling =
            Retelling::new(scenario, Whose { operator: "admin".to_owned(), keys }, 3);
        let tags = vec![(TagName::new("stable").unwrap(), VersionIndex(0))];
        retelling.stands(ModelIndex(0), tags, "idle");
        retelling
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second)
    }

    fn id(name: &str) -> VersionId {
        VersionId::new(name).unwrap()
    }

    /// An entry of the model `model`, or of keys, made by command.
    fn entry(number: u64, model: Option<&str>, by: &str, change: Change) -> FeedEvent {
        let entry = Entry {
            number,
            at: at(number as i64),
            model: model.map(|model| ModelId::new(model).unwrap()),
            cause: Cause::Command { by: by.to_owned() },
            change,
            previous: Digest::of(b""),
        };
        let Err(SealError::Hash { found, .. }) = Sealed::stated(entry.clone(), Digest::of(b""))
        else {
            panic!("that is not its hash");
        };
        let sealed = Sealed::stated(entry, found).unwrap();
        let data = serde_json::to_string(&ExportedEntry::from(&sealed)).unwrap();
        FeedEvent { entry: Some(number), name: "journal".to_owned(), data }
    }

    fn event(name: &str, data: &str) -> FeedEvent {
        let data = format!("{{\"at\": \"1970-01-01T00:00:09Z\", {data}}}");
        FeedEvent { entry: None, name: name.to_owned(), data }
    }

    fn happenings(told: Vec<Told>) -> Vec<Happening> {
        let happened = told.into_iter().filter_map(|told| match told {
            Told::Happened { happening, .. } => Some(happening),
            Told::Journalled(_) => None,
        });
        happened.collect()
    }

    fn hear(retelling: &mut Retelling<'_>, event: &FeedEvent) -> Vec<Told> {
        retelling.retell(event, &mut RuleNumbers::default())
    }

    fn key_revoked(key: &str) -> Change {
        Change::KeyRevoked { key: KeyId::new(key).unwrap() }
    }

    fn tagged(tag: &str, version: &str) -> Change {
        Change::Tagged {
            tag: TagName::new(tag).unwrap(),
            version: id(version),
            previous: None,
            preserve_previous: true,
        }
    }

    #[test]
    fn entries_of_other_models_and_keys_are_passed_over_and_counted_as_told() {
        let scenario = plan();
        let mut retelling = retelling(&scenario);
        for other in [
            entry(4, Some("other"), "somebody", Change::BakeOver),
            entry(5, None, "somebody", key_revoked("theirs")),
        ] {
            assert_eq!(hear(&mut retelling, &other), []);
        }
        assert_eq!((retelling.last_entry(), retelling.doubts().told()), (5, Vec::new()));
        let own = hear(&mut retelling, &entry(6, None, "somebody", key_revoked("search")));
        assert!(matches!(own[..], [Told::Journalled(_)]) && retelling.doubts().told().len() == 1);
        assert!(retelling.is_revoked(&KeyId::new("search").unwrap()));
    }

    #[test]
    fn the_side_of_a_version_is_that_of_the_time() {
        let scenario = plan();
        let mut retelling = retelling(&scenario);
        let promoted = Change::Promoted {
            version: id("v2"),
            former_stable: Some(id("v1")),
            bake: crate::units::Duration::ZERO,
            shift: Shift::default(),
        };
        retelling.asks(ModelIndex(0), &CommandKind::Resume);
        hear(&mut retelling, &entry(20, Some("m"), "admin", promoted));
        let arms = |retelling: &Retelling<'_>, second| {
            [0, 1].map(|version| retelling.arm(ModelIndex(0), VersionIndex(version), at(second)))
        };
        assert_eq!(arms(&retelling, 19), [Arm::Stable, Arm::Canary]);
        assert_eq!(arms(&retelling, 20), [Arm::Canary, Arm::Stable]);
        // To one that the plan does not have: it is lost, and nobody is the stable.
        let moved = hear(&mut retelling, &entry(30, Some("m"), "admin", tagged("stable", "real")));
        let (tag, version) = (TagName::new("stable").unwrap(), VersionIndex(1));
        assert_eq!(happenings(moved), [Happening::TagLost { tag, version }]);
        assert_eq!(arms(&retelling, 30), [Arm::Canary, Arm::Canary]);
    }

    #[test]
    fn what_names_nothing_that_the_plan_has_is_doubted() {
        let scenario = plan();
        let mut retelling = retelling(&scenario);
        let known =
            event("breach_began", r#""model": "m", "data": {"rule": "errors", "version": "v2"}"#);
        let began = Happening::BreachBegan { trigger: 0, version: VersionIndex(1) };
        assert_eq!(happenings(hear(&mut retelling, &known)), [began]);
        let drained = event("drained", r#""model": "m", "data": {"version": "v2"}"#);
        let expected = Happening::Drained { version: VersionIndex(1) };
        assert_eq!(happenings(hear(&mut retelling, &drained)), [expected]);
        // Of another model, or of a kind that is left out.
        for other in [
            event("breach_began", r#""model": "x", "data": {"rule": "theirs", "version": "v2"}"#),
            event("split_skew", r#""model": "m", "data": {"found": "words"}"#),
        ] {
            assert_eq!(hear(&mut retelling, &other), []);
        }
        assert_eq!(retelling.doubts().told(), [""; 0]);
        for (odd, count) in [
            event("breach_ended", r#""model": "m", "data": {"rule": "later", "version": "v2"}"#),
            event("drained", r#""model": "m", "data": {"version": 7}"#),
            FeedEvent { data: "{".to_owned(), ..drained.clone() },
            FeedEvent {
                data: r#"{"number": 8, "model": "m"}"#.to_owned(),
                ..entry(8, None, "", Change::BakeOver)
            },
        ]
        .iter()
        .zip(1..)
        {
            assert_eq!(hear(&mut retelling, odd), []);
            let told = retelling.doubts().told();
            assert!(told[0].starts_with(&format!("{count} event")), "{odd:?}: {told:?}");
        }
        // An entry of another model, of whatever version, is nobody's business.
        let foreign = FeedEvent {
            data: r#"{"number": 9, "model": "x"}"#.to_owned(),
            ..entry(9, None, "", Change::BakeOver)
        };
        hear(&mut retelling, &foreign);
        assert!(retelling.doubts().told()[0].starts_with("4 events"));
    }

    #[test]
    fn keys_that_a_rollback_invalidates_are_told_and_versions_of_others_doubted() {
        let scenario = plan();
        let mut retelling = retelling(&scenario);
        let made_for = MadeFor { model: ModelId::new("m").unwrap(), version: id("v2") };
        let keys = vec![KeyId::new("search").unwrap()];
        let change = Change::KeysInvalidated { keys: keys.clone(), made_for };
        let told = happenings(hear(&mut retelling, &entry(4, None, "", change)));
        assert_eq!(told, [Happening::KeysInvalidated { version: VersionIndex(1), keys }]);
        let split =
            vec![(id("v1"), Ratio::new(0.5).unwrap()), (id("real"), Ratio::new(0.5).unwrap())];
        let shift = Shift { split, ..Shift::default() };
        retelling.asks(ModelIndex(0), &CommandKind::Abort);
        let aborted = Change::RolloutAborted { shift };
        let told = happenings(hear(&mut retelling, &entry(5, Some("m"), "admin", aborted)));
        let half = Ratio::new(0.5).unwrap();
        let weights = vec![half, Ratio::ZERO, Ratio::ZERO];
        assert_eq!(told, [Happening::SplitChanged { model: ModelIndex(0), weights }]);
        let doubts = retelling.doubts().told();
        assert!(doubts.last().unwrap().contains("version real"), "{doubts:?}");
    }
}
