//! Where the latencies of each column lie.

use super::markup::{Cell, Column, Table, section};
use super::selections::selections;
use crate::metric::Metric;
use crate::report::{NO_DATA, metric_label, table_estimate, table_interval};
use crate::result::ResultFile;
use crate::summary::{Method, Selected};

/// The distributions of the columns, drawn in `figures` and as a table of percentiles.
pub(super) fn distributions_section(result: &ResultFile, figures: &str) -> String {
    let selections = selections(result);
    let mut columns = vec![Column::text("Metric")];
    columns.extend(result.scenario.columns.iter().map(|column| Column::figure(&column.title)));
    let rows = METRICS.iter().map(|metric| row(*metric, &selections));
    let rows = rows.flatten().collect();
    let caption = "Latencies of successes, with 95 % intervals";
    let table = Table { caption, columns, rows, sortable: false };
    section("distributions", "Distributions", &(figures.to_owned() + &table.render()))
}

fn row(metric: Metric, selections: &[Option<Selected<'_>>]) -> Option<Vec<Cell>> {
    let estimates = selections.iter().map(|selected| {
        let estimate = selected.as_ref()?.estimate(metric, Method::Display);
        estimate.value.is_some().then_some(estimate)
    });
    let estimates: Vec<_> = estimates.collect();
    if estimates.iter().all(Option::is_none) {
        return None;
    }
    let cells = estimates.iter().map(|estimate| {
        let Some(estimate) = estimate else { return Cell::text(NO_DATA) };
        let interval = table_interval(estimate);
        let interval =
            interval.map_or_else(String::new, |text| format!("<br><small>{text}</small>"));
        let markup = format!("<strong>{}</strong>{interval}", table_estimate(estimate));
        Cell { markup, value: estimate.value }
    });
    Some(std::iter::once(Cell::text(metric_label(metric))).chain(cells).collect())
}

const METRICS: [Metric; 10] = [
    Metric::LatencyP50,
    Metric::LatencyP90,
    Metric::LatencyP95,
    Metric::LatencyP99,
    Metric::LatencyP999,
    Metric::LatencyAvg,
    Metric::TtftP50,
    Metric::TtftP90,
    Metric::TtftP95,
    Metric::TtftP99,
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::example::rolled_back_result;

    #[test]
    fn percentiles_of_all_columns_stand_side_by_side() {
        let result = rolled_back_result();
        let row = row(Metric::LatencyP90, &selections(&result)).unwrap();
        assert_eq!(row.len(), 4);
        assert_eq!(row[0].markup, "P90 latency");
        assert!(row[1].markup.contains(" ms</strong>"), "{}", row[1].markup);
    }
}
