//! The comparison table: one column per selection, held against the first of its model and against
//! published figures.

use serde::{Deserialize, Serialize};

use super::estimate::{Estimate, Method};
use super::selection::{Selected, Selection, Summary};
use crate::metric::Metric;
use crate::record::EndingCounts;

/// The table's rows, in order, where what clients met is what versions did.
pub const TABLE_METRICS: [Metric; 9] = [
    Metric::LatencyAvg,
    Metric::LatencyP50,
    Metric::LatencyP95,
    Metric::LatencyP99,
    Metric::ErrorRate,
    Metric::SuccessRate,
    Metric::CostPer1kTokens,
    Metric::Requests,
    Metric::TtftAvg,
];

/// The rows where clients met something else than the versions did: some requests took several
/// attempts or none, or were refused for their key.
pub const TABLE_METRICS_WITH_CLIENTS: [Metric; 11] = [
    Metric::LatencyAvg,
    Metric::LatencyP50,
    Metric::LatencyP95,
    Metric::LatencyP99,
    Metric::ErrorRate,
    Metric::SuccessRate,
    Metric::FinalErrorRate,
    Metric::CostPer1kTokens,
    Metric::Requests,
    Metric::Attempts,
    Metric::TtftAvg,
];

/// A column that is wanted.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ColumnSpec {
    /// Its heading.
    pub title: String,
    /// The requests that it shows.
    pub selection: Selection,
}

/// A published figure that a column is held against.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct ReferenceSpec {
    /// The column (an index).
    pub column: usize,
    /// The metric.
    pub metric: Metric,
    /// The figure in the metric's base unit.
    pub value: f64,
}

/// The comparison table.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Table {
    /// In the order in which they were wanted.
    pub columns: Vec<TableColumn>,
    /// The published figures, in the order in which they were given.
    pub references: Vec<ReferenceCheck>,
}

/// A column of the table.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TableColumn {
    /// Its heading.
    pub title: String,
    /// One cell per metric of [`TABLE_METRICS`], or of [`TABLE_METRICS_WITH_CLIENTS`].
    pub cells: Vec<TableCell>,
    /// How its requests ended.
    pub endings: Endings,
}

/// How requests ended, as their clients saw it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Endings {
    /// With a complete answer.
    pub succeeded: u64,
    /// With a failure, by how.
    pub failed: EndingCounts,
    /// In a way that says nothing of the version, by how.
    pub uncounted: EndingCounts,
    /// Before any version saw them: refused for their key.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub key_refused: u64,
}

/// A metric in a column.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TableCell {
    /// Its value.
    pub estimate: Estimate,
    /// By how many percent the value differs from that of the first column of the same model (or of
    /// several, where it shows several): -28 is 28 % less. Absent in that column, without data,
    /// where its value is 0, and where the two are of so few values or events that the difference
    /// may be none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_percent: Option<f64>,
    /// Whether that change is more than chance: the 95 % intervals of the two values have nothing
    /// in common, or both values are exact.
    #[serde(default, skip_serializing_if = "is_false")]
    pub change_is_clear: bool,
}

/// A published figure beside the measured one.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ReferenceCheck {
    /// The column (an index).
    pub column: usize,
    /// The published figure in the metric's base unit.
    pub published: f64,
    /// What was measured.
    pub measured: Estimate,
    /// By how many percent the measured value differs from the published one. Absent without data,
    /// where the published figure is 0, and where the two are the same as far as so few values or
    /// events can tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference_percent: Option<f64>,
    /// Whether the published figure lies in the measured interval; of an exact value, whether the
    /// two are the same. Absent where nothing was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub inside: Option<bool>,
}

impl Table {
    /// Whether there are more attempts than requests in some column, or fewer.
    pub fn has_more_attempts(&self) -> bool {
        let value = |column: &TableColumn, metric| {
            let cell = column.cells.iter().find(|cell| cell.estimate.metric == metric);
            cell.and_then(|cell| cell.estimate.value)
        };
        let differ = |column| value(column, Metric::Attempts) != value(column, Metric::Requests);
        self.columns.iter().any(differ)
    }

