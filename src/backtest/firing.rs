//! A firing of a rule set on recorded traffic.

use serde::{Deserialize, Serialize};

use crate::engine::Evidence;
use crate::units::{Duration, VersionId};

/// A trigger that fired.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Firing {
    /// When, since the trace began: the check at which it did.
    pub at: Duration,
    /// On which version.
    pub version: VersionId,
    /// What its action is, as it is written.
    pub action: String,
    /// Where the traffic would have gone; absent for an action that moves none, and for a rollback
    /// that has nowhere to go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<VersionId>,
    /// When the breach began that led to it, since the trace began.
    pub first_breach: Duration,
    /// Whether it would have taken traffic from a version that was not bad; absent where it moves
    /// none, and where nobody says when the version was bad.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub false_alarm: Option<bool>,
    /// What the trigger saw.
    pub evidence: Evidence,
}
