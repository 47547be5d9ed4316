//! A small search for tests: a canary of half the traffic, whose present rule sees outages alone.

use super::report::{Combination, KnownFault, TuneReport};
use super::subject::Subject;
use super::tuned::Tuned;
use super::tuning::{Goal, Tuning};
use crate::engine::RawTrigger;
use crate::scenario::{NamedFault, Scenario, load_faults};
use crate::study::example::loaded;
use crate::study::{Seeds, SweptScenario};
use crate::units::Ratio;

pub(crate) const SCENARIO: &str = "
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
  - {name: canary, until: rollback, within: 4m, split: {v1: 50%, v2: 50%},
     faults: {v2: [{failures: {'503': 20%}}]}}
  - {name: after, for: 20s}
";

/// The same with a ladder of 20, 35 and 50 %, a minute each at first.
pub(crate) fn ladder() -> String {
    let phases = "  - {name: twenty, for: 1m, split: {v1: 80%, v2: 20%}}
  - {name: thirty-five, for: 1m, split: {v1: 65%, v2: 35%}}
  - {name: fifty, until: rollback, within: 140s, split: {v1: 50%, v2: 50%}}
  - {name: after, for: 20s}
";
    let (head, _) = SCENARIO.split_once("  - {name: canary").unwrap_or((SCENARIO, ""));
    format!("{head}{phases}")
}

pub(crate) const FAULTS: &str = "
schema: 1
faults:
  - {name: outage, canary: [{failures: {'503': 90%}}]}
  - {name: errors, weight: 3, canary: [{failures: {'500': 20%}}]}
  - {name: more errors, held_out: true, canary: [{failures: {'500': 30%}}]}
  - {name: slow, canary: [{at: 10s, latency: {times: 2}}]}
";

pub(crate) fn scenario(text: &str) -> Scenario {
    loaded(text, &[]).scenario
}

pub(crate) fn subject() -> Subject {
    Subject::of(&scenario(SCENARIO), None).unwrap()
}

pub(crate) fn faults() -> Vec<NamedFault> {
    load_faults("faults.yaml", FAULTS.as_bytes()).unwrap().0
}

/// A few triggers of all kinds, each as rules have it.
pub(crate) fn triggers() -> Vec<RawTrigger> {
    let texts = [
        r#"{"id": "a", "metric": "error_rate", "operator": ">", "threshold": 0.1,
            "duration_seconds": 15}"#,
        r#"{"id": "b", "metric": "latency_p95", "operator": ">", "compare_to": "stable",
            "as": "ratio", "threshold": 1.5, "duration_seconds": 0, "window_seconds": 30}"#,
        r#"{"id": "c", "judge": "sequential", "alpha": 0.01}"#,
        r#"{"id": "d", "judge": "sequential", "metric": "latency_p95", "alpha": 0.01}"#,
        r#"{"id": "e", "judge": "objective", "metric": "error_rate", "threshold": 0.05,
            "alpha": 0.01}"#,
        r#"{"id": "f", "metric": "latency_p99", "operator": ">", "threshold_ms": 1500,
            "duration_seconds": 10, "min_requests": 20}"#,
    ];
    let parsed = texts.map(|text| serde_json::from_str::<RawTrigger>(text).unwrap());
    let acting = |raw: RawTrigger| {
        let action = Some("rollback_to_last_stable".to_owned());
        RawTrigger { action, ..raw }
    };
    parsed.map(acting).to_vec()
}

pub(crate) fn goal() -> Goal {
    let limit = Ratio::new(0.1).unwrap();
    Goal { limit, seeds: Seeds { first: 1, count: 8 }, healthy: None, searches: 1 }
}

/// All runs of a search, one after the other.
pub(crate) fn played(mut tuning: Tuning) -> Tuned {
    while let Some(batch) = tuning.batch().unwrap() {
        let answers = (0..batch.runs()).map(|run| batch.make(run, Vec::new()).unwrap());
        tuning.enter(answers.collect()).unwrap();
    }
    tuning.found().unwrap()
}

/// What the small search finds.
pub(crate) fn report() -> TuneReport {
    let tuning = Tuning::new(subject(), faults(), goal(), Some(triggers())).unwrap();
    let combinations = vec![Combination { values: Vec::new(), tuned: played(tuning) }];
    TuneReport {
        schema: TuneReport::SCHEMA,
        coalmine: env!("CARGO_PKG_VERSION").to_owned(),
        scenario: SweptScenario {
            file: "small.yaml".to_owned(),
            name: "small".to_owned(),
            title: "A canary of half the traffic".to_owned(),
            traces: Vec::new(),
        },
        model: "m".to_owned(),
        limit: goal().limit,
        seeds: goal().seeds,
        healthy: 0,
        settings: Vec::new(),
        against: Vec::new(),
        faults: faults().iter().map(KnownFault::of).collect(),
        variations: Vec::new(),
        best: TuneReport::best_of(&combinations),
        combinations,
    }
}
