//! What a scenario's rules mean: when each of them is checked, what it does, and what it can see.

use super::judges::innocent;
use crate::engine::{
    Action, Condition, Judge, JudgeTest, NoData, Operator, Relation, RuleSet, Threshold, Trigger,
    TriggerKind,
};
use crate::exchange::ModelIndex;
use crate::metric::{Measure, Metric, Sample, Unit, format_value};
use crate::scenario::{Outlook, Reach, Scenario, Supply};
use crate::units::{Duration, format_counted, format_set_share, format_significant};

/// The lines about all rule sets of a model: its own, and those that commands set.
pub(super) fn rule_lines(scenario: &Scenario, model: ModelIndex) -> Vec<String> {
    let of = match scenario.models.as_slice() {
        [_] => String::new(),
        models => format!(" of {}", models[usize::from(model.0)].id),
    };
    let mut lines = Vec::new();
    let mut before: Option<&RuleSet> = None;
    for (place, rules) in scenario.rule_sets(model) {
        let (from, phase, is_later) = match place {
            None => (String::new(), 0, false),
            Some((phase, command)) => {
                let plan = &scenario.phases[phase];
                let at = plan.commands[command].at;
                let from = format!(" from {at} of phase {} on", plan.name);
                (from, phase, phase > 0 || !at.is_zero())
            }
        };
        let old = before.replace(rules);
        let is_old = |position| {
            let mut places =
                old.iter().flat_map(|old| (0..old.triggers.len()).map(|at| (*old, at)));
            places.any(|(old, at)| rules.position_of(old, at) == Some(position))
        };
        lines.push(String::new());
        if !rules.enable || rules.triggers.is_empty() {
            lines.push(format!("Rules{of}{from}: none; nothing rolls back"));
            continue;
        }
        lines.push(format!("Rules{of}{from}, in order of precedence"));
        lines.extend(of_all(rules));
        lines.extend(recipients(rules).map(|line| format!("{line}; a rehearsal sends nothing")));
        for (position, trigger) in rules.triggers.iter().enumerate() {
            lines.push(format!("  {}", trigger.id));
            if is_old(position) {
                lines.push("    goes on as before".to_owned());
                continue;
            }
            let outlook = outlook(scenario, model, trigger, (phase, is_later));
            let sentences = [meaning(trigger)].into_iter().chain(outlook);
            lines.extend(sentences.map(|sentence| format!("    {sentence}")));
        }
    }
    lines
}

/// The lines about rules that are in force somewhere, in order of precedence: what they mean,
/// whatever the traffic is.
pub(super) fn rule_set_lines(rules: &RuleSet) -> Vec<String> {
    if rules.triggers.is_empty() {
        return vec!["  none; nothing rolls back".to_owned()];
    }
    let off = (!rules.enable).then(|| "  they are off; nothing rolls back".to_owned());
    let mut lines: Vec<String> = off.into_iter().chain(of_all(rules)).collect();
    lines.extend(recipients(rules));
    for trigger in &rules.triggers {
        lines.extend([format!("  {}", trigger.id), format!("    {}", meaning(trigger))]);
    }
    lines
}

/// What holds for a whole rule set, as far as it is more than its conditions.
fn of_all(rules: &RuleSet) -> Vec<String> {
    let mut lines = Vec::new();
    if let Some(alpha) = rules.false_alarms() {
        lines.push(format!(
            "  the judges together fire with a probability of at most {} on {}, deployed together",
            format_significant(alpha, 3),
            innocent(rules)
        ));
    }
    if !rules.classification.rate_limited_is_error {
        lines.push("  a request that is answered 429 counts neither way".to_owned());
    }
    lines
}

/// Whom firings are told.
fn recipients(rules: &RuleSet) -> Option<String> {
    let notification = &rules.notification;
    (!notification.is_nobody()).then(|| format!("  firings are for {notification}"))
}

