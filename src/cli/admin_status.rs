//! `coalmine admin status`: how all stands in a gateway.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::admin_answer::{Answer, split_text};
use super::admin_arguments::StatusArguments;
use super::admin_ask::Ask;
use super::admin_client::Client;
use super::admin_versions::{status_text, yes};
use super::exit::Exit;
use super::shared_arguments::OutputFormat;
use super::terminal::{Failure, width};
use crate::report::{Grid, text_table};
use crate::units::{
    Duration, ModelId, format_count, format_counted, format_elapsed, format_millis, format_money,
    format_percent, format_set_share,
};

/// How all stands, as far as it is shown.
#[derive(Deserialize)]
pub(super) struct Status {
    at: String,
    models: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    model: String,
    stable: Option<String>,
    split: Map<String, Value>,
    rollout: Rollout,
    in_flight: u64,
    versions: Vec<Version>,
    rules: Vec<Rule>,
    #[serde(default)]
    last_rollback: Option<Rollback>,
    /// Of an older gateway there are none.
    #[serde(default)]
    warnings: Vec<String>,
}

#[derive(Deserialize)]
struct Rollout {
    state: String,
    version: Option<String>,
    step: Option<u32>,
    step_weight: Option<f64>,
}

#[derive(Deserialize)]
struct Version {
    id: String,
    status: String,
    weight: f64,
    tags: Vec<String>,
    /// An older gateway does not say, and has none that is not.
    #[serde(default = "yes")]
    reachable: bool,
    in_flight: u64,
    window: Window,
    /// An older gateway does not say.
    latency: Option<Latency>,
}

#[derive(Deserialize)]
struct Latency {
    since: String,
    successes: u64,
    waiting: u64,
    confidence: f64,
    p50_ms: Option<Interval>,
    p90_ms: Option<Interval>,
    p99_ms: Option<Interval>,
}

#[derive(Clone, Copy, Deserialize)]
struct Interval {
    value: f64,
    low: Option<f64>,
    high: Option<f64>,
}

#[derive(Deserialize)]
struct Window {
    window_seconds: f64,
    requests: u64,
    error_rate: Option<f64>,
    latency_avg_ms: Option<f64>,
    latency_p50_ms: Option<f64>,
    latency_p95_ms: Option<f64>,
    latency_p99_ms: Option<f64>,
    ttft_p50_ms: Option<f64>,
    cost_per_1k_tokens: Option<f64>,
}

#[derive(Deserialize)]
struct Rule {
    id: String,
    version: String,
    checks: u64,
    no_data: u64,
    breaches: u64,
    firings: u64,
    timer: Option<Timer>,
    /// An older gateway does not say.
    judge: Option<Judgement>,
}

#[derive(Deserialize)]
struct Judgement {
    progress: f64,
    seen: String,
}

#[derive(Clone, Copy, Deserialize)]
struct Timer {
    held_seconds: f64,
    duration_seconds: f64,
}

#[derive(Deserialize)]
struct Rollback {
    at: String,
    by: String,
    version: Option<String>,
    target: String,
    journal_entry: u64,
    /// An older gateway does not say.
    #[serde(default)]
    why: Option<String>,
}

/// `coalmine admin status`
pub(super) async fn status(
    client: &Client,
    arguments: &StatusArguments,
    format: OutputFormat,
) -> Result<Exit, Failure> {
    let answer = client.call(&Ask::read("/v1/deploy/status".to_owned())).await?;
    let answer = match &arguments.model {
        Some(model) => only(&answer, model)?,
        None => answer,
    };
    answer.show(format, |status: Status| status.text(width()))
}

