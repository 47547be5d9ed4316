//! An observer that keeps everything, and holds what must hold of any run against it.

use std::collections::{BTreeMap, BTreeSet};

use coalmine::chance::Chance;
use coalmine::engine::{
    CommandKind, EventKind, Evidence, Level, Reading, RolloutState, Sealed, Slot,
};
use coalmine::exchange::{ModelIndex, Observed, VersionIndex};
use coalmine::math;
use coalmine::metric::{Direction, Measure};
use coalmine::record::{
    Arm, Attempt, Happening, KeyRefusal, Observer, Order, Outcome, PhasePart, Refusal,
};
use coalmine::scenario::{CommandPlan, Instruction, NamedVersion, Scenario, Traffic};
use coalmine::simulator::simulate;
use coalmine::testing::{Ended, RuleAudit};
use coalmine::units::{Ratio, Timestamp};
use coalmine::workload::Source;

/// A tag of a model.
type Tag = (ModelIndex, String);

/// Everything that happened in a run, checked while it happens.
pub(crate) struct Witness<'a> {
    scenario: &'a Scenario,
    /// Of all versions, in the order of the plan.
    weights: Vec<Ratio>,
    /// The phase that began last, and when.
    phase: Option<(u16, Timestamp)>,
    /// Whom the weights of that phase name, and whether by tags that may have moved.
    split: Vec<(Option<VersionIndex>, Ratio)>,
    by_tag: bool,
    /// The weights that it must have begun with, of the versions of the models that it names, until
    /// something else can change them.
    due_weights: Option<Vec<(VersionIndex, Ratio)>>,
    /// Its faults: when each begins, on whom, what it does.
    due_faults: Vec<(Timestamp, VersionIndex, String)>,
    /// How many phases began with weights by tags that may have moved.
    pub(crate) begun_by_tag: u64,
    /// How many faults hit who had such a tag.
    pub(crate) hit_by_tag: u64,
    /// How many parts of phases were refused.
    pub(crate) not_begun: u64,
    /// Versions that were rolled back and not deployed again.
    banned: BTreeSet<VersionIndex>,
    /// What fired last.
    fired: Option<(Timestamp, VersionIndex)>,
    /// Of each model, what works out anew what its rules must find; empty where that is not asked.
    audits: Vec<RuleAudit>,
    /// What rules told: how often a breach began, ended and fired.
    pub(crate) told: [u64; 3],
    /// Who has which tag of which model.
    tags: BTreeMap<Tag, VersionIndex>,
    /// The last command that was not refused, and when it was given.
    command: Option<(Timestamp, &'a CommandPlan)>,
    /// The tag that it moved, and who had it before.
    moved: Option<(Tag, Option<VersionIndex>)>,
    pub(crate) assigned: u64,
    /// By rules; those by command are apart.
    pub(crate) rollbacks: u64,
    pub(crate) rollbacks_by_command: u64,
    /// Requests that a cache answered.
    pub(crate) kept: u64,
    /// Attempts after the first ones.
    pub(crate) further: u64,
    /// How many commands were given, refused and not given.
    pub(crate) commands: [u64; 3],
    pub(crate) keys_rejected: u64,
    /// When the last rollback was.
    pub(crate) rolled_back_at: Option<Timestamp>,
    pub(crate) outcomes: Vec<Outcome>,
    /// Those at requests that took several.
    pub(crate) attempts: Vec<Attempt>,
}

impl<'a> Witness<'a> {
    /// Plays `scenario` under `seed` and tells what was seen.
    pub(crate) fn of(scenario: &'a Scenario, seed: u64) -> Self {
        Self::watching(scenario, seed, Vec::new())
    }

    /// The same, with every finding of every rule worked out anew: of a scenario whose rules have no
    /// recipients.
    pub(crate) fn auditing(scenario: &'a Scenario, seed: u64) -> Self {
        let audits = scenario.models.iter().map(|model| RuleAudit::new(model.safeguards));
        Self::watching(scenario, seed, audits.collect())
    }

