//! Journal entries: every accepted command and every automatic action, with its resolved effects
//! and, for an action, the evidence it was taken on.

use serde::{Deserialize, Serialize};

use super::Version;
use crate::units::{Duration, ModelId, Ratio, TagName, Timestamp, VersionId};

/// One entry of the journal.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Entry {
    /// Counted from 1, without gaps.
    pub number: u64,
    /// When it took effect.
    pub at: Timestamp,
    /// Whose deployment it changed.
    pub model: ModelId,
    /// Who wanted it.
    pub cause: Cause,
    /// What it changed.
    pub change: Change,
}

/// Who wanted a change.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// A command from outside.
    Command,
    /// A trigger that fired.
    Trigger(Box<Evidence>),
}

/// A change of durable state, with its effects resolved: what a fold of the journal needs.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// A version became known.
    Registered {
        /// All that it is.
        version: Box<Version>,
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
    /// The weights were set.
    Split {
        /// The new weights; a version that is absent has weight 0.
        split: Weights,
        /// Those before.
        previous: Weights,
    },
    /// The rules were set; their number says how many triggers they hold.
    Rules {
        /// Whether they are checked.
        enabled: bool,
        /// The triggers' names, in their order.
        triggers: Vec<String>,
    },
    /// All traffic went to one version and the failing one was marked.
    RolledBack {
        /// The version at fault; `None` for a rollback by command.
        version: Option<VersionId>,
        /// Where the traffic went.
        target: VersionId,
        /// The weights before.
        previous: Weights,
    },
    /// A trigger told of its firing and changed nothing.
    Notified,
}

/// Versions with their weights, in the catalog's order.
pub type Weights = Vec<(VersionId, Ratio)>;

/// What a trigger saw when it fired: enough to evaluate it again.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The trigger's name.
    pub trigger: String,
    /// The version it fired on.
    pub version: VersionId,
    /// The check at which it fired.
    pub check: Timestamp,
    /// The check at which the breach began that led to the firing.
    pub first_breach: Timestamp,
    /// The timer's age: how long the breach has been seen to hold.
    pub held: Duration,
    /// What was read at the check.
    pub reading: Reading,
}

/// What a trigger read at a check.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// A share of the requests in the window.
    Share {
        /// The metric's name.
        metric: String,
        /// Requests with the property.
        hits: u64,
        /// Requests that count.
        requests: u64,
        /// The comparison that held.
        operator: String,
        /// What it was compared with.
        threshold: Ratio,
        /// The window's length.
        window: Duration,
    },
    /// A latency over the window.
    Time {
        /// The metric's name.
        metric: String,
        /// The metric's value, to within 1 %; `None` where only requests in flight count.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<Duration>,
        /// Requests above the threshold, those in flight included; absent for a mean.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        above: Option<u64>,
        /// Requests that count, those in flight included.
        requests: u64,
        /// Requests in flight for longer than the threshold.
        in_flight: u64,
        /// The comparison that held.
        operator: String,
        /// What it was compared with.
        threshold: Duration,
        /// The window's length.
        window: Duration,
    },
    /// A number of requests in the window.
    Count {
        /// The metric's name.
        metric: String,
        /// Requests.
        requests: u64,
        /// The comparison that held.
        operator: String,
        /// What it was compared with.
        threshold: u64,
        /// The window's length.
        window: Duration,
    },
    /// Too few requests, under a rule that takes that for a breach.
    NoData {
        /// The metric's name.
        metric: String,
        /// Requests.
        requests: u64,
        /// How many there should have been.
        min_requests: u64,
        /// The window's length.
        window: Duration,
    },
    /// The sequential test of the canary's share of errors.
    Sequential {
        /// Errors of the canary since its activation.
        canary_errors: u64,
        /// Errors of the stable over the same time.
        stable_errors: u64,
        /// The canary's share of the two versions' requests.
        expected_share: f64,
        /// The natural logarithm of the evidence against "the canary is no worse".
        ln_evidence: f64,
        /// The probability of a false alarm that was allowed.
        alpha: Ratio,
    },
}
