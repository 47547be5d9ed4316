//! A sweep as tables for other programs: a row for each run, and a row for each combination. Knows
//! nothing of the form in which they are written.

use super::rare_words::method_word;
use crate::assertion::{Reading, Source};
use crate::gate::RunValue;
use crate::rare::RareFigure;
use crate::study::{
    AgainstFirst, Cell, CellReport, CountOfRuns, MeanOfRuns, RareEstimate, Row, RunTime,
    ShareOfRuns, SweepReport, TimeQuantile, Variation, trigger_names,
};
use crate::units::Duration;

/// Columns by name, all with as many values.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct SweepTable {
    /// In their order.
    pub(super) columns: Vec<Column>,
}

/// A column.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) values: Values,
}

/// Values of one kind; `None`: there is none.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Values {
    Text(Vec<Option<String>>),
    Count(Vec<Option<u64>>),
    /// Times are in seconds; what never came is infinite.
    Number(Vec<Option<f64>>),
    Flag(Vec<bool>),
}

/// How the runs of a sweep are put into tables.
#[derive(Clone, Debug)]
pub(super) struct RunTables<'a> {
    report: &'a SweepReport,
    /// By cell, the names of its triggers.
    triggers: Vec<Vec<String>>,
    readings: Vec<ReadingPlaces>,
}

/// What a line reads, with its place among the readings of every cell.
type ReadingPlaces = (String, Vec<Option<usize>>);

impl<'a> RunTables<'a> {
    pub(super) fn new(report: &'a SweepReport, cells: &[Cell]) -> Self {
        let triggers = cells.iter().map(|cell| trigger_names(&cell.loaded.scenario)).collect();
        let readings = if report.is_rare() { Vec::new() } else { readings(cells) };
        Self { report, triggers, readings }
    }

    /// The runs in their order: the values of what is varied, then what came of the run, then what
    /// the lines of the gate read. So many are in a table that millions take no more room beside
    /// their file than those.
    pub(super) fn of<'r>(
        &self,
        rows: impl IntoIterator<Item = &'r Row>,
    ) -> impl Iterator<Item = SweepTable> {
        self.of_each(RUNS_OF_A_TABLE, rows)
    }

    /// The same with `runs` to a table. There is one at least, all have the same columns.
    pub(super) fn of_each<'r>(
        &self,
        runs: usize,
        rows: impl IntoIterator<Item = &'r Row>,
    ) -> impl Iterator<Item = SweepTable> {
        let inside = |row: &&Row| (row.cell as usize) < self.report.cells.len();
        let mut rows = rows.into_iter().filter(inside).peekable();
        let mut is_first = true;
        std::iter::from_fn(move || {
            let wanted = is_first || rows.peek().is_some();
            is_first = false;
            wanted.then(|| self.table(&rows.by_ref().take(runs).collect::<Vec<_>>()))
        })
    }

    fn table(&self, rows: &[&Row]) -> SweepTable {
        let is_rare = self.report.is_rare();
        let own = if is_rare { rare_run_columns } else { run_columns };
        let mut columns = varied(self.report, || rows.iter().map(|row| row.cell as usize));
        columns.extend(own(rows, &self.triggers_of(rows)));
        columns.extend(self.readings.iter().map(|reading| reading_column(reading, rows)));
        SweepTable { columns }
    }

    /// The trigger of each run's first rollback.
    fn triggers_of(&self, rows: &[&Row]) -> Vec<Option<String>> {
        let name = |row: &&Row| {
            let trigger = usize::from(row.trigger?);
            self.triggers.get(row.cell as usize)?.get(trigger).cloned()
        };
        rows.iter().map(name).collect()
    }
}

impl SweepTable {
    /// The combinations in their order: the values of what is varied, then what their runs come to,
    /// each with its interval.
    pub(super) fn of_cells(report: &SweepReport) -> Self {
        let mut columns = varied(report, || 0..report.cells.len());
        let numbers = (0..report.cells.len() as u64).map(Some).collect();
        columns.push(Column { name: "cell".to_owned(), values: Values::Count(numbers) });
        let mut cells = report.cells.iter().map(cell_columns);
        let mut own = cells.next().unwrap_or_default();
        for cell in cells {
            assert_eq!(own.len(), cell.len(), "all combinations of a plan have the same columns");
            own.iter_mut().zip(cell).for_each(|(column, more)| column.append(more));
        }
        columns.extend(own);
        Self { columns }
    }

