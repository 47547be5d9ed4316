//! What a run says on a terminal: the verdict first, then the gate's lines, the comparison table,
//! what happened, and what harm was done.
//!
//! The caller says how wide the terminal is and whether it shows colours; what colour says, words
//! and symbols say too.

use comfy_table::{CellAlignment, ColumnConstraint, ContentArrangement, LineStyle, TableStyle};

use super::comparison::{Extras, Grid, MARKS};
use super::facts::facts;
use super::narrative::{Line, Narrative, Sentence, ellipsis};
use super::verdict::{Headline, verdict_word};
use crate::gate::{Judgement, LineResult, Verdict};
use crate::result::ResultFile;
use crate::units::format_duration;

/// How a terminal is written to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Style {
    /// Columns of the terminal; for a pipe or a file a width that everything fits into.
    pub width: usize,
    /// Whether to colour with ANSI escapes.
    pub colour: bool,
    /// Whether the table shows each value's 95 % interval.
    pub intervals: bool,
}

/// What a run says on a terminal, with a newline at the end.
pub fn terminal_report(result: &ResultFile, style: Style) -> String {
    let headline = Headline::of(result);
    let (first, rest) = wrapped_after(&format!("{}  ", headline.word), &headline.title, style);
    let word = style.paint(headline.word, &emphasis(headline.verdict));
    let mut text = first.replacen(headline.word, &word, 1) + &rest;
    for detail in headline.details {
        text.push_str(&wrapped("  ", &detail, style));
    }
    if let Judgement::Judged(judged) = &result.gate {
        section(&mut text, "Gate", style);
        for line in gate_lines(&judged.lines, style) {
            text.push_str(&line);
        }
    }
    section(&mut text, "Comparison", style);
    text.push_str(&comparison(result, style));
    if let Some(endings) = Grid::endings(&result.table) {
        section(&mut text, "How requests ended", style);
        text.push_str(&squeezed(&endings, style.width));
    }
    let narrative = Narrative::of(&result.record, MOST_SENTENCES);
    if !narrative.lines.is_empty() {
        section(&mut text, "Timeline", style);
        text.push_str(&timeline(&narrative, style));
    }
    for fact in facts(result) {
        text.push_str(&format!("\n{}", wrapped("", &fact, style)));
    }
    text
}