    fn watching(scenario: &'a Scenario, seed: u64, audits: Vec<RuleAudit>) -> Self {
        let Traffic::Generated(workload) = &scenario.traffic else { panic!("no trace expected") };
        let chance = Chance::new(seed, 0);
        let mut witness = Self {
            scenario,
            weights: vec![Ratio::ZERO; scenario.versions().count()],
            phase: None,
            split: Vec::new(),
            by_tag: false,
            due_weights: None,
            due_faults: Vec::new(),
            begun_by_tag: 0,
            hit_by_tag: 0,
            not_begun: 0,
            banned: BTreeSet::new(),
            fired: None,
            audits,
            told: [0; 3],
            tags: BTreeMap::new(),
            command: None,
            moved: None,
            assigned: 0,
            kept: 0,
            further: 0,
            rollbacks: 0,
            rollbacks_by_command: 0,
            commands: [0; 3],
            keys_rejected: 0,
            rolled_back_at: None,
            outcomes: Vec::new(),
            attempts: Vec::new(),
        };
        for (version, plan) in scenario.versions().zip(0..) {
            let plan = VersionIndex(plan);
            let model = scenario.model_of(plan);
            let tags = version.tags.iter().map(|tag| ((model, tag.as_str().to_owned()), plan));
            witness.tags.extend(tags);
        }
        let source = Source::generate(workload, chance);
        let finished = simulate(scenario, chance, source, &mut witness).unwrap();
        let models = (0..scenario.models.len() as u16).map(ModelIndex);
        let held = models.flat_map(|model| {
            let first = scenario.first_version(model).0;
            let catalog = finished.engine.catalog(model).unwrap();
            let tags = catalog.tags().map(|(tag, Slot(place))| {
                ((model, tag.as_str().to_owned()), VersionIndex(first + place))
            });
            tags.collect::<Vec<_>>()
        });
        assert_eq!(held.collect::<BTreeMap<_, _>>(), witness.tags);
        witness
    }

    /// Whether the plan of the phase that begins at `at` gives traffic to `version`, or a command
    /// of this instant does that may.
    fn is_redeployed(&self, at: Timestamp, version: VersionIndex) -> bool {
        let by_command = self.command.filter(|(given, _)| *given == at).is_some_and(|(_, plan)| {
            matches!(
                &plan.instruction,
                Instruction::Engine(
                    CommandKind::Split { redeploy: true, .. }
                        | CommandKind::StartRollout { redeploy: true, .. }
                        | CommandKind::Promote { redeploy: true, .. }
                )
            )
        });
        let Some((phase, began)) = self.phase else { return false };
        let gives = |share: &(_, Ratio)| share.0 == Some(version) && share.1.get() > 0.0;
        let rollout = self.scenario.phases[usize::from(phase)].rollout.as_ref();
        let canary = rollout.and_then(|rollout| self.meant(&rollout.version));
        let by_plan = self.split.iter().any(gives) || canary == Some(version);
        by_command || (began == at && by_plan)
    }

    /// Whom a phase that begins now names.
    fn meant(&self, named: &NamedVersion) -> Option<VersionIndex> {
        match named {
            NamedVersion::Fixed(version) => Some(*version),
            NamedVersion::Holder { model, tag, may_be } => {
                let holder = self.tags.get(&(*model, tag.as_str().to_owned())).copied();
                assert!(
                    holder.is_none_or(|holder| may_be.contains(&holder)),
                    "{named:?} {holder:?}"
                );
                holder
            }
        }
    }

    fn phase_began(&mut self, at: Timestamp, phase: u16) {
        self.phase = Some((phase, at));
        let plan = &self.scenario.phases[usize::from(phase)];
        let split = plan.split.iter().flatten();
        self.by_tag = split.clone().any(|(named, _)| !named.is_fixed());
        self.split = split.map(|(named, weight)| (self.meant(named), *weight)).collect();
        self.due_weights = plan.split.as_ref().and_then(|_| self.given_weights());
        let faults = plan.faults.iter().filter_map(|(named, fault)| {
            Some((at + fault.at, self.meant(named)?, fault.to_string()))
        });
        self.due_faults = faults.collect();
    }

    /// The weights that the phase gives; `None` where they must be refused: a tag names nobody, or
    /// two names are those of one version.
    fn given_weights(&self) -> Option<Vec<(VersionIndex, Ratio)>> {
        let (mut given, mut models) = (BTreeMap::new(), BTreeSet::new());
        for (version, weight) in &self.split {
            let version = (*version)?;
            models.insert(self.model_of(version));
            if given.insert(version, *weight).is_some() {
                return None;
            }
        }
        let all = (0..self.weights.len() as u16).map(VersionIndex);
        let named = all.filter(|version| models.contains(&self.model_of(*version)));
        Some(named.map(|it| (it, given.get(&it).copied().unwrap_or_default())).collect())
    }

