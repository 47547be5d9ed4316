//! What became of one request.

use serde::{Deserialize, Serialize};

use crate::exchange::{Class, Observed, Request, VersionIndex};
use crate::units::Timestamp;

/// A request that has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// What was asked.
    pub request: Request,
    /// The phase in which it was assigned (an index).
    pub phase: u16,
    /// The version that the split chose.
    pub assigned: VersionIndex,
    /// Whether that was the canary or the stable when it was assigned.
    pub arm: Arm,
    /// When it was sent.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// What the engine made of its end.
    pub class: Class,
    /// What its client saw.
    pub observed: Observed,
    /// Whether its version had become bad by the time it was assigned.
    pub after_onset: bool,
    /// What the stable would have done with it; known in simulation only, and asked for only after
    /// the onset.
    pub counterfactual: Option<Counterfactual>,
}

/// What the stable would have done with a request of a bad version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counterfactual {
    /// Whether the stable would have failed it too.
    pub failed: bool,
    /// Whether it was answered more than 20 % slower than the stable would have.
    pub slowed: bool,
}

/// Which side of the split a version stood on when a request was assigned.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// The version that the tag `stable` named.
    Stable,
    /// Any other.
    Canary,
}
