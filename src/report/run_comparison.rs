//! The comparison of several runs in words and rows of text, before it is laid out for a terminal
//! or Markdown. Knows neither.

use super::comparison::{Grid, OF_ATTEMPTS};
use super::figures::{
    NO_DATA, change, change_interval, metric_label, signed_interval, signed_value, table_estimate,
};
use super::verdict::verdict_word;
use crate::compare::{
    ColumnComparison, ComparedRun, Difference, Finding, MetricComparison, RunComparison,
};
use crate::metric::{Metric, format_value};
use crate::record::p_value_text;
use crate::summary::Estimate;
use crate::units::{format_count, format_counted, format_p_value, format_significant};

/// A share that a person has chosen: `95 %`.
pub(crate) fn percent(share: f64) -> String {
    format!("{} %", format_significant(share * 100.0, 6))
}

/// What a run is called in tables: A, B, ... Z, AA, AB, ...
pub(crate) fn letter(run: usize) -> String {
    let own = char::from(b'A' + (run % 26) as u8);
    match run / 26 {
        0 => own.to_string(),
        more => format!("{}{own}", letter(more - 1)),
    }
}

/// How runs are called where there is room: by their letter and their label.
pub(crate) fn run_names(comparison: &RunComparison) -> Vec<String> {
    let name = |(index, run): (usize, &ComparedRun)| format!("{} {}", letter(index), run.label);
    comparison.runs.iter().enumerate().map(name).collect()
}

/// What is known of a run beside its label, in phrases.
pub(super) fn about(run: &ComparedRun) -> Vec<String> {
    let mut about = vec![run.scenario.clone(), format!("seed {}", run.seed)];
    about.extend(run.verdict.map(|verdict| verdict_word(verdict).to_owned()));
    about.push(format_counted(run.requests, "request", "requests"));
    about.push(format!("coalmine {}", run.coalmine));
    let digest: String = run.sha256.chars().take(SHOWN_DIGITS).collect();
    about.push(format!("SHA-256 {digest}…"));
    about
}

/// In what the scenarios of the other runs differ, in lines; none where in nothing.
pub(super) fn differing(comparison: &RunComparison) -> Vec<String> {
    let lines = comparison.differing.iter().flat_map(|differing| {
        let run = letter(differing.run);
        differing.told(MOST_DIFFERENCES).into_iter().map(move |line| format!("{run}: {line}"))
    });
    lines.collect()
}

/// Which runs lack a column, in a sentence.
pub(crate) fn missing(comparison: &RunComparison, column: &ColumnComparison) -> Option<String> {
    if column.missing.len() == comparison.runs.len() {
        return Some("nothing to compare: no run has a request for this column".to_owned());
    }
    let runs: Vec<String> = column.missing.iter().map(|run| letter(*run)).collect();
    let have = if runs.len() == 1 { "has" } else { "have" };
    (!runs.is_empty())
        .then(|| format!("{} {have} no such column, or no request for it", runs.join(", ")))
}

/// How much room a table of differences takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Form {
    /// Changes in percent and differences in their unit, both in columns of their own.
    Full,
    /// Changes in percent, beside their intervals.
    Wide,
    /// Intervals below changes, p-values below findings.
    Compact,
}

/// A table of differences: for two runs a row per metric, for more a row per metric and run.
pub(super) fn metrics_grid(
    comparison: &RunComparison,
    metrics: &[MetricComparison],
    form: Form,
) -> Grid {
    let header: &[&str] = match form {
        Form::Full => &["Change", "Difference", "p", "Finding"],
        Form::Wide => &["Change", "p", "Finding"],
        Form::Compact => &["Change", "Finding"],
    };
    let cells = |metric, difference: &Difference| difference_cells(metric, difference, form);
    grid(comparison, metrics, header, &table_estimate, &cells)
}

/// The same of figures that are exact.
pub(super) fn figures_grid(comparison: &RunComparison) -> Grid {
    let cells = |metric: Metric, difference: &Difference| {
        vec![relative(difference), figure_difference(metric, difference)]
    };
    let header = ["Change", "Difference"];
    grid(comparison, &comparison.figures, &header, &ToString::to_string, &cells)
}

/// By how much a figure of a whole run differs, in its unit: `-31 s`, `±0`.
pub(crate) fn figure_difference(metric: Metric, difference: &Difference) -> String {
    match difference.absolute {
        None => NO_DATA.to_owned(),
        Some(0.0) => "±0".to_owned(),
        Some(value) => {
            let sign = if value < 0.0 { "-" } else { "+" };
            format!("{sign}{}", format_value(metric.unit(), value.abs()))
        }
    }
}

