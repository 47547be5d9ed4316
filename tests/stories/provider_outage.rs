//! `provider-outage`: what hits the stable too is not the canary's fault.

use coalmine::gate::Verdict;

use super::world::{health, judged, result, results, shipped, shipped_result};

#[test]
fn rules_that_compare_with_the_stable_sit_an_outage_of_both_out() {
    let result = shipped_result("provider-outage", &[]);
    let record = &result.record;
    assert!(record.rollbacks.is_empty());
    assert!(record.blasts.is_empty(), "a fault on every version makes none of them bad");
    for rule in ["error_rate", "latency_p95", "judge"] {
        let health = health(record, rule);
        assert!(health.checks > 50, "{rule}: {health:?}");
        assert_eq!(health.firings, 0, "{rule}");
    }
    assert_eq!(judged(&result).verdict, Verdict::Pass);
}

#[test]
fn a_common_outage_rolls_nobody_back_under_twenty_seeds() {
    let loaded = shipped("provider-outage", &[]);
    let seeds: Vec<u64> = (1..=20).collect();
    let rollbacks = results(&loaded, &seeds, |result| result.record.rollbacks.len());
    assert_eq!(rollbacks, [0; 20]);
}

#[test]
fn a_fixed_threshold_blames_the_canary_for_the_outage() {
    let rules = "models.gpt-4.rules=../fixtures/rollback-rules.json";
    let loaded = shipped("provider-outage", &[rules]);
    let result = result(&loaded, loaded.scenario.seed);
    let [rollback] = &result.record.rollbacks[..] else { panic!("{:?}", result.record.rollbacks) };
    assert_eq!(rollback.onset, None, "a false one: it was not worse than the stable at any time");
    assert_eq!(judged(&result).found, Verdict::Fail);
}
