//! One rule on one version: its checks, and what they find in the list of all that ended.

use super::account::Account;
use super::rule_timer::{Found, Lasting, lasting};
use crate::engine::{Condition, NoData, Operator, Slot, Threshold, Trigger, TriggerKind};
use crate::exchange::{Class, Ending};
use crate::metric::{Measure, Metric, Sample};
use crate::units::{Duration, Timestamp};

/// An attempt that ended and was evidence.
#[derive(Clone, Copy, Debug)]
pub(super) struct Seen {
    pub(super) at: Timestamp,
    pub(super) version: Slot,
    pub(super) class: Class,
    pub(super) ending: Ending,
    pub(super) latency: Duration,
}

/// A rule that watches a version.
#[derive(Clone, Debug)]
pub(super) struct RuleWatch {
    /// The rule's place.
    pub(super) trigger: usize,
    pub(super) rule: Trigger,
    pub(super) version: Slot,
    pub(super) next_check: Timestamp,
    activated_at: Timestamp,
    /// How much had ended before it began.
    from: usize,
    checks: Vec<(Timestamp, Found)>,
}

/// What a check must tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Told {
    Began,
    Ended,
    Fired { breach: Lasting, counts: Counts },
}

/// What a window holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Counts {
    /// Requests with the property; beyond the threshold, for a latency.
    pub(super) hits: u64,
    pub(super) requests: u64,
}

/// All that a check looks at.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pub(super) seen: &'a [Seen],
    /// When the attempts in flight on the version began that are evidence.
    pub(super) in_flight: &'a [Timestamp],
    pub(super) stable: Option<Slot>,
}

impl RuleWatch {
    /// `None`: the rule is of a kind that is not worked out anew.
    pub(super) fn new(
        account: &Account,
        trigger: usize,
        version: Slot,
        activated_at: Timestamp,
        now: Timestamp,
        from: usize,
    ) -> Option<Self> {
        let rule = account.rules.triggers[trigger].clone();
        is_modelled(&rule).then(|| {
            let interval = rule.check_interval;
            let mut next_check = activated_at + interval;
            while next_check <= now {
                next_check = next_check + interval;
            }
            Self { trigger, rule, version, next_check, activated_at, from, checks: Vec::new() }
        })
    }

    /// Carries out the check that is due.
    pub(super) fn check(&mut self, view: View<'_>) -> Vec<Told> {
        let TriggerKind::Condition(condition) = &self.rule.kind else { return Vec::new() };
        let at = self.next_check;
        self.next_check = at + self.rule.check_interval;
        let before = lasting(&self.checks, condition.duration);
        let (found, counts) = self.look(condition, at, view);
        let found = match (found, condition.no_data) {
            (Found::NoData, NoData::Breach) => Found::Breach,
            (Found::NoData, NoData::Clear) => Found::Clear,
            (found, _) => found,
        };
        self.checks.push((at, found));
        let mut told = Vec::new();
        match (before, lasting(&self.checks, condition.duration)) {
            (None, Some(_)) => told.push(Told::Began),
            (Some(_), None) => told.push(Told::Ended),
            _ => {}
        }
        let breach = lasting(&self.checks, condition.duration);
        if let Some(breach) = breach.filter(|b| b.reached == 1 && found == Found::Breach) {
            told.push(Told::Fired { breach, counts });
        }
        told
    }

