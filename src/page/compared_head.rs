//! The head of the page of a comparison: what is worse and what is better, in one word, one
//! sentence and the greatest changes.

use super::escape::escape;
use super::markup::{list, paragraph};
use crate::compare::{Finding, RunComparison};
use crate::report::{
    ComparisonHeadline, Found, change_text, compared_label, found, letter, run_names,
    table_estimate,
};

/// The head.
pub(super) fn head(comparison: &RunComparison, headline: &ComparisonHeadline) -> String {
    let (class, symbol) = match headline.finding {
        Finding::Worse => ("fail", "✗"),
        Finding::Better => ("pass", "✓"),
        _ => ("unjudged", "–"),
    };
    format!(
        "<header class=\"verdict {class}\" id=\"verdict\">\n\
         <p class=\"badge\"><span class=\"symbol\" aria-hidden=\"true\">{symbol}</span> \
         <strong>{word}</strong></p>\n\
         <div class=\"headline\">\n<h1><bdi>{title}</bdi></h1>\n{why}{notes}</div>\n\
         {figures}</header>\n",
        word = escape(headline.word),
        title = escape(&title(comparison)),
        why = paragraph("why", &sentence(&headline.found)),
        notes = list("details", headline.details.iter().map(|told| sentence(told))),
        figures = greatest(comparison),
    )
}

/// What is held against what.
pub(super) fn title(comparison: &RunComparison) -> String {
    let names = run_names(comparison);
    let others = match &names[1..] {
        [only] => only.clone(),
        several => format!("{} runs", several.len()),
    };
    format!("{others} against {}", names[0])
}

/// A phrase as a sentence.
fn sentence(phrase: &str) -> String {
    let mut letters = phrase.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    format!("{}{}.", first.unwrap_or_default(), letters.as_str())
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
    let Found { index, column, compared, difference, .. } = found;
    let (class, word) = match difference.finding {
        Finding::Worse => ("worse", "worse"),
        _ => ("better", "better"),
    };
    let run = if several { format!(" in {}", letter(*index)) } else { String::new() };
    let values = [0, *index].map(|run| table_estimate(&compared.values[run]));
    format!(
        "<div><dt>{metric} of {column}{run}</dt><dd><strong class=\"{class}\">{change}</strong> \
         <small>{word}: {from} → {to}</small></dd></div>\n",
        metric = escape(&compared_label(compared)),
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