    /// How many values each column has.
    pub(super) fn rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.len())
    }
}

impl Column {
    fn append(&mut self, more: Self) {
        assert_eq!(self.name, more.name, "all combinations of a plan have the same columns");
        self.values.append(more.values);
    }
}

impl Values {
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(values) => values.len(),
            Self::Count(values) => values.len(),
            Self::Number(values) => values.len(),
            Self::Flag(values) => values.len(),
        }
    }

    fn append(&mut self, more: Self) {
        match (self, more) {
            (Self::Text(all), Self::Text(more)) => all.extend(more),
            (Self::Count(all), Self::Count(more)) => all.extend(more),
            (Self::Number(all), Self::Number(more)) => all.extend(more),
            (Self::Flag(all), Self::Flag(more)) => all.extend(more),
            (one, other) => unreachable!("one column has one kind: {one:?}, {other:?}"),
        }
    }
}

/// The values of what is varied of these cells, a column for each path.
fn varied<I: Iterator<Item = usize>>(report: &SweepReport, cells: impl Fn() -> I) -> Vec<Column> {
    let column = |(place, variation): (usize, &Variation)| {
        let value = |cell: usize| report.cells[cell].values.get(place).cloned();
        text(&variation.path, cells().map(value).collect())
    };
    report.variations.iter().enumerate().map(column).collect()
}

