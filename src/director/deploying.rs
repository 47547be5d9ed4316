//! What a phase deploys when it begins, as commands to a deployment as it stands.
//!
//! A plan means what it says: it deploys a version again that was rolled back, unless it says that
//! it does not, and it ends a rollout that is in its way.

use super::meant::Meant;
use super::standing::Standing;
use crate::engine::{CommandKind, Target};
use crate::exchange::{ModelIndex, VersionIndex};
use crate::record::{OrderedShare, PhasePart};
use crate::scenario::{NamedVersion, PhasePlan, Scenario};
use crate::units::Ratio;

/// A command with which a phase begins.
#[derive(Clone, PartialEq, Debug)]
pub struct PhaseCommand {
    /// For which model.
    pub model: ModelIndex,
    /// What it asks for.
    pub kind: CommandKind,
    /// What ends a rollout that is in its way.
    pub first: CommandKind,
    /// What it is of its phase, as that names it.
    pub part: PhasePart,
}

/// The commands that set the weights of a phase, model by model.
pub fn split_commands(
    standing: &Standing,
    scenario: &Scenario,
    phase: &PhasePlan,
    meant: &Meant,
) -> Vec<PhaseCommand> {
    let arms = || phase.split.iter().flatten().zip(&meant.split);
    let command = |model: ModelIndex| {
        let own = arms().filter(|((named, _), _)| scenario.model_of_named(named) == model);
        let own: Vec<_> =
            own.map(|((named, weight), version)| (named, *weight, *version)).collect();
        let gets = |(_, weight, version): &(_, Ratio, Option<VersionIndex>)| {
            version.filter(|_| weight.get() > 0.0)
        };
        let is_rolled_back = |version| standing.is_rolled_back(version);
        let redeploy = phase.redeploy && own.iter().filter_map(gets).any(is_rolled_back);
        let shares = own
            .iter()
            .map(|(named, weight, version)| (target(scenario, named, *version), *weight))
            .collect();
        let said: Vec<_> = own
            .iter()
            .map(|(named, weight, _)| (target_named(scenario.name_of(named)), *weight))
            .collect();
        let part = PhasePart::Split { shares: OrderedShare::all(&said) };
        (!own.is_empty()).then_some(PhaseCommand {
            model,
            kind: CommandKind::Split { shares, redeploy },
            first: CommandKind::Abort,
            part,
        })
    };
    (0..scenario.models.len() as u16).map(ModelIndex).filter_map(command).collect()
}

/// The command that begins the rollout of a phase, of `version`; `None`: it has none.
pub fn rollout_command(
    standing: &Standing,
    scenario: &Scenario,
    phase: &PhasePlan,
    version: Option<VersionIndex>,
) -> Option<PhaseCommand> {
    let plan = phase.rollout.as_ref()?;
    let model = scenario.model_of_named(&plan.version);
    let first = match standing.promoted(model) {
        // Promoting it again ends its bake.
        Some(promoted) => {
            CommandKind::Promote { version: by_id(scenario, promoted), redeploy: false }
        }
        None => CommandKind::Abort,
    };
    let kind = CommandKind::StartRollout {
        version: target(scenario, &plan.version, version),
        steps: plan.ladder.clone(),
        bake: plan.bake,
        redeploy: phase.redeploy && version.is_some_and(|version| standing.is_rolled_back(version)),
    };
    let part = PhasePart::Rollout { version: target_named(scenario.name_of(&plan.version)) };
    Some(PhaseCommand { model, kind, first, part })
}

/// The version that a phase means; where it means none, the tag, so that the engine says so.
fn target(scenario: &Scenario, named: &NamedVersion, meant: Option<VersionIndex>) -> Target {
    match meant {
        Some(version) => by_id(scenario, version),
        None => target_named(scenario.name_of(named)),
    }
}

/// A version by its id.
///
/// # Panics
/// The index is of another plan: a bug of the caller.
pub fn by_id(scenario: &Scenario, version: VersionIndex) -> Target {
    target_named(scenario.version(version).id.as_str())
}

/// The version or tag `name` of a plan that was checked.
///
/// # Panics
/// No version or tag can have this name: it is of no such plan.
pub fn target_named(name: &str) -> Target {
    Target::new(name).expect("a checked plan names versions by valid ids")
}
