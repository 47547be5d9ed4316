//! The plan of a study: everything that decides its rows, and a hash over it.
//!
//! It holds each cell's scenario with every default and setting written out, so that whoever runs a
//! part of it needs no other file but the traces that the scenario replays.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::cell::{Cell, grid};
use super::ledger::Extent;
use super::rows_file::{RowsFile, sha256};
use super::seeds::Seeds;
use super::shard::Shard;
use super::stopping::{BLOCK, Precision};
use super::variation::Variation;
use crate::json::outline;
use crate::result::{FileDigest, json_problem};
use crate::scenario::{GateLine, Loaded};

/// The plan of a study.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The number of the format: [`Plan::SCHEMA`].
    pub coalmine_sweep_plan: u64,
    /// The version of coalmine that made it: another may come to other rows.
    pub coalmine: String,
    /// Of all that decides the rows.
    pub hash: String,
    /// The scenario's file, as named.
    pub scenario: String,
    /// What is varied.
    pub variations: Vec<Variation>,
    /// The seeds of each cell.
    pub seeds: Seeds,
    /// When a cell is stopped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<Precision>,
    /// Whether runs are weighted, and tell the probability of false rollbacks.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rare: bool,
    /// Lines that are judged beside those of the scenario, as given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gate: Vec<String>,
    /// The traces that the cells replay, each once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub traces: Vec<FileDigest>,
    /// How many shards it is divided into; it is no part of the hash.
    pub shards: u64,
    /// Each cell, in the order of the grid.
    pub cells: Vec<PlannedCell>,
}

/// A cell as it is planned.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlannedCell {
    /// The settings that make it, in the order of the variations.
    pub settings: Vec<String>,
    /// The digest of what the scenario means under them.
    pub sha256: String,
    /// The scenario with every default written out: one that stands in the folder of the
    /// scenario's own file.
    pub yaml: String,
    /// Where the lines of its gate stand in the files that it was read from, in their order.
    pub gate: Vec<Place>,
}

/// Where a line stands.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    /// The file.
    pub file: String,
    /// Its line, from 1.
    pub line: u32,
}

/// What a study is made of.
#[derive(Clone, PartialEq, Debug)]
pub struct Terms {
    /// The scenario's file, as named.
    pub scenario: String,
    /// What is varied.
    pub variations: Vec<Variation>,
    /// The seeds of each cell.
    pub seeds: Seeds,
    /// When a cell is stopped.
    pub precision: Option<Precision>,
    /// Whether runs are weighted, and tell the probability of false rollbacks.
    pub rare: bool,
    /// Lines that are judged beside those of the scenario.
    pub gate: Vec<String>,
    /// The traces that the cells replay, each once.
    pub traces: Vec<FileDigest>,
}

/// Why a text is no plan that can be carried out.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum PlanError {
    /// Not JSON, or not the fields of a plan.
    #[error("no plan that `coalmine sweep plan` has written: {problem}")]
    Malformed {
        /// What is wrong.
        problem: String,
    },
    /// It is of another version, which may come to other rows.
    #[error(
        "the plan is of coalmine {found}, and this is {known}: carry it out with that version, or \
         plan anew"
    )]
    OtherVersion {
        /// The version that made it.
        found: String,
        /// This one.
        known: String,
    },
    /// It does not hang together.
    #[error("the plan was changed after it was made: {what}; plan anew")]
    Changed {
        /// What does not fit.
        what: String,
    },
    /// It is divided into more parts than there are.
    #[error(
        "{shards} shards are more than there are combinations, {cells}: with --precision each is \
         of one shard as a whole"
    )]
    TooManyShards {
        /// How many are asked for.
        shards: u64,
        /// How many there may be.
        cells: u64,
    },
}

impl Plan {
    /// The number of the format that this version writes and reads.
    pub const SCHEMA: u64 = 1;

