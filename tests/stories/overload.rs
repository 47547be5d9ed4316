//! Upstreams with more to do than they can: queues against the formulas of Erlang, rate limits
//! against their quotas, faults that take slots away.

use coalmine::record::Tally;

use super::world::{play, written};

/// What becomes of 20 requests a second, at random, at an upstream with these keys and without
/// phases' faults but these. Answers take 400 ms on average, exponentially distributed: an offered
/// load of 8.
fn tally(requests: u64, upstream: &str, faults: &str) -> Tally {
    let text = format!(
        "
schema: 1
name: overloaded
workload:
  arrivals: {{poisson: 20/s}}
  requests: {requests}
  tokens: {{input: 60, output: 40}}
  client_timeout: 2m
  upstream_timeout: 3m
models:
  m:
    versions:
      v1:
        upstream:
          latency: {{exponential: {{mean: 400ms}}}}
          {upstream}
phases:
  - {{name: all, for: rest, split: {{v1: 100%}}, faults: {{v1: [{faults}]}}}}
"
    );
    let record = play(&written(&text), 3).record;
    assert_eq!(record.cells.len(), 1);
    record.cells[0].tally.clone()
}

/// Erlang's loss formula: the share of requests that find all of `slots` occupied under an offered
/// load of `load`, by its recursion (A. K. Erlang, 1917).
fn erlang_loss(slots: u32, load: f64) -> f64 {
    (1..=slots).fold(1.0, |loss, n| load * loss / (f64::from(n) + load * loss))
}

/// Erlang's delay formula: the share of requests that have to wait, if none is refused.
fn erlang_delay(slots: u32, load: f64) -> f64 {
    let (loss, use_of_slots) = (erlang_loss(slots, load), load / f64::from(slots));
    loss / (1.0 - use_of_slots * (1.0 - loss))
}

#[test]
fn without_a_queue_requests_are_refused_as_erlangs_loss_formula_says() {
    let tally = tally(100_000, "capacity: {concurrency: 10, on_full: 503}", "");
    let refused = tally.failed.of("503") as f64 / 1e5;
    let expected = erlang_loss(10, 8.0);
    // By hand: 8^10/10! / (1 + 8 + ... + 8^10/10!).
    assert!((expected - 0.121_661_064).abs() < 1e-8, "{expected}");
    // Over 5,000 s with a memory of some 200 ms: the standard error is about twice that of
    // independent requests, 0.001.
    assert!((refused - expected).abs() < 0.008, "{refused} against {expected}");
}

#[test]
fn in_a_queue_without_bounds_requests_wait_as_erlangs_delay_formula_says() {
    let tally = tally(200_000, "capacity: {concurrency: 10, on_full: wait}", "");
    assert_eq!(tally.succeeded, 200_000);
    let mean = tally.latency.sum_nanos() as f64 / 2e14;
    // The mean wait is the share that waits over the rate at which slots get free beyond what
    // comes: 10 / 0.4 s - 20 / s = 5 / s.
    let expected = 0.4 + erlang_delay(10, 8.0) / 5.0;
    assert!((expected - 0.481_836).abs() < 1e-5, "{expected}");
    assert!((mean - expected).abs() < 0.015, "{mean} against {expected}");
}

#[test]
fn a_slowdown_takes_longer_with_every_slot() {
    let tally =
        tally(20_000, "capacity: {concurrency: 1000}\n          slowdown: {at_full: 101}", "");
    // Each request in flight adds a tenth: with n of them 20 * 0.4 * (1 + 0.1 (n + 1)) come and go,
    // so n = 8 (1 + 0.1 (n + 1)), n = 44 and a mean of 2.2 s, but for fluctuations, which only add.
    let mean = tally.latency.sum_nanos() as f64 / 1e9 / tally.succeeded as f64;
    assert!((2.0..=2.6).contains(&mean), "{mean}");
}

#[test]
fn a_rate_limit_accepts_its_quota_and_refuses_the_rest() {
    // 600 requests or 90,000 tokens in a minute, at 1,200 requests of 100 tokens: 10/s.
    let accepted = |limit: &str| tally(24_000, &format!("rate_limit: {{{limit}}}"), "").succeeded;
    // 1,200 s of 10 a second, and the bucket of 600 that was full at first.
    let requests = accepted("requests: 600/m");
    assert!((12_400..=12_700).contains(&requests), "{requests}");
    let tokens = accepted("tokens: 60000/m");
    assert!((12_400..=12_700).contains(&tokens), "{tokens}");
    assert_eq!(accepted("requests: 6000/m, tokens: 600000/m"), 24_000);
}

#[test]
fn a_fault_that_takes_slots_away_makes_a_queue_that_is_worked_off_after_it() {
    let capacity = "capacity: {concurrency: 20, on_full: wait}";
    let healthy = tally(12_000, capacity, "");
    let p99 = |tally: &Tally| tally.latency.quantile(990).unwrap().as_secs_f64();
    assert!(p99(&healthy) < 2.5, "{}", p99(&healthy));
    // For 60 s 4 slots serve 10 a second of 20: 600 wait at its end, the last of them for 30 s and
    // more, and the 20 slots work them off within 20 s.
    let fault = "{at: 2m, for: 60s, capacity: {concurrency: 4, on_full: wait}}";
    let hit = tally(12_000, capacity, fault);
    assert_eq!(hit.succeeded, 12_000);
    let longest = hit.latency.max().unwrap().as_secs_f64();
    assert!((25.0..=70.0).contains(&longest), "{longest}");
    let late = hit.latency.iter().filter(|(latency, _)| latency.as_secs_f64() > 5.0);
    let late: u64 = late.map(|(_, count)| count).sum();
    assert!((600..=1_600).contains(&late), "{late}");
}

#[test]
fn who_waits_too_long_leaves_and_never_takes_a_slot() {
    let text = "
schema: 1
name: impatient
workload:
  arrivals: {constant: 2/s}
  requests: 100
  tokens: {input: 1, output: 1}
  client_timeout: 3s
models:
  m:
    versions:
      v1:
        upstream: {latency: 770ms, capacity: {concurrency: 1, on_full: wait}}
phases:
  - {name: all, for: rest}
";
    let record = play(&written(text), 1).record;
    let tally = &record.cells[0].tally;
    // By the recursion of a single line, in milliseconds: whoever has not come to its turn within
    // 3 s is gone, whoever has been answered in part by then frees the slot.
    let (mut free, mut answered) = (0, 0);
    for came in (1..=100).map(|n| 500 * n) {
        let begins = free.max(came);
        if begins < came + 3_000 {
            free = (begins + 770).min(came + 3_000);
            answered += u64::from(begins + 770 <= came + 3_000);
        }
    }
    assert!((5..95).contains(&answered), "{answered} show little");
    assert_eq!(tally.succeeded, answered);
    assert_eq!(answered + tally.uncounted.of("client_closed"), 100);
}
