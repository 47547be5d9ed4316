//! Access keys: who is let in, and what a rollback does to them.

use coalmine::engine::{
    AuthError, Change, CommandError, CommandKind, Digest, DurableState, Engine, EventKind,
    Forbidden, ModelSettings, NewKey, Principal, Safeguards, Scope,
};
use coalmine::exchange::Ending;
use coalmine::units::{Duration, KeyId, ModelId};

use crate::world::{World, error_rate, target};

fn id(name: &str) -> KeyId {
    KeyId::new(name).unwrap()
}

fn model(name: &str) -> ModelId {
    ModelId::new(name).unwrap()
}

fn secret(text: &str) -> Digest {
    Digest::of(text.as_bytes())
}

fn create(scope: Scope, version: Option<&str>) -> CommandKind {
    let (id, digest, models) = (id("app"), secret("first"), None);
    let version = version.map(target);
    CommandKind::CreateKey(Box::new(NewKey { id, digest, scope, models, version }))
}

fn regenerate(text: &str, grace: u64) -> CommandKind {
    let (key, digest, grace) = (id("app"), secret(text), Duration::from_secs(grace));
    CommandKind::RegenerateKey { key, digest, grace, version: None }
}

fn ask(world: &mut World, seconds: f64, text: &str) -> Result<Principal, AuthError> {
    world.authenticate(seconds, "app", &secret(text))
}

fn with_key() -> World {
    let mut world = World::new();
    world.apply(create(Scope::Inference, None)).unwrap();
    world
}

#[test]
fn a_key_is_known_by_its_secret_and_by_no_other() {
    let mut world = with_key();
    assert_eq!(ask(&mut world, 0.0, "first").unwrap().key(), &id("app"));
    assert_eq!(ask(&mut world, 0.0, "other"), Err(AuthError::WrongSecret(id("app"))));
    let unknown = world.authenticate(0.0, "ap", &secret("first"));
    assert_eq!(unknown, Err(AuthError::UnknownKey { id: "ap".to_owned() }));
}

#[test]
fn a_replaced_secret_is_valid_until_its_grace_ends_and_not_at_its_end() {
    let mut world = with_key();
    world.apply_at(100.0, regenerate("second", 300));
    assert!(ask(&mut world, 399.999, "first").is_ok());
    assert!(ask(&mut world, 399.999, "second").is_ok());
    assert_eq!(ask(&mut world, 400.0, "first"), Err(AuthError::Replaced(id("app"))));
    assert!(ask(&mut world, 400.0, "second").is_ok());
}

#[test]
fn a_second_replacement_keeps_the_first_ones_grace_unless_its_own_is_shorter() {
    let mut world = with_key();
    world.apply_at(0.0, regenerate("second", 300));
    world.apply_at(100.0, regenerate("third", 300));
    assert!(ask(&mut world, 299.0, "first").is_ok());
    assert!(ask(&mut world, 300.0, "first").is_err());
    assert!(ask(&mut world, 301.0, "second").is_ok());
    world.apply_at(310.0, regenerate("fourth", 0));
    for old in ["first", "second", "third"] {
        assert!(ask(&mut world, 310.0, old).is_err(), "{old}");
    }
    assert!(ask(&mut world, 310.0, "fourth").is_ok());
}

#[test]
fn old_secrets_are_limited_in_number_which_never_keeps_from_ending_them() {
    let mut world = with_key();
    for number in 0..8 {
        world.apply_at(0.0, regenerate(&number.to_string(), 60));
    }
    let refused = world.apply_refused_at(1.0, regenerate("more", 60));
    assert_eq!(refused, CommandError::TooManySecrets { key: id("app"), limit: 8 });
    world.apply_at(1.0, regenerate("last", 0));
    assert!(ask(&mut world, 1.0, "7").is_err());
}

