//! How requests ended and what they cost.

use super::markup::{Cell, Column, Table, paragraph, section};
use super::selections::selections;
use crate::metric::{Metric, format_value};
use crate::report::{self, ENDED_WITH, NO_DATA};
use crate::result::ResultFile;
use crate::summary::{Method, Selected};
use crate::units::format_count;

/// Errors by kind, tokens and cost of each column, drawn in `figures` and as tables.
pub(super) fn outcomes_section(result: &ResultFile, figures: &str) -> String {
    let markup = figures.to_owned() + &endings(result) + &costs(result);
    section("outcomes", "Errors and cost", &markup)
}

fn endings(result: &ResultFile) -> String {
    let refused = report::refused_in_no_column(&result.record, &result.table);
    let refused = refused.map_or_else(String::new, |text| paragraph("note", &(text + ".")));
    let Some(endings) = report::endings(&result.table) else {
        return paragraph("note", "Every request of these columns succeeded.") + &refused;
    };
    let rows = endings.iter().map(|ending| {
        let figure = |count: &u64| Cell::figure(&format_count(*count), *count as f64);
        std::iter::once(Cell::text(&ending.label)).chain(ending.counts.iter().map(figure)).collect()
    });
    let rows = rows.collect();
    let titles = result.table.columns.iter().map(|column| column.title.as_str());
    let columns = columns(ENDED_WITH, titles);
    Table { caption: "How requests ended", columns, rows, sortable: true }.render() + &refused
}

/// A column of names, and one of figures for each title.
fn columns<'a>(first: &str, titles: impl Iterator<Item = &'a str>) -> Vec<Column> {
    std::iter::once(Column::text(first)).chain(titles.map(Column::figure)).collect()
}

fn costs(result: &ResultFile) -> String {
    let selections = selections(result);
    let titles = result.scenario.columns.iter().map(|column| column.title.as_str());
    let tokens = |of: fn(&Selected<'_>) -> u64| {
        move |selected: &Selected<'_>| {
            let count = of(selected);
            (count > 0).then(|| (format_count(count), count as f64))
        }
    };
    let metric = |metric: Metric| {
        move |selected: &Selected<'_>| {
            let value = selected.estimate(metric, Method::Display).value?;
            Some((format_value(metric.unit(), value), value))
        }
    };
    type Read<'a> = Box<dyn Fn(&Selected<'_>) -> Option<(String, f64)> + 'a>;
    let lines: [(&str, Read<'_>); 6] = [
        ("Input tokens", Box::new(tokens(|selected| selected.requests().input_tokens))),
        ("Output tokens", Box::new(tokens(|selected| selected.requests().output_tokens))),
        ("Output tokens per answer", Box::new(metric(Metric::OutputTokensAvg))),
        ("Output speed", Box::new(metric(Metric::TokensPerSecond))),
        ("Cost per 1K tokens", Box::new(metric(Metric::CostPer1kTokens))),
        ("Cost", Box::new(metric(Metric::CostTotal))),
    ];
    let rows = lines.iter().filter_map(|(name, read)| {
        let read = |selected: &Option<Selected<'_>>| selected.as_ref().and_then(read);
        let figures: Vec<_> = selections.iter().map(read).collect();
        figures.iter().any(Option::is_some).then(|| {
            let cells = figures.into_iter().map(|figure| match figure {
                Some((text, value)) => Cell::figure(&text, value),
                None => Cell::text(NO_DATA),
            });
            std::iter::once(Cell::text(name)).chain(cells).collect()
        })
    });
    let rows: Vec<Vec<Cell>> = rows.collect();
    if rows.is_empty() {
        return String::new();
    }
    let columns = columns("Of successes", titles);
    Table { caption: "Tokens and cost", columns, rows, sortable: false }.render()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::example::{eventful, rolled_back_result};

    #[test]
    fn tokens_of_a_column_are_those_of_its_successes() {
        let result = rolled_back_result();
        let expected: u64 = result
            .record
            .cells
            .iter()
            .filter(|cell| cell.phase == 0)
            .map(|cell| cell.tally.output_tokens)
            .sum();
        let markup = costs(&result);
        let cell = format!("<td class=\"figure\" data-value=\"{expected}\">");
        assert!(markup.contains(&cell), "{cell}: {markup}");
    }

    #[test]
    fn refused_requests_stand_below_columns_that_have_none() {
        let mut result = rolled_back_result();
        assert!(!endings(&result).contains("Refused for their key"));
        result.record = eventful();
        assert!(endings(&result).contains("in no column, for no version saw them.</p>"));
    }

    #[test]
    fn counts_of_endings_are_those_of_the_table() {
        let mut result = rolled_back_result();
        result.table.columns[0].endings.succeeded = 1_234_567;
        let markup = endings(&result);
        let success = "<th scope=\"row\">Success</th><td class=\"figure\" \
                       data-value=\"1234567\">1,234,567</td>";
        assert!(markup.contains(success), "{markup}");
    }
}
