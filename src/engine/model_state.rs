//! What is durable about one model: the fold of its journal entries.
//!
//! The live engine changes its state by [`ModelState::apply`] and by nothing else, and so does a
//! fold of the journal: that is why the two agree.

use serde::Serialize;

use super::catalog::STABLE;
use super::rollout::{Course, next_step};
use super::sticky_map::StickyMap;
use super::transition::{Input, Refused};
use super::{
    Assignment, Catalog, Cause, Change, Ladder, Policies, Rollout, RolloutState, RuleSet, Shift,
    Slot, Split, SplitError, StageIndex, TagMove, Weights,
};
use crate::units::{KeyId, Ratio, TagName, Timestamp, VersionId};

/// What is durable about one model.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct ModelState {
    pub(super) catalog: Catalog,
    /// Those above 0, in the catalog's order; empty while nothing is deployed.
    pub(super) weights: Weights,
    pub(super) assignment: Assignment,
    /// Kept up whatever the assignment is, so that it follows from the splits alone.
    pub(super) places: StickyMap,
    pub(super) policies: Policies,
    pub(super) rules: RuleSet,
    /// Whether they are its own, and not those of all models.
    pub(super) has_own_rules: bool,
    pub(super) rollout: Rollout,
}

/// A change with the circumstances that durable state remembers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Occasion<'a> {
    /// The number of the journal entry.
    pub(super) entry: u64,
    pub(super) at: Timestamp,
    pub(super) cause: &'a Cause,
}

