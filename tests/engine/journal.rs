//! The journal: a chain that leads to the live state, and from which an engine goes on.

use coalmine::engine::{
    Assignment, Backoff, BrokenJournal, Cause, Change, Command, CommandKind, Digest, DurableState,
    Engine, EventKind, JournalFault, Ladder, ModelSettings, Policies, RestoreError, RetryOn,
    RetryPolicy, RolloutState, RolloutStep, Sealed, StageIndex,
};
use coalmine::exchange::Ending;
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
    let engine = Engine::restore(now, [model()], state.clone()).unwrap();
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
    let engine = Engine::restore(now, [model()], state).unwrap();
    let mut world = world.restarted(engine, now);
    assert_eq!((world.weight(STABLE), world.weight(CANARY)), (0.9, 0.1));
    world.at(100.0);
    assert_eq!(world.weight(CANARY), 0.1, "its requests are counted anew");
    world.at(101.0).canary(5, Ending::Success);
    world.at(102.0);
    assert_eq!(world.weight(CANARY), 0.3);
}

#[test]
fn a_model_that_is_no_longer_served_stops_the_restore() {
    let state = eventful().engine.durable();
    let other = ModelSettings::new(ModelId::new("gpt-5").unwrap());
    let now = Timestamp::EPOCH;
    let error = Engine::restore(now, [other], state).unwrap_err();
    assert_eq!(error, RestoreError::UnknownModel(ModelId::new("gpt-4").unwrap()));
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