/// The answer with this model alone.
fn only(answer: &Answer, model: &ModelId) -> Result<Answer, Failure> {
    let mut value: Value = answer.read()?;
    let mut known = Vec::new();
    if let Some(models) = value["models"].as_array_mut() {
        known.extend(models.iter().filter_map(|m| m["model"].as_str().map(str::to_owned)));
        models.retain(|found| found["model"] == model.as_str());
    }
    if known.iter().any(|known| known == model.as_str()) {
        return Ok(Answer { text: value.to_string(), ..*answer });
    }
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Err(Failure::usage(format!(
        "error: there is no model {model:?} that the access key may see; it may see {known}"
    )))
}

impl Status {
    /// All of it, in lines of at most `width` columns where they can be broken.
    fn text(&self, width: usize) -> String {
        if self.models.is_empty() {
            return "no model is served that the access key may see\n".to_owned();
        }
        let models = self.models.iter().map(|model| model.text(&self.at, width));
        models.collect::<Vec<_>>().join("\n")
    }

    /// A line for each version that gets traffic.
    pub(super) fn lines(&self) -> String {
        let mut lines = String::new();
        for model in &self.models {
            for version in model.versions.iter().filter(|version| version.weight > 0.0) {
                let Version { id, weight, window, .. } = version;
                let errors = window.error_rate.map_or_else(none, format_percent);
                lines.push_str(&format!(
                    "-  {}  {}  {id} {}: {}, errors {errors}, P50 {}, P99 {}\n",
                    self.at,
                    model.model,
                    format_set_share(*weight),
                    format_counted(window.requests, "request", "requests"),
                    millis(window.latency_p50_ms),
                    millis(window.latency_p99_ms),
                ));
            }
        }
        lines
    }
}

impl Model {
    fn text(&self, at: &str, width: usize) -> String {
        let stable = self.stable.as_deref().unwrap_or("none");
        let mut text =
            format!("{}  {at}\n  split          {}\n", self.model, split_text(&self.split));
        text.push_str(&format!("  stable         {stable}\n"));
        text.push_str(&format!("  rollout        {}\n", self.rollout.text()));
        let last = self.last_rollback.as_ref().map_or_else(|| "never".to_owned(), Rollback::text);
        text.push_str(&format!("  last rollback  {last}\n"));
        text.push_str(&format!("  in flight      {}\n", format_count(self.in_flight)));
        for warning in &self.warnings {
            text.push_str(&format!("  WARNING        {warning}\n"));
        }
        if let Some(version) = self.versions.first() {
            let seconds = Duration::from_secs_f64(version.window.window_seconds);
            text.push_str(&format!("\nVersions, in the last {}\n", format_elapsed(seconds)));
            text.push_str(&text_table(&self.versions(), width));
        }
        if let Some(latency) = self.versions.iter().find_map(|version| version.latency.as_ref()) {
            let sure = format_set_share(latency.confidence);
            text.push_str(&format!(
                "\nLatency of successes since the activation, in the order in which they began, \
                 with intervals for every look ({sure})\n"
            ));
            text.push_str(&text_table(&self.latencies(), width));
        }
        if !self.rules.is_empty() {
            text.push_str("\nRules\n");
            text.push_str(&text_table(&self.rules(), width));
        }
        for rule in &self.rules {
            if let Some(Judgement { progress, seen }) = &rule.judge {
                let of = format_percent(*progress);
                text.push_str(&format!(
                    "  {} on {}: {of} of the way to a breach\n    {seen}\n",
                    rule.id, rule.version
                ));
            }
        }
        text
    }

    fn latencies(&self) -> Grid {
        let header = ["Version", "Since", "Successes", "Waiting", "P50", "P90", "P99"];
        let row = |version: &Version| {
            let Latency { since, successes, waiting, p50_ms, p90_ms, p99_ms, .. } =
                version.latency.as_ref()?;
            let quantiles =
                [p50_ms, p90_ms, p99_ms].map(|quantile| quantile.map_or_else(none, Interval::text));
            // Without the fractions of the second.
            let since =
                since.split_once('.').map_or_else(|| since.clone(), |(at, _)| format!("{at}Z"));
            let [successes, waiting] = [successes, waiting].map(|count| format_count(*count));
            let counted = [version.id.clone(), since, successes, waiting];
            Some(counted.into_iter().chain(quantiles).collect())
        };
        let rows = self.versions.iter().filter_map(row).collect();
        Grid { header: header.map(str::to_owned).to_vec(), rows, names: None }
    }

