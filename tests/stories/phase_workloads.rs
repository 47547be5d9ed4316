//! Phases with a workload of their own: what is sent in each, by the numbers.

use coalmine::record::{Happening, Record};
use coalmine::units::Timestamp;

use super::world::{play, result, seconds, totals, written};

fn scenario(workload: &str, phases: &str) -> String {
    format!(
        "
schema: 1
name: phase-workloads
workload: {{tokens: {{input: 10, output: 10}}, {workload}}}
models:
  m:
    versions:
      v1: {{tags: [stable], upstream: {{latency: 100ms}}}}
phases:
{phases}
"
    )
}

fn played(workload: &str, phases: &str) -> Record {
    play(&written(&scenario(workload, phases)), 3).record
}

/// Requests of each phase.
fn sent(record: &Record) -> Vec<u64> {
    let mut sent = vec![0; record.phases.len()];
    for cell in &record.cells {
        sent[usize::from(cell.phase)] += cell.tally.assigned;
    }
    sent
}

/// Four standard deviations of a Poisson count, and of the difference of two.
fn assert_count(found: u64, expected: f64) {
    assert!((found as f64 - expected).abs() <= 4.0 * expected.sqrt(), "{found} {expected}");
}

#[test]
fn each_phase_gets_what_its_workload_says() {
    let phases = "
  - {name: usual, for: 100s}
  - {name: rush, for: 100s, workload: {speed: 3}}
  - {name: calm, for: 100s, workload: {speed: 0.25}}
  - {name: others, for: 100s, workload: {arrivals: {constant: 7/s}}}
  - {name: nothing, for: 100s, workload: {speed: 0}}
  - {name: usual again, for: 100s}";
    let constant = played("arrivals: {constant: 20/s}", phases);
    assert_eq!(sent(&constant), [2_000, 6_000, 500, 700, 0, 2_000]);
    let poisson = sent(&played("arrivals: {poisson: 20/s}", phases));
    let expected = [2_000.0, 6_000.0, 500.0, 700.0, 0.0, 2_000.0];
    poisson.iter().zip(expected).for_each(|(found, expected)| assert_count(*found, expected));
    let told = |record: &Record| {
        let events = record.timeline.events.iter();
        let told = events.filter_map(|event| match &event.happening {
            Happening::WorkloadChanged { what } => Some((event.at, what.clone())),
            _ => None,
        });
        told.collect::<Vec<(Timestamp, String)>>()
    };
    let told = told(&constant);
    assert_eq!(told[0], (constant.start + seconds(100), "3 times as fast".to_owned()));
    assert_eq!(told[2].1, "constant, 7/s in its place");
}

/// Users who think 1 s on average and wait 0.1 s for an answer send every 1.1 s; if they think
/// twice as fast, every 0.6 s. Counts of renewal processes with a variation below 1 vary less than
/// those of a Poisson process.
#[test]
fn users_who_wait_think_faster_and_others_can_come_in_their_place() {
    let phases = "
  - {name: usual, for: 100s}
  - {name: rush, for: 100s, workload: {speed: 2}}
  - {name: others, for: 100s, workload: {arrivals: {closed: {users: 30, think: 400ms}}}}
  - {name: usual again, for: 100s}";
    let think = "arrivals: {closed: {users: 50, think: {exponential: {mean: 1s}}}}";
    let loaded = written(&scenario(think, phases));
    let result = result(&loaded, 3);
    let sent = sent(&result.record);
    let expected = [50.0 * 100.0 / 1.1, 50.0 * 100.0 / 0.6, 30.0 * 100.0 / 0.5, 50.0 * 100.0 / 1.1];
    sent.iter().zip(expected).for_each(|(found, expected)| assert_count(*found, expected));
    assert_eq!(result.scenario.closed_users, Some(80));
    let (assigned, ended) = totals(&result.record);
    assert_eq!(assigned, ended);
}

#[test]
fn a_phase_begins_although_nothing_was_left_to_send_before_it() {
    let phases = "
  - {name: usual, for: 100s}
  - {name: short, for: 100s, workload: {arrivals: {piecewise: {every: 1s, rates: [500/s]}}}}
  - {name: silence, for: 100s}
  - {name: others, for: 10s, workload: {arrivals: {constant: 3/s}}}";
    // Of its own it ends after 150 s, in the second phase.
    let record = played("arrivals: {piecewise: {every: 150s, rates: [4/s]}}", phases);
    let sent = sent(&record);
    assert_count(sent[0], 400.0);
    assert_count(sent[1], 500.0);
    assert_eq!(sent[2..], [0, 30]);
    // Or it goes on after the phase in which others ended.
    let sent = self::sent(&played("arrivals: {constant: 4/s}, requests: 1000", phases));
    assert_eq!((sent[0], sent[2]), (400, 600 - sent[1]));
}

#[test]
fn what_stood_still_comes_later() {
    let phases = "
  - {name: nothing, for: 100s, workload: {speed: 0}}
  - {name: all, for: rest}";
    let record = played("arrivals: {constant: 4/s}, requests: 1000", phases);
    assert_eq!(sent(&record), [0, 1_000]);
    let events = &record.timeline.events;
    assert!(events.iter().any(|event| event.at == record.start + seconds(100)));
}

#[test]
fn a_phase_for_the_rest_ends_with_its_own_arrivals() {
    let phases = "
  - {name: usual, for: 10s}
  - {name: the rest, for: rest, workload: {arrivals: {piecewise: {every: 10s, rates: [50/s]}}}}";
    let record = played("arrivals: {constant: 4/s}", phases);
    assert_eq!(sent(&record)[0], 40);
    assert_count(sent(&record)[1], 500.0);
}
