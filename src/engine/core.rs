//! The engine: the calls that a driver makes, and the order of what happens at one instant.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::decision;
use super::deployment::Deployment;
use super::keys::KeyRing;
use super::model_state::ModelState;
use super::split_check::SplitFinding;
use super::{
    Ask, AuthError, Breach, Catalog, CommandError, Completion, Digest, Event, EventKind, Health,
    Judgement, KeyStatus, Look, ModelSettings, NoTarget, Principal, Retry, Rollout, RouteError,
    RuleSet, Slot, Split, StickyKey, Target, Ticket, VersionStatus,
};
use crate::exchange::{Class, Ending, ModelIndex, Observed};
use crate::units::{Draw, Duration, ModelId, Ratio, Timestamp, format_set_share};

/// The routing and rollback engine; see the [module](super) for its contract.
#[derive(Clone, Debug)]
pub struct Engine {
    pub(super) now: Timestamp,
    pub(super) deployments: Vec<Deployment>,
    /// The earliest check of any deployment; [`Timestamp::MAX`] where there is none.
    pub(super) next_check: Timestamp,
    /// The earlier of that and of the earliest step of any rollout: the one that the hot path asks.
    pub(super) next_due: Timestamp,
    pub(super) events: VecDeque<Event>,
    /// Those of all models that have none of their own.
    pub(super) default_rules: RuleSet,
    /// Models that the journal knows and that are not served: kept for when they are again.
    pub(super) dormant: BTreeMap<ModelId, ModelState>,
    pub(super) keys: KeyRing,
    /// How many journal entries there are.
    pub(super) entries: u64,
    /// The hash of the last of them.
    pub(super) head: Digest,
    /// When it took effect.
    pub(super) last_entry: Option<Timestamp>,
}

impl Engine {
    /// An engine for these models, with nothing deployed.
    pub fn new(models: impl IntoIterator<Item = ModelSettings>) -> Self {
        Self {
            now: Timestamp::from_nanos(i64::MIN),
            deployments: models.into_iter().map(Deployment::new).collect(),
            next_check: Timestamp::MAX,
            next_due: Timestamp::MAX,
            events: VecDeque::new(),
            default_rules: RuleSet::default(),
            dormant: BTreeMap::new(),
            keys: KeyRing::default(),
            entries: 0,
            head: Digest::default(),
            last_entry: None,
        }
    }

    // Getters.

    /// The versions and tags of a model.
    pub fn catalog(&self, model: ModelIndex) -> Option<&Catalog> {
        Some(&self.deployment(model).ok()?.state.catalog)
    }

