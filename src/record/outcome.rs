//! What became of one request.

use serde::{Deserialize, Serialize};

use crate::exchange::{Class, Ending, Observed, Request, VersionIndex};
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
    /// The version whose answer the client got: the assigned one, unless the request fell back to
    /// another, or a cache kept an answer of another.
    pub served: VersionIndex,
    /// How often it was sent to an upstream. 0: a cache before the gateway had an answer, and the
    /// request was assigned to none; `assigned` is then the version that was served.
    pub attempts: u8,
    /// Whether another attempt was to follow one that had failed: then its attempts are told one by
    /// one, even if its client left before the second.
    pub retried: bool,
    /// Whether the assigned version was the canary or the stable at the time, or asked for.
    pub arm: Arm,
    /// When it was sent.
    pub started: Timestamp,
    /// When it ended.
    pub ended: Timestamp,
    /// What the engine made of its end.
    pub class: Class,
    /// What its client saw, from its first attempt to its last.
    pub observed: Observed,
    /// Whether its version had become bad by the time it was assigned.
    pub after_onset: bool,
    /// What the stable would have done with it; asked for only after the onset.
    pub counterfactual: Option<Counterfactual>,
}

/// An attempt that has ended at a request that took several.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// The phase in which the request was assigned (an index).
    pub phase: u16,
    /// The version that it was sent to.
    pub version: VersionIndex,
    /// Whether that was the canary or the stable when it was sent.
    pub arm: Arm,
    /// Whether it was the first at its request.
    pub first: bool,
    /// When it ended.
    pub ended: Timestamp,
    /// What the engine made of its end.
    pub class: Class,
    /// What was observed of this attempt alone.
    pub observed: Observed,
}

/// What the stable would have done with a request of a bad version.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Counterfactual {
    /// Whether the stable would have failed it too.
    pub failed: bool,
    /// Whether it was answered more than 20 % slower than the stable would have.
    pub slowed: bool,
}

impl Counterfactual {
    /// What the stable would have done `instead`, which would have counted as this `class`, with a
    /// request of which this was `observed`.
    pub fn of(observed: &Observed, instead: &Observed, class: Class) -> Self {
        let both_succeed = observed.ending == Ending::Success && instead.ending == Ending::Success;
        let slowed = both_succeed && observed.latency > instead.latency.mul_f64(SLOWED);
        Self { failed: class == Class::Error, slowed }
    }
}

/// Which side of the split a version stood on when a request was assigned.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Arm {
    /// The version that the tag `stable` named.
    Stable,
    /// Any other.
    Canary,
    /// Neither: the request asked for its version, and the split had no part in it.
    Pinned,
}

impl Arm {
    /// All of them, in their order.
    pub const ALL: [Self; 3] = [Self::Stable, Self::Canary, Self::Pinned];
}

/// More than 20 % slower than the stable is harm: the definition of the blast radius.
const SLOWED: f64 = 1.2;
