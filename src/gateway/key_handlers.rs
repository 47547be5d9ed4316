//! `/v1/auth`: access keys. A secret is shown once, in the answer to the request that made it; it
//! is kept nowhere, so that these requests have no idempotency keys. Whoever lost an answer
//! regenerates the key.

use axum::body::Body;
use http::{Response, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::access_secret::AccessSecret;
use super::admin_request::{AdminRequest, answered, json_response};
use super::amount_text::Span;
use crate::engine::{CommandKind, KeyStatus, NewKey, Principal, Scope, Sealed, Target};
use crate::exchange::{ModelIndex, RetryAfter};
use crate::units::{Duration, KeyId, ModelId};
use crate::wire::ApiError;

/// Another secret for the calling key.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RegenerateOwn {
    /// Without effect: a key is valid for every version, whatever it was made for.
    #[serde(default)]
    version: Option<String>,
    /// How long the old secret stays valid; 0: it ends at once. As the configuration has it where
    /// that is not said.
    #[serde(default)]
    grace_seconds: Option<Span>,
}

/// Another secret for a key.
#[derive(Clone, Copy, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Regenerate {
    /// How long the old secret stays valid; 0: it ends at once. As the configuration has it where
    /// that is not said.
    #[serde(default)]
    grace_seconds: Option<Span>,
}

/// A key that is to be made.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateKey {
    /// Its name, which is no secret.
    #[schemars(with = "String", regex(pattern = "^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$"))]
    id: KeyId,
    scope: ScopeWord,
    /// For which models; absent or null: for all.
    #[serde(default)]
    #[schemars(with = "Option<Vec<String>>")]
    models: Option<Vec<ModelId>>,
}

/// What a key permits.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum ScopeWord {
    /// To send requests, and to read what is deployed.
    Inference,
    /// To change it as well.
    Admin,
}

/// A key with its secret: shown once.
#[derive(Clone, Serialize, JsonSchema)]
#[schemars(rename = "CreatedKey")]
pub(super) struct CreatedView {
    /// What the client presents.
    api_key: String,
    key_id: String,
    scope: ScopeWord,
    models: Option<Vec<String>>,
}

/// A key with its new secret: shown once.
#[derive(Clone, Serialize, JsonSchema)]
#[schemars(rename = "RegeneratedKey")]
pub(super) struct RegeneratedView {
    /// What the client presents from now on.
    api_key: String,
    key_id: String,
    /// Until when the old secret is valid still, in RFC 3339; null: it no longer is.
    previous_valid_until: Option<String>,
}

/// A key as it stands.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "AccessKey")]
pub(super) struct KeyView {
    id: String,
    scope: ScopeWord,
    /// Null: for all models.
    models: Option<Vec<String>>,
    /// Until when an old secret of it is valid still, in RFC 3339; null: none is.
    previous_valid_until: Option<String>,
}

/// A key that was revoked.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "RevokedKey")]
pub(super) struct RevokedView {
    /// `revoked`
    status: &'static str,
    key_id: String,
}

/// `POST /v1/auth/regenerate-key`
pub(super) async fn regenerate_own(request: &AdminRequest) -> Result<Response<Body>, ApiError> {
    request.refuse_repeat()?;
    // By a replaced secret too: whoever lost the answer has no other.
    let key = request.caller()?.key().clone();
    let RegenerateOwn { version, grace_seconds } = request.json_or_nothing()?;
    // What the key is made for is remembered where a model has such a version.
    let named = version.and_then(|name| Some((home(request, &name)?, Target::new(&name)?)));
    let (model, version) = match named {
        Some((model, version)) => (model, Some(version)),
        None => (any_model(request)?, None),
    };
    regenerate(request, key, grace(request, grace_seconds), (model, version)).await
}

/// `POST /v1/auth/keys/{key}/regenerate`
pub(super) async fn regenerate_other(request: &AdminRequest) -> Result<Response<Body>, ApiError> {
    request.all_models(Scope::Admin)?;
    manager(request)?;
    request.refuse_repeat()?;
    let Regenerate { grace_seconds } = request.json_or_nothing()?;
    let key = named(request)?;
    regenerate(request, key, grace(request, grace_seconds), (any_model(request)?, None)).await
}

