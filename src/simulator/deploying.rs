//! What a plan deploys, as commands to the engine as it stands.
//!
//! A plan means what it says: it deploys a version again that was rolled back, and it ends a
//! rollout that is in its way.

use crate::engine::{CommandKind, Engine, RolloutState, Target};
use crate::exchange::{ModelIndex, VersionIndex};
use crate::scenario::{RolloutPlan, Scenario};
use crate::units::Ratio;

/// A command and the model that it is for.
pub(super) type Order = (ModelIndex, CommandKind);

/// The commands that set these weights, model by model.
pub(super) fn split(
    engine: &Engine,
    scenario: &Scenario,
    weights: &[(VersionIndex, Ratio)],
) -> Vec<Order> {
    let same_model = |(one, _): &(VersionIndex, _), (next, _): &(VersionIndex, _)| {
        scenario.model_of(*one) == scenario.model_of(*next)
    };
    let mut orders = Vec::new();
    for weights in weights.chunk_by(same_model) {
        let model = scenario.model_of(weights[0].0);
        let under_way = engine.rollout(model).is_some_and(|r| r.state().stage().is_some());
        orders.extend(under_way.then_some((model, CommandKind::Abort)));
        let mut named = weights.iter().filter(|(_, weight)| weight.get() > 0.0);
        let redeploy = named.any(|(version, _)| is_rolled_back(engine, scenario, *version));
        let share =
            |(version, weight): &(VersionIndex, Ratio)| (target(scenario, *version), *weight);
        let shares = weights.iter().map(share).collect();
        orders.push((model, CommandKind::Split { shares, redeploy }));
    }
    orders
}

/// The commands that begin a rollout.
pub(super) fn rollout(engine: &Engine, scenario: &Scenario, plan: &RolloutPlan) -> Vec<Order> {
    let model = scenario.model_of(plan.version);
    let mut orders = Vec::new();
    if let Some(rollout) = engine.rollout(model) {
        let promoted = rollout.version().filter(|_| rollout.state() == RolloutState::Promoted);
        let catalog = engine.catalog(model);
        match promoted.zip(catalog) {
            // Promoting it again ends its bake.
            Some((slot, catalog)) => {
                let version = name(catalog.id(slot).as_str());
                orders.push((model, CommandKind::Promote { version, redeploy: false }));
            }
            None if rollout.state().stage().is_some() => orders.push((model, CommandKind::Abort)),
            None => {}
        }
    }
    let start = CommandKind::StartRollout {
        version: target(scenario, plan.version),
        steps: plan.ladder.clone(),
        bake: plan.bake,
        redeploy: is_rolled_back(engine, scenario, plan.version),
    };
    orders.push((model, start));
    orders
}

fn is_rolled_back(engine: &Engine, scenario: &Scenario, version: VersionIndex) -> bool {
    let id = &scenario.version(version).id;
    engine.catalog(scenario.model_of(version)).is_some_and(|catalog| {
        catalog.slot(id.as_str()).is_some_and(|slot| catalog.is_rolled_back(slot))
    })
}

pub(super) fn target(scenario: &Scenario, version: VersionIndex) -> Target {
    name(scenario.version(version).id.as_str())
}

/// The version or tag `name` of a plan that was checked.
pub(super) fn name(name: &str) -> Target {
    Target::new(name).expect("a checked plan names versions by valid ids")
}
