//! How probable a false rollback is: weighted runs against what exact arithmetic says.
//!
//! The figures are worked out by `tests/python/rare.py` in whole numbers: with windows that do not
//! overlap, each check is a binomial tail of its own.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]
#![expect(clippy::print_stdout, reason = "the figures of a long run are for people to read")]

use std::path::Path;

use coalmine::rare::{Approach, RareRun};
use coalmine::run::run_virtual;
use coalmine::scenario::{Document, Files, Scenario, load};
use coalmine::simulator::SimulationError;
use coalmine::workload::TraceInput;

struct NoFiles;

impl Files for NoFiles {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        Err(format!("there is no {}", path.display()))
    }
}

/// Ten minutes of a canary that fails now and then, checked every 20 seconds.
const SCENARIO: &str = "
schema: 1
name: healthy
vars: {assignment: even, limit: 0.1, window: 20, for: 0, every: 20, least: 5, fails: 1%}
workload: {arrivals: {constant: 4/s}, tokens: {input: 600, output: 200}}
models:
  m:
    assignment: ${assignment}
    versions:
      v1: {tags: [stable], upstream: {latency: 1ms, failures: {'500': '${fails}'}}}
      v2: {tags: [beta], upstream: {latency: 1ms, failures: {'500': '${fails}'}}}
    rules:
      conditions:
        - {metric: error_rate, operator: '>', threshold: '${limit}', duration_seconds: '${for}',
           check_interval_seconds: '${every}', window_seconds: '${window}',
           min_requests: '${least}', action: rollback_to_last_stable}
phases:
  - {name: canary, for: 10m, split: {v1: 50%, v2: 50%}}
";

fn scenario(settings: &[&str]) -> Scenario {
    let of = |one: &&str| match one.starts_with("workload") {
        true => (*one).to_owned(),
        false => format!("vars.{one}"),
    };
    let settings: Vec<String> = settings.iter().map(of).collect();
    let document = Document {
        path: Path::new("healthy.yaml"),
        bytes: SCENARIO.as_bytes(),
        settings: &settings,
        working_directory: Path::new("/"),
        allow_outside: false,
    };
    load(document, &NoFiles).unwrap_or_else(|error| panic!("{error}")).scenario
}

fn no_traces() -> Result<Vec<TraceInput>, SimulationError> {
    Ok(Vec::new())
}

/// The mean of a run's figures with its standard error.
struct Mean {
    value: f64,
    error: f64,
}

impl Mean {
    fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let value = values.iter().sum::<f64>() / n;
        let squares: f64 = values.iter().map(|one| (one - value) * (one - value)).sum();
        Self { value, error: (squares / (n - 1.0) / n).sqrt() }
    }
}

fn weighted(settings: &[&str], runs: u64) -> (Mean, Mean) {
    let scenario = scenario(settings);
    let approach = Approach::of(&scenario, 1, &no_traces).unwrap().unwrap();
    let runs = (1..=runs).map(|seed| approach.run(&scenario, seed, &no_traces).unwrap());
    let runs: Vec<RareRun> = runs.collect();
    let weights: Vec<f64> = runs.iter().map(|run| run.ln_weight.exp()).collect();
    let hit = |run: &RareRun| f64::from(u8::from(run.rolled_back_after.is_some()));
    let hits: Vec<f64> = runs.iter().zip(&weights).map(|(run, weight)| hit(run) * weight).collect();
    let (estimate, all) = (Mean::of(&hits), Mean::of(&weights));
    let sum: f64 = hits.iter().sum();
    let squares: f64 = hits.iter().map(|one| one * one).sum();
    let (share, size) = (runs.iter().map(hit).sum::<f64>(), sum * sum / squares);
    println!(
        "{settings:?}: {:.4e} +- {:.1} %, {share} hits of {}, worth {size:.0}; all weigh {:.3} +- {:.3}",
        estimate.value,
        100.0 * estimate.error / estimate.value,
        runs.len(),
        all.value,
        all.error
    );
    (estimate, all)
}

fn crude(settings: &[&str], runs: u64) -> f64 {
    let scenario = scenario(settings);
    let hits = (1..=runs).filter(|seed| {
        let run = run_virtual(&scenario, *seed, Vec::new(), &mut |_| {}).unwrap();
        run.record.rollbacks.iter().any(|one| one.onset.is_none())
    });
    hits.count() as f64 / runs as f64
}

#[test]
fn look() {
    for limit in ["0.075", "0.125", "0.2"] {
        weighted(&[&format!("limit={limit}")], 2000);
    }
    for limit in ["0.1", "0.2", "0.25"] {
        weighted(&[&format!("limit={limit}"), "assignment=random"], 2000);
    }
    for limit in ["0.1", "0.2", "0.25"] {
        weighted(
            &[
                &format!("limit={limit}"),
                "assignment=random",
                "least=20",
                "workload.arrivals={poisson: 4/s}",
            ],
            2000,
        );
    }
    for (lasts, limit) in [
        (0, "0.1"),
        (10, "0.08"),
        (10, "0.15"),
        (20, "0.05"),
        (20, "0.1"),
        (20, "0.2"),
        (40, "0.05"),
        (40, "0.1"),
    ] {
        let settings = [
            &format!("limit={limit}")[..],
            &format!("for={lasts}"),
            "every=5",
            "assignment=random",
            "workload.arrivals={poisson: 4/s}",
        ];
        weighted(&settings, 4000);
        println!("{}", crude(&settings, 1000));
    }
}