    /// What the window of the check at `at` holds, and what follows.
    fn look(&self, condition: &Condition, at: Timestamp, view: View<'_>) -> (Found, Counts) {
        let start = at - condition.window;
        let inside = |seen: &&Seen| seen.at >= start.max(self.activated_at) && seen.at < at;
        let window = || view.seen[self.from..].iter().filter(inside);
        let own = || window().filter(|seen| seen.version == self.version);
        let mut counts = count(condition, own());
        if sees_in_flight(&self.rule)
            && let Threshold::Time(limit) = condition.threshold
        {
            let whole = (at - limit).second();
            let overdue = view.in_flight.iter().filter(|start| start.second() < whole);
            let overdue = overdue.count() as u64;
            counts = Counts { hits: counts.hits + overdue, requests: counts.requests + overdue };
        }
        let Counts { hits, requests } = counts;
        let least = condition.min_requests.max(1);
        if requests < least && condition.metric != Metric::Requests {
            return (Found::NoData, counts);
        }
        let share = hits as f64 / requests as f64;
        let holds = match (condition.metric.measure(), condition.threshold) {
            (Measure::Requests, Threshold::Count(limit)) => {
                condition.operator.holds(requests, limit)
            }
            (Measure::Quantile(_, quantile), _) => {
                // Beyond are those above, or at and above: the quantile's own rank decides.
                let many = hits * 1_000 > requests * (1_000 - quantile.per_mille());
                many == matches!(condition.operator, Operator::Above | Operator::AtLeast)
            }
            (_, Threshold::Ratio(limit)) => condition.operator.holds(share, limit.get()),
            (_, Threshold::Stable(relation)) => {
                let of_stable = |seen: &&Seen| Some(seen.version) == view.stable;
                let stable = count(condition, window().filter(of_stable));
                let level = stable.hits as f64 / stable.requests as f64;
                let limit = relation.limit((stable.requests > 0).then_some(level));
                match limit.filter(|_| stable.requests >= least) {
                    Some(limit) => condition.operator.holds(share, limit),
                    None => return (Found::NoData, counts),
                }
            }
            _ => false,
        };
        (if holds { Found::Breach } else { Found::Clear }, counts)
    }
}

/// Whether a rule is worked out anew: a judge and a mean are not.
pub(super) fn is_modelled(rule: &Trigger) -> bool {
    match &rule.kind {
        TriggerKind::Condition(condition) => match condition.metric.measure() {
            Measure::Requests
            | Measure::ErrorRate
            | Measure::SuccessRate
            | Measure::RateLimitedRate => true,
            Measure::Quantile(..) => matches!(condition.threshold, Threshold::Time(_)),
            _ => false,
        },
        TriggerKind::Judge(_) => false,
    }
}

pub(super) fn sees_in_flight(rule: &Trigger) -> bool {
    match &rule.kind {
        TriggerKind::Condition(condition) => matches!(
            condition.metric.measure(),
            Measure::Quantile(Sample::Latency | Sample::LatencyAll, _)
        ),
        TriggerKind::Judge(_) => false,
    }
}

fn count<'a>(condition: &Condition, window: impl Iterator<Item = &'a Seen>) -> Counts {
    let mut counts = Counts { hits: 0, requests: 0 };
    for hit in window.filter_map(|seen| hit(condition, seen)) {
        counts.hits += u64::from(hit);
        counts.requests += 1;
    }
    counts
}

/// Whether an attempt has the property that the metric counts; `None` where it does not count.
fn hit(condition: &Condition, seen: &Seen) -> Option<bool> {
    let decided = matches!(seen.class, Class::Success | Class::Error);
    match condition.metric.measure() {
        Measure::Requests => Some(true),
        Measure::ErrorRate => decided.then_some(seen.class == Class::Error),
        Measure::SuccessRate => decided.then_some(seen.class == Class::Success),
        Measure::RateLimitedRate => {
            let limited = seen.ending == Ending::Status(429);
            (decided || limited).then_some(limited)
        }
        Measure::Quantile(sample, _) => {
            let counts = sample == Sample::LatencyAll || seen.class == Class::Success;
            let Threshold::Time(limit) = condition.threshold else { return None };
            let beyond = match condition.operator {
                Operator::Above | Operator::AtMost => seen.latency > limit,
                Operator::AtLeast | Operator::Below => seen.latency >= limit,
            };
            counts.then_some(beyond)
        }
        _ => None,
    }
}
