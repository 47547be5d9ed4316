//! The triggers of a rule set one by one: as they are now, and as ones that are watched and may not
//! act.

use super::subject::Subject;
use crate::engine::{
    Action, RawRules, RawTrigger, RuleSet, RulesError, Safeguards, Trigger, TriggerKind,
};

/// The triggers of `rules` that can roll the canary back, each by itself: a judge takes with it its
/// part of the probability of a false alarm that it shares. None where the rules are switched off.
pub(super) fn present_triggers(rules: &RuleSet, subject: &Subject) -> Vec<RawTrigger> {
    if !rules.enable {
        return Vec::new();
    }
    let sharing = rules.judges().filter(|(_, judge)| judge.shares_alpha()).count();
    let raw = rules.to_raw();
    let own = rules.triggers.iter().zip(raw.conditions);
    let acting = own.filter(|(trigger, _)| acts(trigger, subject)).map(|(trigger, raw)| {
        let shares = matches!(&trigger.kind, TriggerKind::Judge(judge) if judge.shares_alpha());
        let alpha = if shares { Some(rules.alpha.get() / sharing as f64) } else { raw.alpha };
        RawTrigger { id: Some(format!("{PRESENT}{}", trigger.id)), alpha, ..raw }
    });
    acting.collect()
}

/// The triggers of `rules` that cannot roll the canary back, as they are: whoever takes other rules
/// keeps them. None where the rules are switched off: other rules would switch them on.
pub(super) fn told_only(rules: &RuleSet, subject: &Subject) -> Vec<RawTrigger> {
    if !rules.enable {
        return Vec::new();
    }
    let raw = rules.to_raw().conditions;
    let own = rules.triggers.iter().zip(raw);
    own.filter(|(trigger, _)| !acts(trigger, subject)).map(|(_, raw)| raw).collect()
}

/// Whether a firing takes the canary's traffic away.
pub(super) fn acts(trigger: &Trigger, subject: &Subject) -> bool {
    let elsewhere = match &trigger.action {
        Action::RollbackToLastStable => true,
        Action::RollbackTo(target) => !subject.is_canary(target.as_str()),
        Action::Pause | Action::Notify => false,
    };
    let watches =
        trigger.version.as_ref().is_none_or(|version| subject.is_canary(version.as_str()));
    elsewhere && watches
}

/// `more` behind `triggers`, but for those that are there already under whatever name; one whose
/// name is taken gets a number.
pub(super) fn with_more(mut triggers: Vec<RawTrigger>, more: Vec<RawTrigger>) -> Vec<RawTrigger> {
    let nameless = |raw: &RawTrigger| RawTrigger { id: None, ..raw.clone() };
    let bare = |id: &str| id.strip_prefix(PRESENT).unwrap_or(id).to_owned();
    for raw in more {
        if triggers.iter().any(|known| nameless(known) == nameless(&raw)) {
            continue;
        }
        let taken: Vec<String> =
            triggers.iter().filter_map(|known| known.id.as_deref().map(bare)).collect();
        let id = raw.id.clone().unwrap_or_default();
        let numbered = (2..).map(|number| format!("{id} ({number})"));
        let id = std::iter::once(id.clone()).chain(numbered).find(|id| !taken.contains(&bare(id)));
        triggers.push(RawTrigger { id, ..raw });
    }
    triggers
}

/// Rules that watch for `triggers` and never act; what counts as an error is what `rules` say.
///
/// # Errors
/// One of the triggers is refused.
pub(super) fn observed(rules: &RuleSet, triggers: &[RawTrigger]) -> Result<RuleSet, RulesError> {
    let notify = |raw: &RawTrigger| RawTrigger { action: Some("notify".to_owned()), ..raw.clone() };
    let raw = RawRules {
        conditions: triggers.iter().map(notify).collect(),
        rate_limited_is_error: rules.classification.rate_limited_is_error,
        ..RawRules::default()
    };
    RuleSet::new(&raw, Safeguards { refuse_long_interval: false, ..Safeguards::default() })
}

/// What stands before the names of triggers that the scenario has now.
pub(super) const PRESENT: &str = "present: ";

#[cfg(test)]
mod tests {
    use super::super::example::{subject, triggers};
    use super::*;

    fn rules(text: &str) -> RuleSet {
        let raw: RawRules = serde_json::from_str(text).unwrap();
        RuleSet::new(&raw, Safeguards::default()).unwrap()
    }

    #[test]
    fn only_what_takes_the_canarys_traffic_away_is_tried_and_the_rest_is_kept() {
        let of = |id: &str, more: &str| {
            format!(
                r#"{{"id": "{id}", "metric": "error_rate", "operator": ">", "threshold": 0.1,
                     "duration_seconds": 30, {more}}}"#
            )
        };
        let all = [
            of("a", r#""action": "rollback_to_last_stable""#),
            of("b", r#""action": "rollback_to:v1""#),
            of("c", r#""action": "rollback_to:beta""#),
            of("d", r#""action": "notify""#),
            of("e", r#""action": "rollback_to_last_stable", "version": "v1""#),
            r#"{"id": "f", "judge": "sequential", "action": "rollback_to_last_stable"}"#.to_owned(),
            r#"{"id": "g", "judge": "sequential", "metric": "latency_p95", "action": "notify"}"#
                .to_owned(),
        ];
        let rules = rules(&format!(r#"{{"alpha": 0.01, "conditions": [{}]}}"#, all.join(", ")));
        let ids = |all: Vec<RawTrigger>| -> Vec<String> {
            all.into_iter().filter_map(|raw| raw.id).collect()
        };
        let acting = present_triggers(&rules, &subject());
        assert_eq!(acting[2].alpha, Some(0.005), "two judges share it");
        assert_eq!(ids(acting), ["present: a", "present: b", "present: f"]);
        assert_eq!(ids(told_only(&rules, &subject())), ["c", "d", "e", "g"]);
        let off = RuleSet { enable: false, ..rules };
        assert!(present_triggers(&off, &subject()).is_empty());
        assert!(told_only(&off, &subject()).is_empty());
    }

    #[test]
    fn what_is_there_is_not_tried_twice_and_a_name_that_is_taken_gets_a_number() {
        let first = triggers().swap_remove(0);
        let present = RawTrigger { id: Some("present: a".to_owned()), ..first.clone() };
        let other = RawTrigger { threshold: Some(0.3), ..first.clone() };
        let all = with_more(vec![present], vec![first, other]);
        let ids: Vec<_> = all.iter().filter_map(|raw| raw.id.as_deref()).collect();
        assert_eq!(ids, ["present: a", "a (2)"]);
    }
}
