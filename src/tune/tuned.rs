//! What a search for rules has found for one combination of what is varied.

use serde::{Deserialize, Serialize};

use super::tried::{Alarms, HarmRatio, Tried};
use super::yardstick::Yardstick;
use crate::study::ShareOfRuns;
use crate::units::{Duration, Ratio};

/// What a search has found.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tuned {
    /// What is normal for the stable version.
    pub normal: Normal,
    /// What is normal for the canary without a fault of its own: where it is worse, rules were
    /// sought that let that pass.
    pub normal_canary: Normal,
    /// The rounds of the search.
    pub rounds: Vec<Round>,
    /// How many checks it took to prove a set, or to give up: each with runs of its own.
    pub checks: u64,
    /// The sets that checks disproved, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failed: Vec<FailedCheck>,
    /// The rules that the scenario has; absent where none of them roll back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub present: Option<Tried>,
    /// The sets that were tried beside them: that with the least harm first.
    pub tried: Vec<Tried>,
    /// The name of the one that is recommended: the least harm of those proved to keep the limit;
    /// absent where none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recommended: Option<String>,
    /// The harm of the recommended rules as a share of that of the present ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against_present: Option<HarmRatio>,
    /// The same of the faults that the search has not seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against_present_held_out: Option<HarmRatio>,
    /// Where the present rules fall short, fault by fault.
    pub shortfalls: Vec<Shortfall>,
}

impl Tuned {
    /// The recommended rules, if there are any.
    pub fn best(&self) -> Option<&Tried> {
        let name = self.recommended.as_ref()?;
        self.tried.iter().find(|tried| tried.name == *name)
    }
}

impl Normal {
    /// As it was measured.
    pub(super) const fn of(measured: Yardstick) -> Self {
        let Yardstick { error_rate, latency_p50, latency_p99 } = measured;
        Self { error_rate, latency_p50, latency_p99 }
    }
}

/// What is normal for a version.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Normal {
    /// The share of its requests that fail.
    pub error_rate: Ratio,
    /// The median latency of its successes, in nanoseconds; absent where nothing succeeded.
    #[serde(default, rename = "latency_p50_ns", skip_serializing_if = "Option::is_none")]
    pub latency_p50: Option<Duration>,
    /// Their 99th percentile, likewise.
    #[serde(default, rename = "latency_p99_ns", skip_serializing_if = "Option::is_none")]
    pub latency_p99: Option<Duration>,
}

/// A set that a check disproved: chance had let it look better than it is.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailedCheck {
    /// Its triggers.
    pub triggers: Vec<String>,
    /// In how many runs of the healthy release it rolled back.
    pub alarms: Alarms,
}

/// A round of the search.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Round {
    /// How many triggers were tried.
    pub triggers: u64,
    /// In how many runs of each fault so far.
    pub seeds: u64,
    /// In how many runs of the healthy release so far.
    pub healthy: u64,
}

/// Why the present rules do not see a fault, or see it late.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shortfall {
    /// Which (its place in the list).
    pub fault: usize,
    /// What keeps them from seeing it.
    pub why: Why,
    /// The share of runs in which they found it.
    pub found: ShareOfRuns,
    /// How many requests more they harm than the recommended rules, in the mean of a run.
    pub more_harm: f64,
}

/// What keeps rules from seeing a fault.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// At this share of checks there were too few requests in the window; elsewhere no comparison
    /// ever held.
    NoData(Ratio),
    /// No comparison ever held: the fault is below every threshold.
    NeverInBreach,
    /// Comparisons held at this share of checks, but not long enough in most runs.
    NotForLong(Ratio),
    /// They find it, and the recommended rules find it sooner.
    Late,
}
