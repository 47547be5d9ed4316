//! The journal: a chain that leads to the live state, and from which an engine goes on.

use coalmine::engine::{
    Assignment, Backoff, BrokenJournal, Cause, Change, Command, CommandKind, Digest, DurableState,
    Engine, EventKind, JournalFault, Ladder, ModelSettings, Policies, RawRules, RetryOn,
    RetryPolicy, RolloutState, RolloutStep, RuleSet, Safeguards, Sealed, StageIndex,
};
use coalmine::exchange::{Ending, ModelIndex};
use coalmine::units::{Duration, ModelId, Ratio, Timestamp};

use crate::world::{CANARY, MODEL, STABLE, World, error_rate, target};

fn model() -> ModelSettings {
    ModelSettings::new(ModelId::new("gpt-4").unwrap())
}

fn rollout() -> CommandKind {
    let step = |weight: f64| RolloutStep {
        weight: Ratio::new(weight).unwrap(),
        hold: Duration::from_secs(60),
        require: Some(5),
        pause: false,
    };
    CommandKind::StartRollout {
        version: target("new"),
        steps: Ladder::new(vec![step(0.1), step(0.3)]).unwrap(),
        bake: Duration::from_secs(600),
        redeploy: false,
    }
}

/// A world that has seen rules, a rollout, steps and a rollback.
fn eventful() -> World {
    let mut world = World::new();
    world.apply(CommandKind::Assignment(Assignment::Sticky)).unwrap();
    let on = vec![RetryOn::Status(502)];
    let retry = RetryPolicy::new(2, on, Backoff::default()).unwrap();
    let policies = Policies { retry: Some(retry), ..Policies::default() };
    world.apply(CommandKind::Policies(Box::new(policies))).unwrap();
    world.rules([error_rate(60.0)]);
    world.split(&[("old", 1.0)]);
    world.apply(rollout()).unwrap();
    for second in 1..200 {
        let ending = if second < 100 { Ending::Success } else { Ending::Status(503) };
        world.at(f64::from(second)).canary(1, ending);
    }
    assert_eq!(world.states().last().unwrap().1, RolloutState::RolledBack);
    world
}

fn stored(world: &World) -> Vec<(Vec<u8>, Digest)> {
    let sealed = world.sealed();
    sealed.iter().map(|sealed| (sealed.to_bytes(), sealed.hash())).collect()
}

fn fault(stored: Vec<(Vec<u8>, Digest)>) -> BrokenJournal {
    DurableState::fold(stored).unwrap_err()
}

#[test]
fn the_fold_of_the_journal_is_the_live_state_byte_for_byte() {
    let world = eventful();
    let folded = DurableState::fold(stored(&world)).unwrap();
    assert_eq!(folded, world.engine.durable());
    let (left, right) = (folded.to_bytes(), world.engine.durable().to_bytes());
    assert_eq!(String::from_utf8(left).unwrap(), String::from_utf8(right).unwrap());
}

#[test]
fn an_entry_is_read_back_as_it_was_and_chains_to_the_one_before() {
    let world = eventful();
    let sealed = world.sealed();
    let mut previous = Digest::default();
    for one in &sealed {
        assert_eq!(one.entry().previous, previous);
        assert_eq!(one.hash(), Digest::of(&one.to_bytes()));
        assert_eq!(Sealed::read(&one.to_bytes(), one.hash()).unwrap(), *one);
        previous = one.hash();
    }
    assert_eq!(world.engine.durable().head(), previous);
    let by = Cause::Command { by: "ops".to_owned() };
    assert_eq!(sealed[0].entry().cause, by);
    assert!(matches!(sealed.last().unwrap().entry().cause, Cause::Trigger(_)));
}

