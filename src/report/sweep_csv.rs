//! A sweep as CSV for other programs: a row for each run, and a row for each combination.

use super::rare_words::method_word;
use crate::assertion::{Reading, Source};
use crate::gate::RunValue;
use crate::rare::RareFigure;
use crate::study::{
    AgainstFirst, Cell, CellReport, CountOfRuns, MeanOfRuns, RareEstimate, Row, RunTime,
    ShareOfRuns, SweepReport, TimeQuantile, trigger_names,
};
use crate::units::Duration;

/// The runs in their order, one to a row, with a header: the values of what is varied, then what
/// came of the run, then what the lines of the gate read. Times are in seconds; what never came is
/// `inf`, what there is none of is empty.
pub fn sweep_runs_csv<'a>(
    report: &SweepReport,
    cells: &[Cell],
    rows: impl IntoIterator<Item = &'a Row>,
) -> String {
    if report.is_rare() {
        return rare_runs_csv(report, cells, rows);
    }
    let readings = readings(cells);
    let triggers: Vec<Vec<String>> =
        cells.iter().map(|cell| trigger_names(&cell.loaded.scenario)).collect();
    let mut table = Table::new();
    let named = readings.iter().map(|(name, _)| name.clone());
    table.row(paths(report).chain(RUN_COLUMNS.map(str::to_owned)).chain(named));
    for row in rows {
        let index = row.cell as usize;
        let Some(cell) = report.cells.get(index) else { continue };
        let trigger = row.trigger.and_then(|trigger| triggers[index].get(usize::from(trigger)));
        let values = readings.iter().map(|(_, places)| {
            let value = places[index].and_then(|place| row.values.get(place));
            value.copied().map_or_else(String::new, value_text)
        });
        let own = run_columns(row, trigger.cloned().unwrap_or_default());
        table.row(cell.values.iter().cloned().chain(own).chain(values));
    }
    table.finish()
}

/// The same of weighted runs.
fn rare_runs_csv<'a>(
    report: &SweepReport,
    cells: &[Cell],
    rows: impl IntoIterator<Item = &'a Row>,
) -> String {
    let triggers: Vec<Vec<String>> =
        cells.iter().map(|cell| trigger_names(&cell.loaded.scenario)).collect();
    let mut table = Table::new();
    table.row(paths(report).chain(RARE_RUN_COLUMNS.map(str::to_owned)));
    for row in rows {
        let index = row.cell as usize;
        let Some(cell) = report.cells.get(index) else { continue };
        let trigger = row.trigger.and_then(|trigger| triggers[index].get(usize::from(trigger)));
        let (weight, probability) = match row.rare {
            Some(RareFigure::Weighted { ln_weight }) => (Some(ln_weight), None),
            Some(RareFigure::Split { ln_probability }) => (None, ln_probability),
            None => (None, None),
        };
        let own = [
            row.cell.to_string(),
            row.seed.to_string(),
            row.false_rollbacks.to_string(),
            trigger.cloned().unwrap_or_default(),
            row.rolled_back_after.map_or_else(|| NEVER.to_owned(), seconds),
            row.requests.to_string(),
            number(weight),
            number(probability),
        ];
        table.row(cell.values.iter().cloned().chain(own));
    }
    table.finish()
}

/// What the lines of any cell read, each with its place among the readings of every cell.
fn readings(cells: &[Cell]) -> Vec<(String, Vec<Option<usize>>)> {
    let mut readings: Vec<(String, Vec<Option<usize>>)> = Vec::new();
    for (index, cell) in cells.iter().enumerate() {
        for (place, reading) in cell.lines.readings().iter().enumerate() {
            // What is read of the first combination is in its own rows.
            let name = Reading { source: Source::Judged, ..reading.clone() }.to_string();
            let known = readings.iter().position(|(known, _)| *known == name);
            let at = known.unwrap_or_else(|| {
                readings.push((name, vec![None; cells.len()]));
                readings.len() - 1
            });
            readings[at].1[index] = Some(place);
        }
    }
    readings
}

