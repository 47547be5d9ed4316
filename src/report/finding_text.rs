//! What was found of the differences between runs, in words.

use super::figures::NO_DATA;
use super::run_comparison::{changed, finding_word};
use crate::compare::{
    ColumnComparison, ComparedRun, Difference, Finding, MetricComparison, RunComparison,
};
use crate::metric::Metric;
use crate::record::p_value_text;

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

/// How much more or less: in percent, or in the metric's unit where the first value is 0.
pub(crate) fn change_text(metric: Metric, difference: &Difference) -> String {
    let [value, _] = changed(metric, difference);
    value.unwrap_or_else(|| NO_DATA.to_owned())
}

/// A difference in full: `+12.3 % [+8 %, +17 %], p = 0.001: worse`.
pub(super) fn difference_text(metric: Metric, difference: &Difference) -> String {
    let parts: Vec<String> = changed(metric, difference).into_iter().flatten().collect();
    let mut text = if parts.is_empty() { NO_DATA.to_owned() } else { parts.join(" ") };
    if let Some(p_value) = difference.adjusted_p_value {
        text.push_str(&format!(", {}", p_value_text(p_value)));
    }
    format!("{text}: {}", finding_word(difference.finding))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::Limits;

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
        assert_eq!(text, "+50 % [-10 %, unbounded], p = 0.4: not shown");
    }

    #[test]
    fn a_change_of_nothing_is_told_in_the_unit() {
        let first_is_0 = Difference { relative: None, relative_interval: None, ..difference() };
        let text = difference_text(Metric::LatencyP99, &first_is_0);
        assert_eq!(text, "+250 ms [-50 ms, unbounded], p = 0.4: not shown");
        let nothing = Difference { absolute: None, interval: None, ..first_is_0 };
        assert_eq!(change_text(Metric::LatencyP99, &nothing), NO_DATA);
    }
}