fn meaning(trigger: &Trigger) -> String {
    let action = match &trigger.action {
        Action::RollbackToLastStable => "roll back to the last stable".to_owned(),
        Action::RollbackTo(target) => format!("roll back to {}", target.as_str()),
        Action::Pause => "pause the rollout".to_owned(),
        Action::Notify => "tell, and change nothing".to_owned(),
    };
    let every = trigger.check_interval;
    let of = trigger.version.as_ref().map_or_else(String::new, |v| format!(" of {}", v.as_str()));
    match &trigger.kind {
        TriggerKind::Judge(judge) => {
            let of = if of.is_empty() { " of a canary" } else { &of };
            format!("every {every}: {action} once {}", judged(judge, of))
        }
        TriggerKind::Condition(condition) => {
            let Condition { metric, operator, threshold, duration, window, .. } = condition;
            let threshold = threshold_text(*metric, *threshold);
            let data = data_text(condition);
            format!(
                "every {every}: {action} once {metric}{of} {operator} {threshold} over the last \
                 {window} has held for {duration}{data}"
            )
        }
    }
}

/// What a judge must find; `of` says on which version.
fn judged(judge: &Judge, of: &str) -> String {
    let block = |block: Duration| match block.is_zero() {
        true => String::new(),
        false => format!("; of each {block} only the first counts"),
    };
    match &judge.test {
        JudgeTest::ErrorShare { prior_strength } => format!(
            "the share of errors{of} is too large to be chance (prior strength {prior_strength})"
        ),
        JudgeTest::ErrorRatio { effect, burst_block } => format!(
            "errors{of} are more frequent than the stable's by more than {}, beyond chance{}",
            format_set_share(*effect),
            block(*burst_block)
        ),
        JudgeTest::Slowness(slowness) => format!(
            "requests{of} that are slower than the stable's {} over {} by more than {} are more \
             frequent than its own by more than half, beyond chance{}",
            slowness.metric,
            slowness.window,
            format_set_share(slowness.effect),
            block(slowness.burst_block)
        ),
        JudgeTest::Objective(objective) => {
            let limit =
                objective.limit.map_or_else(String::new, |limit| format!(" beyond {limit}"));
            format!(
                "the share of requests{of} that {} counts{limit} is above {}, beyond chance",
                objective.metric, objective.share
            )
        }
        JudgeTest::Ranks(ranks) => format!(
            "{}{of} is worse than the stable's by the ranks of its values over stretches of {}, \
             over {} at most, with {} confidence at one look: many looks find more than there is",
            ranks.metric, ranks.bucket, ranks.window, ranks.confidence
        ),
    }
}

fn threshold_text(metric: Metric, threshold: Threshold) -> String {
    match threshold {
        Threshold::Ratio(ratio) => ratio.to_string(),
        Threshold::Time(time) => time.to_string(),
        Threshold::Count(count) => count.to_string(),
        Threshold::Number(number) => format_value(metric.unit(), number),
        Threshold::Money(money) => format_value(metric.unit(), money.as_usd()),
        Threshold::Stable(Relation::Times(factor)) => {
            format!("{} times the stable's", format_significant(factor, 6))
        }
        Threshold::Stable(Relation::Plus(more)) => {
            let base = if metric.unit() == Unit::Time { more / 1e9 } else { more };
            let sign = if base < 0.0 { "less" } else { "plus" };
            format!("the stable's {sign} {}", format_value(metric.unit(), base.abs()))
        }
    }
}

/// When a check has no data, and what it does then.
fn data_text(condition: &Condition) -> String {
    if condition.metric == Metric::Requests && !condition.threshold.is_relative() {
        return String::new();
    }
    let of_stable = if condition.threshold.is_relative() { ", or in the stable's," } else { "" };
    let then = match condition.no_data {
        NoData::Hold => "",
        NoData::Breach => ", which counts as a breach",
        NoData::Clear => ", which clears the timer",
    };
    let least = condition.min_requests;
    format!("; under {least} requests in the window{of_stable} there is no data{then}")
}

