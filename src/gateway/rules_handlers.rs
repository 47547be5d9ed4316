//! `/v1/deploy/rollback-rules`: the rules of one model, or of all.

use std::borrow::Cow;

use axum::body::Body;
use http::{Response, StatusCode};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::admin_error::command_failed;
use super::admin_request::{AdminRequest, answered, json_response};
use super::desk::Inner;
use super::job::CommandFailure;
use super::without::without;
use crate::engine::{
    Action, Change, Command, CommandKind, Notification, RawRules, RuleSet, RulesError, Safeguards,
    Scope, Sealed, Target,
};
use crate::exchange::ModelIndex;
use crate::notify::{MailAddress, WebhookUrl};
use crate::units::ModelId;
use crate::wire::ApiError;

/// Rules as they are stated, and with every default as they are shown.
#[derive(Clone, Debug, Serialize)]
#[serde(transparent)]
pub(super) struct RulesBody(RawRules);

/// Rules that were applied.
#[derive(Clone, Debug)]
pub(super) struct AppliedRules(RawRules, Vec<String>);

/// Whose rules.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Whose {
    #[serde(default)]
    model: Option<String>,
}

/// The rules of all models, as they are shown: with those models that have their own.
#[derive(Clone, Debug)]
struct DefaultRules(RawRules, Vec<String>);

/// `GET /v1/deploy/rollback-rules`
pub(super) fn show_rules(request: &AdminRequest) -> Result<Response<Body>, ApiError> {
    if let Some((_, index)) = model(request)? {
        let rules = request.desk().with(|inner, _| inner.engine.rules(index).cloned());
        let rules = rules.ok_or_else(|| ApiError::model_not_found(""))?;
        return Ok(json_response(StatusCode::OK, &RulesBody(rules.to_raw())));
    }
    let own = models(request, true)?.into_iter().map(|(id, _)| id.to_string());
    let rules = request.desk().with(|inner, _| inner.engine.default_rules().to_raw());
    Ok(json_response(StatusCode::OK, &DefaultRules(rules, own.collect())))
}

/// `POST` and `PUT /v1/deploy/rollback-rules`. Without `?model=` it is those that all models have
/// which have none of their own; nothing is changed unless all of these would take them.
pub(super) async fn set_rules(request: &AdminRequest) -> Result<Response<Body>, ApiError> {
    let named = model(request)?;
    let repeat = request.repeat()?;
    let RulesBody(raw) = request.json()?;
    let rules = RuleSet::new(&raw, Safeguards::default()).map_err(|error| rules_error(&error))?;
    let takers = match &named {
        Some(model) => vec![model.clone()],
        None => models(request, false)?,
    };
    check(request, &takers, &rules)?;
    let mut warnings = warnings(request, &rules.notification);
    if named.is_none() {
        let own = models(request, true)?;
        warnings.extend(own.iter().map(|(id, _)| own_rules_stay(id)));
    }
    for warning in &warnings {
        tracing::warn!(target: "coalmine::access", warning, "rules");
    }
    let view = AppliedRules(rules.to_raw(), warnings);
    let answer = move |_: &_, _: Option<&Sealed>| answered(StatusCode::OK, &view);
    let kind = match &named {
        Some(_) => CommandKind::Rules(rules),
        None => CommandKind::DefaultRules(rules),
    };
    let any = || request.desk().models().next().map(|(id, index)| (id.clone(), index));
    let (id, index) = named.or_else(any).ok_or_else(|| ApiError::model_not_found(""))?;
    request.command((&id, index), kind, repeat, answer).await
}

/// `DELETE /v1/deploy/rollback-rules`: a model gives up its own rules for those of all models.
pub(super) async fn follow_rules(request: &AdminRequest) -> Result<Response<Body>, ApiError> {
    let (id, index) = model(request)?.ok_or_else(|| {
        let words = "the query names no model: allowed is ?model= with one that has rules of its \
                     own; PUT replaces those of all models";
        ApiError::invalid("model", words)
    })?;
    let repeat = request.repeat()?;
    let rules = request.desk().with(|inner, _| inner.engine.default_rules().clone());
    check(request, &[(id.clone(), index)], &rules)?;
    // Where the command changes nothing the model follows already.
    let answer = move |_: &_, entry: Option<&Sealed>| {
        let rules = match entry.map(|sealed| &sealed.entry().change) {
            Some(Change::DefaultRulesFollowed { rules }) => rules.to_raw(),
            _ => rules.to_raw(),
        };
        answered(StatusCode::OK, &AppliedRules(rules, Vec::new()))
    };
    request.command((&id, index), CommandKind::FollowDefaultRules, repeat, answer).await
}

