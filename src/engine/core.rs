//! The engine: the calls that a driver makes, and the order of what happens at one instant.

use std::collections::VecDeque;

use super::catalog::Catalog;
use super::deployment::{Checked, Deployment};
use super::watch::{Health, Step};
use super::{
    Action, Ask, Cause, Change, Command, CommandError, CommandKind, Entry, Event, EventKind,
    Evidence, ModelSettings, RouteError, RuleSet, Safeguards, Slot, Split, Target, Ticket, Version,
};
use crate::exchange::{Class, Ending, ModelIndex, Observed, Usage};
use crate::units::{Duration, Ratio, TagName, Timestamp};

/// The routing and rollback engine; see the [module](super) for its contract.
#[derive(Clone, Debug)]
pub struct Engine {
    now: Timestamp,
    deployments: Vec<Deployment>,
    /// The earliest check of any deployment; [`Timestamp::MAX`] where there is none.
    next_check: Timestamp,
    events: VecDeque<Event>,
    entries: u64,
    safeguards: Safeguards,
}

impl Engine {
    /// An engine for these models, with nothing deployed.
    pub fn new(models: impl IntoIterator<Item = ModelSettings>, safeguards: Safeguards) -> Self {
        Self {
            safeguards,
            now: Timestamp::from_nanos(i64::MIN),
            deployments: models.into_iter().map(Deployment::new).collect(),
            next_check: Timestamp::MAX,
            events: VecDeque::new(),
            entries: 0,
        }
    }

    // Getters.

    /// The versions and tags of a model.
    pub fn catalog(&self, model: ModelIndex) -> Option<&Catalog> {
        Some(&self.deployment(model).ok()?.catalog)
    }

    /// The weights of a model; `None` while nothing is deployed.
    pub fn split(&self, model: ModelIndex) -> Option<&Split> {
        self.deployment(model).ok()?.split.as_ref()
    }

    /// The version that a model's tag `stable` names.
    pub fn stable(&self, model: ModelIndex) -> Option<Slot> {
        self.deployment(model).ok()?.stable()
    }

    /// What an ending says about a version of `model`, under the model's rules.
    ///
    /// # Panics
    /// There is no such model.
    #[inline]
    pub fn class(&self, model: ModelIndex, ending: Ending) -> Class {
        ending.class(self.deployments[usize::from(model.0)].rules.classification)
    }

    /// How a model's triggers fared on the versions that they watched: (trigger, version, health).
    pub fn health(&self, model: ModelIndex) -> Vec<(usize, Slot, Health)> {
        self.deployment(model).map(Deployment::health).unwrap_or_default()
    }

    /// What the engine guards against.
    pub const fn safeguards(&self) -> Safeguards {
        self.safeguards
    }

    /// When the next check is due; [`Engine::advance`] must be called then at the latest.
    pub fn next_check(&self) -> Option<Timestamp> {
        (self.next_check < Timestamp::MAX).then_some(self.next_check)
    }

    // The world in.

    /// Routes a request: first all checks that are due up to and at `now`, then the assignment.
    ///
    /// # Errors
    /// The model or the pin is unknown, or nothing is deployed.
    #[inline]
    pub fn route(&mut self, now: Timestamp, ask: Ask<'_>) -> Result<Ticket, RouteError> {
        let now = self.step_to(now);
        self.run_checks_up_to(now);
        let deployment = self.deployment_mut(ask.model)?;
        let assigned = match ask.pin {
            Some(pin) => resolve(deployment, pin)?,
            None => deployment.split.as_ref().ok_or(RouteError::NothingDeployed)?.assign(ask.draw),
        };
        let mut ticket = Ticket {
            model: ask.model,
            assigned,
            attempted: assigned,
            pinned: ask.pin.is_some(),
            activation: 0,
            split: 0,
            start: now,
        };
        deployment.begin(&mut ticket);
        Ok(ticket)
    }

