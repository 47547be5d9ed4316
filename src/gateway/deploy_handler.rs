//! `POST /v1/models/{model}/deploy`: everything that moves traffic.

use std::collections::BTreeMap;

use axum::body::Body;
use http::{Response, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};

use super::admin_request::{AdminRequest, answered};
use super::amount_text::{Share, Shares, Span};
use super::job::Before;
use super::without::without;
use crate::engine::{CommandKind, DEFAULT_BAKE, Ladder, RolloutStep, Sealed, Target};
use crate::units::{Ratio, VersionId};
use crate::wire::ApiError;

/// What is to be done. Versions are named by their id or by a tag.
#[derive(Clone, Debug, JsonSchema)]
#[cfg_attr(test, derive(Deserialize))]
#[serde(tag = "action", rename_all = "snake_case")]
pub(super) enum Deploy {
    /// All traffic to a version.
    Rollback(Rollback),
    /// Set the weights.
    Split(Split),
    /// Raise a canary's weight step by step, and make it the stable at the end.
    Rollout(Rollout),
    /// Make a version the stable, with all traffic, at once.
    Promote(Promote),
    /// Stop the rollout where it is.
    Pause(Nothing),
    /// Let it go on.
    Resume(Nothing),
    /// End it, and give its traffic back to the stable.
    Abort(Nothing),
}

/// The member that says which.
#[derive(Deserialize)]
struct Tagged {
    action: Action,
}

/// Read from a text: of a number serde's own would say that the body is no JSON.
#[derive(Clone, Copy, Deserialize)]
#[serde(try_from = "String")]
enum Action {
    Rollback,
    Split,
    Rollout,
    Promote,
    Pause,
    Resume,
    Abort,
}

impl TryFrom<String> for Action {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        Ok(match word.as_str() {
            "rollback" => Self::Rollback,
            "split" => Self::Split,
            "rollout" => Self::Rollout,
            "promote" => Self::Promote,
            "pause" => Self::Pause,
            "resume" => Self::Resume,
            "abort" => Self::Abort,
            other => {
                return Err(format!(
                    "{other:?} is unknown; allowed are rollback, split, rollout, promote, pause, \
                     resume and abort"
                ));
            }
        })
    }
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rollback {
    /// Which; absent or null: the last stable.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    target_version: Option<Target>,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Split {
    /// Those that are not named get nothing.
    #[serde(alias = "canary_rules")]
    split: Shares,
    /// Whether versions that were rolled back may be deployed again.
    #[serde(default)]
    redeploy: bool,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Rollout {
    /// The canary.
    #[schemars(with = "String")]
    version: Target,
    /// Each with a higher weight than the one before.
    steps: Vec<Step>,
    /// How long the rules cover it after its promotion; an hour where that is not said.
    #[serde(default)]
    bake: Option<Span>,
    /// Whether it may have been rolled back.
    #[serde(default)]
    redeploy: bool,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Promote {
    /// Which.
    #[schemars(with = "String")]
    version: Target,
    /// Whether it may have been rolled back.
    #[serde(default)]
    redeploy: bool,
}

#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Nothing {}

/// What stands beside the action.
struct Beside<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Beside<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        without("action", deserializer).map(Self)
    }
}

/// A step of a rollout.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "RolloutStep")]
pub(super) struct Step {
    /// The canary's weight.
    weight: Share,
    /// How long it lasts at least.
    hold: Span,
    /// How many requests the canary must complete in it; as many as the most demanding rule asks
    /// for where that is not said.
    #[serde(default)]
    require: Option<u64>,
    /// Whether it waits for a command as well.
    #[serde(default)]
    pause: bool,
}

/// What was done.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Deployed")]
pub(super) struct DeployedView {
    /// `rolled_back`, `deployed`, `rollout_started`, `promoted`, `paused`, `resumed` or `aborted`.
    status: &'static str,
    model: String,
    /// Versions that get traffic, with their shares.
    split: BTreeMap<String, f64>,
    /// Those before.
    previous_split: BTreeMap<String, f64>,
    /// The number of the journal entry; null: nothing had to change.
    journal_entry: Option<u64>,
}

