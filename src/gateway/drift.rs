//! What a configuration says and is not in force: the journal says otherwise, or it needs a
//! restart. In words, for the log; changes nothing.

use crate::engine::{Engine, RuleSet};
use crate::exchange::ModelIndex;
use crate::scenario::{GatewayModel, GatewayPlan};

/// What of `plan` is not in force after a start.
pub(super) fn after_start(plan: &GatewayPlan, engine: &Engine) -> Vec<String> {
    let differs = |(index, model): (usize, &GatewayModel)| {
        let rules = engine.rules(ModelIndex(index as u16))?;
        let is_said = model.rules != RuleSet::default();
        (is_said && *rules != model.rules).then(|| {
            format!(
                "model {}: the rules that were set last are in force, not those of the \
                 configuration, which are for the first start",
                model.id
            )
        })
    };
    plan.models.iter().enumerate().filter_map(differs).collect()
}

/// What the journal has and `plan` lacks: versions without their upstreams, models.
pub(super) fn unreachable(plan: &GatewayPlan, engine: &Engine) -> Vec<String> {
    let of_model = |(index, model): (usize, &GatewayModel)| {
        let versions = engine.versions(ModelIndex(index as u16)).into_iter();
        let gone = versions.filter(|version| !version.is_reachable);
        let told = gone.map(|version| {
            let (id, upstream) = (&version.version.id, &version.version.upstream);
            format!(
                "model {}: version {id} can get no traffic: the configuration has no upstream \
                 {upstream:?}",
                model.id
            )
        });
        told.collect::<Vec<_>>()
    };
    let gone = engine.dormant().map(|model| {
        format!(
            "the journal has the model {model}, and the configuration has not: it is kept as it \
             is, and who asks for it gets 404"
        )
    });
    plan.models.iter().enumerate().flat_map(of_model).chain(gone).collect()
}

/// What of `now` is not in force after it was read in the place of `before`.
pub(super) fn after_reload(before: &GatewayPlan, now: &GatewayPlan) -> Vec<String> {
    let mut told = Vec::new();
    for (what, is_other) in [
        ("listen", before.listen != now.listen),
        ("state", before.state != now.state),
        ("limits.connections", before.limits.connections != now.limits.connections),
        ("keys", before.keys != now.keys),
        ("drain_delay", before.drain_delay != now.drain_delay),
        ("drain", before.drain != now.drain),
        ("log", before.log != now.log),
        ("record", before.record != now.record),
    ] {
        if is_other {
            told.push(format!("{what} is another: it needs a restart"));
        }
    }
    let models = before.models.iter().zip(&now.models);
    told.extend(models.flat_map(|(before, now)| of_model(before, now)));
    told
}

fn of_model(before: &GatewayModel, now: &GatewayModel) -> Vec<String> {
    let id = &now.id;
    let mut told = Vec::new();
    if (before.assignment, &before.policies, before.max_versions)
        != (now.assignment, &now.policies, now.max_versions)
    {
        told.push(format!("model {id}: assignment, policies and max_versions need a restart"));
    }
    if (&before.rules, &before.split, &before.rollout) != (&now.rules, &now.split, &now.rollout) {
        told.push(format!(
            "model {id}: rules, split and rollout are for the first start; the interface sets them"
        ));
    }
    for version in &now.versions {
        match before.versions.iter().find(|known| known.id == version.id) {
            None => told.push(format!(
                "model {id}: version {} is new: register it through the interface, or restart",
                version.id
            )),
            // How many of its requests there may be is taken.
            Some(known) if known.is_other_than(version) => told.push(format!(
                "model {id}: version {} is another; a version never changes: give it a new id",
                version.id
            )),
            Some(_) => {}
        }
    }
    told
}
