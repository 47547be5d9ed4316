//! The charts of how well a live run agrees with the simulated one: every error with its interval
//! and what is allowed, and the latencies of both by percentile.

use super::difference_chart::readable_range;
use super::fidelity_words::{
    FidelityHeadline, allowed_text, deviation_parts, deviation_text, error_label, fidelity_word,
    place,
};
use super::figures::NO_DATA;
use super::latency_curves::{Curve, CurvePanel, CurveSheet, in_words, percentiles};
use super::run_charts::RunChart;
use super::run_comparison::percent;
use super::run_looks::{legend, nth_look};
use crate::chart::{
    Axis, Canvas, IntervalGroup, IntervalMark, IntervalRow, Intervals, OpenInterval, version_look,
};
use crate::fidelity::{Allowed, Deviation, Fidelity, Finding, MetricError, VersionErrors};
use crate::result::{ColumnInfo, ResultFile};
use crate::summary::{Limits, Selected, Summary};
use crate::units::format_counted;

/// The charts, the errors first; those that would show nothing are left out. `results` are the
/// simulated one and the live one.
pub fn fidelity_charts(fidelity: &Fidelity, results: [&ResultFile; 2]) -> Vec<RunChart> {
    let errors = ("fidelity_errors", "Errors of the live run", errors_chart(fidelity));
    let latencies = ("fidelity_latency", "Live against simulated", latencies(fidelity, results));
    let drawn = |(name, title, canvas): (&'static str, &'static str, Option<Canvas>)| {
        Some(RunChart { name, title, canvas: canvas? })
    };
    [errors, latencies].into_iter().filter_map(drawn).collect()
}

/// Every error by version and phase; `None` where there is none to be drawn.
fn errors_chart(fidelity: &Fidelity) -> Option<Canvas> {
    let less = !fidelity.overheads.is_empty();
    let series = [("as measured", None), ("less overhead", Some(0))];
    let series = series.into_iter().take(if less { 2 } else { 1 });
    let shown = &fidelity.versions[..fidelity.versions.len().min(MOST_GROUPS)];
    let reaches = shown.iter().flat_map(|version| &version.errors).flat_map(reaches);
    let (least, greatest) = readable_range(&reaches.collect::<Vec<_>>())?;
    let allowed = shown.iter().flat_map(|version| &version.errors).filter_map(shaded);
    let allowed = allowed.fold(0.0, f64::max);
    let left_out = fidelity.versions.len() - shown.len();
    let chart = Intervals {
        series: series.map(|(name, look)| (name.to_owned(), version_look(look))).collect(),
        axis: Axis::changes(least.min(-allowed), greatest.max(allowed)),
        caption: format!(
            "error against the simulated value; all intervals hold at once with {}",
            percent(fidelity.confidence)
        ),
        groups: shown.iter().map(|version| group(fidelity, version, less)).collect(),
        note: Some(note(left_out)),
    };
    let headline = FidelityHeadline::of(fidelity);
    let details: String = headline.details.iter().map(|detail| format!(" {detail}.")).collect();
    let title = "Errors of the live run";
    let alternative = format!("{title}: {}, {}.{details}", headline.word, headline.found);
    Some(chart.chart(title, alternative))
}

/// From where to where what is drawn of an error reaches, and whether it must be seen.
fn reaches(error: &MetricError) -> impl Iterator<Item = (bool, f64, f64)> {
    let is_drawn = !MetricError::is_difference(error.metric);
    let is_beyond = error.finding == Finding::Beyond;
    let deviations = [error.raw, error.less_overhead].into_iter().flatten();
    let ends = move |Deviation { error: value, interval }: Deviation| {
        let low = interval.and_then(|limits| limits.low).unwrap_or(value);
        let high = interval.and_then(|limits| limits.high).unwrap_or(value);
        (is_beyond, low.min(value), high.max(value))
    };
    deviations.filter(move |_| is_drawn).map(ends)
}

fn note(left_out: usize) -> String {
    let kept = "filled: beyond what is allowed; hollow: not; shaded: allowed; arrow: goes further";
    match left_out {
        0 => kept.to_owned(),
        more => {
            let more = format_counted(more as u64, "more version", "more versions");
            format!("{kept}; not drawn: {more}")
        }
    }
}

fn group(fidelity: &Fidelity, version: &VersionErrors, less: bool) -> IntervalGroup {
    let rows = version.errors.iter().map(|error| {
        let deviations = [error.raw, error.less_overhead].into_iter();
        let marks = deviations.take(if less { 2 } else { 1 }).enumerate().map(|(place, own)| {
            // The finding is that of the last that is known.
            let is_judged = place == usize::from(error.less_overhead.is_some());
            mark(error, own, is_judged)
        });
        IntervalRow {
            label: error_label(error.metric).to_owned(),
            allowed: shaded(error),
            marks: marks.collect(),
        }
    });
    IntervalGroup { title: place(fidelity, version), rows: rows.collect() }
}

/// How far the drawn error of a metric may lie from 0.
fn shaded(error: &MetricError) -> Option<f64> {
    match error.allowed {
        Allowed::UpTo(share) if !MetricError::is_difference(error.metric) => Some(share.get()),
        Allowed::UpTo(_) | Allowed::SamplingError => None,
    }
}

