//! Who is told of what happens in a run.

use super::{Arm, Happening};
use crate::exchange::{Observed, Request, VersionIndex};
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

/// Told of everything that happens, in the order of time. Statically dispatched: a driver is generic
/// over it.
pub trait Observer {
    /// A request was assigned to `version` in phase `phase`.
    fn assigned(&mut self, at: Timestamp, phase: u16, version: VersionIndex, arm: Arm);

    /// A request ended.
    fn completed(&mut self, outcome: &Outcome);

    /// A version became bad, or one that is bad was activated: from here on its requests are harmed.
    fn became_bad(&mut self, at: Timestamp, version: VersionIndex);

    /// Something else happened.
    fn happened(&mut self, at: Timestamp, happening: Happening);
}
