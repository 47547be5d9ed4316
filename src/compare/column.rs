//! One column of the comparison table over all runs.

use serde::{Deserialize, Serialize};

use super::contrast::contrast;
use super::difference::Difference;
use super::run::RunInput;
use crate::metric::Metric;
use crate::result::ResultFile;
use crate::stats::Confidence;
use crate::summary::{Estimate, Method, Selected, Summary};

/// A column of the comparison table, matched by its title over all runs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ColumnComparison {
    /// Its heading.
    pub title: String,
    /// The runs (indices) that have no such column, or none of the requests that it would show.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<usize>,
    /// Its metrics, in the order of the table.
    pub metrics: Vec<MetricComparison>,
}

/// One metric over all runs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MetricComparison {
    /// Which.
    pub metric: Metric,
    /// Its value in each run, in the order of the runs, with the run's own 95 % interval.
    pub values: Vec<Estimate>,
    /// How it differs from the first run in each of the others, in their order: one fewer than
    /// values.
    pub differences: Vec<Difference>,
}

impl MetricComparison {
    /// Whether there is data of it in any run.
    pub fn has_data(&self) -> bool {
        self.values.iter().any(Estimate::has_data)
    }
}

/// Every column that any run has, those of the first run first.
pub(super) fn columns(runs: &[RunInput<'_>], confidence: Confidence) -> Vec<ColumnComparison> {
    let titles = runs.iter().flat_map(|run| titles(run.result));
    unique(titles).into_iter().map(|title| column(title, runs, confidence)).collect()
}

fn titles(result: &ResultFile) -> impl Iterator<Item = &str> {
    result.scenario.columns.iter().map(|column| column.title.as_str())
}

fn column(title: &str, runs: &[RunInput<'_>], confidence: Confidence) -> ColumnComparison {
    let selected: Vec<_> = runs.iter().map(|run| selected(run.result, title)).collect();
    let missing = (0..runs.len()).filter(|run| selected[*run].is_none()).collect();
    let attempts = runs.iter().any(|run| run.result.table.has_more_attempts());
    let told = |metric: &Metric| *metric != Metric::Attempts || attempts;
    let metrics = unique(runs.iter().flat_map(|run| metrics(run.result, title)).filter(told));
    let compared = metrics.into_iter().map(|metric| {
        let values: Vec<_> =
            selected.iter().map(|requests| estimate(requests.as_ref(), metric)).collect();
        let sides: Vec<_> = selected.iter().map(Option::as_ref).zip(&values).collect();
        let differences = sides[1..].iter().map(|other| match (sides[0], *other) {
            ((Some(first), one), (Some(other), two)) => {
                contrast(metric, (first, one), (other, two), confidence)
            }
            _ => Difference::between(None, None),
        });
        let differences = differences.collect();
        MetricComparison { metric, values, differences }
    });
    ColumnComparison { title: title.to_owned(), missing, metrics: compared.collect() }
}

/// The requests of a run's column; `None` where it has no such column, or no request for it.
fn selected<'a>(result: &'a ResultFile, title: &str) -> Option<Selected<'a>> {
    let info = result.scenario.columns.iter().find(|column| column.title == title)?;
    let selected = Summary::of(&result.record).select(info.selection(&result.record)?);
    (selected.attempts().completed() > 0).then_some(selected)
}

/// What the column shows in a run's own table, but for the success rate: it is 1 less the error
/// rate.
fn metrics(result: &ResultFile, title: &str) -> impl Iterator<Item = Metric> {
    let columns = result.table.columns.iter().filter(move |column| column.title == title);
    let shown = columns.flat_map(|column| column.cells.iter().map(|cell| cell.estimate.metric));
    shown.filter(|metric| *metric != Metric::SuccessRate)
}

fn estimate(selected: Option<&Selected<'_>>, metric: Metric) -> Estimate {
    selected.map_or_else(
        || Estimate::absent(metric),
        |requests| requests.estimate(metric, Method::Display),
    )
}

/// Each item once, in the order of their first coming.
fn unique<T: PartialEq>(items: impl Iterator<Item = T>) -> Vec<T> {
    let mut unique = Vec::new();
    for item in items {
        if !unique.contains(&item) {
            unique.push(item);
        }
    }
    unique
}
