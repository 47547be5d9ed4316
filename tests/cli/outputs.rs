//! What comes out: files, formats, verdicts and their exit codes.

use serde_json::Value;

use crate::program::{Workplace, project};

/// A minute of traffic on two versions; `gate` and what follows are appended.
fn small(gate: &str) -> String {
    format!(
        "schema: 1
name: small
workload: {{arrivals: {{poisson: 20/s}}, requests: 1200, tokens: {{input: 600, output: 200}}}}
models:
  gpt-4:
    versions:
      old: {{tags: [stable], upstream: {{latency: 250ms, failures: {{\"500\": 2%}}}}}}
      new: {{upstream: {{latency: 200ms, failures: {{\"500\": 2%}}}}}}
phases: [{{name: all, for: rest, split: {{old: 50%, new: 50%}}}}]
{gate}
"
    )
}

fn code_of(gate: &str, arguments: &[&str]) -> i32 {
    let place = Workplace::new();
    place.write("small.yaml", small(gate));
    let mut all = vec!["run", "small.yaml", "--no-charts"];
    all.extend_from_slice(arguments);
    place.run(&all).code
}

#[test]
fn every_verdict_has_its_exit_code() {
    assert_eq!(code_of("gate: [error_rate < 10%]", &[]), 0);
    assert_eq!(code_of("gate: [error_rate < 0.1%]", &[]), 99);
    assert_eq!(code_of("gate: [error_rate < 2%]", &[]), 5, "the interval straddles the limit");
    assert_eq!(code_of("gate: [error_rate < 2%]", &["--fail-on", "fail"]), 0);
    assert_eq!(code_of("", &[]), 0, "without a gate there is nothing to fail");
    assert_eq!(code_of("gate: [error_rate < 0.1%]\nexpect: fail", &[]), 0);
    assert_eq!(code_of("gate: [error_rate < 10%]\nexpect: fail", &[]), 99);
}

/// A week with sixty phases, each with a fault of its own, a rule that is in breach in most of them
/// and rolls back, and redeployments.
fn eventful_week() -> String {
    let phase = |index: u32| {
        format!(
            "  - {{name: day {} hour {}, for: 2h 48m, split: {{old: 50%, new: 50%}}, commands: \
             [{{at: 0s, split: {{old: 50%, new: 50%}}, redeploy: true}}], faults: {{new: [{{at: 30m, for: 1h, shape: square, \
             period: 4m, failures: {{\"503\": {}%}}}}]}}}}\n",
            index / 8,
            index % 8 * 3,
            30 + index
        )
    };
    let phases: String = (0..60).map(phase).collect();
    format!(
        "schema: 1
name: week
workload: {{arrivals: {{poisson: 240/h}}, tokens: {{input: 600, output: 200}}}}
models:
  gpt-4:
    versions:
      old: {{tags: [stable], upstream: {{latency: {{lognormal: {{mean: 2s, p99: 9s}}}}}}}}
      new: {{upstream: {{latency: {{lognormal: {{mean: 1s, p99: 8s}}}}}}}}
    rules:
      conditions:
        - {{metric: error_rate, operator: \">\", threshold: 0.2, duration_seconds: 600,
           action: rollback_to_last_stable}}
phases:
{phases}"
    )
}

#[test]
fn the_page_of_an_eventful_week_is_under_a_megabyte() {
    let place = Workplace::new();
    place.write("week.yaml", eventful_week());
    let ended = place.run(&["run", "week.yaml"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let page = place.read("reports/week/report.html");
    let result: Value = serde_json::from_str(&place.read("reports/week/result.json")).unwrap();
    let slots = result["record"]["series"]["versions"][0].as_array().unwrap().len();
    assert!(slots > 128, "the series are at their full resolution: {slots}");
    let events = result["record"]["timeline"]["events"].as_array().unwrap().len();
    assert!(events > 300, "much happens: {events}");
    assert!(page.len() < 1_000_000, "{} bytes", page.len());
}

#[test]
fn a_run_writes_its_report_files_and_nothing_else() {
    let place = Workplace::new();
    place.write("small.yaml", small("gate: [error_rate < 10%]"));
    let ended = place.run(&["run", "small.yaml"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(ended.stderr, "", "no progress where nobody watches");
    let files = [
        "reports/small/charts/cost.png",
        "reports/small/charts/cost.svg",
        "reports/small/charts/endings.png",
        "reports/small/charts/endings.svg",
        "reports/small/charts/latency_distribution.png",
        "reports/small/charts/latency_distribution.svg",
        "reports/small/charts/latency_heat.png",
        "reports/small/charts/latency_heat.svg",
        "reports/small/charts/latency_percentiles.png",
        "reports/small/charts/latency_percentiles.svg",
        "reports/small/charts/timeline.png",
        "reports/small/charts/timeline.svg",
        "reports/small/report.html",
        "reports/small/result.json",
        "reports/small/run.json",
        "reports/small/summary.md",
        "reports/small/table.csv",
        "small.yaml",
    ];
    assert_eq!(place.files(), files);
    assert!(!ended.stdout.contains('\u{1b}'), "no colours into a pipe");
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_one_others() {
    let place = Workplace::new();
    let scenario = project("scenarios/ten-thousand.yaml");
    for (seed, out) in [("1", "a"), ("1", "b"), ("2", "c")] {
        let ended = place.run(&["run", &scenario, "--allow-outside", "--seed", seed, "--out", out]);
        assert!(matches!(ended.code, 0 | 5 | 99), "{}", ended.stderr);
    }
    for file in ["result.json", "table.csv", "summary.md", "charts/timeline.svg"] {
        let read = |out: &str| place.read(&format!("{out}/{file}"));
        assert!(read("a") == read("b"), "{file} differs between two runs of one seed");
        assert!(read("a") != read("c"), "{file} is the same under another seed");
    }
}

#[test]
fn a_stored_result_gives_the_same_report_again() {
    let place = Workplace::new();
    place.write("small.yaml", small("gate: [error_rate < 10%]"));
    place.run(&["run", "small.yaml", "--out", "first"]);
    let ended = place.run(&["report", "first/result.json", "--out", "again"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let files = [
        "result.json",
        "run.json",
        "table.csv",
        "summary.md",
        "report.html",
        "charts/timeline.svg",
    ];
    for file in files {
        assert_eq!(place.read(&format!("first/{file}")), place.read(&format!("again/{file}")));
    }
}

#[test]
fn a_report_does_not_tell_of_another_run() {
    let place = Workplace::new();
    place.write("small.yaml", small("gate: [error_rate < 10%]"));
    place.run(&["run", "small.yaml", "--no-charts", "--out", "first"]);
    assert!(place.read("first/report.html").contains("coalmine run small.yaml --seed 1 "));
    place.run(&["run", "small.yaml", "--no-charts", "--out", "other", "--seed", "12"]);
    place.write("first/run.json", place.read("other/run.json"));
    let ended = place.run(&["report", "first", "--no-charts"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("does not tell of the run of this result"), "{}", ended.stderr);
    assert!(!place.read("first/report.html").contains("coalmine run small.yaml"));
}

#[test]
fn json_on_stdout_is_the_result_file_and_fits_its_schema() {
    let place = Workplace::new();
    place.write("small.yaml", small("gate: [error_rate < 10%]"));
    let ended = place.run(&["run", "small.yaml", "--format", "json", "--no-charts"]);
    assert_eq!(ended.stdout, place.read("reports/small/result.json"));
    let result: Value = serde_json::from_str(&ended.stdout).unwrap();
    let schema = place.run(&["schema", "result"]).stdout;
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<_> = validator.iter_errors(&result).map(|e| e.to_string()).collect();
    assert!(errors.is_empty(), "{errors:#?}");
    assert_eq!(result["gate"]["verdict"], "pass");
}

#[test]
fn markdown_and_csv_on_stdout_are_the_summary_and_the_table() {
    let place = Workplace::new();
    place.write("small.yaml", small("gate: [error_rate < 10%]"));
    let ended = place.run(&["run", "small.yaml", "--format", "markdown", "--no-charts"]);
    assert_eq!(ended.stdout, place.read("reports/small/summary.md"));
    let ended = place.run(&["report", "reports/small", "--format", "csv", "--no-charts"]);
    assert_eq!(ended.stdout, place.read("reports/small/table.csv"));
}

/// The result in `out` without where its scenario stands.
fn placeless(place: &Workplace, out: &str) -> Value {
    let mut result: Value =
        serde_json::from_str(&place.read(&format!("{out}/result.json"))).unwrap();
    result["scenario"]["files"] = Value::Null;
    for path in ["/scenario/gate", "/gate/lines"] {
        for line in result.pointer_mut(path).and_then(Value::as_array_mut).into_iter().flatten() {
            line["file"] = Value::Null;
            line["line"] = Value::Null;
        }
    }
    result
}

#[test]
fn the_resolved_scenario_gives_the_same_result() {
    let place = Workplace::new();
    for folder in ["scenarios", "fixtures"] {
        std::fs::create_dir(place.path(folder)).unwrap();
    }
    for file in ["scenarios/recorded-peak.yaml", "fixtures/rollback-rules.json"] {
        std::fs::copy(project(file), place.path(file)).unwrap();
    }
    std::fs::copy(project("fixtures/peak-hour.csv"), place.path("fixtures/peak-hour.csv")).unwrap();
    place.write("scenarios/small.yaml", small("gate: [error_rate < 10%, rollbacks == 0]"));
    for name in ["recorded-peak", "small"] {
        let scenario = format!("scenarios/{name}.yaml");
        let ended = place.run(&["explain", &scenario, "--resolved"]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        place.write("scenarios/whole.yaml", &ended.stdout);
        for (file, out) in [(scenario.as_str(), "first"), ("scenarios/whole.yaml", "again")] {
            place.run(&["run", file, "--no-charts", "--out", out]);
        }
        assert_eq!(placeless(&place, "first"), placeless(&place, "again"), "{name}");
    }
}

#[test]
fn the_starter_is_written_once_and_its_gate_holds() {
    let place = Workplace::new();
    let ended = place.run(&["init"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(place.files(), ["canary.yaml", "scenario.schema.json"]);
    let text = place.read("canary.yaml");
    assert!(text.starts_with("# yaml-language-server: $schema=scenario.schema.json\n"));
    for command in [["validate", "canary.yaml"], ["run", "canary.yaml"]] {
        let ended = place.run(&command);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{command:?}: {}", ended.stdout);
    }
    place.write("canary.yaml", "mine");
    let ended = place.run(&["init", "canary"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("canary.yaml exists"), "{}", ended.stderr);
    assert_eq!(place.read("canary.yaml"), "mine");
    let ended = place.run(&["init", "sub/other.yaml"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(place.read("sub/other.yaml").contains("name: other\n"));
    let ended = place.run(&["init", "no good"]);
    assert!(ended.stderr.contains("cannot name a scenario"), "{}", ended.stderr);
}

#[test]
fn settings_change_the_scenario_and_show_in_the_command_to_repeat() {
    let place = Workplace::new();
    place.write("small.yaml", small("gate: [error_rate < 10%]"));
    let setting = "models.gpt-4.versions.new.upstream.failures.500=50%";
    let ended = place.run(&["run", "small.yaml", "--no-charts", "--set", setting]);
    assert_eq!(ended.code, 99);
    let repeat = format!("Repeat: coalmine run small.yaml --seed 1 --set {setting} --no-charts\n");
    assert!(ended.stdout.ends_with(&repeat), "{}", ended.stdout);
}

#[test]
fn explain_shows_defaults_and_when_a_rule_can_fire() {
    let place = Workplace::new();
    let scenario = project("scenarios/ten-thousand.yaml");
    let ended = place.run(&["explain", &scenario, "--allow-outside"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for part in
        ["every 15 s", "under 10 requests in the window there is no data", "until a rollback"]
    {
        assert!(ended.stdout.contains(part), "{part}: {}", ended.stdout);
    }
    let json = place.run(&["explain", &scenario, "--allow-outside", "--format", "json"]).stdout;
    let resolved: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(resolved["seed"], 20_240_315);
}

const OF_ALL_KINDS: &str = "schema: 1
name: kinds
workload:
  arrivals: {poisson: 10/s}
  tokens: {input: 10, output: 10}
  clients: [{key: search, share: 60%, version: v2}, {key: batch, share: 40%}]
models:
  m:
    assignment: sticky
    policies: {retry: {attempts: 2, on: ['503', timeout]}, fallback: stable, max_pinned: 10%}
    safeguards: {keep_tags: false}
    versions:
      v1: {tags: [stable], price: {blended: 0.01 USD}, upstream: {latency: 1s}}
      v2: {price: {input: 0.01 USD, output: 0.03 USD}, upstream: {latency: 1s}}
    rules:
      conditions:
        - {metric: error_rate, operator: '>', threshold: 1, duration_seconds: 60, action: notify}
        - {metric: rate_limited_rate, operator: '>', threshold: 0.1, duration_seconds: 0, window_seconds: 60, action: pause}
        - {metric: ttft_p95, operator: '>', threshold_ms: 900, duration_seconds: 60, no_data: breach, action: notify}
        - {metric: latency_avg, operator: '>', threshold_ms: 900, duration_seconds: 60, version: v2, action: notify}
        - {metric: error_rate, operator: '>', threshold: 0.01, compare_to: stable, as: difference, duration_seconds: 60, action: notify}
        - {metric: latency_p99, operator: '>', threshold: 2, compare_to: stable, duration_seconds: 600, action: notify}
        - {metric: cost_per_1k_tokens, operator: '>', threshold: 2, compare_to: stable, duration_seconds: 60, action: notify}
        - {metric: requests, operator: '<', threshold: 5, duration_seconds: 60, action: notify}
        - {metric: success_rate, operator: '>', threshold: 0.99, duration_seconds: 60, action: notify}
      notification: {email: ops@example.com}
phases:
  - {name: a, for: 2m, split: {v1: 50%, v2: 50%}}
  - {name: b, for: 2m, canary_rules: {v1: 50%, v2: 50%}, fallback_threshold: 5%}
  - {name: c, for: 2m, split: {v1: 100%}}
";

#[test]
fn explain_has_a_sentence_for_every_kind_of_rule_and_model() {
    let place = Workplace::new();
    place.write("kinds.yaml", OF_ALL_KINDS);
    let ended = place.run(&["explain", "kinds.yaml"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for part in [
        "no answers are streamed",
        "on average at most 300 requests of v2 are in 60 s (phase a, its busiest), retries aside",
        "by the keys search 60.00 % (made for v2), batch 40.00 %",
        "assignment: sticky: the requests of one user stay",
        "up to 2 retries on 503, timeout, after 25 ms to 250 ms",
        "one attempt more on the stable at last",
        "pinned requests: told above 10.00 %",
        "safeguards switched off: keep_tags",
        "price $0.01 for 1,000 tokens of input, $0.03 of output",
        "firings are for ops@example.com; a rehearsal sends nothing",
        "never fires: no value of the metric lies beyond the threshold",
        "a stretch of 6 s or more in which every request is answered 429, never a shorter one",
        "there is no data, which counts as a breach",
        "a stretch of 6 s or more in which every first token comes later than that",
        "once latency_avg of v2 > 900 ms",
        "depends on how far an incident moves the figure of the whole window",
        // 1 % of each of two windows of 60 s, 60 s apart.
        "a total outage of 1.2 s or more, never a shorter one; what hits the stable alike does not",
        // Every 150 s for 600 s: five checks, of which one is within four minutes.
        "never fires: at most 1 check happens while the canary lasts (4m), and it takes 5 checks",
        "depends on the stable's figure as well",
        "it looks at how much traffic there is",
        "it holds while all is well",
        "Rules from 0 s of phase b on",
        "goes on as before",
        "error_rate > 0.05 for 0s\n    every 5 s: roll back to the last stable",
    ] {
        assert!(ended.stdout.contains(part), "{part}: {}", ended.stdout);
    }
    let whole = ["--set", "phases.b.canary_rules={v1: 100%}", "--set", "phases.a.split={v1: 100%}"];
    let ended = place.run(&[&["explain", "kinds.yaml"][..], &whole].concat());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for part in
        ["never fires: no canary ever gets traffic", "never fires: what it watches never gets"]
    {
        assert!(ended.stdout.contains(part), "{part}: {}", ended.stdout);
    }
}

#[test]
fn explain_holds_the_traffic_against_what_a_rule_needs() {
    let place = Workplace::new();
    place.write("kinds.yaml", OF_ALL_KINDS);
    let explain = |settings: &[&str]| {
        let settings = settings.iter().flat_map(|setting| ["--set", setting]);
        let all: Vec<&str> = ["explain", "kinds.yaml"].into_iter().chain(settings).collect();
        place.run(&all).stdout
    };
    let seldom = explain(&["workload.arrivals={poisson: 1/m}", "workload.stream=30%"]);
    let part = "seldom has data: on average at most 0.5 requests of v2 are in 60 s (phase a, its \
                busiest), retries aside; it takes 10";
    assert!(seldom.contains(part), "{seldom}");
    assert!(seldom.contains("    30.00 % of the answers are streamed"), "{seldom}");
    let still = "workload={speed: 0}";
    let never = explain(&[&format!("phases.a.{still}"), &format!("phases.b.{still}")]);
    assert!(never.contains("never fires: no requests come while it is in force"), "{never}");
}

const LIMITED: &str = "schema: 1
name: limited
workload: {arrivals: {poisson: 10/s}, tokens: {input: 10, output: 10}}
models:
  m:
    policies: {retry: {attempts: 3, on: ['429'], honours_retry_after: true, backoff: {first: 1s, max: 9s, jitter: 0%}}}
    versions:
      v1:
        tags: [stable]
        upstream:
          latency: 1s
          capacity: {concurrency: 100, queue: 5}
          slowdown: {at_full: 2.5}
          rate_limit: {requests: 600/m}
          burst: {enter: 1%, leave: 20%, failures: {'503': 40%}}
      v2: {upstream: {latency: 1s, failures: {'503': 1%}, correlate: user}}
phases:
  - {name: a, for: 2m, split: {v1: 50%, v2: 50%}}
  - name: b
    for: 10m
    commands:
      - {at: 10s, rules: {conditions: [
          {metric: error_rate, operator: '>', threshold: 0.05, duration_seconds: 30, min_requests: 7, action: notify},
          {metric: requests, operator: '<', threshold: 5, duration_seconds: 0, action: notify}]}}
";

#[test]
fn explain_tells_the_limits_of_upstreams_and_what_rules_set_later_can_do() {
    let place = Workplace::new();
    place.write("limited.yaml", LIMITED);
    let ended = place.run(&["explain", "limited.yaml"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for part in [
        "    rate limit: at most 600 in 60 s requests, else 429",
        "    capacity: 100 at once, 5 waiting, else 429; slowdown: 2.5 times as long when all",
        "bursts, of which one begins in a second with 1.00 % and ends with 20.00 %; in them: \
         40.00 % answered 503",
        "failures together: all requests of one user fail alike, or none",
        "after 1 s to 9 s, or as long as `retry-after` of a 429 asks for, but never longer than 9 s",
        // Checks every 7.5 s, in whole seconds 8: the fourth interval is the first of 30 s.
        "fires 32 s after the first check under these rules at the earliest, on a version that is \
         activated later 40 s after that, and only while the version completes 7 requests in 30 s",
        "on average at most 150 requests of v2 are in 30 s (phase b, its busiest), retries aside",
        "fires at the first check after these rules are set at the earliest, on a version that is \
         activated later 5 s after that; it looks at",
    ] {
        assert!(ended.stdout.contains(part), "{part}: {}", ended.stdout);
    }
    let of = |set: &str| place.run(&["explain", "limited.yaml", "--set", set]);
    let retries = of("models.m.policies.retry.on=['503']");
    let part = "to 9 s; no answer that is retried on has a `retry-after`";
    assert!(retries.stdout.contains(part), "{}", retries.stdout);
    let warning = "`honours_retry_after` has no effect: only a 429 asks for a wait";
    assert!(retries.stderr.contains(warning), "{}", retries.stderr);
    place.write("limited.yaml", LIMITED.replace("          rate_limit: {requests: 600/m}\n", ""));
    let unlimited = place.run(&["validate", "limited.yaml"]);
    let warning = "`honours_retry_after` has no effect: no upstream of the model has a rate limit";
    assert!(unlimited.stderr.contains(warning), "{}", unlimited.stderr);
    assert!(!ended.stderr.contains("honours_retry_after"), "{}", ended.stderr);
}

#[test]
fn a_run_that_never_reached_its_phases_is_invalid() {
    let place = Workplace::new();
    let scenario = project("scenarios/ten-thousand.yaml");
    let few = ["--allow-outside", "--no-charts", "--set", "workload.requests=3000"];
    let ended = place.run(&[&["run", scenario.as_str()][..], &few].concat());
    assert_eq!(ended.code, 6, "{}", ended.stdout);
    let said = "the traffic ended before these phases began: \"canary\"";
    assert!(ended.stdout.contains(said), "{}", ended.stdout);
}
