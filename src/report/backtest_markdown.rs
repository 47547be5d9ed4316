//! What a backtest found as Markdown, for a pull request or the page of an incident.

use super::backtest_words::{
    Head, firings, legend, notes, rules_grid, split_sentences, versions_grid,
};
use super::markdown::{code, escape, figures};
use super::verdict::verdict_word;
use crate::backtest::BacktestReport;
use crate::gate::Judgement;

/// What a backtest found as GitHub-flavoured Markdown: the same content as on a terminal.
pub fn backtest_markdown(report: &BacktestReport) -> String {
    let Head { word, title, sentences, .. } = Head::of(report);
    let mut text = format!("## {word}: {}\n", escape(&title));
    for sentence in sentences {
        text.push_str(&format!("\n{}\n", escape(&sentence)));
    }
    text.push_str(&format!("\n### Recording\n\n{}\n", figures(&versions_grid(report))));
    text.extend(split_sentences(report).iter().map(|told| format!("- {}\n", escape(told))));
    text.push_str(&format!("\n### Rule sets\n\n{}", figures(&rules_grid(report))));
    text.push_str("\n### Evidence\n");
    for (name, lines) in firings(report) {
        text.push_str(&format!("\n{}\n\n", escape(&name)));
        text.extend(lines.iter().map(|line| format!("- {}\n", escape(line))));
    }
    for candidate in &report.candidates {
        let Some(Judgement::Judged(judged)) = &candidate.judgement else { continue };
        text.push_str(&format!("\n### Required of {}\n\n", escape(&candidate.rules)));
        text.extend(judged.lines.iter().map(|line| {
            let word = verdict_word(line.verdict);
            format!("- {word} {}: {}\n", code(&line.text), escape(&line.evidence))
        }));
    }
    for sentence in [legend(report)].iter().chain(&notes(report)) {
        text.push_str(&format!("\n{}\n", escape(sentence)));
    }
    text
}
