//! The rule set: all triggers of a deployment.
//!
//! A rule that cannot work as its author meant is refused where it is made, with the field at
//! fault: the threshold of the wrong unit, the interval longer than the duration. Knows nothing of
//! the files that rules are written in.

use serde::{Deserialize, Serialize};

use super::Trigger;
use crate::exchange::Classification;

/// All triggers of a deployment, with whom to tell.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct RuleSet {
    /// Whether the triggers are checked at all.
    pub enable: bool,
    /// What counts as an error, in windows and for judges.
    pub classification: Classification,
    /// In the order of the file: at one check the first that fires wins.
    pub triggers: Vec<Trigger>,
    /// Where firings are told.
    pub notification: Notification,
}

/// Whom a firing is told to.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Notification {
    /// A Slack incoming webhook.
    pub slack_webhook: Option<String>,
    /// An e-mail address: any text that is not empty.
    pub email: Option<String>,
}

impl RuleSet {
    /// No triggers, nobody to tell.
    pub fn disabled() -> Self {
        Self::default()
    }
}