fn run_columns(row: &Row, trigger: String) -> [String; 17] {
    let time = |time: Option<Duration>| time.map_or_else(|| NEVER.to_owned(), seconds);
    [
        row.cell.to_string(),
        row.seed.to_string(),
        row.rollbacks.to_string(),
        row.false_rollbacks.to_string(),
        row.promotions.to_string(),
        trigger,
        time(row.rolled_back_after),
        time(row.time_to_detect),
        time(row.time_to_rollback),
        row.watched.map_or_else(String::new, seconds),
        row.blast_requests.to_string(),
        row.blast_failed.to_string(),
        row.blast_slowed.to_string(),
        row.open_ended.to_string(),
        row.requests.to_string(),
        row.failed.to_string(),
        (row.unreached > 0 || row.missed_faults > 0).to_string(),
    ]
}

fn value_text(value: RunValue) -> String {
    match value {
        RunValue::Known(value) => value.to_string(),
        RunValue::Never => NEVER.to_owned(),
        RunValue::NoData => String::new(),
    }
}

/// The combinations in their order, one to a row, with a header: the values of what is varied, then
/// what their runs come to, each with its interval.
pub fn sweep_cells_csv(report: &SweepReport) -> String {
    let mut table = Table::new();
    for (index, cell) in report.cells.iter().enumerate() {
        let columns = cell_columns(cell);
        if index == 0 {
            let names = columns.iter().map(|(name, _)| name.clone());
            table.row(paths(report).chain(["cell".to_owned()]).chain(names));
        }
        let values = columns.into_iter().map(|(_, value)| value);
        table.row(cell.values.iter().cloned().chain([index.to_string()]).chain(values));
    }
    table.finish()
}

type Column = (String, String);

fn cell_columns(cell: &CellReport) -> Vec<Column> {
    if let Some(rare) = &cell.rare {
        return rare_columns(cell, rare);
    }
    let mut columns = vec![
        ("runs".to_owned(), cell.runs.to_string()),
        ("stopped".to_owned(), cell.stopped.to_string()),
        ("requests".to_owned(), cell.requests.to_string()),
        ("failed".to_owned(), cell.failed.to_string()),
    ];
    columns.extend(share("rollback", cell.rollback));
    columns.extend(share("false_rollback", cell.false_rollback));
    columns.extend(share("promotion", cell.promotion));
    for within in &cell.within {
        let name = within.within.map_or_else(
            || "rolled_back_bad".to_owned(),
            |within| format!("rolled_back_bad_within_{}s", within.as_secs()),
        );
        columns.extend(share(&name, within.share));
    }
    columns.extend(cell.time_to_detect.iter().flat_map(|time| quantile("time_to_detect", time)));
    columns
        .extend(cell.time_to_rollback.iter().flat_map(|time| quantile("time_to_rollback", time)));
    columns.extend(counted("blast_failed", &cell.blast_failed));
    columns.extend(counted("blast_requests", &cell.blast_requests));
    columns.extend(counted("blast_slowed", &cell.blast_slowed));
    columns.push(("open_ended".to_owned(), cell.open_ended.to_string()));
    columns.push(("cut_short".to_owned(), cell.cut_short.to_string()));
    columns.extend(against_first(cell));
    columns
}

fn rare_columns(cell: &CellReport, rare: &RareEstimate) -> Vec<Column> {
    vec![
        ("method".to_owned(), method_word(rare.method).to_owned()),
        ("runs".to_owned(), cell.runs.to_string()),
        ("requests".to_owned(), cell.requests.to_string()),
        ("false_rollback".to_owned(), number(rare.value)),
        ("false_rollback_low".to_owned(), number(rare.low)),
        ("false_rollback_high".to_owned(), number(rare.high)),
        ("hits".to_owned(), rare.hits.to_string()),
        ("effective_sample_size".to_owned(), rare.effective.to_string()),
        ("mean_weight".to_owned(), number(rare.mean_weight)),
    ]
}

