//! That measured figures are true to the model: intervals cover, means over seeds come out.

use std::sync::OnceLock;

use coalmine::exchange::VersionIndex;
use coalmine::metric::Metric;
use coalmine::summary::{Estimate, Method, Selection, Summary};

use super::world::{play, results, shipped};

/// Each parameter of the model: the column that shows it, the metric, the value.
const PARAMETERS: [(usize, Metric, f64); 4] = [
    (0, Metric::LatencyAvg, 1.247),
    (0, Metric::LatencyP99, 2.156),
    (1, Metric::LatencyAvg, 0.892),
    (1, Metric::LatencyP99, 1.423),
];

/// Each parameter's estimates over 200 seeds of `ten-thousand`.
fn estimates() -> &'static [Vec<Estimate>] {
    static ESTIMATES: OnceLock<Vec<Vec<Estimate>>> = OnceLock::new();
    ESTIMATES.get_or_init(|| {
        let loaded = shipped("ten-thousand", &[]);
        let seeds: Vec<u64> = (1..=200).collect();
        let runs = results(&loaded, &seeds, |result| {
            PARAMETERS.map(|(column, metric, _)| {
                let mut cells = result.table.columns[column].cells.iter();
                cells.find(|cell| cell.estimate.metric == metric).unwrap().estimate.clone()
            })
        });
        let of = |parameter: usize| runs.iter().map(|run| run[parameter].clone()).collect();
        (0..PARAMETERS.len()).map(of).collect()
    })
}

#[test]
fn every_parameter_lies_in_its_interval_in_95_of_100_runs() {
    for ((column, metric, truth), estimates) in PARAMETERS.iter().zip(estimates()) {
        let inside = estimates
            .iter()
            .filter(|estimate| estimate.interval.is_some_and(|limits| limits.contain(*truth)))
            .count();
        // 95 % of 200, give or take two and a half standard deviations of 3.1.
        assert!((182..=197).contains(&inside), "{metric} of column {column}: {inside} of 200");
    }
}

#[test]
fn figures_average_out_to_the_parameters() {
    for ((column, metric, truth), estimates) in PARAMETERS.iter().zip(estimates()) {
        let sum: f64 = estimates.iter().map(|estimate| estimate.value.unwrap()).sum();
        let off = sum / estimates.len() as f64 / truth - 1.0;
        let allowed = if *metric == Metric::LatencyAvg { 0.002 } else { 0.007 };
        assert!(off.abs() <= allowed, "{metric} of column {column}: {:.3} % off", off * 100.0);
    }
}

#[test]
fn failures_come_as_often_as_stated_in_a_million_requests() {
    // A million requests of each version: seven minutes of one, then seven of the other.
    let loaded = shipped(
        "ten-thousand",
        &[
            "workload.arrivals.poisson=2500/s",
            "workload.requests=2080000",
            "phases.1.split.gpt-4-v1=0%",
            "phases.1.split.gpt-4-turbo-v2=100%",
        ],
    );
    let record = play(&loaded, loaded.scenario.seed).record;
    let summary = Summary::of(&record);
    let stated = [
        (0, Metric::ErrorRate, 0.0012),
        (0, Metric::RateLimitedRate, 0.0004),
        (1, Metric::ErrorRate, 0.0008),
    ];
    for (version, metric, probability) in stated {
        let selection = Selection { version: Some(VersionIndex(version)), ..Selection::default() };
        let estimate = summary.select(selection).estimate(metric, Method::Display);
        assert!(estimate.n >= 1_000_000, "{} requests", estimate.n);
        let standard_error = (probability * (1.0 - probability) / estimate.n as f64).sqrt();
        let off = (estimate.value.unwrap() - probability) / standard_error;
        assert!(off.abs() <= 3.0, "{metric} of version {version}: {off} standard errors off");
    }
}
