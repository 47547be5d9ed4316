//! Clients that pin a version: the split has no part in their requests, and they have none in what
//! is known of a canary.

use coalmine::exchange::VersionIndex;
use coalmine::gate::Verdict;
use coalmine::record::{Arm, Happening, TimelineEvent};

use super::witness::Witness;
use super::world::{judged, play, result, written};

/// A fifth of the clients test a version that fails half of its requests. The canary alone has some
/// 48 requests in a minute, too few for the rule; with the testers' 240 it would fire.
const TESTERS: &str = "
schema: 1
name: testers
seed: 5
workload:
  arrivals: {constant: 20/s}
  tokens: {input: 100, output: 50}
  clients: [{key: app, share: 80%}, {key: testers, share: 20%, pin: beta}]
models:
  m:
    versions:
      v1: {tags: [stable], upstream: {latency: 100ms}}
      v2: {tags: [beta], upstream: {latency: 100ms, failures: {'500': 50%}}}
    rules:
      conditions:
        - {metric: error_rate, operator: '>', threshold: 0.2, duration_seconds: 0,
           window_seconds: 60, min_requests: 100, action: rollback_to_last_stable}
phases:
  - {name: before, for: 5m, split: {v1: 100%}}
  - {name: canary, for: 5m, split: {v1: 95%, v2: 5%}}
gate:
  - rollbacks == 0
  - \"requests{phase=before, version=v2} == requests{phase=before, arm=pinned}\"
  - error_rate{arm=pinned} > 40%
  - error_rate{arm=stable} < 1%
  - split_p_value > 0.001
";

#[test]
fn a_pinned_request_gets_its_version_and_nobody_else_does_at_weight_0() {
    let loaded = written(TESTERS);
    let witness = Witness::of(&loaded.scenario, loaded.scenario.seed);
    let mut pinned = 0;
    for outcome in &witness.outcomes {
        let is_tester = outcome.request.client == 1;
        assert_eq!(outcome.arm == Arm::Pinned, is_tester);
        if is_tester {
            assert_eq!(outcome.assigned, VersionIndex(1));
            pinned += 1;
        } else if outcome.phase == 0 {
            assert_eq!(outcome.assigned, VersionIndex(0));
        }
    }
    // A binomial of 12,000 and 20 %, with a standard deviation of 44.
    assert!((2_400_i32 - pinned).abs() < 180, "{pinned}");
}

#[test]
fn pinned_requests_are_no_evidence_and_their_share_is_told() {
    let loaded = written(TESTERS);
    assert_eq!(judged(&result(&loaded, loaded.scenario.seed)).verdict, Verdict::Pass);
    let record = play(&loaded, loaded.scenario.seed).record;
    let told = record.timeline.events.iter();
    let told = told.filter(|event| matches!(event.happening, Happening::PinShare { .. }));
    // Once for each split.
    assert_eq!(told.count(), 2);
}

#[test]
fn a_phase_may_end_with_the_very_request_at_which_too_many_pins_are_told() {
    let told = (1..=120).filter(|requests| {
        let text = format!(
            "
schema: 1
name: pins
workload: {{arrivals: {{constant: 10/s}}, tokens: {{input: 10, output: 10}},
  clients: [{{key: web, share: 50%}}, {{key: app, share: 50%, pin: v2}}]}}
models:
  m:
    versions:
      v1: {{tags: [stable], upstream: {{latency: 10ms}}}}
      v2: {{upstream: {{latency: 10ms}}}}
phases:
  - {{name: a, requests: {requests}, split: {{v1: 50%, v2: 50%}}}}
  - {{name: b, requests: 1, split: {{v1: 90%, v2: 10%}}}}
"
        );
        let events = play(&written(&text), 1).record.timeline.events;
        let pins = |event: &&TimelineEvent| matches!(event.happening, Happening::PinShare { .. });
        let second = Happening::PhaseBegan { phase: 1 };
        let begins = events.iter().position(|event| event.happening == second).unwrap();
        let told = events.iter().position(|event| pins(&event));
        assert!(told.is_none_or(|told| told < begins), "{requests}: {events:?}");
        told.is_some()
    });
    assert!(told.count() > 0);
}