    /// A part of the phase that began last was refused.
    fn not_begun(&mut self, model: Option<ModelIndex>, part: &PhasePart, why: &Refusal) {
        self.not_begun += 1;
        match part {
            PhasePart::Faults { version } => {
                let tag = (model.unwrap(), version.as_str().to_owned());
                assert!(!self.tags.contains_key(&tag), "{part:?}: {why:?}");
            }
            PhasePart::Split { .. } => {
                assert_eq!(self.given_weights(), None, "{part:?}: {why:?}");
            }
            PhasePart::Rollout { .. } => {}
        }
    }

    fn fault_began(&mut self, at: Timestamp, version: VersionIndex, what: &str) {
        let due = self.due_faults.contains(&(at, version, what.to_owned()));
        assert!(due, "{what} on {version:?} at {at}: due are {:?}", self.due_faults);
        let (phase, _) = self.phase.unwrap();
        let faults = &self.scenario.phases[usize::from(phase)].faults;
        let by_tag = |(named, _): &(NamedVersion, _)| !named.is_fixed() && named.may_be(version);
        self.hit_by_tag += u64::from(faults.iter().any(by_tag));
    }

    /// Takes in that a command is given. What it asks for tells which of its phase's it is.
    fn commanded(&mut self, at: Timestamp, model: Option<ModelIndex>, order: &Order) {
        self.due_weights = None;
        let (phase, _) = self.phase.unwrap();
        let plans = &self.scenario.phases[usize::from(phase)].commands;
        let plan = plans.iter().find(|plan| {
            plan.instruction.order() == *order && plan.model == model && self.due(plan) == at
        });
        let plan = plan.unwrap_or_else(|| panic!("no command asks for {order:?} at {at}"));
        self.commands[0] += 1;
        self.command = Some((at, plan));
        self.moved = None;
        if let Instruction::Engine(CommandKind::Tag { tag, version, .. }) = &plan.instruction {
            let id = |name: &str| self.scenario.versions().position(|v| v.id.as_str() == name);
            let named = id(version.as_str()).map(|place| VersionIndex(place as u16));
            let of_model = |tag: &str| (model.unwrap(), tag.to_owned());
            let version = named.or_else(|| self.tags.get(&of_model(version.as_str())).copied());
            if let Some(version) = version {
                let tag = of_model(tag.as_str());
                self.moved = Some((tag.clone(), self.tags.insert(tag, version)));
            }
        }
    }

    fn due(&self, plan: &CommandPlan) -> Timestamp {
        self.phase.unwrap().1 + plan.at
    }

    /// The command that was just given changes nothing.
    fn refused(&mut self) {
        self.commands[1] += 1;
        self.command = None;
        match self.moved.take() {
            Some((tag, Some(before))) => drop(self.tags.insert(tag, before)),
            Some((tag, None)) => drop(self.tags.remove(&tag)),
            None => {}
        }
    }

    fn rolled_back(&mut self, at: Timestamp, fault: Option<VersionIndex>, target: VersionIndex) {
        self.due_weights = None;
        assert!(!self.banned.contains(&target), "{target:?} was rolled back itself");
        let Some(version) = fault else {
            let Some((given, CommandPlan { instruction, .. })) = self.command else {
                panic!("a rollback at {at} that no command asked for")
            };
            let asked = matches!(instruction, Instruction::Engine(CommandKind::Rollback(_)));
            assert!(given == at && asked, "{instruction:?} at {given} rolled back at {at}");
            let had = (0..).zip(&self.weights).filter(|(_, weight)| weight.get() > 0.0);
            let had = had.map(|(place, _)| VersionIndex(place)).filter(|version| {
                *version != target && self.model_of(*version) == self.model_of(target)
            });
            let had: Vec<_> = had.collect();
            self.banned.extend(had);
            self.rollbacks_by_command += 1;
            return;
        };
        assert_eq!(self.fired, Some((at, version)), "a rollback without a firing");
        assert_ne!(version, target);
        assert_eq!(self.model_of(version), self.model_of(target));
        self.banned.insert(version);
        self.rollbacks += 1;
        self.rolled_back_at = Some(at);
    }

