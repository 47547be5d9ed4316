//! What a search for rules says on a terminal.

use super::layout::{ascii, wrapped, wrapped_after};
use super::terminal::{Style, emphasis, section};
use super::text_table::text_table;
use super::tune_words::{
    TuneHeadline, combination_label, faults_grid, normal_sentence, rounds_sentence, sets_grid,
    shortfall_sentences, shown, tune_legend,
};
use crate::gate::Verdict;
use crate::json::outline;
use crate::tune::{TuneReport, Tuned};

/// What a search for rules says on a terminal, with a newline at the end.
pub fn tune_text(report: &TuneReport, style: Style) -> String {
    let TuneHeadline { word, title, sentences } = TuneHeadline::of(report);
    let verdict = if report.best.is_some() { Verdict::Pass } else { Verdict::Inconclusive };
    let (first, rest) = wrapped_after(&format!("{word}  "), &title, style.width);
    let painted = style.paint(word, &emphasis(Some(verdict)));
    let mut text = first.replacen(word, &painted, 1) + &rest;
    text.extend(sentences.iter().map(|told| wrapped("  ", told, style.width)));
    for combination in &report.combinations {
        if !report.variations.is_empty() {
            section(&mut text, &combination_label(report, combination), style);
        }
        text.push_str(&one(report, &combination.tuned, style));
    }
    if let Some(best) = report.best.and_then(|place| report.combinations[place].tuned.best()) {
        section(&mut text, "The rules, but for whom they notify", style);
        // Not wrapped: it is to be copied.
        text.push_str(&outline(&best.rules));
    }
    for sentence in tune_legend(report) {
        text.push_str(&format!("\n{}", wrapped("", &sentence, style.width)));
    }
    if style.unicode { text } else { ascii(&text) }
}

fn one(report: &TuneReport, tuned: &Tuned, style: Style) -> String {
    let mut text = String::new();
    section(&mut text, "False alarms against harm", style);
    text.push_str(&text_table(&sets_grid(tuned), style.width));
    for sentence in [normal_sentence(tuned), rounds_sentence(tuned)] {
        text.push_str(&wrapped("", &sentence, style.width));
    }
    for (heading, tried) in shown(tuned) {
        section(&mut text, &heading, style);
        text.push_str(&text_table(&faults_grid(report, tried), style.width));
    }
    let short = shortfall_sentences(report, tuned);
    if !short.is_empty() {
        section(&mut text, "Where the present rules fall short", style);
        text.extend(short.iter().map(|told| wrapped("  ", told, style.width)));
    }
    if let Some(best) = tuned.best() {
        section(&mut text, &format!("The triggers of {}", best.name), style);
        text.extend(best.triggers.iter().map(|told| wrapped("  ", told, style.width)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::{tune_charts, tune_markdown};
    use crate::tune::example::report;
    use crate::tune::{Alarms, FailedCheck};

    #[test]
    fn text_and_markdown_name_the_sets_that_checks_disproved() {
        let mut report = report();
        let triggers = vec!["errors".to_owned(), "slow".to_owned()];
        let alarms = Alarms { hits: 3, n: 58, upper: 0.13, confidence: 0.983 };
        report.combinations[0].tuned.failed = vec![FailedCheck { triggers, alarms }];
        let style = Style { width: 100, colour: false, unicode: true, intervals: true };
        for told in [tune_text(&report, style), tune_markdown(&report)] {
            let flat = told.split_whitespace().collect::<Vec<_>>().join(" ");
            let part = "A check disproved errors with slow: 3 of 58, at most 13.00 %.";
            assert!(flat.contains(part), "{told}");
        }
    }

    #[test]
    fn text_and_markdown_say_how_many_runs_the_checks_made() {
        let mut report = report();
        report.combinations[0].tuned.checks = 2;
        let style = Style { width: 100, colour: false, unicode: true, intervals: true };
        for told in [tune_text(&report, style), tune_markdown(&report)] {
            let flat = told.split_whitespace().collect::<Vec<_>>().join(" ");
            // With one alarm among them 58 prove 10 % at 98.3 %: 0.9^n + 0.1 n 0.9^(n-1) <= 1/60.
            let part = "Then 2 checks of 58 runs of the healthy release each; and with the last of \
                        them 8 runs of each fault with the rules in force.";
            assert!(flat.contains(part), "{told}");
        }
    }

    #[test]
    fn the_frontier_says_of_the_left_edge_only_where_something_lies_there() {
        let note = "at the left edge: never seen";
        let drawn = |hits| {
            let mut report = report();
            let tuned = &mut report.combinations[0].tuned;
            let all = tuned.present.iter_mut().chain(&mut tuned.tried);
            all.for_each(|tried| tried.alarms = Alarms { hits, ..tried.alarms });
            tune_charts(&report).remove(0).canvas
        };
        assert!(drawn(0).svg().contains(note));
        assert!(!drawn(1).svg().contains(note));
        assert!(drawn(1).alternative().contains(" present: rolled back falsely 1 of "));
    }

    #[test]
    fn text_and_markdown_say_what_was_found_and_why_the_present_rules_fall_short() {
        let report = report();
        let style = Style { width: 100, colour: false, unicode: true, intervals: true };
        for told in [tune_text(&report, style), tune_markdown(&report)] {
            let flat = told.split_whitespace().collect::<Vec<_>>().join(" ");
            for part in [
                "FOUND",
                "rules for m against 4 faults, at most 10",
                "recommended: ",
                "the faults that the search has not seen",
                "no comparison ever held",
                "\"action\": \"rollback_to_last_stable\"",
                "more errors °",
            ] {
                assert!(flat.contains(part), "{part}: {told}");
            }
        }
        let narrow = Style { width: 60, colour: false, unicode: false, intervals: true };
        assert!(tune_text(&report, narrow).is_ascii());
        let charts = tune_charts(&report);
        let svg = charts[0].canvas.svg();
        assert!(svg.contains("present") && !svg.contains("NaN"), "{svg}");
    }
}
