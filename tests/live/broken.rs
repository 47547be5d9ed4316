//! What becomes of a run whose gateway elsewhere is out of reach for a moment, or for good.

use std::thread;

use coalmine::live::Elsewhere;
use coalmine::run::run_virtual;
use serde_json::json;

use crate::far_world::{FarWorld, far};
use crate::shaky::Shaky;
use crate::world::{happenings, written};

fn scenario(phases: &str) -> String {
    format!(
        "
schema: 1
name: broken
seed: 5
workload: {{arrivals: {{constant: 20/s}}, tokens: {{input: 30, output: 20}}}}
models:
  gpt-4:
    versions:
      old: {{tags: [stable], upstream: {{latency: 20ms}}}}
      new: {{tags: [beta], upstream: {{latency: 20ms}}}}
    rules:
      conditions:
        - {{id: slow, metric: latency_p99, operator: '>', threshold_ms: 1, duration_seconds: 1,
           check_interval_seconds: 1, window_seconds: 3, min_requests: 5, version: new,
           action: rollback_to_last_stable}}
phases:
{phases}
gate: [error_rate <= 100%]
"
    )
}

#[test]
fn a_run_goes_on_where_events_break_off_and_answers_get_lost() {
    let phases = "
  - name: commands
    for: 2s
    split: {old: 100%}
    commands:
      - {at: 100ms, rollout: {version: beta, steps: [{weight: 10%, hold: 1h}], bake: 5m}}
      - {at: 300ms, pause: rollout}
      - {at: 500ms, resume: rollout}
      - {at: 700ms, tag: {tag: spare, version: new}}
      - {at: 900ms, promote: beta}
      - {at: 1100ms, rollback: {to: old}}
      - {at: 1300ms, split: {old: 100%}}
      - {at: 1500ms, rules: {conditions: [{id: other, metric: latency_p99, operator: '>',
          threshold_ms: 9000, duration_seconds: 5, check_interval_seconds: 1, action: notify}]}}
  - {name: incident, until: rollback, within: 60s, split: {old: 50%, new: 50%}, commands: [
      {at: 100ms, rules: {conditions: [{id: slow, metric: latency_p99, operator: '>',
        threshold_ms: 1, duration_seconds: 1, check_interval_seconds: 1, window_seconds: 3,
        min_requests: 5, version: new, action: rollback_to_last_stable}]}}]}
";
    let world = FarWorld::new("{gpt-4: {}}");
    let shaky = Shaky::before(world.address);
    let lost =
        ["POST /v1/models/gpt-4/deploy", "PUT /v1/deploy/rollback-rules", "GET /v1/deploy/st"];
    let loaded = written(&scenario(phases));
    let elsewhere = Elsewhere { url: shaky.url.clone(), ..world.elsewhere() };
    let entries = || {
        let (_, status) = world.ask("GET", "/v1/deploy/status", None);
        status["journal_entries"].as_u64().unwrap()
    };
    let rehearsal = thread::scope(|scope| {
        let run = scope.spawn(|| far(&loaded, elsewhere, &mut Vec::new()).unwrap());
        let (mut before, mut cuts) = (entries(), 0);
        while !run.is_finished() {
            let now = entries();
            // As soon as something is done what tells of it breaks off, and an answer gets lost.
            if now > before && shaky.cut_events() > 0 {
                shaky.lose_answer_to(lost[cuts % lost.len()]);
                cuts += 1;
            }
            before = now;
        }
        assert!(cuts > 3, "{cuts}");
        run.join().unwrap()
    });
    let told = |record| {
        // What no journal has may have been missed.
        let mut told = happenings(record);
        told.retain(|told| !told.starts_with("Drained"));
        told
    };
    let (scenario, seed) = (&loaded.scenario, loaded.scenario.seed);
    let simulated = run_virtual(scenario, seed, Vec::new(), &mut |_| {}).unwrap();
    assert_eq!(told(&rehearsal.record), told(&simulated.record));
    let facts = rehearsal.live.unwrap();
    assert_eq!(facts.distrust(), [""; 0], "nothing was done twice");
    let notes = facts.gateway.unwrap().notes;
    assert!(notes[0].starts_with("its events were cut off"), "{notes:?}");
}

#[test]
fn what_was_heard_until_a_gateway_is_gone_for_good_is_told_and_doubted() {
    let world = FarWorld::new("{gpt-4: {}}");
    let made = json!({"id": "other", "scope": "admin"});
    let (_, other) = world.ask("POST", "/v1/auth/keys", Some(&made));
    let key = other["api_key"].as_str().unwrap().to_owned();
    let loaded = written(&scenario("  - {name: long, for: 1h, split: {old: 100%}}"));
    let elsewhere = Elsewhere { key, ..world.elsewhere() };
    let mut outcomes = Vec::new();
    let rehearsal = thread::scope(|scope| {
        let run = scope.spawn(|| far(&loaded, elsewhere, &mut outcomes).unwrap());
        let is_playing = || {
            let (_, status) = world.ask("GET", "/v1/deploy/status", None);
            status["models"][0]["versions"][1]["window"]["requests"].as_u64() > Some(9)
                || status["models"][0]["versions"][0]["window"]["requests"].as_u64() > Some(9)
        };
        while !is_playing() && !run.is_finished() {}
        assert_eq!(world.ask("DELETE", "/v1/auth/keys/other", None).0, 200);
        run.join().unwrap()
    });
    assert!(outcomes.len() >= 9, "{}", outcomes.len());
    let facts = rehearsal.live.unwrap();
    let reasons = facts.distrust();
    let reason = reasons.iter().find(|reason| reason.contains("broken off"));
    assert!(reason.is_some_and(|reason| reason.contains("refused with 401")), "{reasons:?}");
    let gateway = facts.gateway.unwrap();
    assert!(gateway.notes.iter().any(|note| note.contains("rules were checked")), "{gateway:?}");
    let left = gateway.keys_left;
    assert!(left.len() == 1 && left[0].ends_with("-load"), "{left:?}");
}

#[test]
fn a_run_whose_traffic_goes_where_something_is_really_served_ends_at_once() {
    let world = FarWorld::new("{gpt-4: {}}");
    let made = json!({"id": "real", "upstream": "mock"});
    assert_eq!(world.ask("POST", "/v1/models/gpt-4/versions", Some(&made)).0, 201);
    let loaded = written(&scenario("  - {name: long, for: 1h, split: {old: 100%}}"));
    let rehearsal = thread::scope(|scope| {
        let run = scope.spawn(|| far(&loaded, world.elsewhere(), &mut Vec::new()).unwrap());
        let is_playing = || {
            let (_, status) = world.ask("GET", "/v1/deploy/status", None);
            status["models"][0]["split"]["old"] == 1.0
        };
        while !is_playing() && !run.is_finished() {}
        let split = json!({"action": "split", "split": {"real": 1.0}});
        assert_eq!(world.ask("POST", "/v1/models/gpt-4/deploy", Some(&split)).0, 200);
        run.join().unwrap()
    });
    let reasons = rehearsal.live.unwrap().distrust();
    let broken = reasons.iter().find(|reason| reason.contains("broken off"));
    assert!(broken.is_some_and(|reason| reason.contains("its version real")), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.contains("split of gpt-4 by admin")), "{reasons:?}");
}