    fn versions(&self) -> Grid {
        let header = [
            "Version",
            "Status",
            "Weight",
            "Tags",
            "In flight",
            "Requests",
            "Error rate",
            "Average",
            "P50",
            "P95",
            "P99",
            "TTFT P50",
            "Cost per 1K",
        ];
        let rows = self.versions.iter().map(|version| {
            let Version { id, status, weight, tags, reachable, in_flight, window, .. } = version;
            vec![
                id.clone(),
                status_text(status, *reachable),
                format_set_share(*weight),
                tags.join(", "),
                format_count(*in_flight),
                format_count(window.requests),
                window.error_rate.map_or_else(none, format_percent),
                millis(window.latency_avg_ms),
                millis(window.latency_p50_ms),
                millis(window.latency_p95_ms),
                millis(window.latency_p99_ms),
                millis(window.ttft_p50_ms),
                window.cost_per_1k_tokens.map_or_else(none, format_money),
            ]
        });
        Grid { header: header.map(str::to_owned).to_vec(), rows: rows.collect(), names: None }
    }

    fn rules(&self) -> Grid {
        let header =
            ["Rule", "Version", "Checks", "No data", "Breaches", "Firings", "Breach timer"];
        let rows = self.rules.iter().map(|rule| {
            vec![
                rule.id.clone(),
                rule.version.clone(),
                format_count(rule.checks),
                format_count(rule.no_data),
                format_count(rule.breaches),
                format_count(rule.firings),
                rule.timer.map_or_else(none, Timer::text),
            ]
        });
        Grid { header: header.map(str::to_owned).to_vec(), rows: rows.collect(), names: Some(1) }
    }
}

impl Rollout {
    fn text(&self) -> String {
        let state = self.state.replace('_', " ");
        let of = self.version.as_ref().map_or_else(String::new, |version| format!(" of {version}"));
        let step = self.step.map_or_else(String::new, |step| format!(", step {step}"));
        let weight = self.step_weight.map(|weight| format!(" at {}", format_set_share(weight)));
        format!("{state}{of}{step}{}", weight.unwrap_or_default())
    }
}

impl Rollback {
    fn text(&self) -> String {
        let Self { at, by, version, target, journal_entry, why } = self;
        let from = version.as_ref().map_or_else(String::new, |from| format!("from {from} "));
        let why = match (why, version) {
            // Of a command it says no more than whose it was.
            (Some(why), Some(_)) => format!(": {why}"),
            _ => String::new(),
        };
        format!("{at}: {from}to {target}, by {by}{why} (journal entry {journal_entry})")
    }
}

impl Interval {
    /// `?`: so few do not bound it.
    fn text(self) -> String {
        let end = |end: Option<f64>| end.map_or_else(|| "?".to_owned(), |ms| millis(Some(ms)));
        format!("{} [{}, {}]", millis(Some(self.value)), end(self.low), end(self.high))
    }
}

impl Timer {
    fn text(self) -> String {
        let [held, duration] = [self.held_seconds, self.duration_seconds]
            .map(|seconds| format_elapsed(Duration::from_secs_f64(seconds)));
        format!("{held} of {duration}")
    }
}

fn millis(ms: Option<f64>) -> String {
    ms.map_or_else(none, |ms| format_millis(Duration::from_secs_f64(ms / 1e3)))
}

