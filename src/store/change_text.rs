//! A change in one line, for a journal that is read on a terminal. All of it is in the export.

use crate::engine::{
    Change, Channel, Delivered, NoTarget, Notification, RuleSet, Scope, Shift, Undelivered, Weights,
};
use crate::units::{format_duration, format_set_share};

/// What a change did.
pub(super) fn change_text(change: &Change) -> String {
    match change {
        Change::Registered { version } => {
            format!("version {} registered, upstream {}", version.id, version.upstream)
        }
        Change::Evaluated { version, evaluation } => {
            let (verdict, scenario) = (evaluation.verdict, &evaluation.scenario);
            format!(
                "version {version} evaluated: {verdict} in {scenario}, seed {}",
                evaluation.seed
            )
        }
        Change::Tagged { tag, version, previous, .. } => match previous {
            Some(previous) => format!("tag {tag} set on {version}, before on {previous}"),
            None => format!("tag {tag} set on {version}"),
        },
        Change::Split { shift } => format!("split set: {}", shift_text(shift)),
        Change::Assignment { assignment } => format!("assignment set: {assignment}"),
        Change::Policies { .. } => "policies set".to_owned(),
        Change::Rules { rules } => format!("rules set: {}", rules_text(rules)),
        Change::DefaultRules { rules } => {
            format!("rules of all models without their own set: {}", rules_text(rules))
        }
        Change::DefaultRulesFollowed { rules } => {
            format!("rules are those of all models from now on: {}", rules_text(rules))
        }
        Change::KeyCreated { key, scope, .. } => {
            let scope = match scope {
                Scope::Inference => "inference",
                Scope::Admin => "admin",
            };
            format!("access key {key} created, scope {scope}")
        }
        Change::KeyRegenerated { key, grace, .. } => {
            let grace = format_duration(*grace);
            format!("access key {key} regenerated, old secrets valid for {grace}")
        }
        Change::KeyRevoked { key } => format!("access key {key} revoked"),
        Change::KeysInvalidated { keys, .. } => {
            format!("access keys of a rolled-back version invalidated: {}", listed(keys))
        }
        Change::Notified { recipients, refused } => notified_text(recipients, *refused),
        Change::Delivered { message } => delivered_text(message),
        Change::Undelivered { message } => undelivered_text(message),
        Change::ObservationLost { versions } => {
            format!("restarted; what was observed of {} is lost", listed(versions))
        }
        _ => rollout_text(change),
    }
}

fn rules_text(rules: &RuleSet) -> String {
    let state = if rules.enable { "on" } else { "off" };
    format!("{}, {state}", counted(rules.triggers.len(), "trigger"))
}

fn notified_text(recipients: &Notification, refused: Option<NoTarget>) -> String {
    let Some(why) = refused.map(NoTarget::words) else { return format!("notified: {recipients}") };
    let told =
        if recipients.is_nobody() { String::new() } else { format!("; notified: {recipients}") };
    format!("rollback refused, traffic stays: {why}{told}")
}

fn delivered_text(message: &Delivered) -> String {
    let Delivered { about, channel, recipient } = message;
    format!("{} delivered", message_text(*about, *channel, recipient))
}

fn undelivered_text(message: &Undelivered) -> String {
    let Undelivered { about, channel, recipient, outcome } = message;
    format!("{} not delivered: {outcome}", message_text(*about, *channel, recipient))
}

fn message_text(about: Option<u64>, channel: Channel, recipient: &str) -> String {
    let about = about.map_or_else(String::new, |number| format!(" of entry {number}"));
    let to = if recipient.is_empty() { String::new() } else { format!(" to {recipient}") };
    format!("notice{about} by {channel}{to}")
}

fn rollout_text(change: &Change) -> String {
    match change {
        Change::RolledBack { version, target, shift, .. } => {
            let from = version.as_ref().map_or_else(String::new, |id| format!(" from {id}"));
            format!("rolled back{from} to {target}: {}", shift_text(shift))
        }
        Change::RolloutStarted { version, stable, steps, state, shift, .. } => {
            let steps = counted(steps.steps().len(), "step");
            let shift = shift_text(shift);
            format!("rollout of {version} beside {stable} started, {steps}, {state}: {shift}")
        }
        Change::RolloutStepped { state, shift } => {
            format!("rollout {state}: {}", shift_text(shift))
        }
        Change::RolloutPaused { stage } => format!("rollout paused at step {}", stage.0 + 1),
        Change::RolloutResumed { stage } => format!("rollout resumed at step {}", stage.0 + 1),
        Change::RolloutAborted { shift } => format!("rollout aborted: {}", shift_text(shift)),
        Change::Promoted { version, former_stable, shift, .. } => {
            let former = former_stable.as_ref();
            let former = former.map_or_else(String::new, |id| format!(" in place of {id}"));
            format!("{version} promoted{former}: {}", shift_text(shift))
        }
        _ => "bake over".to_owned(),
    }
}

