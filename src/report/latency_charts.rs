//! How long successes took: their distribution by column, and their quantiles up to the last.

use super::column::{Column, columns};
use super::latency_curves::{Curve, CurvePanel, CurveSheet, distributions, in_words, percentiles};
use crate::chart::{Canvas, Dash, Ink, Look};
use crate::result::ResultFile;
use crate::stats::DurationHistogram;
use crate::units::format_counted;

/// The distribution of latencies, a panel for each column with the first column's outline in it;
/// `None` where nothing succeeded.
pub(super) fn distribution_chart(result: &ResultFile) -> Option<Canvas> {
    let columns = successful(result);
    let curves: Vec<Curve<'_>> = columns.iter().map(curve).collect();
    let first = curves.first()?;
    let outline = Look { ink: GHOST, ..first.look };
    let ghost = Curve { look: outline, dash: Dash::Solid, ..first.clone() };
    let panels = curves.iter().enumerate().map(|(index, curve)| {
        let count = format_counted(curve.latencies.count(), "success", "successes");
        let behind = (index > 0).then(|| ghost.clone());
        let curves: Vec<_> = behind.into_iter().chain([curve.clone()]).collect();
        let filled = curves.len() - 1;
        CurvePanel { title: format!("{}: {count}", curve.series), curves, filled }
    });
    let panels: Vec<_> = panels.collect();
    let sheet = sheet("Latency distribution", "Distribution of latencies", &columns);
    distributions(sheet, &panels, &curves)
}

/// Every quantile of the latencies up to the largest; `None` where nothing succeeded.
pub(super) fn percentile_chart(result: &ResultFile) -> Option<Canvas> {
    let columns = successful(result);
    let curves: Vec<Curve<'_>> = columns.iter().map(curve).collect();
    let title = "Latency of successes, with its 95 % interval".to_owned();
    let sheet = sheet("Latency by percentile", "Quantiles of latencies", &columns);
    curves.first()?;
    percentiles(sheet, &[CurvePanel { title, curves, filled: 0 }])
}

fn sheet(title: &'static str, what: &str, columns: &[Column<'_>]) -> CurveSheet {
    let series = columns.iter().map(|column| (column.title.to_owned(), column.look, column.dash));
    let told = columns.iter().map(|column| (column.title.to_owned(), latencies(column)));
    CurveSheet {
        title,
        alternative: format!("{what}.{}", in_words(told)),
        series: series.collect(),
        note: None,
        whole: "the column's successes",
    }
}

fn curve<'a>(column: &'a Column<'_>) -> Curve<'a> {
    let Column { title, look, dash, .. } = column;
    let series = (*title).to_owned();
    Curve { series, look: *look, dash: *dash, latencies: latencies(column) }
}

/// The columns in which something succeeded.
fn successful(result: &ResultFile) -> Vec<Column<'_>> {
    let mut columns = columns(result);
    columns.retain(|column| latencies(column).count() > 0);
    columns
}

fn latencies<'a>(column: &'a Column<'_>) -> &'a DurationHistogram {
    &column.selected.attempts().latency
}

/// The first column's outline behind the others.
const GHOST: Ink = Ink::GREY;
