//! A model as its journal entries tell it, kept without the engine's state: what the engine's
//! answers are held against.

use std::collections::{BTreeMap, BTreeSet};

use super::refuted::{Checked, Claim, claim};
use crate::engine::{
    Action, Assignment, Cause, Change, Entry, Evidence, Policies, RolloutState, RuleSet,
    Safeguards, Shift, Slot,
};
use crate::units::{Price, TagName, VersionId};

/// What is known of a model.
#[derive(Clone, Debug)]
pub(super) struct Account {
    pub(super) safeguards: Safeguards,
    pub(super) versions: Vec<VersionId>,
    /// By slot.
    pub(super) prices: Vec<Option<Price>>,
    pub(super) tags: BTreeMap<TagName, Slot>,
    /// By slot.
    pub(super) weights: Vec<f64>,
    pub(super) rolled_back: BTreeSet<Slot>,
    pub(super) rules: RuleSet,
    pub(super) policies: Policies,
    pub(super) assignment: Assignment,
    /// The promoted version while the rules cover it.
    pub(super) baking: Option<Slot>,
    /// Whether a rollout is under way and not paused.
    stepping: bool,
    /// Who held `stable` before, the last one last.
    earlier_stables: Vec<Slot>,
}

impl Account {
    pub(super) fn new(safeguards: Safeguards) -> Self {
        Self {
            safeguards,
            versions: Vec::new(),
            prices: Vec::new(),
            tags: BTreeMap::new(),
            weights: Vec::new(),
            rolled_back: BTreeSet::new(),
            rules: RuleSet::default(),
            policies: Policies::default(),
            assignment: Assignment::default(),
            baking: None,
            stepping: false,
            earlier_stables: Vec::new(),
        }
    }

    pub(super) fn stable(&self) -> Option<Slot> {
        self.tags.iter().find(|(tag, _)| tag.as_str() == "stable").map(|(_, slot)| *slot)
    }

    /// The refuge of a rollback of `fault`: the last that held `stable`, now or before, and is
    /// sound.
    pub(super) fn last_stable(&self, fault: Slot) -> Option<Slot> {
        let before = self.earlier_stables.iter().rev().copied();
        let mut holders = self.stable().into_iter().chain(before);
        holders.find(|slot| *slot != fault && !self.rolled_back.contains(slot))
    }

    pub(super) fn weight(&self, slot: Slot) -> f64 {
        self.weights.get(usize::from(slot.0)).copied().unwrap_or_default()
    }

    pub(super) fn slot(&self, id: &str) -> Option<Slot> {
        let place = self.versions.iter().position(|version| version.as_str() == id);
        place.map(|place| Slot(place as u16))
    }

    /// The version that a name names: an id first, then a tag.
    pub(super) fn resolve(&self, name: &str) -> Option<Slot> {
        let tagged = || self.tags.iter().find(|(tag, _)| tag.as_str() == name);
        self.slot(name).or_else(|| tagged().map(|(_, slot)| *slot))
    }

    pub(super) fn slots(&self) -> impl Iterator<Item = Slot> + use<> {
        (0..self.versions.len()).map(|place| Slot(place as u16))
    }

    /// Takes an entry in.
    ///
    /// # Errors
    /// It is none that could follow.
    pub(super) fn follow(&mut self, entry: &Entry) -> Checked {
        let wanted = match &entry.cause {
            Cause::Trigger(evidence) => self.wanted_target(evidence),
            _ => None,
        };
        if let Cause::Trigger(evidence) = &entry.cause {
            let acts = self.acts(evidence, &entry.change);
            claim(acts, Claim::RulesDoAsTheySay, || format!("it led to {:?}", entry.change))?;
        }
        if let Some(shift) = entry.change.shift() {
            self.follow_shift(shift)?;
        }
        self.follow_rollout(&entry.change);
        match &entry.change {
            Change::Registered { version } => {
                self.versions.push(version.id.clone());
                self.prices.push(version.price);
                self.weights.push(0.0);
            }
            Change::Tagged { tag, version, preserve_previous, .. } => {
                let slot = self.known(version)?;
                let is_stable = tag.as_str() == "stable";
                let before = self.tags.insert(tag.clone(), slot).filter(|_| is_stable);
                if is_stable && !preserve_previous {
                    self.earlier_stables.clear();
                } else {
                    self.earlier_stables.extend(before);
                }
            }
            Change::Promoted { version, .. } => {
                let slot = self.known(version)?;
                let stable = TagName::new("stable").expect("a valid name");
                self.earlier_stables.extend(self.tags.insert(stable, slot));
                self.baking = Some(slot);
            }
            Change::RolledBack { marked, target, shift, .. } => {
                self.follow_rollback(entry, marked, target, shift)?;
                let slot = self.slot(target.as_str());
                let found = || format!("{slot:?}, not {wanted:?}");
                let by_rule = matches!(entry.cause, Cause::Trigger(_));
                claim(!by_rule || slot == wanted, Claim::RollbackHasItsTarget, found)?;
                self.baking = None;
            }
            Change::BakeOver => self.baking = None,
            Change::Rules { rules } => self.rules.clone_from(rules),
            Change::Policies { policies } => self.policies.clone_from(policies),
            Change::Assignment { assignment } => self.assignment = *assignment,
            _ => {}
        }
        match &entry.cause {
            Cause::Trigger(evidence) => {
                claim(evidence.holds(), Claim::EvidenceHolds, || format!("{evidence:?}"))
            }
            _ => Ok(()),
        }
    }

