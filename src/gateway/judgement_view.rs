//! How far a judge has come, as the status shows it.

use schemars::JsonSchema;
use serde::Serialize;

use crate::engine::Judgement;
use crate::record::reading_text;

/// How far a judge has come.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Judgement")]
pub(super) struct JudgementView {
    /// The part of the evidence that is needed: the logarithm of what there is over that of 1 over
    /// alpha. 0: none, or it speaks for the version; from 1 on it suffices.
    progress: f64,
    /// What it has seen since the version's activation, in words.
    seen: String,
    /// The same in figures, as the evidence of a firing has them.
    reading: serde_json::Value,
}

impl From<&Judgement> for JudgementView {
    fn from(judgement: &Judgement) -> Self {
        Self {
            progress: judgement.progress(),
            seen: reading_text(&judgement.reading, "requests"),
            reading: serde_json::to_value(&judgement.reading).unwrap_or_default(),
        }
    }
}
