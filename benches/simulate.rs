//! The simulator's speed: whole runs of the peers' scenario, and the parts of its hot path.
//!
//! `cargo bench --bench simulate`. On a shared machine read the smallest time, or count
//! instructions.

use std::hint::black_box;
use std::path::Path;

use coalmine::chance::{Chance, Distribution, Purpose, Sampler};
use coalmine::run::run_virtual;
use coalmine::scenario::{Document, Files, Scenario, load};
use coalmine::stats::{CountWindow, DurationHistogram, SampleWindow};
// The queue is the simulator's own, and names the units as a part of the crate does.
use coalmine::units::{self, Draw, Duration, RequestId, Timestamp};
use divan::Bencher;
use divan::counter::ItemsCount;

#[expect(dead_code, reason = "the benchmark fills no queue to its end")]
#[path = "../src/simulator/queue.rs"]
#[expect(unused_imports, reason = "its tests run in the library")]
mod queue;

fn main() {
    divan::main();
}

/// Two versions at 50 %, windows and rules on: see `peers/ten-million.yaml`.
#[divan::bench(args = [10_000, 200_000], sample_count = 10)]
fn requests(bencher: Bencher<'_, '_>, requests: u64) {
    let scenario = scenario(requests);
    bencher.counter(ItemsCount::new(requests)).bench_local(|| {
        let run = run_virtual(&scenario, black_box(scenario.seed), Vec::new(), &mut |_| {});
        run.expect("the scenario is sound").record
    });
}

/// The same without rules, with one threshold, and with one judge each: what is more than without
/// is theirs.
#[divan::bench(args = [
    "", "{metric: error_rate, operator: '>', threshold: 0.9, duration_seconds: 60}",
    "{judge: sequential}", "{judge: sequential, prior_strength: 10}",
    "{judge: sequential, metric: latency_p95}",
    "{judge: objective, metric: error_rate, threshold: 0.05}",
    "{judge: objective, metric: latency_p99, threshold_ms: 3000}",
    "{judge: mann_whitney, metric: latency_p50}",
], sample_count = 10)]
fn judges(bencher: Bencher<'_, '_>, trigger: &str) {
    let acting = trigger.replace('}', ", action: notify}");
    let rules = format!("models.gpt-4.rules={{conditions: [{acting}]}}");
    let scenario = scenario_with(200_000, &rules);
    bencher.counter(ItemsCount::new(200_000_u64)).bench_local(|| {
        let run = run_virtual(&scenario, black_box(scenario.seed), Vec::new(), &mut |_| {});
        run.expect("the scenario is sound").record
    });
}

/// One item out, one in, with so many pending.
#[divan::bench(args = [10, 200, 10_000])]
fn queue_pop_and_push(bencher: Bencher<'_, '_>, pending: u64) {
    let mut queue = queue::Queue::new();
    let latency = |draw: Draw| Duration::from_nanos(draw.bits() >> 34);
    let mut draws = draws();
    for _ in 0..pending {
        queue.push(Timestamp::EPOCH + latency(draws()), [0_u64; 12]);
    }
    bencher.counter(ItemsCount::new(REPEATS)).bench_local(move || {
        for _ in 0..REPEATS {
            let now = queue.next_due();
            let queue::Popped { place, item } = queue.pop().expect("it never runs empty");
            queue.vacate(place);
            queue.push(now + latency(draws()), black_box(item));
        }
        queue.next_due()
    });
}

#[divan::bench]
fn draw(bencher: Bencher<'_, '_>) {
    let mut draws = draws();
    bencher
        .counter(ItemsCount::new(REPEATS))
        .bench_local(move || (0..REPEATS).fold(0, |sum: u64, _| sum.wrapping_add(draws().bits())));
}

#[divan::bench]
fn sample_lognormal(bencher: Bencher<'_, '_>) {
    let latency = Distribution::lognormal_mean_p99(1.247, 2.156).expect("a valid distribution");
    let sampler = Sampler::new(&latency);
    let mut draws = draws();
    bencher
        .counter(ItemsCount::new(REPEATS))
        .bench_local(move || (0..REPEATS).fold(0.0, |sum, _| sum + sampler.sample(draws())));
}

#[divan::bench]
fn compile_sampler(bencher: Bencher<'_, '_>) {
    let latency = Distribution::lognormal_mean_p99(1.247, 2.156).expect("a valid distribution");
    bencher.bench_local(|| Sampler::new(black_box(&latency)));
}

/// So many trials in each second, counted and kept over a minute.
#[divan::bench(args = [4, 1_000])]
fn window_add(bencher: Bencher<'_, '_>, per_second: u64) {
    let (mut counts, mut samples) = (CountWindow::new(60), SampleWindow::new(60));
    let mut number = 0;
    bencher.counter(ItemsCount::new(REPEATS)).bench_local(move || {
        for _ in 0..REPEATS {
            let second = (number / per_second) as i64;
            counts.add(second, number % 100 == 0);
            samples.add(second, Duration::from_nanos(number));
            number += 1;
        }
    });
}

#[divan::bench]
fn histogram_record(bencher: Bencher<'_, '_>) {
    let mut histogram = DurationHistogram::default();
    let mut draws = draws();
    bencher.counter(ItemsCount::new(REPEATS)).bench_local(move || {
        for _ in 0..REPEATS {
            histogram.record(Duration::from_nanos(draws().bits() >> 34));
        }
    });
}

fn scenario(requests: u64) -> Scenario {
    scenario_with(requests, "title=Ten million requests")
}

/// The same with a setting more.
fn scenario_with(requests: u64, setting: &str) -> Scenario {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/peers/ten-million.yaml");
    let bytes = std::fs::read(&path).expect("the scenario lies beside the benchmark");
    let document = Document {
        path: &path,
        bytes: &bytes,
        settings: &[format!("workload.requests={requests}"), setting.to_owned()],
        working_directory: Path::new(env!("CARGO_MANIFEST_DIR")),
        allow_outside: false,
    };
    load(document, &NoFiles).expect("the scenario is sound").scenario
}

/// Draws of one request after the other.
fn draws() -> impl FnMut() -> Draw {
    let chance = Chance::new(20_240_315, 0);
    let mut id = 0;
    move || {
        id += 1;
        chance.request(RequestId(id), 0).draw(Purpose::Latency, 0)
    }
}

/// The scenario stands alone.
struct NoFiles;

impl Files for NoFiles {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        Err(format!("{} is not needed", path.display()))
    }
}

/// Iterations to a sample: one alone is shorter than a clock can tell.
const REPEATS: u64 = 10_000;
