//! The comparison table as rows of text, before it is laid out for a terminal, Markdown or CSV.

use super::figures::{NO_DATA, change, metric_label, table_estimate, table_interval, table_value};
use crate::metric::{Direction, Metric};
use crate::summary::{Endings, ReferenceCheck, Table, TableColumn};
use crate::units::format_count;

/// What the comparison table shows beside the values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Extras {
    /// Each value's 95 % interval.
    pub(super) intervals: bool,
    /// A column of published figures beside each column that has any.
    pub(super) published: bool,
}

/// Headings and rows of text, all of one length. A cell may have two lines.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Grid {
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
    /// A column that names the rows as the first one does.
    pub(crate) names: Option<usize>,
}

impl Grid {
    /// The comparison table. Rows without data in any column are left out.
    pub(super) fn comparison(table: &Table, extras: Extras) -> Self {
        let mut header = vec!["Metric".to_owned()];
        for (index, column) in table.columns.iter().enumerate() {
            header.push(column.title.clone());
            if extras.published && has_references(table, index) {
                header.push("published".to_owned());
            }
        }
        let rows = metrics(table).into_iter().filter_map(|metric| {
            let mut row = vec![row_label(table, metric)];
            let mut any = false;
            for (index, column) in table.columns.iter().enumerate() {
                let measured = measured(table, (index, column), metric, extras.intervals);
                any |= measured.is_some();
                row.push(measured.unwrap_or_else(|| NO_DATA.to_owned()));
                if extras.published && has_references(table, index) {
                    let reference = reference(table, index, metric);
                    any |= reference.is_some();
                    row.push(reference.map_or_else(String::new, published));
                }
            }
            any.then_some(row)
        });
        let rows = rows.collect();
        Self { header, rows, names: None }
    }

    /// How the requests of each column ended; `None` where all succeeded.
    pub(super) fn endings(table: &Table) -> Option<Self> {
        let titles = table.columns.iter().map(|column| column.title.clone());
        let header = [ENDED_WITH.to_owned()].into_iter().chain(titles).collect();
        let row = |ending: EndingRow| {
            [ending.label].into_iter().chain(ending.counts.into_iter().map(format_count)).collect()
        };
        let rows = endings(table)?.into_iter().map(row).collect();
        Some(Self { header, rows, names: None })
    }

    /// The published figures, one to a row under the heading of their column, for where there is no
    /// room beside the values.
    pub(super) fn published(table: &Table) -> Self {
        let header = ["", "Published", "Measured", "Difference"];
        let mut rows = Vec::new();
        for (index, column) in table.columns.iter().enumerate() {
            let checks = table.references.iter().filter(|check| check.column == index);
            let rest = checks.map(|check| {
                let label = format!("  {}", metric_label(check.measured.metric));
                vec![label, published(check), with_interval(check), difference(check)]
            });
            let rest: Vec<_> = rest.collect();
            if !rest.is_empty() {
                let heading = [column.title.as_str(), "", "", ""];
                rows.push(heading.map(str::to_owned).to_vec());
                rows.extend(rest);
            }
        }
        Self { header: header.map(str::to_owned).to_vec(), rows, names: None }
    }
}

/// A row of the table of endings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct EndingRow {
    /// How requests ended.
    pub(crate) label: String,
    /// How many of each column ended so.
    pub(crate) counts: Vec<u64>,
}

/// How the requests of each column ended; `None` where all succeeded. Those that were refused for
/// their key stand last: no version saw them.
pub(crate) fn endings(table: &Table) -> Option<Vec<EndingRow>> {
    let mut kinds: Vec<(bool, &str)> = Vec::new();
    for column in &table.columns {
        let failed = column.endings.failed.iter().map(|(name, _)| (true, name));
        let uncounted = column.endings.uncounted.iter().map(|(name, _)| (false, name));
        kinds.extend(failed.chain(uncounted));
    }
    // Failures first, in the order of their names.
    kinds.sort_by_key(|(counts, name)| (!counts, *name));
    kinds.dedup();
    let refused = table.columns.iter().any(|column| column.endings.key_refused > 0);
    if kinds.is_empty() && !refused {
        return None;
    }
    let row = |label: String, count: &dyn Fn(&Endings) -> u64| {
        let counts = table.columns.iter().map(|column| count(&column.endings)).collect();
        EndingRow { label, counts }
    };
    let mut rows = vec![row("Success".to_owned(), &|endings| endings.succeeded)];
    for (counts, name) in kinds {
        rows.push(row(ending_label(name, counts), &|endings| {
            if counts { endings.failed.of(name) } else { endings.uncounted.of(name) }
        }));
    }
    if refused {
        rows.push(row(KEY_REFUSED.to_owned(), &|endings| endings.key_refused));
    }
    Some(rows)
}

