//! Tags that move in the course of a run: a phase means whoever has them when it begins.

use coalmine::engine::{CommandError, Target};
use coalmine::exchange::{Class, VersionIndex};
use coalmine::record::{Happening, Order, PhasePart, Record, Refusal};
use coalmine::units::{Duration, VersionId};

use super::witness::Witness;
use super::world::{play, seconds, written};

/// Ten requests a second on v1 (the stable), v2 (tagged beta) and v3, with `more` of the model.
fn scenario(more: &str, phases: &[&str]) -> String {
    let phases: String = phases.iter().map(|phase| format!("  - {{{phase}}}\n")).collect();
    format!(
        "schema: 1
name: moving
workload: {{arrivals: {{constant: 10/s}}, requests: 1800, tokens: {{input: 10, output: 10}}}}
models:
  m:
    {more}
    versions:
      v1: {{tags: [stable], upstream: {{latency: 100ms}}}}
      v2: {{tags: [beta], upstream: {{latency: 100ms}}}}
      v3: {{upstream: {{latency: 100ms}}}}
phases:
{phases}"
    )
}

fn run(more: &str, phases: &[&str]) -> Record {
    play(&written(&scenario(more, phases)), 1).record
}

/// The weights of the versions from each time on, in percent.
fn weights(record: &Record) -> Vec<(Duration, Vec<f64>)> {
    let events = record.timeline.events.iter().filter_map(|event| match &event.happening {
        Happening::SplitChanged { weights, .. } => {
            let percent = weights.iter().map(|weight| (weight.get() * 100.0).round()).collect();
            Some((event.at.since(record.start), percent))
        }
        _ => None,
    });
    events.collect()
}

/// When faults began and ended, and on which version.
fn faults(record: &Record) -> Vec<(Duration, bool, u16)> {
    let events = record.timeline.events.iter().filter_map(|event| {
        let after = event.at.since(record.start);
        match event.happening {
            Happening::FaultBegan { version, .. } => Some((after, true, version.0)),
            Happening::FaultEnded { version, .. } => Some((after, false, version.0)),
            _ => None,
        }
    });
    events.collect()
}

/// What was refused, when and why.
fn refused(record: &Record) -> Vec<(Duration, (u16, PhasePart), Refusal)> {
    let events = record.timeline.events.iter().filter_map(|event| match &event.happening {
        Happening::CommandRefused { order: Order::Begin { phase, with }, why, .. } => {
            Some((event.at.since(record.start), (*phase, with.clone()), why.clone()))
        }
        _ => None,
    });
    events.collect()
}

fn twice(version: &str) -> Refusal {
    Refusal::Reason(CommandError::NamedTwice(VersionId::new(version).unwrap()))
}

const PROMOTED: &str = "name: a, for: 1m, split: {v1: 100%}, commands: [{at: 10s, promote: v2}, \
                        {at: 20s, tag: {tag: beta, version: v3}}]";

#[test]
fn after_a_promotion_stable_is_the_promoted_version() {
    let second = "name: b, for: 1m, split: {stable: 80%, beta: 20%}, \
                  faults: {beta: [{at: 10s, failures: {\"503\": 100%}}], \
                  stable: [{at: 20s, for: 10s, latency: {times: 2}}]}";
    let record = run("", &[PROMOTED, second]);
    assert_eq!(weights(&record).last().unwrap(), &(seconds(60), vec![0.0, 80.0, 20.0]));
    assert_eq!(
        faults(&record),
        [
            (seconds(70), true, 2),
            (seconds(80), true, 1),
            (seconds(90), false, 1),
            (seconds(120), false, 2)
        ]
    );
    assert_eq!((refused(&record), record.undone_commands.len()), (vec![], 0));
    // Of v3 all fail from 70 s on, and of the others none.
    let loaded = written(&scenario("", &[PROMOTED, second]));
    for outcome in Witness::of(&loaded.scenario, 1).outcomes {
        let after = outcome.started.since(record.start);
        let struck = outcome.assigned == VersionIndex(2) && after >= seconds(70);
        assert_eq!(outcome.class == Class::Error, struck, "{outcome:?}");
    }
}

#[test]
fn the_same_names_by_id_are_the_same_run() {
    let by = |stable: &str, beta: &str| {
        let second = format!(
            "name: b, for: 1m, split: {{{stable}: 80%, {beta}: 20%}}, \
             faults: {{{beta}: [{{at: 5s, for: 90s, failures: {{\"503\": 40%}}}}]}}"
        );
        let third = format!(
            "name: c, for: 1m, rollout: {{version: {beta}, steps: [{{weight: 30%, hold: 5s}}]}}"
        );
        run("", &[PROMOTED, &second, &third])
    };
    assert_eq!(by("stable", "beta"), by("v2", "v3"));
}

#[test]
fn two_names_of_one_version_are_refused_and_the_run_goes_on() {
    let promoted = "name: a, for: 1m, split: {v1: 100%}, commands: [{at: 10s, promote: v2}]";
    let second = "name: b, for: 1m, split: {stable: 50%, beta: 50%}";
    let record = run("", &[promoted, second, "name: c, for: 1m, split: {v1: 100%}"]);
    let [(at, what, why)] = &refused(&record)[..] else { panic!("{:?}", refused(&record)) };
    assert_eq!((*at, why), (seconds(60), &twice("v2")));
    let (1, PhasePart::Split { shares }) = what else { panic!("{what:?}") };
    let mut names: Vec<_> = shares.iter().map(|share| share.version.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["stable", "v2"]);
    let expected = [
        (seconds(0), vec![100.0, 0.0, 0.0]),
        (seconds(10), vec![0.0, 100.0, 0.0]),
        (seconds(120), vec![100.0, 0.0, 0.0]),
    ];
    assert_eq!(weights(&record), expected);
    let undone: Vec<_> = record.undone_commands.iter().map(|one| (one.phase, one.given)).collect();
    assert_eq!(undone, [(1, true)]);
}