/// What the lines of any cell read.
fn readings(cells: &[Cell]) -> Vec<ReadingPlaces> {
    let mut readings: Vec<ReadingPlaces> = Vec::new();
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

fn reading_column((name, places): &ReadingPlaces, rows: &[&Row]) -> Column {
    let value = |row: &&Row| match row.values.get(places[row.cell as usize]?)? {
        RunValue::Known(value) => Some(*value),
        RunValue::Never => Some(NEVER),
        RunValue::NoData => None,
    };
    number(name, rows.iter().map(value).collect())
}

fn run_columns(rows: &[&Row], triggers: &[Option<String>]) -> Vec<Column> {
    let counts = |name: &str, of: fn(&Row) -> u64| {
        count(name, rows.iter().map(|row| Some(of(row))).collect())
    };
    let times = |name: &str, of: fn(&Row) -> Option<Duration>| {
        number(name, rows.iter().map(|row| Some(of(row).map_or(NEVER, seconds))).collect())
    };
    let flags = |name: &str, of: fn(&Row) -> bool| {
        let values = Values::Flag(rows.iter().map(|row| of(row)).collect());
        Column { name: name.to_owned(), values }
    };
    let watched = rows.iter().map(|row| row.watched.map(seconds)).collect();
    vec![
        counts("cell", |row| u64::from(row.cell)),
        counts("seed", |row| row.seed),
        counts("rollbacks", |row| row.rollbacks),
        counts("false_rollbacks", |row| row.false_rollbacks),
        counts("promotions", |row| row.promotions),
        text("trigger", triggers.to_vec()),
        times("rolled_back_after_seconds", |row| row.rolled_back_after),
        times("time_to_detect_seconds", |row| row.time_to_detect),
        times("time_to_rollback_seconds", |row| row.time_to_rollback),
        number("watched_seconds", watched),
        counts("blast_requests", |row| row.blast_requests),
        counts("blast_failed", |row| row.blast_failed),
        counts("blast_slowed", |row| row.blast_slowed),
        flags("open_ended", |row| row.open_ended),
        counts("requests", |row| row.requests),
        counts("failed", |row| row.failed),
        flags("cut_short", |row| row.unreached > 0 || row.missed_faults > 0),
    ]
}

/// Of weighted runs, or of replicates of splitting.
fn rare_run_columns(rows: &[&Row], triggers: &[Option<String>]) -> Vec<Column> {
    let counts = |name: &str, of: fn(&Row) -> u64| {
        count(name, rows.iter().map(|row| Some(of(row))).collect())
    };
    let rolled_back =
        rows.iter().map(|row| Some(row.rolled_back_after.map_or(NEVER, seconds))).collect();
    let weight = |row: &&Row| match row.rare? {
        RareFigure::Weighted { ln_weight } => Some(ln_weight),
        RareFigure::Split { .. } => None,
    };
    let probability = |row: &&Row| match row.rare? {
        RareFigure::Weighted { .. } => None,
        RareFigure::Split { ln_probability } => ln_probability,
    };
    vec![
        counts("cell", |row| u64::from(row.cell)),
        counts("seed", |row| row.seed),
        counts("false_rollbacks", |row| row.false_rollbacks),
        text("trigger", triggers.to_vec()),
        number("rolled_back_after_seconds", rolled_back),
        counts("requests", |row| row.requests),
        number("ln_weight", rows.iter().map(weight).collect()),
        number("ln_probability", rows.iter().map(probability).collect()),
    ]
}

fn cell_columns(cell: &CellReport) -> Vec<Column> {
    if let Some(rare) = &cell.rare {
        return rare_columns(cell, rare);
    }
    let mut columns = vec![
        whole("runs", cell.runs),
        Column { name: "stopped".to_owned(), values: Values::Flag(vec![cell.stopped]) },
        whole("requests", cell.requests),
        whole("failed", cell.failed),
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
    columns.push(whole("open_ended", cell.open_ended));
    columns.push(whole("cut_short", cell.cut_short));
    columns.extend(against_first(cell));
    columns
}

fn rare_columns(cell: &CellReport, rare: &RareEstimate) -> Vec<Column> {
    vec![
        text("method", vec![Some(method_word(rare.method).to_owned())]),
        whole("runs", cell.runs),
        whole("requests", cell.requests),
        one("false_rollback", rare.value),
        one("false_rollback_low", rare.low),
        one("false_rollback_high", rare.high),
        whole("hits", rare.hits),
        one("effective_sample_size", Some(rare.effective)),
        one("mean_weight", rare.mean_weight),
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
        whole(&format!("{name}_runs"), share.hits),
        one(name, share.value),
        one(&format!("{name}_low"), Some(share.low)),
        one(&format!("{name}_high"), Some(share.high)),
    ]
}

fn quantile(name: &str, time: &TimeQuantile) -> [Column; 3] {
    let name = format!("{name}_seconds_p{}", time.per_mille / 10);
    let told = |time: Option<RunTime>| match time? {
        RunTime::At(time) => Some(seconds(time)),
        RunTime::Never => Some(NEVER),
    };
    [
        one(&format!("{name}_low"), told(time.low)),
        one(&format!("{name}_high"), told(time.high)),
        one(&name, told(time.value)),
    ]
}

fn counted(name: &str, counts: &CountOfRuns) -> Vec<Column> {
    let quantiles = counts.quantiles.iter().flat_map(|quantile| {
        let name = format!("{name}_p{}", quantile.per_mille / 10);
        [
            count(&format!("{name}_low"), vec![quantile.low]),
            count(&format!("{name}_high"), vec![quantile.high]),
            count(&name, vec![quantile.value]),
        ]
    });
    mean(&format!("{name}_mean"), &counts.mean).into_iter().chain(quantiles).collect()
}

fn mean(name: &str, mean: &MeanOfRuns) -> [Column; 4] {
    [
        whole(&format!("{name}_n"), mean.n),
        one(name, mean.value),
        one(&format!("{name}_low"), mean.low),
        one(&format!("{name}_high"), mean.high),
    ]
}

fn text(name: &str, values: Vec<Option<String>>) -> Column {
    Column { name: name.to_owned(), values: Values::Text(values) }
}

fn count(name: &str, values: Vec<Option<u64>>) -> Column {
    Column { name: name.to_owned(), values: Values::Count(values) }
}

fn number(name: &str, values: Vec<Option<f64>>) -> Column {
    Column { name: name.to_owned(), values: Values::Number(values) }
}

/// A count of one row.
fn whole(name: &str, value: u64) -> Column {
    count(name, vec![Some(value)])
}

/// A number of one row.
fn one(name: &str, value: Option<f64>) -> Column {
    number(name, vec![value])
}

fn seconds(time: Duration) -> f64 {
    time.as_secs_f64()
}

/// Chosen: some 40 MB.
const RUNS_OF_A_TABLE: usize = 100_000;
/// How long it takes until something comes that never does, in seconds.
const NEVER: f64 = f64::INFINITY;
