//! The comparison of several runs as Markdown, for a pull request or a CI job's page.

use super::comparison_headline::ComparisonHeadline;
use super::markdown::{code, escape, figures};
use super::run_comparison::{
    Form, about, differing, figures_grid, legend, letter, metrics_grid, missing,
};
use crate::compare::RunComparison;

/// The comparison as GitHub-flavoured Markdown: the same content as on a terminal.
pub fn comparison_markdown(comparison: &RunComparison) -> String {
    let headline = ComparisonHeadline::of(comparison);
    let mut text = format!("## {}: {}\n", headline.word, escape(&headline.found));
    for detail in &headline.details {
        text.push_str(&format!("\n{}\n", escape(detail)));
    }
    text.push_str("\n### Runs\n\n");
    for (index, run) in comparison.runs.iter().enumerate() {
        let about = about(run).join(", ");
        text.push_str(&format!("- {}: {} ({})\n", letter(index), code(&run.label), escape(&about)));
    }
    let differing = differing(comparison);
    if !differing.is_empty() {
        text.push_str("\n### What differs\n\n");
        text.extend(differing.iter().map(|line| format!("- {}\n", escape(line))));
    }
    for column in &comparison.columns {
        text.push_str(&format!("\n### {}\n\n", escape(&column.title)));
        if let Some(missing) = missing(comparison, column) {
            text.push_str(&format!("{}\n\n", escape(&missing)));
        }
        let grid = metrics_grid(comparison, &column.metrics, Form::Full);
        if !grid.rows.is_empty() {
            text.push_str(&figures(&grid));
        }
    }
    if !comparison.figures.is_empty() {
        text.push_str("\n### Whole runs\n\nExact: one run each, so nothing is tested.\n\n");
        text.push_str(&figures(&figures_grid(comparison)));
    }
    for sentence in [legend(comparison)].iter().chain(&comparison.notes) {
        text.push_str(&format!("\n{}\n", escape(sentence)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::example::slower_comparison;
    use crate::result::example::assert_snapshot;

    #[test]
    fn the_markdown_holds_what_a_terminal_shows() {
        assert_snapshot("comparison_markdown", &comparison_markdown(&slower_comparison()));
    }

    #[test]
    fn labels_cannot_break_out_of_their_place() {
        let mut comparison = slower_comparison();
        comparison.runs[1].label = "a`|b\n# c".to_owned();
        comparison.columns[0].title = "x|<b>".to_owned();
        let text = comparison_markdown(&comparison);
        assert!(text.contains("- B: `` a`\\|b # c ``"), "{text}");
        assert!(text.contains("### x\\|&lt;b&gt;\n"), "{text}");
    }
}