    /// Takes back the ticket of a request that ended at `now`: it is counted before the checks that
    /// are due at `now`, after those that were due before.
    ///
    /// # Panics
    /// The ticket is of another engine.
    #[inline]
    #[expect(clippy::needless_pass_by_value, reason = "a ticket can be handed back only once")]
    pub fn complete(&mut self, now: Timestamp, ticket: Ticket, observed: &Observed) {
        let now = self.step_to(now);
        self.run_checks_before(now);
        let deployment = &mut self.deployments[usize::from(ticket.model.0)];
        if deployment.end(now, &ticket, observed) {
            self.emit(now, ticket.model, EventKind::Drained(ticket.attempted));
        }
    }

    /// Takes back the ticket of a request whose client went away at `now`, and says what that
    /// counts as: a timeout of the version, if the client had waited for [`ABANDON_AFTER`] without
    /// a token; else the client's own decision.
    pub fn abandon(
        &mut self,
        now: Timestamp,
        ticket: Ticket,
        first_token: Option<Duration>,
    ) -> Ending {
        let latency = now.max(self.now).since(ticket.start);
        let in_vain = first_token.is_none() && latency >= ABANDON_AFTER;
        let ending = if in_vain { Ending::Timeout } else { Ending::ClientClosed };
        let usage = Usage::default();
        self.complete(now, ticket, &Observed { ending, latency, first_token, usage, finish: None });
        ending
    }

    /// Carries out all checks that are due up to and at `now`.
    pub fn advance(&mut self, now: Timestamp) {
        let now = self.step_to(now);
        self.run_checks_up_to(now);
    }

    // Commands.

    /// Carries out a command at `now`: after the checks that are due at `now`, but for a rollback,
    /// which comes before them.
    ///
    /// # Errors
    /// The command is refused, and nothing has changed.
    pub fn apply(&mut self, now: Timestamp, command: &Command) -> Result<(), CommandError> {
        let now = self.step_to(now);
        if matches!(command.kind, CommandKind::Rollback(_)) {
            self.run_checks_before(now);
        } else {
            self.run_checks_up_to(now);
        }
        let model = command.model;
        match &command.kind {
            CommandKind::Register(version) => self.register(now, model, version)?,
            CommandKind::Tag { tag, version, preserve_previous } => {
                self.tag(now, model, tag, version, *preserve_previous)?;
            }
            CommandKind::Split { shares, redeploy } => {
                self.set_split(now, model, shares, *redeploy)?;
            }
            CommandKind::Rules(rules) => self.set_rules(now, model, rules)?,
            CommandKind::Rollback(target) => {
                self.roll_back_by_command(now, model, target.as_ref())?;
            }
        }
        self.renew_next_check();
        Ok(())
    }

    // Effects out.

    /// The next event that has not been taken yet. To be called until it returns `None`, after
    /// every other call.
    #[inline]
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    // Time.

    /// Time never goes back: an earlier `now` is raised to the largest seen.
    #[inline]
    fn step_to(&mut self, now: Timestamp) -> Timestamp {
        debug_assert!(self.events.is_empty(), "the events of the last call were not taken");
        self.now = self.now.max(now);
        self.now
    }

    #[inline]
    fn run_checks_up_to(&mut self, now: Timestamp) {
        while self.next_check <= now {
            self.run_checks();
        }
    }

    #[inline]
    fn run_checks_before(&mut self, now: Timestamp) {
        while self.next_check < now {
            self.run_checks();
        }
    }

    /// Carries out the checks that are due next, at their nominal time.
    #[inline(never)]
    fn run_checks(&mut self) {
        let at = self.next_check;
        for index in 0..self.deployments.len() {
            let model = ModelIndex(index as u16);
            let checked = self.deployments[index].check(at);
            // Conditions are independent, but of those that fire at one check only the first that
            // moves traffic does: after it there is nothing left to roll back.
            let mut moved = false;
            for checked in checked {
                moved |= self.tell_and_act(at, model, checked, moved);
            }
        }
        self.renew_next_check();
    }

