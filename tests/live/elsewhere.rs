//! Scenarios through a gateway that runs apart from the harness, beside the same ones in virtual
//! time. It draws its split for itself, so shares agree within what chance does; where one version
//! has all traffic every request ends as in the simulation. Time runs as on the wall: runs are
//! short.

use std::thread;

use coalmine::exchange::VersionIndex;
use coalmine::record::{Arm, Record};
use coalmine::run::Rehearsal;
use serde_json::json;

use crate::far_world::{FarWorld, far};
use crate::world::{assigned, endings, happenings, written};

/// Two versions of one model, with `more` of it, under this workload and these phases.
fn scenario(workload: &str, model: &str, phases: &str) -> String {
    format!(
        "
schema: 1
name: far
seed: 5
workload:
  tokens: {{input: 30, output: 20}}
  users: 50
  upstream_timeout: 8s
{workload}
models:
  gpt-4:
    versions:
      old: {{tags: [stable], price: {{blended: 0.008 USD}}, upstream: {{latency: 40ms}}}}
      new:
        tags: [beta]
        price: {{blended: 0.005 USD}}
        upstream: {{latency: 30ms, failures: {{'503': 20%, reset: 20%, malformed: 10%}}}}
{model}
phases:
{phases}
gate: [error_rate <= 100%]
"
    )
}

const EMPTY: &str = "{gpt-4: {}}";
const RULES: &str = "
    rules:
      conditions:
        - {id: errors, metric: error_rate, operator: '>', threshold: 0.7, duration_seconds: 1,
           check_interval_seconds: 1, window_seconds: 3, min_requests: 5,
           action: rollback_to_last_stable}
";

/// The share of `version` in a phase must lie within what a binomial share does but once in a
/// million runs: 4.9 standard deviations.
fn assert_share(record: &Record, phase: u16, version: u16, share: f64) {
    let of = |arm: u16| -> u64 {
        let all = assigned(record);
        all.iter().filter(|((p, v, _), _)| (*p, *v) == (phase, arm)).map(|(_, count)| *count).sum()
    };
    let (hits, all) = (of(version) as f64, (of(0) + of(1)) as f64);
    let deviation = (share * (1.0 - share) / all).sqrt();
    assert!((hits / all - share).abs() < 4.9 * deviation, "{hits} of {all} for {share}");
}

#[test]
fn a_canary_that_fails_is_rolled_back_by_the_rule_that_the_gateway_was_given() {
    let phases = "
  - {name: canary, for: 3s, split: {old: 60%, new: 40%}}
  - name: incident
    until: rollback
    within: 60s
    faults: {new: [{failures: {'500': 45%}}]}
  - {name: after, for: 1s}
";
    let world = FarWorld::new(EMPTY);
    let both = world.both(&scenario("  arrivals: {constant: 60/s}", RULES, phases));
    for record in [&both.live, &both.simulated] {
        assert_share(record, 0, 1, 0.4);
        let [rollback] = &record.rollbacks[..] else { panic!("{:?}", record.rollbacks) };
        assert_eq!((rollback.version, rollback.target), (VersionIndex(1), VersionIndex(0)));
        assert_eq!(rollback.phase, 1);
        // The fault's own instant, in the time of each.
        assert_eq!(rollback.onset, Some(record.phases[1].start));
        // Checks are a second apart, so that the gateway's clock decides within one.
        let took = rollback.at.since(record.phases[1].start).as_secs_f64();
        assert!((1.0..=5.0).contains(&took), "{took}");
        let after = assigned(record).into_iter().filter(|((phase, ..), _)| *phase == 2);
        assert!(after.into_iter().all(|((_, version, _), _)| version == 0));
        assert!(record.journal.entries.iter().any(|entry| entry.cause.by() == "errors"));
    }
    let took = |record: &Record| record.rollbacks[0].at.since(record.phases[1].start).as_secs_f64();
    // A check falls into the phase anywhere, and which requests the canary gets is drawn.
    assert!((took(&both.live) - took(&both.simulated)).abs() <= 2.0);
    // What differs is only when the last request of the canary ends.
    let told = |record: &Record| {
        let mut told = happenings(record);
        told.retain(|told| !told.starts_with("Drained"));
        told
    };
    assert_eq!(told(&both.live), told(&both.simulated));
    let errors = both.live.rules.iter().find(|rule| rule.version == VersionIndex(1)).unwrap();
    assert_eq!((errors.trigger.as_str(), errors.firings), ("errors", 1));
    assert!(errors.checks > 0);
    // The canary's own failures, in either: 20 + 20 + 10 of a hundred.
    for record in [&both.live, &both.simulated] {
        let cells = record.cells.iter().filter(|cell| (cell.phase, cell.version.0) == (0, 1));
        let (mut failed, mut all) = (0, 0);
        for cell in cells {
            failed += cell.tally.failed.iter().map(|(_, count)| count).sum::<u64>();
            all += cell.tally.assigned;
        }
        let deviation = (0.25 / all as f64).sqrt();
        let rate = failed as f64 / all as f64;
        assert!((rate - 0.5).abs() < 4.9 * deviation, "{failed} of {all}");
    }
    let (status, split) = world.ask("GET", "/v1/deploy/status", None);
    assert_eq!((status, &split["models"][0]["split"]), (200, &json!({"old": 1.0})));
}