    /// The table of `columns` with their published figures.
    ///
    /// # Panics
    /// A reference to a column that is not there.
    pub fn of(summary: &Summary<'_>, columns: &[ColumnSpec], references: &[ReferenceSpec]) -> Self {
        let selected: Vec<_> =
            columns.iter().map(|column| summary.select(column.selection)).collect();
        let is_apart = |requests: &Selected<'_>| {
            requests.took_several_attempts() || requests.refused_for_keys() > 0
        };
        let rows = match selected.iter().any(is_apart) {
            true => &TABLE_METRICS_WITH_CLIENTS[..],
            false => &TABLE_METRICS,
        };
        let mut table = Self { columns: Vec::new(), references: Vec::new() };
        let bases: Vec<_> = selected.iter().map(Selected::only_model).collect();
        for (index, (column, requests)) in columns.iter().zip(&selected).enumerate() {
            let first = bases.iter().position(|model| *model == bases[index]);
            let cells = rows.iter().enumerate().map(|(row, metric)| {
                let estimate = requests.estimate(*metric, Method::Display);
                let base = first.and_then(|first| table.columns.get(first));
                let base = base.and_then(|base| base.cells.get(row)).map(|base| &base.estimate);
                let change_percent = base.and_then(|base| change(&estimate, base));
                let is_clear = base.is_some_and(|base| is_clear(&estimate, base));
                let change_is_clear = is_clear && change_percent.is_some();
                TableCell { estimate, change_percent, change_is_clear }
            });
            let cells = cells.collect();
            let endings = Endings::of(requests);
            table.columns.push(TableColumn { title: column.title.clone(), cells, endings });
        }
        let check = |reference: &ReferenceSpec| {
            let requests = &selected[reference.column];
            ReferenceCheck::of(reference, requests.estimate(reference.metric, Method::Display))
        };
        table.references = references.iter().map(check).collect();
        table
    }
}

impl Endings {
    /// Those of the selected requests.
    pub fn of(selected: &Selected<'_>) -> Self {
        let tally = selected.requests();
        let (failed, uncounted) = (tally.failed.clone(), tally.uncounted.clone());
        let key_refused = selected.refused_for_keys();
        Self { succeeded: tally.succeeded, failed, uncounted, key_refused }
    }
}

impl ReferenceCheck {
    fn of(reference: &ReferenceSpec, measured: Estimate) -> Self {
        let published = reference.value;
        let inside = measured.value.and_then(|value| {
            if measured.exact {
                let allowed = SAME * value.abs().max(published.abs());
                return Some((value - published).abs() <= allowed);
            }
            measured.interval.map(|limits| limits.contain(published))
        });
        let unclear = measured.is_of_few_events() && inside == Some(true);
        let told = !unclear && !measured.is_of_too_few();
        let difference_percent =
            difference_percent(measured.value, Some(published)).filter(|_| told);
        Self { column: reference.column, published, measured, difference_percent, inside }
    }
}

/// By how many percent `estimate` differs from `base`, where that can be told.
fn change(estimate: &Estimate, base: &Estimate) -> Option<f64> {
    let few = estimate.is_of_few_events() || base.is_of_few_events();
    let unclear = few && estimate.overlaps(base);
    let too_few = estimate.is_of_too_few() || base.is_of_too_few();
    difference_percent(estimate.value, base.value).filter(|_| !unclear && !too_few)
}

/// Whether two values differ by more than chance.
fn is_clear(estimate: &Estimate, base: &Estimate) -> bool {
    let known = estimate.interval.is_some() && base.interval.is_some();
    estimate.exact && base.exact || known && !estimate.overlaps(base)
}

fn difference_percent(value: Option<f64>, base: Option<f64>) -> Option<f64> {
    let (value, base) = value.zip(base)?;
    (base != 0.0).then(|| (value / base - 1.0) * 100.0)
}