/// `GET /v1/auth/keys`
pub(super) fn list_keys(request: &AdminRequest) -> Result<Response<Body>, ApiError> {
    request.all_models(Scope::Admin)?;
    let keys = request.desk().with(|inner, now| inner.engine.keys(now));
    let keys: Vec<KeyView> = keys.into_iter().map(KeyView::from).collect();
    Ok(json_response(StatusCode::OK, &keys))
}

/// `POST /v1/auth/keys`
pub(super) async fn create_key(request: &AdminRequest) -> Result<Response<Body>, ApiError> {
    request.all_models(Scope::Admin)?;
    manager(request)?;
    request.refuse_repeat()?;
    let CreateKey { id, scope, models } = request.json()?;
    let secret = secret(&id)?;
    let view = CreatedView {
        api_key: secret.to_text(),
        key_id: id.to_string(),
        scope,
        models: models.as_ref().map(|models| models.iter().map(ToString::to_string).collect()),
    };
    let digest = secret.digest();
    let new = NewKey { id, digest, scope: scope.into(), models, version: None };
    let kind = CommandKind::CreateKey(Box::new(new));
    let answer = move |_: &_, _: Option<&Sealed>| answered(StatusCode::CREATED, &view);
    let (model, index) = any_model(request)?;
    request.command((&model, index), kind, None, answer).await
}

/// `DELETE /v1/auth/keys/{key}`. No key revokes itself: so one is left that can make others.
pub(super) async fn revoke_key(request: &AdminRequest) -> Result<Response<Body>, ApiError> {
    request.all_models(Scope::Admin)?;
    let repeat = request.repeat()?;
    let key = named(request)?;
    if *manager(request)?.key() == key {
        let words = format!("the access key {key} cannot revoke itself: use another one");
        return Err(ApiError::conflict(words));
    }
    let view = RevokedView { status: "revoked", key_id: key.to_string() };
    let answer = move |_: &_, _: Option<&Sealed>| answered(StatusCode::OK, &view);
    let (model, index) = any_model(request)?;
    request.command((&model, index), CommandKind::RevokeKey(key), repeat, answer).await
}

/// Who manages keys but its own: nobody by a secret that was replaced, which may have been for a
/// leak.
fn manager(request: &AdminRequest) -> Result<&Principal, ApiError> {
    let caller = request.caller()?;
    if caller.is_replaced() {
        return Err(ApiError::forbidden(format!(
            "this secret of the access key {} was replaced: keys are managed by the present one",
            caller.key()
        )));
    }
    Ok(caller)
}

/// How long an old secret stays valid.
fn grace(request: &AdminRequest, asked: Option<Span>) -> Duration {
    asked.map_or(request.office.front.grace, |Span(grace)| grace)
}

async fn regenerate(
    request: &AdminRequest,
    key: KeyId,
    grace: Duration,
    ((model, index), version): ((ModelId, ModelIndex), Option<Target>),
) -> Result<Response<Body>, ApiError> {
    let secret = secret(&key)?;
    let (api_key, key_id) = (secret.to_text(), key.to_string());
    let answer = move |_: &_, entry: Option<&Sealed>| {
        let until = entry.filter(|_| !grace.is_zero());
        let until = until.map(|sealed| (sealed.entry().at + grace).to_string());
        let view = RegeneratedView { api_key, key_id, previous_valid_until: until };
        answered(StatusCode::OK, &view)
    };
    let kind = CommandKind::RegenerateKey { key, digest: secret.digest(), grace, version };
    request.command((&model, index), kind, None, answer).await
}

fn secret(key: &KeyId) -> Result<AccessSecret, ApiError> {
    AccessSecret::new(key.clone()).map_err(|error| {
        tracing::error!(%error, "the system has no randomness");
        let wait = RetryAfter::of(Duration::from_secs(5));
        ApiError::overloaded("no secret can be made at present", wait)
    })
}

/// The key that the path names.
fn named(request: &AdminRequest) -> Result<KeyId, ApiError> {
    let name = request.names.get("key");
    KeyId::new(name).map_err(|error| ApiError::not_found(error.to_string()).with_param("key"))
}