#[test]
fn where_one_version_has_all_traffic_every_attempt_ends_as_in_the_simulation() {
    let policies = "{retry: {attempts: 2, on: [5xx, reset], backoff: {first: 20ms}}}";
    let model = format!("    policies: {policies}");
    let phases = "
  - {name: all, for: rest, split: {new: 100%}}
";
    let workload = "  arrivals: {constant: 50/s}\n  requests: 100\n  stream: 50%";
    let world = FarWorld::new(&format!("{{gpt-4: {{policies: {policies}}}}}"));
    let both = world.both(&scenario(workload, &model, phases));
    let simulated = endings(&both.simulated);
    assert!(simulated["new"]["attempt 503"] > 0 && simulated["new"]["final reset"] > 0);
    assert_eq!(endings(&both.live), simulated);
    assert_eq!(both.outcomes.len(), 100);
}

#[test]
fn commands_change_a_gateway_elsewhere_and_its_refusals_are_told() {
    let phases = "
  - name: rollout
    for: 3s
    split: {old: 100%}
    commands:
      - {at: 200ms, rollout: {version: beta, steps: [{weight: 10%, hold: 1h}], bake: 5m}}
      - {at: 400ms, pause: rollout}
      - {at: 600ms, promote: old}
      - {at: 800ms, resume: rollout}
      - {at: 1s, tag: {tag: spare, version: new}}
      - {at: 1200ms, tag: {tag: spare, version: new}}
      - {at: 1400ms, promote: beta}
      - {at: 1600ms, rollback: {to: old}}
      - {at: 1800ms, split: {old: 50%, beta: 50%}}
      - {at: 2s, split: {old: 50%, beta: 50%}, redeploy: true}
      - {at: 2200ms, rules: {conditions: [{id: slow, metric: latency_p99, operator: '>',
          threshold_ms: 9000, duration_seconds: 5, check_interval_seconds: 1, action: notify}]}}
";
    let world = FarWorld::new(EMPTY);
    let both = world.both(&scenario("  arrivals: {constant: 5/s}", "", phases));
    assert_eq!(happenings(&both.live), happenings(&both.simulated));
    // Those of the run are gone with it.
    let (_, rules) = world.ask("GET", "/v1/deploy/rollback-rules?model=gpt-4", None);
    assert_eq!(rules["conditions"], json!([]));
}

