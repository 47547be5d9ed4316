//! The administrative interface: from a request to the handler of its route, once its access key is
//! known to permit it.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use http::header::{ALLOW, CONTENT_LENGTH, WWW_AUTHENTICATE};
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body::Body as _;

use super::access_secret::Presented;
use super::admin_request::{AdminRequest, json_response, read_body};
use super::chat::error_response;
use super::dashboard_handler::dashboard;
use super::denied::{denied, forbidden_error};
use super::deploy_handler::deploy;
use super::desk::Denied;
use super::evaluation_handler::evaluate;
use super::event_feed::events;
use super::front::Front;
use super::key_handlers as keys;
use super::office::Office;
use super::open_api::document;
use super::route::{Access, Operation, Route};
use super::route_path::Names;
use super::route_table::{Found, find};
use super::rules_handlers::{follow_rules, set_rules, show_rules};
use super::state_handlers::{healthz, metrics, readyz, status};
use super::version_handlers as versions;
use crate::engine::Principal;
use crate::wire::ApiError;

/// Answers every request that is no chat completion. Clones of it share what they know.
pub(super) fn router(front: Arc<Front>) -> Router {
    // The table finds the route: models may have slashes, which paths of the router may not.
    Router::new().fallback(answer).with_state(Arc::new(Office::new(front)))
}

async fn answer(State(office): State<Arc<Office>>, request: Request<Body>) -> Response<Body> {
    let is_head = request.method() == Method::HEAD;
    let (method, path) = (request.method().as_str(), request.uri().path());
    let mut response = match find(method, path) {
        Found::Route(route, names) => {
            let answered = enter(office, route, names, request).await;
            answered.unwrap_or_else(|error| refuse(&error))
        }
        Found::OtherMethods(verbs) => {
            let mut response = error_response(&ApiError::method_not_allowed(method, &verbs));
            // Words and commas are what headers may have.
            if let Ok(verbs) = HeaderValue::try_from(verbs) {
                response.headers_mut().insert(ALLOW, verbs);
            }
            response
        }
        Found::Nothing => {
            let words = "there is nothing at this path; /openapi.json lists what there is";
            error_response(&ApiError::not_found(words))
        }
    };
    if is_head {
        // What GET would say of its body is said, but for the body.
        let length = response.body().size_hint().exact();
        *response.body_mut() = Body::empty();
        if let Some(length) = length {
            response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(length));
        }
    }
    response
}

/// Lets a request in whose key permits it, and has it handled.
async fn enter(
    office: Arc<Office>,
    route: &'static Route,
    names: Names,
    request: Request<Body>,
) -> Result<Response<Body>, ApiError> {
    let (head, body) = request.into_parts();
    refuse_query(route, head.uri.query())?;
    let desk = &office.front.house.desk;
    let caller = match route.access {
        Access::Open => None,
        Access::Key | Access::Model(_) | Access::Asked => {
            let presented = Presented::of(&head.headers)?;
            let caller = desk.authenticate(presented.id, &presented.secret);
            Some(caller.map_err(|error| denied(desk, "", &Denied::Key(error)))?)
        }
    };
    let model = model_of(&office, route, &names, caller.as_ref())?;
    let limits = office.front.house.settings().limits;
    let body = match route.body {
        Some(_) => read_body(&head.headers, body, &limits).await?,
        None => bytes::Bytes::new(),
    };
    handle(route.operation, AdminRequest { office, head, body, names, caller, model }).await
}

/// A parameter that is passed over could be one that its sender relies on: `dry_run=true`.
fn refuse_query(route: &Route, query: Option<&str>) -> Result<(), ApiError> {
    let takes = route.parameters.iter().any(|parameter| !parameter.is_header);
    match query.filter(|query| !query.is_empty() && !takes) {
        Some(query) => {
            let name = query.split(['=', '&']).next().unwrap_or_default();
            let words = format!("there is no parameter {name:?}: this path takes none");
            Err(ApiError::invalid(name, words))
        }
        None => Ok(()),
    }
}

/// The model that the path names, if the caller may do this with it.
fn model_of(
    office: &Office,
    route: &Route,
    names: &Names,
    caller: Option<&Principal>,
) -> Result<Option<(crate::units::ModelId, crate::exchange::ModelIndex)>, ApiError> {
    let (Access::Model(scope), Some(caller)) = (route.access, caller) else { return Ok(None) };
    let (desk, name) = (&office.front.house.desk, names.get("model"));
    let index = desk.model(name).ok_or_else(|| ApiError::model_not_found(name))?;
    let id = desk.model_id(index).ok_or_else(|| ApiError::model_not_found(name))?;
    caller.permits(scope, id).map_err(|forbidden| forbidden_error(&forbidden))?;
    Ok(Some((id.clone(), index)))
}