#[test]
fn whatever_is_done_to_a_journal_is_found_at_its_place() {
    let sound = stored(&eventful());
    let mut changed = sound.clone();
    let at = changed[3].0.iter().position(|byte| *byte == b'1').unwrap();
    changed[3].0[at] = b'2';
    let error = fault(changed);
    assert_eq!(error.place, 4);
    assert!(matches!(error.fault, JournalFault::Seal(_)), "{error}");

    let mut resealed = sound.clone();
    let text = String::from_utf8(resealed[3].0.clone()).unwrap().replace("beta", "best");
    let hash = Digest::of(text.as_bytes());
    resealed[3] = (text.into_bytes(), hash);
    let error = fault(resealed);
    assert_eq!(error.place, 5, "the next one still states the old hash");
    assert!(matches!(error.fault, JournalFault::Previous { .. }), "{error}");

    let mut missing = sound.clone();
    missing.remove(2);
    assert!(matches!(fault(missing).fault, JournalFault::Number { found: 4, expected: 3 }));

    let mut swapped = sound.clone();
    swapped.swap(4, 5);
    assert_eq!(fault(swapped).place, 5);

    let mut torn = sound.clone();
    torn.last_mut().unwrap().0.truncate(40);
    let error = fault(torn);
    assert_eq!(error.place, sound.len() as u64);
    assert!(error.to_string().starts_with(&format!("journal entry {}: ", sound.len())), "{error}");

    let mut spaced = sound;
    let mut bytes = spaced[0].0.clone();
    bytes.insert(1, b' ');
    let hash = Digest::of(&bytes);
    spaced[0] = (bytes, hash);
    assert!(fault(spaced).to_string().contains("not in canonical form: byte 1"));
}

#[test]
fn an_engine_goes_on_from_its_durable_state_with_empty_windows() {
    let mut world = World::new();
    world.rules([error_rate(60.0)]);
    world.split(&[("old", 1.0)]);
    world.apply(rollout()).unwrap();
    for second in 1..70 {
        world.at(f64::from(second)).canary(1, Ending::Status(503));
    }
    let state = DurableState::fold(stored(&world)).unwrap();
    let now = Timestamp::from_second(70);
    let engine = Engine::restore(now, [model()], state.clone());
    let mut world = world.restarted(engine, now);
    let lost = world.events.iter().find_map(|event| match &event.kind {
        EventKind::ObservationLost { versions } => Some(versions.clone()),
        _ => None,
    });
    assert_eq!(lost, Some(vec![CANARY]));
    assert!(matches!(world.changes().last(), Some(Change::ObservationLost { .. })));
    assert_eq!(world.engine.durable().entries(), state.entries() + 1);
    // The timer begins anew: breaches from the check at 85 on fire at 145, not at 75.
    for second in 71..150 {
        world.at(f64::from(second)).canary(1, Ending::Status(503));
    }
    assert_eq!(world.fired_at().last(), Some(&145));
    let state = RolloutState::Stepping(StageIndex(0));
    assert!(world.states().iter().all(|(at, to)| *at < 70 || *to != state));
}

#[test]
fn a_restored_rollout_goes_on_where_it_stood() {
    let mut world = World::new();
    world.split(&[("old", 1.0)]);
    world.apply(rollout()).unwrap();
    world.at(10.0).canary(5, Ending::Success);
    let state = world.engine.durable();
    let now = Timestamp::from_second(100);
    let engine = Engine::restore(now, [model()], state);
    let mut world = world.restarted(engine, now);
    assert_eq!((world.weight(STABLE), world.weight(CANARY)), (0.9, 0.1));
    world.at(100.0);
    assert_eq!(world.weight(CANARY), 0.1, "its requests are counted anew");
    world.at(101.0).canary(5, Ending::Success);
    world.at(102.0);
    assert_eq!(world.weight(CANARY), 0.3);
}

#[test]
fn a_model_that_is_no_longer_served_is_kept_and_is_there_again_when_it_is() {
    let world = eventful();
    let state = world.engine.durable();
    let id = |name| ModelId::new(name).unwrap();
    let now = Timestamp::from_second(1_000_000);
    let mut other = Engine::restore(now, [ModelSettings::new(id("gpt-5"))], state.clone());
    assert_eq!(other.durable().to_bytes(), state.to_bytes());
    assert_eq!(other.dormant().collect::<Vec<_>>(), [&id("gpt-4")]);
    let kind = CommandKind::Rules(RuleSet::default());
    let command = Command { model: ModelIndex(0), by: "ops".to_owned(), kind };
    other.apply(now, &command).unwrap();
    let both = [ModelSettings::new(id("gpt-5")), model()];
    let mut again = Engine::restore(now, both, other.durable());
    assert_eq!(again.split(ModelIndex(1)), world.engine.split(ModelIndex(0)));
    assert_eq!(again.stable(ModelIndex(1)), world.engine.stable(ModelIndex(0)));
    assert!(again.dormant().next().is_none());
    while again.poll_event().is_some() {}
}

