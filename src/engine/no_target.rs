//! Why a rollback has nowhere to go.

use serde::{Deserialize, Serialize};

/// Why there is no version that a rollback could go to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoTarget {
    /// What the rule names is not there, or no other version was ever the stable.
    Missing,
    /// What the rule names is the version at fault.
    AtFault,
    /// What it would go to was rolled back itself: by a rule, or by a command that took its
    /// traffic.
    RolledBack,
    /// Nothing answers for what it would go to: its upstream is gone.
    Unreachable,
}

impl NoTarget {
    /// The reason, for people: what a sentence has after "because".
    pub const fn words(self) -> &'static str {
        match self {
            Self::Missing => "there is no other version to go to",
            Self::AtFault => "what the rule names is the version itself",
            Self::RolledBack => "what it would go to was rolled back itself",
            Self::Unreachable => "nothing answers for what it would go to",
        }
    }
}
