//! What somebody should know of a model before it hurts: where a rollback could not go, or would go
//! to what nobody has tried. In words; changes nothing.

use super::chronicle::Past;
use crate::engine::{Action, Catalog, Engine, NoTarget, Slot, Status, Target};
use crate::exchange::ModelIndex;

/// What is wrong with a model, or about to be, the worst first.
pub(super) fn warnings(engine: &Engine, model: ModelIndex, past: &Past) -> Vec<String> {
    let Some(catalog) = engine.catalog(model) else { return Vec::new() };
    let refused = past.standing_refusal().map(super::entry_view::RefusalView::text);
    let stable = engine.stable(model).and_then(|stable| of_stable(catalog, stable, past));
    let actions = rollbacks(engine, model);
    let targets = watched(engine, model).into_iter().flat_map(|version| {
        actions.iter().filter_map(move |named| {
            let target = engine.rollback_target(model, named.as_ref(), version);
            of_target(catalog, version, (named.as_ref(), target), past)
        })
    });
    // A stable that was rolled back is the reason for what follows.
    refused.into_iter().chain(stable).chain(targets).collect()
}

/// The versions that rules cover: canaries, and the one that was promoted while it bakes.
pub(super) fn watched(engine: &Engine, model: ModelIndex) -> Vec<Slot> {
    let baking = engine.rollout(model).and_then(crate::engine::Rollout::version);
    let versions = engine.versions(model).into_iter();
    let watched = versions.filter(|version| {
        version.weight.get() > 0.0
            && (version.status == Status::Canary || baking == Some(version.slot))
    });
    watched.map(|version| version.slot).collect()
}

/// Where the rules that are in force roll back to, each once; `None`: to the last stable.
fn rollbacks(engine: &Engine, model: ModelIndex) -> Vec<Option<Target>> {
    let rules = engine.rules(model).filter(|rules| rules.enable);
    let mut all = Vec::new();
    for trigger in rules.iter().flat_map(|rules| &rules.triggers) {
        let named = match &trigger.action {
            Action::RollbackToLastStable => None,
            Action::RollbackTo(target) => Some(target.clone()),
            Action::Pause | Action::Notify => continue,
        };
        if !all.contains(&named) {
            all.push(named);
        }
    }
    all
}

fn of_target(
    catalog: &Catalog,
    version: Slot,
    (named, target): (Option<&Target>, Result<Slot, NoTarget>),
    past: &Past,
) -> Option<String> {
    let id = catalog.id(version);
    let to = named.map_or("the last stable", Target::as_str);
    match target.map(|target| catalog.id(target)) {
        Err(why) => Some(format!("a rollback of {id} to {to} would be refused: {}", why.words())),
        Ok(target) if past.has_never_deployed(target) => Some(format!(
            "a rollback of {id} would go to {target}, which has never had traffic here"
        )),
        Ok(_) => None,
    }
}

fn of_stable(catalog: &Catalog, stable: Slot, past: &Past) -> Option<String> {
    let id = catalog.id(stable);
    if catalog.is_rolled_back(stable) {
        return Some(format!(
            "the tag stable names {id}, which was rolled back: requests pinned to stable go there, \
             and no rollout can begin; tag the version that is good"
        ));
    }
    let is_new = past.has_never_deployed(id);
    is_new.then(|| format!("the tag stable names {id}, which has never had traffic here"))
}
