//! The gate's lines with what was measured and where they stand.

use super::escape::escape;
use super::markup::{Cell, Column, Table, code, list, paragraph, section};
use super::verdict::{verdict_class, verdict_symbol};
use crate::gate::{Judged, Judgement, LineResult, Verdict};
use crate::report::verdict_word;
use crate::result::ResultFile;

/// What had to hold, and what became of it.
pub(super) fn gate_section(result: &ResultFile) -> String {
    let markup = match &result.gate {
        Judgement::NothingToEvaluate => {
            paragraph("note", "The scenario states no gate: nothing was judged.")
        }
        Judgement::Judged(judged) => gate_table(judged),
    };
    section("gate", "Gate", &markup)
}

/// The lines of a gate that was judged, and why they may not be trusted.
pub(super) fn gate_table(judged: &Judged) -> String {
    let distrust = judged.distrust.iter();
    let distrust = distrust.map(|reason| format!("Not to be trusted: {reason}."));
    let table = Table {
        caption: "What had to hold, and what was measured",
        columns: ["Verdict", "Line of the gate", "Measured", "Place"].map(Column::text).into(),
        rows: judged.lines.iter().map(row).collect(),
        sortable: false,
    };
    let table = if judged.lines.is_empty() { String::new() } else { table.render() };
    list("facts", distrust) + &table
}

fn row(line: &LineResult) -> Vec<Cell> {
    let place = escape(&format!("{}:{}", line.file, line.line));
    vec![
        Cell::markup(verdict_mark(line.verdict)),
        Cell::markup(code(&line.text)),
        Cell::text(&line.evidence),
        Cell::markup(format!("<code class=\"place\">{place}</code>")),
    ]
}

/// A verdict as a word with its symbol.
fn verdict_mark(verdict: Verdict) -> String {
    format!(
        "<span class=\"mark {}\"><span aria-hidden=\"true\">{}</span> {}</span>",
        verdict_class(Some(verdict)),
        verdict_symbol(Some(verdict)),
        escape(verdict_word(verdict))
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::example::{rolled_back_result, without_gate};

    #[test]
    fn each_line_stands_with_verdict_evidence_and_place() {
        let markup = gate_section(&rolled_back_result());
        assert!(markup.contains("</span> FAIL</span></th><td><code>blast_radius.failed &lt; 5"));
        assert!(markup.contains(":43</code>"), "{markup}");
        assert!(gate_section(&without_gate()).contains("states no gate"));
    }
}