    /// The versions of a model as they stand, the newest first.
    pub fn versions(&self, model: ModelIndex) -> Vec<VersionStatus<'_>> {
        let Ok(deployment) = self.deployment(model) else { return Vec::new() };
        let mut versions = deployment.state.statuses();
        for version in &mut versions {
            version.is_reachable = !deployment.unreachable.contains(&version.slot);
        }
        versions
    }

    /// The weights of a model; `None` while nothing is deployed.
    pub fn split(&self, model: ModelIndex) -> Option<&Split> {
        self.deployment(model).ok()?.split.as_ref()
    }

    /// How many journal entries there are: the number of the last one.
    pub const fn entries(&self) -> u64 {
        self.entries
    }

    /// For what a version is needed now, in words; `None`: it gets no traffic, and none would be
    /// given back to it.
    pub fn need_of(&self, model: ModelIndex, version: Slot) -> Option<String> {
        let state = &self.deployment(model).ok()?.state;
        let weight = state.weight(version);
        let course = state.rollout.under_way();
        if weight > Ratio::ZERO {
            Some(format!("it gets {} of the traffic", format_set_share(weight.get())))
        } else if state.stable() == Some(version) {
            Some("the tag stable names it".to_owned())
        } else if course.is_some_and(|course| course.version == version) {
            Some("it is the version of the rollout under way".to_owned())
        } else if course.is_some_and(|course| course.stable == Some(version)) {
            Some("the version that was promoted would roll back to it".to_owned())
        } else {
            None
        }
    }

    /// The version that a model's tag `stable` names.
    pub fn stable(&self, model: ModelIndex) -> Option<Slot> {
        self.deployment(model).ok()?.state.stable()
    }

    /// A model's rollout: the one under way, or the last one.
    pub fn rollout(&self, model: ModelIndex) -> Option<&Rollout> {
        Some(&self.deployment(model).ok()?.state.rollout)
    }

    /// How many requests of a model are in flight.
    pub fn in_flight(&self, model: ModelIndex) -> u64 {
        self.deployment(model).map_or(0, Deployment::outstanding)
    }

    /// What an ending says about a version of `model`, under the model's rules.
    ///
    /// # Panics
    /// There is no such model.
    #[inline]
    pub fn class(&self, model: ModelIndex, ending: Ending) -> Class {
        ending.class(self.deployments[usize::from(model.0)].state.rules.classification)
    }

    /// The rules of a model.
    pub fn rules(&self, model: ModelIndex) -> Option<&RuleSet> {
        Some(&self.deployment(model).ok()?.state.rules)
    }

    /// The rules of all models that have none of their own.
    pub const fn default_rules(&self) -> &RuleSet {
        &self.default_rules
    }

    /// Whether a model has rules of its own.
    pub fn has_own_rules(&self, model: ModelIndex) -> bool {
        self.deployment(model).is_ok_and(|deployment| deployment.state.has_own_rules)
    }

    /// Models that the journal knows and that are not served.
    pub fn dormant(&self) -> impl Iterator<Item = &ModelId> {
        self.dormant.keys()
    }

    /// How the triggers of a model's present rules fared on the versions that they watched:
    /// (trigger, version, health). What of them goes on when the rules are replaced says
    /// [`RuleSet::position_of`].
    pub fn health(&self, model: ModelIndex) -> Vec<(usize, Slot, Health)> {
        self.deployment(model).map(Deployment::health).unwrap_or_default()
    }

    /// The timers that run: the triggers of a model whose comparison holds, version by version.
    pub fn breaches(&self, model: ModelIndex) -> Vec<Breach> {
        self.deployment(model).map(Deployment::breaches).unwrap_or_default()
    }

    /// How far the judges among a model's triggers have come, version by version.
    pub fn judgements(&self, model: ModelIndex) -> Vec<Judgement> {
        self.deployment(model).map(Deployment::judgements).unwrap_or_default()
    }

    /// How many times a version has been activated since this engine began, a restart included: got
    /// traffic where it had none, or was deployed anew. Its present life, or its last one, has this
    /// number; 0: it has had no traffic since.
    pub fn life(&self, model: ModelIndex, version: Slot) -> u32 {
        self.deployment(model).map_or(0, |deployment| deployment.life(version))
    }

    /// The checks of a model's versions that were carried out at `at`, the last instant at which
    /// there were any; those of a version that lost its traffic by them are not among them.
    pub fn looks(&mut self, model: ModelIndex, at: Timestamp) -> Vec<Look> {
        let deployment = self.deployment_mut(model);
        deployment.map(|deployment| deployment.looks(at)).unwrap_or_default()
    }

    /// Where a rollback by command goes that names no version; `None`: it would be refused.
    pub fn last_stable(&self, model: ModelIndex) -> Option<Slot> {
        let deployment = self.deployment(model).ok()?;
        let target = deployment.state.last_stable(deployment.state.rollout.baking());
        target.filter(|target| !deployment.unreachable.contains(target))
    }

    /// Where a trigger's rollback of `version` would go now: to `named`, or to the last stable.
    ///
    /// # Errors
    /// Nowhere: it would be refused.
    pub fn rollback_target(
        &self,
        model: ModelIndex,
        named: Option<&Target>,
        version: Slot,
    ) -> Result<Slot, NoTarget> {
        self.deployment(model).map_err(|_| NoTarget::Missing)?.rollback_target(named, version)
    }

    /// When the next check or rollout step is due; [`Engine::advance`] must be called then at the
    /// latest.
    pub fn next_check(&self) -> Option<Timestamp> {
        (self.next_due < Timestamp::MAX).then_some(self.next_due)
    }

    /// Whether a check is due at `now`. If what is due then is a rollout step, a driver that has a
    /// command for the same instant gives that first.
    pub fn is_check_due(&self, now: Timestamp) -> bool {
        self.next_check <= now
    }

    // The world in.

    /// For which versions of a model nothing answers, until this is said anew: no command deploys
    /// them, no rollback goes to them, and no request is pinned to them. None of them may be
    /// needed: see [`Engine::need_of`].
    pub fn set_unreachable(&mut self, model: ModelIndex, versions: BTreeSet<Slot>) {
        debug_assert!(versions.iter().all(|slot| self.need_of(model, *slot).is_none()));
        if let Ok(deployment) = self.deployment_mut(model) {
            deployment.unreachable = versions;
        }
    }

    /// Who presents a key's `secret` at `now`: first all checks that are due up to and at `now`,
    /// which can invalidate keys where the safeguard `keys_survive_rollback` is off.
    ///
    /// # Errors
    /// Nobody that is known: see [`AuthError`]. The client is told no more than that.
    pub fn authenticate(
        &mut self,
        now: Timestamp,
        key: &str,
        secret: &Digest,
    ) -> Result<Principal, AuthError> {
        let now = self.step_to(now);
        self.run_up_to(now);
        self.keys.authenticate(now, key, secret)
    }

    /// The access keys as they stand at `now`, by id.
    pub fn keys(&self, now: Timestamp) -> Vec<KeyStatus> {
        self.keys.statuses(now)
    }

    /// Routes a request: first all checks that are due up to and at `now`, then the assignment.
    ///
    /// # Errors
    /// The model or the pin is unknown, or nothing is deployed.
    #[inline]
    pub fn route(&mut self, now: Timestamp, ask: Ask<'_>) -> Result<Ticket, RouteError> {
        let now = self.step_to(now);
        self.run_up_to(now);
        let deployment = self.deployment_mut(ask.model)?;
        let (assigned, owner) = match ask.pin {
            Some(pin) => (deployment.reachable(decision::resolve(&deployment.state, pin)?)?, None),
            None => deployment.assign(&ask)?,
        };
        let mut ticket = Ticket {
            model: ask.model,
            assigned,
            attempted: assigned,
            pinned: ask.pin.is_some(),
            attempt: 0,
            activation: 0,
            life: 0,
            split: 0,
            owner,
            start: now,
        };
        deployment.begin(&mut ticket);
        if let Some(findings) = deployment.check_split(ticket.pinned) {
            self.tell_of_split(now, ticket.model, findings);
        }
        Ok(ticket)
    }

    /// Takes back the ticket of an attempt that ended at `now`, and says whether another is to
    /// follow. The attempt is counted, for the version that was attempted, before the checks that
    /// are due at `now`, after those that were due before.
    ///
    /// # Panics
    /// The ticket is of another engine.
    #[inline]
    #[expect(clippy::needless_pass_by_value, reason = "a ticket can be handed back only once")]
    pub fn complete(&mut self, now: Timestamp, ticket: Ticket, observed: &Observed) -> Completion {
        self.end(now, &ticket, observed);
        if observed.ending == Ending::Success {
            return Completion::Done;
        }
        self.deployments[usize::from(ticket.model.0)].follow_up(&ticket, observed)
    }

    /// Begins another attempt at a request: first all checks that are due up to and at `now`. It
    /// goes to the version that failed the last one, or to the stable where it falls back; and
    /// where the version has lost its traffic since, to where the split points by `draw` and
    /// `sticky`.
    ///
    /// # Panics
    /// The retry is of another engine.
    #[expect(clippy::needless_pass_by_value, reason = "a retry can be handed back only once")]
    pub fn retry(
        &mut self,
        now: Timestamp,
        retry: Retry,
        draw: Draw,
        sticky: Option<StickyKey<'_>>,
    ) -> Ticket {
        let now = self.step_to(now);
        self.run_up_to(now);
        let deployment = &mut self.deployments[usize::from(retry.model.0)];
        let mut ticket = Ticket {
            model: retry.model,
            assigned: retry.assigned,
            attempted: deployment.target_of(&retry, draw, sticky),
            pinned: retry.pinned,
            attempt: retry.attempt,
            activation: 0,
            life: 0,
            split: 0,
            owner: None,
            start: now,
        };
        deployment.begin(&mut ticket);
        ticket
    }

    /// Takes back the ticket of a request whose client went away at `now`, and says what that
    /// counts as: a timeout of the version, if the client had waited for [`ABANDON_AFTER`] without
    /// a token; else the client's own decision.
    #[expect(clippy::needless_pass_by_value, reason = "a ticket can be handed back only once")]
    pub fn abandon(
        &mut self,
        now: Timestamp,
        ticket: Ticket,
        first_token: Option<Duration>,
    ) -> Ending {
        let latency = now.max(self.now).since(ticket.start);
        let in_vain = first_token.is_none() && latency >= ABANDON_AFTER;
        let ending = if in_vain { Ending::Timeout } else { Ending::ClientClosed };
        let observed = Observed { first_token, ..Observed::without_answer(ending, latency) };
        self.end(now, &ticket, &observed);
        ending
    }

    /// Carries out all checks that are due up to and at `now`, and the steps of rollouts before
    /// `now`.
    pub fn check(&mut self, now: Timestamp) {
        let now = self.step_to(now);
        self.run_checks_up_to(now);
    }

    /// Carries out all checks and all steps of rollouts that are due up to and at `now`.
    pub fn advance(&mut self, now: Timestamp) {
        let now = self.step_to(now);
        self.run_up_to(now);
    }

    // Effects out.

    /// The next event that has not been taken yet. To be called until it returns `None`, after
    /// every other call.
    #[inline]
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    #[inline(always)]
    fn end(&mut self, now: Timestamp, ticket: &Ticket, observed: &Observed) {
        let now = self.step_to(now);
        self.run_before(now);
        let deployment = &mut self.deployments[usize::from(ticket.model.0)];
        if deployment.end(now, ticket, observed) {
            self.emit(now, ticket.model, EventKind::Drained(ticket.attempted));
        }
    }

    #[cold]
    fn tell_of_split(&mut self, at: Timestamp, model: ModelIndex, findings: Vec<SplitFinding>) {
        for finding in findings {
            let kind = match finding {
                SplitFinding::Skew(skew) => EventKind::SplitSkew(Box::new(skew)),
                SplitFinding::Pins(pins) => EventKind::PinShare(pins),
            };
            self.emit(at, model, kind);
        }
    }

    /// Time never goes back: an earlier `now` is raised to the largest seen.
    #[inline]
    pub(super) fn step_to(&mut self, now: Timestamp) -> Timestamp {
        debug_assert!(self.events.is_empty(), "the events of the last call were not taken");
        self.now = self.now.max(now);
        self.now
    }

    pub(super) fn emit(&mut self, at: Timestamp, model: ModelIndex, kind: EventKind) {
        self.events.push_back(Event { at, model, kind });
    }

    pub(super) fn deployment(&self, model: ModelIndex) -> Result<&Deployment, CommandError> {
        let deployment = self.deployments.get(usize::from(model.0));
        deployment.ok_or(CommandError::UnknownModel(model.0))
    }

    #[inline]
    pub(super) fn deployment_mut(
        &mut self,
        model: ModelIndex,
    ) -> Result<&mut Deployment, CommandError> {
        // No error is made to be dropped: this is asked with each request.
        match self.deployments.get_mut(usize::from(model.0)) {
            Some(deployment) => Ok(deployment),
            None => Err(CommandError::UnknownModel(model.0)),
        }
    }
}

/// From when on a client that leaves without having seen a token counts as a timeout: a silence
/// that long is the version's fault. From the design of the windows.
pub const ABANDON_AFTER: Duration = Duration::from_secs(10);