async fn handle(operation: Operation, request: AdminRequest) -> Result<Response<Body>, ApiError> {
    let request = &request;
    match operation {
        Operation::ListModels => versions::list_models(request),
        Operation::ShowModel => versions::show_model(request),
        Operation::ListVersions => versions::list_versions(request),
        Operation::RegisterVersion => versions::register(request).await,
        Operation::ShowVersion => versions::show_version(request),
        Operation::TagVersion => versions::tag(request).await,
        Operation::Evaluate => evaluate(request).await,
        Operation::Deploy => deploy(request).await,
        Operation::History => versions::history(request).await,
        Operation::ShowRules => show_rules(request),
        Operation::ApplyRules | Operation::ReplaceRules => set_rules(request).await,
        Operation::FollowRules => follow_rules(request).await,
        Operation::RegenerateOwnKey => keys::regenerate_own(request).await,
        Operation::ListKeys => keys::list_keys(request),
        Operation::CreateKey => keys::create_key(request).await,
        Operation::RevokeKey => keys::revoke_key(request).await,
        Operation::RegenerateKey => keys::regenerate_other(request).await,
        Operation::Status => status(request).await,
        Operation::Events => events(request),
        Operation::Healthz => Ok(healthz()),
        Operation::Readyz => readyz(request),
        Operation::Metrics => metrics(request).await,
        Operation::OpenApi => Ok(json_response(StatusCode::OK, &document())),
        Operation::Dashboard => Ok(dashboard()),
    }
}

