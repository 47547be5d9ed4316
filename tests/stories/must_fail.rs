//! `must-fail-gate`: the alarm rings.

use coalmine::gate::Verdict;

use super::world::{health, judged, shipped_result};

#[test]
fn the_gate_fails_and_the_expectation_turns_that_into_a_pass() {
    let result = shipped_result("must-fail-gate", &[]);
    let judged = judged(&result);
    assert_eq!(
        (judged.found, judged.expected, judged.verdict),
        (Verdict::Fail, Some(Verdict::Fail), Verdict::Pass)
    );
    let record = &result.record;
    for rule in ["error_rate", "latency_p99", "success_rate"] {
        let health = health(record, rule);
        assert_eq!((health.breaches, health.no_data), (0, 0), "{rule}");
    }
    // Two in a hundred, within 4 standard errors of the canary's 30,000 requests.
    let [blast] = &record.blasts[..] else { panic!("{:?}", record.blasts) };
    let share = blast.failed as f64 / blast.requests as f64;
    let standard_error = (0.02 * 0.98 / blast.requests as f64).sqrt();
    assert!((share - 0.02).abs() < 4.0 * standard_error, "{share}");
    assert_eq!(blast.drained, None, "nobody stopped it");
}

#[test]
fn a_gate_that_passes_where_it_must_fail_is_a_failure() {
    let result = shipped_result("must-fail-gate", &["gate.0=rollbacks == 0"]);
    let judged = judged(&result);
    assert_eq!((judged.found, judged.verdict), (Verdict::Pass, Verdict::Fail));
}
