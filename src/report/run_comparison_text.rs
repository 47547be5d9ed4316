//! What the comparison of several runs says on a terminal: what was found first, then the runs, in
//! what their scenarios differ, and a table for each column.

use super::comparison_headline::ComparisonHeadline;
use super::layout::{ascii, wrapped, wrapped_after};
use super::run_comparison::{
    Form, about, differing, figures_grid, legend, letter, metrics_grid, missing,
};
use super::terminal::{Style, section};
use super::text_table::{fits, text_table};
use crate::compare::{Finding, RunComparison};

/// What a comparison says on a terminal, with a newline at the end.
pub fn comparison_report(comparison: &RunComparison, style: Style) -> String {
    let headline = ComparisonHeadline::of(comparison);
    let (first, rest) =
        wrapped_after(&format!("{}  ", headline.word), &headline.found, style.width);
    let word = style.paint(headline.word, emphasis(headline.finding));
    let mut text = first.replacen(headline.word, &word, 1) + &rest;
    for detail in headline.details {
        text.push_str(&wrapped("  ", &detail, style.width));
    }
    section(&mut text, "Runs", style);
    for (index, run) in comparison.runs.iter().enumerate() {
        let (first, rest) =
            wrapped_after(&format!("  {}  ", letter(index)), &run.label, style.width);
        text.push_str(&(first + &rest));
        text.push_str(&wrapped("     ", &about(run).join(", "), style.width));
    }
    let differing = differing(comparison);
    if !differing.is_empty() {
        section(&mut text, "What differs", style);
        for line in differing {
            let (first, rest) = wrapped_after("  ", &line, style.width);
            text.push_str(&(first + &rest));
        }
    }
    let form = form(comparison, style.width);
    for column in &comparison.columns {
        section(&mut text, &column.title, style);
        let missing = missing(comparison, column);
        if let Some(missing) = &missing {
            text.push_str(&wrapped("  ", missing, style.width));
        }
        let grid = metrics_grid(comparison, &column.metrics, form);
        if !grid.rows.is_empty() {
            text.push_str(&text_table(&grid, style.width));
        } else if missing.is_none() {
            text.push_str(&wrapped("  ", "no data", style.width));
        }
    }
    if !comparison.figures.is_empty() {
        section(&mut text, "Whole runs (exact: one run each, nothing is tested)", style);
        text.push_str(&text_table(&figures_grid(comparison), style.width));
    }
    text.push_str(&format!("\n{}", wrapped("", &legend(comparison), style.width)));
    for note in &comparison.notes {
        text.push_str(&format!("\n{}", wrapped("", note, style.width)));
    }
    if style.unicode { text } else { ascii(&text) }
}

/// The first form in which every column's table has room.
fn form(comparison: &RunComparison, width: usize) -> Form {
    let fits = |form: &Form| {
        comparison
            .columns
            .iter()
            .all(|column| fits(&metrics_grid(comparison, &column.metrics, *form), width))
    };
    [Form::Full, Form::Wide].into_iter().find(fits).unwrap_or(Form::Compact)
}

/// The ANSI code of a finding at the head.
const fn emphasis(finding: Finding) -> &'static str {
    match finding {
        Finding::Worse => "1;31",
        Finding::Better => "1;32",
        _ => "1",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::example::{eight_runs, slower_comparison};
    use crate::result::example::assert_snapshot;

    fn report(comparison: &RunComparison, width: usize) -> String {
        comparison_report(
            comparison,
            Style { width, colour: false, unicode: true, intervals: false },
        )
    }

    #[test]
    fn a_terminal_of_200_columns_has_room_for_all() {
        assert_snapshot("comparison_200", &report(&slower_comparison(), 200));
    }

    #[test]
    fn a_terminal_of_100_columns_has_room_for_all() {
        assert_snapshot("comparison_100", &report(&slower_comparison(), 100));
    }

    #[test]
    fn a_terminal_of_60_columns_has_intervals_below_their_values() {
        assert_snapshot("comparison_60", &report(&slower_comparison(), 60));
    }

    #[test]
    fn eight_runs_have_a_row_each() {
        assert_snapshot("comparison_eight_runs", &report(&eight_runs(), 120));
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for comparison in [slower_comparison(), eight_runs()] {
            for width in [60, 80, 100, 132, 200] {
                for line in report(&comparison, width).lines() {
                    assert!(line.chars().count() <= width, "{width}: {line}");
                }
            }
        }
    }

    #[test]
    fn colours_add_nothing_but_escapes() {
        let comparison = slower_comparison();
        let style = Style { width: 100, colour: true, unicode: true, intervals: false };
        let mut plain = comparison_report(&comparison, style);
        assert!(plain.contains("\u{1b}[1;31mWORSE"));
        for code in ["1;31", "1", "0"] {
            plain = plain.replace(&format!("\u{1b}[{code}m"), "");
        }
        assert_eq!(plain, report(&comparison, 100));
    }
}
