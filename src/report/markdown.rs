//! The summary of a run as Markdown, for a pull request or a CI job's page.

use super::comparison::{Extras, Grid, MARKS};
use super::facts::facts;
use super::lockout_text::refused_in_no_column;
use super::narrative::{Line, Narrative, Sentence, ellipsis};
use super::over_time::over_time;
use super::verdict::{Headline, verdict_word};
use super::visible::{one_line, plain_lines, visible};
use crate::gate::{Judgement, LineResult, Verdict};
use crate::result::ResultFile;
use crate::units::format_elapsed;

/// The summary of a run as GitHub-flavoured Markdown: the same content as on a terminal, the
/// published figures and intervals included, and how to tell one result from another.
pub fn markdown_summary(result: &ResultFile) -> String {
    let headline = Headline::of(result);
    let mut text = format!("## {}: {}\n", headline.word, escape(&headline.title));
    for detail in &headline.details {
        text.push_str(&format!("\n{}\n", escape(detail)));
    }
    if let Judgement::Judged(judged) = &result.gate
        && !judged.lines.is_empty()
    {
        text.push_str("\n### Gate\n\n");
        text.push_str(&gate_table(&judged.lines));
    }
    text.push_str("\n### Comparison\n\n");
    let published = !result.table.references.is_empty();
    let grid = Grid::comparison(&result.table, Extras { intervals: true, published });
    text.push_str(&figures(&grid));
    if published {
        text.push_str(&format!("\n{MARKS}\n"));
    }
    let endings = Grid::endings(&result.table).map(|grid| figures(&grid));
    let refused = refused_in_no_column(&result.record, &result.table);
    let endings: Vec<_> =
        endings.into_iter().chain(refused.map(|text| escape(&text) + "\n")).collect();
    if !endings.is_empty() {
        text.push_str(&format!("\n### How requests ended\n\n{}", endings.join("\n")));
    }
    if let Some(courses) = over_time(&result.record, COURSES_WIDTH) {
        text.push_str(&format!("\n### {}\n\n```text\n{}```\n", courses.title, courses.text));
    }
    let narrative = Narrative::of(&result.record, MOST_SENTENCES);
    if !narrative.lines.is_empty() {
        text.push_str("\n### Timeline\n\n");
        text.push_str(&timeline(&narrative));
    }
    for fact in facts(result) {
        text.push_str(&format!("\n{}\n", escape(&fact)));
    }
    text + "\n" + &provenance(result)
}

/// The lines of a gate; where those stand that did not pass, if there are any.
pub(super) fn gate_table(lines: &[LineResult]) -> String {
    table(&gate(lines), |_| Align::Left)
}

fn gate(lines: &[LineResult]) -> Grid {
    let places = lines.iter().any(|line| line.verdict != Verdict::Pass);
    let row = |line: &LineResult| {
        let place = match line.verdict {
            Verdict::Pass => String::new(),
            _ => format!("{}:{}", code(&line.file), line.line),
        };
        let word = verdict_word(line.verdict).to_owned();
        let cells = [word, code(&line.text), escape(&line.evidence)];
        cells.into_iter().chain(places.then_some(place)).collect()
    };
    let header = ["Verdict", "Line", "Measured"].into_iter().chain(places.then_some("Place"));
    let header = header.map(str::to_owned).collect();
    Grid { header, rows: lines.iter().map(row).collect(), names: None }
}

fn timeline(narrative: &Narrative) -> String {
    let row = |told: &Sentence| {
        vec![format!("+{}", format_elapsed(told.after)), told.at.to_string(), escape(&told.text)]
    };
    let header = ["After", "At", "What"].map(str::to_owned).to_vec();
    let rows = narrative.lines.iter().map(|line| match line {
        Line::Sentence(told) => row(told),
        Line::Omitted(omitted) => vec![String::new(), String::new(), ellipsis(*omitted)],
    });
    let rows = rows.collect();
    table(
        &Grid { header, rows, names: None },
        |index| if index == 0 { Align::Right } else { Align::Left },
    )
}

fn provenance(result: &ResultFile) -> String {
    let scenario = &result.scenario;
    let digest = |text: &str| text.chars().take(SHOWN_DIGITS).collect::<String>();
    let mut parts =
        vec![format!("coalmine {}", result.coalmine), format!("seed {}", scenario.seed)];
    for file in &scenario.files {
        parts.push(format!("{} (SHA-256 {}…)", code(&file.path), digest(&file.sha256)));
    }
    for trace in &result.traces {
        let Some(sha256) = &trace.sha256 else { continue };
        let file = trace.file.as_ref().map_or_else(|| "trace".to_owned(), |file| code(file));
        parts.push(format!("{file} (SHA-256 {}…)", digest(sha256)));
    }
    format!("{}\n", parts.join(" · "))
}

