//! How far the metrics of runs lie from those of the first, and how sure that is.

use super::finding_text::{Found, change_text, difference_text, found};
use super::run_comparison::{compared_label, finding_word, percent, run_names};
use super::run_looks::{MOST_RUNS, nth_look, runs_left_out};
use crate::chart::{
    Axis, Canvas, IntervalGroup, IntervalMark, IntervalRow, Intervals, OpenInterval,
};
use crate::compare::{ColumnComparison, Difference, Finding, MetricComparison, RunComparison};
use crate::metric::Direction;
use crate::units::format_counted;

/// The change of each metric that has a direction against the first run, with its interval, for
/// every other run, by column; `None` where nothing can be compared.
pub(super) fn difference_chart(comparison: &RunComparison) -> Option<Canvas> {
    let names = run_names(comparison);
    let others = || names.iter().enumerate().take(MOST_RUNS).skip(1);
    let series = others().map(|(index, name)| (name.clone(), nth_look(index).0)).collect();
    let drawn: Vec<_> = comparison.columns.iter().filter(|column| has_changes(column)).collect();
    let shown = &drawn[..drawn.len().min(MOST_COLUMNS)];
    let changes = shown.iter().flat_map(|column| metrics(column));
    let (least, greatest) = range(changes.flat_map(|metric| &metric.differences))?;
    let groups = shown.iter().map(|column| group(column, others().count())).collect();
    let first = &names[0];
    let title = format!("Changes against {first}");
    let chart = Intervals {
        series,
        axis: Axis::changes(least, greatest),
        caption: format!(
            "change against {first}, with its {} interval",
            percent(comparison.confidence)
        ),
        groups,
        note: Some(note(drawn.len() - shown.len(), comparison.runs.len())),
    };
    Some(chart.chart(&title, alternative(comparison, &title)))
}

fn note(columns: usize, runs: usize) -> String {
    let parts = [
        Some("filled: a difference was shown; hollow: none; arrow: goes further".to_owned()),
        (columns > 0).then(|| {
            format!("not drawn: {}", format_counted(columns as u64, "more column", "more columns"))
        }),
        runs_left_out(runs),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// The metrics of a column of which more or less is better.
fn metrics(column: &ColumnComparison) -> impl Iterator<Item = &MetricComparison> {
    column.metrics.iter().filter(|compared| compared.metric.direction() != Direction::Neutral)
}

fn has_changes(column: &ColumnComparison) -> bool {
    let mut differences = metrics(column).flat_map(|compared| &compared.differences);
    differences.any(|difference| difference.relative.is_some())
}

/// From the least to the greatest change with its interval, as far as the others can be read
/// beside it.
fn range<'a>(differences: impl Iterator<Item = &'a Difference>) -> Option<(f64, f64)> {
    let ends = |difference: &Difference| {
        let value = difference.relative?;
        let limits = difference.relative_interval;
        let end = |end: Option<f64>| end.unwrap_or(value);
        let (low, high) = limits.map_or((value, value), |own| (end(own.low), end(own.high)));
        Some((is_shown(difference.finding), low.min(value), high.max(value)))
    };
    let all: Vec<_> = differences.filter_map(ends).collect();
    readable_range(&all)
}

/// The least and the greatest of these, each from where to where it reaches, and whether it is
/// shown: without what reaches many times as far as half of those that are shown, or of all where
/// none is.
pub(super) fn readable_range(all: &[(bool, f64, f64)]) -> Option<(f64, f64)> {
    let any_shown = all.iter().any(|(shown, ..)| *shown);
    let reach = |low: f64, high: f64| high.max(-low);
    let counting = all.iter().filter(|(shown, ..)| *shown == any_shown);
    let reaches = counting.map(|(_, low, high)| reach(*low, *high));
    let mut reaches: Vec<f64> = reaches.filter(|reach| *reach > 0.0).collect();
    reaches.sort_by(f64::total_cmp);
    let typical = reaches.get(reaches.len().saturating_sub(1) / 2).copied().unwrap_or(0.0);
    let kept = all.iter().filter(|(_, low, high)| reach(*low, *high) <= MOST_REACH * typical);
    let range = kept.map(|(_, low, high)| (*low, *high));
    range.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)))
}

