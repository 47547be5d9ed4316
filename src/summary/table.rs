//! The comparison table: one column per selection, held against the first and against published
//! figures.

use serde::{Deserialize, Serialize};

use super::estimate::{Estimate, Method};
use super::selection::{Selection, Summary};
use crate::metric::Metric;
use crate::record::{EndingCounts, Tally};

/// The table's rows, in order.
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
    /// One cell per metric of [`TABLE_METRICS`].
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
}

/// A metric in a column.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TableCell {
    /// Its value.
    pub estimate: Estimate,
    /// By how many percent the value differs from the first column's: -28 is 28 % less. Absent in
    /// the first column, without data, where the first column's value is 0, and where the two are
    /// of so few values or events that the difference may be none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_percent: Option<f64>,
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
    /// The table of `columns` with their published figures.
    ///
    /// # Panics
    /// A reference to a column that is not there.
    pub fn of(summary: &Summary<'_>, columns: &[ColumnSpec], references: &[ReferenceSpec]) -> Self {
        let selected: Vec<_> =
            columns.iter().map(|column| summary.select(column.selection)).collect();
        let mut table = Self { columns: Vec::new(), references: Vec::new() };
        for (column, requests) in columns.iter().zip(&selected) {
            let cells = TABLE_METRICS.iter().enumerate().map(|(row, metric)| {
                let estimate = requests.estimate(*metric, Method::Display);
                let first = table.columns.first().and_then(|first| first.cells.get(row));
                let change_percent = first.and_then(|first| change(&estimate, &first.estimate));
                TableCell { estimate, change_percent }
            });
            let cells = cells.collect();
            let endings = Endings::of(requests.requests());
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
    fn of(tally: &Tally) -> Self {
        let (failed, uncounted) = (tally.failed.clone(), tally.uncounted.clone());
        Self { succeeded: tally.succeeded, failed, uncounted }
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

fn difference_percent(value: Option<f64>, base: Option<f64>) -> Option<f64> {
    let (value, base) = value.zip(base)?;
    (base != 0.0).then(|| (value / base - 1.0) * 100.0)
}

/// By which share two exact figures may differ and still be the same. Chosen: no figure is
/// published with more than six digits, and the rounding of sums of prices is far finer.
const SAME: f64 = 1e-6;

#[cfg(test)]
mod tests {
    use super::super::fixture::{NEW, record};
    use super::*;

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
    fn a_column_tells_how_its_requests_ended() {
        let endings = &table().columns[0].endings;
        assert_eq!(endings.succeeded, 1_000);
        let failed: Vec<_> = endings.failed.iter().collect();
        assert_eq!(failed, [("429", 1), ("500", 1), ("503", 2), ("timeout", 1)]);
        let uncounted: Vec<_> = endings.uncounted.iter().collect();
        assert_eq!(uncounted, [("400", 1), ("422", 1), ("client_closed", 1)]);
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
