//! What a gate of several scenarios says on a terminal: each in a line, below it why it does not
//! pass, and the sum at the end, where a reader of a long log looks first.

use super::layout::{ascii, columns, left, right, wrapped, wrapped_after};
use super::suite_words::{expected, figures, outcome_word, reasons, sum};
use super::terminal::{Style, emphasis, gate_lines};
use super::visible::{one_line, plain_lines};
use crate::gate::Verdict;
use crate::suite::{GatedScenario, LeftOut, Outcome, SuiteReport};

/// What a gate of several scenarios says on a terminal, with a newline at the end.
pub fn suite_text(report: &SuiteReport, style: Style) -> String {
    let table = Table::of(report, style);
    let mut text = String::new();
    for scenario in &report.scenarios {
        text.push_str(&table.row(scenario));
        let below = below(scenario, style);
        text.push_str(&below);
        if scenario.outcome != Outcome::Pass {
            text.push('\n');
        }
    }
    for LeftOut { file, why } in &report.left_out {
        let told = format!("left out: {}: {}", one_line(file), one_line(why));
        text.push_str(&wrapped("", &told, style.width));
    }
    if !text.is_empty() && !text.ends_with("\n\n") {
        text.push('\n');
    }
    let word = outcome_word(report.outcome);
    let (first, rest) = wrapped_after(&format!("{word}  "), &sum(&report.counts), style.width);
    text.push_str(&(painted(&first, report.outcome, style) + &rest));
    if style.unicode { text } else { ascii(&text) }
}

/// The columns that the lines of scenarios stand in.
struct Table {
    style: Style,
    /// The width of the outcomes.
    words: usize,
    /// The width of the names that have room beside their figures.
    names: usize,
    /// The widths of the figures.
    figures: Vec<usize>,
}

impl Table {
    fn of(report: &SuiteReport, style: Style) -> Self {
        let scenarios = &report.scenarios;
        let words = scenarios.iter().map(|scenario| outcome_word(scenario.outcome).len());
        let words = words.max().unwrap_or(0);
        let mut figures = Vec::new();
        for told in scenarios.iter().map(self::figures) {
            figures.resize(figures.len().max(told.len()), 0);
            for (width, figure) in figures.iter_mut().zip(&told) {
                *width = columns(figure).max(*width);
            }
        }
        let taken = words + WORD_GAP + figures.iter().map(|width| GAP + width).sum::<usize>();
        let room = style.width.saturating_sub(taken);
        let names = scenarios.iter().map(|scenario| columns(&one_line(&scenario.name)));
        let names = names.filter(|name| *name <= room).max().unwrap_or(0);
        Self { style, words, names, figures }
    }

    /// Its outcome, its name, how many lines held, of how many runs and requests; where that does
    /// not fit in a line, the figures below.
    fn row(&self, scenario: &GatedScenario) -> String {
        let Self { style, words, names, figures: widths } = self;
        let lead = left(outcome_word(scenario.outcome), *words) + &" ".repeat(WORD_GAP);
        let (name, told) = (one_line(&scenario.name), figures(scenario));
        let row = if columns(&name) <= *names {
            let mut row = format!("{lead}{}", left(&name, *names));
            for (place, (figure, width)) in told.iter().zip(widths).enumerate() {
                // The first is words, the others are numbers with a word.
                let cell = if place == 0 { left(figure, *width) } else { right(figure, *width) };
                row.push_str(&format!("{}{cell}", " ".repeat(GAP)));
            }
            format!("{}\n", row.trim_end())
        } else {
            let (first, rest) = wrapped_after(&lead, &name, style.width);
            let below = match told.is_empty() {
                true => String::new(),
                false => wrapped(&" ".repeat(columns(&lead)), &told.join(", "), style.width),
            };
            first + &rest + &below
        };
        painted(&row, scenario.outcome, *style)
    }
}

