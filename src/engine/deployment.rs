//! One model's deployment: its catalog, split and rules, and what watches its versions.

use std::collections::BTreeSet;

use super::assigner::Assigner;
use super::decision::{Terms, step_over};
use super::in_flight::InFlight;
use super::judged_end::JudgedEnd;
use super::model_state::{ModelState, Occasion};
use super::progress::Progress;
use super::split_check::SplitFinding;
use super::watch::{Health, Step, Watch};
use super::{
    Ask, Change, CommandError, EventKind, Evidence, ModelSettings, NoTarget, RouteError, Slot,
    Split, Target, Ticket,
};
use crate::exchange::{Class, Observed};
use crate::units::{ModelId, Ratio, Timestamp, VersionId};

/// A model's deployment.
#[derive(Clone, Debug)]
pub(super) struct Deployment {
    pub(super) id: ModelId,
    pub(super) terms: Terms,
    /// What is durable; all else is gone after a restart.
    pub(super) state: ModelState,
    /// The state's weights, made ready for assignments.
    pub(super) split: Option<Split>,
    pub(super) assigner: Assigner,
    /// Counts the splits, so that an error can be told from one under earlier weights.
    split_number: u32,
    /// The stable that comparisons and judges compare with.
    pub(super) reference: Option<Slot>,
    /// The same, if a window of it is compared: then its completions are told to it.
    pub(super) compared_with: Option<Slot>,
    /// The versions that judges look at.
    pub(super) judged: Vec<Slot>,
    /// Whether a judge looks at ends that are no errors.
    pub(super) judges_see_all_ends: bool,
    pub(super) live: Vec<Live>,
    /// Of watches that have ended, by (trigger, version).
    pub(super) past_health: Vec<(usize, Slot, Health)>,
    /// How far the step of the rollout has come.
    progress: Progress,
    /// Versions for which nothing answers: the driver says which.
    pub(super) unreachable: BTreeSet<Slot>,
}

/// What is volatile about one version: gone after a restart.
#[derive(Clone, Debug, Default)]
pub(super) struct Live {
    /// Counts the version's activations and deactivations: a ticket with an older number has been
    /// drained and is no evidence.
    pub(super) activation: u32,
    /// Counts its activations alone.
    life: u32,
    /// Windows and timers begin here: a whole second.
    pub(super) activated_at: Timestamp,
    /// Requests that ended and were evidence, of all activations.
    completed: u64,
    /// Requests that began and can be evidence, of all activations.
    pub(super) begun: u64,
    /// Requests in flight, of all activations.
    outstanding: u64,
    /// Whether the end of the last of them is to be told.
    draining: bool,
    pub(super) watches: Vec<Watch>,
    /// Kept where a latency condition wants it.
    pub(super) in_flight: Option<InFlight>,
}

/// A trigger's step at a check, to be told and acted on.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Checked {
    pub(super) trigger: usize,
    pub(super) version: Slot,
    pub(super) step: Step,
    /// Where the step is a firing.
    pub(super) evidence: Option<Box<Evidence>>,
}

impl Deployment {
    pub(super) fn new(settings: ModelSettings) -> Self {
        Self {
            id: settings.id,
            terms: Terms {
                max_versions: settings.max_versions,
                keep_tags: settings.safeguards.keep_tags,
                keys_survive_rollback: settings.safeguards.keys_survive_rollback,
            },
            state: ModelState::default(),
            split: None,
            assigner: Assigner::default(),
            split_number: 0,
            reference: None,
            compared_with: None,
            judged: Vec::new(),
            judges_see_all_ends: false,
            live: Vec::new(),
            past_health: Vec::new(),
            progress: Progress::default(),
            unreachable: BTreeSet::new(),
        }
    }

    /// Requests in flight.
    pub(super) fn outstanding(&self) -> u64 {
        self.live.iter().map(|live| live.outstanding).sum()
    }

    /// How many times a version has been activated.
    pub(super) fn life(&self, version: Slot) -> u32 {
        self.live.get(usize::from(version.0)).map_or(0, |live| live.life)
    }

    /// The slot of a version that is in the catalog.
    pub(super) fn slot_of(&self, version: &VersionId) -> Slot {
        let slot = self.state.catalog.slot(version.as_str());
        slot.expect("a change that was carried out names versions of the catalog")
    }

