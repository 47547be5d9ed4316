//! The lines of a gate on the runs of a cell, by the gate itself: it is handed the values of the
//! runs in the place of their records.

use super::cell::Cell;
use super::rare_estimate::RareEstimate;
use super::row::Row;
use crate::assertion::Reading;
use crate::gate::{Gate, Judgement, Line, RunValue, RunValues, Runs, Settings, Stored};
use crate::scenario::GateLine;
use crate::units::format_counted;

/// What becomes of the lines of a cell on its rows; `None` where it has none. `baseline(...)` is
/// the first cell: of that itself such lines are not judged.
pub(super) fn judge(
    (cell, rows): (&Cell, &[&Row]),
    first: Option<(&Cell, &[&Row])>,
) -> Option<Judgement> {
    let judged = |line: &&GateLine| first.is_some() || !line.assertion.needs_baseline();
    let lines: Vec<Line<'_>> = cell.lines.lines().iter().filter(judged).map(line).collect();
    if lines.is_empty() {
        return None;
    }
    let against = &cell.loaded.scenario.against_baseline;
    let settings =
        Settings { smallest_effect: against.smallest_effect, alpha: against.alpha.get() };
    let distrust = distrust(rows);
    let values = values(cell, rows);
    let gate = Gate { lines: &lines, expected: None, distrust: &distrust, settings };
    let of_first = first.map(|(cell, rows)| self::values(cell, rows));
    let stored = of_first
        .as_ref()
        .map(|values| Stored { runs: Runs::of_values(values), same_scenario: false });
    Some(gate.judge(&Runs::of_values(&values), stored.as_ref()))
}

/// What becomes of the lines of a cell on the probability of a false rollback.
pub(super) fn judge_rare(cell: &Cell, estimate: &RareEstimate) -> Option<Judgement> {
    let lines: Vec<Line<'_>> = cell.lines.lines().iter().map(line).collect();
    (!lines.is_empty()).then(|| estimate.for_gate().judge(&lines))
}

fn line(line: &GateLine) -> Line<'_> {
    Line { text: &line.text, assertion: &line.assertion, file: &line.file, line: line.line }
}

fn values(cell: &Cell, rows: &[&Row]) -> RunValues {
    let seeds = rows.iter().map(|row| row.seed).collect();
    let of = |place: usize| {
        let value = |row: &&Row| row.values.get(place).copied().unwrap_or(RunValue::NoData);
        rows.iter().map(value).collect()
    };
    let readings = cell.lines.readings().iter().enumerate();
    let readings = readings.map(|(place, reading): (usize, &Reading)| (reading.clone(), of(place)));
    RunValues::new(seeds, readings.collect())
}

/// Why runs show less than they were to.
fn distrust(rows: &[&Row]) -> Vec<String> {
    let all = format_counted(rows.len() as u64, "run", "runs");
    let told = |what: &str, holds: fn(&Row) -> bool| {
        let mut found = rows.iter().filter(|row| holds(row));
        let seed = found.next()?.seed;
        let count = 1 + found.count();
        Some(format!("the traffic ended before {what} began in {count} of {all}: seed {seed}"))
    };
    let phases = told("a phase", |row| row.unreached > 0);
    let faults = told("a fault", |row| row.missed_faults > 0);
    phases.into_iter().chain(faults).collect()
}

#[cfg(test)]
mod tests {
    use super::super::example::{cell, cells, played};
    use super::*;
    use crate::gate::{LineResult, Verdict};
    use crate::record::Record;
    use crate::result::columns;

    fn lines(judgement: Option<Judgement>) -> Vec<LineResult> {
        match judgement {
            Some(Judgement::Judged(judged)) => judged.lines,
            _ => panic!("there are lines"),
        }
    }

    const LINES: [&str; 6] = [
        "p(rollback) > 20%",
        "p(false_rollback) < 1%",
        "median(blast_radius.failed) <= 100",
        "p95(latency_avg{phase=bad}) < 10s",
        "rollbacks <= 1",
        "median(time_to_rollback) * 2 < 1h",
    ];

    #[test]
    fn values_come_to_what_the_records_come_to() {
        let cell = cell(&LINES);
        let records: Vec<Record> = (1..=30).map(|seed| played(&cell, seed)).collect();
        let rows: Vec<Row> = records.iter().map(|record| Row::of(0, &cell, record)).collect();
        let own = lines(judge((&cell, &rows.iter().collect::<Vec<_>>()), None));
        let of_records: Vec<&Record> = records.iter().collect();
        let specs = columns(&cell.loaded.scenario);
        let asked = cell.lines.lines().iter().map(|line| Line {
            text: &line.text,
            assertion: &line.assertion,
            file: &line.file,
            line: line.line,
        });
        let gate = Gate {
            lines: &asked.collect::<Vec<_>>(),
            expected: None,
            distrust: &[],
            settings: Settings::default(),
        };
        let whole = gate.judge(&Runs::of_records(&of_records, &specs, &[]), None);
        assert_eq!(own, lines(Some(whole)));
        assert_eq!(own.len(), LINES.len() + 1);
        assert!(own.iter().any(|line| line.verdict == Verdict::Pass));
    }

    #[test]
    fn a_baseline_is_the_first_cell_and_pairs_are_of_one_seed() {
        let text = "blast_radius.requests <= baseline(blast_radius.requests)";
        let cells = cells(&[text]);
        let rows = |index: usize| -> Vec<Row> {
            let cell = &cells[index];
            (1..=20).map(|seed| Row::of(index as u32, cell, &played(cell, seed))).collect()
        };
        let (first, other) = (rows(0), rows(1));
        let (first, other): (Vec<&Row>, Vec<&Row>) =
            (first.iter().collect(), other.iter().collect());
        let alone = lines(judge((&cells[0], &first), None));
        assert!(alone.iter().all(|line| line.text != text), "nothing to be held against");
        let found = lines(judge((&cells[1], &other), Some((&cells[0], &first))));
        let line = found.iter().find(|line| line.text == text).unwrap();
        // The second cell has a rule that sees later: it cannot do less harm under one seed.
        assert_eq!(line.difference.unwrap().pairs, 20);
        assert!(line.difference.unwrap().mean > 0.0, "{line:?}");
    }

    #[test]
    fn runs_that_were_cut_short_are_no_ground_for_a_verdict() {
        let cell = cell(&["p(rollback) >= 0%"]);
        let row = |seed, unreached| Row { unreached, ..Row::of(0, &cell, &played(&cell, seed)) };
        let rows = [row(1, 0), row(2, 1), row(3, 1)];
        match judge((&cell, &rows.iter().collect::<Vec<_>>()), None) {
            Some(Judgement::Judged(judged)) => {
                assert_eq!(judged.verdict, Verdict::Invalid);
                let told = "the traffic ended before a phase began in 2 of 3 runs: seed 2";
                assert_eq!(judged.distrust, [told]);
            }
            other => panic!("{other:?}"),
        }
    }
}
