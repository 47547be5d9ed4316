//! A small study for tests: a canary that is bad, under two thresholds.

use std::path::Path;

use super::cell::{Cell, grid};
use super::ledger::{Ledger, RunKey};
use super::lines::{Lines, given_line};
use super::plan::{Plan, Terms};
use super::report::SweepReport;
use super::row::Row;
use super::seeds::Seeds;
use super::shard::Shard;
use super::stopping::Precision;
use super::variation::Variation;
use crate::record::Record;
use crate::run::run_virtual;
use crate::scenario::{Document, Files, Loaded, Scenario, load};
use crate::units::Duration;

struct NoFiles;

impl Files for NoFiles {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        Err(format!("there is no {}", path.display()))
    }
}

/// Some ten seconds of a healthy canary, then half a minute in which every fifth of its answers
/// fails: not every seed shows it to a rule that wants many.
pub(crate) const SCENARIO: &str = "
schema: 1
name: small
title: A canary that fails now and then
seed: 7
workload:
  arrivals: {poisson: 4/s}
  tokens: {input: 600, output: 200}
models:
  m:
    versions:
      v1: {tags: [stable], upstream: {latency: 250ms}}
      v2: {tags: [beta], upstream: {latency: 200ms}}
    rules:
      conditions:
        - {id: errors, metric: error_rate, operator: '>', threshold: 0.2, duration_seconds: 5,
           check_interval_seconds: 5, window_seconds: 20, min_requests: 5,
           action: rollback_to_last_stable}
phases:
  - {name: before, for: 10s, split: {v1: 50%, v2: 50%}}
  - {name: bad, until: rollback, within: 30s, faults: {v2: [{failures: {'503': 20%}}]}}
gate:
  - error_rate < 50%
  - rollbacks <= 1
  - median(time_to_rollback) < 1h
";

pub(crate) fn variations() -> Vec<Variation> {
    vec![Variation::parse("models.m.rules.conditions.errors.threshold=0.2,0.3").unwrap()]
}

pub(crate) fn loaded(text: &str, settings: &[String]) -> Loaded {
    let document = Document {
        path: Path::new("small.yaml"),
        bytes: text.as_bytes(),
        settings,
        working_directory: Path::new("/"),
        allow_outside: false,
    };
    load(document, &NoFiles).unwrap_or_else(|error| panic!("{error}"))
}

pub(crate) fn scenario() -> Scenario {
    loaded(SCENARIO, &[]).scenario
}

fn with(loaded: Loaded, gate: &[&str]) -> Cell {
    let lines = gate.iter().zip(1..).map(|(text, number)| given_line(text, number).unwrap());
    let lines = Lines::of(&loaded.scenario, &lines.collect::<Vec<_>>()).unwrap();
    Cell { loaded, files: Vec::new(), lines }
}

/// The first cell, with these lines.
pub(crate) fn cell(gate: &[&str]) -> Cell {
    cells(gate).swap_remove(0)
}

/// All cells, with these lines.
pub(crate) fn cells(gate: &[&str]) -> Vec<Cell> {
    cells_of(&variations(), gate)
}

fn cells_of(variations: &[Variation], gate: &[&str]) -> Vec<Cell> {
    let of = |values: Vec<usize>| {
        let settings = variations.iter().zip(values);
        let settings: Vec<String> = settings.map(|(one, value)| one.setting(value)).collect();
        with(loaded(SCENARIO, &settings), gate)
    };
    grid(variations).into_iter().map(of).collect()
}

fn terms(precision: Option<f64>) -> Terms {
    Terms {
        scenario: "small.yaml".to_owned(),
        variations: variations(),
        seeds: Seeds { first: 1, count: 250 },
        precision: precision.map(|half_width| Precision::new(half_width).unwrap()),
        gate: vec!["p(rollback) > 1%".to_owned()],
        traces: Vec::new(),
        rare: false,
    }
}

/// The plan of 250 runs of each cell.
pub(crate) fn plan(precision: Option<f64>) -> Plan {
    Plan::new(terms(precision), &cells(&["p(rollback) > 1%"]))
}

/// What a run leaves behind.
pub(crate) fn played(cell: &Cell, seed: u64) -> Record {
    run_virtual(&cell.loaded.scenario, seed, Vec::new(), &mut |_| {}).unwrap().record
}

/// A row made by hand.
pub(crate) fn row(cell: u32, seed: u64, rolled_back: bool) -> Row {
    let time = rolled_back.then(|| Duration::from_secs(30));
    Row {
        cell,
        seed,
        requests: 1_000,
        failed: 1,
        rollbacks: u64::from(rolled_back),
        false_rollbacks: 0,
        promotions: 0,
        trigger: rolled_back.then_some(0),
        rolled_back_after: time,
        time_to_detect: time,
        time_to_rollback: time,
        watched: None,
        blast_requests: 0,
        blast_failed: 0,
        blast_slowed: 0,
        open_ended: false,
        unreached: 0,
        missed_faults: 0,
        values: Vec::new(),
        rare: None,
    }
}

/// What so many runs of each cell come to.
pub(crate) fn report(runs: u64) -> SweepReport {
    let gate = ["p(rollback) > 1%", "blast_radius.failed <= baseline(blast_radius.failed)"];
    of(variations(), runs, &gate)
}

/// The same of two variations, without lines of its own.
pub(crate) fn grid_report(runs: u64) -> SweepReport {
    let failing = Variation::parse("phases.bad.faults.v2.0.failures.503=0%,20%,40%").unwrap();
    of([variations(), vec![failing]].concat(), runs, &[])
}

fn of(variations: Vec<Variation>, runs: u64, gate: &[&str]) -> SweepReport {
    let cells = cells_of(&variations, gate);
    let seeds = Seeds { first: 1, count: runs };
    let plan = Plan::new(Terms { seeds, variations, ..terms(None) }, &cells);
    let mut ledger = Ledger::new(plan.extent(), Shard::WHOLE);
    for RunKey { cell, index } in ledger.next_runs() {
        let record = played(&cells[cell], seeds.at(index));
        ledger.enter(Row::of(cell as u32, &cells[cell], &record)).unwrap();
    }
    SweepReport::of(&plan, &cells, &ledger)
}
