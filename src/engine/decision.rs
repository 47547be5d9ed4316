//! What a command changes: decided on durable state alone, with every effect resolved.
//!
//! Decides and changes nothing. What comes out is what the journal takes down, and what the state,
//! live or folded, carries out.

use super::catalog::STABLE;
use super::model_state::first_step;
use super::transition::{Input, Next};
use super::{
    Assignment, Change, CommandError, CommandKind, DEFAULT_BAKE, Evaluation, Ladder, ModelState,
    RolloutState, RuleSet, Shift, Slot, Split, SplitError, Target, Version, Weights,
};
use crate::units::{Duration, Ratio, TagName};

/// What a decision depends on beside the model's state.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Terms {
    pub(super) max_versions: u16,
    /// Whether tags outlive the traffic of their versions.
    pub(super) keep_tags: bool,
    /// Whether keys outlive the rollback of the version that they were made for.
    pub(super) keys_survive_rollback: bool,
}

/// What is to be deployed, and whether it may have been rolled back.
#[derive(Clone, Copy, Debug)]
struct Candidate<'a> {
    version: &'a Target,
    redeploy: bool,
}

/// What `command` changes; `None`: nothing.
///
/// # Errors
/// It is refused.
pub(super) fn decide(
    state: &ModelState,
    terms: Terms,
    command: &CommandKind,
) -> Result<Option<Change>, CommandError> {
    let change = match command {
        CommandKind::Register(version) => return register(state, terms, version),
        CommandKind::Tag { tag, version, preserve_previous } => {
            return set_tag(state, tag, version, *preserve_previous);
        }
        CommandKind::Evaluate { version, evaluation } => evaluate(state, version, evaluation)?,
        CommandKind::Split { shares, redeploy } => set_split(state, terms, shares, *redeploy)?,
        CommandKind::Assignment(assignment) => return set_assignment(state, *assignment),
        CommandKind::Policies(policies) => {
            let same = **policies == state.policies;
            let policies = policies.clone();
            return Ok((!same).then_some(Change::Policies { policies }));
        }
        CommandKind::Rules(rules) => {
            refuse_blind_judges(state.assignment, rules)?;
            Change::Rules { rules: Box::new(rules.clone()) }
        }
        // What all models have is decided where all models are known.
        CommandKind::DefaultRules(_) | CommandKind::FollowDefaultRules => return Ok(None),
        // Keys are no model's: the ring of keys has decided.
        CommandKind::CreateKey(_)
        | CommandKind::RegenerateKey { .. }
        | CommandKind::RevokeKey(_) => return Ok(None),
        CommandKind::Rollback(target) => {
            return roll_back_by_command(state, terms, target.as_ref());
        }
        CommandKind::StartRollout { version, steps, bake, redeploy } => {
            let candidate = Candidate { version, redeploy: *redeploy };
            start_rollout(state, terms, candidate, steps, *bake)?
        }
        CommandKind::Promote { version, redeploy } => {
            promote_by_command(state, terms, Candidate { version, redeploy: *redeploy })?
        }
        CommandKind::Pause => pause(state)?,
        CommandKind::Resume => {
            state.rollout.state.after(Input::Resume)?;
            let stage = state.rollout.state.stage().unwrap_or_default();
            Change::RolloutResumed { stage }
        }
        CommandKind::Abort => {
            state.rollout.state.after(Input::Abort)?;
            let stable = state.rollout.under_way().and_then(|course| course.stable);
            let stable = stable.ok_or(CommandError::NoStable)?;
            Change::RolloutAborted { shift: shift(state, terms, all_to(state, stable), Vec::new()) }
        }
    };
    Ok(Some(change))
}

/// All traffic to `target`; the version at `fault`, or else all that lose their traffic by it, are
/// not deployed again by accident.
pub(super) fn roll_back(
    state: &ModelState,
    terms: Terms,
    fault: Option<Slot>,
    target: Slot,
) -> Change {
    let catalog = &state.catalog;
    let marked = match fault {
        Some(version) => vec![catalog.id(version).clone()],
        None => {
            let had = state.weights.iter().map(|(version, _)| version);
            had.filter(|version| *version != catalog.id(target)).cloned().collect()
        }
    };
    Change::RolledBack {
        version: fault.map(|version| catalog.id(version).clone()),
        marked,
        target: catalog.id(target).clone(),
        shift: shift(state, terms, all_to(state, target), Vec::new()),
    }
}