    /// The plan of a study of these cells, which stand in the order of the grid.
    pub fn new(terms: Terms, cells: &[Cell]) -> Self {
        let Terms { scenario, variations, seeds, precision, rare, gate, traces } = terms;
        let of_grid = grid(&variations).into_iter();
        let planned = of_grid.zip(cells).map(|(values, cell)| {
            let settings = variations.iter().zip(values);
            PlannedCell {
                settings: settings.map(|(variation, value)| variation.setting(value)).collect(),
                sha256: meaning_of(&cell.loaded.resolved),
                yaml: cell.loaded.to_yaml().to_owned(),
                gate: cell.loaded.scenario.gate.iter().map(Place::of).collect(),
            }
        });
        let mut plan = Self {
            coalmine_sweep_plan: Self::SCHEMA,
            coalmine: env!("CARGO_PKG_VERSION").to_owned(),
            hash: String::new(),
            scenario,
            seeds,
            precision,
            rare,
            gate,
            traces,
            shards: 1,
            cells: planned.collect(),
            variations,
        };
        plan.hash = plan.hashed();
        plan
    }

    /// The same, divided into so many shards.
    ///
    /// # Errors
    /// It cannot be divided into so many.
    pub fn divided(self, shards: u64) -> Result<Self, PlanError> {
        let cells = self.cells.len() as u64;
        match self.precision.is_some() && shards > cells {
            true => Err(PlanError::TooManyShards { shards, cells }),
            false => Ok(Self { shards: shards.max(1), ..self }),
        }
    }

    /// What is to be made.
    pub fn extent(&self) -> Extent {
        Extent { cells: self.cells.len(), seeds: self.seeds, precision: self.precision }
    }

    /// What the scenario of the cell of this index was read as, before it was written into the
    /// plan: `loaded` is what was read from there.
    ///
    /// # Errors
    /// It does not mean what it was planned to.
    ///
    /// # Panics
    /// There is no such cell.
    pub fn restored(&self, index: usize, mut loaded: Loaded) -> Result<Loaded, PlanError> {
        let PlannedCell { sha256, gate, .. } = &self.cells[index];
        let lines = &mut loaded.scenario.gate;
        if meaning_of(&loaded.resolved) != *sha256 || lines.len() != gate.len() {
            let what = format!("cell {index} does not mean what it meant");
            return Err(PlanError::Changed { what });
        }
        for (line, place) in lines.iter_mut().zip(gate) {
            (line.file, line.line) = (place.file.clone(), place.line);
        }
        Ok(loaded)
    }

    /// Whether it has a shard of this number among as many.
    pub const fn has(&self, shard: Shard) -> bool {
        shard.of == self.shards && shard.index < shard.of
    }

    /// The text of its file.
    pub fn to_json(&self) -> String {
        outline(self)
    }

    /// The plan that the text of a file holds.
    ///
    /// # Errors
    /// It is none, of another version, or was changed.
    pub fn from_json(text: &str) -> Result<Self, PlanError> {
        let plan: Self = serde_json::from_str(text).map_err(|error| PlanError::Malformed {
            problem: format!(
                "{} at line {}, column {}",
                json_problem(&error),
                error.line(),
                error.column()
            ),
        })?;
        let known = env!("CARGO_PKG_VERSION");
        if plan.coalmine != known || plan.coalmine_sweep_plan != Self::SCHEMA {
            let (found, known) = (plan.coalmine, known.to_owned());
            return Err(PlanError::OtherVersion { found, known });
        }
        let changed = |what: &str| Err(PlanError::Changed { what: what.to_owned() });
        if plan.hash != plan.hashed() {
            return changed("its hash is not that of its content");
        }
        let cells: Option<usize> =
            plan.variations.iter().map(|one| one.values.len()).try_fold(1, usize::checked_mul);
        if cells != Some(plan.cells.len()) || plan.cells.is_empty() {
            return changed("its cells are not those of its variations");
        }
        if plan.seeds.count == 0 || plan.shards == 0 {
            return changed("it has no seed or no shard");
        }
        if (plan.cells.len() as u64).checked_mul(plan.seeds.count).is_none() {
            return changed("it has more runs than can be counted");
        }
        plan.clone().divided(plan.shards)
    }

