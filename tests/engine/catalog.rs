//! Versions that never change, and the tags that name them.

use coalmine::engine::{CommandError, CommandKind, Engine, ModelSettings, Safeguards, Version};
use coalmine::units::{ModelId, TagName, Timestamp, VersionId};

use crate::world::{World, register, target};

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
    let mut world = World::of(Engine::new([settings], Safeguards::default()));
    let error = world.apply(register("third")).unwrap_err();
    let expected = "version third cannot be registered: the model has 2 versions, its limit";
    assert_eq!(error.to_string(), expected);
    world.apply(register("new")).unwrap();
}
