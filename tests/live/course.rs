//! Phases, faults, splits, rollbacks, rollouts, commands, retries and keys, live and simulated.

use coalmine::exchange::VersionIndex;

use crate::world::{assigned, both, endings, happenings};

/// Two versions of one model, with `more` of it, under this workload and these phases.
fn scenario(workload: &str, model: &str, phases: &str) -> String {
    format!(
        "
schema: 1
name: course
seed: 5
workload:
  tokens: {{input: 30, output: 20}}
  users: 50
{workload}
models:
  gpt-4:
    versions:
      old: {{tags: [stable], price: {{blended: 0.008 USD}}, upstream: {{latency: 400ms}}}}
      new: {{tags: [beta], price: {{blended: 0.005 USD}}, upstream: {{latency: 300ms}}}}
{model}
phases:
{phases}
gate: [error_rate <= 100%]
"
    )
}

#[test]
fn each_request_goes_where_a_simulation_sends_it() {
    let phases = "
  - {name: before, requests: 60, split: {old: 100%}}
  - {name: canary, requests: 100, split: {old: 70%, new: 30%}}
  - {name: after, for: rest, split: {new: 100%}}
";
    let workload = "  arrivals: {constant: 10/s}\n  requests: 200\n  stream: 50%";
    let both = both(&scenario(workload, "", phases), 20.0);
    assert_eq!(assigned(&both.live), assigned(&both.simulated));
    assert_eq!(endings(&both.live), endings(&both.simulated));
    assert_eq!(happenings(&both.live), happenings(&both.simulated));
    let phases = |record: &coalmine::record::Record| -> Vec<String> {
        record.phases.iter().map(|phase| phase.name.clone()).collect()
    };
    assert_eq!(phases(&both.live), ["before", "canary", "after"]);
    assert_eq!(both.live.start, both.simulated.start);
    assert_eq!(both.live.phases[0].start, both.simulated.phases[0].start);
}

#[test]
fn requests_stick_to_their_users_as_in_a_simulation() {
    let phases = "
  - {name: canary, for: rest, split: {old: 50%, new: 50%}}
";
    let workload = "  arrivals: {constant: 10/s}\n  requests: 100";
    let model = "    assignment: sticky";
    let both = both(&scenario(workload, model, phases), 20.0);
    assert_eq!(assigned(&both.live), assigned(&both.simulated));
}

#[test]
fn a_canary_that_fails_is_rolled_back_by_the_same_rule() {
    let model = "
    rules:
      conditions:
        - {id: errors, metric: error_rate, operator: '>', threshold: 0.2, duration_seconds: 4,
           check_interval_seconds: 1, window_seconds: 4, min_requests: 5,
           action: rollback_to_last_stable}
";
    let phases = "
  - {name: canary, for: 8s, split: {old: 50%, new: 50%}}
  - name: incident
    until: rollback
    within: 60s
    faults: {new: [{failures: {'503': 90%}}]}
  - {name: after, for: 5s}
";
    let workload = "  arrivals: {constant: 20/s}";
    let both = both(&scenario(workload, model, phases), 10.0);
    let [rollback] = &both.live.rollbacks[..] else { panic!("{:?}", both.live.rollbacks) };
    assert_eq!((rollback.version, rollback.target), (VersionIndex(1), VersionIndex(0)));
    assert_eq!(rollback.phase, 1);
    assert_eq!(rollback.onset, both.simulated.rollbacks[0].onset, "the fault's own instant");
    let told = |record: &coalmine::record::Record| {
        let mut told = happenings(record);
        // When the last request of it ends is the machine's to say.
        told.retain(|told| !told.starts_with("Drained"));
        told
    };
    assert_eq!(told(&both.live), told(&both.simulated));
    let errors = both.live.rules.iter().find(|rule| rule.version == VersionIndex(1)).unwrap();
    assert_eq!((errors.trigger.as_str(), errors.firings), ("errors", 1));
    assert!(errors.checks > 0);
}

