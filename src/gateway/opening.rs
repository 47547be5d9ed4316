//! What a configuration asks of a deployment as the gateway starts: what is not there yet. The
//! journal wins over the file in all that the interface can change.

use crate::engine::{Command, CommandKind, Engine, RuleSet, Target};
use crate::exchange::ModelIndex;
use crate::scenario::{GatewayModel, GatewayVersion};
use crate::units::{TagName, Timestamp};

/// The commands that lead from the present state of a model to what `plan` asks of it, in their
/// order.
pub(super) fn opening(
    engine: &Engine,
    model: ModelIndex,
    plan: &GatewayModel,
    now: Timestamp,
) -> Vec<Command> {
    let by = |kind| Command { model, by: BY.to_owned(), kind };
    let is_new = |version: &&GatewayVersion| {
        let catalog = engine.catalog(model);
        catalog.is_none_or(|catalog| catalog.slot(version.id.as_str()).is_none())
    };
    let has_tag = |tag: &TagName| {
        engine.catalog(model).is_some_and(|catalog| catalog.holder(tag.as_str()).is_some())
    };
    // One that is there with other content is refused by the engine: it never changes.
    let registered =
        |version: &GatewayVersion| by(CommandKind::Register(Box::new(version.to_version(now))));
    let mut commands: Vec<Command> = plan.versions.iter().map(registered).collect();
    for version in plan.versions.iter().filter(is_new) {
        let free = version.tags.iter().filter(|tag| !has_tag(tag));
        commands.extend(free.filter_map(|tag| {
            let version = Target::new(version.id.as_str())?;
            Some(by(CommandKind::Tag { tag: tag.clone(), version, preserve_previous: true }))
        }));
    }
    // Neither can be changed by the interface.
    commands.push(by(CommandKind::Assignment(plan.assignment)));
    commands.push(by(CommandKind::Policies(Box::new(plan.policies.clone()))));
    if engine.split(model).is_some() {
        return commands;
    }
    // A model of which nothing is said has the rules of all models.
    if plan.rules != RuleSet::default() {
        commands.push(by(CommandKind::Rules(plan.rules.clone())));
    }
    let shares = plan
        .split
        .iter()
        .filter_map(|(version, weight)| Some((Target::new(version.as_str())?, *weight)));
    let shares: Vec<_> = shares.collect();
    if !shares.is_empty() {
        commands.push(by(CommandKind::Split { shares, redeploy: false }));
    }
    if let Some(rollout) = &plan.rollout
        && let Some(version) = Target::new(rollout.version.as_str())
    {
        commands.push(by(CommandKind::StartRollout {
            version,
            steps: rollout.ladder.clone(),
            bake: rollout.bake,
            redeploy: false,
        }));
    }
    commands
}

/// Who asks for it, as the journal has it.
const BY: &str = "configuration";