fn grid(
    comparison: &RunComparison,
    metrics: &[MetricComparison],
    header: &[&str],
    value: &dyn Fn(&Estimate) -> String,
    cells: &dyn Fn(Metric, &Difference) -> Vec<String>,
) -> Grid {
    let pair = comparison.runs.len() == 2;
    let mut all = vec!["Metric".to_owned(), letter(0)];
    match pair {
        true => all.push(letter(1)),
        false => all.extend(["Run", "Value"].map(str::to_owned)),
    }
    all.extend(header.iter().map(|title| (*title).to_owned()));
    let mut rows = Vec::new();
    for compared in metrics.iter().filter(|compared| compared.has_data()) {
        let others = compared.values[1..].iter().zip(&compared.differences).zip(1..);
        for ((estimate, difference), run) in others {
            let mut row = match run {
                1 => vec![compared_label(compared), value(&compared.values[0])],
                _ => vec![String::new(), String::new()],
            };
            row.extend((!pair).then(|| letter(run)));
            row.push(value(estimate));
            row.extend(cells(compared.metric, difference));
            rows.push(row);
        }
    }
    Grid { header: all, rows, names: (!pair).then_some(2) }
}

/// A metric's name for reading. One without a common name is told by that of the registry, in
/// words: they can be broken where there is little room.
pub(crate) fn compared_label(compared: &MetricComparison) -> String {
    let of_attempts = compared.values.iter().any(|estimate| estimate.of_attempts);
    let mut label = metric_label(compared.metric).to_owned();
    if label == compared.metric.name() {
        label = label.replace(['_', '.'], " ");
        label[..1].make_ascii_uppercase();
    }
    format!("{label}{}", if of_attempts { OF_ATTEMPTS } else { "" })
}

fn difference_cells(metric: Metric, difference: &Difference, form: Form) -> Vec<String> {
    let p_value = difference.adjusted_p_value.map(format_p_value);
    let finding = finding_word(difference.finding).to_owned();
    let none = || NO_DATA.to_owned();
    match form {
        Form::Full => {
            let absolute = beside(absolute(metric, difference), " ");
            vec![relative(difference), absolute, p_value.unwrap_or_else(none), finding]
        }
        Form::Wide => {
            let changed = beside(changed(metric, difference), " ");
            vec![changed, p_value.unwrap_or_else(none), finding]
        }
        Form::Compact => {
            let p_value = difference.adjusted_p_value.map(p_value_text);
            let p_value = p_value.map(|text| format!("\n{text}"));
            let changed = beside(changed(metric, difference), "\n");
            vec![changed, finding + &p_value.unwrap_or_default()]
        }
    }
}

/// A difference in its metric's unit, and its interval.
fn absolute(metric: Metric, difference: &Difference) -> [Option<String>; 2] {
    let unit = metric.unit();
    let value = difference.absolute.map(|value| signed_value(unit, value));
    told([value, difference.interval.map(|limits| signed_interval(unit, limits))])
}

/// A difference and its interval, without the interval where it says no more: of what is exactly
/// the same.
fn told([value, interval]: [Option<String>; 2]) -> [Option<String>; 2] {
    let same = value.as_ref().filter(|value| value.starts_with('±'));
    let empty = same.map(|value| format!("[{value}, {value}]"));
    let interval = interval.filter(|interval| Some(interval) != empty.as_ref());
    [value, interval]
}

/// A difference in percent, and its interval; in its metric's unit where the first value is 0.
pub(crate) fn changed(metric: Metric, difference: &Difference) -> [Option<String>; 2] {
    match difference.relative {
        Some(_) => {
            let interval = difference.relative_interval.map(change_interval);
            told([Some(relative(difference)), interval])
        }
        None => absolute(metric, difference),
    }
}

fn beside(parts: [Option<String>; 2], between: &str) -> String {
    match parts {
        [Some(value), Some(interval)] => format!("{value}{between}{interval}"),
        [Some(value), None] => value,
        [None, _] => NO_DATA.to_owned(),
    }
}

fn relative(difference: &Difference) -> String {
    difference.relative.map_or_else(|| NO_DATA.to_owned(), |share| change(share * 100.0))
}

/// A finding for reading.
pub(crate) const fn finding_word(finding: Finding) -> &'static str {
    match finding {
        Finding::Worse => "worse",
        Finding::Better => "better",
        Finding::Different => "different",
        Finding::Undecided => "undecided",
        Finding::TooSmall => "too small",
        Finding::NotShown => "not shown",
        Finding::Exact => "exact",
        Finding::NotComparable => NO_DATA,
    }
}

/// What the tables' words and numbers mean.
pub(crate) fn legend(comparison: &RunComparison) -> String {
    format!(
        "Changes and differences are those from {}, in percent of its value and in its unit (pp: \
         percentage points), with {} intervals, each for itself; p-values are adjusted for all {} \
         tests (Holm). \"not shown\" does not mean that there is none; \"exact\" is a figure of \
         one run each, which is not tested",
        letter(0),
        percent(comparison.confidence),
        format_count(comparison.tested),
    )
}

/// Chosen: what was changed between two runs on purpose is less.
const MOST_DIFFERENCES: usize = 12;

/// Those of a digest that are enough to tell two apart.
const SHOWN_DIGITS: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_called_by_letters() {
        let letters = [0, 1, 25, 26, 27, 51, 52, 701, 702].map(letter);
        assert_eq!(letters, ["A", "B", "Z", "AA", "AB", "AZ", "BA", "ZZ", "AAA"]);
    }
}
