//! `false-alarm`: a healthy canary stays.

use coalmine::gate::Verdict;

use super::world::{health, judged, results, shipped, shipped_result};

#[test]
fn a_healthy_canary_is_looked_at_thousands_of_times_and_stays() {
    let result = shipped_result("false-alarm", &[]);
    let record = &result.record;
    // Three hours by the intervals of 15, 8, 30 and 5 s.
    let checks = ["error_rate", "latency_p99", "success_rate", "judge"]
        .map(|trigger| health(record, trigger).checks);
    assert_eq!(checks, [720, 1350, 360, 2160]);
    assert!(record.blasts.is_empty());
    assert_eq!(judged(&result).verdict, Verdict::Pass);
}

#[test]
fn nothing_fires_on_a_healthy_canary_over_twenty_seeds() {
    let loaded = shipped("false-alarm", &[]);
    let seeds: Vec<u64> = (1..=20).collect();
    let firings = results(&loaded, &seeds, |result| {
        assert!(result.record.rollbacks.is_empty(), "seed {}", result.record.seed);
        result.record.rules.iter().map(|rule| rule.firings).sum::<u64>()
    });
    assert_eq!(firings, [0; 20]);
}