/// `POST /v1/models/{model}/deploy`
pub(super) async fn deploy(request: &AdminRequest) -> Result<Response<Body>, ApiError> {
    let (id, index) = request.model()?;
    let repeat = request.repeat()?;
    let deploy = Deploy::read(request)?;
    let field = deploy.naming();
    let (status, kind) = deploy.command()?;
    let model = id.to_string();
    let answer = move |before: &Before, entry: Option<&Sealed>| {
        let shift = entry.and_then(|sealed| sealed.entry().change.shift());
        let previous_split = shares(&before.split);
        let view = DeployedView {
            status,
            model,
            split: shift.map_or_else(|| previous_split.clone(), |shift| shares(&shift.split)),
            previous_split,
            journal_entry: entry.map(|sealed| sealed.entry().number),
        };
        answered(StatusCode::OK, &view)
    };
    let answered = request.command((id, index), kind, repeat, answer).await;
    // A name that is unknown stands where this form has it.
    answered.map_err(|error| match (error.status, field) {
        (404, Some(field)) => error.with_param(field),
        _ => error,
    })
}

impl Deploy {
    /// What the body of `request` says. First which action it is, and then what stands beside it:
    /// in one the places of errors would be lost.
    fn read(request: &AdminRequest) -> Result<Self, ApiError> {
        Ok(match request.json::<Tagged>()?.action {
            Action::Rollback => Self::Rollback(request.json::<Beside<_>>()?.0),
            Action::Split => Self::Split(request.json::<Beside<_>>()?.0),
            Action::Rollout => Self::Rollout(request.json::<Beside<_>>()?.0),
            Action::Promote => Self::Promote(request.json::<Beside<_>>()?.0),
            Action::Pause => Self::Pause(request.json::<Beside<_>>()?.0),
            Action::Resume => Self::Resume(request.json::<Beside<_>>()?.0),
            Action::Abort => Self::Abort(request.json::<Beside<_>>()?.0),
        })
    }

    /// The field that names versions.
    const fn naming(&self) -> Option<&'static str> {
        match self {
            Self::Rollback(_) => Some("target_version"),
            Self::Split(_) => Some("split"),
            Self::Rollout(_) | Self::Promote(_) => Some("version"),
            Self::Pause(_) | Self::Resume(_) | Self::Abort(_) => None,
        }
    }

    /// What it is called when it is done, and the command that does it.
    fn command(self) -> Result<(&'static str, CommandKind), ApiError> {
        Ok(match self {
            Self::Rollback(Rollback { target_version }) => {
                ("rolled_back", CommandKind::Rollback(target_version))
            }
            Self::Split(Split { split: Shares(shares), redeploy }) => {
                ("deployed", CommandKind::Split { shares, redeploy })
            }
            Self::Rollout(Rollout { version, steps, bake, redeploy }) => {
                let steps = steps.into_iter().map(RolloutStep::from).collect();
                let steps = Ladder::new(steps)
                    .map_err(|error| ApiError::invalid("steps", error.to_string()))?;
                let bake = bake.map_or(DEFAULT_BAKE, |Span(bake)| bake);
                let kind = CommandKind::StartRollout { version, steps, bake, redeploy };
                ("rollout_started", kind)
            }
            Self::Promote(Promote { version, redeploy }) => {
                ("promoted", CommandKind::Promote { version, redeploy })
            }
            Self::Pause(Nothing {}) => ("paused", CommandKind::Pause),
            Self::Resume(Nothing {}) => ("resumed", CommandKind::Resume),
            Self::Abort(Nothing {}) => ("aborted", CommandKind::Abort),
        })
    }
}

impl From<Step> for RolloutStep {
    fn from(Step { weight, hold, require, pause }: Step) -> Self {
        Self { weight: weight.0, hold: hold.0, require, pause }
    }
}