    /// Tells of a trigger's step and carries out the action of a firing, unless traffic has been
    /// moved at this check already. Whether traffic was moved.
    fn tell_and_act(
        &mut self,
        at: Timestamp,
        model: ModelIndex,
        checked: Checked,
        moved: bool,
    ) -> bool {
        let Checked { trigger, version, step, evidence } = checked;
        if matches!(step, Step::Began | Step::Fires { began: true }) {
            self.emit(at, model, EventKind::BreachBegan { trigger, version });
        }
        if step == Step::Ended {
            self.emit(at, model, EventKind::BreachEnded { trigger, version });
        }
        let Some(evidence) = evidence.filter(|_| !moved) else { return false };
        self.emit(at, model, EventKind::Fired { trigger, version, evidence: evidence.clone() });
        self.act(at, model, trigger, version, evidence)
    }

    fn act(
        &mut self,
        at: Timestamp,
        model: ModelIndex,
        trigger: usize,
        version: Slot,
        evidence: Box<Evidence>,
    ) -> bool {
        let deployment = &self.deployments[usize::from(model.0)];
        let action = deployment.rules.triggers[trigger].action.clone();
        if action == Action::Notify {
            self.journal(at, model, Cause::Trigger(evidence), Change::Notified);
            return false;
        }
        let Some(target) = deployment.rollback_target(&action, version) else {
            self.emit(at, model, EventKind::RollbackRefused { version, action });
            return false;
        };
        self.roll_back(at, model, Some(version), target, Cause::Trigger(evidence));
        true
    }

    fn renew_next_check(&mut self) {
        let next = self.deployments.iter().filter_map(Deployment::next_check).min();
        self.next_check = next.unwrap_or(Timestamp::MAX);
    }

    // Changes.

    fn register(
        &mut self,
        now: Timestamp,
        model: ModelIndex,
        version: &Version,
    ) -> Result<(), CommandError> {
        let deployment = self.deployment_mut(model)?;
        let (catalog, id) = (&mut deployment.catalog, &version.id);
        if let Some(slot) = catalog.slot(id.as_str()) {
            let same = catalog.version(slot).is_same_content(version);
            return if same { Ok(()) } else { Err(CommandError::VersionExists(id.clone())) };
        }
        if catalog.holder(id.as_str()).is_some() {
            return Err(CommandError::VersionIsTag(id.clone()));
        }
        let max_versions = deployment.max_versions;
        if catalog.versions().len() >= usize::from(max_versions) {
            return Err(CommandError::TooManyVersions { id: id.clone(), max_versions });
        }
        catalog.register(version.clone());
        deployment.add_version();
        let version = Box::new(version.clone());
        self.journal(now, model, Cause::Command, Change::Registered { version });
        Ok(())
    }

    fn tag(
        &mut self,
        now: Timestamp,
        model: ModelIndex,
        tag: &TagName,
        version: &Target,
        preserve_previous: bool,
    ) -> Result<(), CommandError> {
        let deployment = self.deployment_mut(model)?;
        if deployment.catalog.slot(tag.as_str()).is_some() {
            return Err(CommandError::TagIsVersion(tag.clone()));
        }
        let holder = resolve(deployment, version)?;
        let catalog = &mut deployment.catalog;
        let previous = catalog.holder(tag.as_str()).map(|index| catalog.id(index).clone());
        catalog.tag(tag.clone(), holder, preserve_previous);
        let version = catalog.id(holder).clone();
        // Which version is the stable decides which are canaries.
        let rules = deployment.rules.clone();
        deployment.set_rules(now, rules);
        let change = Change::Tagged { tag: tag.clone(), version, previous, preserve_previous };
        self.journal(now, model, Cause::Command, change);
        Ok(())
    }

    fn set_split(
        &mut self,
        now: Timestamp,
        model: ModelIndex,
        shares: &[(Target, Ratio)],
        redeploy: bool,
    ) -> Result<(), CommandError> {
        let deployment = self.deployment_mut(model)?;
        let mut resolved = Vec::with_capacity(shares.len());
        for (target, weight) in shares {
            let version = resolve(deployment, target)?;
            if !redeploy && weight.get() > 0.0 && deployment.is_rolled_back(version) {
                let id = deployment.catalog.id(version).clone();
                return Err(CommandError::RolledBack(id));
            }
            resolved.push((version, *weight));
        }
        let split = Split::new(deployment.catalog.versions().len(), &resolved)
            .map_err(CommandError::Split)?;
        self.replace_split(now, model, split, Cause::Command);
        Ok(())
    }

