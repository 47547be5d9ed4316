//! `low-traffic`: the threshold rules never have data, the judge decides.

use coalmine::engine::{ErrorShares, Reading};
use coalmine::gate::Verdict;
use coalmine::math;

use super::world::{health, judged, result, results, seconds, shipped, shipped_result};

#[test]
fn the_judge_rolls_a_dead_canary_back_that_no_window_sees() {
    let result = shipped_result("low-traffic", &[]);
    let record = &result.record;
    let [rollback] = &record.rollbacks[..] else { panic!("{:?}", record.rollbacks) };
    assert_eq!(rollback.evidence.trigger, "judge");
    assert_eq!(rollback.evidence.version.as_str(), "gpt-4-turbo-v2");
    assert_eq!(rollback.onset, Some(record.phases[1].start), "dead from its first request on");
    assert!(rollback.at.since(record.phases[1].start) <= seconds(8 * 60));
    // The fourth error of the canary is the one that suffices, as long as the stable has had fewer
    // than five: the arithmetic of the head comment.
    let Reading::Sequential(ErrorShares { canary_errors, stable_errors, ln_evidence, .. }) =
        rollback.evidence.reading
    else {
        panic!("{:?}", rollback.evidence)
    };
    assert_eq!(canary_errors, 4);
    let expected = ln_evidence_of(canary_errors, stable_errors);
    assert!((ln_evidence - expected).abs() < 1e-9, "{ln_evidence} {expected}");
    for rule in ["error_rate", "latency_p99", "success_rate"] {
        let health = health(record, rule);
        assert!(health.checks > 0, "{rule}");
        assert_eq!(health.no_data, health.checks, "{rule}");
    }
    assert_eq!(judged(&result).verdict, Verdict::Pass);
}

#[test]
fn without_the_judge_a_dead_canary_stays_for_all_of_its_twenty_minutes() {
    let rules = "models.gpt-4.rules=../fixtures/rollback-rules.json";
    let loaded = shipped("low-traffic", &[rules]);
    let result = result(&loaded, loaded.scenario.seed);
    let record = &result.record;
    assert_eq!(record.phases[1].end.since(record.phases[1].start), seconds(20 * 60));
    assert_eq!(judged(&result).found, Verdict::Fail);
    for rule in ["error_rate", "latency_p99"] {
        let health = health(record, rule);
        assert_eq!(health.no_data, health.checks, "{rule}");
    }
    let seeds: Vec<u64> = (1..=50).collect();
    let rollbacks = results(&loaded, &seeds, |result| result.record.rollbacks.len());
    assert_eq!(rollbacks.iter().sum::<usize>(), 0, "of fifty dead canaries none is noticed");
}

#[test]
fn the_judge_takes_as_long_as_its_arithmetic_says() {
    let loaded = shipped("low-traffic", &[]);
    let seeds: Vec<u64> = (1..=200).collect();
    let mut times: Vec<u64> = results(&loaded, &seeds, |result| {
        let rollback = &result.record.rollbacks[0];
        rollback.at.since(rollback.onset.unwrap()).as_secs()
    });
    times.sort_unstable();
    // Computed apart from this program: the median is 135 s. 200 runs bring it within 7 s of that
    // with one standard error (1.25 standard deviations of 75 s over the root of 200).
    let median = times[100];
    assert!((135 - 25..=135 + 25).contains(&median), "{median} s");
    // Every run is decided; 465 s are exceeded by one of a thousand.
    assert!(times[197] <= 465, "{times:?}");
}

/// The evidence of `c` errors of the canary and `s` of the stable under shares of 1 % and 99 % and a
/// prior of strength 10, written as the product of the predictive probabilities.
fn ln_evidence_of(c: u64, s: u64) -> f64 {
    let share = 0.01;
    let rising = |a: f64, n: u64| (0..n).map(|j| a + j as f64).product::<f64>();
    let power = |a: f64, n: u64| (0..n).map(|_| a).product::<f64>();
    let evidence = rising(10.0 * share, c) * rising(10.0 * (1.0 - share), s)
        / rising(10.0, c + s)
        / (power(share, c) * power(1.0 - share, s));
    math::ln(evidence)
}
