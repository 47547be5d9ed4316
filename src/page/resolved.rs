//! The scenario as it was run, with every default written out.

use serde_json::Value;

use super::escape::escape;
use super::markup::{paragraph, section, within};
use crate::result::ResultFile;
use crate::units::format_counted;

/// The resolved scenario, folded away.
pub(super) fn resolved_section(result: &ResultFile) -> String {
    let text = text_of(&result.scenario.resolved);
    let lines = text.lines().count();
    let (shown, omitted) = within(MOST_BYTES, text.lines().map(|line| escape(line) + "\n"));
    let more = match omitted {
        0 => String::new(),
        omitted => {
            let rest = format_counted(omitted, "more line", "more lines");
            paragraph("note", &format!("… {rest}: the whole is in result.json"))
        }
    };
    let markup = format!(
        "<details>\n<summary>The scenario with every default written out \
         ({})</summary>\n<div class=\"scroll\" role=\"region\" aria-label=\"Resolved scenario\" \
         tabindex=\"0\"><pre><code>{}</code></pre></div>\n{more}</details>\n",
        format_counted(lines as u64, "line", "lines"),
        shown.trim_end()
    );
    section("scenario", "Resolved scenario", &markup)
}

fn text_of(resolved: &Value) -> String {
    serde_json::to_string_pretty(resolved).expect("a value with text for keys becomes JSON")
}

/// Chosen: an eighth of what a page may weigh.
const MOST_BYTES: usize = 125_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::example::rolled_back_result;

    #[test]
    fn a_long_scenario_is_cut_at_a_line_and_says_so() {
        let mut result = rolled_back_result();
        assert!(!resolved_section(&result).contains("more line"));
        let numbers = (0..100_000).map(Value::from).collect();
        result.scenario.resolved = Value::Array(numbers);
        let markup = resolved_section(&result);
        assert!(markup.len() < MOST_BYTES + 1_000);
        assert!(markup.contains(" more lines: the whole is in result.json"));
        assert!(markup.contains("(100,002 lines)"), "one line for each number and bracket");
    }
}
