//! A claim about the engine that a case refutes.

use std::fmt;

/// What must always hold. `docs/engine.md` lists the same under "What always holds".
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Claim {
    /// The weights of a model sum to 1.
    WeightsSumToOne,
    /// The canary of a rollout has the weight of its step.
    StepHasItsWeight,
    /// No unpinned request goes to a version with weight 0, but for a fallback to the stable.
    NothingAtWeightZero,
    /// Between a rollback and an explicit redeploy no unpinned request is assigned to the version,
    /// retried on it or falls back to it.
    NothingAfterRollback,
    /// A rollback marks the version at fault, or those whose traffic a command took, until they
    /// are deployed again.
    WhatIsRolledBackIsMarked,
    /// A rollback gives all traffic to the stable, or where its rule says, and never to a version
    /// that was rolled back.
    RollbackHasItsTarget,
    /// Only a command moves a tag, but for `stable` at a promotion; with the safeguard off those of
    /// versions that lose their traffic are dropped, and no others.
    TagsStay,
    /// A secret is accepted exactly while it is its key's, or in its grace; rollbacks leave it
    /// valid, unless the safeguard is off.
    KeysStayValid,
    /// The fold of the journal is the live state, byte for byte.
    FoldIsLiveState,
    /// A restored engine has the state of the one that was stopped.
    RestoredIsTheSame,
    /// Requests assigned are requests ended and requests in flight.
    RequestsAddUp,
    /// The evidence of every firing is that of a breach.
    EvidenceHolds,
    /// Rules find, begin, end, fire and act as their text says, on what was seen to end, and on
    /// nothing else.
    RulesDoAsTheySay,
    /// A pin gets the version that it names, or is told that there is none.
    PinIsKept,
    /// The split chooses as its assignment says.
    AssignmentIsKept,
    /// What failed is attempted again exactly as the policies say.
    PoliciesAreKept,
    /// A command that is refused changes nothing, one that is accepted one thing.
    CommandIsOneChange,
    /// A model has no more versions than its limit.
    VersionsKeepToTheirLimit,
    /// A rollout moves along its table.
    RolloutFollowsItsTable,
    /// What is due is not due any more once it has been carried out.
    DueIsDone,
}

impl Claim {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::WeightsSumToOne,
        Self::StepHasItsWeight,
        Self::NothingAtWeightZero,
        Self::NothingAfterRollback,
        Self::WhatIsRolledBackIsMarked,
        Self::RollbackHasItsTarget,
        Self::TagsStay,
        Self::KeysStayValid,
        Self::FoldIsLiveState,
        Self::RestoredIsTheSame,
        Self::RequestsAddUp,
        Self::EvidenceHolds,
        Self::RulesDoAsTheySay,
        Self::PinIsKept,
        Self::AssignmentIsKept,
        Self::PoliciesAreKept,
        Self::CommandIsOneChange,
        Self::VersionsKeepToTheirLimit,
        Self::RolloutFollowsItsTable,
        Self::DueIsDone,
    ];
}

/// A claim that does not hold, and where that came out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refuted {
    /// What does not hold.
    pub claim: Claim,
    /// After which operation, from 0; `None`: before the first.
    pub operation: Option<usize>,
    /// What was found instead.
    pub found: String,
}

impl fmt::Display for Refuted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.operation {
            Some(operation) => write!(f, "after operation {}", operation + 1)?,
            None => f.write_str("before the first operation")?,
        }
        write!(f, ": {:?}: {}", self.claim, self.found)
    }
}

/// What looking at one thing comes to: nothing, or the claim that does not hold and what was found.
pub(super) type Checked = Result<(), (Claim, String)>;

pub(super) fn claim(holds: bool, claim: Claim, found: impl FnOnce() -> String) -> Checked {
    if holds { Ok(()) } else { Err((claim, found())) }
}