/// The rollout stops where it is.
pub(super) fn pause(state: &ModelState) -> Result<Change, CommandError> {
    state.rollout.state.after(Input::Pause)?;
    Ok(Change::RolloutPaused { stage: state.rollout.state.stage().unwrap_or_default() })
}

/// What the end of the present step leads to; `None`: no step is under way, or a paused one.
pub(super) fn step_over(state: &ModelState, terms: Terms) -> Option<Change> {
    let input = state.rollout.step_over()?;
    let next = state.rollout.state.after(input).ok()?;
    let course = state.rollout.under_way()?;
    match (next, next.stage().zip(course.ladder.as_ref())) {
        (RolloutState::Promoted, _) => {
            Some(promotion(state, terms, course.version, course.bake, false))
        }
        (_, Some((stage, ladder))) => {
            let weight = ladder.step(stage)?.weight;
            let split = ladder_weights(state, course.version, course.stable?, weight);
            let shift = shift(state, terms, split, Vec::new());
            Some(Change::RolloutStepped { state: next, shift })
        }
        _ => None,
    }
}

fn register(
    state: &ModelState,
    terms: Terms,
    version: &Version,
) -> Result<Option<Change>, CommandError> {
    let (catalog, id) = (&state.catalog, &version.id);
    if let Some(slot) = catalog.slot(id.as_str()) {
        let same = catalog.version(slot).is_same_content(version);
        return if same { Ok(None) } else { Err(CommandError::VersionExists(id.clone())) };
    }
    if catalog.holder(id.as_str()).is_some() {
        return Err(CommandError::VersionIsTag(id.clone()));
    }
    if version.upstream.is_empty() {
        return Err(CommandError::NoUpstream(id.clone()));
    }
    let highest = version.price.map(|price| price.input_per_1k.max(price.output_per_1k));
    if let Some(price) = highest.filter(|price| price.as_usd() > HIGHEST_USD) {
        return Err(CommandError::Price { id: id.clone(), usd: price.as_usd() });
    }
    let max_versions = terms.max_versions;
    if catalog.versions().len() >= usize::from(max_versions) {
        return Err(CommandError::TooManyVersions { id: id.clone(), max_versions });
    }
    Ok(Some(Change::Registered { version: Box::new(version.clone()) }))
}

fn set_tag(
    state: &ModelState,
    tag: &TagName,
    version: &Target,
    preserve_previous: bool,
) -> Result<Option<Change>, CommandError> {
    if state.catalog.slot(tag.as_str()).is_some() {
        return Err(CommandError::TagIsVersion(tag.clone()));
    }
    if tag.as_str() == STABLE && state.rollout.state.stage().is_some() {
        return Err(CommandError::StableInRollout);
    }
    let slot = resolve(state, version)?;
    let holder = state.catalog.holder(tag.as_str());
    if holder == Some(slot) && preserve_previous {
        return Ok(None);
    }
    Ok(Some(Change::Tagged {
        tag: tag.clone(),
        version: state.catalog.id(slot).clone(),
        previous: holder.map(|holder| state.catalog.id(holder).clone()),
        preserve_previous,
    }))
}

fn evaluate(
    state: &ModelState,
    version: &Target,
    evaluation: &Evaluation,
) -> Result<Change, CommandError> {
    let slot = resolve(state, version)?;
    if let Some((metric, value)) = evaluation.metrics.iter().find(|(_, value)| !value.is_finite()) {
        return Err(CommandError::MetricNotFinite { metric: metric.clone(), value: *value });
    }
    let version = state.catalog.id(slot).clone();
    Ok(Change::Evaluated { version, evaluation: Box::new(evaluation.clone()) })
}

