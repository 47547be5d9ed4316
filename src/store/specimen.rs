//! Journals for tests: made by an engine under commands, or by hand where an engine makes none.

use crate::engine::{
    Command, CommandKind, Digest, Engine, EventKind, ModelSettings, Sealed, Target, Version,
};
use crate::exchange::ModelIndex;
use crate::units::{ModelId, Ratio, TagName, Timestamp, VersionId};

/// A journal of `count` entries, as an engine makes it under commands, a second apart.
pub(super) fn sealed(count: u64) -> Vec<Sealed> {
    let mut engine = engine();
    (1..=count).map(|number| next(&mut engine, number)).collect()
}

/// The models that [`sealed`] speaks of.
pub(super) fn models() -> [ModelSettings; 1] {
    [ModelSettings::new(ModelId::new("org/gpt-4").unwrap())]
}

pub(super) fn engine() -> Engine {
    Engine::new(models())
}

/// Carries out the command that makes entry `number`, and answers the entry.
pub(super) fn next(engine: &mut Engine, number: u64) -> Sealed {
    let at = Timestamp::from_second(1_700_000_000 + number as i64);
    let command =
        Command { model: ModelIndex(0), by: "alice \"ä\"".to_owned(), kind: kind(number) };
    let prepared = engine.prepare(at, &command).unwrap();
    let sealed = prepared.entry().unwrap().clone();
    prepared.commit();
    let told = |event: crate::engine::Event| matches!(event.kind, EventKind::Journal(_));
    let journalled = std::iter::from_fn(|| engine.poll_event()).filter(|e| told(e.clone()));
    assert_eq!(journalled.count(), 1);
    assert_eq!(sealed.entry().number, number);
    sealed
}

/// An entry by hand, `number` seconds after the epoch, on an entry with a hash of zeros. `cause`
/// and `change` are in canonical form.
pub(super) fn entry(number: u64, model: Option<&str>, cause: &str, change: &str) -> Sealed {
    let at = number * 1_000_000_000;
    let model = model.map_or_else(|| "null".to_owned(), |model| format!("\"{model}\""));
    let previous = Digest::default();
    let head = format!(r#""at":{at},"cause":{cause},"change":{change},"model":{model}"#);
    let bytes = format!(r#"{{{head},"number":{number},"previous":"{previous}"}}"#);
    Sealed::read(bytes.as_bytes(), Digest::of(bytes.as_bytes())).unwrap()
}

fn kind(number: u64) -> CommandKind {
    let target = |name: &str| Target::new(name).unwrap();
    let version = |name: &str| {
        let id = VersionId::new(name).unwrap();
        let mut version = Version::new(id, "openai", Timestamp::EPOCH);
        version.parameters.insert("temperature".to_owned(), serde_json::json!(0.25));
        CommandKind::Register(Box::new(version))
    };
    match number {
        1 => version("v1"),
        2 => version("v2"),
        3 => CommandKind::Tag {
            tag: TagName::new("stable").unwrap(),
            version: target("v1"),
            preserve_previous: true,
        },
        _ => {
            let percent = (number % 50) as u8;
            CommandKind::Split {
                shares: vec![
                    (target("v1"), Ratio::from_percent(100 - percent)),
                    (target("v2"), Ratio::from_percent(percent)),
                ],
                redeploy: false,
            }
        }
    }
}
