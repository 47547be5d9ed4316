//! The canary that rules are sought for: where it stands in its scenario, and the scenario without
//! anything wrong with it, with a fault on it, and under other rules.

use crate::engine::RuleSet;
use crate::exchange::{ModelIndex, VersionIndex};
use crate::scenario::{Instruction, NamedFault, NamedVersion, RolloutPlan, Scenario, Truth};
use crate::units::{VersionId, format_percent};
use crate::upstream::Correlation;

/// The canary of a scenario, healthy.
#[derive(Clone, Debug)]
pub struct Subject {
    /// Without faults.
    healthy: Scenario,
    model: ModelIndex,
    stable: VersionIndex,
    canary: VersionIndex,
    /// The phases in which it has traffic (indices).
    phases: Vec<usize>,
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
         together at most 100 % are allowed"
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
        let mut canary: Option<VersionIndex> = None;
        let mut phases = Vec::new();
        let mut has_traffic = false;
        for (index, phase) in scenario.phases.iter().enumerate() {
            let split = phase.split.iter().flatten();
            let own = split.filter_map(|(named, weight)| Some((named.fixed()?, weight.get())));
            let own: Vec<_> = own.filter(|(one, _)| scenario.model_of(*one) == model).collect();
            let others = own.iter().filter(|(one, weight)| *one != stable && *weight > 0.0);
            let others: Vec<VersionIndex> = others.map(|(one, _)| *one).collect();
            for other in &others {
                let known = *canary.get_or_insert(*other);
                if known != *other {
                    let id = |version| scenario.version(version).id.clone();
                    let (first, second) = (id(known), id(*other));
                    return Err(Unfit::ManyCanaries { first, second });
                }
            }
            // A phase without a split goes on with that of the one before.
            has_traffic = if own.is_empty() { has_traffic } else { !others.is_empty() };
            if has_traffic {
                phases.push(index);
            }
        }
        let canary = canary.ok_or_else(|| Unfit::NoCanary { model: name() })?;
        if scenario.version(canary).behaviour().is_none() {
            return Err(Unfit::Recorded { version: scenario.version(canary).id.clone() });
        }
        Ok(Self { healthy: without_faults(scenario, canary), model, stable, canary, phases })
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

    /// The scenario with `fault` on the canary, in each phase in which it has traffic.
    ///
    /// # Errors
    /// The fault and what the canary fails anyway are more than all requests.
    pub fn under(&self, fault: &NamedFault) -> Result<Scenario, Unfit> {
        let mut scenario = self.healthy.clone();
        let version = scenario.version(self.canary);
        let own = version.behaviour().map_or(0.0, |behaviour| {
            let of_bursts = match &behaviour.correlation {
                Correlation::Burst(bursts) => bursts.failures.as_slice(),
                _ => &[],
            };
            let all = behaviour.failures.iter().chain(of_bursts);
            all.map(|failure| failure.probability.get()).sum()
        });
        let failing = fault.failing();
        if own + failing > 1.0 + ROUNDING {
            return Err(Unfit::TooMuch {
                fault: fault.name.clone(),
                failing: format_percent(failing),
                version: version.id.clone(),
                own: format_percent(own),
            });
        }
        for phase in &self.phases {
            let faults = fault.faults.iter().cloned();
            scenario.phases[*phase].faults =
                faults.map(|fault| (NamedVersion::Fixed(self.canary), fault)).collect();
        }
        Ok(scenario)
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

/// The scenario without faults; whether the canary is bad is up to those that are put on it.
fn without_faults(scenario: &Scenario, canary: VersionIndex) -> Scenario {
    let mut healthy = scenario.clone();
    healthy.phases.iter_mut().for_each(|phase| phase.faults.clear());
    let versions = healthy.models.iter_mut().flat_map(|model| &mut model.versions);
    if let Some(version) = versions.skip(usize::from(canary.0)).next() {
        version.truth = Truth::DuringFaults;
    }
    healthy
}

/// The tag of the version that is rolled back to.
const STABLE: &str = "stable";
/// Chosen: sums of literals such as 0.08 % and 99.92 % are 1 but for their last bits.
const ROUNDING: f64 = 1e-9;

#[cfg(test)]
mod tests {
    use super::super::example::{SCENARIO, faults, scenario, subject};
    use super::*;

    fn refused(old: &str, new: &str, model: Option<&str>) -> String {
        let text = SCENARIO.replace(old, new);
        assert_ne!(text, SCENARIO, "{old}");
        Subject::of(&scenario(&text), model).unwrap_err().to_string()
    }

    #[test]
    fn the_healthy_release_has_no_fault_and_each_fault_stands_where_the_canary_has_traffic() {
        let subject = subject();
        assert!(subject.healthy().phases.iter().all(|phase| phase.faults.is_empty()));
        let bad = subject.under(&faults()[3]).unwrap();
        assert_eq!((bad.phases[0].faults.len(), bad.phases[1].faults.len()), (1, 1));
        assert_eq!(bad.phases[0].faults[0].0, NamedVersion::Fixed(subject.canary()));
        assert_ne!(subject.canary(), subject.stable());
        let back = SCENARIO.replace("for: 20s", "for: 20s, split: {v1: 100%}");
        let subject = Subject::of(&scenario(&back), None).unwrap();
        assert!(subject.under(&faults()[3]).unwrap().phases[1].faults.is_empty());
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
        let command = "commands: [{at: 1s, rollback: {to: stable}}]";
        let told = refused("for: 20s", &format!("for: 20s, {command}"), None);
        assert!(told.contains("gives the model a command"), "{told}");
    }

    #[test]
    fn a_fault_that_leaves_no_room_for_what_fails_anyway_is_refused() {
        let mut fault = faults().swap_remove(0);
        fault.faults[0].failures[0].probability = crate::units::Ratio::ONE;
        let told = subject().under(&fault).unwrap_err().to_string();
        assert!(told.contains("\"outage\" fails 100") && told.contains("v2 fails 0.2"), "{told}");
    }
}
