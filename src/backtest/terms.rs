//! What the user says of a recording, beside what it shows itself.

use serde::{Deserialize, Serialize};

use crate::units::{Duration, ModelId, Ratio, TagName, VersionId};

/// What the user says of a recording. Times are since the trace began.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Terms {
    /// The model whose requests are looked at; `None`: the only one.
    pub model: Option<ModelId>,
    /// The version that was the stable; `None`: the one that was there first.
    pub stable: Option<VersionId>,
    /// Tags that rules may name, beside `stable`.
    pub tags: Vec<(TagName, VersionId)>,
    /// The splits that were in force, in the order of time; empty: those that were observed.
    pub splits: Vec<SaidSplit>,
    /// When the canary lost its traffic; `None`: what the recording shows.
    pub rolled_back: Option<SaidEnd>,
    /// Who took it; `None`: not known.
    pub rolled_back_by: Option<RolledBackBy>,
    /// From when to when the canary was bad; `None`: not known. Without an end it lasted until the
    /// canary lost its traffic.
    pub incident: Option<(Duration, Option<Duration>)>,
}

/// A split that was in force from an instant on.
#[derive(Clone, PartialEq, Debug)]
pub struct SaidSplit {
    /// From when.
    pub from: Duration,
    /// The weights; versions that are not named had none.
    pub shares: Vec<(VersionId, Ratio)>,
}

/// When the canary lost its traffic.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SaidEnd {
    /// At this instant.
    At(Duration),
    /// Not within the recording.
    Never,
}

/// Who took the canary's traffic.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RolledBackBy {
    /// Somebody, by a command.
    Hand,
    /// The rules of the day.
    Rules,
}