/// As other tables show what is not known.
fn none() -> String {
    "–".to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer() -> Value {
        let window = json!({
            "window_seconds": 60.0, "requests": 1_200, "error_rate": 0.025,
            "latency_avg_ms": 900.4, "latency_p50_ms": 892.0, "latency_p95_ms": null,
            "latency_p99_ms": 2_156.0, "ttft_p50_ms": 246.0, "cost_per_1k_tokens": 0.008,
        });
        let interval = |value, low, high| json!({"value": value, "low": low, "high": high});
        let latency = json!({
            "since": "2026-11-30T08:50:00.25Z", "successes": 700, "waiting": 12, "confidence": 0.95,
            "p50_ms": interval(892.0, Some(880.0), Some(905.0)),
            "p90_ms": interval(1_200.0, Some(1_150.0), Some(1_260.0)),
            "p99_ms": interval(1_900.0, Some(1_700.0), None),
        });
        json!({"at": "2026-11-30T09:00:00Z", "models": [{
            "model": "org/name", "stable": "v1", "split": {"v1": 0.95, "v2": 0.05},
            "rollout": {"state": "stepping", "version": "v2", "step": 1, "step_weight": 0.05},
            "in_flight": 3,
            "versions": [{"id": "v2", "status": "rolled_back", "weight": 0.05, "tags": ["beta"],
                          "in_flight": 1, "window": window, "latency": latency}],
            "rules": [{"id": "errors", "version": "v2", "checks": 12, "no_data": 2, "breaches": 3,
                       "firings": 1, "timer": {"held_seconds": 15.0, "duration_seconds": 60.0}},
                      {"id": "judge", "version": "v2", "checks": 4, "no_data": 0, "breaches": 0,
                       "firings": 0, "timer": null,
                       "judge": {"progress": 0.43, "seen": "3 errors against 1 of the stable"}}],
            "last_rollback": {"at": "2026-11-30T08:00:00Z", "by": "errors", "version": "v2",
                              "target": "v1", "journal_entry": 17,
                              "why": "error rate 7.0 % over 60 s, above 5 %"},
            "warnings": ["a rollback of v2 would go to v1, which has never had traffic here"],
        }]})
    }

    fn status() -> Status {
        serde_json::from_value(answer()).unwrap()
    }

    #[test]
    fn a_status_shows_split_rollout_versions_timers_and_the_last_rollback() {
        let text = status().text(140);
        for part in [
            "org/name  2026-11-30T09:00:00Z\n  split          v1 95 %, v2 5 %\n",
            "  rollout        stepping of v2, step 1 at 5 %\n",
            "  last rollback  2026-11-30T08:00:00Z: from v2 to v1, by errors: error rate 7.0 % \
             over 60 s, above 5 % (journal entry 17)\n",
            "  WARNING        a rollback of v2 would go to v1, which has never had traffic here\n",
            "Versions, in the last 60 s\n",
            "rolled back",
            "2.50 %",
            "2,156 ms",
            "$0.008",
            "Latency of successes since the activation, in the order in which they began, with \
             intervals for every look (95 %)\n",
            "2026-11-30T08:50:00Z",
            "892 ms [880 ms, 905 ms]",
            "1,900 ms [1,700 ms, ?]",
            "15 s of 60 s",
            "  judge on v2: 43.00 % of the way to a breach\n    3 errors against 1 of the stable\n",
        ] {
            assert!(text.contains(part), "{part:?} in\n{text}");
        }
    }

    #[test]
    fn lines_are_of_versions_with_traffic() {
        let line = "-  2026-11-30T09:00:00Z  org/name  v2 5 %: 1,200 requests, errors 2.50 %, \
                    P50 892 ms, P99 2,156 ms\n";
        assert_eq!(status().lines(), line);
        let mut idle = status();
        idle.models[0].versions[0].weight = 0.0;
        assert_eq!(idle.lines(), "");
    }

    #[test]
    fn a_model_that_is_not_there_is_told_with_those_that_are() {
        let answer = Answer { status: 200, text: answer().to_string() };
        let of = |name| only(&answer, &ModelId::new(name).unwrap());
        assert!(of("org/name").unwrap().text.contains("org/name"));
        assert!(of("gpt-4").unwrap_err().message.contains("it may see org/name"));
    }
}
