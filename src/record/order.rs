//! What a command asked for, and why it was refused: kept by kind and value, not in words.

use serde::{Deserialize, Serialize};

use crate::engine::{Assignment, CommandError, CommandKind, Target};
use crate::units::{Duration, KeyId, Ratio, TagName, VersionId};

/// What a command asks for. Versions are named as the command named them: by id or by tag.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// To make a version known.
    Register {
        /// Which.
        version: VersionId,
    },
    /// To let a tag name a version.
    Tag {
        /// The tag.
        tag: TagName,
        /// The version.
        version: Target,
        /// Whether the earlier holder stays in the tag's history.
        preserve_previous: bool,
    },
    /// To attach the results of a run to a version.
    Evaluate {
        /// The version.
        version: Target,
    },
    /// To set the weights.
    Split {
        /// The versions with their weights.
        shares: Vec<OrderedShare>,
        /// Whether versions that were rolled back may be among them.
        redeploy: bool,
    },
    /// To choose how the split chooses.
    Assignment {
        /// How.
        assignment: Assignment,
    },
    /// To replace the policies.
    Policies,
    /// To replace the rules.
    Rules {
        /// The names of the new triggers, in their order; empty where none is checked.
        triggers: Vec<String>,
    },
    /// To make an access key.
    CreateKey {
        /// Which.
        key: KeyId,
    },
    /// To give an access key another secret.
    RegenerateKey {
        /// Which.
        key: KeyId,
        /// How long the old secret stays valid.
        grace: Duration,
        /// How long the key's client goes on with the old one, where that is planned.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        adopted_after: Option<Duration>,
        /// The version that the key is made for from then on.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        version: Option<Target>,
    },
    /// To forget an access key.
    RevokeKey {
        /// Which.
        key: KeyId,
    },
    /// To give all traffic to a version.
    Rollback {
        /// Which; absent: the last stable.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<Target>,
    },
    /// To begin a rollout.
    Rollout {
        /// The canary.
        version: Target,
        /// Whether it may have been rolled back.
        redeploy: bool,
    },
    /// To make a version the stable.
    Promote {
        /// Which.
        version: Target,
        /// Whether it may have been rolled back.
        redeploy: bool,
    },
    /// To stop the rollout where it is.
    Pause,
    /// To let the rollout go on.
    Resume,
    /// To end the rollout.
    Abort,
    /// To begin a phase with a part of its plan: told where that is refused.
    Begin {
        /// The phase (an index).
        phase: u16,
        /// The part.
        with: PhasePart,
    },
    /// What an older version of coalmine told in words alone.
    Told(String),
}

/// A part of a phase that names versions, by id or by tag.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PhasePart {
    /// Its weights for a model.
    Split {
        /// The versions with their weights.
        shares: Vec<OrderedShare>,
    },
    /// Its rollout.
    Rollout {
        /// The canary.
        version: Target,
    },
    /// Its faults on a version.
    Faults {
        /// Which.
        version: Target,
    },
}

/// A version's share in an ordered split.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct OrderedShare {
    /// The version.
    pub version: Target,
    /// Its weight.
    pub weight: Ratio,
}

/// Why a command was refused.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// What the engine said.
    Reason(CommandError),
    /// No version has the tag that is named.
    NoHolder {
        /// The tag.
        tag: Target,
    },
    /// What was told in words alone: by a gateway over its interface, or by an older version of
    /// coalmine.
    Told(String),
}

impl OrderedShare {
    /// The shares of versions in a split.
    pub fn all(shares: &[(Target, Ratio)]) -> Vec<Self> {
        let share = |(version, weight): &(Target, Ratio)| Self {
            version: version.clone(),
            weight: *weight,
        };
        shares.iter().map(share).collect()
    }
}

impl Order {
    /// Whether it is about access keys alone, which are no model's.
    pub const fn is_of_keys(&self) -> bool {
        match self {
            Self::CreateKey { .. } | Self::RevokeKey { .. } => true,
            Self::RegenerateKey { version, .. } => version.is_none(),
            _ => false,
        }
    }
}

impl From<&CommandKind> for Order {
    fn from(kind: &CommandKind) -> Self {
        match kind {
            CommandKind::Register(version) => Self::Register { version: version.id.clone() },
            CommandKind::Tag { tag, version, preserve_previous } => {
                let (tag, version) = (tag.clone(), version.clone());
                Self::Tag { tag, version, preserve_previous: *preserve_previous }
            }
            CommandKind::Evaluate { version, .. } => Self::Evaluate { version: version.clone() },
            CommandKind::Split { shares, redeploy } => {
                Self::Split { shares: OrderedShare::all(shares), redeploy: *redeploy }
            }
            CommandKind::Assignment(assignment) => Self::Assignment { assignment: *assignment },
            CommandKind::Policies(_) => Self::Policies,
            // A gateway's alone, where all models are more than those that follow.
            CommandKind::FollowDefaultRules => Self::Rules { triggers: Vec::new() },
            CommandKind::Rules(rules) | CommandKind::DefaultRules(rules) => {
                let checked = rules.triggers.iter().filter(|_| rules.enable);
                Self::Rules { triggers: checked.map(|trigger| trigger.id.clone()).collect() }
            }
            CommandKind::CreateKey(key) => Self::CreateKey { key: key.id.clone() },
            CommandKind::RegenerateKey { key, grace, version, .. } => {
                let (key, version) = (key.clone(), version.clone());
                Self::RegenerateKey { key, grace: *grace, adopted_after: None, version }
            }
            CommandKind::RevokeKey(key) => Self::RevokeKey { key: key.clone() },
            CommandKind::Rollback(to) => Self::Rollback { to: to.clone() },
            CommandKind::StartRollout { version, redeploy, .. } => {
                Self::Rollout { version: version.clone(), redeploy: *redeploy }
            }
            CommandKind::Promote { version, redeploy } => {
                Self::Promote { version: version.clone(), redeploy: *redeploy }
            }
            CommandKind::Pause => Self::Pause,
            CommandKind::Resume => Self::Resume,
            CommandKind::Abort => Self::Abort,
        }
    }
}