    /// The version that the split chooses for a request, and the end of its owner's place where
    /// that decides.
    #[inline]
    pub(super) fn assign(&mut self, ask: &Ask<'_>) -> Result<(Slot, Option<u16>), RouteError> {
        let split = self.split.as_ref().ok_or(RouteError::NothingDeployed)?;
        Ok(self.assigner.assign(split, &self.state.places, ask))
    }

    /// Counts a request that was routed; now and then it is found that the split is not kept.
    #[inline]
    pub(super) fn check_split(&mut self, pinned: bool) -> Option<Vec<SplitFinding>> {
        let max_pinned = self.state.policies.max_pinned;
        self.assigner.routed(pinned, self.split.as_ref(), max_pinned)
    }

    /// Counts a request in that is sent to `version`.
    #[inline(always)]
    pub(super) fn begin(&mut self, ticket: &mut Ticket) {
        ticket.split = self.split_number;
        let live = &mut self.live[usize::from(ticket.attempted.0)];
        ticket.activation = live.activation;
        ticket.life = live.life;
        live.outstanding += 1;
        live.begun += u64::from(ticket.attempt == 0 && !ticket.pinned);
        if let Some(in_flight) = live.in_flight.as_mut().filter(|_| !ticket.pinned) {
            in_flight.start(ticket.start);
        }
    }

    /// Counts a request out. Whether it was the last of a version that was rolled back.
    #[inline(always)]
    pub(super) fn end(&mut self, now: Timestamp, ticket: &Ticket, observed: &Observed) -> bool {
        let live = &mut self.live[usize::from(ticket.attempted.0)];
        live.outstanding -= 1;
        let drained = live.draining && live.outstanding == 0;
        live.draining &= !drained;
        if ticket.pinned || ticket.activation != live.activation {
            return drained;
        }
        if let Some(in_flight) = &mut live.in_flight {
            in_flight.end(ticket.start);
        }
        let class = observed.ending.class(self.state.rules.classification);
        if now >= live.activated_at {
            live.completed += 1;
            let second = now.second();
            for watch in &mut live.watches {
                watch.record(second, class, observed);
            }
        }
        if self.compared_with == Some(ticket.attempted) {
            self.tell_comparisons(now, class, observed);
        }
        // That a request was attempted again depends on how it fared before: no independent event.
        if ticket.attempt == 0 && (class == Class::Error || self.judges_see_all_ends) {
            self.tell_judges(now, ticket, class, observed);
        }
        drained
    }

    /// A completion of the stable is what the canaries' are compared with.
    #[inline(never)]
    fn tell_comparisons(&mut self, now: Timestamp, class: Class, observed: &Observed) {
        let second = now.second();
        for live in self.live.iter_mut().filter(|live| now >= live.activated_at) {
            live.watches.iter_mut().for_each(|watch| watch.record_stable(second, class, observed));
        }
    }

    /// What happens on the stable is evidence for every canary, what happens on a canary against
    /// itself.
    #[inline(never)]
    fn tell_judges(&mut self, now: Timestamp, ticket: &Ticket, class: Class, observed: &Observed) {
        let version = ticket.attempted;
        let is_stable = self.state.stable() == Some(version);
        let end = JudgedEnd {
            of_canary: false,
            under_present_weights: ticket.split == self.split_number,
            begun: self.live[usize::from(version.0)].begun,
            began: ticket.start.second(),
            at: now,
            owner: ticket.owner,
            class,
            observed,
        };
        for judged in &self.judged {
            let live = &mut self.live[usize::from(judged.0)];
            let of_canary = *judged == version;
            if (is_stable || of_canary) && now >= live.activated_at {
                let end = JudgedEnd { of_canary, ..end };
                let judges = live.watches.iter_mut().filter_map(Watch::judge);
                judges.for_each(|judge| judge.judge(&end));
            }
        }
    }

    /// The earliest check that is due.
    pub(super) fn next_check(&self) -> Option<Timestamp> {
        let watches = self.live.iter().flat_map(|live| &live.watches);
        watches.map(|watch| watch.next_check).min()
    }

