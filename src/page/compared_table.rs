//! The tables of a comparison: every metric of every run, with its difference and what that means.

use super::escape::escape;
use super::markup::{Cell, Column, Table, list, paragraph, section};
use crate::compare::{Difference, Finding, MetricComparison, RunComparison};
use crate::metric::Metric;
use crate::record::p_value_text;
use crate::report::{
    NO_DATA, change_text, changed, compared_label, figure_difference, finding_word, legend, letter,
    missing, percent, table_estimate, table_interval,
};
use crate::summary::Estimate;
use crate::units::format_counted;

/// Each column of the comparison table over all runs, and what is to be known of the figures.
pub(super) fn differences_section(comparison: &RunComparison) -> String {
    let caption = |title: &str| {
        let confidence = percent(comparison.confidence);
        format!("{title}: value, change against the first run with its {confidence} interval")
    };
    let shown = comparison.columns.iter().take(MOST_TABLES);
    let tables = shown.map(|column| {
        let missing = missing(comparison, column);
        if !column.metrics.iter().any(MetricComparison::has_data) {
            let why = missing.unwrap_or_else(|| "no data".to_owned());
            return paragraph("note", &format!("{}: {why}.", column.title));
        }
        let missing = missing.map(|missing| paragraph("note", &format!("{missing}.")));
        table(comparison, &caption(&column.title), &column.metrics, cell)
            + &missing.unwrap_or_default()
    });
    let tables: String = tables.collect();
    let more = match comparison.columns.len().saturating_sub(MOST_TABLES) {
        0 => String::new(),
        more => {
            let rest = format_counted(more as u64, "more column", "more columns");
            paragraph("note", &format!("… and {rest}"))
        }
    };
    let notes = comparison.notes.iter().map(|note| format!("{note}."));
    let notes = notes.chain([legend(comparison) + "."]);
    section("comparison", "Comparison", &(list("facts", notes) + &tables + &more))
}

/// What happened in the runs as wholes: exact for each.
pub(super) fn figures_section(comparison: &RunComparison) -> String {
    let markup = if comparison.figures.is_empty() {
        paragraph("note", "Nothing was rolled back, promoted, lost or refused in any run.")
    } else {
        let caption = "What happened in each run: exact for its seed, so nothing is tested";
        table(comparison, caption, &comparison.figures, figure_cell)
    };
    section("figures", "Whole runs", &markup)
}

/// What stands in the table for a run: its value, and its difference where it is not the first.
type ToCell = fn(Metric, &Estimate, Option<&Difference>) -> Cell;

fn table(
    comparison: &RunComparison,
    caption: &str,
    metrics: &[MetricComparison],
    cell: ToCell,
) -> String {
    let mut columns = vec![Column::text("Metric")];
    // Labels are paths: as headings they would make tables wider than paper.
    columns.extend((0..comparison.runs.len()).map(|run| Column::figure(&letter(run))));
    let rows = metrics.iter().filter(|compared| compared.has_data()).map(|own| row(own, cell));
    Table { caption, columns, rows: rows.collect(), sortable: false }.render()
}

fn row(compared: &MetricComparison, cell: ToCell) -> Vec<Cell> {
    let label = compared_label(compared);
    let differences = std::iter::once(None).chain(compared.differences.iter().map(Some));
    let cells = compared.values.iter().zip(differences);
    let cells = cells.map(|(value, difference)| cell(compared.metric, value, difference));
    std::iter::once(Cell::text(&label)).chain(cells).collect()
}

fn cell(metric: Metric, value: &Estimate, difference: Option<&Difference>) -> Cell {
    if !value.has_data() {
        return Cell::text(NO_DATA);
    }
    let mut markup = format!("<strong>{}</strong>", escape(&table_estimate(value)));
    let Some(difference) = difference else {
        if let Some(interval) = table_interval(value) {
            markup.push_str(&format!("<br><small>{}</small>", escape(&interval)));
        }
        return Cell { markup, value: value.value };
    };
    let [change, interval] = changed(metric, difference);
    if let Some(change) = change {
        let class = change_class(difference.finding);
        markup.push_str(&format!(" <span class=\"change {class}\">{}</span>", escape(&change)));
    }
    let p_value = difference.adjusted_p_value.map(p_value_text);
    let basis: Vec<_> = interval.into_iter().chain(p_value).collect();
    if !basis.is_empty() {
        markup.push_str(&format!("<br><small>{}</small>", escape(&basis.join(", "))));
    }
    markup.push_str(&mark(difference.finding));
    Cell { markup, value: value.value }
}

/// The same of a figure of a whole run.
fn figure_cell(metric: Metric, value: &Estimate, difference: Option<&Difference>) -> Cell {
    if !value.has_data() {
        return Cell::text(NO_DATA);
    }
    let mut markup = format!("<strong>{}</strong>", escape(&value.to_string()));
    if let Some(difference) = difference.filter(|difference| difference.absolute.is_some()) {
        let absolute = figure_difference(metric, difference);
        let relative = difference.relative.filter(|change| *change != 0.0);
        let relative = relative.map(|_| change_text(metric, difference));
        let told: Vec<String> = relative.into_iter().chain([absolute]).collect();
        let told = escape(&told.join(", "));
        markup.push_str(&format!("<br><span class=\"change same\">{told}</span>"));
    }
    Cell { markup, value: value.value }
}

/// The finding as a word with its symbol; nothing of what is exact, of which nothing is tested.
fn mark(finding: Finding) -> String {
    let word = finding_word(finding);
    let (class, symbol) = match finding {
        Finding::Worse => ("fail", "✗"),
        Finding::Better => ("pass", "✓"),
        Finding::Different => ("unjudged", "≠"),
        Finding::Undecided => ("unjudged", "?"),
        Finding::TooSmall => ("unjudged", "≈"),
        Finding::NotShown => return format!("<br><span class=\"mark unjudged\">{word}</span>"),
        Finding::NotComparable => ("unjudged", "?"),
        Finding::Exact => return String::new(),
    };
    format!(
        "<br><span class=\"mark {class}\"><span aria-hidden=\"true\">{symbol}</span> {word}</span>"
    )
}

const fn change_class(finding: Finding) -> &'static str {
    match finding {
        Finding::Worse => "worse",
        Finding::Better => "better",
        _ => "same",
    }
}

/// Chosen: with more tables of all metrics the page would outgrow its megabyte.
const MOST_TABLES: usize = 8;
