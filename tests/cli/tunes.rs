//! `coalmine tune`: the same bytes on any number of threads, rules that a scenario takes, what is
//! refused, and each exit code.

use serde_json::Value;

use crate::program::{Ended, Workplace};

/// A canary of half the traffic, whose present rule sees outages alone.
const SCENARIO: &str = "
schema: 1
name: small
title: A canary of half the traffic
seed: 7
workload:
  arrivals: {poisson: 8/s}
  tokens: {input: 600, output: 200}
models:
  m:
    versions:
      v1:
        tags: [stable]
        upstream: &alike {latency: {lognormal: {mean: 400ms, p99: 900ms}}, failures: {'500': 0.2%}}
      v2: {tags: [beta], upstream: *alike}
    rules:
      conditions:
        - {id: outage, metric: error_rate, operator: '>', threshold: 0.5, duration_seconds: 30,
           action: rollback_to_last_stable}
phases:
  - {name: canary, until: rollback, within: 3m, split: {v1: 50%, v2: 50%},
     faults: {v2: [{failures: {'503': 20%}}]}}
";

const FAULTS: &str = "
schema: 1
faults:
  - {name: outage, canary: [{failures: {'503': 90%}}]}
  - {name: errors, weight: 3, canary: [{failures: {'500': 20%}}]}
  - {name: more errors, held_out: true, canary: [{failures: {'500': 30%}}]}
";

/// Triggers of which the first two find the errors, and the last fires on whatever comes.
const TRIGGERS: &str = r#"{"conditions": [
  {"id": "errors", "metric": "error_rate", "operator": ">", "threshold": 0.1,
   "duration_seconds": 15, "action": "rollback_to_last_stable"},
  {"judge": "sequential", "alpha": 0.02, "action": "rollback_to_last_stable"},
  {"id": "nervous", "metric": "requests", "operator": ">", "threshold": 1,
   "duration_seconds": 0, "action": "rollback_to_last_stable"}]}"#;

fn place() -> Workplace {
    let place = Workplace::new();
    place.write("small.yaml", SCENARIO);
    place.write("faults.yaml", FAULTS);
    place.write("triggers.json", TRIGGERS);
    place
}

/// With a loose limit and few runs.
const QUICK: [&str; 10] = [
    "tune",
    "small.yaml",
    "--against",
    "faults.yaml",
    "--false-rollback",
    "10%",
    "--seeds",
    "4",
    "--triggers",
    "triggers.json",
];

fn tune(place: &Workplace, arguments: &[&str]) -> Ended {
    place.run(&[&QUICK, arguments].concat())
}

