//! The canary that rules are sought for: where it stands in its scenario, and the scenario without
//! anything wrong with it, with a fault on it, and under other rules.

use crate::engine::{Assignment, RuleSet};
use crate::exchange::{ModelIndex, VersionIndex};
use crate::scenario::{
    Instruction, NamedFault, NamedVersion, PhaseEnd, PhasePlan, RolloutPlan, STABLE, Scenario,
    Truth,
};
use crate::units::{Duration, Ratio, VersionId, format_percent};
use crate::upstream::{Correlation, Fault};

/// The canary of a scenario, healthy.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Without faults.
    healthy: Scenario,
    model: ModelIndex,
    stable: VersionIndex,
    canary: VersionIndex,
    /// The phase in which it has its first traffic (an index).
    phase: usize,
}

/// Why no rules can be sought for the canary of a scenario, or not against a fault.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unfit {
    /// There are several models.
    #[error(
        "the scenario has several models, {names}: rules are sought for one; name it with --model"
    )]
    ManyModels {
        /// Their names.
        names: String,
    },
    /// There is no such model.
    #[error("the scenario has no model {name:?}; known: {names}")]
    NoModel {
        /// The one that was asked for.
        name: String,
        /// Those that there are.
        names: String,
    },
    /// No version is the stable.
    #[error("no version of {model} has the tag stable: there is nothing to roll back to")]
    NoStable {
        /// Which model.
        model: String,
    },
    /// No version beside the stable has traffic.
    #[error(
        "no phase gives a version of {model} beside the stable any traffic: there is no canary"
    )]
    NoCanary {
        /// Which model.
        model: String,
    },
    /// Several have.
    #[error(
        "{first} and {second} both have traffic beside the stable: rules are sought for one canary"
    )]
    ManyCanaries {
        /// The one.
        first: VersionId,
        /// The other.
        second: VersionId,
    },
    /// It is bad without any fault.
    #[error(
        "{version} counts as bad without a fault (truth: bad): there is no healthy release to \
         leave alone; give it the stable's upstream, and list what is wrong in --against"
    )]
    Bad {
        /// The canary.
        version: VersionId,
    },
    /// A fault begins after its time.
    #[error(
        "the fault {fault:?} begins {at} after the canary has its first traffic: by then the phase \
         {phase:?} is over, or may be, and no later one has a time of its own; it would never begin"
    )]
    NeverBegins {
        /// Which fault.
        fault: String,
        /// When it would begin.
        at: Duration,
        /// The phase up to which times are known.
        phase: String,
    },
    /// Its weight follows from its rules.
    #[error(
        "in the phase {phase:?} a rollout raises the canary's weight when the rules let it: rules \
         are sought at weights that do not depend on them; write its steps as phases with a split"
    )]
    Rollout {
        /// Which phase.
        phase: String,
    },
    /// Somebody gives commands in it.
    #[error(
        "the phase {phase:?} gives the model a command: rules are sought for a canary that nobody \
         touches; leave `commands` out"
    )]
    Commands {
        /// Which phase.
        phase: String,
    },
    /// What it answers is recorded.
    #[error("{version} answers as recorded: no fault can be put on it")]
    Recorded {
        /// Which version.
        version: VersionId,
    },
    /// Together with what it fails anyway a fault fails more than all requests.
    #[error(
        "the fault {fault:?} fails {failing} of the requests, and {version} fails {own} anyway: \
         together at most 100 % are allowed; lower the fault"
    )]
    TooMuch {
        /// Which fault.
        fault: String,
        /// How much it fails.
        failing: String,
        /// The canary.
        version: VersionId,
        /// How much that fails anyway.
        own: String,
    },
}

