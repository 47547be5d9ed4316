//! What describes a trace as Markdown, for a pull request or a wiki.

use super::markdown::{escape, figures};
use super::trace_stats_grids::{endings_grid, groups_grid, sizes_grid, windows_grid};
use super::trace_stats_parts::parts;
use super::trace_stats_text::{MOST_ROWS, rate_bars};
use super::trace_stats_words::{facts, headline, reading};
use crate::profile::TraceStats;

/// What describes a trace as GitHub-flavoured Markdown: the same content as on a terminal.
pub fn trace_stats_markdown(stats: &TraceStats) -> String {
    let profile = &stats.profile;
    let mut text = format!("## {}\n", escape(&headline(stats)));
    text.push_str(&format!("\n{}\n", escape(&reading(stats))));
    if let Some(bars) = rate_bars(profile, BARS_WIDTH) {
        text.push_str(&format!("\n### {}\n\n```text\n{}\n```\n", escape(&bars.title), bars.bars));
    }
    let mut table = |title: &str, grid: Option<_>| {
        if let Some(grid) = grid {
            text.push_str(&format!("\n### {title}\n\n{}", figures(&grid)));
        }
    };
    table("Requests by windows", windows_grid(profile));
    table("Times and sizes", sizes_grid(profile));
    let parts = parts(profile, MOST_ROWS);
    for part in &parts {
        table(part.title, groups_grid(part.heading, &part.groups, profile.requests));
        table(part.endings, endings_grid(&part.groups));
    }
    for left_out in parts.iter().filter_map(|part| part.left_out.as_ref()) {
        text.push_str(&format!("\n{left_out}\n"));
    }
    for fact in facts(profile) {
        text.push_str(&format!("\n{}\n", escape(&fact)));
    }
    text
}

/// Chosen: what fits the column of a page.
const BARS_WIDTH: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::example::observed_stats;
    use crate::result::example::assert_snapshot;

    #[test]
    fn the_markdown_holds_what_a_terminal_shows() {
        assert_snapshot("trace_stats_markdown", &trace_stats_markdown(&observed_stats()));
    }
}
