//! Commands: what the outside can ask of the engine, and why it can refuse.

use serde::{Deserialize, Serialize};

use super::{
    Assignment, Digest, Evaluation, Ladder, NewKey, Policies, Refused, RuleSet, SplitError, Target,
    Version,
};
use crate::exchange::ModelIndex;
use crate::units::{Duration, KeyId, ModelId, Ratio, TagName, VersionId};

/// Something asked of the engine.
#[derive(Clone, PartialEq, Debug)]
pub struct Command {
    /// For which model.
    pub model: ModelIndex,
    /// Who asks: the journal keeps it.
    pub by: String,
    /// What.
    pub kind: CommandKind,
}

/// The kinds of [`Command`].
#[derive(Clone, PartialEq, Debug)]
pub enum CommandKind {
    /// Make a version known. Registering it again with the same content changes nothing.
    Register(Box<Version>),
    /// Let a tag name a version.
    Tag {
        /// The tag.
        tag: TagName,
        /// The version, by id or by another tag.
        version: Target,
        /// Whether the earlier holder stays in the tag's history.
        preserve_previous: bool,
    },
    /// Attach the results of a run to a version.
    Evaluate {
        /// The version, by id or by tag.
        version: Target,
        /// What the run said of it.
        evaluation: Box<Evaluation>,
    },
    /// Set the weights; versions that are not named get 0.
    Split {
        /// Versions, by id or tag, with their weights.
        shares: Vec<(Target, Ratio)>,
        /// Whether versions that were rolled back may be deployed again. All that are named then
        /// begin anew, with empty windows.
        redeploy: bool,
    },
    /// Choose how the split is to choose.
    Assignment(Assignment),
    /// Replace the policies.
    Policies(Box<Policies>),
    /// Replace the rules: the model has rules of its own from now on.
    Rules(RuleSet),
    /// Replace the rules of all models that have none of their own, also of those to come; the
    /// command's model is any.
    DefaultRules(RuleSet),
    /// Let the model follow the rules of all models again.
    FollowDefaultRules,
    /// Make an access key.
    CreateKey(Box<NewKey>),
    /// Give a key another secret.
    RegenerateKey {
        /// Which.
        key: KeyId,
        /// The digest of the new secret.
        digest: Digest,
        /// How long the old secret stays valid; those before it no longer than this.
        grace: Duration,
        /// The version, of the command's model, that it is made for from now on.
        version: Option<Target>,
    },
    /// Forget a key.
    RevokeKey(KeyId),
    /// All traffic to a version; `None`: to the last stable.
    Rollback(Option<Target>),
    /// Raise a canary's weight step by step, and make it the stable at the end.
    StartRollout {
        /// The canary, by id or by tag.
        version: Target,
        /// The steps.
        steps: Ladder,
        /// How long the rules cover it after its promotion.
        bake: Duration,
        /// Whether it may have been rolled back; it then begins anew.
        redeploy: bool,
    },
    /// Make a version the stable, with all traffic, at once; if it has become it already, end its
    /// bake.
    Promote {
        /// The version, by id or by tag; while a rollout is under way, its canary.
        version: Target,
        /// Whether it may have been rolled back; it then begins anew.
        redeploy: bool,
    },
    /// Stop the rollout where it is.
    Pause,
    /// Let the rollout go on.
    Resume,
    /// End the rollout, and give its traffic back to the stable.
    Abort,
}

