//! `late-failure`: the bake after a promotion still brings the former stable back.

use coalmine::gate::Verdict;
use coalmine::record::{Happening, Record};

use super::world::{judged, seconds, shipped_result};

#[test]
fn steps_end_with_their_hold_and_the_bake_brings_the_former_stable_back() {
    let result = shipped_result("late-failure", &[]);
    let record = &result.record;
    // Three steps of ten minutes, whose requests come in time: 250 at 5 % are the fewest.
    assert_eq!(record.phases[0].end.since(record.phases[0].start), seconds(30 * 60));
    let weights = canary_weights(record);
    assert_eq!(weights, [0.0, 0.05, 0.25, 0.5, 1.0, 0.0]);
    let [rollback] = &record.rollbacks[..] else { panic!("{:?}", record.rollbacks) };
    assert_eq!(rollback.evidence.version.as_str(), "gpt-4-turbo-v2", "the new stable");
    assert_eq!(rollback.target.0, 0, "the one before it");
    assert_eq!(judged(&result).verdict, Verdict::Pass);
}

#[test]
fn a_step_that_asks_for_more_requests_than_its_hold_brings_waits_for_them() {
    // 300 requests at 5 % of 8.33/s take 12 min on average, with a standard deviation of 42 s.
    let require = "phases.rollout.rollout.steps.0.require=300 requests";
    let result = shipped_result("late-failure", &[require]);
    let record = &result.record;
    let waited = record.phases[0].end.since(record.phases[0].start).as_secs();
    assert!(((30 + 2) * 60 - 170..=(30 + 2) * 60 + 170).contains(&waited), "{waited} s");
}

/// The weights of the second version, one after the other.
fn canary_weights(record: &Record) -> Vec<f64> {
    let events = record.timeline.events.iter();
    let weights = events.filter_map(|event| match &event.happening {
        Happening::SplitChanged { weights, .. } => Some(weights[1].get()),
        _ => None,
    });
    weights.collect()
}
