//! Canaries that fail without a sound: too seldom for a threshold, slower by the minute, with a
//! status that looks like the client's fault, or not at all, for a while.

use coalmine::engine::Reading;
use coalmine::gate::Verdict;
use coalmine::units::Duration;

use super::world::{health, judged, result, results, seconds, shipped, shipped_result};

#[test]
fn a_slow_burn_is_under_every_threshold_and_the_judge_sees_it() {
    let result = shipped_result("slow-burn", &[]);
    let record = &result.record;
    assert_eq!(record.rollbacks[0].evidence.trigger, "judge");
    for rule in ["error_rate", "latency_p99", "success_rate"] {
        let health = health(record, rule);
        assert_eq!(health.firings, 0, "{rule}");
        assert!(health.no_data * 10 < health.checks, "{rule} has data and sees nothing in it");
    }
    assert_eq!(judged(&result).verdict, Verdict::Pass);
}

#[test]
fn without_the_judge_a_slow_burn_goes_on_to_the_end() {
    let rules = "models.gpt-4.rules=../fixtures/rollback-rules.json";
    let loaded = shipped("slow-burn", &[rules]);
    let seeds: Vec<u64> = (1..=20).collect();
    let harm = results(&loaded, &seeds, |result| {
        assert!(result.record.rollbacks.is_empty(), "seed {}", result.record.seed);
        result.record.blasts[0].failed
    });
    // 30 min and the 5 min of the next phase, at 4.17 requests a second, 2 % of them: 175, with a
    // standard deviation of 13.1.
    let mean = harm.iter().sum::<u64>() as f64 / 20.0;
    assert!((mean - 175.0).abs() < 3.0 * 13.1 / 20_f64.sqrt(), "{mean}");
}

#[test]
fn a_slow_burn_is_judged_as_fast_as_the_arithmetic_says() {
    let loaded = shipped("slow-burn", &[]);
    let seeds: Vec<u64> = (1..=100).collect();
    let mut times = results(&loaded, &seeds, |result| {
        let rollback = &result.record.rollbacks[0];
        rollback.at.since(rollback.onset.unwrap()).as_secs()
    });
    times.sort_unstable();
    // Computed apart from this program: the median is 550 s, the standard deviation some 208 s, of
    // a median of 100 a tenth of 1.25 times that.
    assert!((550 - 78..=550 + 78).contains(&times[50]), "{times:?}");
    assert!(times[98] <= 1_385, "{times:?}");
}

#[test]
fn a_creeping_latency_is_noticed_once_its_p99_passes_the_limit_and_not_before() {
    let result = shipped_result("latency-creep", &[]);
    let record = &result.record;
    let [rollback] = &record.rollbacks[..] else { panic!("{:?}", record.rollbacks) };
    assert!(matches!(rollback.evidence.reading, Reading::Time { .. }), "{rollback:?}");
    // 1,423 ms x (1 + 3 t / 20 min) = 3,000 ms.
    let crossing = Duration::from_secs_f64(20.0 * 60.0 * (3_000.0 / 1_423.0 - 1.0) / 3.0);
    let held = rollback.evidence.check.since(rollback.evidence.first_breach);
    assert!(rollback.at.since(record.phases[1].start) > crossing);
    assert!(held >= seconds(30), "{held}");
    for rule in ["error_rate", "success_rate"] {
        assert_eq!(health(record, rule).breaches, 0, "{rule}");
    }
    assert_eq!(judged(&result).verdict, Verdict::Pass);
}

#[test]
fn a_refused_upstream_key_counts_against_the_version_that_has_it() {
    let result = shipped_result("wrong-upstream-key", &[]);
    let record = &result.record;
    let canary = record.cells.iter().find(|cell| cell.version.0 == 1).unwrap();
    assert!(canary.tally.failed.of("401") > 0);
    assert_eq!(canary.tally.uncounted.total(), 0);
    assert_eq!(record.rollbacks[0].at.since(record.phases[1].start), seconds(75));
    assert_eq!(judged(&result).verdict, Verdict::Pass);
}

#[test]
fn requests_in_flight_for_too_long_tell_of_a_canary_that_hangs() {
    let result = shipped_result("hanging-canary", &[]);
    let record = &result.record;
    let [rollback] = &record.rollbacks[..] else { panic!("{:?}", record.rollbacks) };
    let Reading::Time { requests, in_flight, .. } = rollback.evidence.reading else {
        panic!("{rollback:?}")
    };
    assert_eq!(requests, in_flight, "nothing else stands in the window");
    // The first check at which whole seconds of requests are older than 3 s is that at 8 s; it
    // fires at the first check of those every 8 s at which this is 30 s ago: 40 s.
    assert_eq!(rollback.at.since(record.phases[1].start), seconds(40));
    assert_eq!(judged(&result).verdict, Verdict::Pass);
}

#[test]
fn without_its_latency_rule_a_hanging_canary_stays_until_clients_have_given_up() {
    let rule = "models.gpt-4.rules={conditions: [{metric: error_rate, operator: '>', \
                threshold: 0.05, duration_seconds: 60, action: rollback_to_last_stable}]}";
    let loaded = shipped("hanging-canary", &[rule]);
    let result = result(&loaded, loaded.scenario.seed);
    // Clients leave after 30 s, the next check is at 45 s, and the breach must hold for 60 s.
    let began = result.record.phases[1].start;
    assert_eq!(result.record.rollbacks[0].at.since(began), seconds(105));
    assert_eq!(judged(&result).found, Verdict::Fail, "later than the gate allows");
}
