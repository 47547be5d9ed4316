//! What a sweep found as Markdown, for a pull request or a page.

use super::markdown::{code, escape, figures};
use super::rare_words::{rare_grid, rare_legend, unreliable};
use super::sweep_words::{
    SweepHeadline, cell_label, chances_grid, differences_grid, harm_grid, judged, sweep_legend,
    times_grid, trigger_sentences, variation_sentences,
};
use super::verdict::verdict_word;
use crate::study::SweepReport;

/// What a sweep found as GitHub-flavoured Markdown: the same content as on a terminal.
pub fn sweep_markdown(report: &SweepReport) -> String {
    let SweepHeadline { word, title, sentences, .. } = SweepHeadline::of(report);
    let mut text = format!("## {word}: {}\n", escape(&title));
    text.extend(sentences.iter().map(|told| format!("\n{}\n", escape(told))));
    text.push('\n');
    text.extend(variation_sentences(report).iter().map(|told| format!("- {}\n", escape(told))));
    if report.is_rare() {
        text.push_str(&format!("\n### How often\n\n{}\n", figures(&rare_grid(report))));
        text.extend(unreliable(report).iter().map(|told| format!("- {}\n", escape(told))));
    } else {
        push_counted(&mut text, report);
    }
    for cell in &report.cells {
        let Some(judged) = judged(cell) else { continue };
        text.push_str(&format!("\n### Gate, {}\n\n", escape(&cell_label(report, cell))));
        text.extend(judged.distrust.iter().map(|told| format!("- {}\n", escape(told))));
        text.extend(judged.lines.iter().map(|line| {
            let word = verdict_word(line.verdict);
            format!("- {word} {}: {}\n", code(&line.text), escape(&line.evidence))
        }));
    }
    let legend = if report.is_rare() { rare_legend(report) } else { sweep_legend(report) };
    text.extend(legend.iter().map(|told| format!("\n{}\n", escape(told))));
    text
}

/// What runs come to that are counted.
fn push_counted(text: &mut String, report: &SweepReport) {
    text.push_str(&format!("\n### How often\n\n{}", figures(&chances_grid(report))));
    text.push_str(&format!("\n### How late\n\n{}", figures(&times_grid(report))));
    text.push_str(&format!("\n### Harm\n\n{}", figures(&harm_grid(report))));
    if let Some(grid) = differences_grid(report) {
        text.push_str(&format!("\n### Against the first combination\n\n{}", figures(&grid)));
    }
    let triggers = trigger_sentences(report);
    if !triggers.is_empty() {
        text.push_str("\n### What rolled back first\n\n");
        text.extend(triggers.iter().map(|told| format!("- {}\n", escape(told))));
    }
}
