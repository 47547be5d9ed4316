//! What can be read off a chart: for a page that shows the values below a pointer.

use serde::Serialize;

/// What can be read off at the columns of a chart, or at its rows.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Readings {
    /// Which of the two.
    pub direction: Direction,
    /// The first and the last pixel column (or row) of the plots.
    pub span: (i32, i32),
    /// Where values stand, in pixels, in ascending order.
    pub places: Vec<i32>,
    /// What each place is, as text: a time, a quantile, a metric.
    pub labels: Vec<String>,
    /// The plots that have values there.
    pub plots: Vec<PlotReadings>,
}

/// Along what a chart is read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Its horizontal axis, which can be stretched.
    Columns,
    /// Its rows.
    Rows,
}

/// What can be read off one plot.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct PlotReadings {
    /// Its heading.
    pub title: String,
    /// Its lines.
    pub lines: Vec<LineReadings>,
}

/// What can be read off one line.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct LineReadings {
    /// The series that it belongs to: shapes of the same name belong to it too.
    pub series: String,
    /// What it is of the series, where that has several: `p99`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub part: Option<&'static str>,
    /// For each place the value as text; `null` where there is none.
    pub values: Vec<Option<String>>,
}
