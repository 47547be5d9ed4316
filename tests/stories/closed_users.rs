//! Users who wait for each answer.

use super::world::{play, result, written};

const TEXT: &str = "
schema: 1
name: closed-users
workload:
  arrivals: {closed: {users: 50, think: {exponential: {mean: 3s}}}}
  tokens: {input: 600, output: 200}
models:
  gpt-4:
    versions:
      v1: {tags: [stable], upstream: {latency: {exponential: {mean: 1s}}}}
phases:
  - {name: fast, for: 1h, split: {v1: 100%}}
  - {name: slow, for: 1h, faults: {v1: [{latency: {times: 5}}]}}
";

/// The interactive response time law, N / (R + Z): users who wait send less when answers are slow.
/// An hour's number of requests scatters by less than 1 %.
#[test]
fn closed_users_send_less_when_answers_are_slow() {
    let loaded = written(TEXT);
    assert_eq!(result(&loaded, 5).scenario.closed_users, Some(50));
    let record = play(&loaded, 5).record;
    let sent = |phase: u16| {
        let cells = record.cells.iter().filter(|cell| cell.phase == phase);
        cells.map(|cell| cell.tally.assigned).sum::<u64>() as f64
    };
    for (phase, wait) in [(0, 1.0), (1, 5.0)] {
        let expected = 50.0 * 3_600.0 / (wait + 3.0);
        let found = sent(phase);
        assert!((found / expected - 1.0).abs() < 0.04, "{found} against {expected}");
    }
}
