//! The head of the page: what came of the run, in one word and one sentence, and what it is to be
//! believed by.

use super::escape::escape;
use super::key_figures::key_figures;
use super::markup::list;
use crate::gate::{Judged, Judgement, LineResult, Verdict};
use crate::report::Headline;
use crate::result::ResultFile;
use crate::units::format_counted;

/// The verdict, why, and the figures that matter most.
pub(super) fn verdict_section(result: &ResultFile) -> String {
    let headline = Headline::of(result);
    let scenario = &result.scenario;
    let title = match scenario.title.is_empty() {
        true => String::new(),
        false => format!("<p class=\"subtitle\"><bdi>{}</bdi></p>\n", escape(&scenario.title)),
    };
    format!(
        "<header class=\"verdict {class}\" id=\"verdict\">\n\
         <p class=\"badge\"><span class=\"symbol\" aria-hidden=\"true\">{symbol}</span> \
         <strong>{word}</strong></p>\n\
         <div class=\"headline\">\n<h1><bdi>{name}</bdi></h1>\n{title}\
         <p class=\"why\">{why}</p>\n{details}</div>\n{figures}</header>\n",
        class = verdict_class(headline.verdict),
        symbol = verdict_symbol(headline.verdict),
        word = headline.word,
        name = escape(&scenario.name),
        why = why(&result.gate),
        details = list("details", further(&headline, &result.gate)),
        figures = key_figures(result),
    )
}

/// What else the headline says, beside the counts of the gate's lines, which `why` tells.
fn further(headline: &Headline, gate: &Judgement) -> impl Iterator<Item = String> {
    let told = match gate {
        Judgement::NothingToEvaluate => 1,
        Judgement::Judged(judged) => usize::from(!judged.lines.is_empty()),
    };
    headline.details.iter().skip(told).cloned()
}

/// Why the verdict is what it is, in a sentence of markup.
fn why(gate: &Judgement) -> String {
    let judged = match gate {
        Judgement::NothingToEvaluate => {
            return "The scenario states no gate: nothing was judged.".to_owned();
        }
        Judgement::Judged(judged) => judged,
    };
    let sentence = match judged.found {
        Verdict::Pass => match judged.lines.len() {
            1 => "The one line of the gate holds.".to_owned(),
            lines => format!("All {lines} lines of the gate hold."),
        },
        Verdict::Fail => of_lines(judged, Verdict::Fail, ("does not hold", "do not hold")),
        Verdict::Inconclusive => {
            let words = ("cannot be decided by so few data", "cannot be decided by so few data");
            of_lines(judged, Verdict::Inconclusive, words)
        }
        Verdict::Invalid => "The run cannot be trusted, whatever its gate says.".to_owned(),
    };
    match judged.expected {
        Some(expected) if expected == judged.found => {
            format!("{sentence} That is what the scenario expects.")
        }
        Some(expected) => format!("{sentence} The scenario expects it to be {expected}."),
        None => sentence,
    }
}

/// How many lines have this verdict, and the first of them with what was measured.
fn of_lines(judged: &Judged, verdict: Verdict, (one, many): (&str, &str)) -> String {
    let lines: Vec<&LineResult> =
        judged.lines.iter().filter(|line| line.verdict == verdict).collect();
    let words = if lines.len() == 1 { one } else { many };
    let all = format_counted(judged.lines.len() as u64, "line", "lines");
    let first = lines.first().map(|line| {
        let more = if lines.len() == 1 { "" } else { ", first of them" };
        format!("{more}: <code>{}</code>, measured {}", escape(&line.text), escape(&line.evidence))
    });
    let first = first.unwrap_or_default();
    if judged.lines.len() == 1 {
        return format!("The one line of the gate {one}{first}.");
    }
    format!("{} of {all} of the gate {words}{first}.", lines.len())
}

/// The name of a verdict's look.
pub(super) const fn verdict_class(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Pass) => "pass",
        Some(Verdict::Inconclusive) => "inconclusive",
        Some(Verdict::Fail) => "fail",
        Some(Verdict::Invalid) => "invalid",
        None => "unjudged",
    }
}

/// A verdict without colour.
pub(super) const fn verdict_symbol(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Pass) => "✓",
        Some(Verdict::Inconclusive) => "?",
        Some(Verdict::Fail) => "✗",
        Some(Verdict::Invalid) => "!",
        None => "–",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::example::{rolled_back_result, without_gate};

    #[test]
    fn the_sentence_names_the_first_line_that_does_not_hold() {
        assert_eq!(
            why(&rolled_back_result().gate),
            "1 of 3 lines of the gate does not hold: <code>blast_radius.failed &lt; 5</code>, \
             measured 6."
        );
        assert!(why(&without_gate().gate).contains("no gate"));
    }

    #[test]
    fn an_expected_verdict_is_told_beside_the_one_found() {
        let mut result = rolled_back_result();
        let Judgement::Judged(judged) = &mut result.gate else { panic!("there is a gate") };
        judged.expected = Some(Verdict::Fail);
        assert!(why(&result.gate).ends_with("measured 6. That is what the scenario expects."));
        let Judgement::Judged(judged) = &mut result.gate else { panic!("there is a gate") };
        judged.expected = Some(Verdict::Inconclusive);
        assert!(why(&result.gate).ends_with("The scenario expects it to be inconclusive."));
    }

    #[test]
    fn a_verdict_is_told_by_word_and_symbol() {
        let section = verdict_section(&rolled_back_result());
        assert!(section.contains("class=\"verdict fail\""), "{section}");
        assert!(section.contains("✗</span> <strong>FAIL</strong>"), "{section}");
    }
}
