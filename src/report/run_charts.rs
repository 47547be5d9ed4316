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
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::result::example::{assert_snapshot, rolled_back_result, without_gate};

    /// What stands in quotes behind `name=` in a tag.
    fn attribute<'a>(tag: &'a str, name: &str) -> Option<&'a str> {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        rest.split('"').next()
    }

    /// The tags of an SVG, each with the text behind it; quoted attributes can hold brackets.
    fn tags(svg: &str) -> Vec<(&str, &str)> {
        let mut tags = Vec::new();
        let mut rest = svg;
        while let Some((_, opened)) = rest.split_once('<') {
            let mut quoted = false;
            let end = opened.find(|letter| {
                quoted ^= letter == '"';
                letter == '>' && !quoted
            });
            let (tag, behind) = opened.split_at(end.unwrap());
            rest = &behind[1..];
            tags.push((tag, rest.split('<').next().unwrap()));
        }
        tags
    }

    /// What a chart is made of, not where it stands: elements by kind, series, every text.
    fn structure(chart: &RunChart) -> String {
        let svg = chart.canvas.svg();
        let mut kinds = BTreeMap::new();
        let mut series = BTreeSet::new();
        let mut texts = Vec::new();
        let (mut size, mut label) = ("", "");
        for (tag, text) in tags(&svg).into_iter().filter(|(tag, _)| !tag.starts_with('/')) {
            let kind = tag.split([' ', '\n', '/']).next().unwrap();
            *kinds.entry(kind).or_insert(0_u32) += 1;
            series.extend(attribute(tag, "data-series"));
            match kind {
                "svg" => {
                    size = attribute(tag, "viewBox").unwrap();
                    label = attribute(tag, "aria-label").unwrap_or_default();
                }
                "text" if !text.trim().is_empty() => texts.push(text.trim()),
                _ => {}
            }
        }
        let kinds: Vec<_> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        let series: Vec<_> = series.into_iter().collect();
        format!(
            "{}: {} ({size})\n  label: {label}\n  elements: {}\n  series: {}\n  texts: {}\n",
            chart.name,
            chart.title,
            kinds.join(", "),
            series.join(" | "),
            texts.join(" | ")
        )
    }

    #[test]
    fn charts_are_made_of_these_elements_series_and_texts() {
        let charts = run_charts(&rolled_back_result());
        let all: Vec<String> = charts.iter().map(structure).collect();
        assert_snapshot("charts", &all.join("\n"));
    }

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
