//! What is kept of a run that looks for a rare rollback.

use super::row::Row;
use crate::rare::{RareFigure, RareRun};

impl Row {
    /// What is kept of the run of a seed for the cell of this index.
    pub fn of_rare(cell: u32, seed: u64, run: &RareRun) -> Self {
        let hit = match run.figure {
            RareFigure::Weighted { .. } => run.rolled_back_after.is_some(),
            RareFigure::Split { ln_probability } => ln_probability.is_some(),
        };
        let hit = u64::from(hit);
        Self {
            cell,
            seed,
            requests: run.requests,
            rollbacks: hit,
            false_rollbacks: hit,
            trigger: run.trigger,
            rolled_back_after: run.rolled_back_after,
            rare: Some(run.figure),
            ..Self::empty()
        }
    }

    /// One in which nothing happened.
    const fn empty() -> Self {
        Self {
            cell: 0,
            seed: 0,
            requests: 0,
            failed: 0,
            rollbacks: 0,
            false_rollbacks: 0,
            promotions: 0,
            trigger: None,
            rolled_back_after: None,
            time_to_detect: None,
            time_to_rollback: None,
            watched: None,
            blast_requests: 0,
            blast_failed: 0,
            blast_slowed: 0,
            open_ended: false,
            unreached: 0,
            missed_faults: 0,
            values: Vec::new(),
            rare: None,
        }
    }
}
