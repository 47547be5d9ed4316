//! Rollouts in a rehearsal: up the ladder to the promotion, or off it by a rollback.

use coalmine::engine::RolloutState;
use coalmine::gate::Verdict;
use coalmine::record::{Happening, Record};

use super::world::{judged, result, results, shipped, shipped_result, written};

/// Seconds from the start at which the rollout moved, and where to.
fn moves(record: &Record) -> Vec<(u64, RolloutState)> {
    let moved = record.timeline.events.iter().filter_map(|event| match event.happening {
        Happening::RolloutMoved { to, .. } => Some((event.at.since(record.start).as_secs(), to)),
        _ => None,
    });
    moved.collect()
}

#[test]
fn a_healthy_canary_is_promoted_and_leaves_its_bake() {
    let result = shipped_result("progressive", &[]);
    let states: Vec<_> = moves(&result.record).into_iter().map(|(_, to)| to).collect();
    let [first, second, third, promoted, over] = states[..] else { panic!("{states:?}") };
    for (stage, state) in (0..).zip([first, second, third]) {
        assert_eq!(state, RolloutState::Stepping(coalmine::engine::StageIndex(stage)));
    }
    assert_eq!((promoted, over), (RolloutState::Promoted, RolloutState::Idle));
    assert_eq!(judged(&result).verdict, Verdict::Pass, "{:?}", judged(&result).lines);
}

#[test]
fn the_steps_last_as_long_as_their_holds_and_the_rules_need() {
    let loaded = shipped("progressive", &[]);
    let seeds: Vec<u64> = (1..=20).collect();
    let times = results(&loaded, &seeds, |result| moves(&result.record));
    for (seed, moves) in seeds.iter().zip(times) {
        let [start, second, third, promoted, ..] = moves[..] else { panic!("{seed}: {moves:?}") };
        assert_eq!(start.0, 300, "seed {seed}");
        for (from, to) in [(start, second), (second, third), (third, promoted)] {
            // The slowest rule is checked every 30 s: data that was missing once comes at the next
            // check, or the one after.
            assert!((600..=660).contains(&(to.0 - from.0)), "seed {seed}: {moves:?}");
        }
    }
}

#[test]
fn a_canary_that_fails_falls_off_the_ladder() {
    let failing = "models.gpt-4.versions.gpt-4-turbo-v2.upstream.failures.500=20%";
    let bad = "models.gpt-4.versions.gpt-4-turbo-v2.truth=bad";
    let loaded = shipped("progressive", &[failing, bad]);
    let result = result(&loaded, 7);
    let record = &result.record;
    assert_eq!(record.rollbacks.len(), 1);
    let last = moves(record).pop();
    let at = record.rollbacks[0].at.since(record.start).as_secs();
    assert_eq!(last, Some((at, RolloutState::RolledBack)));
    let waited = record.timeline.events.iter().any(|event| {
        let Happening::WaitEnded { what, .. } = &event.happening else { return false };
        what == "promotion"
    });
    assert!(waited, "the climb ends without a promotion");
    assert_eq!(judged(&result).verdict, Verdict::Fail);
}

/// A canary that is rolled back at once, with requests of 30 s in flight.
const DRAINING: &str = "
schema: 1
name: draining
workload: {arrivals: {constant: 10/s}, tokens: {input: 500, output: 200}, client_timeout: 2m}
models:
  m:
    versions:
      old: {tags: [stable], upstream: {latency: 30s}}
      new: {upstream: {latency: 30s, failures: {\"503\": 50%}}, truth: bad}
    rules:
      conditions:
        - {metric: error_rate, operator: '>', threshold: 0.2, duration_seconds: 0, min_requests: 10,
           action: rollback_to_last_stable}
phases:
  - {name: canary, until: rollback, within: 5m, split: {old: 50%, new: 50%}}
  - {name: draining, until: drained, within: 5m}
  - name: again
    for: 30s
    rollout: {version: new, steps: [{weight: 10%, hold: 10m}]}
  - {name: by hand, for: 10s, split: {old: 100%}}
gate: [rollbacks == 1]
";

#[test]
fn a_phase_waits_for_the_last_request_of_a_version_that_was_rolled_back() {
    let result = result(&written(DRAINING), 1);
    let record = &result.record;
    let [_, draining, again, by_hand] = &record.phases[..] else { panic!("{:?}", record.phases) };
    // What was assigned just before the rollback takes 30 s.
    let length = draining.end.since(draining.start);
    assert!((29.0..=30.0).contains(&length.as_secs_f64()), "{length:?}");
    let seconds = |at: coalmine::units::Timestamp| at.since(record.start).as_secs();
    let expected = [
        (seconds(again.start), RolloutState::Stepping(coalmine::engine::StageIndex(0))),
        (seconds(by_hand.start), RolloutState::Aborted),
    ];
    assert_eq!(moves(record), expected, "a split by hand aborts the rollout in its way");
}