/// The model that the query names; `None`: it names none, and the caller may do this with all.
fn model(request: &AdminRequest) -> Result<Option<(ModelId, ModelIndex)>, ApiError> {
    match request.query::<Whose>()?.model {
        Some(name) => request.model_named(&name, Scope::Admin).map(Some),
        None => request.all_models(Scope::Admin).map(|_| None),
    }
}

/// The models that have rules of their own, or those that have not.
fn models(request: &AdminRequest, own: bool) -> Result<Vec<(ModelId, ModelIndex)>, ApiError> {
    let all = request.all_models(Scope::Admin)?.into_iter();
    Ok(request.desk().with(|inner, _| {
        all.filter(|(_, index)| inner.engine.has_own_rules(*index) == own).collect()
    }))
}

fn own_rules_stay(id: &ModelId) -> String {
    format!(
        "the model {id} has rules of its own, which stay in force: PUT with ?model={id} replaces \
         them, and DELETE takes them away"
    )
}

/// Whether all models would take the rules; changes nothing.
fn check(
    request: &AdminRequest,
    models: &[(ModelId, ModelIndex)],
    rules: &RuleSet,
) -> Result<(), ApiError> {
    let by = request.caller()?.key().to_string();
    for (id, index) in models {
        refuse_unknown(request, (id, *index), rules)?;
        let kind = CommandKind::Rules(rules.clone());
        let command = Command { model: *index, by: by.clone(), kind };
        let refused = request.desk().with(|inner, now| {
            // What is prepared and not committed has changed nothing.
            inner.engine.prepare(now, &command).map(drop)
        });
        refused.map_err(|error| {
            let failure = CommandFailure::Refused(error);
            let mut error = command_failed(request.desk(), id.as_str(), &failure);
            error.message = format!("model {id}: {}; nothing was changed", error.message);
            error
        })?;
    }
    Ok(())
}

/// A rule that names a version that is not there would be found out when it fires.
fn refuse_unknown(
    request: &AdminRequest,
    (id, index): (&ModelId, ModelIndex),
    rules: &RuleSet,
) -> Result<(), ApiError> {
    let is_known = |target: &Target| {
        let resolve = |inner: &mut Inner, _| {
            let catalog = inner.engine.catalog(index);
            catalog.is_some_and(|catalog| catalog.resolve(target.as_str()).is_some())
        };
        request.desk().with(resolve)
    };
    for (place, trigger) in rules.triggers.iter().enumerate() {
        let of_action = match &trigger.action {
            Action::RollbackTo(target) => Some(("action", target)),
            _ => None,
        };
        let of_version = trigger.version.as_ref().map(|version| ("version", version));
        for (field, target) in of_action.into_iter().chain(of_version) {
            if !is_known(target) {
                let words = format!(
                    "rule {}: the model {id} has no version or tag {:?}; nothing was changed",
                    trigger.id,
                    target.as_str()
                );
                let param = format!("conditions[{place}].{field}");
                return Err(ApiError::refused(words).with_param(param));
            }
        }
    }
    Ok(())
}

/// What is odd about whom rules tell: nobody is kept from naming a placeholder.
fn warnings(request: &AdminRequest, recipients: &Notification) -> Vec<String> {
    let mut warnings = Vec::new();
    if let Some(Err(error)) = recipients.slack_webhook.as_deref().map(WebhookUrl::new) {
        warnings.push(format!("notification.slack_webhook: {error}: nothing will be sent there"));
    }
    if let Some(email) = recipients.email.as_deref() {
        if let Err(error) = MailAddress::new(email) {
            warnings.push(format!("notification.email: {error}: nothing will be sent there"));
        } else if !request.office.front.house.settings().sends_mail {
            warnings.push(
                "notification.email: notify.smtp of the configuration names no server: nothing \
                 will be sent there"
                    .to_owned(),
            );
        }
    }
    warnings
}

fn rules_error(error: &RulesError) -> ApiError {
    let param = match error {
        RulesError::Condition { index, error } => format!("conditions[{index}].{}", error.field),
        RulesError::Field(error) => error.field.to_owned(),
    };
    ApiError::invalid(param, error.to_string())
}

impl Serialize for AppliedRules {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut all = serde_json::Map::new();
        all.insert("status".to_owned(), "applied".into());
        if !self.1.is_empty() {
            all.insert("warnings".to_owned(), self.1.clone().into());
        }
        let rules = serde_json::to_value(&self.0).map_err(serde::ser::Error::custom)?;
        if let serde_json::Value::Object(rules) = rules {
            all.extend(rules);
        }
        all.serialize(serializer)
    }
}

impl Serialize for DefaultRules {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let rules = serde_json::to_value(&self.0).map_err(serde::ser::Error::custom)?;
        let mut all = serde_json::Map::new();
        if let serde_json::Value::Object(rules) = rules {
            all.extend(rules);
        }
        all.insert(OWN.to_owned(), self.1.clone().into());
        all.serialize(serializer)
    }
}