fn is_false(flag: &bool) -> bool {
    !*flag
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// By which share two exact figures may differ and still be the same. Chosen: no figure is
/// published with more than six digits, and the rounding of sums of prices is far finer.
const SAME: f64 = 1e-6;

#[cfg(test)]
mod tests {
    use super::super::fixture::{NEW, record};
    use super::*;
    use crate::exchange::{ModelIndex, VersionIndex};
    use crate::record::{Cell, KeyRejections, Record, Tally};
    use crate::summary::Limits;

    fn table() -> Table {
        let of = |title: &str, phase, version| ColumnSpec {
            title: title.to_owned(),
            selection: Selection { phase: Some(phase), version, ..Selection::default() },
        };
        let columns = [
            of("GPT-4", 0, None),
            of("Canary", 1, Some(NEW)),
            of("After rollback", 3, None),
            of("Never", 4, None),
        ];
        let reference = |column, metric, value| ReferenceSpec { column, metric, value };
        let references = [
            reference(0, Metric::ErrorRate, 0.0112),
            reference(0, Metric::LatencyAvg, 0.6),
            reference(1, Metric::CostPer1kTokens, 0.005),
            reference(1, Metric::CostPer1kTokens, 0.0051),
            reference(3, Metric::LatencyP90, 1.0),
        ];
        Table::of(&Summary::of(&record()), &columns, &references)
    }

    #[test]
    fn every_column_has_a_cell_for_every_row() {
        let table = table();
        for column in &table.columns {
            let metrics: Vec<_> = column.cells.iter().map(|cell| cell.estimate.metric).collect();
            assert_eq!(metrics, TABLE_METRICS);
        }
    }

    #[test]
    fn a_change_of_few_events_is_told_where_it_is_clear() {
        let of = |phase: usize| ColumnSpec {
            title: phase.to_string(),
            selection: Selection { phase: Some(phase), ..Selection::default() },
        };
        let table = Table::of(&Summary::of(&record()), &[of(0), of(2)], &[]);
        let change = table.columns[1].cells[4].change_percent.unwrap();
        // 50 of 150 against 5 of 1,005.
        assert!((change - (50.0 / 150.0 / (5.0 / 1_005.0) - 1.0) * 100.0).abs() < 1e-6, "{change}");
    }

    #[test]
    fn a_success_rate_changes_where_its_error_rate_does() {
        let of = |phase, version| ColumnSpec {
            title: format!("{phase} {version:?}"),
            selection: Selection { phase: Some(phase), version, ..Selection::default() },
        };
        let columns = [of(0, None), of(1, Some(NEW)), of(2, None)];
        let table = Table::of(&Summary::of(&record()), &columns, &[]);
        let cell = |column: usize, row: usize| &table.columns[column].cells[row];
        let told = |column, row| cell(column, row).change_percent.is_some();
        // No error of 300 and 5 of 1,005 may be the same rate; 50 of 150 are another.
        assert_eq!([told(1, 4), told(1, 5), told(2, 4), told(2, 5)], [false, false, true, true]);
    }

    #[test]
    fn a_change_is_clear_where_intervals_have_nothing_in_common() {
        let between = |low, high| Estimate {
            value: Some((low + high) / 2.0),
            interval: Some(Limits { low: Some(low), high: Some(high) }),
            ..Estimate::absent(Metric::LatencyAvg)
        };
        let cases = [((1.0, 2.0), (2.5, 3.0), true), ((1.0, 2.0), (1.9, 3.0), false)];
        for ((low, high), (lower, higher), clear) in cases {
            let (one, other) = (between(low, high), between(lower, higher));
            assert_eq!((is_clear(&one, &other), is_clear(&other, &one)), (clear, clear));
        }
        let unknown = Estimate { interval: None, ..between(1.0, 2.0) };
        assert!(!is_clear(&unknown, &between(2.5, 3.0)));
        // Of 1,000 and 300 answers at $0.008 and $0.005, and of 5 errors of 1,005 and none of 300.
        let table = table();
        let cell = |row: usize| &table.columns[1].cells[row];
        assert!(cell(6).change_is_clear && !cell(4).change_is_clear);
    }

    #[test]
    fn a_column_tells_how_its_requests_ended() {
        let endings = &table().columns[0].endings;
        assert_eq!(endings.succeeded, 1_000);
        let failed: Vec<_> = endings.failed.iter().collect();
        assert_eq!(failed, [("429", 1), ("500", 1), ("503", 2), ("timeout", 1)]);
        let uncounted: Vec<_> = endings.uncounted.iter().collect();
        assert_eq!(uncounted, [("400", 1), ("422", 1), ("client_closed", 1)]);
    }

    #[test]
    fn changes_are_held_against_the_first_column_of_the_same_model() {
        let mut record = record();
        let second = record.models[0].clone();
        record.models.push(second);
        for cell in record.cells.clone() {
            let version = VersionIndex(cell.version.0 + 2);
            record.cells.push(Cell { version, ..cell });
        }
        let of = |title: &str, selection| ColumnSpec { title: title.to_owned(), selection };
        let model = |index, phase| {
            let model = Some(ModelIndex(index));
            Selection { model, phase: Some(phase), ..Selection::default() }
        };
        let version = Selection { version: Some(VersionIndex(3)), ..Selection::default() };
        let columns = [
            of("first", model(0, 0)),
            of("second", model(1, 1)),
            of("second's canary", version),
            of("all", Selection::default()),
            of("all, later", Selection { phase: Some(3), ..Selection::default() }),
        ];
        let table = Table::of(&Summary::of(&record), &columns, &[]);
        let cost = |column: usize| table.columns[column].cells[6].change_percent;
        assert_eq!((cost(0), cost(1), cost(3)), (None, None, None));
        // Phase 1 of a model: 700 requests at $0.008 and 300 at $0.005, so $0.0071; the canary
        // $0.005.
        assert!((cost(2).unwrap() - (0.005 / 0.0071 - 1.0) * 100.0).abs() < 1e-9, "{:?}", cost(2));
        // All: in each model 2,000 answers at $0.008 and 400 at $0.005, so $0.0075.
        assert!((cost(4).unwrap() - (0.008 / 0.0075 - 1.0) * 100.0).abs() < 1e-9, "{:?}", cost(4));
    }

    #[test]
    fn what_clients_met_has_rows_where_it_differs() {
        let metrics = |record: &Record| {
            let spec = ColumnSpec { title: "all".to_owned(), selection: Selection::default() };
            let table = Table::of(&Summary::of(record), &[spec], &[]);
            let column = &table.columns[0];
            let value = |metric| {
                let mut cells = column.cells.iter().map(|cell| &cell.estimate);
                cells.find(|estimate| estimate.metric == metric).and_then(|found| found.value)
            };
            let clients = value(Metric::FinalErrorRate);
            (column.cells.len(), clients, value(Metric::Attempts), column.endings.key_refused)
        };
        let mut record = record();
        assert_eq!(metrics(&record), (9, None, None, 0));
        let (phase, model, client, reason) = (2, ModelIndex(0), None, None);
        record.key_rejections = vec![KeyRejections { phase, model, client, reason, count: 95 }];
        // 1,000 + 700 + 300 + 100 + 300 succeeded, 5 + 50 failed, 3 do not count.
        let rate = (55.0 + 95.0) / (2_400.0 + 55.0 + 95.0);
        assert_eq!(metrics(&record), (11, Some(rate), Some(2_458.0), 95));
        record.key_rejections.clear();
        record.cells[3].finals = Some(Tally { succeeded: 1, ..Tally::default() });
        record.cells[3].attempts = Some(Tally { succeeded: 2, ..Tally::default() });
        let rate = 55.0 / (2_400.0 + 55.0 + 1.0);
        assert_eq!(metrics(&record), (11, Some(rate), Some(2_460.0), 0));
    }

    #[test]
    fn changes_are_held_against_the_first_column() {
        let table = table();
        let change = |column: usize, row: usize| table.columns[column].cells[row].change_percent;
        assert!((change(1, 6).unwrap() + 37.5).abs() < 1e-9, "0.008 to 0.005 USD is 37.5 % less");
        assert_eq!(change(1, 4), None, "5 errors of 1,005 and none of 300 may be the same rate");
        assert_eq!(change(2, 6), Some(0.0));
        assert_eq!(change(0, 0), None);
        assert_eq!(change(3, 0), None);
    }

    #[test]
    fn published_figures_lie_in_the_interval_or_outside() {
        let table = table();
        let inside: Vec<_> = table.references.iter().map(|check| check.inside).collect();
        assert_eq!(inside, [Some(true), Some(false), Some(true), Some(false), None]);
        let difference = table.references[1].difference_percent.unwrap();
        assert!((difference - (0.5005 / 0.6 - 1.0) * 100.0).abs() < 1e-9);
    }

    #[test]
    fn a_table_survives_its_file() {
        let text = serde_json::to_string(&table()).unwrap();
        assert_eq!(serde_json::from_str::<Table>(&text).unwrap(), table());
    }
}