#[test]
fn attempts_are_followed_by_others_as_in_a_simulation() {
    let model = "
    policies: {retry: {attempts: 2, on: [5xx], backoff: {first: 100ms}}, fallback: stable}
";
    let phases = "
  - name: canary
    for: rest
    split: {old: 50%, new: 50%}
    faults: {new: [{failures: {'503': 60%}}]}
";
    let workload = "  arrivals: {constant: 10/s}\n  requests: 100";
    let both = both(&scenario(workload, model, phases), 10.0);
    let simulated = endings(&both.simulated);
    assert!(simulated["new"]["attempt 503"] > 0, "{simulated:?}");
    assert_eq!(endings(&both.live), simulated);
}

#[test]
fn commands_go_through_the_interface_and_those_that_are_refused_are_told() {
    let phases = "
  - name: rollout
    for: 30s
    split: {old: 100%}
    commands:
      - {at: 2s, rollout: {version: beta, steps: [{weight: 10%, hold: 1h}], bake: 5m}}
      - {at: 4s, pause: rollout}
      - {at: 6s, promote: old}
      - {at: 8s, resume: rollout}
      - {at: 10s, tag: {tag: spare, version: new}}
      - {at: 12s, tag: {tag: spare, version: new}}
      - {at: 14s, promote: beta}
      - {at: 16s, rollback: {to: old}}
      - {at: 18s, split: {old: 50%, beta: 50%}}
      - {at: 20s, split: {old: 50%, beta: 50%}, redeploy: true}
      - {at: 22s, rules: {conditions: [{id: slow, metric: latency_p99, operator: '>',
          threshold_ms: 9000, duration_seconds: 5, check_interval_seconds: 1, action: notify}]}}
";
    let workload = "  arrivals: {constant: 5/s}";
    let both = both(&scenario(workload, "", phases), 20.0);
    assert_eq!(happenings(&both.live), happenings(&both.simulated));
    let told = happenings(&both.live);
    let count = |word: &str| told.iter().filter(|told| told.starts_with(word)).count();
    assert!(count("refused") >= 2 && count("CommandIdle") >= 1, "{told:#?}");
}

#[test]
fn clients_have_keys_that_are_replaced_and_revoked() {
    let phases = "
  - name: keys
    for: 30s
    split: {old: 50%, new: 50%}
    commands:
      - {at: 5s, regenerate_key: {key: search, grace: 4s, adopted_after: 12s}}
      - {at: 20s, revoke_key: mail}
";
    let workload = "
  arrivals: {constant: 10/s}
  clients: [{key: search, share: 50%}, {key: mail, share: 30%, pin: beta}, {key: chat, share: 20%}]
";
    let both = both(&scenario(workload, "", phases), 10.0);
    let refused = |record: &coalmine::record::Record| -> Vec<_> {
        let all = record.key_rejections.iter();
        all.map(|it| (it.phase, it.client, it.reason)).collect()
    };
    assert_eq!(refused(&both.live), refused(&both.simulated));
    assert_eq!(refused(&both.live).len(), 2, "one was replaced and one revoked");
    let pinned =
        |record: &coalmine::record::Record| assigned(record).keys().copied().collect::<Vec<_>>();
    assert_eq!(pinned(&both.live), pinned(&both.simulated));
}

#[test]
fn users_who_wait_for_answers_send_as_many_requests() {
    let phases = "
  - {name: all, for: rest, split: {old: 50%, new: 50%}}
";
    let workload = "  arrivals: {closed: {users: 4, think: 200ms}}\n  requests: 60";
    let both = both(&scenario(workload, "", phases), 10.0);
    assert_eq!(both.outcomes.len(), 60);
    // Who sends when depends on the answers; what each of a user's requests draws does not.
    let of_first_user = |of: &[coalmine::record::Outcome]| {
        let mut own: Vec<_> = of.iter().filter(|it| it.request.user == 0).collect();
        own.sort_by_key(|it| it.started);
        own.first().map(|it| (it.request.id, it.assigned))
    };
    assert!(of_first_user(&both.outcomes).is_some());
}