fn shares(weights: &[(VersionId, Ratio)]) -> BTreeMap<String, f64> {
    weights.iter().map(|(id, weight)| (id.to_string(), weight.get())).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::test_house::TestHouse;
    use super::*;
    use crate::units::Duration;

    const PATH: &str = "/v1/models/org/name/deploy";
    const STEPS_WEIGHT: &str = r#"{"action": "rollout", "version": "name-2", "steps":
        [{"weight": 0.1, "hold": 60}, {"weight": 1.5, "hold": 60}]}"#;
    const STEPS_HOLD: &str =
        r#"{"action": "rollout", "version": "name-2", "steps": [{"weight": 0.1}]}"#;

    #[tokio::test]
    async fn an_answer_says_what_the_split_is_and_was_and_where_it_is_journalled() {
        let house = TestHouse::new().await;
        let body = r#"{"action": "split", "split": {"name-1": "95%", "name-2": 0.05}}"#;
        let reply = house.call("POST", PATH, Some(body)).await;
        let history = house.call("GET", "/v1/models/org/name/history", None).await.body;
        let last = history.as_array().unwrap().last().unwrap();
        let expected = json!({
            "status": "deployed", "model": "org/name",
            "split": {"name-1": 0.95, "name-2": 0.05},
            "previous_split": {"name-1": 0.5, "name-2": 0.5},
            "journal_entry": last["number"],
        });
        assert_eq!(reply.body, expected);
        assert_eq!(
            (&last["by"], &last["change"]["split"]["shift"]["split"][0][1]),
            (&json!("ops"), &json!(0.95))
        );
        let back = house.call("POST", PATH, Some(r#"{"action": "rollback"}"#)).await.body;
        assert_eq!(
            (&back["status"], &back["split"]),
            (&json!("rolled_back"), &json!({"name-1": 1.0}))
        );
        let again = house.call("POST", PATH, Some(r#"{"action": "rollback"}"#)).await.body;
        assert_eq!(
            (&again["status"], &again["journal_entry"]),
            (&json!("rolled_back"), &json!(null))
        );
        assert_eq!(again["previous_split"], again["split"]);
    }

    #[tokio::test]
    async fn a_version_that_was_rolled_back_is_deployed_again_only_explicitly() {
        let house = TestHouse::new().await;
        house.call("POST", PATH, Some(r#"{"action": "rollback"}"#)).await;
        let body = r#"{"action": "split", "split": {"name-1": 0.5, "name-2": 0.5}}"#;
        assert_eq!(
            house.call("POST", PATH, Some(body)).await.error(),
            (409, "conflict", "redeploy")
        );
        let body = body.replace("}}", "}, \"redeploy\": true}");
        assert_eq!(house.call("POST", PATH, Some(&body)).await.status, 200);
    }

    #[tokio::test]
    async fn a_rollout_goes_from_its_start_to_its_promotion_by_commands() {
        let house = TestHouse::new().await;
        let all = r#"{"action": "split", "split": {"stable": 1}}"#;
        house.call("POST", PATH, Some(all)).await;
        let start = r#"{"action": "rollout", "version": "name-2",
                        "steps": [{"weight": 0.05, "hold": "1h"}]}"#;
        for (body, status, weight) in [
            (start, "rollout_started", json!(0.05)),
            (r#"{"action": "pause"}"#, "paused", json!(0.05)),
            (r#"{"action": "resume"}"#, "resumed", json!(0.05)),
            (r#"{"action": "abort"}"#, "aborted", json!(null)),
            (start, "rollout_started", json!(0.05)),
            (r#"{"action": "promote", "version": "name-2"}"#, "promoted", json!(1.0)),
        ] {
            let reply = house.call("POST", PATH, Some(body)).await;
            assert_eq!((reply.status, &reply.body["status"]), (200, &json!(status)), "{body}");
            assert_eq!(reply.body["split"]["name-2"], weight, "{body}");
        }
        let resumed = house.call("POST", PATH, Some(r#"{"action": "resume"}"#)).await;
        assert_eq!(resumed.error().0, 409);
    }

    #[tokio::test]
    async fn what_cannot_be_deployed_is_refused_and_changes_nothing() {
        let house = TestHouse::new().await;
        let before = house.call("GET", "/v1/models/org/name/versions", None).await.text;
        for (body, status, param) in [
            (r#"{"action": "split", "split": {"name-1": 0.9}}"#, 400, "split"),
            (r#"{"action": "split", "split": {"name-1": 0.5, "name-1": 0.5}}"#, 400, "split"),
            (r#"{"action": "split", "split": {"name-1": 0.5, "stable": 0.5}}"#, 400, "split"),
            (r#"{"action": "split", "split": {"name-9": 1}}"#, 404, "split"),
            (r#"{"action": "rollback", "target_version": "name-9"}"#, 404, "target_version"),
            (r#"{"action": "promote", "version": "name-9"}"#, 404, "version"),
            (r#"{"action": "rollback", "target": "name-1"}"#, 400, "target"),
            (r#"{"target": "name-1", "action": "rollback"}"#, 400, "target"),
            (r#"{"action": "rollback", "target_version": 7}"#, 400, "target_version"),
            (r#"{"action": "split", "split": {"name-1": "much"}}"#, 400, "split.name-1"),
            (r#"{"action": "pause", "version": "name-1"}"#, 400, "version"),
            (STEPS_WEIGHT, 400, "steps[1].weight"),
            (STEPS_HOLD, 400, "steps[0].hold"),
            (r#"{"action": 7}"#, 400, "action"),
            ("{}", 400, "action"),
            (r#"{"action": "pause"}"#, 409, ""),
            (r#"{"action": "promote"}"#, 400, "version"),
            (r#"{"action": "explode"}"#, 400, "action"),
        ] {
            let reply = house.call("POST", PATH, Some(body)).await;
            assert_eq!((reply.status, reply.error().2), (status, param), "{body}: {}", reply.text);
        }
        let after = house.call("GET", "/v1/models/org/name/versions", None).await.text;
        assert_eq!(after, before);
    }

    #[tokio::test]
    async fn a_repeat_under_the_same_key_answers_the_same_and_does_nothing() {
        let house = TestHouse::new().await;
        let body = r#"{"action": "split", "split": {"name-1": 0.9, "name-2": 0.1}}"#;
        let key = [("idempotency-key", "k-1")];
        let first = house.call_with("POST", PATH, Some(body), &key).await;
        // Meanwhile somebody else has changed it.
        let other = r#"{"action": "split", "split": {"name-1": 0.8, "name-2": 0.2}}"#;
        house.call("POST", PATH, Some(other)).await;
        let again = house.call_with("POST", PATH, Some(body), &key).await;
        assert_eq!((again.status, &again.text), (first.status, &first.text));
        let split = &house.call("GET", "/v1/deploy/status", None).await.body["models"][1]["split"];
        assert_eq!(split["name-2"], json!(0.2));
        let reused = house.call_with("POST", PATH, Some(other), &key).await;
        assert_eq!(reused.error(), (422, "idempotency_key_reused", "Idempotency-Key"));
        // Another access key, and another path, have idempotency keys of their own.
        let deputy = house.new_key("deputy", crate::engine::Scope::Admin, None).await;
        let bearer = format!("Bearer {deputy}");
        let headers = [key[0], ("authorization", bearer.as_str())];
        assert_eq!(house.call_with("POST", PATH, Some(other), &headers).await.status, 200);
        let path = "/v1/models/gpt-4/deploy";
        let body = r#"{"action": "rollback"}"#;
        assert_eq!(house.call_with("POST", path, Some(body), &key).await.status, 200);
    }

    fn read(text: &str) -> Result<Deploy, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    #[test]
    fn unknown_actions_and_fields_are_named_with_the_allowed_ones() {
        let error = read(r#"{"action": "explode"}"#).unwrap_err();
        assert!(error.contains("`explode`") && error.contains("`rollback`"), "{error}");
        let error = read(r#"{"action": "rollback", "target": "v1"}"#).unwrap_err();
        assert!(error.contains("`target`") && error.contains("`target_version`"), "{error}");
        let error = read(r#"{"action": "pause", "version": "v1"}"#).unwrap_err();
        assert!(error.contains("`version`"), "{error}");
        assert!(read("{}").unwrap_err().contains("`action`"));
    }

    #[test]
    fn a_rollout_is_stated_in_numbers_or_literals() {
        let text = r#"{"action": "rollout", "version": "v2", "steps": [
            {"weight": "5%", "hold": "10m"}, {"weight": 0.25, "hold": 600, "require": 500}]}"#;
        let (status, kind) = read(text).unwrap().command().unwrap();
        let CommandKind::StartRollout { steps, bake, redeploy, .. } = kind else {
            panic!("a rollout")
        };
        assert_eq!((status, bake, redeploy), ("rollout_started", DEFAULT_BAKE, false));
        assert_eq!(steps.steps()[0].hold, Duration::from_secs(600));
        assert_eq!(steps.steps()[1].require, Some(500));
        let text = r#"{"action": "rollout", "version": "v2", "steps": []}"#;
        let error = read(text).unwrap().command().unwrap_err();
        assert_eq!((error.status, error.param.as_deref()), (400, Some("steps")));
    }

    #[test]
    fn the_articles_name_of_a_split_is_another_name_of_it() {
        let text = r#"{"action": "split", "canary_rules": {"v1": 0.5, "v2": 0.5}}"#;
        assert!(matches!(read(text), Ok(Deploy::Split(Split { redeploy: false, .. }))));
    }
}
