//! How far a judge has come, as the status shows it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::engine::{Judgement, Reading};
use crate::record::reading_text;

/// How far a judge has come.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Judgement")]
pub(super) struct JudgementView {
    /// How far it has come on the way to a breach, from 1 on one. Of a sequential judge, the
    /// logarithm of its evidence over that of 1 over alpha; 0: none, or it speaks for the version.
    /// Of ranks, which part of the nearer half of their interval lies beyond what is tolerated; 0:
    /// the version's values are no worse.
    progress: f64,
    /// What it has seen, in words: of ranks in its window; else since the version's activation, and
    /// of an objective since it turned bad.
    seen: String,
    /// The same in figures, as the evidence of a firing has them.
    #[schemars(with = "serde_json::Value")]
    reading: Reading,
}

impl From<Judgement> for JudgementView {
    fn from(judgement: Judgement) -> Self {
        Self {
            progress: judgement.progress,
            seen: reading_text(&judgement.reading, "requests"),
            reading: judgement.reading,
        }
    }
}
