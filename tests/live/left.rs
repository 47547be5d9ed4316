//! How a gateway elsewhere is left, on every way out of a run.

use std::sync::atomic::{AtomicBool, Ordering};

use coalmine::live::{LeftBehind, LiveError, LiveWatch, run_live};
use serde_json::{Value, json};

use crate::far_world::{FarWorld, far, free, settings};
use crate::world::written;

const SCENARIO: &str = "
schema: 1
name: left
workload: {arrivals: {constant: 20/s}, tokens: {input: 10, output: 10}}
models:
  gpt-4:
    versions:
      old: {tags: [stable], upstream: {latency: 10ms}}
      new: {tags: [beta], upstream: {latency: 10ms}}
    rules: {conditions: [{id: ours, metric: error_rate, operator: '>', threshold: 0.5,
      duration_seconds: 1, check_interval_seconds: 1, action: notify}]}
phases:
  - {name: rollout, for: 500ms, split: {old: 50%, new: 50%}}
  - name: promoted
    for: 500ms
    rollout: {version: new, steps: [{weight: 100%, hold: 1h}], bake: 1h}
    commands: [{at: 200ms, promote: new}]
gate: [error_rate <= 100%]
";

/// A gateway with versions, a split, tags and rules of its own.
fn world() -> FarWorld {
    let version = |id: &str, tags: &str| {
        format!("{id}: {{upstream: mock, parameters: {{model: {id}}}, tags: {tags}}}")
    };
    let versions = [version("old", "[stable, first]"), version("new", "[]")].join(", ");
    let rules = "{conditions: [{id: theirs, metric: error_rate, operator: '>', threshold: 0.9, \
                 duration_seconds: 60, check_interval_seconds: 15, action: notify}]}";
    FarWorld::new(&format!("{{gpt-4: {{versions: {{{versions}}}, rules: {rules}}}}}"))
}

/// Split, stable, rules and rollout, as the interface shows them.
fn stands(world: &FarWorld) -> [Value; 4] {
    let (_, status) = world.ask("GET", "/v1/deploy/status", None);
    let model = &status["models"][0];
    let (_, rules) = world.ask("GET", "/v1/deploy/rollback-rules?model=gpt-4", None);
    [&model["split"], &model["stable"], &rules, &model["rollout"]["version"]].map(Clone::clone)
}

#[test]
fn a_run_gives_back_split_tags_and_rules_as_it_found_them() {
    let world = world();
    let before = stands(&world);
    assert_eq!(
        (&before[0], &before[2]["conditions"][0]["id"]),
        (&json!({"old": 1.0}), &json!("theirs"))
    );
    let rehearsal = far(&written(SCENARIO), world.elsewhere(), &mut Vec::new()).unwrap();
    assert_eq!(stands(&world), before);
    assert_eq!(
        rehearsal.live.unwrap().gateway.unwrap().left,
        ["gpt-4 gives 100 % to old, as before the run; tags and rules are those from before it \
          but for the tags beta, which are new"]
    );
    // The next run finds nothing in its way but the requests of this one.
    let LiveError::Elsewhere { why, .. } = world.refused(SCENARIO) else { panic!() };
    assert!(why.to_string().contains("in the last minute"), "{why}");
    assert!(!why.to_string().contains("rollout"), "{why}");
}

#[test]
fn a_run_that_is_interrupted_gives_it_back_too_and_says_so() {
    let world = world();
    let before = stands(&world);
    let loaded = written(SCENARIO);
    let is_asked = AtomicBool::new(false);
    let watch = LiveWatch {
        is_asked_to_stop: &|| is_asked.load(Ordering::SeqCst),
        // In the midst of it.
        tick: &mut |ended| is_asked.store(ended > 3, Ordering::SeqCst),
        sink: &mut |_| {},
    };
    let run = run_live(&loaded.scenario, 1, Vec::new(), &settings(world.elsewhere()), watch);
    let left = match run {
        Err(LiveError::Left { error, left }) if matches!(*error, LiveError::Interrupted) => left,
        other => panic!("{:?}", other.map(drop)),
    };
    assert_eq!(stands(&world), before);
    assert!(left.keys.is_empty(), "{left:?}");
    assert!(left.models[0].starts_with("gpt-4 gives 100 % to old, as before the run"), "{left:?}");
}

#[test]
fn what_cannot_be_taken_back_is_told() {
    let world = FarWorld::new("{gpt-4: {}}");
    let rehearsal = far(&written(SCENARIO), world.elsewhere(), &mut Vec::new()).unwrap();
    let left = rehearsal.live.unwrap().gateway.unwrap().left;
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(
        left[0].starts_with("gpt-4 gives 100 % to new, and gave no traffic to anybody before"),
        "{left:?}"
    );
    assert!(left[0].ends_with("but for the tags beta, stable, which are new"), "{left:?}");
    assert_eq!(
        left[1],
        "registered for the run were and stay its versions old of gpt-4, new of gpt-4"
    );
    // Those of all models, as before.
    let (_, rules) = world.ask("GET", "/v1/deploy/rollback-rules", None);
    assert_eq!(rules["models_with_own_rules"], json!([]));
    // Versions were registered by the time that it is found out that they lead elsewhere.
    let world = FarWorld::new("{gpt-4: {}}");
    let mut led = world.elsewhere();
    led.mock = free();
    let left = match far(&written(SCENARIO), led, &mut Vec::new()) {
        Err(LiveError::Left { left, .. }) => left,
        other => panic!("{:?}", other.map(drop)),
    };
    assert!(matches!(&left, LeftBehind { models, keys } if models.len() == 1 && keys.is_empty()));
}
