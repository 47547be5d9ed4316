//! What a run says on a terminal: the verdict first, then the gate's lines, the comparison table,
//! what happened, and what harm was done.
//!
//! The caller says how wide the terminal is and whether it shows colours; what colour says, words
//! and symbols say too.

use super::comparison::{Extras, Grid, MARKS};
use super::facts::facts;
use super::layout::{ascii, columns, left, right, wrapped, wrapped_after};
use super::lockout_text::refused_in_no_column;
use super::narrative::{Line, Narrative, Sentence, ellipsis};
use super::over_time::over_time;
use super::text_table::{fits, text_table};
use super::verdict::{Headline, verdict_word};
use super::visible::one_line;
use crate::gate::{Judgement, LineResult, Verdict};
use crate::result::ResultFile;
use crate::units::format_elapsed;

/// How a terminal is written to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Style {
    /// Columns of the terminal; for a pipe or a file a width that everything fits into.
    pub width: usize,
    /// Whether to colour with ANSI escapes.
    pub colour: bool,
    /// Whether the terminal has letters beyond those of ASCII.
    pub unicode: bool,
    /// Whether the table shows each value's 95 % interval.
    pub intervals: bool,
}

/// What a run says on a terminal, with a newline at the end.
pub fn terminal_report(result: &ResultFile, style: Style) -> String {
    let width = style.width;
    let headline = Headline::of(result);
    let (first, rest) = wrapped_after(&format!("{}  ", headline.word), &headline.title, width);
    let word = style.paint(headline.word, &emphasis(headline.verdict));
    let mut text = first.replacen(headline.word, &word, 1) + &rest;
    for detail in headline.details {
        text.push_str(&wrapped("  ", &detail, width));
    }
    if let Judgement::Judged(judged) = &result.gate
        && !judged.lines.is_empty()
    {
        section(&mut text, "Gate", style);
        for line in gate_lines(&judged.lines, style) {
            text.push_str(&line);
        }
    }
    section(&mut text, "Comparison", style);
    text.push_str(&comparison(result, style));
    let endings = endings(result, style);
    if !endings.is_empty() {
        section(&mut text, "How requests ended", style);
        text.push_str(&endings);
    }
    if let Some(courses) = over_time(&result.record, width) {
        section(&mut text, &courses.title, style);
        text.push_str(&courses.text);
    }
    let narrative = Narrative::of(&result.record, MOST_SENTENCES);
    if !narrative.lines.is_empty() {
        text.push_str(&timeline(&narrative, result, style));
    }
    for fact in facts(result) {
        text.push_str(&format!("\n{}", wrapped("", &fact, width)));
    }
    if style.unicode { text } else { ascii(&text) }
}

impl Style {
    pub(super) fn paint(self, text: &str, code: &str) -> String {
        if self.colour && !code.is_empty() {
            format!("\u{1b}[{code}m{text}\u{1b}[0m")
        } else {
            text.to_owned()
        }
    }
}

pub(super) fn section(text: &mut String, title: &str, style: Style) {
    let title = wrapped("", title, style.width);
    text.push_str(&format!("\n{}\n", style.paint(title.trim_end(), BOLD)));
}