fn group(column: &ColumnComparison, runs: usize) -> IntervalGroup {
    let rows = metrics(column).map(|compared| IntervalRow {
        label: compared_label(compared),
        allowed: None,
        marks: compared.differences.iter().take(runs).map(|own| mark(compared, own)).collect(),
    });
    IntervalGroup { title: column.title.clone(), rows: rows.collect() }
}

fn mark(compared: &MetricComparison, difference: &Difference) -> IntervalMark {
    let word = finding_word(difference.finding);
    let interval = difference.relative_interval;
    IntervalMark {
        value: difference.relative,
        interval: interval.map(|limits| OpenInterval { low: limits.low, high: limits.high }),
        filled: is_shown(difference.finding),
        word: match difference.absolute {
            Some(_) => format!("{} {word}", change_text(compared.metric, difference)),
            None => word.to_owned(),
        },
        reading: difference_text(compared.metric, difference),
    }
}

/// Whether there is a difference for sure.
const fn is_shown(finding: Finding) -> bool {
    match finding {
        Finding::Worse | Finding::Better | Finding::Different | Finding::TooSmall => true,
        Finding::Exact | Finding::Undecided | Finding::NotShown | Finding::NotComparable => false,
    }
}

/// The chart in words: what is worse and better.
fn alternative(comparison: &RunComparison, title: &str) -> String {
    let mut text = format!("{title}.");
    let all = found(comparison);
    for Found { run, column, compared, difference, .. } in all.iter().take(MOST_TOLD) {
        text.push_str(&format!(
            " {}, {}, {}: {}.",
            run.label,
            column.title,
            compared_label(compared),
            difference_text(compared.metric, difference)
        ));
    }
    if all.len() > MOST_TOLD {
        text.push_str(&format!(" {} more of these.", all.len() - MOST_TOLD));
    }
    text
}

/// Chosen: beside what reaches four times as far a change still has a quarter of the axis.
const MOST_REACH: f64 = 4.0;
/// Chosen: more groups no longer fit a page.
const MOST_COLUMNS: usize = 8;
/// Chosen: more sentences of one kind nobody listens to.
const MOST_TOLD: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::Limits;

    fn difference(value: f64, low: f64, high: f64, finding: Finding) -> Difference {
        Difference {
            absolute: Some(value),
            relative: Some(value),
            interval: None,
            relative_interval: Some(Limits { low: Some(low), high: Some(high) }),
            p_value: None,
            adjusted_p_value: None,
            finding,
        }
    }

    #[test]
    fn the_axis_has_room_for_what_most_need() {
        let narrow = difference(0.01, -0.04, 0.06, Finding::NotShown);
        let wider = difference(-0.05, -0.2, 0.1, Finding::NotShown);
        let wide = difference(-1.0, -1.0, 3.0, Finding::NotShown);
        let mut all = vec![narrow.clone(), narrow, wider, wide.clone()];
        // Half of them reach no further than 6 %; 20 % is less than four times that, 300 % is not.
        assert_eq!(range(all.iter()), Some((-0.2, 0.1)));
        assert_eq!(range([&wide].into_iter()), Some((-1.0, 3.0)));
        // What was shown has its room whatever the others need: 70 %, and not four times that.
        all.push(difference(0.6, 0.5, 0.7, Finding::Worse));
        assert_eq!(range(all.iter()), Some((-0.2, 0.7)));
        let nothing = difference(0.0, 0.0, 0.0, Finding::NotShown);
        assert_eq!(range([&nothing].into_iter()), Some((0.0, 0.0)));
        assert_eq!(range(std::iter::empty()), None);
    }
}
