//! Commands: what the outside can ask of the engine, and why it can refuse.

use super::{RuleSet, SplitError, Target, Version};
use crate::exchange::ModelIndex;
use crate::units::{Ratio, TagName, VersionId};

/// Something asked of the engine.
#[derive(Clone, PartialEq, Debug)]
pub struct Command {
    /// For which model.
    pub model: ModelIndex,
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
    /// Set the weights; versions that are not named get 0.
    Split {
        /// Versions, by id or tag, with their weights.
        shares: Vec<(Target, Ratio)>,
        /// Whether versions that were rolled back may be deployed again.
        redeploy: bool,
    },
    /// Replace the rules.
    Rules(RuleSet),
    /// All traffic to a version; `None`: the holder of `stable`.
    Rollback(Option<Target>),
}

/// Why a command is refused. Nothing has changed.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
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
    /// The tag is the id of a version.
    #[error("tag {0} is the id of a version")]
    TagIsVersion(TagName),
    /// The weights are no split.
    #[error(transparent)]
    Split(#[from] SplitError),
    /// A version was rolled back and may not be deployed by accident.
    #[error("version {0} was rolled back; deploy it again with redeploy")]
    RolledBack(VersionId),
    /// A rollback has nowhere to go.
    #[error("no version holds the tag stable")]
    NoStable,
}
