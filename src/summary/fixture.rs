//! A small record for tests, made by hand: four phases, a canary, an incident, one rollback.

use crate::engine::{Assignment, Evidence, Operator, Reading};
use crate::exchange::{Ending, VersionIndex};
use crate::metric::Metric;
use crate::record::{
    Arm, Blast, Cell, JournalCopy, ModelInfo, PhaseSpan, Record, Rollback, Series, Tally, Timeline,
    VersionInfo,
};
use crate::units::{Duration, ModelId, Money, Price, Ratio, TagName, Timestamp, VersionId};

pub(crate) const OLD: VersionIndex = VersionIndex(0);
pub(crate) const NEW: VersionIndex = VersionIndex(1);

/// In seconds: baseline 0 to 420, canary to 840, incident to 915, after rollback to 1200. The fault
/// begins at 840, the rollback comes at 915.
pub(crate) fn record() -> Record {
    let mut baseline = successes((1..=1_000).map(Duration::from_millis));
    for ending in [503, 503, 500, 429, 400, 422].map(Ending::Status) {
        end_otherwise(&mut baseline, ending);
    }
    end_otherwise(&mut baseline, Ending::Timeout);
    end_otherwise(&mut baseline, Ending::ClientClosed);
    let mut incident = successes((0..100).map(|_| Duration::from_millis(500)));
    for _ in 0..50 {
        end_otherwise(&mut incident, Ending::Status(503));
    }
    let steady = |n| successes((0..n).map(|_| Duration::from_millis(500)));
    Record {
        seed: 1,
        start: at(0),
        end: at(1_200),
        models: vec![ModelInfo {
            id: ModelId::new("gpt-4").unwrap(),
            assignment: Assignment::default(),
            versions: vec![
                version("gpt-4-v1", "stable", 8_000_000_000),
                version("gpt-4-turbo-v2", "beta", 5_000_000_000),
            ],
            triggers: vec!["error_rate".to_owned()],
        }],
        clients: Vec::new(),
        phases: [("baseline", 0, 420), ("canary", 420, 840), ("incident", 840, 915)]
            .into_iter()
            .chain([("after rollback", 915, 1_200)])
            .map(|(name, start, end)| PhaseSpan {
                name: name.to_owned(),
                start: at(start),
                end: at(end),
            })
            .collect(),
        cells: vec![
            cell(0, OLD, Arm::Stable, baseline),
            cell(1, OLD, Arm::Stable, steady(700)),
            cell(1, NEW, Arm::Canary, steady(300)),
            cell(2, NEW, Arm::Canary, incident),
            cell(3, OLD, Arm::Stable, steady(300)),
        ],
        series: Series { start: at(0), width: Duration::from_secs(1), versions: Vec::new() },
        splits: Vec::new(),
        timeline: Timeline::default(),
        rollbacks: vec![rollback()],
        promotions: Vec::new(),
        lost_tags: Vec::new(),
        undone_commands: Vec::new(),
        bursts: Vec::new(),
        blasts: vec![Blast {
            version: NEW,
            onset: at(840),
            drained: Some(at(917)),
            requests: 150,
            failed: 50,
            failed_anyway: 1,
            slowed: 7,
        }],
        key_rejections: Vec::new(),
        rules: Vec::new(),
        journal: JournalCopy::default(),
    }
}

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second)
}

fn rollback() -> Rollback {
    let reading = Reading::Share {
        metric: Metric::ErrorRate,
        hits: 30,
        requests: 90,
        operator: Operator::Above,
        threshold: Ratio::new(0.05).unwrap(),
        window: Duration::from_secs(60),
    };
    let evidence = Evidence {
        trigger: "error_rate > 5 %".to_owned(),
        version: VersionId::new("gpt-4-turbo-v2").unwrap(),
        check: at(915),
        first_breach: at(855),
        held: Duration::from_secs(60),
        duration: Duration::from_secs(60),
        reading,
    };
    Rollback { at: at(915), phase: 2, version: NEW, target: OLD, evidence, onset: Some(at(840)) }
}

fn version(id: &str, tag: &str, pico_per_1k: u128) -> VersionInfo {
    VersionInfo {
        id: VersionId::new(id).unwrap(),
        tags: vec![TagName::new(tag).unwrap()],
        price: Some(Price::blended(Money::from_pico_usd(pico_per_1k))),
    }
}

fn cell(phase: u16, version: VersionIndex, arm: Arm, mut tally: Tally) -> Cell {
    tally.assigned = tally.completed();
    Cell { phase, version, arm, tally, attempts: None, finals: None }
}

/// Successes of 300 input and 100 output tokens with these latencies, their first token after a
/// fifth of it.
fn successes(latencies: impl Iterator<Item = Duration>) -> Tally {
    let mut tally = Tally::default();
    for latency in latencies {
        tally.succeeded += 1;
        tally.input_tokens += 300;
        tally.output_tokens += 100;
        tally.output_tokens_squared += 10_000;
        tally.input_tokens_squared += 90_000;
        tally.input_by_output_tokens += 30_000;
        tally.latency.record(latency);
        tally.first_token.record(latency.mul_f64(0.2));
    }
    tally
}

fn end_otherwise(tally: &mut Tally, ending: Ending) {
    use crate::exchange::{Class, Classification};
    match ending.class(Classification::default()) {
        Class::Error => tally.failed.add(ending),
        _ => tally.uncounted.add(ending),
    }
    tally.latency_other.record(Duration::from_millis(10));
}