/// What stands below a scenario: of one that does not pass why, and how to see it again.
fn below(scenario: &GatedScenario, style: Style) -> String {
    let told = |text: &str| wrapped("  ", &one_line(text), style.width);
    let mut text = String::new();
    if scenario.outcome == Outcome::Pass {
        text.extend(expected(scenario).map(|expected| told(&expected)));
        let differing = scenario.baseline.iter().filter(|one| !one.differing.is_empty());
        if differing.count() > 0 {
            text.extend(reasons(scenario).iter().map(|reason| told(reason)));
        }
        return text;
    }
    if !scenario.title.is_empty() {
        text.push_str(&told(&scenario.title));
    }
    text.extend(reasons(scenario).iter().map(|reason| told(reason)));
    text.extend(gate_lines(scenario.lines(), style));
    for line in scenario.error.iter().flat_map(|error| plain_lines(error)) {
        text.push_str(&quoted(&line, style.width));
    }
    if let Some(report) = &scenario.report {
        text.push_str(&told(&format!("report: {report}/report.html")));
    }
    text + &told(&format!("again: {}", scenario.repeat))
}

/// A line of an error, as far in as it is: some point to a letter of the one above.
fn quoted(line: &str, width: usize) -> String {
    let words = line.trim_start();
    let indent = " ".repeat(2 + columns(line) - columns(words));
    if words.is_empty() { "\n".to_owned() } else { wrapped(&indent, words, width) }
}

/// `text` with the outcome that it begins with in colour.
fn painted(text: &str, outcome: Outcome, style: Style) -> String {
    let verdict = match outcome {
        Outcome::Pass => Verdict::Pass,
        Outcome::NothingToEvaluate | Outcome::Inconclusive => Verdict::Inconclusive,
        Outcome::Fail | Outcome::Unreadable => Verdict::Fail,
        Outcome::Invalid => Verdict::Invalid,
    };
    let word = outcome_word(outcome);
    text.replacen(word, &style.paint(word, &emphasis(Some(verdict))), 1)
}

/// Blanks behind an outcome.
const WORD_GAP: usize = 2;

/// Blanks before a figure.
const GAP: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::example::assert_snapshot;
    use crate::suite::example::suite;

    fn style(width: usize) -> Style {
        Style { width, colour: false, unicode: true, intervals: false }
    }

    #[test]
    fn a_terminal_of_60_columns_gets_figures_below_names() {
        assert_snapshot("suite_60", &suite_text(&suite(), style(60)));
    }

    #[test]
    fn a_terminal_of_100_columns_gets_figures_beside_names() {
        assert_snapshot("suite_100", &suite_text(&suite(), style(100)));
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        for width in 48..=200 {
            for line in suite_text(&suite(), style(width)).lines() {
                assert!(columns(line) <= width, "{width}: {line}");
            }
        }
    }

    #[test]
    fn nothing_from_a_scenario_steers_the_terminal() {
        let text = suite_text(&suite(), style(100));
        assert_eq!(text.chars().find(|letter| letter.is_control() && *letter != '\n'), None);
        assert!(text.contains("␛[31mred␛[0m"), "{text}");
        let plain = suite_text(&suite(), Style { unicode: false, ..style(100) });
        assert!(plain.is_ascii());
    }

    #[test]
    fn colours_add_nothing_but_escapes() {
        let coloured = suite_text(&suite(), Style { colour: true, ..style(100) });
        let mut plain = coloured.clone();
        for code in ["1;31", "1;32", "1;33", "1;35", "31", "32", "33", "0"] {
            let escape = format!("\u{1b}[{code}m");
            assert!(coloured.contains(&escape), "{code}");
            plain = plain.replace(&escape, "");
        }
        assert_eq!(plain, suite_text(&suite(), style(100)));
    }

    #[test]
    fn no_scenario_is_told_as_such() {
        let text = suite_text(&SuiteReport::of(Vec::new(), Vec::new()), style(100));
        assert_eq!(text, "NO VERDICT  no scenario\n");
    }
}