impl Subject {
    /// The canary of `model`, which may be left out where there is one model.
    ///
    /// # Errors
    /// There is no such model or canary, or its course depends on more than rules and faults.
    pub fn of(scenario: &Scenario, model: Option<&str>) -> Result<Self, Unfit> {
        let model = chosen_model(scenario, model)?;
        let plan = &scenario.models[usize::from(model.0)];
        let first = scenario.first_version(model);
        let place = |place: usize| VersionIndex(first.0 + place as u16);
        let is_stable =
            |place: &usize| plan.versions[*place].tags.iter().any(|tag| tag.as_str() == STABLE);
        let stable = (0..plan.versions.len()).find(is_stable).map(place);
        let name = || plan.id.to_string();
        let stable = stable.ok_or_else(|| Unfit::NoStable { model: name() })?;
        check_phases(scenario, model)?;
        let mut found: Option<(VersionIndex, usize)> = None;
        for (index, phase) in scenario.phases.iter().enumerate() {
            for (version, weight) in own_split(scenario, model, phase) {
                if version == stable || weight.get() == 0.0 {
                    continue;
                }
                let id = |version| scenario.version(version).id.clone();
                match found {
                    Some((known, _)) if known != version => {
                        let (first, second) = (id(known), id(version));
                        return Err(Unfit::ManyCanaries { first, second });
                    }
                    Some(_) => {}
                    None => found = Some((version, index)),
                }
            }
        }
        let (canary, phase) = found.ok_or_else(|| Unfit::NoCanary { model: name() })?;
        let plan = scenario.version(canary);
        if plan.behaviour().is_none() {
            return Err(Unfit::Recorded { version: plan.id.clone() });
        }
        if plan.truth == Truth::Bad {
            return Err(Unfit::Bad { version: plan.id.clone() });
        }
        let healthy = without_own_faults(scenario, model, canary);
        Ok(Self { healthy, model, stable, canary, phase })
    }

    /// Whether a name in rules, of a version or of a tag, is that of the canary.
    pub fn is_canary(&self, name: &str) -> bool {
        let version = self.healthy.version(self.canary);
        version.id.as_str() == name || version.tags.iter().any(|tag| tag.as_str() == name)
    }

    /// Whether chance, and nothing else, assigns requests or the users that they belong to.
    pub fn is_assigned_by_chance(&self) -> bool {
        self.healthy.models[usize::from(self.model.0)].assignment != Assignment::Even
    }

    /// The scenario with nothing wrong.
    pub const fn healthy(&self) -> &Scenario {
        &self.healthy
    }

    /// Its model.
    pub const fn model(&self) -> ModelIndex {
        self.model
    }

    /// The version that is rolled back to.
    pub const fn stable(&self) -> VersionIndex {
        self.stable
    }

    /// The canary.
    pub const fn canary(&self) -> VersionIndex {
        self.canary
    }

    /// The rules that the scenario has for it.
    pub fn rules(&self) -> &RuleSet {
        &self.healthy.models[usize::from(self.model.0)].rules
    }

    /// The scenario with `fault` on the canary; its times count from the canary's first traffic.
    ///
    /// # Errors
    /// The fault and what the canary fails anyway are more than all requests, or it never begins.
    pub fn under(&self, fault: &NamedFault) -> Result<Scenario, Unfit> {
        let mut scenario = self.healthy.clone();
        let version = scenario.version(self.canary);
        let (own, failing) = (self.failing_anyway(), fault.failing());
        if own + failing > 1.0 + ROUNDING {
            return Err(Unfit::TooMuch {
                fault: fault.name.clone(),
                failing: format_percent(failing),
                version: version.id.clone(),
                own: format_percent(own),
            });
        }
        for part in &fault.faults {
            let (phase, at) = self.place(part.at).map_err(|phase| {
                let (fault, phase) = (fault.name.clone(), self.healthy.phases[phase].name.clone());
                Unfit::NeverBegins { fault, at: part.at, phase }
            })?;
            // What has an end of its own outlasts its phase: so does a fault that has none here.
            let lasts = part.lasts.or(Some(WITHOUT_END));
            let placed = Fault { at, lasts, ..part.clone() };
            scenario.phases[phase].faults.push((NamedVersion::Fixed(self.canary), placed));
        }
        for phase in &mut scenario.phases {
            phase.faults.sort_by(|(one, _), (other, _)| one.cmp(other));
        }
        Ok(scenario)
    }

    /// In which phase (an index) it is, and how far into it, so long after the beginning of the
    /// canary's first phase; or the phase up to which that is known.
    fn place(&self, after: Duration) -> Result<(usize, Duration), usize> {
        let (mut phase, mut left) = (self.phase, after);
        loop {
            match self.healthy.phases[phase].end {
                PhaseEnd::After(length) if left >= length => {
                    if phase + 1 == self.healthy.phases.len() {
                        return Err(phase);
                    }
                    (phase, left) = (phase + 1, left.saturating_sub(length));
                }
                end if end.longest().is_some_and(|longest| left >= longest) => return Err(phase),
                _ => return Ok((phase, left)),
            }
        }
    }