fn against_first(cell: &CellReport) -> Vec<Column> {
    let none = MeanOfRuns { n: 0, value: None, low: None, high: None };
    let of = |part: fn(&AgainstFirst) -> MeanOfRuns| cell.against_first.as_ref().map_or(none, part);
    [
        ("rollback_less_first", of(|against| against.rollback)),
        ("false_rollback_less_first", of(|against| against.false_rollback)),
        ("time_to_rollback_seconds_less_first", of(|against| against.time_to_rollback_seconds)),
        ("blast_failed_less_first", of(|against| against.blast_failed)),
        ("blast_requests_less_first", of(|against| against.blast_requests)),
    ]
    .into_iter()
    .flat_map(|(name, found)| mean(name, &found))
    .collect()
}

fn share(name: &str, share: ShareOfRuns) -> [Column; 4] {
    [
        (format!("{name}_runs"), share.hits.to_string()),
        (name.to_owned(), number(share.value)),
        (format!("{name}_low"), share.low.to_string()),
        (format!("{name}_high"), share.high.to_string()),
    ]
}

fn quantile(name: &str, time: &TimeQuantile) -> [Column; 3] {
    let name = format!("{name}_seconds_p{}", time.per_mille / 10);
    let told = |time: Option<RunTime>| match time {
        Some(RunTime::At(time)) => seconds(time),
        Some(RunTime::Never) => NEVER.to_owned(),
        None => String::new(),
    };
    [
        (format!("{name}_low"), told(time.low)),
        (format!("{name}_high"), told(time.high)),
        (name, told(time.value)),
    ]
}

fn counted(name: &str, counts: &CountOfRuns) -> Vec<Column> {
    let quantiles = counts.quantiles.iter().flat_map(|quantile| {
        let name = format!("{name}_p{}", quantile.per_mille / 10);
        let told = |count: Option<u64>| count.map_or_else(String::new, |count| count.to_string());
        [
            (format!("{name}_low"), told(quantile.low)),
            (format!("{name}_high"), told(quantile.high)),
            (name, told(quantile.value)),
        ]
    });
    mean(&format!("{name}_mean"), &counts.mean).into_iter().chain(quantiles).collect()
}

fn mean(name: &str, mean: &MeanOfRuns) -> [Column; 4] {
    [
        (format!("{name}_n"), mean.n.to_string()),
        (name.to_owned(), number(mean.value)),
        (format!("{name}_low"), number(mean.low)),
        (format!("{name}_high"), number(mean.high)),
    ]
}

fn paths(report: &SweepReport) -> impl Iterator<Item = String> + '_ {
    report.variations.iter().map(|variation| variation.path.clone())
}

fn seconds(time: Duration) -> String {
    time.as_secs_f64().to_string()
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(String::new, |value| value.to_string())
}

/// Rows of CSV in memory.
struct Table(csv::Writer<Vec<u8>>);

impl Table {
    fn new() -> Self {
        Self(csv::Writer::from_writer(Vec::new()))
    }

    fn row(&mut self, cells: impl Iterator<Item = String>) {
        let cells: Vec<String> = cells.collect();
        self.0.write_record(&cells).expect(MEMORY);
    }

    fn finish(self) -> String {
        let bytes = self.0.into_inner().expect(MEMORY);
        String::from_utf8(bytes).expect("what was written was text")
    }
}

const RUN_COLUMNS: [&str; 17] = [
    "cell",
    "seed",
    "rollbacks",
    "false_rollbacks",
    "promotions",
    "trigger",
    "rolled_back_after_seconds",
    "time_to_detect_seconds",
    "time_to_rollback_seconds",
    "watched_seconds",
    "blast_requests",
    "blast_failed",
    "blast_slowed",
    "open_ended",
    "requests",
    "failed",
    "cut_short",
];

const RARE_RUN_COLUMNS: [&str; 8] = [
    "cell",
    "seed",
    "false_rollbacks",
    "trigger",
    "rolled_back_after_seconds",
    "requests",
    "ln_weight",
    "ln_probability",
];

/// As programs read an infinite number.
const NEVER: &str = "inf";

const MEMORY: &str = "rows of equal length are written into memory";
