//! How well a live run agrees with the simulated one as Markdown, for a pull request or a CI job's
//! page.

use super::fidelity_words::{
    ErrorForm, FidelityHeadline, errors_grid, fidelity_legend, overheads_grid, place,
    requests_text, rollback_text,
};
use super::markdown::{code, escape, figures};
use super::run_comparison::about;
use crate::fidelity::Fidelity;

/// GitHub-flavoured Markdown with the same content as on a terminal.
pub fn fidelity_markdown(fidelity: &Fidelity) -> String {
    let headline = FidelityHeadline::of(fidelity);
    let mut text = format!("## {}: {}\n", headline.word, escape(&headline.found));
    let item = |phrase: &String| format!("- {}\n", escape(phrase));
    if !headline.details.is_empty() {
        text.push('\n');
        text.extend(headline.details.iter().map(item));
    }
    text.push_str("\n### Runs\n\n");
    for (name, run) in [("simulated", &fidelity.simulated), ("live", &fidelity.live)] {
        let about = about(run).join(", ");
        text.push_str(&format!("- {name}: {} ({})\n", code(&run.label), escape(&about)));
    }
    if !fidelity.overheads.is_empty() {
        text.push_str("\n### What the harness added\n\n");
        text.push_str(&figures(&overheads_grid(fidelity)));
    }
    if !fidelity.rollbacks.is_empty() {
        text.push_str("\n### Rollbacks\n\n");
        text.extend(fidelity.rollbacks.iter().map(|rollback| item(&rollback_text(rollback))));
    }
    for version in &fidelity.versions {
        let place = escape(&place(fidelity, version));
        text.push_str(&format!("\n### {place}\n\n{}\n\n", escape(&requests_text(version))));
        text.push_str(&figures(&errors_grid(fidelity, version, ErrorForm::Wide)));
    }
    for sentence in [fidelity_legend(fidelity)].iter().chain(&fidelity.notes) {
        text.push_str(&format!("\n{}.\n", escape(sentence)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fidelity::example::{slower, with_overheads};
    use crate::result::example::assert_snapshot;

    #[test]
    fn the_markdown_holds_what_a_terminal_shows() {
        assert_snapshot("fidelity_markdown", &fidelity_markdown(&with_overheads(10.0)));
    }

    #[test]
    fn names_cannot_break_out_of_their_place() {
        let mut fidelity = slower();
        fidelity.versions[0].phase = "x|<b>".to_owned();
        fidelity.live.label = "a`|b\n# c".to_owned();
        let text = fidelity_markdown(&fidelity);
        assert!(text.contains("### x\\|&lt;b&gt;, gpt-4-v1\n"), "{text}");
        assert!(text.contains("- live: `` a`\\|b # c ``"), "{text}");
    }
}
