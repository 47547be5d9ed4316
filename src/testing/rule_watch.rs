//! One rule on one version: its checks, and what they find in the list of all that ended.

use super::account::Account;
use super::rule_errors::{ErrorCount, Sufficed};
use super::rule_figure::{Figure, Late};
use super::rule_timer::{Found, Lasting, lasting};
use super::seen::Seen;
use crate::engine::{Condition, NoData, Operator, Slot, Trigger, TriggerKind};
use crate::metric::{Measure, Metric, Sample};
use crate::units::{Duration, Price, Timestamp};

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
    /// What a judge counts.
    pub(super) errors: Option<ErrorCount>,
}

/// What a check must tell.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Told {
    Began,
    Ended,
    Fired { breach: Lasting, sight: Sight },
}

/// What stood before a rule at a check.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Sight {
    Condition {
        figure: Figure,
        stable: Option<Figure>,
        limit: Option<f64>,
    },
    /// `None`: the evidence does not suffice yet.
    Judge(Option<Sufficed>),
}

/// All that a check looks at.
#[derive(Clone, Copy, Debug)]
pub(super) struct View<'a> {
    pub(super) seen: &'a [Seen],
    /// When the attempts in flight on the version began that are evidence.
    pub(super) in_flight: &'a [Timestamp],
    pub(super) stable: Option<Slot>,
    /// By slot.
    pub(super) prices: &'a [Option<Price>],
}

impl RuleWatch {
    /// `None`: the rule is one that is not worked out anew.
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
            let errors = match &rule.kind {
                TriggerKind::Judge(judge) => ErrorCount::new(judge),
                TriggerKind::Condition(_) => None,
            };
            let checks = Vec::new();
            Self { trigger, rule, version, next_check, activated_at, from, checks, errors }
        })
    }

    /// Carries out the check that is due.
    pub(super) fn check(&mut self, view: View<'_>) -> Vec<Told> {
        let at = self.next_check;
        self.next_check = at + self.rule.check_interval;
        let (found, sight, duration) = match &self.rule.kind {
            TriggerKind::Condition(condition) => {
                let (found, sight) = self.look(condition, at, view);
                let found = match (found, condition.no_data) {
                    (Found::NoData, NoData::Breach) => Found::Breach,
                    (Found::NoData, NoData::Clear) => Found::Clear,
                    (found, _) => found,
                };
                (found, sight, condition.duration)
            }
            TriggerKind::Judge(_) => {
                let sufficed = self.errors.as_ref().and_then(ErrorCount::sufficed);
                let found = if sufficed.is_some() { Found::Breach } else { Found::Clear };
                (found, Sight::Judge(sufficed), Duration::ZERO)
            }
        };
        let before = lasting(&self.checks, duration);
        self.checks.push((at, found));
        let mut told = Vec::new();
        let breach = lasting(&self.checks, duration);
        match (before, breach) {
            (None, Some(_)) => told.push(Told::Began),
            (Some(_), None) => told.push(Told::Ended),
            _ => {}
        }
        if let Some(breach) = breach.filter(|b| b.reached == 1 && found == Found::Breach) {
            told.push(Told::Fired { breach, sight });
        }
        told
    }

    /// What the window of the check at `at` holds, and what follows.
    fn look(&self, condition: &Condition, at: Timestamp, view: View<'_>) -> (Found, Sight) {
        let start = (at - condition.window).max(self.activated_at);
        let seen = &view.seen[self.from..];
        let place = |time| seen.partition_point(|seen| seen.at < time);
        let inside = &seen[place(start)..place(at).max(place(start))];
        let window =
            |version: Option<Slot>| inside.iter().filter(move |seen| Some(seen.version) == version);
        let price = |version: Slot| view.prices.get(usize::from(version.0)).copied().flatten();
        let stable = condition.threshold.is_relative().then(|| {
            let price = view.stable.and_then(price);
            Figure::of(condition, window(view.stable), Late::default(), price, None)
        });
        let limit = condition.threshold.limit(stable.and_then(|stable| stable.value));
        let time = limit.map(|limit| Duration::from_nanos(limit.max(0.0) as u64));
        let late = match time.filter(|_| sees_in_flight(&self.rule)) {
            Some(time) => late(view.in_flight, at, time),
            None => Late::default(),
        };
        let (own, price) = (window(Some(self.version)), price(self.version));
        let figure = Figure::of(condition, own, late, price, time);
        let sight = Sight::Condition { figure, stable, limit };
        let least = condition.min_requests.max(1);
        let few = figure.requests < least && condition.metric != Metric::Requests;
        let few_stable = stable.is_some_and(|stable| stable.requests < least);
        let Some(limit) = limit.filter(|_| !few && !few_stable) else {
            return (Found::NoData, sight);
        };
        let holds = match condition.metric.measure() {
            Measure::Quantile(_, quantile) => {
                // Beyond are those above, or at and above: the quantile's own rank decides.
                let Figure { hits, requests, .. } = figure;
                let many = hits * 1_000 > requests * (1_000 - quantile.per_mille());
                many == matches!(condition.operator, Operator::Above | Operator::AtLeast)
            }
            _ => figure.value.is_some_and(|value| condition.operator.holds(value, limit)),
        };
        (if holds { Found::Breach } else { Found::Clear }, sight)
    }
}

/// The attempts in flight that began in a second which ended at least `limit` before `at`; each is
/// as old as the end of that second.
fn late(in_flight: &[Timestamp], at: Timestamp, limit: Duration) -> Late {
    let whole = (at - limit).second();
    let seconds = in_flight.iter().map(|start| start.second()).filter(|second| *second < whole);
    seconds.fold(Late::default(), |late, second| {
        let age = at.since(Timestamp::from_second(second + 1));
        Late { count: late.count + 1, nanos: late.nanos + u128::from(age.as_nanos()) }
    })
}

/// Whether a rule is worked out anew. A quantile against the stable's is not, nor what is slow by
/// the stable's measure: the engine takes both from a histogram, within 1 %. Nor are objectives and
/// ranks.
pub(super) fn is_modelled(rule: &Trigger) -> bool {
    match &rule.kind {
        TriggerKind::Condition(condition) => {
            let quantile = matches!(condition.metric.measure(), Measure::Quantile(..));
            !(quantile && condition.threshold.is_relative())
        }
        TriggerKind::Judge(judge) => ErrorCount::new(judge).is_some(),
    }
}

pub(super) fn sees_in_flight(rule: &Trigger) -> bool {
    match &rule.kind {
        TriggerKind::Condition(condition) => matches!(
            condition.metric.measure(),
            Measure::Quantile(Sample::Latency | Sample::LatencyAll, _)
                | Measure::Mean(Sample::Latency | Sample::LatencyAll)
        ),
        TriggerKind::Judge(_) => false,
    }
}