/// When a trigger can fire, and what it sees and does not see. It is in force from a phase on;
/// `is_later`: versions may have been active before.
fn outlook(
    scenario: &Scenario,
    model: ModelIndex,
    trigger: &Trigger,
    (phase, is_later): (usize, bool),
) -> impl Iterator<Item = String> {
    let outlook = Outlook::of(trigger);
    let never = silent(trigger, &outlook);
    if let Some(never) = never {
        return vec![never].into_iter();
    }
    let (out_of_reach, may_fire) = scenario.out_of_reach(model, trigger, phase);
    let mut lines: Vec<String> = Vec::new();
    let supply = supply(scenario, model, trigger, phase);
    if let Some(never) = without_data(trigger, &supply).filter(|_| may_fire > 0) {
        return vec![never].into_iter();
    }
    if may_fire == 0 && out_of_reach.is_empty() {
        let what = match trigger.version {
            Some(_) => "what it watches never gets traffic",
            None => "no canary ever gets traffic",
        };
        lines.push(format!("never fires: {what}"));
    }
    if may_fire > 0 {
        let earliest = earliest(trigger, &outlook, is_later) + &least_traffic(trigger);
        lines.push(match sight(trigger, &outlook) {
            Some(sight) => format!("{earliest}; {sight}"),
            None => earliest,
        });
        lines.extend(supply.iter().map(|supply| in_a_window(scenario, model, trigger, supply)));
    }
    for reach in &out_of_reach {
        let alone = may_fire == 0 && out_of_reach.len() == 1;
        lines.push(too_few(scenario, reach, outlook.checks, alone));
    }
    lines.into_iter()
}

/// When a trigger fires at the earliest. Checks count from the activation: of a version that was
/// active before the rules were set the first may come at once.
fn earliest(trigger: &Trigger, outlook: &Outlook, is_later: bool) -> String {
    let after_activation = outlook.earliest_firing;
    if !is_later {
        return format!("fires {after_activation} after the activation at the earliest");
    }
    let interval = trigger.check_interval.as_nanos();
    let held = Duration::from_nanos(after_activation.as_nanos().saturating_sub(interval));
    let first = if held.is_zero() {
        "at the first check after these rules are set".to_owned()
    } else {
        format!("{held} after the first check under these rules")
    };
    format!(
        "fires {first} at the earliest, on a version that is activated later {after_activation} \
         after that"
    )
}

/// The traffic without which a trigger has no data.
fn least_traffic(trigger: &Trigger) -> String {
    let breaches = match &trigger.kind {
        TriggerKind::Condition(condition) => condition.no_data == NoData::Breach,
        TriggerKind::Judge(_) => false,
    };
    let Some((least, window)) = least_requests(trigger).filter(|_| !breaches) else {
        return String::new();
    };
    let requests = format_counted(least, "request", "requests");
    format!(", and only while the version completes {requests} in {window}")
}

/// How many requests the window of a condition that has data or none can expect.
fn supply(scenario: &Scenario, model: ModelIndex, trigger: &Trigger, phase: usize) -> Vec<Supply> {
    match least_requests(trigger) {
        Some((_, window)) => scenario.supply(model, trigger, window, phase),
        None => Vec::new(),
    }
}

/// The requests without which a condition has no data, and the window that holds them.
fn least_requests(trigger: &Trigger) -> Option<(u64, Duration)> {
    let TriggerKind::Condition(condition) = &trigger.kind else { return None };
    let counts = condition.metric == Metric::Requests && !condition.threshold.is_relative();
    let needs = !counts && condition.min_requests > 0;
    needs.then_some((condition.min_requests, condition.window))
}

/// Why a trigger has no data whatever happens, if it has none: no requests come.
fn without_data(trigger: &Trigger, supply: &[Supply]) -> Option<String> {
    let none = !supply.is_empty() && supply.iter().all(|supply| supply.requests == 0.0);
    let TriggerKind::Condition(condition) = &trigger.kind else { return None };
    let waits = condition.no_data != NoData::Breach;
    (none && waits).then(|| "never fires: no requests come while it is in force".to_owned())
}

