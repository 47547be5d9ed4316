//! A rule set whose firings change nothing: every action is turned into a notification of nobody,
//! so that all traffic stays as it was recorded and every firing is seen.

use super::survey::Surveyed;
use crate::engine::{Action, Notification, RuleSet, Trigger, TriggerKind};
use crate::metric::{Measure, Metric, Sample};

/// A rule set whose firings change nothing, with what its actions were.
#[derive(Clone, Debug)]
pub(super) struct Muted {
    /// What the engine is given.
    pub(super) rules: RuleSet,
    /// Its triggers as they were written, in the same order.
    pub(super) triggers: Vec<Trigger>,
    /// The triggers that are left out, as the recording does not hold what they read, with that.
    pub(super) blind: Vec<(String, &'static str)>,
}

impl Muted {
    /// `rules` without their actions, for a recording of which this was `found`.
    pub(super) fn new(rules: &RuleSet, found: &Surveyed) -> Self {
        let mut blind = Vec::new();
        let mut triggers = Vec::new();
        for trigger in &rules.triggers {
            match lacking(trigger, found) {
                Some(what) => blind.push((trigger.id.clone(), what)),
                None => triggers.push(trigger.clone()),
            }
        }
        let muted = |trigger: &Trigger| Trigger { action: Action::Notify, ..trigger.clone() };
        let rules = RuleSet {
            triggers: triggers.iter().map(muted).collect(),
            notification: Notification::default(),
            ..rules.clone()
        };
        Self { rules, triggers, blind }
    }
}

/// What a trigger reads that the recording does not hold.
fn lacking(trigger: &Trigger, found: &Surveyed) -> Option<&'static str> {
    let TriggerKind::Condition(condition) = &trigger.kind else { return None };
    let metric: Metric = condition.metric;
    match metric.measure() {
        Measure::CostPer1k => Some("what a token costs"),
        Measure::LengthFinishRate => Some("why an answer ended"),
        Measure::EmptyRate | Measure::OutputTokens | Measure::OutputSpeed
            if found.without_output > 0 =>
        {
            Some("the output tokens of every success")
        }
        Measure::Mean(Sample::FirstToken) | Measure::Quantile(Sample::FirstToken, _)
            if found.with_first_token == 0 =>
        {
            Some("when the first token of a success came")
        }
        _ => None,
    }
}
