//! The comparison table: every figure with its interval, its change against the first column and
//! what was published.

use super::escape::escape;
use super::markup::{Cell, Column, Table, paragraph, section};
use crate::metric::{Direction, Metric};
use crate::report::{
    MARKS, NO_DATA, change, mark, metrics, row_label, table_estimate, table_interval, table_value,
};
use crate::result::ResultFile;
use crate::summary::{ReferenceCheck, Table as Figures, TableCell};

/// The columns of the scenario side by side.
pub(super) fn comparison_section(result: &ResultFile) -> String {
    let figures = &result.table;
    let mut columns = vec![Column::text("Metric")];
    columns.extend(figures.columns.iter().map(|column| Column::figure(&column.title)));
    let rows: Vec<_> =
        metrics(figures).into_iter().filter_map(|metric| row(figures, metric)).collect();
    let caption = match result.record.models.len() {
        1 => "Value, change against the first column, 95 % interval",
        _ => "Value, change against the first column of the same model, 95 % interval",
    };
    let mut markup = Table { caption, columns, rows, sortable: false }.render();
    if !figures.references.is_empty() {
        markup.push_str(&paragraph("note", MARKS));
    }
    section("comparison", "Comparison", &markup)
}

/// `None` where no column has data.
fn row(figures: &Figures, metric: Metric) -> Option<Vec<Cell>> {
    let cells = (0..figures.columns.len()).map(|column| cell(figures, column, metric));
    let cells: Vec<_> = cells.collect();
    cells.iter().any(Option::is_some).then(|| {
        let label = Cell::text(&row_label(figures, metric));
        let cells = cells.into_iter().map(|cell| cell.unwrap_or_else(|| Cell::text(NO_DATA)));
        std::iter::once(label).chain(cells).collect()
    })
}

fn cell(figures: &Figures, column: usize, metric: Metric) -> Option<Cell> {
    let cells = &figures.columns[column].cells;
    let measured = cells.iter().find(|cell| cell.estimate.metric == metric);
    let mut checks = figures.references.iter();
    let check = checks.find(|check| check.column == column && check.measured.metric == metric);
    let estimate = measured.map(|cell| &cell.estimate);
    let estimate = estimate.or_else(|| check.map(|check| &check.measured))?;
    let mut markup = String::new();
    if estimate.has_data() {
        markup.push_str(&format!("<strong>{}</strong>", escape(&table_estimate(estimate))));
        markup.push_str(&measured.and_then(change_mark).unwrap_or_default());
        if let Some(interval) = table_interval(estimate) {
            markup.push_str(&format!("<br><small>{}</small>", escape(&interval)));
        }
    }
    if let Some(check) = check {
        markup.push_str(&published(check));
    }
    (!markup.is_empty()).then_some(Cell { markup, value: estimate.value })
}

/// The change against the first column, where more or less of the metric is better. It is better or
/// worse only where it is more than chance.
fn change_mark(cell: &TableCell) -> Option<String> {
    let percent = cell.change_percent?;
    let text = change(percent);
    let better = match cell.estimate.metric.direction() {
        Direction::Neutral => return None,
        Direction::Lower => percent < 0.0,
        Direction::Higher => percent > 0.0,
    };
    let class = match (text.starts_with('±') || !cell.change_is_clear, better) {
        (true, _) => "same",
        (false, true) => "better",
        (false, false) => "worse",
    };
    Some(format!(" <span class=\"change {class}\">{}</span>", escape(&text)))
}

fn published(check: &ReferenceCheck) -> String {
    let value = table_value(check.measured.metric.unit(), check.published);
    format!("<br><small>published {} {}</small>", escape(&value), mark(check.inside))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::example::rolled_back_result;
    use crate::summary::Estimate;

    fn marked(metric: Metric, percent: f64, change_is_clear: bool) -> String {
        let (estimate, change_percent) = (Estimate::absent(metric), Some(percent));
        change_mark(&TableCell { estimate, change_percent, change_is_clear }).unwrap_or_default()
    }

    #[test]
    fn less_latency_and_more_successes_are_better() {
        let clear = |metric, percent| marked(metric, percent, true);
        assert!(clear(Metric::LatencyP99, -3.0).contains("change better\">-3 %"));
        assert!(clear(Metric::SuccessRate, -3.0).contains("change worse\">-3 %"));
        assert!(clear(Metric::SuccessRate, 0.001).contains("change same\">±0 %"));
        assert_eq!(clear(Metric::Requests, 50.0), "");
    }

    #[test]
    fn what_may_be_chance_is_neither_better_nor_worse() {
        assert!(marked(Metric::LatencyP99, -3.0, false).contains("change same\">-3 %"));
        assert!(marked(Metric::SuccessRate, -3.0, false).contains("change same\">-3 %"));
    }

    #[test]
    fn a_figure_stands_with_its_interval_and_the_published_one() {
        let result = rolled_back_result();
        let check = &result.table.references[0];
        let cell = cell(&result.table, check.column, check.measured.metric).unwrap();
        assert_eq!(cell.value, check.measured.value);
        assert!(cell.markup.starts_with("<strong>"), "{}", cell.markup);
        assert!(cell.markup.contains("<br><small>["), "{}", cell.markup);
        assert!(cell.markup.contains("<br><small>published "), "{}", cell.markup);
    }
}
