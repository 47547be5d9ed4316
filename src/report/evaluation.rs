//! From a run to its result: table, verdict, and all that they rest on.

use super::{FileDigest, ResultFile, ScenarioInfo};
use crate::gate::{Gate, Judgement, Line, Verdict};
use crate::run::Rehearsal;
use crate::scenario::{Expectation, Loaded, Scenario};
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
    let Rehearsal { record, trace } = rehearsal;
    let summary = Summary::of(&record);
    let table = Table::of(&summary, &columns, &references(scenario));
    let judgement = judge(scenario, &summary, &columns);
    let info = ScenarioInfo::of(scenario, files, seed, loaded.resolved.clone());
    ResultFile::new(info, trace, judgement, table, record)
}

fn judge(scenario: &Scenario, summary: &Summary<'_>, columns: &[ColumnSpec]) -> Judgement {
    let lines = scenario.gate.iter().map(|line| Line {
        text: &line.text,
        assertion: &line.assertion,
        file: &line.file,
        line: line.line,
    });
    let expected = scenario.expect.map(|expectation| match expectation {
        Expectation::Fail => Verdict::Fail,
        Expectation::Inconclusive => Verdict::Inconclusive,
    });
    let lines: Vec<_> = lines.collect();
    // A simulated run is exact: whatever would make it untrustworthy has ended it with an error.
    Gate { lines: &lines, columns, expected, distrust: &[] }.judge(summary)
}

fn columns(scenario: &Scenario) -> Vec<ColumnSpec> {
    let columns = scenario.columns.iter().map(|column| ColumnSpec {
        title: column.title.clone(),
        selection: Selection { phase: column.phase, version: column.version, arm: None },
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