/// What is got can be put: the list of models with their own rules says nothing then.
impl<'de> Deserialize<'de> for RulesBody {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        without(OWN, deserializer).map(Self)
    }
}

impl JsonSchema for RulesBody {
    fn schema_name() -> Cow<'static, str> {
        "Rules".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        rules_schema(false)
    }
}

impl JsonSchema for AppliedRules {
    fn schema_name() -> Cow<'static, str> {
        "AppliedRules".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        rules_schema(true)
    }
}

/// By hand: the library's type of rules knows no schemas. A test holds the two together.
fn rules_schema(applied: bool) -> Schema {
    let number = || serde_json::json!({"type": ["number", "null"]});
    let text = || serde_json::json!({"type": ["string", "null"]});
    let condition = serde_json::json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "id": text(), "judge": text(), "metric": text(),
            "operator": {"enum": [">", ">=", "<", "<=", null]},
            "threshold": number(), "threshold_ms": number(),
            "compare_to": text(), "as": text(),
            "duration_seconds": number(), "check_interval_seconds": number(),
            "window_seconds": number(),
            "min_requests": {"type": ["integer", "null"], "minimum": 0},
            "no_data": {"enum": ["hold", "breach", "clear", null]},
            "version": text(), "action": text(), "prior_strength": number(),
            "alpha": number(), "effect": number(), "burst_block_seconds": number(),
            "tolerance": number(), "confidence": number(),
        }
    });
    let mut schema = json_schema!({
        "type": "object",
        "additionalProperties": false,
        "required": ["conditions"],
        "properties": {
            "models_with_own_rules": {
                "type": "array", "items": {"type": "string"}, "readOnly": true,
                "description": "Of the rules of all models: those that do not have them."
            },
            "enable": {"type": "boolean"},
            "rate_limited_is_error": {"type": "boolean"},
            "alpha": number(),
            "conditions": {"type": "array", "items": condition},
            "notification": {
                "type": "object",
                "additionalProperties": false,
                "properties": {"slack_webhook": text(), "email": text()}
            }
        }
    });
    if let Some(properties) = schema.get_mut("properties").filter(|_| applied) {
        properties["status"] = serde_json::json!({"const": "applied"});
        properties["warnings"] = serde_json::json!({"type": "array", "items": {"type": "string"}});
    }
    schema
}