/// What a window holds on average, against what it needs.
fn in_a_window(
    scenario: &Scenario,
    model: ModelIndex,
    trigger: &Trigger,
    supply: &Supply,
) -> String {
    let Supply { version, phase, requests } = *supply;
    let Some((least, window)) = least_requests(trigger) else { return String::new() };
    let (id, phase) = (&scenario.version(version).id, &scenario.phases[phase].name);
    let retries = scenario.models[usize::from(model.0)].policies.retry.is_some();
    let aside = if retries { ", retries aside" } else { "" };
    let count = format_significant(requests, 3);
    let held = format!(
        "on average at most {count} requests of {id} are in {window} (phase {phase}, its \
         busiest){aside}"
    );
    if requests >= least as f64 {
        held
    } else {
        format!("seldom has data: {held}; it takes {least}")
    }
}

/// Why a trigger never fires whatever happens, if it does not.
fn silent(trigger: &Trigger, outlook: &Outlook) -> Option<String> {
    if !outlook.possible {
        return Some("never fires: no value of the metric lies beyond the threshold".to_owned());
    }
    let TriggerKind::Condition(Condition { duration, .. }) = &trigger.kind else { return None };
    let interval = trigger.check_interval;
    let forgets = !duration.is_zero() && interval > duration.ceil_secs();
    forgets.then(|| {
        format!(
            "never fires: it is checked every {interval} alone, and a breach that is not seen \
             again within {duration} is forgotten"
        )
    })
}

/// A version that gets no traffic for long enough.
fn too_few(scenario: &Scenario, reach: &Reach, needed: u64, alone: bool) -> String {
    let Reach { version, longest, checks } = *reach;
    let (on, canary) = match alone {
        true => (String::new(), "the canary".to_owned()),
        false => {
            let id = scenario.version(version).id.to_string();
            (format!(" on {id}"), id)
        }
    };
    let checks = match checks {
        0 => "no check happens".to_owned(),
        1 => "at most 1 check happens".to_owned(),
        more => format!("at most {more} checks happen"),
    };
    let needed = format_counted(needed, "check", "checks in a row");
    format!("never fires{on}: {checks} while {canary} lasts ({longest}), and it takes {needed}")
}

/// Which incidents a trigger sees.
fn sight(trigger: &Trigger, outlook: &Outlook) -> Option<String> {
    let TriggerKind::Condition(condition) = &trigger.kind else {
        return Some("the more errors it has to see the less they stand out".to_owned());
    };
    let alike = "; what hits the stable alike does not fire it";
    let relative = if condition.threshold.is_relative() { alike } else { "" };
    if let Some(shortest) = outlook.shortest {
        let incident = incident(condition, shortest);
        return Some(format!("once its windows are full it sees {incident}{relative}"));
    }
    let rising = matches!(condition.operator, Operator::Above | Operator::AtLeast);
    let sight = match (condition.metric.measure(), condition.threshold) {
        (_, Threshold::Stable(_)) => {
            "what it sees depends on the stable's figure as well, with which its limit moves"
        }
        (Measure::Requests, _) => "it looks at how much traffic there is, not at how it fares",
        (
            Measure::Mean(_) | Measure::OutputTokens | Measure::OutputSpeed | Measure::CostPer1k,
            _,
        ) => {
            "what it sees depends on how far an incident moves the figure of the whole window, not \
             on its length alone"
        }
        (Measure::SuccessRate, _) if rising => ALL_IS_WELL,
        _ if !rising => ALL_IS_WELL,
        _ => return None,
    };
    Some(format!("{sight}{relative}"))
}

/// The incident that a condition sees if it lasts for `shortest`.
fn incident(condition: &Condition, shortest: Duration) -> String {
    let all = match condition.metric.measure() {
        Measure::ClientErrorRate => "every request is answered 400, 413 or 422",
        Measure::RateLimitedRate => "every request is answered 429",
        Measure::TimeoutRate => "every request times out",
        Measure::EmptyRate => "every answer is empty",
        Measure::LengthFinishRate => "every answer is cut off",
        Measure::Quantile(Sample::FirstToken, _) => "every first token comes later than that",
        Measure::Quantile(..) => "every request takes longer than that",
        _ => {
            return format!("a total outage of {shortest} or more, never a shorter one");
        }
    };
    format!("a stretch of {shortest} or more in which {all}, never a shorter one")
}

const ALL_IS_WELL: &str = "it holds while all is well, and no outage makes it fire";
