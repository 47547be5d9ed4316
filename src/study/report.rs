//! What a study found: the file that machines read, and that every other output is made from.

use serde::{Deserialize, Serialize};

use super::cell::{Cell, grid, trigger_names};
use super::cell_report::CellReport;
use super::judging::{judge, judge_rare};
use super::ledger::Ledger;
use super::plan::Plan;
use super::rare_estimate::RareEstimate;
use super::row::Row;
use super::seeds::Seeds;
use super::stopping::{BLOCK, Precision};
use super::variation::Variation;
use crate::gate::{Judgement, Verdict};
use crate::json::outline;
use crate::result::{FileDigest, json_problem};

/// What a study found. The same scenario, variations, seeds and build give the same, on however
/// many threads or machines.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweepReport {
    /// The number of the format: [`SweepReport::SCHEMA`].
    pub schema: u64,
    /// The version of coalmine.
    pub coalmine: String,
    /// What was rehearsed.
    pub scenario: SweptScenario,
    /// The hash of the plan: of all that decides the rows.
    pub plan: String,
    /// What is varied.
    pub variations: Vec<Variation>,
    /// The seeds of each cell, the same for all.
    pub seeds: Seeds,
    /// When a cell was stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
    /// After how many runs it was looked at whether it was to be.
    pub block: u64,
    /// Each cell, those of the last variation next to each other.
    pub cells: Vec<CellReport>,
    /// Lines of the scenario's gate that were not judged: they are of single runs.
    pub lines_left_out: u64,
}

/// What was rehearsed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SweptScenario {
    /// Its file, as named.
    pub file: String,
    /// Its name.
    pub name: String,
    /// What it shows, in a line.
    pub title: String,
    /// The traces that were replayed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traces: Vec<FileDigest>,
}

impl SweepReport {
    /// The number of the format that this version writes and reads.
    pub const SCHEMA: u64 = 1;

    /// Of the rows of all runs of a plan with these cells.
    ///
    /// # Panics
    /// There is no cell, or the plan is of others.
    pub fn of(plan: &Plan, cells: &[Cell], ledger: &Ledger) -> Self {
        let scenario = &cells[0].loaded.scenario;
        let rows: Vec<Vec<&Row>> = (0..cells.len()).map(|cell| ledger.rows_of(cell)).collect();
        let values = grid(&plan.variations).into_iter().map(|indices| {
            let values = plan.variations.iter().zip(indices);
            values.map(|(variation, value)| variation.values[value].clone()).collect()
        });
        let told = values.zip(cells).enumerate().map(|(index, (values, cell))| {
            let first = (index > 0).then(|| &rows[0][..]);
            if let Some(estimate) = RareEstimate::of(&rows[index]).filter(|_| plan.rare) {
                let judgement = judge_rare(cell, &estimate);
                let report = CellReport::of_rare(values, &rows[index], estimate);
                return CellReport { judgement, ..report };
            }
            let triggers = trigger_names(&cell.loaded.scenario);
            let report = CellReport::of(values, &rows[index], first, &triggers);
            let against = first.map(|rows| (&cells[0], rows));
            let judgement = judge((cell, &rows[index]), against);
            CellReport { stopped: ledger.was_stopped(index), judgement, ..report }
        });
        Self {
            schema: Self::SCHEMA,
            coalmine: env!("CARGO_PKG_VERSION").to_owned(),
            scenario: SweptScenario {
                file: plan.scenario.clone(),
                name: scenario.name.clone(),
                title: scenario.title.clone(),
                traces: plan.traces.clone(),
            },
            plan: plan.hash.clone(),
            variations: plan.variations.clone(),
            seeds: plan.seeds,
            precision: plan.precision,
            block: BLOCK,
            cells: told.collect(),
            lines_left_out: cells[0].lines.left_out(),
        }
    }

    /// The gravest verdict of all cells; `None` where nothing was judged.
    pub fn verdict(&self) -> Option<Verdict> {
        let judged = self.cells.iter().filter_map(|cell| cell.judgement.as_ref());
        judged.filter_map(Judgement::verdict).max()
    }

    /// Whether its runs were made to tell the probability of false rollbacks, and nothing else.
    pub fn is_rare(&self) -> bool {
        self.cells.iter().any(|cell| cell.rare.is_some())
    }

    /// How many runs were made.
    pub fn runs(&self) -> u64 {
        self.cells.iter().map(|cell| cell.runs).sum()
    }

    /// As the file that is written.
    pub fn to_json(&self) -> String {
        outline(self)
    }

    /// The report that the text of a file holds.
    ///
    /// # Errors
    /// It is none; what is wrong, in words.
    pub fn from_json(text: &str) -> Result<Self, String> {
        serde_json::from_str(text).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            format!("{} at line {line}, column {column}", json_problem(&error))
        })
    }
}
