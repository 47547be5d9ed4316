//! From a run to its result: table, verdict, and all that they rest on.

use super::{FileDigest, ResultFile, ScenarioInfo};
use crate::gate::{Gate, Judgement, Line, Runs, Settings, Stored, Verdict};
use crate::record::{Happening, Record};
use crate::run::{LiveFacts, Rehearsal};
use crate::scenario::{Expectation, Loaded, Scenario, dependences};
use crate::summary::{ColumnSpec, ReferenceSpec, Selection, Summary, Table};

/// The result of a run of `loaded` under `seed`; `files` are those that the scenario was read from.
pub fn evaluate(
    loaded: &Loaded,
    files: Vec<FileDigest>,
    seed: u64,
    rehearsal: Rehearsal,
) -> ResultFile {
    let scenario = &loaded.scenario;
    let columns = columns(scenario);
    let Rehearsal { record, traces, live } = rehearsal;
    let summary = Summary::of(&record);
    let table = Table::of(&summary, &columns, &references(scenario));
    let mut distrust = distrust(scenario, &record);
    distrust.extend(live.iter().flat_map(LiveFacts::distrust));
    let judgement = judge(loaded, &[&record], None, &distrust);
    let info = ScenarioInfo::of(scenario, files, seed, loaded.resolved.clone());
    ResultFile { live, ..ResultFile::new(info, traces, judgement, table, record) }
}

/// Judges the gate of `loaded` on runs of it, against those of a `baseline` where there is one.
/// `distrust` says why the runs cannot be trusted.
pub fn judge(
    loaded: &Loaded,
    records: &[&Record],
    baseline: Option<&Stored<'_>>,
    distrust: &[String],
) -> Judgement {
    let scenario = &loaded.scenario;
    let lines = scenario.gate.iter().map(|line| Line {
        text: &line.text,
        assertion: &line.assertion,
        file: &line.file,
        line: line.line,
    });
    let lines: Vec<_> = lines.collect();
    let expected = scenario.expect.map(|expectation| match expectation {
        Expectation::Fail => Verdict::Fail,
        Expectation::Inconclusive => Verdict::Inconclusive,
    });
    let settings = Settings {
        smallest_effect: scenario.against_baseline.smallest_effect,
        alpha: scenario.against_baseline.alpha.get(),
    };
    let dependences = dependences(&loaded.resolved, scenario.closed_users() > 0);
    let columns = columns(scenario);
    let runs = Runs::of_records(records, &columns, &dependences);
    Gate { lines: &lines, expected, distrust, settings }.judge(&runs, baseline)
}

/// Why a run of `scenario` shows less than it was to show, in sentences; empty where it shows all.
pub fn distrust(scenario: &Scenario, record: &Record) -> Vec<String> {
    unreached(scenario, record.phases.len()).into_iter().chain(missed_faults(record)).collect()
}

/// Says which phases the traffic ended before: nothing that they were to show has been seen, so a
/// gate that holds means nothing.
fn unreached(scenario: &Scenario, reached: usize) -> Option<String> {
    let rest = scenario.phases.get(reached..).filter(|rest| !rest.is_empty())?;
    let names: Vec<_> = rest.iter().map(|phase| format!("{:?}", phase.name)).collect();
    Some(format!("the traffic ended before these phases began: {}", names.join(", ")))
}

/// Says which faults of a phase that was reached the traffic ended before: what they were to show
/// has not been seen either.
fn missed_faults(record: &Record) -> Option<String> {
    let missed = record.timeline.events.iter().filter_map(|event| match &event.happening {
        Happening::FaultMissed { version, what } => {
            let version = record.version(*version).map_or("", |version| version.id.as_str());
            Some(format!("{what} on {version}"))
        }
        _ => None,
    });
    let missed: Vec<_> = missed.collect();
    let none = missed.is_empty();
    (!none).then(|| format!("the traffic ended before these faults began: {}", missed.join(", ")))
}

/// The columns that selectors of `scenario` can name.
pub fn columns(scenario: &Scenario) -> Vec<ColumnSpec> {
    let columns = scenario.columns.iter().map(|column| ColumnSpec {
        title: column.title.clone(),
        selection: Selection {
            phase: column.phase,
            model: column.model,
            version: column.version,
            ..Selection::default()
        },
    });
    columns.collect()
}

fn references(scenario: &Scenario) -> Vec<ReferenceSpec> {
    let references = scenario.references.iter().map(|reference| ReferenceSpec {
        column: reference.column,
        metric: reference.metric,
        value: reference.value,
    });
    references.collect()
}
