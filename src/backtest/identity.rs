//! Whether the rules of the day come to what the recording shows. If they do not, the replay is not
//! what happened, and nothing that it says of other rules can be trusted.

use serde::{Deserialize, Serialize};

use super::candidate::{Candidate, end_of};
use super::plan::{Plan, ROUNDING};
use super::recorded_end::RecordedEnd;
use super::replay::Ended;
use super::terms::RolledBackBy;
use crate::units::{Duration, format_count, format_duration, format_elapsed};

/// Whether the rules of the day come to what the recording shows.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Identity {
    /// Whether they do.
    pub holds: bool,
    /// How they compare with it.
    pub finding: Finding,
    /// The end of a canary's traffic that they are held against: that of the version they fire on,
    /// else the earliest; absent where none ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recorded: Option<RecordedEnd>,
    /// By how much the check that fires may lie beside it: its interval, as the grid of checks may
    /// have begun earlier than the first request tells, and the second that an activation is
    /// rounded up to. Absent where nothing fires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<Duration>,
    /// Why they do not, and what may be the reason, in sentences; empty where they do.
    pub reasons: Vec<String>,
}

/// How the rules of the day compare with the recording.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// They fire where the canary's traffic ends.
    Reproduced,
    /// They do not fire before it ends: it was taken by hand.
    ByHand,
    /// They do not fire, and the canary's traffic does not end.
    Quiet,
    /// They fire while the recording shows traffic that they would have taken.
    TooEarly,
    /// They do not fire, though it is said that they did.
    Missing,
}

impl Finding {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Reproduced, Self::ByHand, Self::Quiet, Self::TooEarly, Self::Missing];

    const fn holds(self) -> bool {
        matches!(self, Self::Reproduced | Self::ByHand | Self::Quiet)
    }
}

impl Identity {
    /// Of the rules of the day and what came of them.
    pub(super) fn of(plan: &Plan, day: &Candidate, ended: &Ended) -> Self {
        let fired = day.rolled_back.as_ref().map(|rolled_back| &rolled_back.firing);
        let recorded = match fired {
            Some(firing) => end_of(plan, &firing.version),
            None => plan.canary_ends().min_by_key(|end| end.earliest),
        };
        let interval = fired.and_then(|firing| {
            let triggers = &ended.muted.triggers;
            triggers.iter().find(|trigger| trigger.id == firing.evidence.trigger)
        });
        let tolerance = interval.map(|trigger| trigger.check_interval.saturating_add(ROUNDING));
        let beside = tolerance.unwrap_or_default();
        let by_rules = plan.rolled_back_by == Some(RolledBackBy::Rules);
        let unfired = || if by_rules { Finding::Missing } else { Finding::ByHand };
        let finding = match (fired, recorded) {
            (None, None) if by_rules => Finding::Missing,
            (None, None) => Finding::Quiet,
            (None, Some(_)) => unfired(),
            (Some(_), None) => Finding::TooEarly,
            (Some(firing), Some(end)) => {
                if firing.at.saturating_add(beside) < end.earliest {
                    Finding::TooEarly
                } else if firing.at > end.latest.saturating_add(beside) {
                    unfired()
                } else {
                    Finding::Reproduced
                }
            }
        };
        let holds = finding.holds();
        let reasons = if holds { Vec::new() } else { reasons(finding, day, recorded) };
        Self { holds, finding, recorded: recorded.cloned(), tolerance, reasons }
    }
}

fn reasons(finding: Finding, day: &Candidate, recorded: Option<&RecordedEnd>) -> Vec<String> {
    let mut reasons = Vec::new();
    match (finding, &day.rolled_back) {
        (Finding::TooEarly, Some(rolled_back)) => {
            let firing = &rolled_back.firing;
            let after = recorded.map_or_else(
                || "and the recording shows no end of its traffic".to_owned(),
                |end| {
                    let early = end.earliest.saturating_sub(firing.at);
                    format!("{} before its traffic ends", format_duration(early))
                },
            );
            reasons.push(format!(
                "{} would have taken the traffic of {} at {}, {after}: {} requests follow that it \
                 would not have had",
                day.rules,
                firing.version,
                format_elapsed(firing.at),
                format_count(rolled_back.moved.requests),
            ));
            reasons.push(
                "likely reasons: these are not the rules of the day; their check interval or \
                 window was another; the weights were others (--split); the gateway was restarted \
                 and its windows were empty; the version is not the one that was assigned"
                    .to_owned(),
            );
        }
        (Finding::Missing, _) => {
            let end = recorded.map_or_else(
                || "the recording shows no end of a canary's traffic".to_owned(),
                |end| {
                    format!(
                        "the traffic of {} ends at {}",
                        end.version,
                        format_elapsed(end.earliest)
                    )
                },
            );
            reasons.push(format!("{} does not fire, though it is said to have: {end}", day.rules));
            reasons.push(
                "likely reasons: these are not the rules of the day; requests that the rules saw \
                 are not in the trace, or lack a duration or a status; the weights were others \
                 (--split)"
                    .to_owned(),
            );
        }
        // A finding that holds needs none, and rules that have not fired are none too early.
        _ => {}
    }
    reasons
}