#[test]
fn what_names_a_tag_that_nobody_has_is_told() {
    // The command that would make the tag is never given.
    let first = "name: a, requests: 100, split: {v1: 100%}, \
                 commands: [{at: 1m, tag: {tag: golden, version: v3}}]";
    let second = "name: b, for: 1m, split: {v1: 50%, golden: 50%}, \
                  faults: {golden: [{latency: {times: 2}}, {at: 1s, latency: {times: 2}}]}";
    let third = "name: c, for: 1m, rollout: {version: golden, steps: [{weight: 5%, hold: 5s}]}";
    let record = run("", &[first, second, third]);
    let told = refused(&record);
    assert_eq!(told.len(), 3, "{told:?}");
    let golden = || Target::new("golden").unwrap();
    let [(_, (1, PhasePart::Split { .. }), split), (_, faulty, none), (_, rollout, unknown)] =
        &told[..]
    else {
        panic!("{told:?}")
    };
    assert_eq!(*faulty, (1, PhasePart::Faults { version: golden() }));
    assert_eq!(*rollout, (2, PhasePart::Rollout { version: golden() }));
    assert_eq!(*none, Refusal::NoHolder { tag: golden() });
    for why in [split, unknown] {
        let Refusal::Reason(CommandError::UnknownVersion { name, .. }) = why else {
            panic!("{why:?}")
        };
        assert_eq!(name, "golden");
    }
    assert_eq!(faults(&record), []);
    assert_eq!(weights(&record).len(), 1);
}

#[test]
fn a_tag_that_went_with_the_traffic_names_nobody() {
    let loose = "safeguards: {keep_tags: false}";
    let both = "name: a, for: 1m, split: {stable: 50%, beta: 50%}";
    let without =
        "name: b, for: 1m, split: {stable: 100%}, faults: {beta: [{latency: {times: 2}}]}";
    let again = "name: c, for: 1m, split: {stable: 50%, beta: 50%}";
    let record = run(loose, &[both, without, again]);
    // When the second phase begins, beta is v2 still; its split takes the tag away.
    assert_eq!(faults(&record), [(seconds(60), true, 1), (seconds(120), false, 1)]);
    let [(at, _, why)] = &refused(&record)[..] else { panic!("{:?}", refused(&record)) };
    assert_eq!(*at, seconds(120));
    let (name, known) = ("beta".to_owned(), "v1, v2, v3, stable".to_owned());
    assert_eq!(*why, Refusal::Reason(CommandError::UnknownVersion { name, known }));
}

#[test]
fn a_fault_stays_on_the_version_that_had_the_tag_when_its_phase_began() {
    let first = "name: a, for: 1m, split: {v2: 50%, v3: 50%}, commands: [{at: 10s, tag: {tag: \
                 beta, version: v3}}], faults: {beta: [{at: 30s, for: 50s, failures: {\"503\": \
                 100%}}]}";
    let second = "name: b, for: 1m, faults: {beta: [{latency: {add: 1s}}]}";
    let record = run("", &[first, second]);
    let expected = [
        (seconds(30), true, 1),
        (seconds(60), true, 2),
        (seconds(80), false, 1),
        (seconds(120), false, 2),
    ];
    assert_eq!(faults(&record), expected);
}

#[test]
fn a_rollout_goes_on_where_what_would_end_it_is_refused() {
    let rollout = "rollout: {version: v2, steps: [{weight: 10%, hold: 1h}]}";
    let first = format!(
        "name: a, for: 1m, {rollout}, commands: [{{at: 5s, tag: {{tag: beta, version: v1}}}}]"
    );
    let split = "name: b, for: 1m, split: {stable: 50%, beta: 50%}";
    let another = "name: c, for: 1m, rollout: {version: beta, steps: [{weight: 50%, hold: 5s}]}";
    let record = run("", &[&first, split, another]);
    let why: Vec<_> = refused(&record).into_iter().map(|(.., why)| why).collect();
    let v1 = VersionId::new("v1").unwrap();
    assert_eq!(why, [twice("v1"), Refusal::Reason(CommandError::AlreadyStable(v1))]);
    let last = weights(&record).last().cloned().unwrap();
    assert_eq!(last, (seconds(0), vec![90.0, 10.0, 0.0]), "nothing has changed since");
}

#[test]
fn a_fault_that_has_not_begun_when_its_phase_ends_strikes_nobody() {
    let first = "name: a, requests: 100, split: {v1: 100%}, \
                 faults: {v1: [{at: 20s, for: 1m, failures: {\"503\": 100%}}]}";
    let loaded = written(&scenario("", &[first, "name: b, for: rest"]));
    assert_eq!(faults(&play(&loaded, 1).record), []);
    let witness = Witness::of(&loaded.scenario, 1);
    assert!(witness.outcomes.iter().all(|outcome| outcome.class == Class::Success));
}