/// An error; those of shares of requests have no place on the axis, and are told in words only.
fn mark(error: &MetricError, deviation: Option<Deviation>, is_judged: bool) -> IntervalMark {
    let metric = error.metric;
    let drawn = deviation.filter(|_| !MetricError::is_difference(metric));
    let open = Limits { low: None, high: None };
    let interval = drawn.map(|own| own.interval.unwrap_or(open));
    let value = deviation.map(|own| deviation_parts(metric, own)[0].clone());
    let word = fidelity_word(error.finding);
    let told = deviation.map_or_else(|| NO_DATA.to_owned(), |own| deviation_text(metric, own, " "));
    IntervalMark {
        value: drawn.map(|own| own.error),
        interval: interval.map(|limits| OpenInterval { low: limits.low, high: limits.high }),
        filled: is_judged && error.finding == Finding::Beyond,
        word: match (value, is_judged) {
            (Some(value), true) => format!("{value} {word}"),
            (Some(value), false) => value,
            (None, true) => word.to_owned(),
            (None, false) => String::new(),
        },
        reading: format!("{told}, allowed: {}: {word}", allowed_text(metric, error.allowed)),
    }
}

/// The latencies of both runs by percentile, a panel for each version in each phase; `None` where
/// nothing succeeded.
fn latencies(fidelity: &Fidelity, results: [&ResultFile; 2]) -> Option<Canvas> {
    let places = fidelity.versions.iter().filter_map(|version| {
        let sides = results.map(|result| selected(version, result));
        let [Some(simulated), Some(live)] = sides else { return None };
        let sides = [simulated, live];
        let any = sides.iter().any(|side| side.attempts().latency.count() > 0);
        any.then(|| (place(fidelity, version), sides))
    });
    let places: Vec<(String, [Selected<'_>; 2])> = places.collect();
    let shown = &places[..places.len().min(MOST_PANELS)];
    let panels = shown.iter().map(|(title, sides)| CurvePanel {
        title: format!("{title}: latency of successes, with its 95 % interval"),
        curves: curves(sides).collect(),
        filled: 0,
    });
    let panels: Vec<CurvePanel<'_>> = panels.collect();
    let named = shown.iter().flat_map(|(title, sides)| {
        curves(sides).map(move |curve| (format!("{title}, {}", curve.series), curve.latencies))
    });
    let left_out = (places.len() - shown.len()) as u64;
    let note = (left_out > 0).then(|| {
        format!("not drawn: {}", format_counted(left_out, "more version", "more versions"))
    });
    let sheet = CurveSheet {
        title: "Live against simulated",
        alternative: format!("Quantiles of latencies.{}", in_words(named)),
        series: legend(&SIDES),
        note,
        whole: "the run's successes",
    };
    percentiles(sheet, &panels)
}

fn curves<'a>(sides: &'a [Selected<'_>; 2]) -> impl Iterator<Item = Curve<'a>> {
    let sides = SIDES.iter().zip(sides).enumerate();
    sides.filter_map(|(index, (name, side))| {
        let latencies = &side.attempts().latency;
        let (look, dash) = nth_look(index);
        let curve = Curve { series: (*name).to_owned(), look, dash, latencies };
        (latencies.count() > 0).then_some(curve)
    })
}

/// The requests of a version in a phase.
fn selected<'a>(version: &VersionErrors, result: &'a ResultFile) -> Option<Selected<'a>> {
    let column = ColumnInfo {
        title: String::new(),
        phase: Some(version.phase.clone()),
        model: Some(version.model.to_string()),
        version: Some(version.version.to_string()),
    };
    let selection = column.selection(&result.record)?;
    Some(Summary::of(&result.record).select(selection))
}

const SIDES: [&str; 2] = ["simulated", "live"];
/// Chosen: more groups no longer fit a page.
const MOST_GROUPS: usize = 8;
/// Chosen: more panels no longer fit a page.
const MOST_PANELS: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fidelity::example::{simulated, slower, with_overheads};

    fn texts(chart: &RunChart) -> String {
        let svg = chart.canvas.svg();
        svg.split('>')
            .filter_map(|part| part.split_once("</text"))
            .map(|(text, _)| text.to_owned() + "\n")
            .collect()
    }

    #[test]
    fn errors_are_drawn_with_and_without_the_overhead_where_it_is_known() {
        let result = simulated();
        let told = fidelity_charts(&with_overheads(10.0), [&result, &result]);
        let names: Vec<&str> = told.iter().map(|chart| chart.name).collect();
        assert_eq!(names, ["fidelity_errors", "fidelity_latency"]);
        let with = texts(&told[0]);
        assert!(with.contains("less overhead") && with.contains("+0.6 %\n"), "{with}");
        assert!(with.contains("±0 % within\n"), "{with}");
        let without = texts(&fidelity_charts(&slower(), [&result, &result])[0]);
        assert!(!without.contains("less overhead"), "{without}");
        assert!(without.contains("+2 % beyond\n"), "{without}");
    }

    #[test]
    fn what_is_beyond_is_filled_and_said_in_words() {
        let result = simulated();
        let charts = fidelity_charts(&slower(), [&result, &result]);
        let told = charts[0].canvas.alternative();
        assert!(told.starts_with("Errors of the live run: BEYOND, "), "{told}");
        assert!(told.contains("Average latency +2 % ["), "{told}");
    }
}
