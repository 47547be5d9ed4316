//! Which runs were compared, and in what their scenarios differ.

use super::markup::{Cell, Column, Table, code, list, paragraph, section};
use super::verdict::{verdict_class, verdict_symbol};
use crate::compare::{ComparedRun, RunComparison};
use crate::report::{run_names, verdict_word};
use crate::units::format_count;

/// In what the scenarios and traces differ from the first run's.
pub(super) fn scenarios_section(comparison: &RunComparison) -> String {
    let names = run_names(comparison);
    let markup = match &comparison.differing[..] {
        [] => paragraph("note", "All runs are of one scenario and the same traces."),
        differing => {
            let of_run = differing.iter().map(|differing| {
                let heading = format!("{} / {}:", names[0], names[differing.run]);
                paragraph("note", &heading) + &list("facts", differing.told(MOST_TOLD).into_iter())
            });
            of_run.collect()
        }
    };
    section("scenarios", "What differs between the scenarios", &markup)
}

/// Where the figures come from.
pub(super) fn runs_section(comparison: &RunComparison) -> String {
    let texts = ["Run", "Scenario", "Verdict of its gate"].map(Column::text);
    let figures = ["Seed", "Requests"].map(Column::figure);
    let rest = ["coalmine", "Result, SHA-256"].map(Column::text);
    let columns = texts.into_iter().chain(figures).chain(rest).collect();
    let names = run_names(comparison);
    let rows = comparison.runs.iter().zip(&names).map(|(run, name)| row(run, name)).collect();
    let caption = "The runs; all others are held against the first";
    let table = Table { caption, columns, rows, sortable: false };
    section("runs", "Runs", &table.render())
}

fn row(run: &ComparedRun, name: &str) -> Vec<Cell> {
    let verdict = match run.verdict {
        None => Cell::text("no gate"),
        Some(verdict) => Cell::markup(format!(
            "<span class=\"mark {}\"><span aria-hidden=\"true\">{}</span> {}</span>",
            verdict_class(Some(verdict)),
            verdict_symbol(Some(verdict)),
            verdict_word(verdict)
        )),
    };
    vec![
        Cell::text(name),
        Cell::text(&run.scenario),
        verdict,
        Cell::text(&run.seed.to_string()),
        Cell::figure(&format_count(run.requests), run.requests as f64),
        Cell::text(&run.coalmine),
        Cell::markup(code(&run.sha256)),
    ]
}

/// Chosen: more differences are told by the JSON of the comparison.
const MOST_TOLD: usize = 40;
