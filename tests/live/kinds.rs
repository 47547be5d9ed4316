//! Every kind of failure, live and simulated: each request must end the same way.
//!
//! `COALMINE_LIVE_REQUESTS` says how many requests (120 unless it is set).

use crate::world::{both, endings};

fn requests() -> u64 {
    let count = std::env::var_os("COALMINE_LIVE_REQUESTS");
    count.map_or(120, |count| count.into_string().unwrap().parse().unwrap())
}

/// One version whose upstream fails in these ways.
fn failing(failures: &str, stream: &str) -> String {
    let requests = requests();
    format!(
        "
schema: 1
name: kinds
seed: 77
workload:
  arrivals: {{constant: 20/s}}
  requests: {requests}
  tokens: {{input: 12, output: {{lognormal: {{mean: 12, p99: 40}}}}}}
  users: 40
  stream: {stream}
  client_timeout: 60s
  upstream_timeout: 8s
models:
  gpt-4:
    versions:
      old:
        tags: [stable]
        upstream:
          latency: {{first_token: 400ms, per_output_token: 15ms}}
          failures: {failures}
phases: [{{name: all, for: rest, split: {{old: 100%}}}}]
gate: [error_rate <= 100%]
"
    )
}

fn compare(failures: &str, stream: &str) {
    let both = both(&failing(failures, stream), 20.0);
    assert_eq!(both.outcomes.len() as u64, requests());
    let simulated = endings(&both.simulated);
    assert_eq!(endings(&both.live), simulated, "{failures}, {stream} streamed");
    assert!(simulated["old"]["success"] > 0, "{simulated:?}");
    // Not one of them fails where nothing is to fail.
    assert!(simulated["old"].len() > 4, "{failures}: some fail: {simulated:?}");
}

const STATUSES: &str = "{'400': 8%, '401': 8%, '408': 8%, '429': 8%, '500': 8%, '503': 8%}";
const BROKEN: &str =
    "{reset: 12%, refused: 12%, malformed: 12%, wrong_content_type: 12%, truncated: 12%}";
const CUT: &str = "{reset: {probability: 20%, at: 40%}, truncated: {probability: 20%, at: 60%}, \
                   error_in_stream: {probability: 20%, at: 30%}}";
const QUIET: &str = "{empty: 15%, duplicate_chunk: 15%, timeout: 15%, \
                     stall: {probability: 15%, after: 50%, for: 2s}}";

#[test]
fn statuses_streamed_and_plain() {
    compare(STATUSES, "50%");
}

#[test]
fn broken_connections_and_bodies_of_plain_answers() {
    compare(BROKEN, "0%");
}

#[test]
fn broken_connections_and_bodies_of_streams() {
    compare(BROKEN, "100%");
}

#[test]
fn answers_that_are_cut() {
    compare(CUT, "100%");
}

#[test]
fn answers_that_are_late_empty_or_told_twice() {
    compare(QUIET, "100%");
    compare(QUIET, "0%");
}