fn set_split(
    state: &ModelState,
    terms: Terms,
    shares: &[(Target, Ratio)],
    redeploy: bool,
) -> Result<Change, CommandError> {
    let mut resolved = Vec::with_capacity(shares.len());
    for (version, weight) in shares {
        let slot = resolve(state, version)?;
        if weight.get() > 0.0 {
            may_deploy(state, slot, redeploy)?;
        }
        resolved.push((slot, *weight));
    }
    Split::new(state.catalog.versions().len(), &resolved).map_err(|error| match error {
        SplitError::Repeated(slot) => CommandError::NamedTwice(state.catalog.id(slot).clone()),
        sum => sum.into(),
    })?;
    // Last: whoever ends the rollout for it knows that nothing else is in the way.
    state.rollout.state.after(Input::Deploy)?;
    resolved.retain(|(_, weight)| weight.get() > 0.0);
    resolved.sort_by_key(|(slot, _)| *slot);
    let redeployed =
        if redeploy { resolved.iter().map(|(slot, _)| *slot).collect() } else { vec![] };
    let weights = named(state, &resolved);
    Ok(Change::Split { shift: shift(state, terms, weights, redeployed) })
}

fn set_assignment(
    state: &ModelState,
    assignment: Assignment,
) -> Result<Option<Change>, CommandError> {
    refuse_blind_judges(assignment, &state.rules)?;
    let same = assignment == state.assignment;
    Ok((!same).then_some(Change::Assignment { assignment }))
}

/// The test of a sequential judge holds where chance assigns: requests, or the owners that they
/// stick with, of whom each counts once. Of requests that take turns the shares are no chance at
/// all.
pub(super) fn refuse_blind_judges(
    assignment: Assignment,
    rules: &RuleSet,
) -> Result<(), CommandError> {
    match rules.judges().find(|(_, judge)| judge.needs_chance()) {
        Some((trigger, _)) if !assignment.is_by_chance() => {
            Err(CommandError::BlindJudge { judge: trigger.id.clone(), assignment })
        }
        _ => Ok(()),
    }
}

fn roll_back_by_command(
    state: &ModelState,
    terms: Terms,
    target: Option<&Target>,
) -> Result<Option<Change>, CommandError> {
    let target = match target {
        Some(target) => {
            let slot = resolve(state, target)?;
            may_deploy(state, slot, false)?;
            slot
        }
        // While a promoted version is watched, the last stable is the one before it.
        None => state.last_stable(state.rollout.baking()).ok_or(CommandError::NoStable)?,
    };
    // Where all traffic is there already and no rollout ends by it, there is nothing to roll back.
    let is_there = state.weights == all_to(state, target);
    let ends = state.rollout.state.after(Input::RollBack)? != state.rollout.state;
    Ok((!is_there || ends).then(|| roll_back(state, terms, None, target)))
}

fn start_rollout(
    state: &ModelState,
    terms: Terms,
    candidate: Candidate<'_>,
    steps: &Ladder,
    bake: Duration,
) -> Result<Change, CommandError> {
    let version = canary(state, candidate)?;
    let stable = state.stable().ok_or(CommandError::NoStable)?;
    may_deploy(state, stable, false)?;
    let first = first_step(steps);
    let next = state.rollout.state.after(Input::Start(first))?;
    let (Next::Step(stage) | Next::PausedStep(stage)) = first else {
        unreachable!("a ladder has a step")
    };
    let weight = steps.step(stage).map_or(Ratio::ONE, |step| step.weight);
    let weights = ladder_weights(state, version, stable, weight);
    let redeployed = if candidate.redeploy { vec![version] } else { Vec::new() };
    Ok(Change::RolloutStarted {
        version: state.catalog.id(version).clone(),
        stable: state.catalog.id(stable).clone(),
        steps: steps.clone(),
        bake,
        state: next,
        shift: shift(state, terms, weights, redeployed),
    })
}