/// Why a command is refused. Nothing has changed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, thiserror::Error)]
#[serde(rename_all = "snake_case")]
pub enum CommandError {
    /// No such model.
    #[error("no model with index {0}")]
    UnknownModel(u16),
    /// No such version or tag.
    #[error("no version or tag {name:?}; known are {known}")]
    UnknownVersion {
        /// What was asked for.
        name: String,
        /// All versions and tags.
        known: String,
    },
    /// The id is that of a version with another content.
    #[error(
        "version {0} is registered with other content; a version never changes: choose a new id"
    )]
    VersionExists(VersionId),
    /// The id is a tag.
    #[error("version {0} cannot be registered: a tag has this name")]
    VersionIsTag(VersionId),
    /// The model has no room for another version.
    #[error("version {id} cannot be registered: the model has {max_versions} versions, its limit")]
    TooManyVersions {
        /// What was to be registered.
        id: VersionId,
        /// The limit.
        max_versions: u16,
    },
    /// The version names no upstream: nothing would answer for it.
    #[error("version {0} cannot be registered: it names no upstream")]
    NoUpstream(VersionId),
    /// A price is beyond what the journal can hold.
    #[error(
        "version {id} cannot be registered: it charges {usd} USD per 1k tokens; allowed are \
         at most 18000000 USD"
    )]
    Price {
        /// The version.
        id: VersionId,
        /// The higher of its two prices.
        usd: f64,
    },
    /// A metric of an evaluation is no number.
    #[error("metric {metric} is {value}; allowed are finite numbers")]
    MetricNotFinite {
        /// Its name.
        metric: String,
        /// What it is said to be.
        value: f64,
    },
    /// The tag is the id of a version.
    #[error("tag {0} is the id of a version")]
    TagIsVersion(TagName),
    /// The weights are no split.
    #[error(transparent)]
    Split(#[from] SplitError),
    /// Two names of a split are those of one version.
    #[error("version {0} is named twice")]
    NamedTwice(VersionId),
    /// A version was rolled back and may not be deployed by accident.
    #[error("version {0} was rolled back; deploy it again with redeploy")]
    RolledBack(VersionId),
    /// Nothing answers for a version any more.
    #[error(
        "nothing answers for version {version}: its upstream {upstream:?} is no longer there; put \
         it back, or register the version anew under another id and with another upstream"
    )]
    Unreachable {
        /// Which.
        version: VersionId,
        /// What it names.
        upstream: String,
    },
    /// A sequential judge's test holds where chance assigns requests.
    #[error(
        "{judge} cannot watch requests under the assignment {assignment}: its test holds for \
         requests that chance assigns; set the assignment to random or sticky, or take the judge \
         out of the rules"
    )]
    BlindJudge {
        /// Its name.
        judge: String,
        /// How requests are assigned.
        assignment: Assignment,
    },
    /// The id is that of another key.
    #[error("there is an access key {0} already; regenerate it, or choose another id")]
    KeyExists(KeyId),
    /// No such key.
    #[error("no access key {id}; known are {known}")]
    UnknownKey {
        /// What was asked for.
        id: KeyId,
        /// All keys.
        known: String,
    },
    /// A key is for a model that is not there.
    #[error("the access key is for the model {0}, which is not among those that are served")]
    KeyOfUnknownModel(ModelId),
    /// A key was regenerated too often within the grace of its old secrets.
    #[error(
        "{limit} old secrets of access key {key} are valid still, the most that can be; wait, or \
         regenerate it without a grace"
    )]
    TooManySecrets {
        /// Which.
        key: KeyId,
        /// How many there can be.
        limit: usize,
    },
    /// A rollback has nowhere to go, or a rollout nothing to take traffic from.
    #[error("no version holds the tag stable")]
    NoStable,
    /// A rollout under way rests on its stable.
    #[error("the tag stable cannot be moved while a rollout is under way; abort it first")]
    StableInRollout,
    /// The stable cannot be its own canary.
    #[error("version {0} is the stable already")]
    AlreadyStable(VersionId),
    /// A rollout of another version is under way.
    #[error(
        "version {asked} cannot be promoted: a rollout of {under_way} is under way; abort it first"
    )]
    OtherRollout {
        /// What was to be promoted.
        asked: VersionId,
        /// The version of the rollout under way.
        under_way: VersionId,
    },
    /// The rollout does not stand where the command needs it to.
    #[error(transparent)]
    Rollout(#[from] Refused),
}
