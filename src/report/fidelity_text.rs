//! What is said on a terminal of how well a live run agrees with the simulated one: the verdict
//! first, then what the harness added, the rollbacks, and a table for each version in each phase.

use super::fidelity_words::{
    ErrorForm, FidelityHeadline, errors_grid, fidelity_legend, overheads_grid, place,
    requests_text, rollback_text,
};
use super::layout::{ascii, wrapped, wrapped_after};
use super::run_comparison::about;
use super::terminal::{Style, section};
use super::text_table::{fits, text_table};
use crate::fidelity::{Fidelity, Finding};

/// What is said on a terminal, with a newline at the end.
pub fn fidelity_text(fidelity: &Fidelity, style: Style) -> String {
    let headline = FidelityHeadline::of(fidelity);
    let (first, rest) =
        wrapped_after(&format!("{}  ", headline.word), &headline.found, style.width);
    let word = style.paint(headline.word, emphasis(fidelity.verdict));
    let mut text = first.replacen(headline.word, &word, 1) + &rest;
    for detail in headline.details {
        let (first, rest) = wrapped_after("  ", &detail, style.width);
        text.push_str(&(first + &rest));
    }
    section(&mut text, "Runs", style);
    for (lead, run) in [("  simulated  ", &fidelity.simulated), ("  live       ", &fidelity.live)] {
        let (first, rest) = wrapped_after(lead, &run.label, style.width);
        text.push_str(&(first + &rest));
        text.push_str(&wrapped(&" ".repeat(lead.len()), &about(run).join(", "), style.width));
    }
    if !fidelity.overheads.is_empty() {
        section(&mut text, "What the harness added", style);
        text.push_str(&text_table(&overheads_grid(fidelity), style.width));
    }
    if !fidelity.rollbacks.is_empty() {
        section(&mut text, "Rollbacks", style);
        for rollback in &fidelity.rollbacks {
            let (first, rest) = wrapped_after("  ", &rollback_text(rollback), style.width);
            text.push_str(&(first + &rest));
        }
    }
    let form = form(fidelity, style.width);
    for version in &fidelity.versions {
        let title = format!("{} ({})", place(fidelity, version), requests_text(version));
        section(&mut text, &title, style);
        text.push_str(&text_table(&errors_grid(fidelity, version, form), style.width));
    }
    text.push_str(&format!("\n{}", wrapped("", &fidelity_legend(fidelity), style.width)));
    for note in &fidelity.notes {
        text.push_str(&format!("\n{}", wrapped("", note, style.width)));
    }
    if style.unicode { text } else { ascii(&text) }
}

/// Intervals stand beside their errors where every table has room for that.
fn form(fidelity: &Fidelity, width: usize) -> ErrorForm {
    let mut versions = fidelity.versions.iter();
    match versions.all(|version| fits(&errors_grid(fidelity, version, ErrorForm::Wide), width)) {
        true => ErrorForm::Wide,
        false => ErrorForm::Compact,
    }
}

/// The ANSI code of a verdict.
const fn emphasis(verdict: Finding) -> &'static str {
    match verdict {
        Finding::Beyond => "1;31",
        Finding::Within => "1;32",
        Finding::Undecided | Finding::Unjudged => "1",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fidelity::example::{slower, small, with_overheads};
    use crate::result::example::assert_snapshot;

    fn text(fidelity: &Fidelity, width: usize) -> String {
        fidelity_text(fidelity, Style { width, colour: false, unicode: true, intervals: false })
    }

    #[test]
    fn a_terminal_of_140_columns_has_intervals_beside_their_errors() {
        assert_snapshot("fidelity_140", &text(&with_overheads(10.0), 140));
    }

    #[test]
    fn a_terminal_of_60_columns_has_intervals_below_their_errors() {
        assert_snapshot("fidelity_60", &text(&slower(), 60));
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for fidelity in [slower(), small(), with_overheads(60.0)] {
            for width in [60, 80, 100, 200] {
                for line in text(&fidelity, width).lines() {
                    assert!(line.chars().count() <= width, "{width}: {line}");
                }
            }
        }
    }

    #[test]
    fn colours_add_nothing_but_escapes() {
        let style = Style { width: 100, colour: true, unicode: true, intervals: false };
        let mut plain = fidelity_text(&slower(), style);
        assert!(plain.starts_with("\u{1b}[1;31mBEYOND"));
        for code in ["1;31", "1", "0"] {
            plain = plain.replace(&format!("\u{1b}[{code}m"), "");
        }
        assert_eq!(plain, text(&slower(), 100));
    }
}
