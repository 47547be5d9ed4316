//! The gates of several scenarios as Markdown, for a CI job's page and the comment of a merge
//! request, within the room there is.

use super::comparison::Grid;
use super::markdown::{Align, code, escape, fenced, gate_table, table};
use super::suite_words::{expected, figures, gravest_first, held, outcome_word, reasons, sum};
use super::visible::shortened;
use crate::gate::LineResult;
use crate::suite::{GatedScenario, LeftOut, SuiteReport};
use crate::units::{format_count, format_counted};

/// What a step's summary takes on GitHub, in bytes: 1 MiB.
pub const STEP_SUMMARY_LIMIT: usize = 1 << 20;

/// What a comment takes on GitHub, which counts letters: bytes are never fewer.
pub const GITHUB_COMMENT_LIMIT: usize = 65_536;

/// What a note takes on GitLab, which counts letters: bytes are never fewer.
pub const GITLAB_NOTE_LIMIT: usize = 1_000_000;

/// The gates of several scenarios as GitHub-flavoured Markdown, which GitLab reads as well: the
/// verdict and the counts, a table of all scenarios, and of each that does not pass why. It has at
/// most `limit` bytes (at least 8,192); where that is too little whole scenarios are left out, the
/// least grave first, and a sentence says so.
pub fn suite_markdown(report: &SuiteReport, limit: usize) -> String {
    let room = limit.max(LEAST_LIMIT) - NOTICE;
    let word = outcome_word(report.outcome);
    let mut text = format!("## {word}: {}\n", escape(&sum(&report.counts)));
    let (overview, unlisted) = overview(report, (room - text.len()) / 2);
    text.push_str(&overview);
    let mut left_out: Vec<&str> = Vec::new();
    for scenario in gravest_first(report) {
        let section = section(scenario);
        match text.len() + section.len() <= room {
            true => text.push_str(&section),
            false => left_out.push(&scenario.name),
        }
    }
    text.push_str(&parts(report, room.saturating_sub(text.len())));
    text + &notice(unlisted, &left_out, limit)
}

/// The table of all scenarios in `room` bytes, and how many have no row in it.
fn overview(report: &SuiteReport, room: usize) -> (String, usize) {
    let scenarios = &report.scenarios;
    if scenarios.is_empty() {
        return (String::new(), 0);
    }
    let rows: Vec<Vec<String>> = scenarios.iter().map(row).collect();
    // The gravest have a row, whatever their place.
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|place| std::cmp::Reverse(scenarios[*place].outcome));
    let mut left = room.saturating_sub(HEAD);
    let fits = |place: &usize| {
        let needed = rows[*place].iter().map(|cell| cell.len() + CELL).sum::<usize>() + CELL;
        let fits = needed <= left;
        left -= if fits { needed } else { left };
        fits
    };
    let mut shown: Vec<usize> = order.into_iter().take_while(fits).collect();
    shown.sort_unstable();
    let header = ["Verdict", "Scenario", "Lines held", "Runs", "Requests"].map(str::to_owned);
    let count = rows.len() - shown.len();
    let rows = shown.into_iter().map(|place| rows[place].clone()).collect();
    let grid = Grid { header: header.to_vec(), rows, names: None };
    let align = |column: usize| if column < 2 { Align::Left } else { Align::Right };
    (format!("\n{}", table(&grid, align)), count)
}

fn row(scenario: &GatedScenario) -> Vec<String> {
    let word = outcome_word(scenario.outcome).to_owned();
    let word = match scenario.judged().and_then(|judged| judged.expected) {
        Some(expected) => format!("{word}, expected: {expected}"),
        None => word,
    };
    let lines = held(scenario).map(|(held, all)| format!("{held} of {all}"));
    let runs = match scenario.seeds.len() {
        0 => String::new(),
        runs => format_count(runs as u64),
    };
    let requests = match scenario.seeds.is_empty() {
        true => String::new(),
        false => format_count(scenario.requests),
    };
    let name = escape(&shortened(&scenario.name, LONGEST_NAME));
    vec![word, name, lines.unwrap_or_default(), runs, requests]
}

/// Why a scenario did not pass, and how to see it again.
fn section(scenario: &GatedScenario) -> String {
    let title = match scenario.title.is_empty() {
        true => scenario.name.clone(),
        false => format!("{}: {}", scenario.name, scenario.title),
    };
    let heading = escape(&shortened(&title.replace(['\r', '\n'], " "), LONGEST_TITLE));
    let mut text = format!("\n### {}: {heading}\n", outcome_word(scenario.outcome));
    for reason in reasons(scenario) {
        text.push_str(&format!("\n{}\n", escape(&shortened(&reason, LONGEST_EVIDENCE))));
    }
    let short = |line: &LineResult| LineResult {
        text: shortened(&line.text, LONGEST_EVIDENCE),
        evidence: shortened(&line.evidence, LONGEST_EVIDENCE),
        ..line.clone()
    };
    let lines: Vec<LineResult> = scenario.lines().iter().map(short).collect();
    if !lines.is_empty() {
        let told = figures(scenario).join(", ");
        text.push_str(&folded(&told, &gate_table(&lines)));
    }
    if let Some(error) = &scenario.error {
        text.push_str(&folded("what is wrong", &fenced(error)));
    }
    let repeat = shortened(&scenario.repeat, LONGEST_EVIDENCE);
    text + &format!("\nAgain:\n\n{}", fenced(&repeat))
}

/// `block` below a summary that unfolds it, where it is long.
fn folded(summary: &str, block: &str) -> String {
    match block.len() > LONGEST_BLOCK {
        true => {
            format!("\n<details><summary>{}</summary>\n\n{block}\n</details>\n", escape(summary))
        }
        false => format!("\n{block}"),
    }
}