    /// The most that the canary fails without a fault of its own.
    fn failing_anyway(&self) -> f64 {
        let behaviour = self.healthy.version(self.canary).behaviour();
        let own = behaviour.map_or(0.0, |behaviour| {
            let of_bursts = match &behaviour.correlation {
                Correlation::Burst(bursts) => bursts.failures.as_slice(),
                _ => &[],
            };
            let all = behaviour.failures.iter().chain(of_bursts);
            all.map(|failure| failure.probability.get()).sum()
        });
        let kept = self.healthy.phases.iter().flat_map(|phase| &phase.faults);
        let kept =
            kept.filter(|(named, _)| named.may_be(self.canary)).flat_map(|(_, f)| &f.failures);
        own + kept.map(|failure| failure.probability.get()).sum::<f64>()
    }

    /// `scenario`, one of this subject's, under other rules.
    pub fn ruled(&self, mut scenario: Scenario, rules: RuleSet) -> Scenario {
        scenario.models[usize::from(self.model.0)].rules = rules;
        scenario
    }
}

fn chosen_model(scenario: &Scenario, name: Option<&str>) -> Result<ModelIndex, Unfit> {
    let names = || {
        let ids = scenario.models.iter().map(|model| model.id.as_str());
        ids.collect::<Vec<_>>().join(", ")
    };
    match name {
        Some(name) => scenario
            .model_named(name)
            .ok_or_else(|| Unfit::NoModel { name: name.to_owned(), names: names() }),
        None if scenario.models.len() > 1 => Err(Unfit::ManyModels { names: names() }),
        None => Ok(ModelIndex(0)),
    }
}

/// Refuses phases in which more than time decides how much traffic the canary has.
fn check_phases(scenario: &Scenario, model: ModelIndex) -> Result<(), Unfit> {
    for phase in &scenario.phases {
        let own = |rollout: &&RolloutPlan| scenario.model_of_named(&rollout.version) == model;
        if phase.rollout.as_ref().filter(own).is_some() {
            return Err(Unfit::Rollout { phase: phase.name.clone() });
        }
        let commands = phase.commands.iter().any(|command| {
            matches!(command.instruction, Instruction::Engine(_)) && command.model == Some(model)
        });
        if commands {
            return Err(Unfit::Commands { phase: phase.name.clone() });
        }
    }
    Ok(())
}

/// The weights that a phase sets for the versions of a model.
fn own_split(
    scenario: &Scenario,
    model: ModelIndex,
    phase: &PhasePlan,
) -> Vec<(VersionIndex, Ratio)> {
    let split = phase.split.iter().flatten();
    let fixed = split.filter_map(|(named, weight)| Some((named.fixed()?, *weight)));
    fixed.filter(|(version, _)| scenario.model_of(*version) == model).collect()
}

/// The scenario without what is wrong with the canary alone, in which no phase brings it back once
/// it is rolled back. What hits every version of its model makes none of them bad, and stays: that
/// is what false rollbacks come of.
fn without_own_faults(scenario: &Scenario, model: ModelIndex, canary: VersionIndex) -> Scenario {
    let mut healthy = scenario.clone();
    let count = scenario.models[usize::from(model.0)].versions.len() as u16;
    let first = scenario.first_version(model).0;
    for phase in &mut healthy.phases {
        let all = phase.faults.clone();
        let hits = |version: u16, fault: &Fault| {
            all.iter().any(|(named, other)| named.may_be(VersionIndex(version)) && other == fault)
        };
        let everywhere = |fault: &Fault| (first..first + count).all(|one| hits(one, fault));
        phase.faults.retain(|(named, fault)| !named.may_be(canary) || everywhere(fault));
        // Of several weights of a ladder only those before a rollback are the canary's.
        phase.redeploy = false;
    }
    let mut versions = healthy.models.iter_mut().flat_map(|model| &mut model.versions);
    if let Some(version) = versions.nth(usize::from(canary.0)) {
        version.truth = Truth::DuringFaults;
    }
    healthy
}

/// Longer than any run.
const WITHOUT_END: Duration = Duration::from_secs(1_000_000_000);
/// Chosen: sums of literals such as 0.08 % and 99.92 % are 1 but for their last bits.
const ROUNDING: f64 = 1e-9;

#[cfg(test)]
mod tests {
    use super::super::example::{SCENARIO, faults, ladder, scenario, subject};
    use super::*;

    fn refused(old: &str, new: &str, model: Option<&str>) -> String {
        let text = SCENARIO.replace(old, new);
        assert_ne!(text, SCENARIO, "{old}");
        Subject::of(&scenario(&text), model).unwrap_err().to_string()
    }