/// Rules with one trigger that only tells, above this share of errors.
fn telling(threshold: f64) -> RuleSet {
    let raw: RawRules = serde_json::from_value(serde_json::json!({"conditions": [{
        "metric": "error_rate", "operator": ">", "threshold": threshold,
        "duration_seconds": 60, "action": "notify",
    }]}))
    .unwrap();
    RuleSet::new(&raw, Safeguards::default()).unwrap()
}

#[test]
fn models_have_the_rules_of_all_until_they_have_their_own_also_after_a_restart() {
    let names = ["gpt-4", "gpt-5", "gpt-6", "gpt-7"];
    let [own, following, dormant, new] = names.map(|name| ModelId::new(name).unwrap());
    let settings = |ids: &[&ModelId]| -> Vec<ModelSettings> {
        ids.iter().map(|id| ModelSettings::new((*id).clone())).collect()
    };
    let mut engine = Engine::new(settings(&[&own, &following, &dormant]));
    let mut stored = Vec::new();
    let mut apply = |engine: &mut Engine, model, kind| {
        let command = Command { model: ModelIndex(model), by: "ops".to_owned(), kind };
        engine.apply(Timestamp::EPOCH, &command).unwrap();
        while let Some(event) = engine.poll_event() {
            if let EventKind::Journal(sealed) = event.kind {
                stored.push((sealed.to_bytes(), sealed.hash()));
            }
        }
        let folded = DurableState::fold(stored.clone()).unwrap();
        assert_eq!(folded.to_bytes(), engine.durable().to_bytes());
    };
    // So that the journal knows all three.
    let assignment = CommandKind::Assignment(Assignment::Even);
    (0..3).for_each(|model| apply(&mut engine, model, assignment.clone()));
    apply(&mut engine, 0, CommandKind::Rules(telling(0.1)));
    apply(&mut engine, 0, CommandKind::DefaultRules(telling(0.2)));
    let rules = |engine: &Engine, model| engine.rules(ModelIndex(model)).unwrap().clone();
    assert_eq!([0, 1, 2].map(|model| rules(&engine, model)), [0.1, 0.2, 0.2].map(telling));
    assert!(engine.has_own_rules(ModelIndex(0)) && !engine.has_own_rules(ModelIndex(1)));
    // A model that is not served follows as well, and so does one that comes.
    let state = engine.durable();
    let mut engine = Engine::restore(Timestamp::EPOCH, settings(&[&own, &following, &new]), state);
    assert_eq!(rules(&engine, 2), telling(0.2));
    apply(&mut engine, 1, CommandKind::DefaultRules(telling(0.3)));
    apply(&mut engine, 0, CommandKind::FollowDefaultRules);
    let state = engine.durable();
    let all = settings(&[&own, &following, &new, &dormant]);
    let engine = Engine::restore(Timestamp::EPOCH, all, state);
    assert_eq!([0, 1, 2, 3].map(|model| rules(&engine, model)), [0.3; 4].map(telling));
}

#[test]
fn a_prepared_command_takes_effect_when_it_is_committed_and_not_before() {
    let mut world = World::new();
    let kind = CommandKind::Split { shares: vec![(target("new"), Ratio::ONE)], redeploy: false };
    let command = Command { model: MODEL, by: "ops".to_owned(), kind };
    let before = world.engine.durable();
    let prepared = world.engine.prepare(Timestamp::EPOCH, &command).unwrap();
    let entry = prepared.entry().unwrap().clone();
    assert_eq!(entry.entry().previous, before.head());
    drop(prepared);
    assert_eq!(world.engine.durable(), before);
    world.engine.prepare(Timestamp::EPOCH, &command).unwrap().commit();
    assert_eq!(world.engine.durable().head(), entry.hash());
    assert_eq!(world.weight(CANARY), 1.0);
}