    /// The hash over all that decides the rows.
    fn hashed(&self) -> String {
        let mut all = json!({
            "rows": RowsFile::SCHEMA, "plan": self.coalmine_sweep_plan, "block": BLOCK,
            "coalmine": self.coalmine, "scenario": self.scenario, "variations": self.variations,
            "seeds": self.seeds, "precision": self.precision, "gate": self.gate,
            "traces": self.traces, "cells": self.cells,
        });
        if self.rare {
            all["rare"] = json!(true);
        }
        sha256(all.to_string().as_bytes())
    }
}

impl Place {
    fn of(line: &GateLine) -> Self {
        Self { file: line.file.clone(), line: line.line }
    }
}

/// The digest of what a scenario means, whatever it is written like.
fn meaning_of(resolved: &Value) -> String {
    sha256(resolved.to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::super::example::{cells, loaded, plan, variations};
    use super::*;

    #[test]
    fn a_plan_is_read_back_as_it_was_written() {
        let plan = plan(None).divided(5).unwrap();
        assert_eq!(Plan::from_json(&plan.to_json()), Ok(plan.clone()));
        assert!(plan.has(Shard { index: 4, of: 5 }));
        assert!(!plan.has(Shard { index: 4, of: 6 }));
        let again = Plan::new(
            Terms {
                scenario: plan.scenario.clone(),
                variations: variations(),
                seeds: plan.seeds,
                precision: None,
                rare: false,
                gate: plan.gate.clone(),
                traces: Vec::new(),
            },
            &cells(&["p(rollback) > 1%"]),
        );
        assert_eq!(again.hash, plan.hash, "shards are no part of it");
    }

    #[test]
    fn whatever_decides_the_rows_is_part_of_the_hash() {
        let first = plan(None);
        let changes: [fn(&mut Plan); 9] = [
            |plan| plan.rare = true,
            |plan| plan.seeds.first += 1,
            |plan| plan.seeds.count += 1,
            |plan| plan.precision = Some(Precision::new(0.01).unwrap()),
            |plan| plan.gate.push("rollbacks == 1".to_owned()),
            |plan| plan.cells[1].yaml.push(' '),
            |plan| plan.cells[1].sha256.push('0'),
            |plan| plan.variations[0].path.push('x'),
            |plan| {
                let (path, sha256) = ("peak.trace".to_owned(), "0".to_owned());
                plan.traces.push(FileDigest { path, sha256 });
            },
        ];
        for change in changes {
            let mut changed = first.clone();
            change(&mut changed);
            assert_ne!(changed.hashed(), first.hash);
            let error = Plan::from_json(&changed.to_json()).unwrap_err();
            assert!(error.to_string().contains("was changed after it was made"), "{error}");
        }
    }

    #[test]
    fn what_is_no_plan_of_this_version_is_refused() {
        let plan = plan(Some(0.1));
        let mut other = plan.clone();
        other.coalmine = "0.0.0".to_owned();
        let text = Plan::from_json(&other.to_json()).unwrap_err().to_string();
        assert!(text.contains("of coalmine 0.0.0"), "{text}");
        for text in ["", "{}", "[1]", "{\"coalmine_sweep_plan\": 1}"] {
            assert!(matches!(Plan::from_json(text), Err(PlanError::Malformed { .. })), "{text}");
        }
        let cells = plan.cells.len() as u64;
        assert_eq!(
            plan.divided(cells + 1),
            Err(PlanError::TooManyShards { shards: cells + 1, cells })
        );
    }

    #[test]
    fn a_cell_of_the_plan_is_what_it_was_planned_from() {
        let plan = plan(None);
        let read: Vec<Loaded> = plan.cells.iter().map(|cell| loaded(&cell.yaml, &[])).collect();
        for (index, cell) in cells(&[]).iter().enumerate() {
            let restored = plan.restored(index, read[index].clone()).unwrap();
            assert_eq!(restored.resolved, cell.loaded.resolved);
            let lines = |loaded: &Loaded| -> Vec<(String, u32)> {
                loaded.scenario.gate.iter().map(|line| (line.text.clone(), line.line)).collect()
            };
            assert_eq!(lines(&restored), lines(&cell.loaded));
        }
        assert!(plan.restored(0, read[1].clone()).is_err());
    }
}
