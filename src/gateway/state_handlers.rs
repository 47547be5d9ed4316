//! How the gateway is: for people, for load balancers, for Prometheus.

use axum::body::Body;
use http::{Response, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;

use super::admin_request::{AdminRequest, json_response, text_response};
use super::metrics_text::MetricsText;
use super::status_view::{Span, StatusView};
use crate::engine::Scope;
use crate::exchange::RetryAfter;
use crate::units::{Duration, Ratio};
use crate::wire::ApiError;

/// That all is well.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Well")]
pub(super) struct WellView {
    /// `ok`
    status: &'static str,
}

/// That the gateway should get traffic, and what is wrong with it that keeps none away.
#[derive(Clone, Copy, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Ready")]
pub(super) struct ReadyView {
    /// `ok`; or `degraded`: requests are answered, and commands are not.
    status: &'static str,
    /// Whether the journal can be written: while it cannot, commands get 503.
    journal_writable: bool,
    /// How many entries, of what the engine does by itself, wait to be written.
    journal_entries_waiting: u64,
}

/// `GET /v1/deploy/status`
pub(super) async fn status(request: &AdminRequest) -> Result<Response<Body>, ApiError> {
    let models = request.models(Scope::Inference)?;
    let office = &request.office;
    let pasts = office.chronicle.pasts(&office.front).await;
    let view = StatusView::of(request.desk(), &models, &pasts, Span::TenMinutes);
    Ok(json_response(StatusCode::OK, &view))
}

/// `GET /healthz`: this answers, so the process lives.
pub(super) fn healthz() -> Response<Body> {
    json_response(StatusCode::OK, &WellView { status: "ok" })
}

/// `GET /readyz`
pub(super) fn readyz(request: &AdminRequest) -> Result<Response<Body>, ApiError> {
    let readiness = &request.office.front.house.readiness;
    match readiness.fault() {
        None => {
            let journal_writable = readiness.journal_is_sound();
            let view = ReadyView {
                status: if journal_writable { "ok" } else { "degraded" },
                journal_writable,
                journal_entries_waiting: readiness.entries_waiting(),
            };
            Ok(json_response(StatusCode::OK, &view))
        }
        Some(fault) => {
            let wait = RetryAfter::of(Duration::from_secs(1));
            Err(ApiError::overloaded(fault, wait).with_code("not_ready"))
        }
    }
}

/// `GET /metrics`
pub(super) async fn metrics(request: &AdminRequest) -> Result<Response<Body>, ApiError> {
    let office = &request.office;
    office.chronicle.pasts(&office.front).await;
    let meters = &office.front.house.meters;
    let desk = request.desk();
    for (model, index) in desk.models() {
        let weights: Vec<(_, Ratio)> = desk.with(|inner, _| {
            let versions = inner.engine.versions(index).into_iter();
            versions.map(|version| (version.version.id.clone(), version.weight)).collect()
        });
        weights.iter().for_each(|(version, weight)| meters.weighs(model, version, *weight));
    }
    let readiness = &office.front.house.readiness;
    meters.operation.journal(readiness.journal_is_sound(), readiness.entries_waiting());
    meters.operation.count_queued();
    let text = meters.to_text().map_err(|_| ApiError::internal("the meters cannot be written"))?;
    let wanted = MetricsText::wanted(&request.head.headers);
    Ok(text_response(StatusCode::OK, wanted.content_type(), wanted.of(text)))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::open_api::document;
    use super::super::test_house::{TestHouse, target};
    use crate::engine::{Ask, CommandKind};
    use crate::exchange::{Ending, ModelIndex, Observed};
    use crate::units::{Draw, Duration};

    /// What of a status is not as the description of the interface has it.
    fn misdescribed(status: &Value) -> Vec<String> {
        let mut schema = document();
        schema["$ref"] = json!("#/components/schemas/DeployStatus");
        let validator = jsonschema::validator_for(&schema).unwrap();
        let told = validator.iter_errors(status).map(|e| format!("{}: {e}", e.instance_path()));
        told.collect()
    }

    #[tokio::test]
    async fn the_status_shows_the_split_the_last_minute_and_the_last_rollback() {
        let house = TestHouse::new().await;
        let now = house.desk().now();
        let route = house.desk().with(|inner, _| inner.routes[1][1].clone());
        let ended = |ending| Observed::without_answer(ending, Duration::from_millis(20));
        for ending in [Ending::Success, Ending::Success, Ending::Success, Ending::Status(500)] {
            let turn = route.meters.began(Some(1), now);
            route.meters.ended(turn, now, &ended(ending));
        }
        let status = house.call("GET", "/v1/deploy/status", None).await.body;
        let model = &status["models"][1];
        assert_eq!((&model["model"], &model["stable"]), (&json!("org/name"), &json!("name-1")));
        assert_eq!(model["split"], json!({"name-1": 0.5, "name-2": 0.5}));
        assert_eq!(model["rollout"]["state"], "idle");
        assert_eq!(model["last_rollback"], json!(null));
        let version = &model["versions"][0];
        assert_eq!((&version["id"], &version["status"]), (&json!("name-2"), &json!("canary")));
        let window = &version["window"];
        assert_eq!((&window["requests"], &window["error_rate"]), (&json!(4), &json!(0.25)));
        assert_eq!(window["latency_avg_ms"], json!(20.0));
        let latency = &version["latency"];
        assert_eq!((&latency["successes"], &latency["confidence"]), (&json!(3), &json!(0.95)));
        // Three do not bound any quantile.
        assert_eq!(latency["p99_ms"], json!({"value": 20.0, "low": null, "high": null}));
        assert_eq!(model["versions"][1]["latency"], json!(null));
        assert_eq!(misdescribed(&status), [""; 0]);
        house.command(1, CommandKind::Rollback(Some(target("name-1")))).await;
        let status = house.call("GET", "/v1/deploy/status", None).await.body;
        let last = &status["models"][1]["last_rollback"];
        assert_eq!((&last["target"], &last["version"]), (&json!("name-1"), &json!(null)));
        assert_eq!(status["models"][0]["last_rollback"], json!(null));
    }

    #[tokio::test]
    async fn a_timer_that_runs_is_shown_with_what_is_left_of_it() {
        let house = TestHouse::new().await;
        let rules = r#"{"conditions": [{"metric": "requests", "operator": "<", "threshold": 1,
            "min_requests": 0, "duration_seconds": 60, "check_interval_seconds": 1,
            "action": "notify", "id": "silence"}]}"#;
        let reply = house.call("PUT", "/v1/deploy/rollback-rules", Some(rules)).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        // The engine's time goes on ahead of the clock, as if nobody had called for five seconds.
        let later = house.desk().now() + Duration::from_secs(5);
        house.desk().with(|inner, _| inner.engine.advance(later));
        let status = house.call("GET", "/v1/deploy/status", None).await.body;
        let rule = &status["models"][1]["rules"][0];
        assert_eq!((&rule["id"], &rule["version"]), (&json!("silence"), &json!("name-2")));
        assert_eq!(rule["timer"]["duration_seconds"], json!(60.0));
        assert!(rule["timer"]["held_seconds"].as_f64().unwrap() >= 1.0, "{rule}");
    }

    #[tokio::test]
    async fn a_judge_shows_how_far_it_has_come() {
        let house = TestHouse::new().await;
        let rules = r#"{"conditions": [{"judge": "sequential", "prior_strength": 10,
            "action": "rollback_to_last_stable", "id": "judge"}]}"#;
        let reply = house.call("PUT", "/v1/deploy/rollback-rules", Some(rules)).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
        // Evidence is what ends from the whole second after the activation on.
        let now = house.desk().now() + Duration::from_secs(2);
        house.desk().with(|inner, _| {
            for _ in 0..4 {
                let (model, draw) = (ModelIndex(1), Draw::from_bits(u64::MAX));
                let ask = Ask { model, pin: None, draw, sticky: None };
                let ticket = inner.engine.route(now, ask).unwrap();
                let failed = Observed::without_answer(Ending::Status(500), Duration::ZERO);
                let _ = inner.engine.complete(now, ticket, &failed);
            }
        });
        let status = house.call("GET", "/v1/deploy/status", None).await.body;
        let rule = &status["models"][1]["rules"][0];
        assert_eq!((&rule["id"], &rule["timer"]), (&json!("judge"), &json!(null)));
        let judge = &rule["judge"];
        assert_eq!(judge["reading"]["sequential"]["canary_errors"], json!(4));
        // For rho = 1/2 and k = 10: 12/11 x 14/12 x 16/13 = 1.566434; its logarithm over ln 1000.
        let progress = judge["progress"].as_f64().unwrap();
        assert!((progress - 0.064_971).abs() < 1e-5, "{progress}");
        assert!(judge["seen"].as_str().unwrap().starts_with("4 errors against 0 of the stable"));
        assert_eq!(misdescribed(&status), [""; 0]);
        let mut wrong = status;
        wrong["models"][1]["rules"][0]["judge"]["progress"] = json!("far");
        assert_eq!(misdescribed(&wrong).len(), 1);
    }

    #[tokio::test]
    async fn prometheus_reads_weights_rollbacks_and_entries() {
        let house = TestHouse::new().await;
        house.command(1, CommandKind::Rollback(None)).await;
        house.call("GET", "/v1/deploy/status", None).await;
        for _ in 0..2 {
            let reply = house.call("GET", "/metrics", None).await;
            let kind = reply.headers["content-type"].to_str().unwrap();
            assert_eq!(kind, "text/plain; version=0.0.4; charset=utf-8");
            let entries = house.desk().with(|inner, _| inner.engine.durable().entries());
            for line in [
                "coalmine_split_weight{model=\"org/name\",version=\"name-1\"} 1.0".to_owned(),
                "coalmine_split_weight{model=\"gpt-4\",version=\"gpt-4-v1\"} 0.5".to_owned(),
                "coalmine_rollbacks_total{model=\"org/name\",by=\"command\"} 1".to_owned(),
                "coalmine_rollbacks_total{model=\"org/name\",by=\"rule\"} 0".to_owned(),
                "coalmine_rollbacks_refused_total{model=\"org/name\"} 0".to_owned(),
                format!("coalmine_build_info{{version=\"{}\"}} 1", env!("CARGO_PKG_VERSION")),
                format!("coalmine_journal_entries_total {entries}"),
            ] {
                assert!(reply.text.contains(&line), "{line}\n{}", reply.text);
            }
        }
        assert!(house.desk().with(|inner, _| inner.engine.split(ModelIndex(1)).is_some()));
    }
}