#[test]
fn keys_are_made_for_the_run_and_forgotten_after_it() {
    let phases = "
  - name: keys
    for: 3s
    split: {old: 100%}
    commands:
      - {at: 500ms, regenerate_key: {key: search, grace: 400ms, adopted_after: 1200ms}}
      - {at: 2s, revoke_key: mail}
";
    let workload = "
  arrivals: {constant: 40/s}
  clients: [{key: search, share: 50%}, {key: mail, share: 30%, pin: beta}, {key: chat, share: 20%}]
";
    let world = FarWorld::new(EMPTY);
    let both = world.both(&scenario(workload, "", phases));
    let refused = |record: &Record| -> Vec<_> {
        let all = record.key_rejections.iter();
        all.map(|it| (it.phase, it.client, it.reason)).collect()
    };
    assert_eq!(refused(&both.live), refused(&both.simulated));
    assert_eq!(refused(&both.live).len(), 2, "one was replaced and one revoked");
    let sides = |record: &Record| assigned(record).keys().copied().collect::<Vec<_>>();
    assert_eq!(sides(&both.live), sides(&both.simulated));
    assert!(sides(&both.live).iter().any(|(.., arm)| *arm == Arm::Pinned));
    let (_, keys) = world.ask("GET", "/v1/auth/keys", None);
    let keys = keys.as_array().unwrap().iter().map(|key| key["id"].as_str().unwrap());
    assert_eq!(keys.collect::<Vec<_>>(), ["admin"], "none is left but the first");
}

#[test]
fn what_an_earlier_run_has_left_is_as_the_scenario_begins() {
    let version = |id: &str, price: &str, tags: &str| {
        format!(
            "{id}: {{upstream: mock, parameters: {{model: {id}}}, price: {{blended: {price} USD}}, \
             tags: {tags}}}"
        )
    };
    let versions =
        [version("old", "0.008", "[first]"), version("new", "0.005", "[stable]")].join(", ");
    let world = FarWorld::new(&format!("{{gpt-4: {{versions: {{{versions}}}}}}}"));
    let deploy = |body| world.ask("POST", "/v1/models/gpt-4/deploy", Some(&body)).0;
    assert_eq!(deploy(json!({"action": "split", "split": {"old": 1.0}})), 200);
    assert_eq!(deploy(json!({"action": "rollback", "target_version": "new"})), 200);
    let phases = "
  - {name: canary, for: 500ms, split: {stable: 50%, beta: 50%}}
  - {name: back, for: 500ms, commands: [{at: 100ms, rollback: {to: stable}}]}
";
    let both = world.both(&scenario("  arrivals: {constant: 20/s}", RULES, phases));
    assert_eq!(happenings(&both.live), happenings(&both.simulated));
    assert_eq!(both.live.rules.iter().map(|rule| rule.firings).sum::<u64>(), 0);
}

#[test]
fn requests_of_others_are_counted_and_make_the_run_invalid() {
    let phases = "
  - {name: all, for: 1500ms, split: {old: 100%}}
";
    let world = FarWorld::new(EMPTY);
    let loaded = written(&scenario("  arrivals: {constant: 20/s}", "", phases));
    let elsewhere = world.elsewhere();
    let body = json!({"model": "gpt-4", "messages": [{"role": "user", "content": "Hello?"}]});
    let facts = thread::scope(|scope| {
        let run = scope.spawn(|| far(&loaded, elsewhere, &mut Vec::new()).unwrap());
        let mut refused = 0;
        while !run.is_finished() {
            let (status, _) = world.ask("POST", "/v1/chat/completions", Some(&body));
            refused += u64::from(status == 409);
        }
        let facts = run.join().unwrap().live.unwrap();
        // The answer to the last may have been cut off by the end of the mock.
        let strangers = facts.gateway.as_ref().unwrap().strangers;
        assert!(refused > 0 && (refused..=refused + 1).contains(&strangers), "{strangers}");
        facts
    });
    let reasons = facts.distrust();
    assert!(reasons.iter().any(|reason| reason.contains("of others")), "{reasons:?}");
}