/// The member that says which models have rules of their own.
const OWN: &str = "models_with_own_rules";

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::test_house::TestHouse;
    use super::*;
    use crate::engine::{Assignment, RawNotification, RawTrigger};

    const PATH: &str = "/v1/deploy/rollback-rules";

    fn rules(threshold: &str) -> String {
        format!(
            r#"{{"enable": true, "conditions": [{{"metric": "error_rate", "operator": ">",
                 "threshold": {threshold}, "duration_seconds": 60, "action": "notify"}}]}}"#
        )
    }

    #[tokio::test]
    async fn what_is_got_can_be_put_unchanged() {
        let house = TestHouse::new().await;
        house.call("POST", PATH, Some(&rules("0.05"))).await;
        let own = format!("{PATH}?model=gpt-4");
        house.call("PUT", &own, Some(&rules("0.01"))).await;
        let got = house.call("GET", PATH, None).await;
        assert_eq!(got.body["models_with_own_rules"], json!(["gpt-4"]));
        let put = house.call("PUT", PATH, Some(&got.text)).await;
        assert_eq!(put.status, 200, "{}", put.text);
        assert_eq!(house.call("GET", PATH, None).await.text, got.text);
        let condition = &got.body["conditions"][0];
        assert_eq!(condition["check_interval_seconds"], json!(15.0));
        assert_eq!(condition["min_requests"], json!(10));
        assert_eq!(condition["no_data"], json!("hold"));
    }

    #[tokio::test]
    async fn a_model_may_have_rules_of_its_own_and_those_of_all_are_for_the_others() {
        let house = TestHouse::new().await;
        house.call("PUT", PATH, Some(&rules("0.05"))).await;
        let own = format!("{PATH}?model=org/name");
        assert_eq!(house.call("PUT", &own, Some(&rules("0.01"))).await.status, 200);
        let threshold = async |path: &str| {
            let got = house.call("GET", path, None).await;
            got.body["conditions"][0]["threshold"].as_f64()
        };
        let encoded = format!("{PATH}?model=org%2Fname");
        assert_eq!(threshold(&encoded).await, Some(0.01));
        let of_all = house.call("GET", PATH, None).await;
        assert_eq!(of_all.body["models_with_own_rules"], json!(["org/name"]));
        assert_eq!(of_all.body["conditions"][0]["threshold"], json!(0.05));
        let set = house.call("PUT", PATH, Some(&rules("0.04"))).await;
        let warning = set.body["warnings"][0].as_str().unwrap();
        assert!(warning.contains("org/name has rules of its own, which stay"), "{warning}");
        assert_eq!(threshold(&encoded).await, Some(0.01));
        assert_eq!(threshold(&format!("{PATH}?model=gpt-4")).await, Some(0.04));
        // Until it gives them up.
        let followed = house.call("DELETE", &own, None).await;
        assert_eq!(followed.body["conditions"][0]["threshold"], json!(0.04));
        assert_eq!(threshold(&encoded).await, Some(0.04));
        let of_all = house.call("GET", PATH, None).await;
        assert_eq!(of_all.body["models_with_own_rules"], json!([]));
        let of_none = house.call("DELETE", PATH, None).await;
        assert_eq!(of_none.error(), (400, "invalid_value", "model"));
        let unknown = house.call("GET", &format!("{PATH}?model=gpt-5"), None).await;
        assert_eq!(unknown.error().0, 404);
        let misspelt = house.call("GET", &format!("{PATH}?modl=gpt-4"), None).await;
        assert_eq!(misspelt.error(), (400, "invalid_value", "modl"));
    }

    #[tokio::test]
    async fn rules_that_one_model_cannot_take_change_none() {
        let house = TestHouse::new().await;
        house.call("PUT", PATH, Some(&rules("0.05"))).await;
        house.command(2, CommandKind::Assignment(Assignment::Even)).await;
        let judge = r#"{"conditions": [{"judge": "sequential", "action": "notify"}]}"#;
        let reply = house.call("PUT", PATH, Some(judge)).await;
        assert_eq!(reply.error(), (422, "refused", "conditions"));
        assert!(reply.message().starts_with("model claude-sonnet: "), "{}", reply.message());
        assert_eq!(
            house.call("GET", PATH, None).await.body["conditions"].as_array().unwrap().len(),
            1
        );
    }

    #[tokio::test]
    async fn a_rule_is_refused_by_its_field_and_its_range() {
        let house = TestHouse::new().await;
        let reply = house.call("PUT", PATH, Some(&rules("1.5"))).await;
        assert_eq!(reply.error(), (400, "invalid_value", "conditions[0].threshold"));
        assert!(reply.message().contains("1.5"), "{}", reply.message());
    }

    #[tokio::test]
    async fn rules_for_all_models_are_repeated_as_one_request() {
        let house = TestHouse::new().await;
        let key = [("idempotency-key", "rules-1")];
        let first = house.call_with("PUT", PATH, Some(&rules("0.05")), &key).await;
        let entries = async || {
            let status = house.call("GET", "/v1/deploy/status", None).await;
            status.body["journal_entries"].as_u64().unwrap()
        };
        let before = entries().await;
        let again = house.call_with("PUT", PATH, Some(&rules("0.05")), &key).await;
        assert_eq!((again.status, again.text), (200, first.text));
        assert_eq!(entries().await, before);
        let other = house.call_with("PUT", PATH, Some(&rules("0.06")), &key).await;
        assert_eq!(other.error().0, 422);
    }

    #[test]
    fn the_schema_has_the_fields_that_the_library_reads() {
        let text = || Some("x".to_owned());
        let trigger = RawTrigger {
            id: text(),
            judge: text(),
            metric: text(),
            operator: text(),
            threshold: Some(0.0),
            threshold_ms: Some(0.0),
            compare_to: text(),
            form: text(),
            duration_seconds: Some(0.0),
            check_interval_seconds: Some(0.0),
            window_seconds: Some(0.0),
            min_requests: Some(0),
            no_data: text(),
            version: text(),
            action: text(),
            prior_strength: Some(0.0),
            alpha: Some(0.0),
            effect: Some(0.0),
            burst_block_seconds: Some(0.0),
            tolerance: Some(0.0),
            confidence: Some(0.0),
        };
        let raw = RawRules {
            enable: true,
            rate_limited_is_error: true,
            alpha: Some(0.001),
            conditions: vec![trigger],
            notification: RawNotification { slack_webhook: text(), email: text() },
        };
        let written = serde_json::to_value(&raw).unwrap();
        let schema = serde_json::to_value(rules_schema(false)).unwrap();
        let keys = |value: &serde_json::Value| -> Vec<String> {
            let mut keys: Vec<_> = value.as_object().unwrap().keys().cloned().collect();
            keys.sort();
            keys
        };
        let mut fields = keys(&written);
        fields.insert(3, OWN.to_owned());
        assert_eq!(fields, keys(&schema["properties"]));
        let items = &schema["properties"]["conditions"]["items"]["properties"];
        assert_eq!(keys(&written["conditions"][0]), keys(items));
        let notification = &schema["properties"]["notification"]["properties"];
        assert_eq!(keys(&written["notification"]), keys(notification));
    }
}
