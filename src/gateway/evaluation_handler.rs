//! `POST /v1/models/{model}/versions/{version}/evaluations`: what a rehearsal said of a version.

use std::collections::BTreeMap;

use axum::body::Body;
use http::{Response, StatusCode};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::admin_request::{AdminRequest, answered};
use super::denied::version_not_found;
use crate::engine::{Change, CommandKind, Evaluation, Sealed, Target, Verdict};
use crate::wire::ApiError;

/// What a run said of a version.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct NewEvaluation {
    /// The scenario that was run.
    #[schemars(length(min = 1, max = 200))]
    scenario: String,
    /// Its seed.
    seed: u64,
    /// What its gate answered: `pass`, `inconclusive`, `fail` or `invalid`.
    #[schemars(with = "String")]
    verdict: Verdict,
    /// The metrics that matter most, by name, in seconds, shares, dollars or counts.
    #[serde(default)]
    metrics: BTreeMap<String, f64>,
}

/// An evaluation that was attached.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Evaluated")]
pub(super) struct EvaluatedView {
    /// `evaluated`
    status: &'static str,
    model: String,
    version_id: String,
    scenario: String,
    seed: u64,
    verdict: &'static str,
    /// The number of the journal entry.
    journal_entry: Option<u64>,
}

/// `POST /v1/models/{model}/versions/{version}/evaluations`
pub(super) async fn evaluate(request: &AdminRequest) -> Result<Response<Body>, ApiError> {
    let (id, index) = request.model()?;
    let repeat = request.repeat()?;
    let name = request.names.get("version");
    let version =
        Target::new(name).ok_or_else(|| version_not_found(request.desk(), id.as_str(), name))?;
    let NewEvaluation { scenario, seed, verdict, metrics } = request.json()?;
    refuse_unfit(&scenario, &metrics)?;
    let (model, told) = (id.to_string(), scenario.clone());
    let evaluation = Box::new(Evaluation { scenario, seed, verdict, metrics });
    let answer = move |_: &_, entry: Option<&Sealed>| {
        let version = match entry.map(|sealed| &sealed.entry().change) {
            Some(Change::Evaluated { version, .. }) => version.to_string(),
            _ => String::new(),
        };
        let view = EvaluatedView {
            status: "evaluated",
            model,
            version_id: version,
            scenario: told,
            seed,
            verdict: verdict.name(),
            journal_entry: entry.map(|sealed| sealed.entry().number),
        };
        answered(StatusCode::CREATED, &view)
    };
    let kind = CommandKind::Evaluate { version, evaluation };
    request.command((id, index), kind, repeat, answer).await
}

/// The journal keeps it for ever, and every list of versions shows it.
fn refuse_unfit(scenario: &str, metrics: &BTreeMap<String, f64>) -> Result<(), ApiError> {
    if !(1..=LONGEST_NAME).contains(&scenario.len()) {
        let (found, most) = (scenario.len(), LONGEST_NAME);
        let words = format!("scenario is {found} bytes long; allowed are 1 to {most}");
        return Err(ApiError::invalid("scenario", words));
    }
    if metrics.len() > MOST_METRICS {
        let found = metrics.len();
        let words = format!("there are {found} metrics; allowed are {MOST_METRICS}");
        return Err(ApiError::invalid("metrics", words));
    }
    if let Some(name) = metrics.keys().find(|name| !(1..=LONGEST_NAME).contains(&name.len())) {
        let (found, most) = (name.len(), LONGEST_NAME);
        let words = format!("the name of a metric is {found} bytes long; allowed are 1 to {most}");
        return Err(ApiError::invalid("metrics", words));
    }
    Ok(())
}

/// Chosen: longer than any name of a scenario or a metric that people read.
const LONGEST_NAME: usize = 200;
/// Chosen: twice the columns of the widest table of a report.
const MOST_METRICS: usize = 64;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::test_house::TestHouse;

    const PATH: &str = "/v1/models/org/name/versions/name-2/evaluations";

    #[tokio::test]
    async fn what_a_run_said_is_shown_with_the_version_and_journalled() {
        let house = TestHouse::new().await;
        let body = json!({
            "scenario": "checkout-canary", "seed": 7, "verdict": "pass",
            "metrics": {"error_rate": 0.0012, "latency_p99": 1.84},
        });
        let made = house.call("POST", PATH, Some(&body.to_string())).await;
        let history = house.call("GET", "/v1/models/org/name/history", None).await.body;
        let last = history.as_array().unwrap().last().unwrap();
        let expected = json!({
            "status": "evaluated", "model": "org/name", "version_id": "name-2",
            "scenario": "checkout-canary", "seed": 7, "verdict": "pass",
            "journal_entry": last["number"],
        });
        assert_eq!((made.status, made.body), (201, expected));
        assert_eq!(last["change"]["evaluated"]["version"], "name-2");
        // A second one stands behind it, by the name of a tag as well.
        let path = "/v1/models/org/name/versions/first/evaluations";
        let second = r#"{"scenario": "burst", "seed": 8, "verdict": "fail"}"#;
        let made = house.call("POST", path, Some(second)).await;
        assert_eq!(made.body["version_id"], "name-1");
        let shown = house.call("GET", "/v1/models/org/name/versions/name-2", None).await.body;
        assert_eq!(shown["evaluations"], json!([body]));
    }

    #[tokio::test]
    async fn what_cannot_be_kept_is_refused_by_its_field() {
        let house = TestHouse::new().await;
        let long = "x".repeat(201);
        let many: serde_json::Map<_, _> = (0..65).map(|n| (format!("m{n}"), json!(n))).collect();
        let body = |scenario: &str, verdict: &str, metrics: serde_json::Value| {
            let body = json!({
                "scenario": scenario, "seed": 1, "verdict": verdict, "metrics": metrics,
            });
            body.to_string()
        };
        for (body, param) in [
            (body("", "pass", json!({})), "scenario"),
            (body(&long, "pass", json!({})), "scenario"),
            (body("s", "good", json!({})), "verdict"),
            (body("s", "pass", json!({"p99": "fast"})), "metrics.p99"),
            (body("s", "pass", json!({ long.as_str(): 1 })), "metrics"),
            (body("s", "pass", json!(many)), "metrics"),
            (r#"{"scenario": "s", "verdict": "pass"}"#.to_owned(), "seed"),
        ] {
            let reply = house.call("POST", PATH, Some(&body)).await;
            assert_eq!((reply.status, reply.error().2), (400, param), "{}", reply.text);
        }
        let path = PATH.replace("name-2", "name-9");
        let reply = house.call("POST", &path, Some(&body("s", "pass", json!({})))).await;
        assert_eq!(reply.error(), (404, "version_not_found", "version"));
    }
}