#[test]
fn rules_are_found_and_a_scenario_takes_them() {
    let place = place();
    let ended = tune(&place, &["--out", "out", "--format", "json"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let written = std::fs::read_to_string(place.path("out/tune.json")).unwrap();
    assert_eq!(written, ended.stdout);
    let tuned = &report["combinations"][0]["tuned"];
    let ratio = tuned["against_present"]["high"].as_f64().unwrap();
    assert!(ratio < 0.5, "{tuned}");
    let best = tuned["tried"].as_array().unwrap().iter();
    let best = best.clone().find(|one| one["name"] == tuned["recommended"]).unwrap();
    assert!(best["alarms"]["upper"].as_f64().unwrap() <= 0.1, "{best}");
    assert!(!best["rules"].to_string().contains("nervous"), "{best}");
    for file in ["rules.json", "summary.md", "tune.html", "charts/frontier.png"] {
        assert!(place.path("out").join(file).exists(), "{file}");
    }
    // The fault that the scenario has is found by them, and was not by the present ones.
    let found = place.run(&["run", "small.yaml", "--set", "models.m.rules=out/rules.json"]);
    assert!(found.stdout.contains("rollback of v2 to v1"), "{}", found.stdout);
    let rules = tune(&place, &["--format", "rules"]);
    assert_eq!(rules.stdout, std::fs::read_to_string(place.path("out/rules.json")).unwrap());
}

#[test]
fn the_same_bytes_come_out_on_any_number_of_threads() {
    let place = place();
    let of = |jobs| tune(&place, &["--jobs", jobs, "--format", "json"]).stdout;
    let one = of("1");
    assert!(one.contains("against_present"), "{one}");
    assert!(one == of("2") && one == of("7"));
}

#[test]
fn every_weight_has_rules_of_its_own_and_the_best_is_named() {
    let place = place();
    let vary = "phases.canary.split={v1: 80%, v2: 20%},{v1: 50%, v2: 50%}";
    let ended = tune(&place, &["--vary", vary]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for part in ["split = {v1: 80%, v2: 20%}", "split = {v1: 50%, v2: 50%}", "recommended: "] {
        assert!(ended.stdout.contains(part), "{part}: {}", ended.stdout);
    }
}

#[test]
fn a_limit_that_nothing_is_proved_to_keep_is_no_success() {
    let place = place();
    let ended = tune(&place, &["--healthy", "5"]);
    assert_eq!(ended.code, 5, "{}", ended.stderr);
    assert!(ended.stdout.starts_with("NOT FOUND"), "{}", ended.stdout);
    assert!(ended.stdout.contains("--healthy"), "{}", ended.stdout);
    assert!(ended.stderr.contains("nothing will be recommended"), "{}", ended.stderr);
}

#[test]
fn what_cannot_be_sought_is_told_with_its_place_and_a_remedy() {
    let place = place();
    place.write("twice.yaml", FAULTS);
    place.write("odd.yaml", "schema: 1\nfaults: [{name: a, canary: [{failures: {'500': 2}}]}]\n");
    place.write("much.yaml", FAULTS.replace("90%", "100%"));
    place.write("bad.json", r#"{"conditions": [{"metric": "eror_rate"}]}"#);
    let told = |arguments: &[&str]| {
        let ended = place.run(&[&["tune", "small.yaml"], arguments].concat());
        assert_eq!(ended.stdout, "");
        (ended.code, ended.stderr)
    };
    let cases: [(&[&str], i32, &str); 8] = [
        (
            &["--against", "faults.yaml", "twice.yaml"],
            3,
            "\"outage\" stands in faults.yaml already",
        ),
        (&["--against", "odd.yaml"], 3, "odd.yaml:2:"),
        (&["--against", "much.yaml"], 3, "together at most 100 %"),
        (&["--against", "none.yaml"], 3, "cannot read the list of faults none.yaml"),
        (&[], 2, "--against"),
        (&["--against", "faults.yaml", "--false-rollback", "0"], 2, "1e-6 to 0.5"),
        (&["--against", "faults.yaml", "--model", "n"], 3, "known: m"),
        (&["--against", "faults.yaml", "--triggers", "bad.json"], 3, "did you mean `error_rate`?"),
    ];
    for (arguments, code, part) in cases {
        let (found, stderr) = told(arguments);
        assert_eq!(found, code, "{arguments:?}: {stderr}");
        assert!(stderr.contains(part), "{arguments:?}: {stderr}");
    }
}

#[test]
fn where_nothing_is_recommended_no_rules_of_an_earlier_search_are_left() {
    let place = place();
    let out = ["--out", "out"];
    assert_eq!(tune(&place, &out).code, 0);
    assert!(place.path("out/rules.json").exists());
    // So little is wrong that nothing finds it; the present rule never fires falsely.
    place.write(
        "faults.yaml",
        "schema: 1\nfaults: [{name: one, canary: [{failures: {'503': 0.01%}}]}]",
    );
    let ended = tune(&place, &out);
    assert_eq!(ended.code, 5, "{}{}", ended.stdout, ended.stderr);
    let told = ended.stdout.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(told.contains("NOT FOUND") && told.contains("--triggers"), "{told}");
    assert!(!place.path("out/rules.json").exists());
    assert!(tune(&place, &["--no-charts", "--out", "out"]).code == 5);
    assert!(!place.path("out/charts/frontier.svg").exists());
}

#[test]
fn a_scenario_is_no_list_of_faults_and_a_list_no_scenario() {
    let place = place();
    let lists = place.run(&["tune", "small.yaml", "--against", "small.yaml"]);
    assert_eq!(lists.code, 3);
    assert!(
        lists.stderr.starts_with("error: small.yaml is a scenario, no list"),
        "{}",
        lists.stderr
    );
    for command in ["run", "sweep", "validate"] {
        let seeds: &[&str] = if command == "sweep" { &["--seeds", "5"] } else { &[] };
        let ended = place.run(&[&[command, "faults.yaml"], seeds].concat());
        assert_eq!(ended.code, 3, "{command}");
        let part = "faults.yaml is a list of faults, no scenario";
        assert!(ended.stderr.contains(part), "{command}: {}", ended.stderr);
    }
    std::fs::create_dir(place.path("lists")).unwrap();
    let folder = place.run(&["tune", "small.yaml", "--against", "lists"]);
    assert!(
        folder.stderr.contains("name its lists of faults, as by lists/*.yaml"),
        "{}",
        folder.stderr
    );
}
