//! What a firing does, and the versions that rules name.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::rule_error::{required, unknown};
use super::{RawTrigger, RuleError};
use crate::units::{TagName, VersionId};

/// What a firing does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// All traffic to the holder of `stable`, or its previous holder if that is at fault.
    RollbackToLastStable,
    /// All traffic to this version.
    RollbackTo(Target),
    /// The rollout under way stops where it is, until it is resumed; without one, the same as
    /// [`Action::Notify`].
    Pause,
    /// Tell, and do nothing else.
    Notify,
}

/// A version named by its id or by a tag.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Target(String);

/// A text that can be the name of no version and of no tag.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{0:?} can be the name of no version and of no tag")]
pub struct NoName(String);

/// As it is written in a file.
impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RollbackToLastStable => f.write_str("rollback_to_last_stable"),
            Self::RollbackTo(target) => write!(f, "rollback_to:{}", target.as_str()),
            Self::Pause => f.write_str("pause"),
            Self::Notify => f.write_str("notify"),
        }
    }
}

impl Target {
    /// The version or tag `name`; `None` where it can be the name of neither.
    pub fn new(name: &str) -> Option<Self> {
        let valid = VersionId::new(name).is_ok() || TagName::new(name).is_ok();
        valid.then(|| Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Target {
    type Error = NoName;
    fn try_from(name: String) -> Result<Self, NoName> {
        Self::new(&name).ok_or(NoName(name))
    }
}

impl From<Target> for String {
    fn from(target: Target) -> Self {
        target.0
    }
}

pub(super) fn action(raw: &RawTrigger) -> Result<Action, RuleError> {
    let name = raw.action.as_deref();
    match required("action", name, "action: rollback_to_last_stable")? {
        "rollback_to_last_stable" => Ok(Action::RollbackToLastStable),
        "pause" => Ok(Action::Pause),
        "notify" => Ok(Action::Notify),
        other => match other.strip_prefix("rollback_to:") {
            Some(name) => Ok(Action::RollbackTo(target("action", name.trim())?)),
            None => Err(unknown("action", other, ACTIONS)),
        },
    }
}

pub(super) fn target(field: &'static str, name: &str) -> Result<Target, RuleError> {
    Target::new(name).ok_or_else(|| unknown(field, name, "a version id or a tag"))
}

const ACTIONS: &str = "rollback_to_last_stable, rollback_to:<version or tag>, pause, notify";