/// Keys are no model's, but a command is given for one.
fn any_model(request: &AdminRequest) -> Result<(ModelId, ModelIndex), ApiError> {
    let first = request.desk().models().next().map(|(id, index)| (id.clone(), index));
    first.ok_or_else(|| ApiError::conflict("no model is served: there is nothing to have keys for"))
}

/// The first of the caller's models that has such a version or tag.
fn home(request: &AdminRequest, name: &str) -> Option<(ModelId, ModelIndex)> {
    let models = request.models(Scope::Inference).ok()?;
    request.desk().with(|inner, _| {
        let has = |index| inner.engine.catalog(index).is_some_and(|c| c.resolve(name).is_some());
        models.into_iter().find(|(_, index)| has(*index))
    })
}

impl From<KeyStatus> for KeyView {
    fn from(key: KeyStatus) -> Self {
        Self {
            id: key.id.to_string(),
            scope: key.scope.into(),
            models: key.models.map(|all| all.iter().map(ToString::to_string).collect()),
            previous_valid_until: key.replaced_until.map(|until| until.to_string()),
        }
    }
}

impl From<ScopeWord> for Scope {
    fn from(word: ScopeWord) -> Self {
        match word {
            ScopeWord::Inference => Self::Inference,
            ScopeWord::Admin => Self::Admin,
        }
    }
}

impl From<Scope> for ScopeWord {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Inference => Self::Inference,
            Scope::Admin => Self::Admin,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::access_secret::Presented;
    use super::super::test_house::TestHouse;
    use super::*;

    async fn status_with(house: &TestHouse, key: &str) -> u16 {
        let bearer = format!("Bearer {key}");
        let headers = [("authorization", bearer.as_str())];
        house.call_with("GET", "/v1/models", None, &headers).await.status
    }

