//! Requests that are attempted again, and users who stay with a version.

use std::collections::BTreeMap;

use coalmine::exchange::{Class, Ending, VersionIndex};
use coalmine::record::Outcome;
use coalmine::scenario::Scenario;
use coalmine::units::Duration;

use super::witness::Witness;
use super::world::written;

const STABLE: VersionIndex = VersionIndex(0);
const CANARY: VersionIndex = VersionIndex(1);

/// 4,000 requests, half of them to a canary that fails three in ten with 503.
fn failing_canary(model: &str, phases: &str) -> Scenario {
    let text = format!(
        "
schema: 1
name: failing
workload: {{arrivals: {{constant: 20/s}}, requests: 4000, tokens: {{input: 10, output: 10}}, users: 200,
  clients: [{{key: web, share: 70%}}, {{key: app, share: 30%, version: v2}}]}}
models:
  m:
    {model}
    versions:
      v1: {{tags: [stable], upstream: {{latency: 100ms}}}}
      v2: {{upstream: {{latency: 100ms, failures: {{\"503\": {{probability: 30%, latency: 50ms}}}}}}}}
phases: {phases}
"
    );
    written(&text).scenario
}

const HALF: &str = "[{name: all, for: rest, split: {v1: 50%, v2: 50%}}]";

/// The outcomes of the canary's requests, and the share of them that failed for good.
fn canary<'a>(witness: &'a Witness<'_>) -> (Vec<&'a Outcome>, f64) {
    let own: Vec<_> =
        witness.outcomes.iter().filter(|outcome| outcome.assigned == CANARY).collect();
    let failed = own.iter().filter(|outcome| outcome.class == Class::Error).count();
    let share = failed as f64 / own.len() as f64;
    (own, share)
}

#[test]
fn two_further_attempts_leave_the_cube_of_the_errors() {
    let scenario = failing_canary(
        "policies: {retry: {attempts: 2, backoff: {first: 20ms, max: 1s, jitter: 0%}}}",
        HALF,
    );
    let witness = Witness::of(&scenario, 1);
    let (own, failed) = canary(&witness);
    // 0.3 cubed is 0.027; five standard deviations of 2,000 requests are 0.018.
    assert!((failed - 0.027).abs() < 0.018, "{failed}");
    for outcome in own {
        // 50 ms for each failure and 100 ms for an answer, with 20 and 40 ms between them.
        let millis = match (outcome.attempts, outcome.observed.ending) {
            (1, Ending::Success) => 100,
            (2, Ending::Success) => 50 + 20 + 100,
            (3, Ending::Success) => 50 + 20 + 50 + 40 + 100,
            (3, Ending::Status(503)) => 50 + 20 + 50 + 40 + 50,
            other => panic!("{other:?}"),
        };
        assert_eq!(outcome.observed.latency, Duration::from_millis(millis));
        assert_eq!(outcome.ended.since(outcome.started), outcome.observed.latency);
        assert_eq!(outcome.served, CANARY);
    }
}

#[test]
fn what_falls_back_is_answered_by_the_stable() {
    let scenario = failing_canary("policies: {fallback: stable}", HALF);
    let witness = Witness::of(&scenario, 2);
    let (own, failed) = canary(&witness);
    assert_eq!(failed, 0.0);
    for outcome in own {
        let fell_back = outcome.served == STABLE;
        assert_eq!(fell_back, outcome.attempts == 2);
        let millis = if fell_back { 150 } else { 100 };
        assert_eq!(outcome.observed.latency, Duration::from_millis(millis));
    }
    let share = witness.attempts.iter().filter(|attempt| attempt.version == CANARY).count();
    // 0.3 of 2,000, to five standard deviations.
    assert!((share as f64 - 600.0).abs() < 103.0, "{share}");
}

#[test]
fn retries_hide_a_failing_canary_from_its_clients_and_not_from_its_rule() {
    let rules = "rules: {enable: true, conditions: [{metric: error_rate, operator: '>', \
                 threshold: 0.1, duration_seconds: 15, action: rollback_to_last_stable}]}";
    let retry = "policies: {retry: {attempts: 5, backoff: {first: 3s, max: 3s}}}";
    let scenario = failing_canary(&format!("{retry}\n    {rules}"), HALF);
    let witness = Witness::of(&scenario, 3);
    assert_eq!(witness.rollbacks, 1);
    assert_eq!(witness.keys_rejected, 0, "a rollback leaves every key valid");
    let (own, failed) = canary(&witness);
    // 0.3 to the sixth is one in 1,400.
    assert!(failed < 0.01, "{failed} of {}", own.len());
    let rolled_back = witness.rolled_back_at.unwrap();
    let late = witness.attempts.iter().filter(|attempt| {
        let began = attempt.ended - attempt.observed.latency;
        attempt.version == CANARY && began > rolled_back
    });
    assert_eq!(late.count(), 0, "an attempt went to a version that had been rolled back");
    assert!(own.iter().any(|outcome| outcome.served == STABLE), "none waited at the rollback");
}

#[test]
fn a_client_that_has_had_enough_leaves_between_attempts() {
    let scenario = failing_canary(
        "policies: {retry: {attempts: 3, backoff: {first: 40s, max: 60s, jitter: 0%}}}",
        HALF,
    );
    let witness = Witness::of(&scenario, 4);
    let mut left = 0;
    for outcome in canary(&witness).0 {
        match outcome.observed.ending {
            Ending::Success => assert_eq!(outcome.attempts, 1),
            Ending::ClientClosed => left += 1,
            other => panic!("{other:?}"),
        }
        assert!(outcome.observed.latency <= Duration::from_secs(30));
    }
    assert!(left > 400, "{left}");
}

#[test]
fn turns_are_within_one_request_of_the_weights() {
    let phases = "[{name: all, for: rest, split: {v1: 65%, v2: 35%}}]";
    let scenario = failing_canary("assignment: even", phases);
    let own = canary(&Witness::of(&scenario, 5)).0.len() as i64;
    assert!((own - 1_400).abs() <= 1, "{own}");
}

#[test]
fn users_stay_and_a_growing_canary_takes_them_from_the_stable_only() {
    let phases = "[{name: tenth, requests: 1500, split: {v1: 90%, v2: 10%}}, \
                   {name: half, for: rest, split: {v1: 50%, v2: 50%}}]";
    let scenario = failing_canary("assignment: sticky", phases);
    let witness = Witness::of(&scenario, 6);
    let mut versions: BTreeMap<(u16, u32), VersionIndex> = BTreeMap::new();
    for outcome in &witness.outcomes {
        let (phase, user) = (outcome.phase, outcome.request.user);
        let version = *versions.entry((phase, user)).or_insert(outcome.assigned);
        assert_eq!(version, outcome.assigned, "user {user} met two versions in phase {phase}");
    }
    for user in 0..200 {
        if let (Some(before), Some(after)) = (versions.get(&(0, user)), versions.get(&(1, user))) {
            assert!(before <= after, "user {user} went back");
        }
    }
    let canaries = |phase| {
        versions.iter().filter(|(key, version)| key.0 == phase && **version == CANARY).count()
    };
    // 10 % and 50 % of 200 users, to five standard deviations.
    assert!((canaries(0) as f64 - 20.0).abs() < 21.0, "{}", canaries(0));
    assert!((canaries(1) as f64 - 100.0).abs() < 36.0, "{}", canaries(1));
}

#[test]
fn without_the_safeguard_the_keys_made_for_a_rolled_back_version_are_refused() {
    let rules = "rules: {enable: true, conditions: [{metric: error_rate, operator: '>', \
                 threshold: 0.1, duration_seconds: 15, action: rollback_to_last_stable}]}";
    let safeguards = "safeguards: {keys_survive_rollback: false}";
    let scenario = failing_canary(&format!("{safeguards}\n    {rules}"), HALF);
    let witness = Witness::of(&scenario, 7);
    let rolled_back = witness.rolled_back_at.unwrap();
    let after: Vec<_> =
        witness.outcomes.iter().filter(|outcome| outcome.started > rolled_back).collect();
    assert!(after.iter().all(|outcome| outcome.request.client == 0), "the key of app is refused");
    // Who was refused was assigned to nobody: what is missing of the 4,000 requests.
    assert_eq!(witness.keys_rejected, 4_000 - witness.assigned);
    let share = witness.keys_rejected as f64 / (witness.keys_rejected + after.len() as u64) as f64;
    // 30 % of the 3,500 or so after the rollback, to five standard deviations.
    assert!((share - 0.3).abs() < 0.04, "{share}");
}