impl Style {
    fn paint(self, text: &str, code: &str) -> String {
        if self.colour && !code.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

fn section(text: &mut String, title: &str, style: Style) {
    text.push_str(&format!("\n{}\n", style.paint(title, BOLD)));
}

/// `PASS time_to_rollback <= 90s   75 s`, with the line's place where it does not pass.
fn gate_lines(lines: &[LineResult], style: Style) -> Vec<String> {
    let words = lines.iter().map(|line| verdict_word(line.verdict).len()).max().unwrap_or(0);
    let length = |line: &LineResult| line.text.chars().count();
    let room = |line: &LineResult| {
        style.width.saturating_sub(words + line.evidence.chars().count() + GATE_GAPS)
    };
    // Only lines that have room for their evidence at all make the column that it stands in.
    let fitting = lines.iter().filter(|line| length(line) <= room(line));
    let texts = fitting.map(length).max().unwrap_or(0);
    let mut told = Vec::new();
    for line in lines {
        let word =
            style.paint(&format!("{:words$}", verdict_word(line.verdict)), colour(line.verdict));
        let beside = length(line) <= texts && texts <= room(line);
        let indent = " ".repeat(words + 4);
        if beside {
            told.push(format!("  {word}  {:texts$}   {}\n", line.text, line.evidence));
        } else {
            told.push(format!("  {word}  {}\n", line.text));
            told.push(wrapped(&indent, &line.evidence, style));
        }
        if line.verdict != Verdict::Pass {
            told.push(format!("{indent}{}:{}\n", line.file, line.line));
        }
    }
    told
}

fn comparison(result: &ResultFile, style: Style) -> String {
    let table = &result.table;
    let published = !table.references.is_empty();
    let whole = Grid::comparison(table, Extras { intervals: style.intervals, published });
    let marks = wrapped("  ", MARKS, style);
    if let Some(text) = lay_out(&whole, style.width, false) {
        return if published { text + &marks } else { text };
    }
    // Too narrow: the published figures go into a table of their own.
    let extras = Extras { intervals: style.intervals, published: false };
    let mut text = squeezed(&Grid::comparison(table, extras), style.width);
    if published {
        section(&mut text, "Published figures", style);
        text.push_str(&squeezed(&Grid::published(table), style.width));
        text.push_str(&marks);
    }
    text
}

/// The grid at its natural width, or squeezed into `width` where it has none.
fn squeezed(grid: &Grid, width: usize) -> String {
    lay_out(grid, width, false).or_else(|| lay_out(grid, width, true)).unwrap_or_default()
}

/// The grid as text; `None` where it is wider than `width` and may not be squeezed.
fn lay_out(grid: &Grid, width: usize, squeeze: bool) -> Option<String> {
    let width = width.max(LEAST_WIDTH);
    let mut table = comfy_table::Table::new();
    table.load_style(style_of_tables());
    if squeeze {
        table.set_content_arrangement(ContentArrangement::Dynamic);
        table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    }
    // A value stays with its unit: where a cell must be broken, then before its change or interval.
    let joined = |row: &Vec<String>| -> Vec<String> {
        let (first, others) = row.split_at(1);
        let others = others.iter().map(|cell| {
            let whole = cell.replace(' ', NO_BREAK);
            whole.replace(&[NO_BREAK, "("].concat(), " (").replace(&[NO_BREAK, "["].concat(), " [")
        });
        first.iter().cloned().chain(others).collect()
    };
    table.set_header(&grid.header);
    table.add_rows(grid.rows.iter().map(joined));
    for (index, column) in table.column_iter_mut().enumerate() {
        if index > 0 {
            column.set_cell_alignment(CellAlignment::Right);
        }
        if !squeeze {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    let lines: Vec<String> =
        table.lines().map(|line| format!("{}\n", line.replace(NO_BREAK, " ").trim_end())).collect();
    let fits = lines.iter().all(|line| line.chars().count() <= width + 1);
    (squeeze || fits).then(|| lines.concat())
}

fn style_of_tables() -> TableStyle {
    TableStyle::new().header_separator(LineStyle::new(' ', '─', '─', '─'))
}

fn timeline(narrative: &Narrative, style: Style) -> String {
    let after =
        narrative.sentences().map(|told| after_text(told).chars().count()).max().unwrap_or(0);
    let at = narrative.sentences().map(|told| told.at.to_string().len()).max().unwrap_or(0);
    let line = |told: &Sentence| {
        let times = format!("  {:>after$}  {:at$}  ", after_text(told), told.at.to_string());
        let (first, rest) = wrapped_after(&times, &told.text, style);
        first + &rest
    };
    let told = narrative.lines.iter().map(|told| match told {
        Line::Sentence(sentence) => line(sentence),
        Line::Omitted(omitted) => format!("  {:after$}  {}\n", "", ellipsis(*omitted)),
    });
    told.collect()
}

fn after_text(told: &Sentence) -> String {
    format!("+{}", format_duration(told.after))
}

/// `text` broken at spaces into lines that begin with `indent`.
fn wrapped(indent: &str, text: &str, style: Style) -> String {
    let (first, rest) = wrapped_after(indent, text, style);
    first + &rest
}

/// `text` broken at spaces: its first line after `lead`, the others indented by as much.
fn wrapped_after(lead: &str, text: &str, style: Style) -> (String, String) {
    let indent = lead.chars().count();
    let room = style.width.saturating_sub(indent).max(LEAST_ROOM);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    let rest = lines[1..].iter().map(|line| format!("{}{line}\n", " ".repeat(indent)));
    (format!("{lead}{}\n", lines[0]), rest.collect())
}

fn emphasis(verdict: Option<Verdict>) -> String {
    match verdict {
        Some(verdict) => format!("{BOLD};{}", colour(verdict)),
        None => BOLD.to_owned(),
    }
}

/// The ANSI code of a verdict's colour.
const fn colour(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "32",
        Verdict::Inconclusive => "33",
        Verdict::Fail => "31",
        Verdict::Invalid => "35",
    }
}

/// The blanks in a line of the gate: before the verdict, after it, and before the evidence.
const GATE_GAPS: usize = 2 + 2 + 3;

const BOLD: &str = "1";

const NO_BREAK: &str = "\u{a0}";

/// Chosen: with the table they fit two screens.
const MOST_SENTENCES: usize = 30;

/// Chosen: below it words no longer fit; a terminal so narrow breaks lines itself.
const LEAST_WIDTH: usize = 40;
const LEAST_ROOM: usize = 20;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::example::{assert_snapshot, rolled_back_result, without_gate};

    fn report(result: &ResultFile, width: usize) -> String {
        terminal_report(result, Style { width, colour: false, intervals: false })
    }

    #[test]
    fn a_wide_terminal_shows_published_figures_beside_the_measured() {
        assert_snapshot("terminal_wide", &report(&rolled_back_result(), 140));
    }

    #[test]
    fn a_narrow_terminal_shows_published_figures_apart() {
        assert_snapshot("terminal_narrow", &report(&rolled_back_result(), 80));
    }

    #[test]
    fn intervals_stand_below_their_values() {
        let style = Style { width: 100, colour: false, intervals: true };
        assert_snapshot("terminal_intervals", &terminal_report(&rolled_back_result(), style));
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in [60, 80, 100, 132] {
            for line in report(&rolled_back_result(), width).lines() {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn colours_add_nothing_but_escapes() {
        for result in [rolled_back_result(), without_gate()] {
            let style = Style { width: 100, colour: true, intervals: false };
            let coloured = terminal_report(&result, style);
            assert!(coloured.contains("\u{1b}["));
            let mut plain = coloured;
            for code in ["1", "1;31", "31", "32", "33", "0"] {
                plain = plain.replace(&format!("\u{1b}[{code}m"), "");
            }
            assert_eq!(plain, report(&result, 100));
        }
    }
}