/// Why a change cannot follow on a state: the journal is not one of this engine.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum Inapplicable {
    /// It names a version that was never registered.
    #[error("version {0} was never registered")]
    UnknownVersion(VersionId),
    /// It registers a version a second time.
    #[error("version {0} is registered a second time")]
    RegisteredTwice(VersionId),
    /// The rollout does not stand where it would have to.
    #[error(transparent)]
    Rollout(#[from] Refused),
    /// The rollout stands elsewhere after the change than the entry says.
    #[error("the rollout is {found}, where the entry says {stated}")]
    OtherState {
        /// Where it stands.
        found: RolloutState,
        /// Where the entry says that it stands.
        stated: RolloutState,
    },
    /// It names an access key that was never made.
    #[error("access key {0} was never made")]
    UnknownKey(KeyId),
    /// It makes an access key a second time.
    #[error("access key {0} is made a second time")]
    KeyTwice(KeyId),
    /// The weights are no split.
    #[error(transparent)]
    Split(#[from] SplitError),
    /// The weights before the change are not those that the entry says.
    #[error("the weights before it are not those that the entry states")]
    OtherWeights,
}

impl ModelState {
    /// A model of which nothing is known, under the rules of all models.
    pub(super) fn following(rules: &RuleSet) -> Self {
        Self { rules: rules.clone(), ..Self::default() }
    }

    pub(super) fn stable(&self) -> Option<Slot> {
        self.catalog.holder(STABLE)
    }

    pub(super) fn weight(&self, slot: Slot) -> Ratio {
        let id = self.catalog.id(slot);
        let found = self.weights.iter().find(|(version, _)| version == id);
        found.map_or(Ratio::ZERO, |(_, weight)| *weight)
    }

    /// The version that took over `stable` last, or held it before, that is neither `fault` nor was
    /// rolled back itself: the refuge of a rollback.
    pub(super) fn last_stable(&self, fault: Option<Slot>) -> Option<Slot> {
        let mut sound = self
            .stables()
            .filter(|slot| Some(*slot) != fault && !self.catalog.is_rolled_back(*slot));
        sound.next()
    }

    /// The stable, and those that were it before, the latest first.
    pub(super) fn stables(&self) -> impl Iterator<Item = Slot> {
        self.stable().into_iter().chain(self.catalog.previous_holders(STABLE))
    }

    /// Carries out a change.
    ///
    /// # Errors
    /// It cannot follow on this state. The state is then of no use any more.
    pub(super) fn apply(
        &mut self,
        occasion: Occasion<'_>,
        change: &Change,
    ) -> Result<(), Inapplicable> {
        match change {
            Change::Registered { version } => {
                if self.catalog.slot(version.id.as_str()).is_some() {
                    return Err(Inapplicable::RegisteredTwice(version.id.clone()));
                }
                self.catalog.register((**version).clone());
            }
            Change::Evaluated { version, evaluation } => {
                let slot = self.slot(version)?;
                self.catalog.evaluate(slot, (**evaluation).clone());
            }
            Change::Tagged { tag, version, preserve_previous, .. } => {
                self.move_tag(occasion, tag, Some(self.slot(version)?), *preserve_previous);
            }
            Change::Split { shift } => {
                self.enter(Input::Deploy)?;
                self.shift(occasion, shift)?;
            }
            Change::Assignment { assignment } => self.assignment = *assignment,
            Change::Policies { policies } => self.policies.clone_from(policies),
            Change::Rules { rules } => (self.rules, self.has_own_rules) = ((**rules).clone(), true),
            Change::DefaultRulesFollowed { rules } => {
                (self.rules, self.has_own_rules) = ((**rules).clone(), false);
            }
            Change::DefaultRules { rules } if !self.has_own_rules => self.rules.clone_from(rules),
            Change::DefaultRules { .. } => {}
            Change::Notified { .. }
            | Change::ObservationLost { .. }
            | Change::Delivered { .. }
            | Change::Undelivered { .. } => {}
            Change::RolledBack { marked, shift, .. } => {
                self.enter(Input::RollBack)?;
                self.shift(occasion, shift)?;
                for version in marked {
                    let slot = self.slot(version)?;
                    self.catalog.set_rolled_back(slot, true);
                }
            }
            Change::Promoted { version, bake, shift, .. } => {
                self.promote(occasion, self.slot(version)?, *bake, shift)?;
            }
            other => self.step(occasion, other)?,
        }
        Ok(())
    }

    /// The changes that a rollout makes on its way.
    fn step(&mut self, occasion: Occasion<'_>, change: &Change) -> Result<(), Inapplicable> {
        match change {
            Change::RolloutStarted { version, stable, steps, bake, state, shift } => {
                let course = Course {
                    version: self.slot(version)?,
                    stable: Some(self.slot(stable)?),
                    ladder: Some(steps.clone()),
                    bake: *bake,
                    since: occasion.at,
                };
                self.enter(Input::Start(first_step(steps)))?;
                self.is_at(*state)?;
                self.rollout.number += 1;
                self.rollout.course = Some(course);
                self.shift(occasion, shift)
            }
            Change::RolloutStepped { state, shift } => {
                let here = self.rollout.state;
                let other = Inapplicable::OtherState { found: here, stated: *state };
                let input = self.rollout.step_over().ok_or(other)?;
                self.enter(input)?;
                self.is_at(*state)?;
                self.rollout.begin_step(occasion.at);
                self.shift(occasion, shift)
            }
            Change::RolloutPaused { .. } => self.enter(Input::Pause),
            Change::RolloutResumed { .. } => self.enter(Input::Resume),
            Change::RolloutAborted { shift } => {
                self.enter(Input::Abort)?;
                self.shift(occasion, shift)
            }
            Change::BakeOver => self.enter(Input::BakeOver),
            _ => Ok(()),
        }
    }

    fn promote(
        &mut self,
        occasion: Occasion<'_>,
        version: Slot,
        bake: crate::units::Duration,
        shift: &Shift,
    ) -> Result<(), Inapplicable> {
        let stable = self.stable();
        self.enter(Input::Promote)?;
        let since = occasion.at;
        self.rollout.course = Some(Course { version, stable, ladder: None, bake, since });
        self.shift(occasion, shift)?;
        let tag = TagName::new(STABLE).expect("the name follows the pattern");
        self.move_tag(occasion, &tag, Some(version), true);
        Ok(())
    }

    fn enter(&mut self, input: Input) -> Result<(), Inapplicable> {
        self.rollout.state = self.rollout.state.after(input)?;
        Ok(())
    }

    fn is_at(&self, stated: RolloutState) -> Result<(), Inapplicable> {
        let found = self.rollout.state;
        if found == stated { Ok(()) } else { Err(Inapplicable::OtherState { found, stated }) }
    }

    fn shift(&mut self, occasion: Occasion<'_>, shift: &Shift) -> Result<(), Inapplicable> {
        if shift.previous != self.weights {
            return Err(Inapplicable::OtherWeights);
        }
        let slot = |(version, weight): &(VersionId, Ratio)| Ok((self.slot(version)?, *weight));
        let shares = shift.split.iter().map(slot).collect::<Result<Vec<_>, Inapplicable>>()?;
        let split = Split::new(self.catalog.versions().len(), &shares)?;
        self.places.follow(&split, self.stable());
        for version in &shift.redeployed {
            let slot = self.slot(version)?;
            self.catalog.set_rolled_back(slot, false);
        }
        for tag in &shift.dropped_tags {
            self.move_tag(occasion, tag, None, true);
        }
        self.weights.clone_from(&shift.split);
        Ok(())
    }

    fn move_tag(
        &mut self,
        occasion: Occasion<'_>,
        tag: &TagName,
        to: Option<Slot>,
        preserve_previous: bool,
    ) {
        let Occasion { entry, at, cause } = occasion;
        let from = self.catalog.holder(tag.as_str());
        let moved = TagMove { from, to, by: cause.by().to_owned(), at, entry };
        self.catalog.move_tag(tag.clone(), moved, preserve_previous);
    }

    fn slot(&self, version: &VersionId) -> Result<Slot, Inapplicable> {
        let slot = self.catalog.slot(version.as_str());
        slot.ok_or_else(|| Inapplicable::UnknownVersion(version.clone()))
    }
}

/// How a ladder begins.
pub(super) fn first_step(ladder: &Ladder) -> super::transition::Next {
    let first = ladder.steps().first().expect("a ladder has a step");
    next_step(StageIndex(0), first)
}
