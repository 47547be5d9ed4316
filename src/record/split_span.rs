//! What clients saw of a split while it was in force.

use serde::{Deserialize, Serialize};

use crate::exchange::ModelIndex;
use crate::units::{Ratio, Timestamp};

/// The requests of one model in one phase under one split, by the version that clients were told
/// of: the one assigned, or, where a cache answered, the one that it had the answer from.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SplitSpan {
    /// Which (an index into the record's models).
    pub model: ModelIndex,
    /// The phase (an index).
    pub phase: u16,
    /// From when on.
    pub at: Timestamp,
    /// The weight of each of its versions.
    pub weights: Vec<Ratio>,
    /// The requests of each of them.
    pub observed: Vec<u64>,
}