    /// Holds what a rule tells against what it must.
    fn audit_rules(&mut self, at: Timestamp, happening: &Happening) {
        let (number, version) = match happening {
            Happening::BreachBegan { trigger, version }
            | Happening::BreachEnded { trigger, version }
            | Happening::Fired { trigger, version, .. } => (*trigger, *version),
            _ => return,
        };
        let (model, version) = self.slot(version);
        let Some(audit) = self.audits.get_mut(usize::from(model.0)) else { return };
        // The record counts the triggers of all rule sets, the engine those of the present one.
        let rule = self.scenario.triggers(model).nth(number).unwrap();
        let place = audit.triggers().iter().position(|present| present == rule);
        let trigger = place.unwrap_or_else(|| panic!("{rule:?} is none of the present rules"));
        let (kind, of) = match happening {
            Happening::BreachBegan { .. } => (EventKind::BreachBegan { trigger, version }, 0),
            Happening::BreachEnded { .. } => (EventKind::BreachEnded { trigger, version }, 1),
            Happening::Fired { evidence, .. } => {
                let evidence = evidence.clone();
                (EventKind::Fired { trigger, version, evidence }, 2)
            }
            _ => return,
        };
        self.told[of] += 1;
        audit.hear(at, &kind).unwrap();
    }

    fn model_of(&self, version: VersionIndex) -> ModelIndex {
        self.scenario.model_of(version)
    }

    /// The model of a version, and its place there.
    fn slot(&self, version: VersionIndex) -> (ModelIndex, Slot) {
        let model = self.model_of(version);
        (model, Slot(version.0 - self.scenario.first_version(model).0))
    }

    /// An attempt begins at a request that pinned no version.
    fn begins(&mut self, at: Timestamp, version: VersionIndex) {
        let (model, slot) = self.slot(version);
        if let Some(audit) = self.audits.get_mut(usize::from(model.0)) {
            audit.begin(at, slot).unwrap();
        }
    }

    /// Such an attempt ended.
    fn ends(&mut self, at: Timestamp, version: VersionIndex, observed: &Observed, first: bool) {
        let (model, slot) = self.slot(version);
        if let Some(audit) = self.audits.get_mut(usize::from(model.0)) {
            let began = at - observed.latency;
            // No story's judges watch requests that stick to their owners' versions.
            let owner = None;
            audit.end(Ended { began, at, version: slot, observed, first, owner }).unwrap();
        }
    }

    fn split_changed(&mut self, at: Timestamp, model: ModelIndex, weights: &[Ratio]) {
        let sum: f64 = weights.iter().map(|weight| weight.get()).sum();
        assert!((sum - 1.0).abs() <= 1e-9, "weights sum to {sum}");
        let first = self.scenario.first_version(model).0;
        for (version, weight) in (first..).map(VersionIndex).zip(weights) {
            if weight.get() > 0.0 && self.banned.contains(&version) {
                assert!(self.is_redeployed(at, version), "{version:?} is back at {at}");
                self.banned.remove(&version);
            }
            self.weights[usize::from(version.0)] = *weight;
        }
    }
}