/// `PASS time_to_rollback <= 90s   75 s`, with the line's place where it does not pass.
pub(super) fn gate_lines(lines: &[LineResult], style: Style) -> Vec<String> {
    let words = lines.iter().map(|line| verdict_word(line.verdict).len()).max().unwrap_or(0);
    let shown = lines.iter().map(|line| (one_line(&line.text), one_line(&line.evidence)));
    let shown: Vec<(String, String)> = shown.collect();
    let room = |evidence: &str| style.width.saturating_sub(words + columns(evidence) + GATE_GAPS);
    // Only lines that have room for their evidence at all make the column that it stands in.
    let fitting = shown.iter().filter(|(text, evidence)| columns(text) <= room(evidence));
    let texts = fitting.map(|(text, _)| columns(text)).max().unwrap_or(0);
    let mut told = Vec::new();
    for (line, (text, evidence)) in lines.iter().zip(&shown) {
        let word = verdict_word(line.verdict);
        let lead = format!("  {word:words$}  ");
        let painted = style.paint(&format!("{word:words$}"), colour(line.verdict));
        let beside = columns(text) <= texts && texts <= room(evidence);
        let indent = " ".repeat(words + 4);
        if beside {
            told.push(format!("  {painted}  {}   {}\n", left(text, texts), evidence));
        } else {
            let (first, rest) = wrapped_after(&lead, text, style.width);
            told.push(first.replacen(&lead, &format!("  {painted}  "), 1) + &rest);
            told.push(wrapped(&indent, evidence, style.width));
        }
        if line.verdict != Verdict::Pass {
            // An option has no lines: it was given several times.
            let (file, number) = (one_line(&line.file), line.line);
            let place = match file.starts_with("--") {
                true => format!("{file} number {number}"),
                false => format!("{file}:{number}"),
            };
            told.push(wrapped(&indent, &place, style.width));
        }
    }
    told
}

fn comparison(result: &ResultFile, style: Style) -> String {
    let table = &result.table;
    let published = !table.references.is_empty();
    let whole = Grid::comparison(table, Extras { intervals: style.intervals, published });
    let marks = wrapped("  ", MARKS, style.width);
    if fits(&whole, style.width) {
        let text = text_table(&whole, style.width);
        return if published { text + &marks } else { text };
    }
    // Too narrow: the published figures go into a table of their own.
    let extras = Extras { intervals: style.intervals, published: false };
    let mut text = text_table(&Grid::comparison(table, extras), style.width);
    if published {
        section(&mut text, "Published figures", style);
        text.push_str(&text_table(&Grid::published(table), style.width));
        text.push_str(&marks);
    }
    text
}

/// How requests ended, and how many were refused that no column has; empty where all succeeded.
fn endings(result: &ResultFile, style: Style) -> String {
    let table = Grid::endings(&result.table).map(|grid| text_table(&grid, style.width));
    let refused = refused_in_no_column(&result.record, &result.table);
    let refused = refused.map(|text| wrapped("  ", &text, style.width));
    table.into_iter().chain(refused).collect()
}

/// What happened, with its heading. Where there is little room only how long after the start: when
/// that was is said in the heading.
fn timeline(narrative: &Narrative, result: &ResultFile, style: Style) -> String {
    let width = |text: fn(&Sentence) -> String| {
        narrative.sentences().map(|told| columns(&text(told))).max().unwrap_or(0)
    };
    let (after, at) = (width(after_text), width(|told| told.at.to_string()));
    let is_narrow = style.width < after + at + TIMELINE_GAPS + LEAST_SENTENCE;
    let mut text = String::new();
    match is_narrow {
        true => {
            let title = format!("Timeline from {} on", result.record.start);
            section(&mut text, &title, style);
        }
        false => section(&mut text, "Timeline", style),
    }
    for line in &narrative.lines {
        let told = match line {
            Line::Sentence(told) => told,
            Line::Omitted(omitted) => {
                text.push_str(&format!("  {:after$}  {}\n", "", ellipsis(*omitted)));
                continue;
            }
        };
        let mut lead = format!("  {}  ", right(&after_text(told), after));
        if !is_narrow {
            lead.push_str(&format!("{:at$}  ", told.at.to_string()));
        }
        let (first, rest) = wrapped_after(&lead, &told.text, style.width);
        text.push_str(&(first + &rest));
    }
    text
}

fn after_text(told: &Sentence) -> String {
    format!("+{}", format_elapsed(told.after))
}

