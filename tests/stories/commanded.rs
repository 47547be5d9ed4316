//! What an operator does while traffic goes on, and what the engine makes of it.

use coalmine::engine::{CommandError, Target};
use coalmine::exchange::VersionIndex;
use coalmine::gate::Verdict;
use coalmine::record::{Happening, KeyFault, Order, Record, Refusal};
use coalmine::units::{Duration, Timestamp, VersionId};

use super::world::{judged, play, result, seconds, written};

const HEAD: &str = "
schema: 1
name: commanded
workload: {arrivals: {constant: 20/s}, requests: 12000, tokens: {input: 10, output: 10}}
models:
  m:
    rules: {conditions: [{id: first, metric: error_rate, operator: '>', threshold: 0.5, duration_seconds: 30, action: rollback_to_last_stable}]}
    versions:
      v1: {tags: [stable], upstream: {latency: 100ms}}
      v2: {upstream: {latency: 100ms, failures: {\"503\": 20%}}}
phases:
  - name: all
    for: rest
    split: {v1: 50%, v2: 50%}
    commands:
";

fn commanded(commands: &str) -> Record {
    let lines: String = commands.lines().map(|line| format!("      - {}\n", line.trim())).collect();
    play(&written(&format!("{HEAD}{lines}")), 1).record
}

/// What came of commands, each with its time after the start and why it was refused, if it was.
fn told(record: &Record) -> Vec<(Duration, Order, Option<CommandError>)> {
    let mut told = Vec::new();
    for event in &record.timeline.events {
        match &event.happening {
            Happening::Commanded { order, .. } => {
                told.push((event.at.since(record.start), order.clone(), None));
            }
            Happening::CommandRefused { order, why: Refusal::Reason(why), .. } => {
                let last = told.last_mut().unwrap();
                assert_eq!(last.1, *order);
                last.2 = Some(why.clone());
            }
            _ => (),
        }
    }
    told
}

/// The weights of the two versions from each time on, in percent.
fn weights(record: &Record) -> Vec<(Duration, [f64; 2])> {
    let events = record.timeline.events.iter().filter_map(|event| match &event.happening {
        Happening::SplitChanged { weights, .. } => {
            let percent = |index: usize| (weights[index].get() * 100.0).round();
            Some((event.at.since(record.start), [percent(0), percent(1)]))
        }
        _ => None,
    });
    events.collect()
}

#[test]
fn commands_are_carried_out_at_their_times_whatever_their_order_in_the_file() {
    let record = commanded(
        "{at: 2m, split: {v1: 20%, v2: 80%}}
         {at: 1m, rollback: {}}
         {at: 90s, split: {v1: 0%, v2: 100%}, redeploy: true}",
    );
    let expected = [
        (seconds(0), [50.0, 50.0]),
        (seconds(60), [100.0, 0.0]),
        (seconds(90), [0.0, 100.0]),
        (seconds(120), [20.0, 80.0]),
    ];
    assert_eq!(weights(&record), expected);
    let told = told(&record);
    assert_eq!(told[0], (seconds(60), Order::Rollback { to: None }, None));
    assert!(told.iter().all(|(.., refused)| refused.is_none()));
    // Of an operator's rollback no rule is the cause.
    assert_eq!(record.rollbacks.len(), 0);
}

#[test]
fn what_the_engine_refuses_is_told_and_the_run_goes_on() {
    let record = commanded(
        "{at: 10s, resume: rollout}
         {at: 20s, rollback: {}}
         {at: 30s, split: {v1: 50%, v2: 50%}}
         {at: 40s, rollback: {to: golden}}
         {at: 50s, tag: {tag: golden, version: v2}}",
    );
    let refused: Vec<_> = told(&record).into_iter().map(|(.., refused)| refused).collect();
    assert!(matches!(refused[0], Some(CommandError::Rollout(_))), "{refused:?}");
    assert_eq!(refused[1], None);
    let v2 = VersionId::new("v2").unwrap();
    assert_eq!(refused[2], Some(CommandError::RolledBack(v2)));
    let Some(CommandError::UnknownVersion { name, .. }) = &refused[3] else {
        panic!("{refused:?}")
    };
    assert_eq!((name.as_str(), &refused[4]), ("golden", &None));
    let (assigned, ended) = super::world::totals(&record);
    assert_eq!((assigned, ended), (12_000, 12_000));
}

#[test]
fn a_phase_brings_back_what_was_rolled_back_unless_it_says_that_it_does_not() {
    let (head, _) = HEAD.split_once("phases:").unwrap();
    let last = |second: &str| {
        let first = "name: a, for: 1m, split: {v1: 50%, v2: 50%}, \
                     commands: [{at: 30s, rollback: {}}]";
        let phases =
            [first, second, "name: c, for: rest"].map(|phase| format!("  - {{{phase}}}\n"));
        let record = play(&written(&format!("{head}phases:\n{}", phases.concat())), 1).record;
        let refused = record.timeline.events.iter().filter_map(|event| match &event.happening {
            Happening::CommandRefused { order: Order::Begin { phase, .. }, why, .. } => {
                Some((event.at.since(record.start), *phase, why.clone()))
            }
            _ => None,
        });
        (*weights(&record).last().unwrap(), refused.collect::<Vec<_>>())
    };
    let v2 = VersionId::new("v2").unwrap();
    let refused = vec![(seconds(60), 1, Refusal::Reason(CommandError::RolledBack(v2)))];
    for (deploys, weights) in [
        ("split: {v1: 25%, v2: 75%}", [25.0, 75.0]),
        ("rollout: {version: v2, steps: [{weight: 10%, hold: 1h}]}", [90.0, 10.0]),
    ] {
        let phase = format!("name: b, for: 1m, {deploys}");
        assert_eq!(last(&phase), ((seconds(60), weights), vec![]));
        assert_eq!(last(&format!("{phase}, redeploy: true")), last(&phase));
        let kept = ((seconds(30), [100.0, 0.0]), refused.clone());
        assert_eq!(last(&format!("{phase}, redeploy: false")), kept);
    }
}

#[test]
fn a_rollback_to_where_all_traffic_is_already_is_none() {
    let record = commanded(
        "{at: 10s, rollback: {to: v1}}
         {at: 20s, rollback: {to: v1}}
         {at: 30s, rollback: {}}",
    );
    let idle = record.timeline.events.iter().filter_map(|event| match &event.happening {
        Happening::CommandIdle { order: Order::Rollback { to }, .. } => {
            let to = to.as_ref().map(Target::as_str);
            Some((event.at.since(record.start), to))
        }
        _ => None,
    });
    assert_eq!(idle.collect::<Vec<_>>(), [(seconds(20), Some("v1")), (seconds(30), None)]);
    let done = record.timeline.events.iter().filter_map(|event| match &event.happening {
        Happening::RolledBack { version, target } => {
            Some((event.at.since(record.start), *version, *target))
        }
        _ => None,
    });
    assert_eq!(done.collect::<Vec<_>>(), [(seconds(10), None, VersionIndex(0))]);
    assert_eq!((record.undone_commands.len(), record.rollbacks.len()), (0, 0));
    assert_eq!(weights(&record).len(), 2);
}

#[test]
fn a_tag_that_has_moved_names_its_new_holder() {
    let record = commanded(
        "{at: 10s, tag: {tag: golden, version: v1}}
         {at: 20s, tag: {tag: golden, version: v2}}
         {at: 30s, rollback: {to: golden}}",
    );
    assert_eq!(weights(&record)[1], (seconds(30), [0.0, 100.0]));
}

#[test]
fn other_rules_are_counted_apart_and_what_is_in_both_goes_on() {
    let first = "{id: first, metric: error_rate, operator: '>', threshold: 0.5, duration_seconds: \
                 30, action: rollback_to_last_stable}";
    let second = "{id: second, metric: error_rate, operator: '>', threshold: 0.1, \
                  duration_seconds: 30, action: rollback_to_last_stable}";
    let record = commanded(&format!(
        "{{at: 2m, rules: {{conditions: [{second}, {first}]}}}}
         {{at: 1m, rules: {{conditions: [{first}]}}}}"
    ));
    assert_eq!(record.models[0].triggers, ["first", "first", "second", "first"]);
    let rollback = &record.rollbacks[0];
    assert_eq!((rollback.version, rollback.evidence.trigger.as_str()), (VersionIndex(1), "second"));
    // Checks are at multiples of 8 s; the first that breaches after 120 s is the one at 120 s or
    // 128 s, and 30 s later is the fourth check after it.
    let after = rollback.at.since(record.start);
    assert!((seconds(150)..=seconds(160)).contains(&after), "{after}");
    let named: Vec<_> =
        record.rules.iter().map(|rule| (rule.trigger.as_str(), rule.checks)).collect();
    let checks = |name: &str| named.iter().filter(|(of, _)| *of == name).collect::<Vec<_>>();
    assert_eq!(checks("first").len(), 1, "{named:?}");
    assert_eq!(checks("first")[0].1, after.as_secs() / 8, "it went on from the start");
    let fired = record.timeline.events.iter().find_map(|event| match event.happening {
        Happening::Fired { trigger, .. } => Some(trigger),
        _ => None,
    });
    assert_eq!(fired, Some(2));
}

#[test]
fn thresholds_beside_a_split_hold_from_its_time_on() {
    let record = commanded("{at: 60s, split: {v1: 50%, v2: 50%}, fallback_threshold: 10%}");
    // One in five fails; the check at 60 s comes before the command, and they are 5 s apart.
    let rollback = &record.rollbacks[0];
    let after = rollback.at.since(record.start);
    assert_eq!((rollback.version, after), (VersionIndex(1), seconds(65)));
}

#[test]
fn a_rule_that_is_replaced_is_remembered() {
    let other = "{id: other, metric: error_rate, operator: '>', threshold: 0.9, duration_seconds: \
                 30, action: notify}";
    let record = commanded(&format!("{{at: 100s, rules: {{conditions: [{other}]}}}}"));
    let checks = |name: &str| {
        let mut rules = record.rules.iter().filter(|rule| rule.trigger == name);
        (rules.next().unwrap().checks, rules.count())
    };
    // At 8, 16, ... 96 s.
    assert_eq!(checks("first"), (12, 0));
    assert!(checks("other").0 > 50);
}

const KEYS: &str = "
schema: 1
name: keys
workload:
  arrivals: {constant: 20/s}
  requests: 6000
  tokens: {input: 10, output: 10}
  clients: [{key: web, share: 100%, version: v1}]
safeguards: {keys_survive_rollback: false}
models:
  m:
    versions:
      v1: {tags: [stable], upstream: {latency: 100ms}}
      v2: {upstream: {latency: 100ms}}
phases:
  - name: all
    for: rest
    commands:
";

fn with_keys(commands: &str) -> Record {
    let lines: String = commands.lines().map(|line| format!("      - {}\n", line.trim())).collect();
    play(&written(&format!("{KEYS}{lines}")), 1).record
}

fn rejected(record: &Record) -> u64 {
    record.key_rejections.iter().map(|rejections| rejections.count).sum()
}

#[test]
fn a_client_that_is_later_than_the_grace_is_refused_until_it_has_the_new_secret() {
    let late = with_keys("{at: 60s, regenerate_key: {key: web, grace: 30s, adopted_after: 90s}}");
    // From 90 s to 150 s, 20 times a second.
    assert_eq!(rejected(&late), 60 * 20);
    assert_eq!(lockouts(&late), [(90, KeyFault::Replaced, 1_200, Some(150))]);
    assert_eq!(told(&late)[0].0, seconds(60));
    let in_time = with_keys(
        "{at: 60s, regenerate_key: {key: web, grace: 30s, adopted_after: 30s}}
         {at: 61s, regenerate_key: {key: web}}",
    );
    assert_eq!(rejected(&in_time), 0);
    assert_eq!(lockouts(&in_time), []);
}

#[test]
fn a_client_whose_key_is_revoked_is_locked_out_to_the_end_for_another_reason() {
    let record = with_keys(
        "{at: 60s, regenerate_key: {key: web, grace: 0s, adopted_after: 1h}}
         {at: 100s, revoke_key: web}",
    );
    // 6,000 requests at 20/s end with that of 299.95 s.
    assert_eq!(
        lockouts(&record),
        [(60, KeyFault::Replaced, 800, Some(100)), (100, KeyFault::Unknown, 4_000, None)]
    );
    assert_eq!(rejected(&record), 4_800);
}

/// Each lockout with its seconds after the start, why, and how many requests it refused.
fn lockouts(record: &Record) -> Vec<(u64, KeyFault, u64, Option<u64>)> {
    let second = |at: Timestamp| at.since(record.start).as_secs();
    let events = record.timeline.events.iter().filter_map(|event| match event.happening {
        Happening::LockedOut { reason, requests, until, .. } => {
            Some((second(event.at), reason, requests, until.map(second)))
        }
        _ => None,
    });
    events.collect()
}

#[test]
fn whoever_takes_a_newer_secret_does_not_go_back_to_an_older_one() {
    let record = with_keys(
        "{at: 60s, regenerate_key: {key: web, adopted_after: 100s}}
         {at: 70s, regenerate_key: {key: web, grace: 20s, adopted_after: 40s}}",
    );
    // The old secrets end at 90 s; the newest is taken at 110 s, the older one at 160 s never.
    assert_eq!(rejected(&record), 20 * 20);
}

#[test]
fn a_key_that_a_rollback_invalidated_is_valid_again_once_it_is_regenerated() {
    let record = with_keys(
        "{at: 60s, rollback: {to: v2}}
         {at: 100s, regenerate_key: {key: web, version: v2}}
         {at: 200s, revoke_key: web}
         {at: 250s, regenerate_key: {key: web}}",
    );
    // From 60 s to 100 s, and from 200 s to the end of 6,000 requests at 300 s.
    assert_eq!(rejected(&record), 20 * (40 + 100));
    let refused: Vec<_> = told(&record).into_iter().map(|(.., refused)| refused).collect();
    assert_eq!(refused[..3], [None, None, None]);
    assert!(
        matches!(&refused[3], Some(CommandError::UnknownKey { id, .. }) if id.as_str() == "web"),
        "{refused:?}"
    );
}

#[test]
fn two_rules_of_one_name_are_not_added_up() {
    let changed = "{id: first, metric: error_rate, operator: '>', threshold: 0.9, \
                   duration_seconds: 30, action: notify}";
    let record = commanded(&format!("{{at: 100s, rules: {{conditions: [{changed}]}}}}"));
    let mut checks: Vec<_> = record.rules.iter().map(|rule| rule.checks).collect();
    checks.sort_unstable();
    // 12,000 requests at 20/s last 600 s: checks at 8, ... 96 s, and at 104, ... 592 s.
    assert_eq!((checks[0], checks.len()), (12, 2));
    assert!((62..=63).contains(&checks[1]), "{checks:?}");
    assert!(record.rules.iter().all(|rule| rule.trigger == "first"));
}

#[test]
fn a_fault_whose_time_never_comes_is_told_and_makes_the_verdict_invalid() {
    // 12,000 requests at 20/s last 10 min.
    let faults = "    faults: {v2: [{at: 11m, failures: {\"503\": 10%}}, {at: 1m, for: 1m, latency: \
                  {times: 2}}]}\n";
    let text = HEAD.replace("    commands:\n", faults) + "gate: [rollbacks == 0]\n";
    let loaded = written(&text);
    let result = result(&loaded, 1);
    let missed = result.record.timeline.events.iter().filter_map(|event| match &event.happening {
        Happening::FaultMissed { version, what } => Some((*version, what.clone())),
        _ => None,
    });
    let missed: Vec<_> = missed.collect();
    assert_eq!(missed, [(VersionIndex(1), "10.00 % answered 503".to_owned())]);
    let judged = judged(&result);
    assert_eq!((judged.verdict, judged.lines[0].verdict), (Verdict::Invalid, Verdict::Pass));
    let said = "the traffic ended before these faults began: 10.00 % answered 503 on v2";
    assert_eq!(judged.distrust, [said]);
}

#[test]
fn a_command_whose_time_never_comes_is_told_and_counted() {
    let short = "{name: short, requests: 100, commands: [{at: 10s, rollback: {}}]}";
    let head = HEAD.replace("phases:\n", &format!("phases:\n  - {short}\n"));
    // Twenty requests a second, 12,000 in all: the phases end after 5 s and after 600 s.
    let text =
        format!("{head}      - {{at: 1m, rollback: {{}}}}\n      - {{at: 11m, pause: rollout}}\n");
    let record = play(&written(&text), 1).record;
    let missed: Vec<_> = record
        .timeline
        .events
        .iter()
        .filter_map(|event| match &event.happening {
            Happening::CommandMissed { order, .. } => {
                Some((event.at.since(record.start).as_secs(), order))
            }
            _ => None,
        })
        .collect();
    let [(first, Order::Rollback { to: None }), (second, Order::Pause)] = missed[..] else {
        panic!("{missed:?}")
    };
    assert!(first <= 5 && (599..=601).contains(&second), "{missed:?}");
    let undone = record.undone_commands.iter().map(|undone| (undone.phase, undone.given));
    assert_eq!(undone.collect::<Vec<_>>(), [(0, false), (1, false)]);
    assert_eq!(told(&record).len(), 1, "the other is given");
}
