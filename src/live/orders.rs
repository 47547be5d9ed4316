//! Commands as a gateway's interface takes them: which request each is.

use serde_json::{Map, Value, json};

use crate::engine::{CommandKind, Ladder, RolloutStep, Target};
use crate::units::{Duration, KeyId, ModelId, Ratio};

/// A request to a gateway's interface.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Ask {
    pub(super) method: &'static str,
    /// With its query.
    pub(super) path: String,
    /// Absent where there is none.
    pub(super) body: Option<Value>,
}

/// How something is asked for again where no answer came.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Again {
    /// It is only read.
    Read,
    /// Under a name by which it is known, so that it is done but once.
    Known,
    /// It is done anew.
    Anew,
    /// Not at all, where it may have come.
    Never,
}

impl Ask {
    /// Of something that is only read.
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self { method: "GET", path: path.into(), body: None }
    }

    /// How everything stands.
    pub(super) fn status() -> Self {
        Self::get("/v1/deploy/status")
    }

    fn post(path: String, body: Value) -> Self {
        Self { method: "POST", path, body: Some(body) }
    }

    /// How it may be asked for again where no answer came: it may have been done all the same.
    pub(super) fn again(&self) -> Again {
        match (self.method, self.path.as_str()) {
            ("GET", _) => Again::Read,
            // Their answers hold secrets, which are kept nowhere.
            ("POST", KEYS | OWN_SECRET) => Again::Never,
            // Who asks for another secret once more gets another one.
            ("POST", path) if path.starts_with(KEYS) => Again::Anew,
            _ => Again::Known,
        }
    }

    /// That an access key be made for requests alone.
    pub(super) fn new_key(key: &KeyId) -> Self {
        Self::post(KEYS.to_owned(), json!({"id": key, "scope": "inference"}))
    }

    /// That an access key be made for requests for these models alone.
    pub(super) fn new_key_for(key: &KeyId, models: &[&ModelId]) -> Self {
        Self::post(KEYS.to_owned(), json!({"id": key, "scope": "inference", "models": models}))
    }

    /// That a key get another secret.
    pub(super) fn new_secret(key: &KeyId, grace: Duration) -> Self {
        let path = format!("{KEYS}/{key}/regenerate");
        Self::post(path, json!({"grace_seconds": grace.as_secs_f64()}))
    }

    /// That the key which asks get another secret, for a version.
    pub(super) fn own_secret(grace: Duration, version: &Target) -> Self {
        let body = json!({"grace_seconds": grace.as_secs_f64(), "version": version.as_str()});
        Self::post(OWN_SECRET.to_owned(), body)
    }

    /// That an access key be forgotten.
    pub(super) fn revoke(key: &KeyId) -> Self {
        Self { method: "DELETE", path: format!("{KEYS}/{key}"), body: None }
    }

    /// What the versions of a model are.
    pub(super) fn versions(model: &ModelId) -> Self {
        Self::get(format!("/v1/models/{}/versions", encoded(model)))
    }

    /// That a version of a model be registered.
    pub(super) fn register(model: &ModelId, version: Value) -> Self {
        Self::post(format!("/v1/models/{}/versions", encoded(model)), version)
    }

    /// The journal entries of a model after one.
    pub(super) fn history(model: &ModelId, after: u64) -> Self {
        Self::get(format!("/v1/models/{}/history?after={after}&limit=1000", encoded(model)))
    }

    /// The rules of a model.
    pub(super) fn rules(model: &ModelId) -> Self {
        Self::get(rules_of(model))
    }

    /// The rules of all models that have none of their own, and which have.
    pub(super) fn rules_of_all() -> Self {
        Self::get(RULES)
    }

    /// That a model get these rules, in the interface's form.
    pub(super) fn set_rules(model: &ModelId, rules: Value) -> Self {
        Self { method: "PUT", path: rules_of(model), body: Some(rules) }
    }

    /// That a model have the rules of all.
    pub(super) fn follow_rules(model: &ModelId) -> Self {
        Self { method: "DELETE", path: rules_of(model), body: None }
    }

    /// That traffic of a model be moved.
    pub(super) fn deploy(model: &ModelId, body: Value) -> Self {
        Self::post(format!("/v1/models/{}/deploy", encoded(model)), body)
    }

    /// That a version of a model get a tag; who had it is remembered if `preserve_previous`.
    pub(super) fn tag(model: &ModelId, tag: &str, version: &str, preserve_previous: bool) -> Self {
        let path = format!("/v1/models/{}/versions/tag", encoded(model));
        let body =
            json!({"tag": tag, "version_id": version, "preserve_previous": preserve_previous});
        Self::post(path, body)
    }

    /// What `kind` asks of a model; `None`: no request asks it.
    pub(super) fn command(model: &ModelId, kind: &CommandKind) -> Option<Self> {
        let deploy = |body| Some(Self::deploy(model, body));
        match kind {
            CommandKind::Split { shares, redeploy } => {
                let split = split(shares);
                deploy(json!({"action": "split", "split": split, "redeploy": redeploy}))
            }
            CommandKind::Rollback(to) => {
                let to = to.as_ref().map(Target::as_str);
                deploy(json!({"action": "rollback", "target_version": to}))
            }
            CommandKind::StartRollout { version, steps, bake, redeploy } => deploy(json!({
                "action": "rollout",
                "version": version.as_str(),
                "steps": ladder(steps),
                "bake": bake.as_secs_f64(),
                "redeploy": redeploy,
            })),
            CommandKind::Promote { version, redeploy } => {
                let version = version.as_str();
                deploy(json!({"action": "promote", "version": version, "redeploy": redeploy}))
            }
            CommandKind::Pause => deploy(json!({"action": "pause"})),
            CommandKind::Resume => deploy(json!({"action": "resume"})),
            CommandKind::Abort => deploy(json!({"action": "abort"})),
            CommandKind::Tag { tag, version, preserve_previous } => {
                Some(Self::tag(model, tag.as_str(), version.as_str(), *preserve_previous))
            }
            CommandKind::Rules(rules) => Some(Self::set_rules(model, json!(rules.to_raw()))),
            CommandKind::RevokeKey(key) => Some(Self::revoke(key)),
            // Of a plan none of these is ever commanded: it begins with them.
            CommandKind::Register(_)
            | CommandKind::Evaluate { .. }
            | CommandKind::Assignment(_)
            | CommandKind::Policies(_)
            | CommandKind::DefaultRules(_)
            | CommandKind::FollowDefaultRules
            | CommandKind::CreateKey(_)
            | CommandKind::RegenerateKey { .. } => None,
        }
    }
}

