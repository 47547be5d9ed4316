//! What a sweep says on a terminal.

use super::layout::{ascii, wrapped, wrapped_after};
use super::rare_words::{rare_grid, rare_legend, unreliable};
use super::sweep_words::{
    SweepHeadline, cell_label, chances_grid, differences_grid, harm_grid, judged, sweep_legend,
    times_grid, trigger_sentences, variation_sentences,
};
use super::terminal::{Style, emphasis, gate_lines, section};
use super::text_table::text_table;
use crate::study::SweepReport;

/// What a sweep says on a terminal, with a newline at the end.
pub fn sweep_text(report: &SweepReport, style: Style) -> String {
    let SweepHeadline { word, verdict, title, sentences } = SweepHeadline::of(report);
    let (first, rest) = wrapped_after(&format!("{word}  "), &title, style.width);
    let painted = style.paint(word, &emphasis(verdict));
    let mut text = first.replacen(word, &painted, 1) + &rest;
    for sentence in sentences.iter().chain(&variation_sentences(report)) {
        text.push_str(&wrapped("  ", sentence, style.width));
    }
    if report.is_rare() {
        push_rare(&mut text, report, style);
    } else {
        push_counted(&mut text, report, style);
    }
    for cell in &report.cells {
        if let Some(judged) = judged(cell) {
            section(&mut text, &format!("Gate, {}", cell_label(report, cell)), style);
            text.extend(judged.distrust.iter().map(|told| wrapped("  ", told, style.width)));
            text.extend(gate_lines(&judged.lines, style));
        }
    }
    let legend = if report.is_rare() { rare_legend(report) } else { sweep_legend(report) };
    for sentence in legend {
        text.push_str(&format!("\n{}", wrapped("", &sentence, style.width)));
    }
    if style.unicode { text } else { ascii(&text) }
}

/// What runs come to that are counted.
fn push_counted(text: &mut String, report: &SweepReport, style: Style) {
    section(text, "How often", style);
    text.push_str(&text_table(&chances_grid(report), style.width));
    section(text, "How late", style);
    text.push_str(&text_table(&times_grid(report), style.width));
    section(text, "Harm", style);
    text.push_str(&text_table(&harm_grid(report), style.width));
    if let Some(grid) = differences_grid(report) {
        section(text, "Against the first combination", style);
        text.push_str(&text_table(&grid, style.width));
    }
    let triggers = trigger_sentences(report);
    if !triggers.is_empty() {
        section(text, "What rolled back first", style);
        text.extend(triggers.iter().map(|told| wrapped("  ", told, style.width)));
    }
}

/// What runs come to that are weighted.
fn push_rare(text: &mut String, report: &SweepReport, style: Style) {
    section(text, "How often", style);
    text.push_str(&text_table(&rare_grid(report), style.width));
    text.extend(unreliable(report).iter().map(|told| wrapped("  ", told, style.width)));
}