fn shift_text(shift: &Shift) -> String {
    format!("{} (before: {})", weights_text(&shift.split), weights_text(&shift.previous))
}

fn weights_text(weights: &Weights) -> String {
    let weights = weights.iter();
    let weights = weights.map(|(id, weight)| format!("{id} {}", format_set_share(weight.get())));
    let weights: Vec<_> = weights.collect();
    if weights.is_empty() { "none".to_owned() } else { weights.join(", ") }
}

fn listed<T: ToString>(names: &[T]) -> String {
    names.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}

fn counted(count: usize, one: &str) -> String {
    format!("{count} {one}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::StageIndex;
    use crate::units::{Ratio, VersionId};

    fn shift() -> Shift {
        let weights = |shares: &[(&str, u8)]| {
            let weight = |&(id, percent): &(&str, u8)| {
                (VersionId::new(id).unwrap(), Ratio::from_percent(percent))
            };
            shares.iter().map(weight).collect()
        };
        Shift {
            split: weights(&[("v1", 100)]),
            previous: weights(&[("v1", 95), ("v2", 5)]),
            ..Shift::default()
        }
    }

    #[test]
    fn a_rollback_says_from_where_to_where_and_how_traffic_moved() {
        let id = |id| VersionId::new(id).unwrap();
        let (version, marked) = (Some(id("v2")), vec![id("v2")]);
        let change = Change::RolledBack { version, marked, target: id("v1"), shift: shift() };
        assert_eq!(
            change_text(&change),
            "rolled back from v2 to v1: v1 100 % (before: v1 95 %, v2 5 %)"
        );
    }

    #[test]
    fn a_message_that_did_not_arrive_says_of_what_it_was_to_whom_and_why() {
        let message = |about, recipient: &str| Undelivered {
            about,
            channel: Channel::Mail,
            recipient: recipient.to_owned(),
            outcome: "undeliverable: no mail server is configured".to_owned(),
        };
        let told = |message| change_text(&Change::Undelivered { message });
        assert_eq!(
            told(message(Some(17), "ops@example.com")),
            "notice of entry 17 by mail to ops@example.com not delivered: undeliverable: no mail \
             server is configured"
        );
        assert!(told(message(None, "")).starts_with("notice by mail not delivered: "));
        let (channel, recipient) = (Channel::Webhook, "https://example.com".to_owned());
        let message = Delivered { about: Some(17), channel, recipient };
        assert_eq!(
            change_text(&Change::Delivered { message }),
            "notice of entry 17 by webhook to https://example.com delivered"
        );
    }

    #[test]
    fn a_rollback_that_was_refused_says_why_and_who_is_told() {
        let told = |recipients, refused| change_text(&Change::Notified { recipients, refused });
        assert_eq!(
            told(Notification::default(), Some(NoTarget::RolledBack)),
            "rollback refused, traffic stays: what it would go to was rolled back itself"
        );
        let email = Some("ops@example.com".to_owned());
        let ops = Notification { email, ..Notification::default() };
        assert_eq!(
            told(ops.clone(), Some(NoTarget::Missing)),
            format!(
                "rollback refused, traffic stays: there is no other version to go to; notified: \
                 {ops}"
            )
        );
        assert_eq!(told(ops.clone(), None), format!("notified: {ops}"));
    }

    #[test]
    fn steps_are_counted_from_1_and_no_weights_are_none() {
        let paused = Change::RolloutPaused { stage: StageIndex(0) };
        assert_eq!(change_text(&paused), "rollout paused at step 1");
        let first = Change::Split { shift: Shift { previous: Vec::new(), ..shift() } };
        assert_eq!(change_text(&first), "split set: v1 100 % (before: none)");
        assert_eq!(change_text(&Change::BakeOver), "bake over");
    }
}