impl Observer for Witness<'_> {
    fn assigned(&mut self, at: Timestamp, _: u16, version: VersionIndex, arm: Arm) {
        self.assigned += 1;
        if arm == Arm::Pinned {
            return;
        }
        if let Some(due) = self.due_weights.take() {
            let is_due = |(version, weight): &(VersionIndex, Ratio)| {
                self.weights[usize::from(version.0)] == *weight
            };
            assert!(due.iter().all(is_due), "{:?} at {at}: due are {due:?}", self.weights);
            self.begun_by_tag += u64::from(self.by_tag);
        }
        self.begins(at, version);
        assert!(self.weights[usize::from(version.0)].get() > 0.0, "{version:?} at weight 0, {at}");
        assert!(!self.banned.contains(&version), "{version:?} was rolled back before {at}");
    }

    fn completed(&mut self, outcome: &Outcome) {
        self.outcomes.push(*outcome);
        let &Outcome { attempts, retried, ended, assigned, arm, ref observed, .. } = outcome;
        self.kept += u64::from(attempts == 0);
        // Of others each attempt is told.
        if attempts == 1 && !retried && arm != Arm::Pinned {
            self.ends(ended, assigned, observed, true);
        }
    }

    fn attempt_began(&mut self, at: Timestamp, version: VersionIndex, arm: Arm) {
        self.further += 1;
        if arm != Arm::Pinned {
            self.begins(at, version);
        }
    }

    fn attempted(&mut self, attempt: &Attempt) {
        self.attempts.push(*attempt);
        if attempt.arm != Arm::Pinned {
            self.ends(attempt.ended, attempt.version, &attempt.observed, attempt.first);
        }
    }

    fn key_rejected(&mut self, _: &KeyRefusal) {
        self.keys_rejected += 1;
    }

    fn let_in(&mut self, _: Timestamp, _: u16) {}

    fn journalled(&mut self, sealed: &Sealed) {
        let entry = sealed.entry();
        for (audit, model) in self.audits.iter_mut().zip(&self.scenario.models) {
            if entry.model.as_ref() == Some(&model.id) {
                audit.follow(entry).unwrap();
            }
        }
    }

    fn became_bad(&mut self, _: Timestamp, _: VersionIndex) {}

    fn happened(&mut self, at: Timestamp, happening: Happening) {
        self.audit_rules(at, &happening);
        match happening {
            Happening::PhaseBegan { phase } => self.phase_began(at, phase),
            Happening::FaultBegan { version, what } => self.fault_began(at, version, &what),
            Happening::SplitChanged { model, weights } => {
                self.split_changed(at, model, &weights);
            }
            Happening::Fired { version, evidence, .. } => {
                assert_eq!(evidence.check, at);
                assert_holds(&evidence);
                self.fired = Some((at, version));
            }
            Happening::RolledBack { version, target } => self.rolled_back(at, version, target),
            Happening::RolloutMoved { version, to: RolloutState::Promoted, .. } => {
                self.tags.insert((self.model_of(version), "stable".to_owned()), version);
            }
            Happening::Commanded { model, order } => self.commanded(at, model, &order),
            Happening::CommandRefused { model, order: Order::Begin { with, .. }, why } => {
                self.not_begun(model, &with, &why);
            }
            Happening::CommandRefused { .. } => self.refused(),
            Happening::CommandMissed { .. } => self.commands[2] += 1,
            _ => (),
        }
    }
}

/// Evaluates `evidence` again, from its numbers alone.
fn assert_holds(evidence: &Evidence) {
    let holds = match &evidence.reading {
        Reading::Share { hits, requests, operator, threshold, .. } => {
            compare(operator.symbol(), *hits as f64 / *requests as f64, threshold.get())
        }
        Reading::Time { metric, value, above, requests, operator, threshold, .. } => {
            match (metric.measure(), above) {
                // The quantile is above the threshold exactly if too few values are not above it.
                (Measure::Quantile(_, quantile), Some(above)) => {
                    let beyond = requests - above < quantile.rank(*requests);
                    beyond == operator.symbol().starts_with('>')
                }
                _ => compare(
                    operator.symbol(),
                    value.unwrap().as_secs_f64(),
                    threshold.as_secs_f64(),
                ),
            }
        }
        Reading::Count { requests, operator, threshold, .. } => {
            compare(operator.symbol(), *requests as f64, *threshold as f64)
        }
        Reading::Amount { value, operator, threshold, .. } => {
            compare(operator.symbol(), *value, *threshold)
        }
        Reading::Compared(seen) => match (seen.metric.measure(), seen.above) {
            (Measure::Quantile(_, quantile), Some(above)) => {
                let beyond = seen.requests - above < quantile.rank(seen.requests);
                beyond == seen.operator.symbol().starts_with('>')
            }
            _ => compare(seen.operator.symbol(), seen.value.unwrap(), seen.limit),
        },
        Reading::NoData { requests, min_requests, stable, .. } => {
            let silent = |stable: &Level| {
                stable.requests < *min_requests || stable.value.is_none_or(|value| value == 0.0)
            };
            requests < min_requests || stable.as_ref().is_some_and(silent)
        }
        Reading::Sequential(shares) => shares.ln_evidence >= -math::ln(shares.alpha.get()),
        Reading::EventRatio(ratio) => ratio.ln_evidence >= -math::ln(ratio.alpha.get()),
        Reading::Objective(against) => against.ln_evidence >= -math::ln(against.alpha.get()),
        Reading::Ranks(shift) => match shift.metric.direction() {
            Direction::Higher => -shift.high > shift.tolerance,
            _ => shift.low > shift.tolerance,
        },
    };
    assert!(holds && evidence.holds(), "{evidence:?}");
}

fn compare(operator: &str, left: f64, right: f64) -> bool {
    match operator {
        ">" => left > right,
        ">=" => left >= right,
        "<" => left < right,
        "<=" => left <= right,
        other => panic!("operator {other}"),
    }
}
