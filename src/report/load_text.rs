//! What came of a load, on a terminal and as Markdown.

use super::layout::{ascii, wrapped};
use super::load_words::{course, facts, headline, times_grid, versions_grid, warnings};
use super::markdown::{escape, figures};
use super::terminal::{Style, section};
use super::text_table::text_table;
use crate::load::LoadReport;

/// What came of a load, with a newline at the end.
pub fn load_text(report: &LoadReport, style: Style) -> String {
    let mut text = wrapped("", &headline(report), style.width);
    text.push_str(&wrapped("  ", &course(report), style.width));
    for warning in warnings(report) {
        text.push_str(&wrapped("  ", &warning, style.width));
    }
    section(&mut text, "Requests", style);
    for fact in facts(report) {
        text.push_str(&wrapped("  ", &fact, style.width));
    }
    for grid in [times_grid(report), versions_grid(report)].into_iter().flatten() {
        text.push('\n');
        text.push_str(&text_table(&grid, style.width));
    }
    if style.unicode { text } else { ascii(&text) }
}

/// What came of a load as GitHub-flavoured Markdown: the same content as on a terminal.
pub fn load_markdown(report: &LoadReport) -> String {
    let mut text = format!("## {}\n\n{}\n", escape(&headline(report)), escape(&course(report)));
    for warning in warnings(report) {
        text.push_str(&format!("\n**{}**\n", escape(&warning)));
    }
    text.push('\n');
    for fact in facts(report) {
        text.push_str(&format!("- {}\n", escape(&fact)));
    }
    for grid in [times_grid(report), versions_grid(report)].into_iter().flatten() {
        text.push_str(&format!("\n{}", figures(&grid)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::example_report;

    const STYLE: Style = Style { width: 100, colour: false, unicode: true, intervals: false };

    #[test]
    fn a_load_is_told_whole() {
        let text = load_text(&example_report(), STYLE);
        for told in [
            "VALID  http://a/v1/chat/completions, HTTP/1.1, open loop",
            "constant, 20/s; 100 ms",
            "4 requests sent, 2 succeeded (66.67 %)",
            "1 were cut off",
            "1 ended with reset (33.33 %): broke off",
            "2,000/s offered, 30/s ended, 20/s succeeded",
            "goodput 10/s (33.33 %) within ttft <= 41 ms",
            "60 output tokens/s and 100 input tokens/s in all",
            "1 success without usage",
            "1 new connection, 150 bytes sent and 1.5 kB received",
            "dispatch lag",
            "between tokens (ITL)",
        ] {
            assert!(text.contains(told), "{told} is not in\n{text}");
        }
        assert!(!text.contains("closed"));
        let markdown = load_markdown(&example_report());
        assert!(markdown.contains("| dispatch lag |"), "{markdown}");
    }

    #[test]
    fn a_closed_loop_says_so_everywhere_and_has_no_lag() {
        let mut report = example_report();
        (report.is_closed, report.concurrency) = (true, Some(8));
        for text in [load_text(&report, STYLE), load_markdown(&report)] {
            assert!(text.contains("closed loop of 8"), "{text}");
            assert!(text.contains("who would have come while the server was slow"), "{text}");
            assert!(!text.contains("dispatch lag") && !text.contains("offered"), "{text}");
        }
    }

    #[test]
    fn no_line_is_wider_than_the_terminal() {
        let mut report = example_report();
        report.reasons = vec!["requests were sent too late ".repeat(9)];
        (report.is_valid, report.is_closed) = (false, true);
        for width in [40, 60, 100] {
            let text = load_text(&report, Style { width, ..STYLE });
            let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= width, "{width}:\n{text}");
        }
    }
}
