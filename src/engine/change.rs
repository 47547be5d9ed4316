//! What a journal entry changes: durable state, with every effect resolved.

use serde::{Deserialize, Serialize};

use super::{
    Assignment, Delivered, Digest, Evaluation, Ladder, MadeFor, NoTarget, Notification, Policies,
    RolloutState, RuleSet, Scope, StageIndex, Undelivered, Version,
};
use crate::units::{Duration, KeyId, ModelId, Ratio, TagName, VersionId};

/// A change of durable state, with its effects resolved: what a fold of the journal needs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A version became known.
    Registered {
        /// All that it is.
        version: Box<Version>,
    },
    /// The results of a run were attached to a version.
    Evaluated {
        /// Which.
        version: VersionId,
        /// What the run said.
        evaluation: Box<Evaluation>,
    },
    /// A tag was set.
    Tagged {
        /// The tag.
        tag: TagName,
        /// The version that it names now.
        version: VersionId,
        /// The version that it named before.
        previous: Option<VersionId>,
        /// Whether `previous` stays in the tag's history.
        preserve_previous: bool,
    },
    /// The weights were set by hand.
    Split {
        /// How traffic moved.
        shift: Shift,
    },
    /// How the split chooses was set.
    Assignment {
        /// How it chooses now.
        assignment: Assignment,
    },
    /// The policies were set.
    Policies {
        /// All of them.
        policies: Box<Policies>,
    },
    /// The rules of a model were set: it has rules of its own.
    Rules {
        /// All of them, with their defaults filled in.
        rules: Box<RuleSet>,
    },
    /// The rules of all models were set that have none of their own.
    DefaultRules {
        /// All of them, with their defaults filled in.
        rules: Box<RuleSet>,
    },
    /// A model gave up its own rules for those of all models.
    DefaultRulesFollowed {
        /// Those that it has by that.
        rules: Box<RuleSet>,
    },
    /// All traffic went to one version, and a rollout that was under way ended.
    RolledBack {
        /// The version at fault; `None` for a rollback by command.
        version: Option<VersionId>,
        /// The versions that are not deployed again by accident: the one at fault, or those whose
        /// traffic a command took.
        marked: Vec<VersionId>,
        /// Where the traffic went.
        target: VersionId,
        /// How traffic moved.
        shift: Shift,
    },
    /// A rollout began.
    RolloutStarted {
        /// The canary.
        version: VersionId,
        /// The stable that it takes its traffic from.
        stable: VersionId,
        /// Its steps.
        steps: Ladder,
        /// How long its rules cover the canary after its promotion.
        bake: Duration,
        /// Where it stands: at its first step, paused if that waits for a command.
        state: RolloutState,
        /// How traffic moved.
        shift: Shift,
    },
    /// A rollout went on to its next step.
    RolloutStepped {
        /// Where it stands now.
        state: RolloutState,
        /// How traffic moved.
        shift: Shift,
    },
    /// A rollout was stopped where it is.
    RolloutPaused {
        /// The step that goes on until it is resumed.
        stage: StageIndex,
    },
    /// A rollout was let go on.
    RolloutResumed {
        /// The step that is under way.
        stage: StageIndex,
    },
    /// A rollout was ended, and its traffic went back to the stable.
    RolloutAborted {
        /// How traffic moved.
        shift: Shift,
    },
    /// A version became the stable and got all traffic.
    Promoted {
        /// Which.
        version: VersionId,
        /// The stable before it.
        former_stable: Option<VersionId>,
        /// How long the rules still cover it.
        bake: Duration,
        /// How traffic moved.
        shift: Shift,
    },
    /// The rules no longer cover the version that was promoted.
    BakeOver,
    /// The engine was restarted: what it had seen of these versions is lost.
    ObservationLost {
        /// Those that were being watched.
        versions: Vec<VersionId>,
    },
    /// An access key was made.
    KeyCreated {
        /// Its name.
        key: KeyId,
        /// The digest of its secret.
        digest: Digest,
        /// What it permits.
        scope: Scope,
        /// For which models; `None`: for all.
        models: Option<Vec<ModelId>>,
        /// The version that it was made for.
        made_for: Option<MadeFor>,
    },
    /// An access key got another secret.
    KeyRegenerated {
        /// Which.
        key: KeyId,
        /// The digest of its new secret.
        digest: Digest,
        /// How long old secrets stay valid.
        grace: Duration,
        /// The version that it was made for.
        made_for: Option<MadeFor>,
    },
    /// An access key was forgotten.
    KeyRevoked {
        /// Which.
        key: KeyId,
    },
    /// A rollback invalidated the keys that were made for its version: never, unless the safeguard
    /// against it is off.
    KeysInvalidated {
        /// Which.
        keys: Vec<KeyId>,
        /// What they were made for.
        made_for: MadeFor,
    },
    /// A trigger's firing is to be told. Changes nothing itself: where the firing moved traffic or
    /// paused a rollout, the entry before says so.
    Notified {
        /// To whom.
        #[serde(default, skip_serializing_if = "Notification::is_nobody")]
        recipients: Notification,
        /// Why its rollback had nowhere to go, if that was so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refused: Option<NoTarget>,
    },
    /// A message about another entry reached its recipient. Changes nothing.
    Delivered {
        /// Which message.
        message: Delivered,
    },
    /// A message about another entry did not reach its recipient, and is not tried again. Changes
    /// nothing.
    Undelivered {
        /// Which message, and why.
        message: Undelivered,
    },
}

impl Change {
    /// Whether it is one of what all models share.
    pub const fn is_of_all(&self) -> bool {
        self.is_of_keys() || matches!(self, Self::DefaultRules { .. })
    }

    /// Whether it is one of access keys.
    pub const fn is_of_keys(&self) -> bool {
        matches!(
            self,
            Self::KeyCreated { .. }
                | Self::KeyRegenerated { .. }
                | Self::KeyRevoked { .. }
                | Self::KeysInvalidated { .. }
        )
    }

    /// How it moves traffic, if it does.
    pub const fn shift(&self) -> Option<&Shift> {
        match self {
            Self::Split { shift }
            | Self::RolledBack { shift, .. }
            | Self::RolloutStarted { shift, .. }
            | Self::RolloutStepped { shift, .. }
            | Self::RolloutAborted { shift }
            | Self::Promoted { shift, .. } => Some(shift),
            _ => None,
        }
    }
}

/// Versions with their weights, in the catalog's order.
pub type Weights = Vec<(VersionId, Ratio)>;

/// A change of the weights, with what follows from it.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shift {
    /// The new weights; a version that is absent has weight 0.
    pub split: Weights,
    /// Those before.
    pub previous: Weights,
    /// Versions that begin anew, whatever became of them before.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub redeployed: Vec<VersionId>,
    /// Tags that were dropped with the traffic of their versions: none, unless the safeguard
    /// against it is off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped_tags: Vec<TagName>,
}
