//! The head of the page of a comparison: what is worse and what is better, in one word, one
//! sentence and the greatest changes.

use super::escape::escape;
use super::markup::{list, paragraph};
use crate::compare::{Finding, RunComparison};
use crate::report::{ComparisonHeadline, Found, change_text, found, metric_label, table_estimate};

/// The head.
pub(super) fn head(comparison: &RunComparison, headline: &ComparisonHeadline) -> String {
    let (class, symbol) = match headline.finding {
        Some(Finding::Worse) => ("fail", "✗"),
        Some(Finding::Better) => ("pass", "✓"),
        _ => ("unjudged", "–"),
    };
    format!(
        "<header class=\"verdict {class}\" id=\"verdict\">\n\
         <p class=\"badge\"><span class=\"symbol\" aria-hidden=\"true\">{symbol}</span> \
         <strong>{word}</strong></p>\n\
         <div class=\"headline\">\n<h1><bdi>{title}</bdi></h1>\n{why}{notes}</div>\n\
         {figures}</header>\n",
        word = escape(headline.word),
        title = escape(&headline.title),
        why = match &headline.sentences[..] {
            [only] => paragraph("why", only),
            several => list("why", several.iter().cloned()),
        },
        notes = list("details", headline.details.iter().cloned()),
        figures = greatest(comparison),
    )
}

/// The greatest changes as a list of terms.
fn greatest(comparison: &RunComparison) -> String {
    let all = found(comparison);
    let several = comparison.runs.len() > 2;
    let worse = all.iter().filter(|found| found.difference.finding == Finding::Worse);
    let better = all.iter().filter(|found| found.difference.finding == Finding::Better);
    let shown = worse.take(MOST_WORSE).chain(better.take(MOST_BETTER));
    let items: String = shown.map(|found| item(found, several)).collect();
    if items.is_empty() { items } else { format!("<dl class=\"figures\">\n{items}</dl>\n") }
}

fn item(found: &Found<'_>, several: bool) -> String {
    let Found { run, index, column, compared, difference } = found;
    let (class, word) = match difference.finding {
        Finding::Worse => ("worse", "worse"),
        _ => ("better", "better"),
    };
    let run = if several { format!(" in {}", run.label) } else { String::new() };
    let values = [0, *index].map(|run| table_estimate(&compared.values[run]));
    format!(
        "<div><dt>{metric} of {column}{run}</dt><dd><strong class=\"{class}\">{change}</strong> \
         <small>{word}: {from} → {to}</small></dd></div>\n",
        metric = escape(metric_label(compared.metric)),
        column = escape(&column.title),
        run = escape(&run),
        change = escape(&change_text(compared.metric, difference)),
        from = escape(&values[0]),
        to = escape(&values[1]),
    )
}

/// Chosen: a row of a wide screen each, read in five seconds.
const MOST_WORSE: usize = 5;
const MOST_BETTER: usize = 5;
