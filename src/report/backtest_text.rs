//! What a backtest says on a terminal: whether the replay is what happened, what was recorded, what
//! each rule set would have done and on what evidence, and what became of what was required.

use super::backtest_words::{
    Head, firings, legend, notes, rules_grid, split_sentences, versions_grid,
};
use super::layout::{ascii, wrapped, wrapped_after};
use super::terminal::{Style, emphasis, gate_lines, section};
use super::text_table::text_table;
use crate::backtest::BacktestReport;
use crate::gate::Judgement;

/// What a backtest says on a terminal, with a newline at the end.
pub fn backtest_text(report: &BacktestReport, style: Style) -> String {
    let Head { word, verdict, title, sentences } = Head::of(report);
    let (first, rest) = wrapped_after(&format!("{word}  "), &title, style.width);
    let painted = style.paint(word, &emphasis(Some(verdict)));
    let mut text = first.replacen(word, &painted, 1) + &rest;
    for sentence in sentences {
        text.push_str(&wrapped("  ", &sentence, style.width));
    }
    section(&mut text, "Recording", style);
    text.push_str(&text_table(&versions_grid(report), style.width));
    for sentence in split_sentences(report) {
        text.push_str(&wrapped("  ", &sentence, style.width));
    }
    section(&mut text, "Rule sets", style);
    text.push_str(&text_table(&rules_grid(report), style.width));
    section(&mut text, "Evidence", style);
    for (name, lines) in firings(report) {
        text.push_str(&wrapped("  ", &name, style.width));
        for line in lines {
            text.push_str(&wrapped("    ", &line, style.width));
        }
    }
    for candidate in &report.candidates {
        if let Some(Judgement::Judged(judged)) = &candidate.judgement {
            section(&mut text, &format!("Required of {}", candidate.rules), style);
            text.extend(gate_lines(&judged.lines, style));
        }
    }
    text.push_str(&format!("\n{}", wrapped("", &legend(report), style.width)));
    for note in notes(report) {
        text.push_str(&format!("\n{}", wrapped("", &note, style.width)));
    }
    if style.unicode { text } else { ascii(&text) }
}
