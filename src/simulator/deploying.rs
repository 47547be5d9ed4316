//! What a phase deploys when it begins, as commands to the engine as it stands.
//!
//! A plan means what it says: it deploys a version again that was rolled back, and it ends a
//! rollout that is in its way.

use super::meant::Meant;
use crate::engine::{CommandKind, Engine, RolloutState, Target};
use crate::exchange::{ModelIndex, VersionIndex};
use crate::record::{OrderedShare, PhasePart};
use crate::scenario::{NamedVersion, PhasePlan, RolloutPlan, Scenario};
use crate::units::Ratio;

/// A command for a model.
pub(super) struct PhaseCommand {
    pub(super) model: ModelIndex,
    pub(super) kind: CommandKind,
    /// What ends a rollout that is in its way.
    pub(super) first: CommandKind,
    /// What it is of its phase, as that names it.
    pub(super) part: PhasePart,
}

/// The commands that set the weights of a phase, model by model.
pub(super) fn split(
    engine: &Engine,
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
        let redeploy = own.iter().filter_map(gets).any(|v| is_rolled_back(engine, scenario, v));
        let shares = own
            .iter()
            .map(|(named, weight, version)| (target(scenario, named, *version), *weight))
            .collect();
        let said: Vec<_> =
            own.iter().map(|(named, weight, _)| (name(scenario.name_of(named)), *weight)).collect();
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

/// The command that begins a rollout of `version`.
pub(super) fn rollout(
    engine: &Engine,
    scenario: &Scenario,
    plan: &RolloutPlan,
    version: Option<VersionIndex>,
) -> PhaseCommand {
    let model = scenario.model_of_named(&plan.version);
    let promoted = engine.rollout(model).filter(|it| it.state() == RolloutState::Promoted);
    let promoted = promoted.and_then(|rollout| rollout.version()).zip(engine.catalog(model));
    let first = match promoted {
        // Promoting it again ends its bake.
        Some((slot, catalog)) => {
            let version = name(catalog.id(slot).as_str());
            CommandKind::Promote { version, redeploy: false }
        }
        None => CommandKind::Abort,
    };
    let kind = CommandKind::StartRollout {
        version: target(scenario, &plan.version, version),
        steps: plan.ladder.clone(),
        bake: plan.bake,
        redeploy: version.is_some_and(|version| is_rolled_back(engine, scenario, version)),
    };
    let part = PhasePart::Rollout { version: name(scenario.name_of(&plan.version)) };
    PhaseCommand { model, kind, first, part }
}

fn is_rolled_back(engine: &Engine, scenario: &Scenario, version: VersionIndex) -> bool {
    let id = &scenario.version(version).id;
    engine.catalog(scenario.model_of(version)).is_some_and(|catalog| {
        catalog.slot(id.as_str()).is_some_and(|slot| catalog.is_rolled_back(slot))
    })
}

/// The version that a phase means; where it means none, the tag, so that the engine says so.
fn target(scenario: &Scenario, named: &NamedVersion, meant: Option<VersionIndex>) -> Target {
    match meant {
        Some(version) => by_id(scenario, version),
        None => name(scenario.name_of(named)),
    }
}

/// A version by its id.
pub(super) fn by_id(scenario: &Scenario, version: VersionIndex) -> Target {
    name(scenario.version(version).id.as_str())
}

/// The version or tag `name` of a plan that was checked.
pub(super) fn name(name: &str) -> Target {
    Target::new(name).expect("a checked plan names versions by valid ids")
}