pub(super) fn emphasis(verdict: Option<Verdict>) -> String {
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

/// Chosen: with the table they fit two screens.
const MOST_SENTENCES: usize = 30;

/// The blanks in a line of the timeline: before the two times, and after each.
const TIMELINE_GAPS: usize = 2 + 2 + 2;

/// Chosen: sentences in narrower columns are hard to read.
const LEAST_SENTENCE: usize = 40;

#[cfg(test)]
mod tests {
    use super::super::markdown::markdown_summary;
    use super::*;
    use crate::result::example::{
        assert_snapshot, crowded_result, eventful, rolled_back_result, without_gate,
    };

    fn style(width: usize) -> Style {
        Style { width, colour: false, unicode: true, intervals: false }
    }

    fn report(result: &ResultFile, width: usize) -> String {
        terminal_report(result, style(width))
    }

    #[test]
    fn a_terminal_of_60_columns_gets_tables_below_each_other() {
        assert_snapshot("terminal_60", &report(&rolled_back_result(), 60));
        assert_snapshot("terminal_60_crowded", &report(&crowded_result(), 60));
    }

    #[test]
    fn a_terminal_of_100_columns_gets_published_figures_apart() {
        assert_snapshot("terminal_100", &report(&rolled_back_result(), 100));
        assert_snapshot("terminal_100_crowded", &report(&crowded_result(), 100));
    }

    #[test]
    fn a_terminal_of_200_columns_gets_published_figures_beside_the_measured() {
        assert_snapshot("terminal_200", &report(&rolled_back_result(), 200));
        assert_snapshot("terminal_200_crowded", &report(&crowded_result(), 200));
    }

    #[test]
    fn intervals_stand_below_their_values() {
        let style = Style { intervals: true, ..style(100) };
        assert_snapshot("terminal_intervals", &terminal_report(&rolled_back_result(), style));
    }

    #[test]
    fn a_terminal_of_plain_letters_gets_no_others() {
        let style = Style { unicode: false, ..style(100) };
        let plain = terminal_report(&crowded_result(), style);
        assert!(plain.is_ascii());
        assert_snapshot("terminal_ascii", &terminal_report(&rolled_back_result(), style));
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let eventful = ResultFile { record: eventful(), ..without_gate() };
        for result in [rolled_back_result(), crowded_result(), eventful] {
            for width in 48..=200 {
                for intervals in [false, true] {
                    let style = Style { intervals, ..style(width) };
                    for line in terminal_report(&result, style).lines() {
                        assert!(columns(line) <= width, "{width}: {line}");
                    }
                }
            }
        }
    }

    #[test]
    fn an_untrusted_run_without_gate_has_no_heading_for_one() {
        let mut result = rolled_back_result();
        let Judgement::Judged(judged) = &mut result.gate else { panic!("there is a gate") };
        judged.found = Verdict::Invalid;
        judged.verdict = Verdict::Invalid;
        judged.lines.clear();
        judged.distrust = vec!["the trace ends in the middle of a row".to_owned()];
        let text = report(&result, 100);
        assert!(text.starts_with("INVALID"), "{text}");
        assert!(!text.contains("\nGate\n"), "{text}");
    }

    #[test]
    fn refused_requests_are_told_below_a_table_of_versions() {
        let mut result = rolled_back_result();
        let told = |result: &ResultFile| report(result, 200).contains("  Refused for their key: ");
        assert!(!told(&result));
        result.record = eventful();
        assert!(told(&result));
        assert!(markdown_summary(&result).contains("\nRefused for their key: "));
    }

    #[test]
    fn colours_add_nothing_but_escapes() {
        for result in [rolled_back_result(), without_gate()] {
            let coloured = terminal_report(&result, Style { colour: true, ..style(100) });
            assert!(coloured.contains("\u{1b}["));
            let mut plain = coloured;
            for code in ["1", "1;31", "31", "32", "33", "0"] {
                plain = plain.replace(&format!("\u{1b}[{code}m"), "");
            }
            assert_eq!(plain, report(&result, 100));
        }
    }
}