/// What came out as expected instead of a pass, and which files were no scenarios, in `room` bytes.
fn parts(report: &SuiteReport, room: usize) -> String {
    let told = report.scenarios.iter().filter_map(|scenario| {
        let expected = shortened(&expected(scenario)?, LONGEST_EVIDENCE);
        Some(format!("{}: {}", escape(&scenario.name), escape(&expected)))
    });
    let left_out = report.left_out.iter().map(|LeftOut { file, why }| {
        format!("left out: {}: {}", code(file), escape(&shortened(why, LONGEST_EVIDENCE)))
    });
    let items: Vec<String> =
        told.chain(left_out).map(|told| format!("- {}\n", told.replace("<br>", " "))).collect();
    let list = items.concat();
    if items.is_empty() || list.len() + 1 > room { String::new() } else { format!("\n{list}") }
}

/// What is not told for want of room, and where it is; empty where all is.
fn notice(unlisted: usize, left_out: &[&str], limit: usize) -> String {
    let mut told = Vec::new();
    if unlisted > 0 {
        let count = format_counted(unlisted as u64, "scenario", "scenarios");
        told.push(format!("the rows of {count}, the least grave"));
    }
    if !left_out.is_empty() {
        let named = left_out.iter().take(NAMED).map(|name| escape(&shortened(name, LONGEST_NAME)));
        let named = named.collect::<Vec<_>>().join(", ");
        let others = match left_out.len().saturating_sub(NAMED) {
            0 => String::new(),
            others => format!(" and {} more", format_count(others as u64)),
        };
        told.push(format!("why these did not pass: {named}{others}"));
    }
    if told.is_empty() {
        return String::new();
    }
    let limit = format_count(limit as u64);
    format!(
        "\nLeft out, for {limit} bytes have no room for it: {}. The job's log tells of all.\n",
        told.join("; ")
    )
}

/// Below it there is no room for a head and a notice.
const LEAST_LIMIT: usize = 8_192;

/// What is kept for the notice: three names of which each letter is escaped to ten bytes at most.
const NOTICE: usize = 3_072;

/// More than the head of the table takes.
const HEAD: usize = 128;

/// More than what stands between two cells.
const CELL: usize = 3;

/// Chosen: as many are told in a line.
const NAMED: usize = 3;

/// Chosen: a name stands in a cell, and three of them in the notice.
const LONGEST_NAME: usize = 64;

/// Chosen: a heading of two lines.
const LONGEST_TITLE: usize = 200;

/// Chosen: a paragraph; the JSON and the job's log have all of it.
const LONGEST_EVIDENCE: usize = 1_000;

/// Chosen: about a screen.
const LONGEST_BLOCK: usize = 2_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::example::assert_snapshot;
    use crate::suite::Outcome;
    use crate::suite::example::{HOSTILE, failing, suite};

    #[test]
    fn a_summary_says_the_verdict_all_scenarios_and_why_some_did_not_pass() {
        assert_snapshot("suite_markdown", &suite_markdown(&suite(), STEP_SUMMARY_LIMIT));
    }

    #[test]
    fn no_summary_is_longer_than_its_limit() {
        let limits = [LEAST_LIMIT, GITHUB_COMMENT_LIMIT, GITLAB_NOTE_LIMIT, STEP_SUMMARY_LIMIT];
        for limit in limits {
            for (count, letters) in [(1, 10), (12, 5_000), (400, 900), (3_000, 10)] {
                let report = failing(count, letters);
                let text = suite_markdown(&report, limit);
                assert!(text.len() <= limit, "{count} of {letters}: {} of {limit}", text.len());
                let whole = text.matches("\n### FAIL: failing-").count();
                let is_cut = text.contains("\nLeft out, for ");
                assert_eq!(is_cut, whole < count, "{count} of {letters} in {limit}");
                // Every section that is begun is ended.
                assert_eq!(text.matches("\nAgain:\n").count(), whole);
            }
        }
    }

    #[test]
    fn the_gravest_are_told_whatever_their_place() {
        let mut report = failing(400, 100);
        report.scenarios[399].outcome = Outcome::Invalid;
        let text = suite_markdown(&report, LEAST_LIMIT);
        assert!(text.contains("\n| INVALID | failing-399 | "), "{text}");
        assert!(text.contains("\n### INVALID: failing-399: "), "{text}");
        assert!(text.contains("bytes have no room for it: the rows of "), "{text}");
    }

    #[test]
    fn names_of_hostile_letters_fit_the_notice() {
        let mut report = failing(400, 900);
        for scenario in &mut report.scenarios {
            scenario.name = "\u{202e}".repeat(500);
        }
        assert!(suite_markdown(&report, LEAST_LIMIT).len() <= LEAST_LIMIT);
    }

    #[test]
    fn nothing_from_a_scenario_becomes_markup() {
        let text = suite_markdown(&suite(), STEP_SUMMARY_LIMIT);
        let outside_code = text.split('`').step_by(2).collect::<String>();
        assert!(!outside_code.contains("<script>"), "{text}");
        assert!(!text.chars().any(|letter| letter.is_control() && letter != '\n'));
        let fence = fenced(&format!("a\n{HOSTILE} ````` \nb\n"));
        assert!(fence.starts_with("``````text\n") && fence.ends_with("\n``````\n"), "{fence}");
        let rows = text.lines().filter(|line| line.starts_with("| ") && line.contains("hostile"));
        for row in rows {
            let bars = row.replace("\\|", "").matches('|').count();
            assert!(bars == 5 || bars == 6, "{row}");
        }
    }
}