fn split(shares: &[(Target, Ratio)]) -> Map<String, Value> {
    let share =
        |(version, weight): &(Target, Ratio)| (version.as_str().to_owned(), json!(weight.get()));
    shares.iter().map(share).collect()
}

fn ladder(steps: &Ladder) -> Vec<Value> {
    let step = |step: &RolloutStep| {
        let RolloutStep { weight, hold, require, pause } = *step;
        let hold = hold.as_secs_f64();
        json!({"weight": weight.get(), "hold": hold, "require": require, "pause": pause})
    };
    steps.steps().iter().map(step).collect()
}

fn rules_of(model: &ModelId) -> String {
    format!("{RULES}?model={}", encoded(model))
}

/// The name of a model in a path or a query: it may have slashes.
fn encoded(model: &ModelId) -> String {
    let mut encoded = String::new();
    for byte in model.as_str().bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte));
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

const RULES: &str = "/v1/deploy/rollback-rules";
const KEYS: &str = "/v1/auth/keys";
const OWN_SECRET: &str = "/v1/auth/regenerate-key";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Version;
    use crate::units::{TagName, Timestamp, VersionId};

    fn asked(kind: &CommandKind) -> Ask {
        Ask::command(&ModelId::new("org/name").unwrap(), kind).unwrap()
    }

    fn target(name: &str) -> Target {
        Target::new(name).unwrap()
    }

    #[test]
    fn a_model_with_a_slash_is_one_part_of_a_path() {
        let Ask { method, path, body } = asked(&CommandKind::Pause);
        assert_eq!((method, path.as_str()), ("POST", "/v1/models/org%2Fname/deploy"));
        assert_eq!(body, Some(json!({"action": "pause"})));
    }

    #[test]
    fn splits_rollbacks_and_rollouts_keep_their_amounts() {
        let half = Ratio::new(0.5).unwrap();
        let shares = vec![(target("stable"), half), (target("beta"), half)];
        let split = asked(&CommandKind::Split { shares, redeploy: true }).body.unwrap();
        let expected = json!({"beta": 0.5, "stable": 0.5});
        assert_eq!((&split["split"], &split["redeploy"]), (&expected, &json!(true)));
        let rollback = asked(&CommandKind::Rollback(None)).body.unwrap();
        assert_eq!(rollback, json!({"action": "rollback", "target_version": null}));
        let step = RolloutStep {
            weight: Ratio::new(0.05).unwrap(),
            hold: Duration::from_millis(90_500),
            require: Some(40),
            pause: true,
        };
        let kind = CommandKind::StartRollout {
            version: target("beta"),
            steps: Ladder::new(vec![step]).unwrap(),
            bake: Duration::from_secs(600),
            redeploy: false,
        };
        let rollout = asked(&kind).body.unwrap();
        let step = json!({"weight": 0.05, "hold": 90.5, "require": 40, "pause": true});
        assert_eq!((&rollout["steps"][0], &rollout["bake"]), (&step, &json!(600.0)));
    }

    #[test]
    fn tags_and_keys_have_paths_of_their_own() {
        let (tag, version) = (TagName::new("spare").unwrap(), target("v2"));
        let tag = asked(&CommandKind::Tag { tag, version, preserve_previous: false });
        assert!(tag.path.ends_with("/versions/tag"));
        let body = json!({"tag": "spare", "version_id": "v2", "preserve_previous": false});
        assert_eq!(tag.body, Some(body));
        let key = KeyId::new("team").unwrap();
        let revoke = asked(&CommandKind::RevokeKey(key.clone()));
        assert_eq!((revoke.method, revoke.path.as_str()), ("DELETE", "/v1/auth/keys/team"));
        let grace = Duration::from_secs(90);
        assert_eq!(Ask::new_secret(&key, grace).body, Some(json!({"grace_seconds": 90.0})));
        let own = Ask::own_secret(grace, &target("v2")).body.unwrap();
        assert_eq!(own, json!({"grace_seconds": 90.0, "version": "v2"}));
    }

    #[test]
    fn what_may_have_been_done_is_asked_for_again_by_a_name_and_no_key_is_made_twice() {
        let key = KeyId::new("team").unwrap();
        let model = ModelId::new("m").unwrap();
        for (ask, again) in [
            (Ask::status(), Again::Read),
            (asked(&CommandKind::Pause), Again::Known),
            (asked(&CommandKind::Rules(crate::engine::RuleSet::default())), Again::Known),
            (Ask::register(&model, json!({})), Again::Known),
            (Ask::revoke(&key), Again::Known),
            (Ask::new_secret(&key, Duration::ZERO), Again::Anew),
            (Ask::new_key(&key), Again::Never),
            (Ask::own_secret(Duration::ZERO, &target("v2")), Again::Never),
        ] {
            assert_eq!(ask.again(), again, "{ask:?}");
        }
    }

    #[test]
    fn what_a_plan_begins_with_is_no_command_of_it() {
        let id = VersionId::new("v3").unwrap();
        let version = Version::new(id, "mock", Timestamp::EPOCH);
        let kind = CommandKind::Register(Box::new(version));
        assert_eq!(Ask::command(&ModelId::new("m").unwrap(), &kind), None);
    }
}