#[test]
fn admin_includes_inference_and_a_list_of_models_excludes_all_others() {
    let mut world = with_key();
    let client = ask(&mut world, 0.0, "first").unwrap();
    assert_eq!(client.permits(Scope::Inference, &model("gpt-4")), Ok(()));
    let refused = client.permits(Scope::Admin, &model("gpt-4"));
    assert_eq!(refused, Err(Forbidden::Scope { key: id("app") }));
    let new = |models| NewKey {
        id: id("root"),
        digest: secret("root"),
        scope: Scope::Admin,
        models: Some(models),
        version: None,
    };
    let unknown = world.apply(CommandKind::CreateKey(Box::new(new(vec![model("gpt-5")]))));
    assert_eq!(unknown, Err(CommandError::KeyOfUnknownModel(model("gpt-5"))));
    world.apply(CommandKind::CreateKey(Box::new(new(vec![model("gpt-4")])))).unwrap();
    let admin = world.authenticate(0.0, "root", &secret("root")).unwrap();
    assert_eq!(admin.permits(Scope::Inference, &model("gpt-4")), Ok(()));
    assert_eq!(admin.permits(Scope::Admin, &model("gpt-4")), Ok(()));
    let elsewhere = admin.permits(Scope::Inference, &model("gpt-5"));
    assert_eq!(elsewhere, Err(Forbidden::Model { key: id("root") }));
    // Though gpt-4 is all there is: another model may come, and keys are everybody's.
    assert_eq!(admin.permits_all(Scope::Admin), Err(Forbidden::Limited { key: id("root") }));
    let refused = client.permits_all(Scope::Admin);
    assert_eq!(refused, Err(Forbidden::Scope { key: id("app") }));
    assert_eq!(client.permits_all(Scope::Inference), Ok(()));
}

#[test]
fn a_revoked_key_is_unknown() {
    let mut world = with_key();
    world.apply(CommandKind::RevokeKey(id("app"))).unwrap();
    assert!(ask(&mut world, 0.0, "first").is_err());
    let again = world.apply(CommandKind::RevokeKey(id("app"))).unwrap_err();
    assert_eq!(again.to_string(), "no access key app; known are none");
}

fn engine(safeguards: Safeguards) -> Engine {
    let settings = ModelSettings::new(model("gpt-4"));
    Engine::new([ModelSettings { safeguards, ..settings }])
}

/// A canary that fails, with a key that was made for it, and is rolled back at second 5.
fn rolled_back(safeguards: Safeguards) -> World {
    let mut world = World::of(engine(safeguards));
    world.apply(create(Scope::Inference, Some("new"))).unwrap();
    world.rules([error_rate(0.0)]);
    world.split(&[("old", 0.5), ("new", 0.5)]);
    world.at(1.0).canary(10, Ending::Status(503));
    world
}

#[test]
fn a_rollback_leaves_every_key_valid() {
    let mut world = rolled_back(Safeguards::default());
    assert!(ask(&mut world, 5.0, "first").is_ok());
    assert_eq!(world.fired_at(), [5]);
}

#[test]
fn without_the_safeguard_a_rollback_invalidates_the_keys_that_were_made_for_its_version() {
    let mut world =
        rolled_back(Safeguards { keys_survive_rollback: false, ..Safeguards::default() });
    assert!(ask(&mut world, 4.999, "first").is_ok());
    // The check at this instant comes first.
    assert_eq!(ask(&mut world, 5.0, "first"), Err(AuthError::RolledBack(id("app"))));
    let told = world.events.iter().any(|event| {
        matches!(&event.kind, EventKind::KeysInvalidated { keys, .. } if *keys == [id("app")])
    });
    assert!(told);
    assert!(matches!(world.changes().last(), Some(Change::KeysInvalidated { .. })));
    // The cure of the seed: another secret.
    world.apply_at(6.0, regenerate("second", 300));
    assert!(ask(&mut world, 6.0, "second").is_ok());
}

#[test]
fn keys_are_durable_and_the_fold_knows_them() {
    let mut world =
        rolled_back(Safeguards { keys_survive_rollback: false, ..Safeguards::default() });
    world.at(10.0);
    world.apply_at(20.0, regenerate("second", 300));
    let sealed = world.sealed();
    let stored = sealed.iter().map(|sealed| (sealed.to_bytes(), sealed.hash()));
    let folded = DurableState::fold(stored).unwrap();
    assert_eq!(folded.to_bytes(), world.engine.durable().to_bytes());
}
