//! One model's deployment: its catalog, split and rules, and what watches its versions.

use super::catalog::{Catalog, STABLE};
use super::in_flight::{InFlight, Overdue};
use super::watch::{Health, Step, Watch};
use super::{
    Action, Evidence, ModelSettings, RuleSet, Slot, Split, Target, Ticket, TriggerKind, Weights,
};
use crate::exchange::{Class, Observed};
use crate::units::{ModelId, Ratio, Timestamp};

/// A model's deployment.
#[derive(Clone, Debug)]
pub(super) struct Deployment {
    pub(super) id: ModelId,
    pub(super) max_versions: u16,
    pub(super) catalog: Catalog,
    pub(super) split: Option<Split>,
    pub(super) rules: RuleSet,
    /// Counts the splits, so that an error can be told from one under earlier weights.
    split_number: u32,
    live: Vec<Live>,
    /// Of watches that have ended, by (trigger, version).
    past_health: Vec<(usize, Slot, Health)>,
}

/// What is volatile about one version: gone after a restart.
#[derive(Clone, Debug, Default)]
struct Live {
    /// Counts the version's activations and deactivations: a ticket with an older number has been
    /// drained and is no evidence.
    activation: u32,
    /// Windows and timers begin here: a whole second.
    activated_at: Timestamp,
    rolled_back: bool,
    /// Requests in flight, of all activations.
    outstanding: u64,
    /// Whether the end of the last of them is to be told.
    draining: bool,
    watches: Vec<Watch>,
    /// Kept where a latency condition wants it.
    in_flight: Option<InFlight>,
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
            max_versions: settings.max_versions,
            catalog: Catalog::default(),
            split: None,
            rules: RuleSet::disabled(),
            split_number: 0,
            live: Vec::new(),
            past_health: Vec::new(),
        }
    }

    /// Makes room for a version that was registered.
    pub(super) fn add_version(&mut self) {
        self.live.push(Live::default());
        if let Some(split) = &self.split {
            let shares: Vec<_> = indexed(split.weights()).collect();
            self.split = Split::new(self.live.len(), &shares).ok();
        }
    }

    pub(super) fn stable(&self) -> Option<Slot> {
        self.catalog.holder(STABLE)
    }

    pub(super) fn is_rolled_back(&self, version: Slot) -> bool {
        self.live(version).rolled_back
    }

    /// The present weights above 0, by name.
    pub(super) fn weights(&self) -> Weights {
        let Some(split) = &self.split else { return Weights::new() };
        indexed(split.weights())
            .filter(|(_, weight)| weight.get() > 0.0)
            .map(|(version, weight)| (self.catalog.id(version).clone(), weight))
            .collect()
    }

    /// Counts a request in that is sent to `version`.
    #[inline]
    pub(super) fn begin(&mut self, ticket: &mut Ticket) {
        ticket.split = self.split_number;
        let live = &mut self.live[usize::from(ticket.attempted.0)];
        ticket.activation = live.activation;
        live.outstanding += 1;
        if let Some(in_flight) = live.in_flight.as_mut().filter(|_| !ticket.pinned) {
            in_flight.start(ticket.start);
        }
    }

    /// Counts a request out. Whether it was the last of a version that was rolled back.
    #[inline]
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
        let class = observed.ending.class(self.rules.classification);
        if now >= live.activated_at {
            let second = now.second();
            for watch in &mut live.watches {
                watch.record(second, class, observed);
            }
        }
        if class == Class::Error && ticket.split == self.split_number {
            self.tell_judges(now, ticket.attempted);
        }
        drained
    }

    /// An error of the stable is evidence for every canary, one of a canary against itself.
    #[cold]
    fn tell_judges(&mut self, now: Timestamp, version: Slot) {
        let is_stable = self.stable() == Some(version);
        for (index, live) in self.live.iter_mut().enumerate() {
            let is_own = index == usize::from(version.0);
            if (is_stable || is_own) && now >= live.activated_at {
                let judges = live.watches.iter_mut().filter_map(Watch::judge);
                judges.for_each(|judge| judge.record(is_own));
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
                let overdue = match (&live.in_flight, watch.overdue_limit()) {
                    (Some(in_flight), Some(limit)) => in_flight.overdue(at, limit),
                    _ => Overdue::default(),
                };
                let step = watch.check(overdue);
                if step == Step::Same {
                    continue;
                }
                let evidence = match (step, watch.held()) {
                    (Step::Fires { .. }, Some((first_breach, held))) => Some(Box::new(Evidence {
                        trigger: self.rules.triggers[watch.trigger].id.clone(),
                        version: self.catalog.id(version).clone(),
                        check: at,
                        first_breach,
                        held,
                        reading: watch.reading(at, overdue),
                    })),
                    _ => None,
                };
                checked.push(Checked { trigger: watch.trigger, version, step, evidence });
            }
        }
        checked
    }

    /// Sets the weights from `now` on.
    pub(super) fn set_split(&mut self, now: Timestamp, split: Split) {
        for index in 0..self.live.len() {
            let version = Slot(index as u16);
            let was = self.split.as_ref().map_or(Ratio::ZERO, |split| split.weight(version));
            let gets = split.weight(version).get() > 0.0;
            let redeployed = gets && self.live[index].rolled_back;
            if gets && (was.get() == 0.0 || redeployed) {
                self.deactivate(version);
                let live = &mut self.live[index];
                live.activated_at = now.ceil_second();
                live.rolled_back = false;
            } else if !gets && was.get() > 0.0 {
                self.deactivate(version);
            }
        }
        self.split = Some(split);
        self.split_number += 1;
        self.renew_watches(now);
        self.renew_judges();
    }

    /// Marks the version that a rollback took the traffic from.
    pub(super) fn mark_rolled_back(&mut self, version: Slot) {
        let live = &mut self.live[usize::from(version.0)];
        live.rolled_back = true;
        live.draining = live.outstanding > 0;
    }

    /// Whether a version has no request in flight.
    pub(super) fn is_drained(&self, version: Slot) -> bool {
        self.live(version).outstanding == 0
    }

    /// Replaces the rules. A trigger that is the same keeps its windows and its timer.
    pub(super) fn set_rules(&mut self, now: Timestamp, rules: RuleSet) {
        let old = std::mem::replace(&mut self.rules, rules);
        for (index, live) in self.live.iter_mut().enumerate() {
            for mut watch in std::mem::take(&mut live.watches) {
                let trigger = &old.triggers[watch.trigger];
                let same = self.rules.triggers.iter().position(|new| new == trigger);
                match same.filter(|_| self.rules.enable) {
                    Some(position) => {
                        watch.trigger = position;
                        live.watches.push(watch);
                    }
                    None => {
                        let version = Slot(index as u16);
                        self.past_health.push((watch.trigger, version, watch.health));
                    }
                }
            }
        }
        self.renew_watches(now);
        self.renew_judges();
    }

    /// How each trigger fared on each version that it watched: the sum over its watches.
    pub(super) fn health(&self) -> Vec<(usize, Slot, Health)> {
        let present = self.live.iter().enumerate().flat_map(|(index, live)| {
            let of = move |watch: &Watch| (watch.trigger, Slot(index as u16), watch.health);
            live.watches.iter().map(of)
        });
        let mut all: Vec<_> = self.past_health.iter().copied().chain(present).collect();
        all.sort_by_key(|(trigger, version, _)| (*trigger, *version));
        let mut sums: Vec<(usize, Slot, Health)> = Vec::new();
        for (trigger, version, health) in all {
            match sums.last_mut().filter(|last| (last.0, last.1) == (trigger, version)) {
                Some(last) => last.2.add(health),
                None => sums.push((trigger, version, health)),
            }
        }
        sums
    }

    /// The version that a rollback of `version` goes to.
    pub(super) fn rollback_target(&self, action: &Action, version: Slot) -> Option<Slot> {
        let target = match action {
            Action::RollbackTo(target) => self.resolve(target),
            Action::RollbackToLastStable => match self.stable() {
                Some(stable) if stable == version => self.catalog.previous_holder(STABLE),
                stable => stable,
            },
            Action::Notify => None,
        };
        // A version that was rolled back itself is no refuge.
        target.filter(|target| *target != version && !self.live(*target).rolled_back)
    }

    pub(super) fn resolve(&self, target: &Target) -> Option<Slot> {
        self.catalog.resolve(target.as_str())
    }

    fn live(&self, version: Slot) -> &Live {
        &self.live[usize::from(version.0)]
    }

    /// Ends the version's watches; what is in flight is drained.
    fn deactivate(&mut self, version: Slot) {
        let live = &mut self.live[usize::from(version.0)];
        live.activation += 1;
        live.in_flight = None;
        for watch in live.watches.drain(..) {
            self.past_health.push((watch.trigger, version, watch.health));
        }
    }

    /// Gives every version the watches that the rules want and that it does not have, and takes
    /// away those that they do not want.
    fn renew_watches(&mut self, now: Timestamp) {
        for index in 0..self.live.len() {
            let version = Slot(index as u16);
            let wanted: Vec<_> = (0..self.rules.triggers.len())
                .filter(|trigger| self.is_wanted(*trigger, version))
                .collect();
            let live = &mut self.live[index];
            let (kept, ended) = std::mem::take(&mut live.watches)
                .into_iter()
                .partition(|watch: &Watch| wanted.contains(&watch.trigger));
            live.watches = kept;
            for watch in ended {
                self.past_health.push((watch.trigger, version, watch.health));
            }
            for trigger in wanted {
                if !live.watches.iter().any(|watch| watch.trigger == trigger) {
                    let rule = &self.rules.triggers[trigger];
                    live.watches.push(Watch::new(trigger, rule, live.activated_at, now));
                }
            }
            live.watches.sort_by_key(|watch| watch.trigger);
            let wants_in_flight = live.watches.iter().any(|w| w.overdue_limit().is_some());
            if wants_in_flight && live.in_flight.is_none() {
                // Requests that are in flight already would be counted out without having been
                // counted in: they belong to an activation of their own.
                live.activation += 1;
                live.in_flight = Some(InFlight::default());
            } else if !wants_in_flight {
                live.in_flight = None;
            }
        }
    }

    /// Whether a trigger watches a version: one that gets traffic and that it names, or, if it
    /// names none, a canary. A judge has nothing to compare the stable with.
    fn is_wanted(&self, trigger: usize, version: Slot) -> bool {
        let rule = &self.rules.triggers[trigger];
        let gets = self.split.as_ref().is_some_and(|split| split.weight(version).get() > 0.0);
        let is_stable = self.stable() == Some(version);
        let named = match &rule.version {
            None => !is_stable,
            Some(target) => self.resolve(target) == Some(version),
        };
        let comparable = !is_stable || matches!(rule.kind, TriggerKind::Condition(_));
        self.rules.enable && gets && named && comparable
    }

    fn renew_judges(&mut self) {
        let stable = self.stable();
        let Some(split) = &self.split else { return };
        let stable_weight = stable.map_or(Ratio::ZERO, |stable| split.weight(stable));
        for (index, live) in self.live.iter_mut().enumerate() {
            let weight = split.weight(Slot(index as u16));
            let judges = live.watches.iter_mut().filter_map(Watch::judge);
            judges.for_each(|judge| judge.set_weights(weight, stable_weight));
        }
    }
}

/// Weights with the indices of their versions.
fn indexed(weights: &[Ratio]) -> impl Iterator<Item = (Slot, Ratio)> {
    weights.iter().enumerate().map(|(index, weight)| (Slot(index as u16), *weight))
}

impl Health {
    fn add(&mut self, other: Self) {
        self.checks += other.checks;
        self.no_data += other.no_data;
        self.breaches += other.breaches;
        self.firings += other.firings;
        self.longest_timer = self.longest_timer.max(other.longest_timer);
    }
}