    #[test]
    fn a_fault_stands_on_the_canary_from_its_first_traffic_on() {
        let subject = subject();
        assert!(subject.healthy().phases.iter().all(|phase| phase.faults.is_empty()));
        let bad = subject.under(&faults()[3]).unwrap();
        assert_eq!((bad.phases[0].faults.len(), bad.phases[1].faults.len()), (1, 0));
        let (version, fault) = &bad.phases[0].faults[0];
        assert_eq!(*version, NamedVersion::Fixed(subject.canary()));
        assert_eq!(fault.lasts, Some(WITHOUT_END), "it outlasts the phase");
        assert_ne!(subject.canary(), subject.stable());
        assert!(subject.is_canary("v2") && subject.is_canary("beta") && !subject.is_canary("v1"));
    }

    #[test]
    fn of_a_ladder_a_late_fault_stands_in_the_phase_of_its_time() {
        let subject = Subject::of(&scenario(&ladder()), None).unwrap();
        assert!(subject.healthy().phases.iter().all(|phase| !phase.redeploy));
        let mut fault = faults().swap_remove(3);
        let placed = |fault: &NamedFault| {
            let bad = subject.under(fault)?;
            let phases = bad.phases.iter().enumerate();
            let all = phases.flat_map(|(phase, plan)| plan.faults.iter().map(move |f| (phase, f)));
            Ok::<_, Unfit>(all.map(|(phase, (_, fault))| (phase, fault.at)).collect::<Vec<_>>())
        };
        let secs = Duration::from_secs;
        for (at, phase, into) in [(0, 0, 0), (59, 0, 59), (60, 1, 0), (150, 2, 30), (259, 2, 139)] {
            fault.faults[0].at = secs(at);
            assert_eq!(placed(&fault), Ok(vec![(phase, secs(into))]), "{at}");
        }
        fault.faults[0].at = secs(260);
        let told = placed(&fault).unwrap_err().to_string();
        assert!(told.contains("\"fifty\" is over, or may be"), "{told}");
    }

    #[test]
    fn what_hits_both_versions_stays_in_the_healthy_release() {
        let both = "faults: {v1: [{failures: {'503': 20%}}], v2: [{failures: {'503': 20%}}]}";
        let text = SCENARIO.replace("faults: {v2: [{failures: {'503': 20%}}]}", both);
        let subject = Subject::of(&scenario(&text), None).unwrap();
        assert_eq!(subject.healthy().phases[0].faults.len(), 2);
        let bad = subject.under(&faults()[1]).unwrap();
        assert_eq!(bad.phases[0].faults.len(), 3);
        let error = subject.under(&faults()[0]).unwrap_err().to_string();
        assert!(error.contains("fails 20.20 % anyway"), "{error}");
    }

    #[test]
    fn what_does_not_fit_is_told_with_what_to_do() {
        let all =
            SCENARIO.replace("v1: 50%, v2: 50%", "v1: 100%").replace("faults: {v2", "faults: {v1");
        let error = Subject::of(&scenario(&all), None).unwrap_err().to_string();
        assert!(error.contains("there is no canary"), "{error}");
        let mut untagged = scenario(SCENARIO);
        untagged.models[0].versions[0].tags.clear();
        let none = Subject::of(&untagged, None).unwrap_err().to_string();
        assert!(none.contains("no version of m has the tag stable"), "{none}");
        assert!(refused("for: 20s", "for: 30s", Some("n")).contains("known: m"));
        let rollout = "rollout: {version: v2, steps: [{weight: 5%, hold: 10s}]}";
        let told = refused("for: 20s", &format!("for: 20s, {rollout}"), None);
        assert!(told.contains("\"after\"") && told.contains("as phases with a split"), "{told}");
        let bad = refused("v2: {tags", "v2: {truth: bad, tags", None);
        assert!(bad.contains("v2 counts as bad without a fault"), "{bad}");
        let mut late = faults().swap_remove(3);
        late.faults[0].at = Duration::from_secs(240);
        let told = subject().under(&late).unwrap_err().to_string();
        assert!(told.contains("the phase \"canary\" is over, or may be"), "{told}");
        let command = "commands: [{at: 1s, rollback: {to: stable}}]";
        let told = refused("for: 20s", &format!("for: 20s, {command}"), None);
        assert!(told.contains("gives the model a command"), "{told}");
    }

    #[test]
    fn a_fault_that_leaves_no_room_for_what_fails_anyway_is_refused() {
        let mut fault = faults().swap_remove(0);
        fault.faults[0].failures[0].probability = Ratio::ONE;
        let told = subject().under(&fault).unwrap_err().to_string();
        assert!(told.contains("\"outage\" fails 100") && told.contains("v2 fails 0.2"), "{told}");
    }
}
