//! An observer that keeps everything, and holds what must hold of any run against it.

use std::collections::{BTreeMap, BTreeSet};

use coalmine::chance::Chance;
use coalmine::engine::{
    CommandKind, EventKind, Evidence, Level, Reading, RolloutState, Sealed, Slot,
};
use coalmine::exchange::{ModelIndex, VersionIndex};
use coalmine::math;
use coalmine::metric::Measure;
use coalmine::record::{
    Arm, Attempt, Happening, KeyRefusal, Observer, Order, Outcome, PhasePart, Refusal,
};
use coalmine::scenario::{CommandPlan, Instruction, NamedVersion, Scenario, Traffic};
use coalmine::simulator::simulate;
use coalmine::testing::{Ended, RuleAudit};
use coalmine::units::{Ratio, Timestamp};
use coalmine::workload::Source;

/// Everything that happened in a run, checked while it happens.
pub(crate) struct Witness<'a> {
    scenario: &'a Scenario,
    weights: Vec<Ratio>,
    /// The phase that began last, and when.
    phase: Option<(u16, Timestamp)>,
    /// Whom the weights of that phase name, and whether by tags that may have moved.
    split: Vec<(Option<VersionIndex>, Ratio)>,
    by_tag: bool,
    /// The weights that it must have begun with, until something else can change them.
    due_weights: Option<Vec<Ratio>>,
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
    /// Works out anew what rules must find, where it is asked to.
    audit: Option<RuleAudit>,
    /// What rules told: how often a breach began, ended and fired.
    pub(crate) told: [u64; 3],
    /// Who has which tag.
    tags: BTreeMap<String, VersionIndex>,
    /// The last command that was not refused, and when it was given.
    command: Option<(Timestamp, &'a CommandPlan)>,
    /// The tag that it moved, and who had it before.
    moved: Option<(String, Option<VersionIndex>)>,
    pub(crate) assigned: u64,
    /// By rules; those by command are apart.
    pub(crate) rollbacks: u64,
    pub(crate) rollbacks_by_command: u64,
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
        Self::watching(scenario, seed, None)
    }

    /// The same, with every finding of every rule worked out anew: of a scenario whose requests
    /// take one attempt each and whose rules have no recipients.
    pub(crate) fn auditing(scenario: &'a Scenario, seed: u64) -> Self {
        let audit = RuleAudit::new(scenario.models[0].safeguards);
        Self::watching(scenario, seed, Some(audit))
    }

    fn watching(scenario: &'a Scenario, seed: u64, audit: Option<RuleAudit>) -> Self {
        let Traffic::Generated(workload) = &scenario.traffic else { panic!("no trace expected") };
        let chance = Chance::new(seed, 0);
        let mut witness = Self {
            scenario,
            weights: Vec::new(),
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
            audit,
            told: [0; 3],
            tags: BTreeMap::new(),
            command: None,
            moved: None,
            assigned: 0,
            rollbacks: 0,
            rollbacks_by_command: 0,
            commands: [0; 3],
            keys_rejected: 0,
            rolled_back_at: None,
            outcomes: Vec::new(),
            attempts: Vec::new(),
        };
        for (version, plan) in scenario.versions().zip(0..) {
            let tags = version.tags.iter().map(|tag| (tag.as_str().to_owned(), plan));
            witness.tags.extend(tags.map(|(tag, plan)| (tag, VersionIndex(plan))));
        }
        let source = Source::generate(workload, chance);
        let finished = simulate(scenario, chance, source, &mut witness).unwrap();
        let catalog = finished.engine.catalog(ModelIndex(0)).unwrap();
        let held: BTreeMap<_, _> = catalog
            .tags()
            .map(|(tag, Slot(place))| (tag.as_str().to_owned(), VersionIndex(place)))
            .collect();
        assert_eq!(held, witness.tags);
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
            NamedVersion::Holder { tag, may_be, .. } => {
                let holder = self.tags.get(tag.as_str()).copied();
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
    fn given_weights(&self) -> Option<Vec<Ratio>> {
        let mut weights = vec![None; self.scenario.versions().count()];
        for (version, weight) in &self.split {
            let before = weights[usize::from((*version)?.0)].replace(*weight);
            if before.is_some() {
                return None;
            }
        }
        Some(weights.into_iter().map(Option::unwrap_or_default).collect())
    }

    /// A part of the phase that began last was refused.
    fn not_begun(&mut self, part: &PhasePart, why: &Refusal) {
        self.not_begun += 1;
        match part {
            PhasePart::Faults { version } => {
                assert!(!self.tags.contains_key(version.as_str()), "{part:?}: {why:?}");
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
    fn commanded(&mut self, at: Timestamp, order: &Order) {
        self.due_weights = None;
        let (phase, _) = self.phase.unwrap();
        let plans = &self.scenario.phases[usize::from(phase)].commands;
        let plan =
            plans.iter().find(|plan| plan.instruction.order() == *order && self.due(plan) == at);
        let plan = plan.unwrap_or_else(|| panic!("no command asks for {order:?} at {at}"));
        self.commands[0] += 1;
        self.command = Some((at, plan));
        self.moved = None;
        if let Instruction::Engine(CommandKind::Tag { tag, version, .. }) = &plan.instruction {
            let id = |name: &str| self.scenario.versions().position(|v| v.id.as_str() == name);
            let named = id(version.as_str()).map(|place| VersionIndex(place as u16));
            let version = named.or_else(|| self.tags.get(version.as_str()).copied());
            if let Some(version) = version {
                let tag = tag.as_str().to_owned();
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
            let had = had.map(|(place, _)| VersionIndex(place));
            self.banned.extend(had.filter(|version| *version != target));
            self.rollbacks_by_command += 1;
            return;
        };
        assert_eq!(self.fired, Some((at, version)), "a rollback without a firing");
        assert_ne!(version, target);
        self.banned.insert(version);
        self.rollbacks += 1;
        self.rolled_back_at = Some(at);
    }

    /// Holds what a rule tells against what it must.
    fn audit_rules(&mut self, at: Timestamp, happening: &Happening) {
        let number = match happening {
            Happening::BreachBegan { trigger, .. }
            | Happening::BreachEnded { trigger, .. }
            | Happening::Fired { trigger, .. } => *trigger,
            _ => return,
        };
        let Some(audit) = &mut self.audit else { return };
        // The record counts the triggers of all rule sets, the engine those of the present one.
        let rule = self.scenario.triggers(ModelIndex(0)).nth(number).unwrap();
        let place = audit.triggers().iter().position(|present| present == rule);
        let trigger = place.unwrap_or_else(|| panic!("{rule:?} is none of the present rules"));
        let (kind, of) = match happening {
            Happening::BreachBegan { version, .. } => {
                (EventKind::BreachBegan { trigger, version: Slot(version.0) }, 0)
            }
            Happening::BreachEnded { version, .. } => {
                (EventKind::BreachEnded { trigger, version: Slot(version.0) }, 1)
            }
            Happening::Fired { version, evidence, .. } => {
                let (version, evidence) = (Slot(version.0), evidence.clone());
                (EventKind::Fired { trigger, version, evidence }, 2)
            }
            _ => return,
        };
        self.told[of] += 1;
        audit.hear(at, &kind).unwrap();
    }

    fn split_changed(&mut self, at: Timestamp, weights: Vec<Ratio>) {
        let sum: f64 = weights.iter().map(|weight| weight.get()).sum();
        assert!((sum - 1.0).abs() <= 1e-9, "weights sum to {sum}");
        for version in (0..weights.len() as u16).map(VersionIndex) {
            if weights[usize::from(version.0)].get() > 0.0 && self.banned.contains(&version) {
                assert!(self.is_redeployed(at, version), "{version:?} is back at {at}");
                self.banned.remove(&version);
            }
        }
        self.weights = weights;
    }
}

impl Observer for Witness<'_> {
    fn assigned(&mut self, at: Timestamp, _: u16, version: VersionIndex, arm: Arm) {
        self.assigned += 1;
        if arm == Arm::Pinned {
            return;
        }
        if let Some(due) = self.due_weights.take() {
            assert_eq!(self.weights, due, "at {at}");
            self.begun_by_tag += u64::from(self.by_tag);
        }
        if let Some(audit) = &mut self.audit {
            audit.begin(at, Slot(version.0)).unwrap();
        }
        assert!(self.weights[usize::from(version.0)].get() > 0.0, "{version:?} at weight 0, {at}");
        assert!(!self.banned.contains(&version), "{version:?} was rolled back before {at}");
    }

    fn completed(&mut self, outcome: &Outcome) {
        self.outcomes.push(*outcome);
        let &Outcome { attempts, started, ended, assigned, arm, ref observed, .. } = outcome;
        if let Some(audit) = self.audit.as_mut().filter(|_| arm != Arm::Pinned) {
            assert_eq!(attempts, 1, "further attempts are not audited");
            let version = Slot(assigned.0);
            let ended = Ended { began: started, at: ended, version, observed, first: true };
            audit.end(ended).unwrap();
        }
    }

    fn attempt_began(&mut self, _: Timestamp, _: VersionIndex, _: Arm) {}

    fn attempted(&mut self, attempt: &Attempt) {
        self.attempts.push(*attempt);
    }

    fn key_rejected(&mut self, _: &KeyRefusal) {
        self.keys_rejected += 1;
    }

    fn let_in(&mut self, _: Timestamp, _: u16) {}

    fn journalled(&mut self, sealed: &Sealed) {
        if let Some(audit) = &mut self.audit {
            audit.follow(sealed.entry()).unwrap();
        }
    }

    fn became_bad(&mut self, _: Timestamp, _: VersionIndex) {}

    fn happened(&mut self, at: Timestamp, happening: Happening) {
        self.audit_rules(at, &happening);
        match happening {
            Happening::PhaseBegan { phase } => self.phase_began(at, phase),
            Happening::FaultBegan { version, what } => self.fault_began(at, version, &what),
            Happening::SplitChanged { weights, .. } => self.split_changed(at, weights),
            Happening::Fired { version, evidence, .. } => {
                assert_eq!(evidence.check, at);
                assert_holds(&evidence);
                self.fired = Some((at, version));
            }
            Happening::RolledBack { version, target } => self.rolled_back(at, version, target),
            Happening::RolloutMoved { version, to: RolloutState::Promoted, .. } => {
                self.tags.insert("stable".to_owned(), version);
            }
            Happening::Commanded { order, .. } => self.commanded(at, &order),
            Happening::CommandRefused { order: Order::Begin { with, .. }, why, .. } => {
                self.not_begun(&with, &why);
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
