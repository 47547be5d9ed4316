//! A claim about the engine that a case refutes.

use std::fmt;

/// What must always hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Claim {
    /// The weights of a model sum to 1.
    WeightsSumToOne,
    /// No unpinned request goes to a version with weight 0.
    NothingAtWeightZero,
    /// Between a rollback and an explicit redeploy the version gets no unpinned request.
    NothingAfterRollback,
    /// Only a command moves a tag, but for `stable` at a promotion.
    TagsStay,
    /// The fold of the journal is the live state, byte for byte.
    FoldIsLiveState,
    /// Requests assigned are requests ended and requests in flight.
    RequestsAddUp,
    /// The evidence of every rollback is that of a breach.
    EvidenceHolds,
    /// The canary of a rollout has the weight of its step.
    StepHasItsWeight,
    /// What is due is not due any more once it has been carried out.
    DueIsDone,
}

/// A claim that does not hold, and where that came out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refuted {
    /// What does not hold.
    pub claim: Claim,
    /// After which operation, from 0.
    pub operation: usize,
    /// What was found instead.
    pub found: String,
}

impl fmt::Display for Refuted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "after operation {}: {:?}: {}", self.operation, self.claim, self.found)
    }
}