    fn set_rules(
        &mut self,
        now: Timestamp,
        model: ModelIndex,
        rules: &RuleSet,
    ) -> Result<(), CommandError> {
        let deployment = self.deployment_mut(model)?;
        deployment.set_rules(now, rules.clone());
        let triggers = rules.triggers.iter().map(|trigger| trigger.id.clone()).collect();
        let change = Change::Rules { enabled: rules.enable, triggers };
        self.journal(now, model, Cause::Command, change);
        Ok(())
    }

    fn roll_back_by_command(
        &mut self,
        now: Timestamp,
        model: ModelIndex,
        target: Option<&Target>,
    ) -> Result<(), CommandError> {
        let deployment = self.deployment_mut(model)?;
        let target = match target {
            Some(target) => resolve(deployment, target)?,
            None => deployment.stable().ok_or(CommandError::NoStable)?,
        };
        self.roll_back(now, model, None, target, Cause::Command);
        Ok(())
    }

    /// All traffic to `target` at one instant; tags and what is in flight stay as they are.
    fn roll_back(
        &mut self,
        at: Timestamp,
        model: ModelIndex,
        version: Option<Slot>,
        target: Slot,
        cause: Cause,
    ) {
        let deployment = &mut self.deployments[usize::from(model.0)];
        let previous = deployment.weights();
        let versions = deployment.catalog.versions().len();
        deployment.set_split(at, Split::all_to(versions, target));
        if let Some(version) = version {
            deployment.mark_rolled_back(version);
        }
        let name = |index: Slot| deployment.catalog.id(index).clone();
        let change =
            Change::RolledBack { version: version.map(name), target: name(target), previous };
        let drained = version.filter(|version| deployment.is_drained(*version));
        self.emit(at, model, EventKind::RolledBack { version, target });
        self.emit(at, model, EventKind::SplitChanged);
        if let Some(version) = drained {
            self.emit(at, model, EventKind::Drained(version));
        }
        self.journal(at, model, cause, change);
    }

    fn replace_split(&mut self, now: Timestamp, model: ModelIndex, split: Split, cause: Cause) {
        let deployment = &mut self.deployments[usize::from(model.0)];
        let previous = deployment.weights();
        deployment.set_split(now, split);
        let change = Change::Split { split: deployment.weights(), previous };
        self.emit(now, model, EventKind::SplitChanged);
        self.journal(now, model, cause, change);
    }

    fn journal(&mut self, at: Timestamp, model: ModelIndex, cause: Cause, change: Change) {
        self.entries += 1;
        let id = self.deployments[usize::from(model.0)].id.clone();
        let entry = Entry { number: self.entries, at, model: id, cause, change };
        self.emit(at, model, EventKind::Journal(Box::new(entry)));
    }

    fn emit(&mut self, at: Timestamp, model: ModelIndex, kind: EventKind) {
        self.events.push_back(Event { at, model, kind });
    }

    fn deployment(&self, model: ModelIndex) -> Result<&Deployment, CommandError> {
        let deployment = self.deployments.get(usize::from(model.0));
        deployment.ok_or(CommandError::UnknownModel(model.0))
    }

    #[inline]
    fn deployment_mut(&mut self, model: ModelIndex) -> Result<&mut Deployment, CommandError> {
        let deployment = self.deployments.get_mut(usize::from(model.0));
        deployment.ok_or(CommandError::UnknownModel(model.0))
    }
}

/// The version that `target` names, or an error that lists all that could be meant.
fn resolve(deployment: &Deployment, target: &Target) -> Result<Slot, CommandError> {
    deployment.resolve(target).ok_or_else(|| {
        let catalog = &deployment.catalog;
        let versions = catalog.versions().iter().map(|version| version.id.as_str());
        let tags = catalog.tags().map(|(tag, _)| tag.as_str());
        let known = versions.chain(tags).collect::<Vec<_>>().join(", ");
        CommandError::UnknownVersion { name: target.as_str().to_owned(), known }
    })
}

/// From when on a client that leaves without having seen a token counts as a timeout: a silence
/// that long is the version's fault. From the design of the windows.
pub const ABANDON_AFTER: Duration = Duration::from_secs(10);
