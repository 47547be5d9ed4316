//! What a sweep of weighted runs found, in words and a table: the probability of a false rollback.

use super::comparison::Grid;
use super::sweep_words::{cell_label, combinations_grid};
use crate::study::{CellReport, RareEstimate, RareMethod, SweepReport};
use crate::units::{format_count, format_counted, format_significant};

/// How probable a false rollback is under each combination.
pub(crate) fn rare_grid(report: &SweepReport) -> Grid {
    let row = |cell: &CellReport| {
        let Some(rare) = &cell.rare else { return Vec::new() };
        vec![
            probability_text(rare),
            rare.precision().map_or_else(|| NONE.to_owned(), |part| format!("± {part}")),
            method_word(rare.method).to_owned(),
            format_count(rare.runs),
            format_count(rare.hits),
            format_significant(rare.effective, 3),
        ]
    };
    combinations_grid(report, ["Falsely", "Precision", "By", "Runs", "Hits", "Worth"], row)
}

/// Why nothing is estimated of combinations, a sentence each.
pub(crate) fn unreliable(report: &SweepReport) -> Vec<String> {
    let told = report.cells.iter().filter_map(|cell| {
        let why = cell.rare.as_ref()?.why_not()?;
        Some(format!("{}: {why}", cell_label(report, cell)))
    });
    told.collect()
}

/// What the table means, in sentences.
pub(crate) fn rare_legend(report: &SweepReport) -> Vec<String> {
    let mut legend = vec![
        "Falsely: the probability that a version is rolled back that was never bad, with its 95 % \
         interval."
            .to_owned(),
    ];
    let by = |method| {
        let mut all = report.cells.iter().filter_map(|cell| cell.rare.as_ref());
        all.any(|rare| rare.method == method)
    };
    if by(RareMethod::Weighted) {
        legend.push(
            "Weighted: draws that rules count are tilted so that they fire often, and each run is \
             weighted by how much less probable it was without that (importance sampling). Hits: \
             runs with a false rollback, tilted as they were. Worth: so many runs of equal weight \
             would tell as much; with fewer than 100 nothing is told."
                .to_owned(),
        );
    }
    if by(RareMethod::Splitting) {
        legend.push(
            "Splitting: of a hundred runs those that come nearest to a false rollback are \
             multiplied and drawn anew in parts, level by level; each seed is one such climb, and \
             hits are those that came to the top. With an error of more than half, or from fewer \
             than ten, nothing is told."
                .to_owned(),
        );
    }
    if report.lines_left_out > 0 {
        legend.push(format!(
            "Not judged: {} of the scenario's gate, on what runs that look for rare rollbacks do \
             not tell.",
            format_counted(report.lines_left_out, "line", "lines")
        ));
    }
    legend
}

/// How a probability was estimated, in a word.
pub(super) const fn method_word(method: RareMethod) -> &'static str {
    match method {
        RareMethod::Weighted => "weighted",
        RareMethod::Splitting => "splitting",
    }
}

/// `2.1e-7 [1.9e-7, 2.4e-7]`.
fn probability_text(rare: &RareEstimate) -> String {
    match (rare.value, rare.low, rare.high) {
        (Some(value), Some(low), Some(high)) => format!("{value:.1e} [{low:.1e}, {high:.1e}]"),
        _ => "unreliable".to_owned(),
    }
}

const NONE: &str = "–";
