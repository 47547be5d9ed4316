//! Pairs of runs made by hand, for the tests of what is computed, written and drawn of them.

use serde_json::json;

use super::{Fidelity, Harness, Overhead, Settings, Sides, fidelity};
use crate::clock::TimeScale;
use crate::compare::RunInput;
use crate::record::Tally;
use crate::result::ResultFile;
use crate::result::example::rolled_back_result;
use crate::stats::DurationHistogram;
use crate::units::Duration;

/// [`rolled_back_result`] whose rule checks every 15 s: its canary is rolled back after 1,275 s. In
/// its first phase are 1,000 successes of 1 to 1,000 ms.
pub(crate) fn simulated() -> ResultFile {
    let mut result = rolled_back_result();
    let trigger = &result.record.rollbacks[0].evidence.trigger;
    let condition = json!({"id": trigger, "check_interval_seconds": 15.0});
    let model = json!({"id": "gpt-4", "rules": {"conditions": [condition]}});
    result.scenario.resolved = json!({"seed": 42, "models": [model]});
    result
}

/// The same with the first phase's latencies changed, each by itself, and so often.
pub(crate) fn live(times: u64, change: impl Fn(Duration) -> Duration) -> ResultFile {
    let mut result = simulated();
    result.record.cells[0].tally = tally(times, change);
    result
}

/// [`simulated`] with the same number of requests in its first phase as [`live`].
pub(crate) fn repeated(times: u64) -> ResultFile {
    live(times, |latency| latency)
}

/// Successes of 1 to 1,000 ms, each so often and changed, in the tally of the first phase; their
/// first tokens come after a fifth of that, and all else in proportion.
fn tally(times: u64, change: impl Fn(Duration) -> Duration) -> Tally {
    let mut tally = simulated().record.cells[0].tally.clone();
    let (mut latency, mut first_token) = Default::default();
    for _ in 0..times {
        for millis in 1..=1_000 {
            let own = Duration::from_millis(millis);
            DurationHistogram::record(&mut latency, change(own));
            DurationHistogram::record(&mut first_token, change(own.mul_f64(0.2)));
        }
    }
    (tally.latency, tally.first_token) = (latency, first_token);
    tally.assigned = times * 1_000 + tally.assigned - tally.succeeded;
    tally.succeeded = times * 1_000;
    tally.input_tokens *= times;
    tally.output_tokens *= times;
    tally.output_tokens_squared *= u128::from(times);
    tally.input_tokens_squared *= u128::from(times);
    tally.input_by_output_tokens *= u128::from(times);
    tally
}

/// What comes of two results.
pub(crate) fn of(
    (simulated, live): (&ResultFile, &ResultFile),
    harness: &Harness,
    settings: &Settings,
) -> Fidelity {
    let sha256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
    let run = |label, result| RunInput { label, sha256, result };
    let sides = Sides::new(run("reports/simulated", simulated), run("reports/live", live));
    fidelity(&sides, harness, settings).unwrap()
}

/// A harness at this speed whose dispatch lag is 0.2 ms on the wall and whose mock is 0.1 ms late
/// there.
pub(crate) fn harness(speed: f64) -> Harness {
    let overhead = |name: &str, micros| {
        let mut times = DurationHistogram::default();
        let engine = Duration::from_micros(micros).mul_f64(speed);
        (0..100).for_each(|_| times.record(engine));
        Overhead { name: name.to_owned(), times }
    };
    let overheads = vec![overhead("dispatch lag", 200), overhead("lateness of the mock", 100)];
    Harness { speed: TimeScale::new(speed).unwrap(), overheads }
}

/// A live run 2 % slower than the simulated one, in 100,000 requests, and rolled back two checks
/// later.
pub(crate) fn slower() -> Fidelity {
    let simulated = repeated(100);
    let mut live = live(100, |latency| latency.mul_f64(1.02));
    live.record.rollbacks[0].at = live.record.rollbacks[0].at + Duration::from_secs(30);
    of((&simulated, &live), &Harness::default(), &Settings::default())
}

/// The same in 1,000 requests under another seed.
pub(crate) fn small() -> Fidelity {
    let mut live = live(1, |latency| latency.mul_f64(1.02));
    live.scenario.seed = 43;
    of((&simulated(), &live), &Harness::default(), &Settings::default())
}

/// A live run whose latencies and first tokens are 3 ms later, at this speed, with the overheads of
/// [`harness`].
pub(crate) fn with_overheads(speed: f64) -> Fidelity {
    let later = |latency| latency + Duration::from_millis(3);
    let mut live = live(1, later);
    for cell in &mut live.record.cells[1..] {
        for times in [&mut cell.tally.latency, &mut cell.tally.first_token] {
            let mut changed = DurationHistogram::default();
            for (value, count) in times.iter() {
                (0..count).for_each(|_| changed.record(later(value)));
            }
            *times = changed;
        }
    }
    of((&simulated(), &live), &harness(speed), &Settings::default())
}