/// At which side of its column a cell stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Align {
    Left,
    Right,
}

/// A table; its cells are Markdown already.
pub(super) fn table(grid: &Grid, side: impl Fn(usize) -> Align) -> String {
    let line = |cells: &[String]| format!("| {} |\n", cells.join(" | "));
    let rule = (0..grid.header.len()).map(|index| match side(index) {
        Align::Left => ":--".to_owned(),
        Align::Right => "--:".to_owned(),
    });
    let mut text = line(&grid.header) + &line(&rule.collect::<Vec<_>>());
    text.extend(grid.rows.iter().map(|row| line(row)));
    text
}

/// A table of figures: its first column names them.
pub(super) fn figures(grid: &Grid) -> String {
    table(&escaped(grid), |index| if index == 0 { Align::Left } else { Align::Right })
}

fn escaped(grid: &Grid) -> Grid {
    let escape_all = |cells: &Vec<String>| cells.iter().map(|cell| escape(cell)).collect();
    let rows = grid.rows.iter().map(escape_all).collect();
    Grid { header: escape_all(&grid.header), rows, names: grid.names }
}

/// Text whose letters mean themselves in Markdown; a line break becomes one of HTML.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for letter in visible(text).chars() {
        match letter {
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '#' | '~' => escaped.extend(['\\', letter]),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '\n' => escaped.push_str("<br>"),
            _ => escaped.push(letter),
        }
    }
    escaped
}

/// Text as code, fit for a cell of a table.
pub(super) fn code(text: &str) -> String {
    // A longer fence lets backticks stand in the text; a bar would end the cell even in code.
    let text = one_line(text).replace('|', "\\|");
    match longest_ticks(&text) {
        0 => format!("`{text}`"),
        ticks => {
            let fence = "`".repeat(ticks + 1);
            format!("{fence} {text} {fence}")
        }
    }
}

/// Text of several lines as it is, between fences that are in no line of it.
pub(super) fn fenced(text: &str) -> String {
    let text = plain_lines(text.trim_end()).join("\n");
    let fence = "`".repeat(longest_ticks(&text).max(2) + 1);
    format!("{fence}text\n{text}\n{fence}\n")
}

/// How many backticks stand together at most.
fn longest_ticks(text: &str) -> usize {
    text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0)
}

/// Chosen: a summary of CI jobs is read on one page.
const MOST_SENTENCES: usize = 30;

/// Chosen: pages of GitHub show so many letters of one width in a line, also beside a menu.
const COURSES_WIDTH: usize = 90;

/// Chosen: enough digits to tell files apart.
const SHOWN_DIGITS: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::example::{
        assert_snapshot, crowded_result, rolled_back_result, without_gate,
    };

    #[test]
    fn a_summary_holds_verdict_gate_comparison_and_timeline() {
        assert_snapshot("markdown", &markdown_summary(&rolled_back_result()));
        assert_snapshot("markdown_crowded", &markdown_summary(&crowded_result()));
    }

    #[test]
    fn a_summary_without_gate_has_no_table_for_it() {
        let text = markdown_summary(&without_gate());
        assert!(text.starts_with("## NO VERDICT: ten-thousand: "), "{text}");
        assert!(!text.contains("### Gate") && !text.contains("### Timeline"), "{text}");
    }

    #[test]
    fn places_are_told_where_a_line_did_not_pass() {
        let mut result = rolled_back_result();
        assert!(markdown_summary(&result).contains("| Verdict | Line | Measured | Place |\n"));
        let Judgement::Judged(judged) = &mut result.gate else { panic!("there is a gate") };
        for line in &mut judged.lines {
            line.verdict = Verdict::Pass;
        }
        assert!(
            markdown_summary(&result)
                .contains("| Verdict | Line | Measured |\n| :-- | :-- | :-- |\n")
        );
    }

    #[test]
    fn no_line_ends_the_block_of_bars_early() {
        let text = markdown_summary(&crowded_result());
        assert_eq!(text.lines().filter(|line| line.starts_with("```")).count(), 2);
    }

    #[test]
    fn names_cannot_break_out_of_their_cell() {
        assert_eq!(escape("a|b\n<b>_x_"), "a\\|b<br>&lt;b&gt;\\_x\\_");
        assert_eq!(code("a|`b"), "`` a\\|`b ``");
        assert_eq!(code("``a`\n"), "``` ``a` ```");
        assert_eq!(escape("\u{1b}[2J"), "␛\\[2J");
    }
}
