//! Versions that never change, and the tags that name them.

use coalmine::engine::{
    CommandError, CommandKind, Engine, Evaluation, ModelSettings, Safeguards, Status, Verdict,
    Version,
};
use coalmine::units::{ModelId, Money, Price, TagName, Timestamp, VersionId};

use crate::world::{CANARY, MODEL, STABLE, World, register, target};

fn id(name: &str) -> VersionId {
    VersionId::new(name).unwrap()
}

#[test]
fn registering_a_version_again_changes_nothing_and_with_other_content_is_refused() {
    let mut world = World::new();
    let before = world.changes().len();
    world.apply(register("new")).unwrap();
    assert_eq!(world.changes().len(), before);
    let other = Version::new(id("new"), "elsewhere", Timestamp::EPOCH);
    let error = world.apply(CommandKind::Register(Box::new(other))).unwrap_err();
    assert_eq!(error, CommandError::VersionExists(id("new")));
    assert!(error.to_string().contains("choose a new id"), "{error}");
}

#[test]
fn tags_and_versions_share_their_names() {
    let mut world = World::new();
    let error = world.apply(register("stable")).unwrap_err();
    assert_eq!(error, CommandError::VersionIsTag(id("stable")));
    let tag = TagName::new("old").unwrap();
    let version = target("new");
    let tagged = CommandKind::Tag { tag: tag.clone(), version, preserve_previous: true };
    assert_eq!(world.apply(tagged), Err(CommandError::TagIsVersion(tag)));
}

#[test]
fn a_full_model_refuses_another_version_and_says_its_limit() {
    let settings = ModelSettings::new(ModelId::new("gpt-4").unwrap());
    let settings = ModelSettings { max_versions: 2, ..settings };
    let mut world = World::of(Engine::new([settings]));
    let error = world.apply(register("third")).unwrap_err();
    let expected = "version third cannot be registered: the model has 2 versions, its limit";
    assert_eq!(error.to_string(), expected);
    world.apply(register("new")).unwrap();
}

#[test]
fn a_tag_remembers_who_moved_it_from_where_and_when_unless_told_to_forget() {
    let mut world = World::new();
    let tag = |version: &str, preserve_previous| CommandKind::Tag {
        tag: TagName::new("beta").unwrap(),
        version: target(version),
        preserve_previous,
    };
    world.apply_at(60.0, tag("stable", true));
    let history = |world: &World| world.engine.catalog(MODEL).unwrap().history("beta").to_vec();
    let moved = history(&world).pop().unwrap();
    assert_eq!((moved.from, moved.to), (Some(CANARY), Some(STABLE)));
    assert_eq!((moved.by.as_str(), moved.at), ("ops", Timestamp::from_second(60)));
    let entries = world.changes().len();
    world.apply(tag("old", true)).unwrap();
    assert_eq!(world.changes().len(), entries, "the holder keeps it: nothing moves");
    world.apply_at(90.0, tag("new", false));
    let moves = history(&world);
    assert_eq!(moves.len(), 1);
    assert_eq!((moves[0].from, moves[0].to), (None, Some(CANARY)));
}

#[test]
fn results_of_runs_are_attached_to_a_version() {
    let mut world = World::new();
    let evaluation = |value: f64| Evaluation {
        scenario: "ten-thousand".to_owned(),
        seed: 7,
        verdict: Verdict::Pass,
        metrics: [("error_rate".to_owned(), value)].into(),
    };
    let evaluate = |value| CommandKind::Evaluate {
        version: target("beta"),
        evaluation: Box::new(evaluation(value)),
    };
    world.apply(evaluate(0.001)).unwrap();
    let catalog = world.engine.catalog(MODEL).unwrap();
    assert_eq!(catalog.evaluations(CANARY), [evaluation(0.001)]);
    assert!(catalog.evaluations(STABLE).is_empty());
    let error = world.apply(evaluate(f64::NAN)).unwrap_err();
    assert_eq!(error.to_string(), "metric error_rate is NaN; allowed are finite numbers");
}

#[test]
fn a_version_without_an_upstream_is_refused() {
    let mut world = World::new();
    let version = Version::new(id("third"), "", Timestamp::EPOCH);
    let error = world.apply(CommandKind::Register(Box::new(version))).unwrap_err();
    assert_eq!(error, CommandError::NoUpstream(id("third")));
}

#[test]
fn a_price_that_no_journal_holds_is_refused() {
    let mut world = World::new();
    let register = |usd: u128| {
        let price = Some(Price::blended(Money::from_pico_usd(usd * 1_000_000_000_000)));
        let version = Version::new(id("third"), "openai", Timestamp::EPOCH);
        CommandKind::Register(Box::new(Version { price, ..version }))
    };
    let error = world.apply(register(19_000_000)).unwrap_err();
    assert!(error.to_string().contains("19000000 USD per 1k tokens; allowed are at most"));
    world.apply(register(18_000_000)).unwrap();
}

#[test]
fn without_the_safeguard_tags_go_with_the_traffic_of_their_versions() {
    let tags_after = |keep_tags: bool| {
        let safeguards = Safeguards { keep_tags, ..Safeguards::default() };
        let settings = ModelSettings::new(ModelId::new("gpt-4").unwrap());
        let mut world = World::of(Engine::new([ModelSettings { safeguards, ..settings }]));
        world.split(&[("old", 0.5), ("new", 0.5)]);
        world.apply(CommandKind::Rollback(None)).unwrap();
        let catalog = world.engine.catalog(MODEL).unwrap();
        catalog.tags().map(|(tag, _)| tag.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(tags_after(true), ["beta", "stable"]);
    assert_eq!(tags_after(false), ["stable"]);
}

#[test]
fn a_list_of_versions_says_how_each_stands_the_newest_first() {
    let mut world = World::new();
    world.apply(register("third")).unwrap();
    world.split(&[("old", 0.75), ("new", 0.25)]);
    let stands = |world: &World| {
        let all = world.engine.versions(MODEL).into_iter();
        all.map(|one| (one.version.id.to_string(), one.status, one.weight.get())).collect()
    };
    let expected: Vec<_> = [
        ("third".to_owned(), Status::Idle, 0.0),
        ("new".to_owned(), Status::Canary, 0.25),
        ("old".to_owned(), Status::Stable, 0.75),
    ]
    .into();
    let found: Vec<_> = stands(&world);
    assert_eq!(found, expected);
    world.apply(CommandKind::Rollback(None)).unwrap();
    let found: Vec<_> = stands(&world);
    assert_eq!(found[1], ("new".to_owned(), Status::RolledBack, 0.0));
    assert_eq!(found[2], ("old".to_owned(), Status::Stable, 1.0));
    let tags: Vec<_> = world.engine.versions(MODEL)[1].tags.iter().map(|t| t.as_str()).collect();
    assert_eq!(tags, ["beta"]);
}
