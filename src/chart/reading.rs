//! What can be read off a chart: for a page that shows the values below a pointer.

use serde::Serialize;

/// What can be read off at the columns of a chart.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Readings {
    /// The first and the last pixel column of the plots.
    pub span: (i32, i32),
    /// Where values stand, in pixels, in ascending order.
    pub columns: Vec<i32>,
    /// What each column is, as text: a time, a quantile.
    pub labels: Vec<String>,
    /// The plots that lie one above the other.
    pub plots: Vec<PlotReadings>,
}

/// What can be read off one plot.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct PlotReadings {
    /// Its heading.
    pub title: String,
    /// Its first and its last pixel row.
    pub rows: (i32, i32),
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
    /// For each column the pixel row of the value and the value as text; `null` where there is
    /// none.
    pub values: Vec<Option<(i32, String)>>,
}
