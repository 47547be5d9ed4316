//! What came of one rule set on the recording.

use serde::{Deserialize, Serialize};

use super::firing::Firing;
use super::plan::Plan;
use super::recorded_end::RecordedEnd;
use super::replay::Ended;
use super::spared::Moved;
use crate::engine::TriggerKind;
use crate::gate::Judgement;
use crate::units::{Duration, Ratio, VersionId};

/// What came of one rule set on the recording.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Candidate {
    /// The file of its rules.
    pub rules: String,
    /// The SHA-256 of the file in hexadecimal.
    pub sha256: String,
    /// Whether the file switches its rules off (`enable: false`), so that none is checked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub disabled: bool,
    /// The first firing that would have taken a version's traffic; absent where none would have.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back: Option<RolledBack>,
    /// Requests that canaries had until then (or to the end), from the beginning of the incident,
    /// where one is stated.
    pub harmed_requests: u64,
    /// Those of them that failed.
    pub harmed_failed: u64,
    /// From the beginning of the incident to the first firing that moves traffic and is no false
    /// alarm; absent where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_to_rollback: Option<Duration>,
    /// From the beginning of the incident to the breach that led to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_to_detect: Option<Duration>,
    /// Firings over the whole trace that would have taken the traffic of a version that was not
    /// bad; absent where nobody says when one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub false_alarms: Option<u64>,
    /// All firings over the whole trace, as if each had only told of itself; the first hundred.
    pub firings: Vec<Firing>,
    /// How many more there were.
    pub more_firings: u64,
    /// How each trigger fared on each version that it watched.
    pub health: Vec<RuleHealth>,
    /// Triggers that were left out, as the trace does not hold what they read: their names, with
    /// what that is.
    pub blind: Vec<(String, String)>,
    /// What became of what was required of it; absent where nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judgement: Option<Judgement>,
}

/// The rollback that a rule set would have carried out.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RolledBack {
    /// The firing.
    pub firing: Firing,
    /// By how much it is earlier than the recorded end of the version's traffic (its earliest
    /// instant), in nanoseconds, negative where it is later; absent where that has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub earlier: Option<i64>,
    /// The requests that it would have moved.
    pub moved: Moved,
}

/// How a trigger fared on a version.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RuleHealth {
    /// Its name.
    pub trigger: String,
    /// The version that it watched.
    pub version: VersionId,
    /// Whether it is a judge: one that has seen no error has nothing to go by, and misses nothing.
    pub judge: bool,
    /// Checks made.
    pub checks: u64,
    /// Those of them that had too little data.
    pub no_data: u64,
    /// Those of them at which it held.
    pub breaches: u64,
    /// Firings.
    pub firings: u64,
    /// How far a judge had come on the way to a breach when it ceased to watch, 1 of one that found
    /// one; absent of conditions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub progress: Option<Ratio>,
}

impl Candidate {
    /// Of a replay that has ended.
    pub(super) fn of(plan: &Plan, (rules, sha256): (String, String), ended: &Ended) -> Self {
        let Ended { muted, seen, health, .. } = ended;
        let rolled_back = seen.first.as_ref().and_then(|firing| {
            let moved = (seen.moved.requests, seen.moved.failed);
            let target = (seen.target.requests, seen.target.failed);
            Some(RolledBack {
                firing: firing.clone(),
                earlier: end_of(plan, &firing.version).map(|end| earlier(firing.at, end)),
                moved: Moved::new(firing.target.clone()?, moved, target),
            })
        });
        let since = |at: fn(&Firing) -> Duration| {
            let from = plan.incident?.from;
            seen.first_true.as_ref().map(|firing| at(firing).saturating_sub(from))
        };
        let health = health.iter().map(|(trigger, version, health)| {
            let trigger = &muted.triggers[*trigger];
            RuleHealth {
                trigger: trigger.id.clone(),
                version: plan.id(*version).clone(),
                judge: matches!(trigger.kind, TriggerKind::Judge(_)),
                checks: health.checks,
                no_data: health.no_data,
                breaches: health.breaches,
                firings: health.firings,
                progress: health.progress,
            }
        });
        Self {
            rules,
            sha256,
            disabled: !muted.rules.enable,
            rolled_back,
            harmed_requests: seen.harmed.requests,
            harmed_failed: seen.harmed.failed,
            time_to_rollback: since(|firing| firing.at),
            time_to_detect: since(|firing| firing.first_breach),
            false_alarms: plan.incident.map(|_| seen.false_alarms),
            firings: seen.firings.clone(),
            more_firings: seen.more_firings,
            health: health.collect(),
            blind: muted.blind.iter().map(|(id, what)| (id.clone(), (*what).to_owned())).collect(),
            judgement: None,
        }
    }
}

/// The recorded end of a version's traffic.
pub(super) fn end_of<'a>(plan: &'a Plan, version: &VersionId) -> Option<&'a RecordedEnd> {
    plan.ends.iter().flatten().find(|end| end.version == *version)
}

fn earlier(at: Duration, end: &RecordedEnd) -> i64 {
    let nanos = |at: Duration| i64::try_from(at.as_nanos()).unwrap_or(i64::MAX);
    nanos(end.earliest).saturating_sub(nanos(at))
}
