//! Every chart of a run.

use super::cost_chart::cost_chart;
use super::endings_chart::endings_chart;
use super::heat_chart::heat_chart;
use super::latency_charts::{distribution_chart, percentile_chart};
use super::timeline_chart::timeline_chart;
use crate::chart::Canvas;
use crate::result::ResultFile;

/// A chart of a run with its name.
#[derive(Clone, Debug)]
pub struct RunChart {
    /// The name of its files, without an ending: `latency_distribution`.
    pub name: &'static str,
    /// Its heading.
    pub title: &'static str,
    /// The chart.
    pub canvas: Canvas,
}

/// The charts of a run, the timeline first; those that would show nothing are left out.
pub fn run_charts(result: &ResultFile) -> Vec<RunChart> {
    let timeline = timeline_chart(&result.record, &result.scenario.title);
    let charts = [
        ("timeline", "Timeline", Some(timeline)),
        ("latency_distribution", "Latency distribution", distribution_chart(result)),
        ("latency_percentiles", "Latency by percentile", percentile_chart(result)),
        ("latency_heat", "Latency over time", heat_chart(&result.record)),
        ("endings", "How requests ended", endings_chart(result)),
        ("cost", "Cost and tokens", cost_chart(result)),
    ];
    let drawn = |(name, title, canvas): (&'static str, &'static str, Option<Canvas>)| {
        Some(RunChart { name, title, canvas: canvas? })
    };
    charts.into_iter().filter_map(drawn).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::example::{rolled_back_result, without_gate};

    #[test]
    fn every_chart_says_in_words_what_it_shows() {
        for result in [rolled_back_result(), without_gate()] {
            let charts = run_charts(&result);
            assert_eq!(charts[0].name, "timeline");
            for chart in &charts {
                assert!(chart.canvas.alternative().len() > 40, "{}", chart.name);
                let svg = chart.canvas.svg();
                assert_eq!(svg.matches("<g").count(), svg.matches("</g>").count());
                assert_eq!(svg, chart.canvas.svg());
            }
        }
    }
}