#[test]
fn no_request_is_lost_while_a_gateway_is_commanded() {
    // While it is asked, requests are taken and reach the mock, and are heard of all at once. That
    // none is lost every run of `both` asserts.
    let commands: String = (1..20)
        .map(|number| format!("      - {{at: {}ms, split: {{old: 50%, new: 50%}}}}\n", number * 50))
        .collect();
    let phases = format!(
        "\n  - name: busy\n    for: 1s\n    split: {{old: 50%, new: 50%}}\n    commands:\n{commands}"
    );
    let world = FarWorld::new(EMPTY);
    let both = world.both(&scenario("  arrivals: {constant: 400/s}", "", &phases));
    // The phase ends by the clock of the wall: a request more may begin by then.
    let sent = both.outcomes.len();
    assert!((400..=402).contains(&sent), "{sent}");
    assert_share(&both.live, 0, 1, 0.5);
}

/// A run of a second and a half, while somebody does this to the gateway again and again; what is
/// known of it, and its record.
fn meanwhile(world: &FarWorld, act: impl Fn(u32)) -> (Rehearsal, u32) {
    let phases = "
  - name: all
    for: 1500ms
    split: {old: 100%}
    commands: [{at: 300ms, tag: {tag: spare, version: new}}, {at: 600ms, split: {old: 100%}}]
";
    let loaded = written(&scenario("  arrivals: {constant: 20/s}", RULES, phases));
    let is_playing = || {
        let (_, status) = world.ask("GET", "/v1/deploy/status", None);
        status["models"][0]["split"]["old"] == 1.0
    };
    thread::scope(|scope| {
        let run = scope.spawn(|| far(&loaded, world.elsewhere(), &mut Vec::new()).unwrap());
        let mut acted = 0;
        while !run.is_finished() {
            if is_playing() {
                act(acted);
                acted += 1;
            }
        }
        (run.join().unwrap(), acted)
    })
}

const TWO_MODELS: &str = "{gpt-4: {}, gpt-5: {versions: {real: {upstream: mock, tags: [stable]}}}}";

#[test]
fn what_others_do_with_other_models_and_keys_is_none_of_the_runs_business() {
    let world = FarWorld::new(TWO_MODELS);
    let (rehearsal, acted) = meanwhile(&world, |number| {
        let tag = json!({"tag": format!("t{number}"), "version_id": "real"});
        assert_eq!(world.ask("POST", "/v1/models/gpt-5/versions/tag", Some(&tag)).0, 200);
        let key = json!({"id": format!("theirs-{number}"), "scope": "inference"});
        assert_eq!(world.ask("POST", "/v1/auth/keys", Some(&key)).0, 201);
    });
    assert!(acted > 1);
    let of_model = |entry: &coalmine::engine::Entry| entry.model.as_ref().map(ToString::to_string);
    let entries = &rehearsal.record.journal.entries;
    assert!(entries.iter().all(|entry| of_model(entry) == Some("gpt-4".to_owned())), "{entries:?}");
    assert_eq!(rehearsal.live.unwrap().distrust(), [""; 0]);
}

#[test]
fn what_others_do_with_its_own_models_makes_a_run_invalid() {
    let world = FarWorld::new(TWO_MODELS);
    // By the run's own key, as people share one, and with a command that the run has given too.
    let (rehearsal, acted) = meanwhile(&world, |number| {
        let version = if number % 2 == 0 { "old" } else { "new" };
        let tag = json!({"tag": "theirs", "version_id": version});
        assert_eq!(world.ask("POST", "/v1/models/gpt-4/versions/tag", Some(&tag)).0, 200);
    });
    let reasons = rehearsal.live.unwrap().distrust();
    assert!(acted > 1 && reasons.len() == 1, "{reasons:?}");
    assert!(reasons[0].contains("(the first: tagged of gpt-4 by admin at "), "{reasons:?}");
}