    /// Whether a rule that fired does what its action says.
    fn acts(&self, evidence: &Evidence, change: &Change) -> bool {
        let rule = self.rules.triggers.iter().find(|trigger| trigger.id == evidence.trigger);
        match rule.map(|rule| &rule.action) {
            Some(Action::RollbackToLastStable) => {
                let nowhere = || is_refusal(change) && self.wanted_target(evidence).is_none();
                matches!(change, Change::RolledBack { .. }) || nowhere()
            }
            Some(Action::RollbackTo(_)) => {
                matches!(change, Change::RolledBack { .. }) || is_refusal(change)
            }
            Some(Action::Pause) if self.stepping => matches!(change, Change::RolloutPaused { .. }),
            Some(Action::Pause | Action::Notify) => matches!(change, Change::Notified { .. }),
            None => false,
        }
    }

    fn follow_rollout(&mut self, change: &Change) {
        self.stepping = match change {
            Change::RolloutStarted { state, .. } | Change::RolloutStepped { state, .. } => {
                matches!(state, RolloutState::Stepping(_))
            }
            Change::RolloutResumed { .. } => true,
            Change::RolloutPaused { .. }
            | Change::RolloutAborted { .. }
            | Change::Promoted { .. }
            | Change::RolledBack { .. } => false,
            _ => self.stepping,
        };
    }

    fn follow_shift(&mut self, shift: &Shift) -> Checked {
        let mut weights = vec![0.0; self.versions.len()];
        for (version, weight) in &shift.split {
            weights[usize::from(self.known(version)?.0)] = weight.get();
        }
        for version in &shift.redeployed {
            let slot = self.known(version)?;
            self.rolled_back.remove(&slot);
        }
        for tag in &shift.dropped_tags {
            let slot = self.tags.remove(tag);
            let left = slot
                .is_some_and(|slot| self.weight(slot) > 0.0 && weights[usize::from(slot.0)] == 0.0);
            let dropped = !self.safeguards.keep_tags && left;
            claim(dropped, Claim::TagsStay, || format!("{tag} was dropped"))?;
            self.earlier_stables.extend(slot.filter(|_| tag.as_str() == "stable"));
        }
        self.weights = weights;
        Ok(())
    }

    /// The version at fault is marked; after a command all that had traffic are but its target. The
    /// target gets all, and is sound.
    fn follow_rollback(
        &mut self,
        entry: &Entry,
        marked: &[VersionId],
        target: &VersionId,
        shift: &Shift,
    ) -> Checked {
        let evidence = match &entry.cause {
            Cause::Trigger(evidence) => Some(evidence),
            _ => None,
        };
        let had = shift.previous.iter().map(|(version, _)| version);
        let lost: Vec<_> = match evidence {
            Some(evidence) => vec![evidence.version.clone()],
            None => had.filter(|version| *version != target).cloned().collect(),
        };
        let same = marked == lost;
        claim(same, Claim::WhatIsRolledBackIsMarked, || format!("{marked:?}, not {lost:?}"))?;
        for version in &lost {
            let slot = self.known(version)?;
            self.rolled_back.insert(slot);
        }
        let slot = self.known(target)?;
        let all = (self.weight(slot) - 1.0).abs() < 1e-9 && shift.split.len() == 1;
        let sound = !self.rolled_back.contains(&slot);
        let found = || format!("to {target}: all {all}, sound {sound}");
        claim(all && sound, Claim::RollbackHasItsTarget, found)
    }

    /// Where the rule that fired wants the traffic.
    fn wanted_target(&self, evidence: &Evidence) -> Option<Slot> {
        let rule = self.rules.triggers.iter().find(|trigger| trigger.id == evidence.trigger);
        match rule.map(|rule| &rule.action) {
            Some(Action::RollbackTo(name)) => self.resolve(name.as_str()),
            Some(Action::RollbackToLastStable) => {
                self.last_stable(self.slot(evidence.version.as_str())?)
            }
            _ => None,
        }
    }

    fn known(&self, version: &VersionId) -> Result<Slot, (Claim, String)> {
        let slot = self.slot(version.as_str());
        slot.ok_or_else(|| (Claim::FoldIsLiveState, format!("{version} was never registered")))
    }
}

/// Whether it says that a rollback had nowhere to go.
const fn is_refusal(change: &Change) -> bool {
    matches!(change, Change::Notified { refused: Some(_), .. })
}