    /// Carries out all checks that are due at `at`: version by version, in the rules' order.
    pub(super) fn check(&mut self, at: Timestamp) -> Vec<Checked> {
        let mut checked = Vec::new();
        for (index, live) in self.live.iter_mut().enumerate() {
            let version = Slot(index as u16);
            for watch in &mut live.watches {
                if watch.next_check != at {
                    continue;
                }
                let in_flight = live.in_flight.as_ref();
                let step = watch.check(in_flight);
                if step == Step::Same {
                    continue;
                }
                let evidence = match (step, watch.held()) {
                    (Step::Fires { .. }, Some((first_breach, held))) => Some(Box::new(Evidence {
                        trigger: self.state.rules.triggers[watch.trigger].id.clone(),
                        version: self.state.catalog.id(version).clone(),
                        check: at,
                        first_breach,
                        held,
                        duration: watch.duration(),
                        reading: watch.reading(at, in_flight),
                    })),
                    _ => None,
                };
                checked.push(Checked { trigger: watch.trigger, version, step, evidence });
            }
        }
        checked
    }

    /// Carries out a change that was decided on this deployment's state.
    pub(super) fn apply(&mut self, occasion: Occasion<'_>, change: &Change) {
        let is_of_rules = matches!(
            change,
            Change::Rules { .. }
                | Change::DefaultRules { .. }
                | Change::DefaultRulesFollowed { .. }
        );
        let rules = is_of_rules.then(|| self.state.rules.clone());
        let stable = self.state.stable();
        let weights = self.state.weights.clone();
        let baking = self.state.rollout.baking();
        let done = self.state.apply(occasion, change);
        done.expect("a change is carried out on the state that it was decided on");
        self.live.resize_with(self.state.catalog.versions().len(), Live::default);
        let now = occasion.at;
        if let Some(old) = rules {
            self.keep_same_triggers(&old);
        }
        let redeployed = match change.shift() {
            Some(shift) => shift.redeployed.as_slice(),
            None => &[],
        };
        if change.shift().is_some() {
            self.follow_weights(now, &weights, redeployed);
        } else if matches!(change, Change::Registered { .. }) {
            self.split = self.split.take().map(|_| self.present_split());
        }
        if matches!(change, Change::Assignment { .. }) {
            self.begin_assignment();
        }
        // A rule that names a tag watches whatever version holds it; what judges must see depends
        // on the assignment.
        let watched = is_of_rules
            || change.shift().is_some()
            || matches!(change, Change::Tagged { .. } | Change::Assignment { .. });
        if watched || stable != self.state.stable() || baking != self.state.rollout.baking() {
            self.renew_watches(now);
            self.renew_judges();
        }
        if let Change::RolledBack { marked, .. } = change {
            for version in marked {
                let slot = self.slot_of(version);
                self.live[usize::from(slot.0)].draining = true;
            }
        }
        let begins =
            matches!(change, Change::RolloutStarted { .. } | Change::RolloutStepped { .. });
        let completed = self.canary().map_or(0, |live| live.completed);
        self.progress.follow(now, &self.state.rollout, begins, completed);
    }

    /// Goes on from `state` at `now`: what gets traffic is activated now. The versions that are
    /// watched.
    pub(super) fn restore(&mut self, now: Timestamp, state: ModelState) -> Vec<Slot> {
        self.state = state;
        self.live = vec![Live::default(); self.state.catalog.versions().len()];
        if !self.state.weights.is_empty() {
            self.follow_weights(now, &[], &[]);
        }
        self.renew_watches(now);
        self.renew_judges();
        self.progress.follow(now, &self.state.rollout, false, 0);
        let slots = self.state.catalog.slots();
        slots.filter(|slot| !self.live[usize::from(slot.0)].watches.is_empty()).collect()
    }

    /// When the rollout's step is to be looked at, or the bake is over.
    pub(super) fn next_step(&self) -> Option<Timestamp> {
        self.state.rollout.bake_ends().or_else(|| self.progress.due())
    }

    /// Looks at the rollout at `at`: the change that is due, or what the step waits for, if that
    /// was not told before.
    pub(super) fn take_step(&mut self, at: Timestamp) -> Result<Option<Change>, EventKind> {
        let rollout = &self.state.rollout;
        if rollout.bake_ends().is_some() {
            return Ok(Some(Change::BakeOver));
        }
        let Some(((stage, step, _), version)) = rollout.step().zip(rollout.version()) else {
            return Ok(None);
        };
        let canary = &self.live[usize::from(version.0)];
        let rules = &self.state.rules;
        match self.progress.look(at, &step, rules, canary.completed, &canary.watches) {
            None => Ok(step_over(&self.state, self.terms)),
            Some(waiting) if self.progress.is_news(&waiting) => {
                Err(EventKind::StepWaits { version, stage, waiting })
            }
            Some(_) => Ok(None),
        }
    }

