//! Every chart of a comparison of runs.

use super::column::{Column, columns};
use super::difference_chart::difference_chart;
use super::error_rates_chart::error_rates_chart;
use super::latency_curves::{Curve, CurvePanel, CurveSheet, distributions, in_words, percentiles};
use super::run_charts::RunChart;
use super::run_comparison::run_names;
use super::run_looks::{MOST_RUNS, legend, nth_look, runs_left_out};
use crate::chart::Canvas;
use crate::compare::RunComparison;
use crate::result::ResultFile;
use crate::units::format_counted;

/// The charts of a comparison, the differences first; those that would show nothing are left out.
/// `results` are those that were compared, in the order of its runs.
pub fn comparison_charts(comparison: &RunComparison, results: &[&ResultFile]) -> Vec<RunChart> {
    let names = run_names(comparison);
    let labels: Vec<&str> = names.iter().map(String::as_str).collect();
    let runs = Runs::of(&labels, results);
    let charts = [
        ("differences", "Differences", difference_chart(comparison)),
        ("error_rates", "Error rates over time", error_rates_chart(&labels, results)),
        ("latency_percentiles", "Latency by percentile", runs.percentile_chart()),
        ("latency_distribution", "Latency distribution", runs.distribution_chart()),
    ];
    let drawn = |(name, title, canvas): (&'static str, &'static str, Option<Canvas>)| {
        Some(RunChart { name, title, canvas: canvas? })
    };
    charts.into_iter().filter_map(drawn).collect()
}

/// The columns of several runs.
struct Runs<'a> {
    /// How many were compared: not all may have room.
    runs: usize,
    labels: Vec<String>,
    /// Of each run.
    columns: Vec<Vec<Column<'a>>>,
}

impl<'a> Runs<'a> {
    fn of(labels: &[&str], results: &[&'a ResultFile]) -> Self {
        let labels = labels.iter().take(MOST_RUNS).map(|label| (*label).to_owned()).collect();
        let columns = results.iter().take(MOST_RUNS).map(|result| columns(result)).collect();
        Self { runs: results.len(), labels, columns }
    }

    fn distribution_chart(&self) -> Option<Canvas> {
        let panels = self.panels(|title| format!("{title}: share of successes"));
        let sheet = self.sheet("Latency distribution", "Distribution of latencies", &panels);
        // Marks of several columns in one lane would not be told apart.
        let marked = if panels.len() == 1 { &panels[0].curves[..] } else { &[] };
        distributions(sheet, &panels, marked)
    }

    fn percentile_chart(&self) -> Option<Canvas> {
        let panels =
            self.panels(|title| format!("{title}: latency of successes, with its 95 % interval"));
        let sheet = self.sheet("Latency by percentile", "Quantiles of latencies", &panels);
        percentiles(sheet, &panels)
    }

    /// A panel for each column of the first run that succeeded somewhere, with a curve of each run.
    fn panels(&self, title: impl Fn(&str) -> String) -> Vec<CurvePanel<'_>> {
        let panels = self.titles().map(|column| {
            let curves = self.curves(column).collect();
            CurvePanel { title: title(column), curves, filled: 0 }
        });
        panels.filter(|panel| !panel.curves.is_empty()).take(MOST_PANELS).collect()
    }

    fn titles(&self) -> impl Iterator<Item = &'a str> {
        self.columns.iter().take(1).flatten().map(|column| column.title)
    }

    fn curves(&self, title: &str) -> impl Iterator<Item = Curve<'_>> {
        let runs = self.columns.iter().zip(&self.labels).enumerate();
        runs.filter_map(move |(index, (columns, label))| {
            let column = columns.iter().find(|column| column.title == title)?;
            let latencies = &column.selected.attempts().latency;
            let (look, dash) = nth_look(index);
            let curve = Curve { series: label.clone(), look, dash, latencies };
            (latencies.count() > 0).then_some(curve)
        })
    }

    fn sheet(&self, title: &'static str, what: &str, panels: &[CurvePanel<'_>]) -> CurveSheet {
        let named = panels.iter().zip(self.titles()).flat_map(|(panel, column)| {
            let name = move |curve: &Curve<'_>| format!("{column}, {}", curve.series);
            panel.curves.iter().map(move |curve| (name(curve), curve.latencies))
        });
        let left_out = self.titles().count().saturating_sub(panels.len());
        let columns = (left_out > 0).then(|| {
            format!("not drawn: {}", format_counted(left_out as u64, "more column", "more columns"))
        });
        let notes = columns.into_iter().chain(runs_left_out(self.runs));
        let note = notes.reduce(|one, other| format!("{one}; {other}"));
        CurveSheet {
            title,
            alternative: format!("{what}.{}", in_words(named)),
            series: legend(&self.labels),
            note,
            whole: "the run's successes",
        }
    }
}

/// Chosen: more panels no longer fit a page.
const MOST_PANELS: usize = 4;