    #[tokio::test]
    async fn an_old_secret_is_valid_through_its_grace_and_dead_after_it() {
        let house = TestHouse::at_scale(1_000.0).await;
        let path = "/v1/auth/keys/team/regenerate";
        let old = house.new_key("team", Scope::Inference, None).await;
        let month = r#"{"grace_seconds": "30d"}"#;
        let next = house.call("POST", path, Some(month)).await.body;
        let next = next["api_key"].as_str().unwrap().to_owned();
        assert_eq!(status_with(&house, &old).await, 200);
        assert_eq!(status_with(&house, &next).await, 200);
        // A short grace ends the longer one of the secret before it, too.
        let short = house.call("POST", path, Some(r#"{"grace_seconds": 1}"#)).await.body;
        let until = short["previous_valid_until"].as_str().unwrap().parse().unwrap();
        let listed = house.call("GET", "/v1/auth/keys", None).await.body;
        assert_eq!(listed[1]["id"], "team");
        let clock = crate::clock::WallClock::new(crate::clock::TimeScale::new(1_000.0).unwrap());
        while house.desk().now() < until {
            clock.sleep_until(clock.now() + house_remains(&house, until)).await;
        }
        assert_eq!(status_with(&house, &old).await, 401);
        assert_eq!(status_with(&house, &next).await, 401);
        assert_eq!(status_with(&house, short["api_key"].as_str().unwrap()).await, 200);
        // Without a grace at once.
        let none = house.call("POST", path, Some(r#"{"grace_seconds": 0}"#)).await.body;
        assert_eq!(none["previous_valid_until"], Value::Null);
        assert_eq!(status_with(&house, short["api_key"].as_str().unwrap()).await, 401);
    }

    fn house_remains(house: &TestHouse, until: crate::units::Timestamp) -> Duration {
        until.since(house.desk().now())
    }

    #[tokio::test]
    async fn a_key_regenerates_itself_whatever_version_it_names() {
        let house = TestHouse::new().await;
        let old = house.new_key("team", Scope::Inference, Some(&["org/name"])).await;
        let bearer = format!("Bearer {old}");
        let headers = [("authorization", bearer.as_str())];
        for body in [Some(r#"{"version": "first"}"#), Some(r#"{"version": "gone"}"#), None] {
            let path = "/v1/auth/regenerate-key";
            let reply = house.call_with("POST", path, body, &headers).await;
            assert_eq!((reply.status, &reply.body["key_id"]), (200, &json!("team")), "{body:?}");
            assert!(reply.body["previous_valid_until"].is_string());
            let new = reply.body["api_key"].as_str().unwrap();
            assert_eq!(status_with(&house, new).await, 200);
            assert_eq!(status_with(&house, &old).await, 200, "in its grace");
        }
    }

    #[tokio::test]
    async fn keys_are_made_listed_and_revoked_and_only_digests_are_kept() {
        let house = TestHouse::new().await;
        let body = r#"{"id": "team", "scope": "inference", "models": ["org/name"]}"#;
        let made = house.call("POST", "/v1/auth/keys", Some(body)).await;
        assert_eq!(made.status, 201, "{}", made.text);
        let key = made.body["api_key"].as_str().unwrap();
        assert_eq!(status_with(&house, key).await, 200);
        assert_eq!(house.call("POST", "/v1/auth/keys", Some(body)).await.error().0, 409);
        let listed = house.call("GET", "/v1/auth/keys", None).await;
        let team = json!({"id": "team", "scope": "inference", "models": ["org/name"],
                          "previous_valid_until": null});
        assert_eq!(listed.body[1], team);
        let secret = key.rsplit_once('.').unwrap().1;
        assert!(!listed.text.contains(secret));
        let headers = http::HeaderMap::from_iter([(
            http::header::AUTHORIZATION,
            format!("Bearer {key}").parse().unwrap(),
        )]);
        let digest = Presented::of(&headers).unwrap().secret.to_string();
        assert!(!listed.text.contains(&digest));
        let revoked = house.call("DELETE", "/v1/auth/keys/team", None).await;
        assert_eq!(revoked.body, json!({"status": "revoked", "key_id": "team"}));
        assert_eq!(status_with(&house, key).await, 401);
        let again = house.call("DELETE", "/v1/auth/keys/team", None).await;
        assert_eq!(again.error(), (404, "not_found", "key"));
    }

    /// It could make one for the models that are still to come.
    #[tokio::test]
    async fn a_key_that_is_limited_to_every_model_there_is_makes_no_keys() {
        let house = TestHouse::new().await;
        let all = ["gpt-4", "org/name", "claude-sonnet"];
        let limited = house.new_key("team", Scope::Admin, Some(&all)).await;
        let bearer = format!("Bearer {limited}");
        let headers = [("authorization", bearer.as_str())];
        let body = r#"{"id": "more", "scope": "admin"}"#;
        for (method, path, body) in [
            ("POST", "/v1/auth/keys", Some(body)),
            ("GET", "/v1/auth/keys", None),
            ("DELETE", "/v1/auth/keys/ops", None),
        ] {
            let reply = house.call_with(method, path, body, &headers).await;
            assert_eq!(reply.error().0, 403, "{method}");
            assert!(reply.text.contains("limited to some models"), "{}", reply.text);
        }
    }

    #[tokio::test]
    async fn no_key_revokes_itself_and_no_secret_is_kept_for_a_repeat() {
        let house = TestHouse::new().await;
        assert_eq!(house.call("DELETE", "/v1/auth/keys/ops", None).await.error().0, 409);
        let headers = [("idempotency-key", "k")];
        for (path, body) in [
            ("/v1/auth/regenerate-key", "{}"),
            ("/v1/auth/keys/ops/regenerate", "{}"),
            ("/v1/auth/keys", r#"{"id": "team", "scope": "admin"}"#),
        ] {
            let reply = house.call_with("POST", path, Some(body), &headers).await;
            assert_eq!(reply.error(), (400, "invalid_value", "Idempotency-Key"), "{path}");
        }
        let foreign = r#"{"id": "team", "scope": "inference", "models": ["gpt-5"]}"#;
        let reply = house.call("POST", "/v1/auth/keys", Some(foreign)).await;
        assert_eq!(reply.error(), (422, "refused", "models"));
        let wrong = r#"{"id": "team", "scope": "root"}"#;
        let reply = house.call("POST", "/v1/auth/keys", Some(wrong)).await;
        assert_eq!(reply.error(), (400, "invalid_value", "scope"));
    }
}
