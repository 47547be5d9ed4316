//! What a search for rules found as Markdown, for a pull request or a page.

use super::markdown::{escape, figures};
use super::tune_words::{
    TuneHeadline, combination_label, faults_grid, normal_sentence, rounds_sentence, sets_grid,
    shortfall_sentences, shown, tune_legend,
};
use crate::json::outline;
use crate::tune::TuneReport;

/// What a search for rules found as GitHub-flavoured Markdown: the same content as on a terminal.
pub fn tune_markdown(report: &TuneReport) -> String {
    let TuneHeadline { word, title, sentences } = TuneHeadline::of(report);
    let mut text = format!("## {word}: {}\n", escape(&title));
    text.extend(sentences.iter().map(|told| format!("\n{}\n", escape(told))));
    for combination in &report.combinations {
        let tuned = &combination.tuned;
        if !report.variations.is_empty() {
            let label = combination_label(report, combination);
            text.push_str(&format!("\n### {}\n", escape(&label)));
        }
        let sets = figures(&sets_grid(tuned));
        text.push_str(&format!("\n#### False alarms against harm\n\n{sets}"));
        for sentence in [normal_sentence(tuned), rounds_sentence(tuned)] {
            text.push_str(&format!("\n{}\n", escape(&sentence)));
        }
        for (heading, tried) in shown(tuned) {
            let faults = figures(&faults_grid(report, tried));
            text.push_str(&format!("\n#### {}\n\n{faults}", escape(&heading)));
        }
        let mut listed = |heading: &str, told: Vec<String>| {
            if !told.is_empty() {
                text.push_str(&format!("\n#### {heading}\n\n"));
                text.extend(told.iter().map(|told| format!("- {}\n", escape(told))));
            }
        };
        listed("Where the present rules fall short", shortfall_sentences(report, tuned));
        if let Some(best) = tuned.best() {
            listed(&format!("The triggers of {}", best.name), best.triggers.clone());
        }
    }
    if let Some(best) = report.best.and_then(|place| report.combinations[place].tuned.best()) {
        let rules = outline(&best.rules);
        text.push_str(&format!("\n#### The rules\n\n```json\n{}\n```\n", rules.trim_end()));
    }
    text.extend(tune_legend(report).iter().map(|told| format!("\n{}\n", escape(told))));
    text
}