/// What heads the names of endings.
pub(crate) const ENDED_WITH: &str = "Ended with";

/// How an ending is called for reading; those that do not count as failures say so.
pub(super) fn ending_label(name: &str, counts: bool) -> String {
    let label = match name {
        "timeout" => "Timeout",
        "refused" => "Connection refused",
        "reset" => "Connection reset",
        "malformed" => "Malformed answer",
        "truncated" => "Truncated stream",
        "error_in_stream" => "Error in the stream",
        "client_closed" => "Client left",
        status => return format!("Status {status}{}", if counts { "" } else { NOT_COUNTED }),
    };
    format!("{label}{}", if counts { "" } else { NOT_COUNTED })
}

/// How requests ended that no version saw.
const KEY_REFUSED: &str = "Refused for its key (401)";

/// Beside an ending that says nothing of the version.
const NOT_COUNTED: &str = " (not counted)";

/// Whether a published figure lies in the measured interval, as a symbol that needs no colour.
pub(crate) const fn mark(inside: Option<bool>) -> &'static str {
    match inside {
        Some(true) => "✓",
        Some(false) => "✗",
        None => "?",
    }
}

/// What the marks mean.
pub(crate) const MARKS: &str = "✓ published figure within the measured 95 % interval (counts and \
                                costs: equal), ✗ outside, ? not measured";

/// The rows of the comparison table: attempts are left out where they are as many as requests, and
/// metrics that only a published figure names follow at the end.
pub(crate) fn metrics(table: &Table) -> Vec<Metric> {
    let columns = table.columns.iter().flat_map(|column| &column.cells);
    let measured = columns.map(|cell| cell.estimate.metric);
    let published = table.references.iter().map(|check| check.measured.metric);
    let mut metrics = Vec::new();
    let told = |metric: &Metric| *metric != Metric::Attempts || table.has_more_attempts();
    for metric in measured.chain(published).filter(told) {
        if !metrics.contains(&metric) {
            metrics.push(metric);
        }
    }
    metrics
}

/// Behind the name of a metric of attempts.
pub(super) const OF_ATTEMPTS: &str = " of attempts";

/// A metric's name for reading, and that it is of attempts where some request took several.
pub(crate) fn row_label(table: &Table, metric: Metric) -> String {
    let mut cells = table.columns.iter().flat_map(|column| &column.cells);
    let of_attempts = cells.any(|cell| cell.estimate.metric == metric && cell.estimate.of_attempts);
    format!("{}{}", metric_label(metric), if of_attempts { OF_ATTEMPTS } else { "" })
}

/// The value of a metric in a column, its change against the first column where more or less of it
/// is better, and its interval on a second line; `None` without data.
fn measured(
    table: &Table,
    (index, column): (usize, &TableColumn),
    metric: Metric,
    intervals: bool,
) -> Option<String> {
    let cell = column.cells.iter().find(|cell| cell.estimate.metric == metric);
    let reference = || reference(table, index, metric).map(|check| &check.measured);
    let estimate = cell.map(|cell| &cell.estimate).or_else(reference)?;
    if !estimate.has_data() {
        return None;
    }
    let mut text = table_estimate(estimate);
    let compared = metric.direction() != Direction::Neutral;
    if let Some(percent) = cell.and_then(|cell| cell.change_percent).filter(|_| compared) {
        text.push_str(&format!(" ({})", change(percent)));
    }
    if let Some(interval) = table_interval(estimate).filter(|_| intervals) {
        text.push_str(&format!("\n{interval}"));
    }
    Some(text)
}

fn has_references(table: &Table, column: usize) -> bool {
    table.references.iter().any(|check| check.column == column)
}

fn reference(table: &Table, column: usize, metric: Metric) -> Option<&ReferenceCheck> {
    table.references.iter().find(|check| check.column == column && check.measured.metric == metric)
}

fn published(check: &ReferenceCheck) -> String {
    format!("{} {}", table_value(check.measured.metric.unit(), check.published), mark(check.inside))
}

fn with_interval(check: &ReferenceCheck) -> String {
    let value = table_estimate(&check.measured);
    match table_interval(&check.measured) {
        Some(interval) => format!("{value} {interval}"),
        None => value,
    }
}

fn difference(check: &ReferenceCheck) -> String {
    check.difference_percent.map_or_else(|| NO_DATA.to_owned(), change)
}
