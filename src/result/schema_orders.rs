//! The JSON Schema of commands: what they ask for, and why they are refused.

use serde_json::{Value, json};

use crate::json::{Part, flag, list, number, object, one_of, span, text, whole};

/// The fields of the events of commands, by the event's kind; each can have a `model` beside them.
pub(super) fn command_events() -> [(&'static str, Vec<Part>); 4] {
    let ordered = || ("order", order());
    [
        ("commanded", vec![ordered()]),
        ("command_idle", vec![ordered()]),
        ("command_refused", vec![ordered(), ("why", refusal())]),
        ("command_missed", vec![ordered()]),
    ]
}

/// What a command asks for: exactly one of the kinds.
fn order() -> Value {
    let version = || ("version", text("the version or tag, as the command names it"));
    let redeploy = || ("redeploy", flag("whether what was rolled back may get traffic again"));
    let key = || ("key", text("the key's name"));
    let tag = [
        ("tag", text("its name")),
        version(),
        ("preserve_previous", flag("whether the earlier holder stays in its history")),
    ];
    let share = [version(), ("weight", number("its weight, 0 to 1"))];
    let shares = ("shares", list(object("a version's share", &share, &[])));
    let triggers = ("triggers", list(text("a new trigger's name, in the order of the rules")));
    let regenerate = kind(
        "regenerate_key",
        &[key(), ("grace", span("how long the old secret stays valid"))],
        &[("adopted_after", span("how long its client goes on with the old one")), version()],
    );
    let to = ("to", text("the version or tag; absent: the last stable"));
    let assignment = ("assignment", text("how the split chooses"));
    let phase = ("phase", whole("the phase, from 0"));
    one_of(&[
        json!({"enum": ["policies", "pause", "resume", "abort"]}),
        kind("register", &[version()], &[]),
        kind("tag", &tag, &[]),
        kind("evaluate", &[version()], &[]),
        kind("split", &[shares, redeploy()], &[]),
        kind("assignment", &[assignment], &[]),
        kind("rules", &[triggers], &[]),
        kind("create_key", &[key()], &[]),
        regenerate,
        kind("revoke_key", &[key()], &[]),
        kind("rollback", &[], &[to]),
        kind("rollout", &[version(), redeploy()], &[]),
        kind("promote", &[version(), redeploy()], &[]),
        kind("begin", &[phase, ("with", part())], &[]),
        told(),
    ])
}

/// A part of a phase.
fn part() -> Value {
    let version = || ("version", text("the version or tag, as the phase names it"));
    let share = [version(), ("weight", number("its weight, 0 to 1"))];
    let shares = ("shares", list(object("a version's share", &share, &[])));
    one_of(&[
        kind("split", &[shares], &[]),
        kind("rollout", &[version()], &[]),
        kind("faults", &[version()], &[]),
    ])
}

/// Why a command was refused.
fn refusal() -> Value {
    let tag = [("tag", text("its name"))];
    one_of(&[
        object("what the engine said", &[("reason", reason())], &[]),
        kind("no_holder", &tag, &[]),
        told(),
    ])
}

/// The engine's reasons: a code, with the values that it is about.
fn reason() -> Value {
    let code = |name: &'static str, of: Value| object(name, &[(name, of)], &[]);
    let id = || text("the version");
    let [key, known] = [("id", text("the key")), ("known", text("those that are known"))];
    let unknown = kind("unknown_version", &[("name", text("as asked for")), known.clone()], &[]);
    let most = ("max_versions", whole("the most that a model can have"));
    let usd = ("usd", number("its higher price, in USD for 1,000 tokens"));
    let metric = [("metric", text("its name")), ("value", number("what it is said to be"))];
    let judge = [("judge", text("its name")), ("assignment", text("how requests are assigned"))];
    let secrets = [("key", text("the key")), ("limit", whole("the most that can be"))];
    let other = [("asked", id()), ("under_way", text("the version of the rollout"))];
    let rollout = [
        ("state", json!({"description": "where the rollout stands"})),
        ("input", json!({"description": "what it does not take there"})),
    ];
    let sum = object("weights", &[("sum", number("what they sum to, instead of 1"))], &[]);
    let split = one_of(&[code("repeated", whole("the version's place")), code("sum", sum)]);
    one_of(&[
        json!({"enum": ["no_stable", "stable_in_rollout"]}),
        code("unknown_model", whole("its index")),
        unknown,
        code("version_exists", id()),
        code("version_is_tag", id()),
        kind("too_many_versions", &[("id", id()), most], &[]),
        code("no_upstream", id()),
        kind("price", &[("id", id()), usd], &[]),
        kind("metric_not_finite", &metric, &[]),
        code("tag_is_version", text("the tag")),
        code("split", split),
        code("named_twice", id()),
        code("rolled_back", id()),
        kind("blind_judge", &judge, &[]),
        code("key_exists", text("the key")),
        kind("unknown_key", &[key, known], &[]),
        code("key_of_unknown_model", text("the model")),
        kind("too_many_secrets", &secrets, &[]),
        code("already_stable", id()),
        kind("other_rollout", &other, &[]),
        kind("rollout", &rollout, &[]),
    ])
}

fn told() -> Value {
    object(
        "what was said in words alone, by a gateway or an older coalmine",
        &[("told", text("its words"))],
        &[],
    )
}

fn kind(name: &'static str, required: &[Part], optional: &[Part]) -> Value {
    object(name, &[(name, object(name, required, optional))], &[])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{
        Assignment, CommandError, CommandKind, Engine, Ladder, ModelSettings, RolloutStep, RuleSet,
        Slot, SplitError, Target,
    };
    use crate::exchange::ModelIndex;
    use crate::json::invalid_places;
    use crate::record::{Order, OrderedShare, PhasePart, Refusal};
    use crate::units::{Duration, KeyId, ModelId, Ratio, TagName, Timestamp, VersionId};

    fn assert_valid(schema: &Value, value: &Value) {
        assert_eq!(invalid_places(schema, value), [""; 0], "{value}");
    }

    #[test]
    fn every_order_that_a_command_gives_is_valid_and_is_read_back() {
        let target = || Target::new("v1").unwrap();
        let (version, key) = (VersionId::new("v1").unwrap(), KeyId::new("web").unwrap());
        let (tag, weight) = (TagName::new("beta").unwrap(), Ratio::ONE);
        let steps = Ladder::new(vec![RolloutStep {
            weight,
            hold: Duration::from_secs(1),
            require: None,
            pause: false,
        }]);
        let (redeploy, grace) = (true, Duration::from_secs(5));
        let rollout = CommandKind::StartRollout {
            version: target(),
            steps: steps.unwrap(),
            bake: grace,
            redeploy,
        };
        let kinds = [
            CommandKind::Tag { tag, version: target(), preserve_previous: false },
            CommandKind::Split { shares: vec![(target(), weight)], redeploy },
            CommandKind::Assignment(Assignment::Sticky),
            CommandKind::Rules(RuleSet::default()),
            CommandKind::RevokeKey(key.clone()),
            CommandKind::Rollback(None),
            CommandKind::Rollback(Some(target())),
            rollout,
            CommandKind::Promote { version: target(), redeploy },
            CommandKind::Pause,
            CommandKind::Resume,
            CommandKind::Abort,
        ];
        let adopted_after = Some(grace);
        let begin = |with| Order::Begin { phase: 1, with };
        let others = [
            Order::Register { version },
            Order::Evaluate { version: target() },
            Order::Policies,
            Order::CreateKey { key: key.clone() },
            Order::RegenerateKey { key: key.clone(), grace, adopted_after, version: None },
            Order::RegenerateKey { key, grace, adopted_after: None, version: Some(target()) },
            begin(PhasePart::Rollout { version: target() }),
            begin(PhasePart::Faults { version: target() }),
            begin(PhasePart::Split { shares: OrderedShare::all(&[(target(), weight)]) }),
            Order::Told("words".to_owned()),
        ];
        for order in kinds.iter().map(Order::from).chain(others) {
            let value = serde_json::to_value(&order).unwrap();
            assert_valid(&super::order(), &value);
            assert_eq!(serde_json::from_value::<Order>(value).unwrap(), order);
        }
    }

    #[test]
    fn every_reason_is_valid_and_is_read_back() {
        let id = || VersionId::new("v1").unwrap();
        let key = || KeyId::new("web").unwrap();
        let known = || "a, b".to_owned();
        let mut engine = Engine::new([ModelSettings::new(ModelId::new("m").unwrap())]);
        let (model, by, kind) = (ModelIndex(0), String::new(), CommandKind::Resume);
        let command = crate::engine::Command { model, by, kind };
        let refused = engine.apply(Timestamp::EPOCH, &command).unwrap_err();
        assert!(matches!(refused, CommandError::Rollout(_)));
        for error in [
            refused,
            CommandError::UnknownModel(7),
            CommandError::UnknownVersion { name: "v9".to_owned(), known: known() },
            CommandError::VersionExists(id()),
            CommandError::VersionIsTag(id()),
            CommandError::TooManyVersions { id: id(), max_versions: 9 },
            CommandError::NoUpstream(id()),
            CommandError::Price { id: id(), usd: 2.5 },
            CommandError::MetricNotFinite { metric: known(), value: 0.5 },
            CommandError::TagIsVersion(TagName::new("beta").unwrap()),
            CommandError::Split(SplitError::Sum { sum: 1.5 }),
            CommandError::Split(SplitError::Repeated(Slot(1))),
            CommandError::NamedTwice(id()),
            CommandError::RolledBack(id()),
            CommandError::BlindJudge { judge: known(), assignment: Assignment::Even },
            CommandError::KeyExists(key()),
            CommandError::UnknownKey { id: key(), known: known() },
            CommandError::KeyOfUnknownModel(ModelId::new("m").unwrap()),
            CommandError::TooManySecrets { key: key(), limit: 4 },
            CommandError::NoStable,
            CommandError::StableInRollout,
            CommandError::AlreadyStable(id()),
            CommandError::OtherRollout { asked: id(), under_way: id() },
        ] {
            let refusal = Refusal::Reason(error);
            let value = serde_json::to_value(&refusal).unwrap();
            assert_valid(&super::refusal(), &value);
            assert_eq!(serde_json::from_value::<Refusal>(value).unwrap(), refusal);
        }
        let tag = Target::new("beta").unwrap();
        let refusal = serde_json::to_value(Refusal::NoHolder { tag }).unwrap();
        assert_valid(&super::refusal(), &refusal);
        assert_valid(&super::refusal(), &json!({"told": "no"}));
    }
}