/// A refusal as a response.
fn refuse(error: &ApiError) -> Response<Body> {
    tracing::debug!(
        target: "coalmine::access", status = error.status, message = error.message,
        "request refused"
    );
    let mut response = error_response(error);
    if error.status == 401 {
        response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::route_table::ROUTES;
    use super::super::test_house::TestHouse;
    use super::*;
    use crate::engine::Scope;

    /// The article's rules, as its program sends them.
    const SEED_RULES: &str = r#"{"enable": true, "conditions": [
        {"metric": "error_rate", "operator": ">", "threshold": 0.05, "duration_seconds": 60,
         "action": "rollback_to_last_stable"},
        {"metric": "latency_p99", "operator": ">", "threshold_ms": 3000, "duration_seconds": 30,
         "action": "rollback_to_last_stable"},
        {"metric": "success_rate", "operator": "<", "threshold": 0.95, "duration_seconds": 120,
         "action": "rollback_to_last_stable"}],
        "notification": {"slack_webhook": "https://hooks.slack.com/YOUR_WEBHOOK",
                         "email": "[email protected]"}}"#;

    /// A path of the route, with names that are there.
    fn path_of(route: &Route) -> String {
        let path = route.path.0.replace("{model}", "org/name").replace("{version}", "name-1");
        path.replace("{key}", "ops")
    }

    fn documented(route: &Route, status: u16) -> bool {
        route.error_statuses().contains(&status)
            || route.answers.iter().any(|answer| answer.status == status)
    }

    #[tokio::test]
    async fn every_route_of_the_table_answers_as_it_is_described() {
        let house = TestHouse::new().await;
        let reader = house.new_key("reader", Scope::Inference, None).await;
        let reader = format!("Bearer {reader}");
        for route in &ROUTES {
            let (verb, path) = (route.verb.word(), path_of(route));
            for body in [None, Some("{}"), Some("{"), Some("[1]"), Some(r#"{"no": 1}"#)] {
                for headers in [
                    &[][..],
                    &[("authorization", "Bearer nobody.0")],
                    &[("authorization", reader.as_str())],
                    &[("content-type", "text/plain")],
                    &[("idempotency-key", "")],
                    &[("last-event-id", "x")],
                ] {
                    let sent = house.send(verb, &path, body, headers).await;
                    let status = sent.status().as_u16();
                    assert!(documented(route, status), "{verb} {path} {headers:?}: {status}");
                    if headers.first() == Some(&("authorization", "Bearer nobody.0")) {
                        assert_eq!(status == 401, route.access != Access::Open, "{path}");
                        assert_eq!(status == 401, sent.headers().contains_key(WWW_AUTHENTICATE));
                    }
                }
            }
        }
    }

    #[tokio::test]
    async fn what_is_not_there_is_404_and_another_method_lists_those_that_are() {
        let house = TestHouse::new().await;
        assert_eq!(house.call("GET", "/v1/nothing", None).await.error().0, 404);
        let reply = house.call("GET", "/v1/models/gpt-5/versions", None).await;
        assert_eq!(reply.error(), (404, "model_not_found", "model"));
        let reply = house.call("DELETE", "/v1/models/org/name/versions", None).await;
        assert_eq!(reply.error().0, 405);
        assert_eq!(reply.headers["allow"], "GET, POST");
        let reply = house.call("HEAD", "/v1/models", None).await;
        assert_eq!((reply.status, reply.text.as_str()), (200, ""));
    }

    #[tokio::test]
    async fn a_key_does_what_its_scope_and_its_models_permit() {
        let house = TestHouse::new().await;
        let reader = house.new_key("reader", Scope::Inference, None).await;
        let one = house.new_key("one", Scope::Admin, Some(&["org/name"])).await;
        let asked = async |key: &str, method: &str, path: &str| {
            let bearer = format!("Bearer {key}");
            let headers = [("authorization", bearer.as_str())];
            house.send(method, path, Some("{}"), &headers).await.status().as_u16()
        };
        for (path, of_reader, of_one) in [
            ("/v1/models/org/name/versions", 200, 200),
            ("/v1/models/gpt-4/versions", 200, 403),
            ("/v1/models/org/name/history", 403, 200),
            ("/v1/models/gpt-4/history", 403, 403),
            ("/v1/deploy/status", 200, 200),
            ("/v1/deploy/events", 403, 200),
            ("/v1/deploy/rollback-rules?model=org/name", 403, 200),
            ("/v1/deploy/rollback-rules", 403, 403),
            ("/v1/auth/keys", 403, 403),
        ] {
            assert_eq!(asked(&reader, "GET", path).await, of_reader, "{path}");
            assert_eq!(asked(&one, "GET", path).await, of_one, "{path}");
        }
        for (method, path) in [
            ("POST", "/v1/models/org/name/deploy"),
            ("POST", "/v1/models/org/name/versions"),
            ("POST", "/v1/models/org/name/versions/tag"),
            ("PUT", "/v1/deploy/rollback-rules"),
            ("POST", "/v1/auth/keys"),
            ("DELETE", "/v1/auth/keys/ops"),
            ("POST", "/v1/auth/keys/ops/regenerate"),
        ] {
            let status = asked(&reader, method, path).await;
            assert_eq!(status, 403, "{method} {path}");
        }
        let bearer = format!("Bearer {one}");
        let listed =
            house.call_with("GET", "/v1/models", None, &[("authorization", &bearer)]).await;
        assert_eq!(listed.body["data"].as_array().unwrap().len(), 1);
        assert_eq!(listed.body["data"][0]["id"], "org/name");
    }

    #[tokio::test]
    async fn bodies_that_cannot_be_taken_are_refused_by_what_is_wrong_with_them() {
        let house = TestHouse::new().await;
        let path = "/v1/models/gpt-4/versions/tag";
        let large = format!("{{\"tag\": \"{}\"}}", "x".repeat(100_000));
        assert_eq!(house.call("POST", path, Some(&large)).await.error().0, 413);
        let plain = [("content-type", "text/plain")];
        assert_eq!(house.call_with("POST", path, Some("{}"), &plain).await.error().0, 415);
        let broken = house.call("POST", path, Some("{\"tag\": ")).await;
        assert_eq!(broken.error(), (400, "malformed_request", ""));
        assert!(broken.message().contains("line 1 column 8"), "{}", broken.message());
        let unknown = house.call("POST", path, Some(r#"{"version": "v", "tag": "t"}"#)).await;
        assert_eq!(unknown.error(), (400, "invalid_value", "version"));
        assert!(
            unknown.message().contains("expected one of `version_id`, `tag`, `preserve_previous`"),
            "{}",
            unknown.message()
        );
        let missing = house.call("POST", path, Some(r#"{"tag": "t"}"#)).await;
        assert_eq!(missing.error(), (400, "invalid_value", "version_id"));
        let rules = r#"{"conditions": [{"metric": "error_rate", "treshold": 1}]}"#;
        let nested = house.call("PUT", "/v1/deploy/rollback-rules", Some(rules)).await;
        assert_eq!(nested.error(), (400, "invalid_value", "conditions[0].treshold"));
        let utf8 = house.call("POST", path, Some("\u{7f}")).await;
        assert_eq!(utf8.error().0, 400);
    }

    #[tokio::test]
    async fn the_articles_programs_get_what_they_print() {
        let house = TestHouse::new().await;
        // The version manager: the list, and the rollback to a tag.
        let versions = house.call("GET", "/v1/models/gpt-4/versions", None).await;
        let seen = |version: &Value| (version["id"].clone(), version["tag"].clone());
        let seen: Vec<_> = versions.body.as_array().unwrap().iter().map(seen).collect();
        let expected = [
            (json!("gpt-4-turbo-v2"), Value::Null),
            (json!("gpt-4-v1"), json!("stable-v2024.03.15")),
        ];
        assert_eq!(seen, expected);
        assert_eq!(versions.body[1]["created_at"], "2023-11-14T22:13:20Z");
        let body = r#"{"action": "rollback", "target_version": "stable-v2024.03.15"}"#;
        let reply = house.call("POST", "/v1/models/gpt-4/deploy", Some(body)).await;
        assert_eq!((reply.status, &reply.body["status"]), (200, &json!("rolled_back")));
        // The rules, and the interval of a quarter of the duration.
        let path = "/v1/deploy/rollback-rules";
        let reply = house.call("POST", path, Some(SEED_RULES)).await;
        assert_eq!((reply.status, &reply.body["status"]), (200, &json!("applied")));
        let mut config = house.call("GET", path, None).await.body;
        for rule in config["conditions"].as_array_mut().unwrap() {
            let quarter = rule["duration_seconds"].as_f64().unwrap() / 4.0;
            rule["check_interval_seconds"] = json!(quarter.max(5.0));
        }
        let reply = house.call("PUT", path, Some(&config.to_string())).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        let intervals = reply.body["conditions"].as_array().unwrap().iter();
        let intervals: Vec<_> = intervals.map(|rule| &rule["check_interval_seconds"]).collect();
        assert_eq!(intervals, [&json!(15.0), &json!(8.0), &json!(30.0)], "7.5 s is rounded up");
        // The new key after the rollback, and the tags.
        let body = r#"{"version": "stable-v2024.03.15"}"#;
        let reply = house.call("POST", "/v1/auth/regenerate-key", Some(body)).await;
        assert_eq!(reply.status, 200);
        assert!(reply.body["api_key"].as_str().unwrap().len() > 8);
        for (model, tag) in [("gpt-4", "stable-v2024.03.15"), ("claude-sonnet", "stable-v4.3")] {
            let path = format!("/v1/models/{model}/versions/tag");
            let body =
                format!(r#"{{"version_id": "{tag}", "tag": "stable", "preserve_previous": true}}"#);
            let reply = house.call("POST", &path, Some(&body)).await;
            assert_eq!((reply.status, &reply.body["status"]), (200, &json!("tagged")));
        }
    }

    #[tokio::test]
    async fn a_gateway_that_drains_lives_and_is_not_ready() {
        let house = TestHouse::new().await;
        assert_eq!(house.call("GET", "/readyz", None).await.status, 200);
        house.front.house.readiness.drain();
        let reply = house.call("GET", "/readyz", None).await;
        assert_eq!(reply.error(), (503, "not_ready", ""));
        assert_eq!(reply.headers["retry-after"], "1");
        assert_eq!(house.call("GET", "/healthz", None).await.status, 200);
    }

    #[tokio::test]
    async fn a_journal_whose_fault_has_passed_is_sound_again_without_a_command() {
        let house = TestHouse::new().await;
        let sound = json!({"status": "ok", "journal_writable": true, "journal_entries_waiting": 0});
        assert_eq!(house.call("GET", "/readyz", None).await.body, sound);
        house.front.house.readiness.journal_is(false, 2);
        house.front.ask(super::super::job::Job::Wake).unwrap();
        // The keeper reads after it has woken.
        house.call("GET", "/v1/models/gpt-4/history", None).await;
        let reply = house.call("GET", "/readyz", None).await;
        assert_eq!((reply.status, reply.body), (200, sound));
    }

    #[tokio::test]
    async fn the_description_has_every_route_of_the_table() {
        let house = TestHouse::new().await;
        let document = house.call("GET", "/openapi.json", None).await.body;
        for route in &ROUTES {
            let operation = &document["paths"][route.path.0][route.verb.word().to_lowercase()];
            assert!(operation["responses"].is_object(), "{route:?}");
        }
    }
}
