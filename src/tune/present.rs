//! The triggers of a rule set one by one: as they are now, and as ones that are watched and may not
//! act.

use crate::engine::{
    Action, RawRules, RawTrigger, RuleSet, RulesError, Safeguards, Trigger, TriggerKind,
};

/// The triggers of `rules` that roll back, each by itself: a judge takes with it its part of the
/// probability of a false alarm that it shares. None where the rules are switched off.
pub(super) fn present_triggers(rules: &RuleSet) -> Vec<RawTrigger> {
    if !rules.enable {
        return Vec::new();
    }
    let sharing = rules.judges().filter(|(_, judge)| judge.shares_alpha()).count();
    let acts = |trigger: &&Trigger| {
        matches!(trigger.action, Action::RollbackToLastStable | Action::RollbackTo(_))
    };
    let raw = rules.to_raw();
    let own = rules.triggers.iter().zip(raw.conditions);
    let acting = own.filter(|(trigger, _)| acts(trigger)).map(|(trigger, raw)| {
        let shares = matches!(&trigger.kind, TriggerKind::Judge(judge) if judge.shares_alpha());
        let alpha = if shares { Some(rules.alpha.get() / sharing as f64) } else { raw.alpha };
        RawTrigger { id: Some(format!("{PRESENT}{}", trigger.id)), alpha, ..raw }
    });
    acting.collect()
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