    fn canary(&self) -> Option<&Live> {
        Some(&self.live[usize::from(self.state.rollout.version()?.0)])
    }

    /// The versions that were rolled back and have nothing in flight any more; each is told once.
    pub(super) fn take_drained(&mut self) -> Vec<Slot> {
        let mut drained = Vec::new();
        for (index, live) in self.live.iter_mut().enumerate() {
            if live.draining && live.outstanding == 0 {
                live.draining = false;
                drained.push(Slot(index as u16));
            }
        }
        drained
    }

    /// Activates the versions that get traffic now and did not before, or begin anew, and ends the
    /// activations of those that get none any more.
    fn follow_weights(
        &mut self,
        now: Timestamp,
        before: &[(VersionId, Ratio)],
        redeployed: &[VersionId],
    ) {
        for slot in self.state.catalog.slots() {
            let id = self.state.catalog.id(slot);
            let had = before.iter().any(|(version, _)| version == id);
            let gets = self.state.weight(slot).get() > 0.0;
            let begins = gets && (!had || redeployed.contains(id));
            if begins || (had && !gets) {
                self.deactivate(slot);
            }
            if begins {
                let live = &mut self.live[usize::from(slot.0)];
                live.activated_at = now.ceil_second();
                live.life += 1;
            }
        }
        self.split = Some(self.present_split());
        self.split_number += 1;
        self.begin_assignment();
    }

    /// Turns and counts begin anew.
    fn begin_assignment(&mut self) {
        if let Some(split) = &self.split {
            let salt = self.state.places.salt(&self.id);
            self.assigner.begin(self.state.assignment, salt, split);
        }
    }

    fn present_split(&self) -> Split {
        let weights = self.state.weights.iter();
        let shares: Vec<_> = weights.map(|(id, weight)| (self.slot_of(id), *weight)).collect();
        let split = Split::new(self.state.catalog.versions().len(), &shares);
        split.expect("the state's weights sum to 1")
    }

    /// The version that a trigger's rollback of `version` goes to, `named` or the last stable:
    /// never one that was rolled back itself, nor one for which nothing answers.
    ///
    /// # Errors
    /// There is none.
    pub(super) fn rollback_target(
        &self,
        named: Option<&Target>,
        version: Slot,
    ) -> Result<Slot, NoTarget> {
        let Some(named) = named else {
            let others = || self.state.stables().filter(|stable| *stable != version);
            let sound = || others().filter(|stable| !self.state.catalog.is_rolled_back(*stable));
            let target = sound().find(|stable| !self.unreachable.contains(stable));
            return target.ok_or_else(|| match (others().next(), sound().next()) {
                (None, _) => NoTarget::Missing,
                (_, None) => NoTarget::RolledBack,
                _ => NoTarget::Unreachable,
            });
        };
        match self.resolve(named) {
            None => Err(NoTarget::Missing),
            Some(target) if target == version => Err(NoTarget::AtFault),
            Some(target) if self.state.catalog.is_rolled_back(target) => Err(NoTarget::RolledBack),
            Some(target) if self.unreachable.contains(&target) => Err(NoTarget::Unreachable),
            Some(target) => Ok(target),
        }
    }

    /// The version, if something answers for it.
    pub(super) fn reachable(&self, version: Slot) -> Result<Slot, CommandError> {
        if self.unreachable.contains(&version) {
            let version = self.state.catalog.version(version);
            let (version, upstream) = (version.id.clone(), version.upstream.clone());
            return Err(CommandError::Unreachable { version, upstream });
        }
        Ok(version)
    }

    pub(super) fn resolve(&self, target: &Target) -> Option<Slot> {
        self.state.catalog.resolve(target.as_str())
    }

    /// Ends the version's watches; what is in flight is drained.
    fn deactivate(&mut self, version: Slot) {
        let live = &mut self.live[usize::from(version.0)];
        live.activation += 1;
        live.in_flight = None;
        for watch in live.watches.drain(..) {
            self.past_health.push((watch.trigger, version, watch.health()));
        }
    }
}
