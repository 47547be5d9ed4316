//! Every chart of a sweep.

use super::run_charts::RunChart;
use super::sweep_detection_chart::detection_chart;
use super::sweep_forest_chart::forest_chart;
use super::sweep_harm_chart::harm_chart;
use super::sweep_heat_chart::heat_chart;
use super::sweep_survival_chart::survival_chart;
use crate::chart::Canvas;
use crate::study::SweepReport;

/// The charts of a sweep, the shares of all combinations first; those that would show nothing are
/// left out.
pub fn sweep_charts(report: &SweepReport) -> Vec<RunChart> {
    // Weighted runs have no shares, times or harm that could be drawn.
    if report.is_rare() {
        return Vec::new();
    }
    let charts = [
        ("What each combination comes to", forest_chart(report)),
        ("How often it is rolled back", detection_chart(report)),
        ("Two values together", heat_chart(report)),
        ("How long it goes on", survival_chart(report)),
        ("False alarms against harm", harm_chart(report)),
    ];
    let drawn = |(name, (title, canvas)): (&'static str, (&'static str, Option<Canvas>))| {
        Some(RunChart { name, title, canvas: canvas? })
    };
    SWEEP_CHARTS.into_iter().zip(charts).filter_map(drawn).collect()
}

/// The names of all charts that a sweep may have.
pub const SWEEP_CHARTS: [&str; 5] = ["combinations", "detection", "heat", "survival", "harm"];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::example::{grid_report, report};

    fn names(report: &SweepReport) -> Vec<&'static str> {
        sweep_charts(report).iter().map(|chart| chart.name).collect()
    }

    #[test]
    fn each_kind_of_sweep_has_the_charts_that_show_something() {
        assert_eq!(names(&report(20)), ["combinations", "detection", "survival", "harm"]);
        let grid = grid_report(12);
        assert_eq!(names(&grid), ["combinations", "detection", "heat", "survival", "harm"]);
        for chart in sweep_charts(&grid) {
            let svg = chart.canvas.svg();
            assert!(svg.contains("threshold") || svg.contains("0.3"), "{}: {svg}", chart.name);
            assert!(!svg.contains("NaN") && !chart.canvas.alternative().is_empty());
            assert!(chart.canvas.png().starts_with(b"\x89PNG"));
        }
    }
}