fn promote_by_command(
    state: &ModelState,
    terms: Terms,
    candidate: Candidate<'_>,
) -> Result<Change, CommandError> {
    if let Some(course) = state.rollout.under_way() {
        let asked = resolve(state, candidate.version)?;
        if asked != course.version {
            let id = |slot| state.catalog.id(slot).clone();
            let (asked, under_way) = (id(asked), id(course.version));
            return Err(CommandError::OtherRollout { asked, under_way });
        }
        if state.rollout.state == RolloutState::Promoted {
            return Ok(Change::BakeOver);
        }
        return Ok(promotion(state, terms, course.version, course.bake, candidate.redeploy));
    }
    state.rollout.state.after(Input::Promote)?;
    let version = canary(state, candidate)?;
    Ok(promotion(state, terms, version, DEFAULT_BAKE, candidate.redeploy))
}

fn promotion(
    state: &ModelState,
    terms: Terms,
    version: Slot,
    bake: Duration,
    redeploy: bool,
) -> Change {
    let redeployed = if redeploy { vec![version] } else { Vec::new() };
    let mut shift = shift(state, terms, all_to(state, version), redeployed);
    // It moves on with the promotion.
    shift.dropped_tags.retain(|tag| tag.as_str() != STABLE);
    Change::Promoted {
        version: state.catalog.id(version).clone(),
        former_stable: state.stable().map(|stable| state.catalog.id(stable).clone()),
        bake,
        shift,
    }
}

/// A version that may become a canary.
fn canary(state: &ModelState, candidate: Candidate<'_>) -> Result<Slot, CommandError> {
    let version = resolve(state, candidate.version)?;
    if state.stable() == Some(version) {
        return Err(CommandError::AlreadyStable(state.catalog.id(version).clone()));
    }
    may_deploy(state, version, candidate.redeploy)?;
    Ok(version)
}

/// What was rolled back is deployed again only where that is meant.
fn may_deploy(state: &ModelState, version: Slot, redeploy: bool) -> Result<(), CommandError> {
    if !redeploy && state.catalog.is_rolled_back(version) {
        return Err(CommandError::RolledBack(state.catalog.id(version).clone()));
    }
    Ok(())
}

/// The version that `target` names, or an error that lists all that could be meant.
pub(super) fn resolve(state: &ModelState, target: &Target) -> Result<Slot, CommandError> {
    let catalog = &state.catalog;
    catalog.resolve(target.as_str()).ok_or_else(|| {
        let versions = catalog.versions().map(|version| version.id.as_str());
        let tags = catalog.tags().map(|(tag, _)| tag.as_str());
        let known = versions.chain(tags).collect::<Vec<_>>().join(", ");
        CommandError::UnknownVersion { name: target.as_str().to_owned(), known }
    })
}

/// The change to these weights, with the tags that go with the traffic of their versions.
fn shift(state: &ModelState, terms: Terms, split: Weights, redeployed: Vec<Slot>) -> Shift {
    let catalog = &state.catalog;
    let previous = state.weights.clone();
    let gets = |id| split.iter().any(|(version, _)| version == id);
    let had = |id| previous.iter().any(|(version, _)| version == id);
    let leaves = |slot| had(catalog.id(slot)) && !gets(catalog.id(slot));
    let dropped = catalog.tags().filter(|(_, holder)| !terms.keep_tags && leaves(*holder));
    let dropped_tags = dropped.map(|(tag, _)| tag.clone()).collect();
    let redeployed = redeployed.into_iter().map(|slot| catalog.id(slot).clone()).collect();
    Shift { split, previous, redeployed, dropped_tags }
}

fn all_to(state: &ModelState, version: Slot) -> Weights {
    named(state, &[(version, Ratio::ONE)])
}

/// `weight` to the canary, the rest to the stable.
fn ladder_weights(state: &ModelState, canary: Slot, stable: Slot, weight: Ratio) -> Weights {
    let mut weights = vec![(stable, weight.complement()), (canary, weight)];
    weights.retain(|(_, weight)| weight.get() > 0.0);
    weights.sort_by_key(|(slot, _)| *slot);
    named(state, &weights)
}

fn named(state: &ModelState, weights: &[(Slot, Ratio)]) -> Weights {
    weights.iter().map(|(slot, weight)| (state.catalog.id(*slot).clone(), *weight)).collect()
}

/// A journal entry holds a price as 64 bits of pico-dollars, which end at 18.4 million dollars.
const HIGHEST_USD: f64 = 18e6;
