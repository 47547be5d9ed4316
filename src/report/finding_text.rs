//! What was found of the differences between runs, in words.

use super::evidence_text::p_value_text;
use super::figures::{NO_DATA, change, table_value};
use crate::compare::{
    ColumnComparison, ComparedRun, Difference, Finding, MetricComparison, RunComparison,
};
use crate::metric::{Metric, Unit};
use crate::summary::Limits;
use crate::units::format_significant;

/// A difference that was found, with all that tells which it is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Found<'a> {
    /// The run in which it was found.
    pub(crate) run: &'a ComparedRun,
    /// Its place among the runs.
    pub(crate) index: usize,
    pub(crate) column: &'a ColumnComparison,
    pub(crate) compared: &'a MetricComparison,
    pub(crate) difference: &'a Difference,
}

/// What is worse, and then what is better, each from the greatest change to the least.
pub(crate) fn found(comparison: &RunComparison) -> Vec<Found<'_>> {
    let mut all = Vec::new();
    for column in &comparison.columns {
        for compared in &column.metrics {
            let runs = comparison.runs.iter().enumerate().skip(1);
            for ((index, run), difference) in runs.zip(&compared.differences) {
                if matches!(difference.finding, Finding::Worse | Finding::Better) {
                    all.push(Found { run, index, column, compared, difference });
                }
            }
        }
    }
    // What was nothing before has changed by more than any share of it.
    let size = |found: &Found<'_>| found.difference.relative.map_or(f64::INFINITY, f64::abs);
    all.sort_by(|one, other| {
        let order = one.difference.finding.cmp(&other.difference.finding);
        order.then(size(other).total_cmp(&size(one)))
    });
    all
}

/// A finding as a word or two.
pub(crate) const fn finding_word(finding: Finding) -> &'static str {
    match finding {
        Finding::Worse => "worse",
        Finding::Better => "better",
        Finding::Different => "different",
        Finding::TooSmall => "too small to matter",
        Finding::NotShown => "no difference shown",
        Finding::Exact => "exact",
        Finding::NotComparable => "not comparable",
    }
}

/// How much more or less: as a share of the first run's value, or where that is 0 in the metric's
/// unit.
pub(crate) fn change_text(metric: Metric, difference: &Difference) -> String {
    match (difference.relative, difference.absolute) {
        (Some(relative), _) => change(relative * 100.0),
        (None, Some(absolute)) => signed(metric, absolute),
        (None, None) => NO_DATA.to_owned(),
    }
}

/// Between which limits the change lies: `[+8 %, +17 %]`; `None` where that is not known.
pub(crate) fn change_interval(metric: Metric, difference: &Difference) -> Option<String> {
    let between = |limits: Limits, value: &dyn Fn(f64) -> String| {
        let side = |limit: Option<f64>| limit.map_or_else(|| "unbounded".to_owned(), value);
        format!("[{}, {}]", side(limits.low), side(limits.high))
    };
    match (difference.relative_interval, difference.interval) {
        (Some(limits), _) => Some(between(limits, &|share| change(share * 100.0))),
        (None, Some(limits)) => Some(between(limits, &|value| signed(metric, value))),
        (None, None) => None,
    }
}

/// A difference in full: `+12.3 % [+8 %, +17 %], p = 0.001: worse`.
pub(crate) fn difference_text(metric: Metric, difference: &Difference) -> String {
    let mut text = change_text(metric, difference);
    if let Some(interval) = change_interval(metric, difference) {
        text.push_str(&format!(" {interval}"));
    }
    if let Some(p_value) = difference.adjusted_p_value {
        text.push_str(&format!(", {}", p_value_text(p_value)));
    }
    format!("{text}: {}", finding_word(difference.finding))
}

/// A difference in the unit of a metric, with its sign.
///
/// Of shares in percentage points: a percentage would be taken for a part of what was before.
fn signed(metric: Metric, difference: f64) -> String {
    let sign = match difference {
        0.0 => "±",
        less if less < 0.0 => "-",
        _ => "+",
    };
    match metric.unit() {
        Unit::Ratio => format!("{sign}{} points", format_significant(difference.abs() * 100.0, 3)),
        unit => format!("{sign}{}", table_value(unit, difference.abs())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference() -> Difference {
        Difference {
            absolute: Some(0.25),
            relative: Some(0.5),
            interval: Some(Limits { low: Some(-0.05), high: None }),
            relative_interval: Some(Limits { low: Some(-0.1), high: None }),
            p_value: Some(0.2),
            adjusted_p_value: Some(0.4),
            finding: Finding::NotShown,
        }
    }

    #[test]
    fn a_change_is_told_with_its_interval_and_what_it_means() {
        let text = difference_text(Metric::LatencyP99, &difference());
        assert_eq!(text, "+50 % [-10 %, unbounded], p = 0.4: no difference shown");
    }

    #[test]
    fn shares_of_nothing_change_by_points() {
        assert_eq!(signed(Metric::ErrorRate, 0.0056), "+0.56 points");
        assert_eq!(signed(Metric::ErrorRate, -0.5), "-50 points");
        assert_eq!(signed(Metric::ErrorRate, 0.0), "±0 points");
    }

    #[test]
    fn a_change_of_nothing_is_told_in_the_unit() {
        let first_is_0 = Difference { relative: None, relative_interval: None, ..difference() };
        let text = difference_text(Metric::LatencyP99, &first_is_0);
        assert_eq!(text, "+250 ms [-50 ms, unbounded], p = 0.4: no difference shown");
        let nothing = Difference { absolute: None, interval: None, ..first_is_0 };
        assert_eq!(change_text(Metric::LatencyP99, &nothing), NO_DATA);
    }
}
