//! Results made by hand that go further than others: more of everything, slower.

use super::example::{STABLE, crowded, info, rolled_back_result, table};
use super::file::ResultFile;
use crate::exchange::VersionIndex;
use crate::gate::Judgement;
use crate::record::{Happening, Order, PhaseSpan, SeriesPoint, Spread};
use crate::stats::DurationHistogram;

/// A result with more of everything than any page has room for.
pub(crate) fn vast() -> ResultFile {
    let mut result = rolled_back_result();
    result.record = crowded();
    let record = &mut result.record;
    for index in 0..200 {
        record.models[0].versions.push(info(&format!("version-{index}"), "tag"));
        // No two neighbours of a heat map are alike.
        let points = record.series.versions[0].iter().enumerate().map(|(slot, point)| {
            let count = |step: usize| ((slot + 1) * (step + index + 7) % 97) as u32;
            let spread = Spread { first: 40, counts: (0..110).map(count).collect() };
            SeriesPoint { spread: Some(spread), ..point.clone() }
        });
        let points = points.collect();
        record.series.versions.push(points);
    }
    let names = "a name that is longer than it need be, ".repeat(8);
    let slot = |index: usize| record.start + record.series.width * index as u64;
    record.phases = (0..240)
        .map(|index| PhaseSpan { name: names.clone(), start: slot(index), end: slot(index + 1) })
        .collect();
    for index in 0.. {
        let (at, version) = (slot(index % 240), VersionIndex(index as u16 % 200));
        let what = format!("{} % of requests answered \"503\" & 'more'", index % 100);
        let rolled_back = Happening::RolledBack { version: Some(version), target: STABLE };
        let refused = Happening::CommandMissed { model: None, order: Order::Told(names.clone()) };
        let fault = Happening::FaultBegan { version, what: what.clone() };
        let events = [fault, rolled_back, refused, Happening::FaultEnded { version, what }];
        let full = events.map(|event| record.timeline.push(at, event)).contains(&None);
        if full {
            break;
        }
    }
    record.timeline.omitted = 4_213;
    record.rules = vec![record.rules[0].clone(); 10_000];
    record.blasts = vec![record.blasts[0].clone(); 500];
    let (column, info) = (result.table.columns[0].clone(), result.scenario.columns[0].clone());
    result.table.columns = vec![column; 40];
    result.scenario.columns = vec![info; 40];
    result.scenario.resolved = vec!["\"quoted\""; 100_000].into();
    result.scenario.files = vec![result.scenario.files[0].clone(); 1_000];
    result.traces = vec![result.traces[0].clone(); 1_000];
    if let Judgement::Judged(judged) = &mut result.gate {
        judged.lines = vec![judged.lines[0].clone(); 1_000];
        judged.distrust = vec![names; 1_000];
    }
    result
}

/// [`rolled_back_result`] again, but with latencies twice as long.
pub(crate) fn slower() -> ResultFile {
    let mut result = rolled_back_result();
    for cell in &mut result.record.cells {
        let mut latency = DurationHistogram::default();
        for (value, count) in cell.tally.latency.iter() {
            (0..count).for_each(|_| latency.record(value * 2));
        }
        cell.tally.latency = latency;
    }
    result.table = table(&result.record);
    result
}
