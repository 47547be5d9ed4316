//! Commands in words: what an operator asked for, to stand after "command:" and "command to".

use crate::record::{Order, OrderedShare, PhasePart, Refusal};
use crate::units::{Duration, KeyId, format_set_share};

/// What a command asks for: `roll back to v1`.
pub(crate) fn order_text(order: &Order) -> String {
    match order {
        Order::Register { version } => format!("register {version}"),
        Order::Tag { tag, version, .. } => format!("tag {} as {tag}", version.as_str()),
        Order::Evaluate { version } => format!("attach results to {}", version.as_str()),
        Order::Split { shares, .. } => format!("split the traffic: {}", shares_text(shares)),
        Order::Assignment { assignment } => format!("assign requests {assignment}"),
        Order::Policies => "set the policies".to_owned(),
        Order::Rules { triggers } if triggers.is_empty() => "take all rules away".to_owned(),
        Order::Rules { triggers } => format!("set the rules {}", triggers.join(", ")),
        Order::CreateKey { key } => format!("make the key {key}"),
        Order::RegenerateKey { key, grace, adopted_after, .. } => {
            regeneration(key, *grace, *adopted_after)
        }
        Order::RevokeKey { key } => format!("revoke the key {key}"),
        Order::Rollback { to: None } => "roll back".to_owned(),
        Order::Rollback { to: Some(to) } => format!("roll back to {}", to.as_str()),
        Order::Rollout { version, .. } => format!("begin a rollout of {}", version.as_str()),
        Order::Promote { version, .. } => format!("promote {}", version.as_str()),
        Order::Pause => "pause the rollout".to_owned(),
        Order::Resume => "resume the rollout".to_owned(),
        Order::Abort => "abort the rollout".to_owned(),
        Order::Begin { with, .. } => format!("begin the phase with {}", part_text(with)),
        Order::Told(text) => text.clone(),
    }
}

/// Why a command was refused.
pub(super) fn refusal_text(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Reason(error) => error.to_string(),
        Refusal::NoHolder { tag } => format!("no version has the tag {}", tag.as_str()),
        Refusal::Told(text) => text.clone(),
    }
}

/// A part of a phase: `faults on beta`.
pub(super) fn part_text(part: &PhasePart) -> String {
    match part {
        PhasePart::Split { shares } => shares_text(shares),
        PhasePart::Rollout { version } => format!("a rollout of {}", version.as_str()),
        PhasePart::Faults { version } => format!("faults on {}", version.as_str()),
    }
}

/// `80 % to stable, 20 % to beta`.
fn shares_text(shares: &[OrderedShare]) -> String {
    let share = |OrderedShare { version, weight }: &OrderedShare| {
        format!("{} to {}", format_set_share(weight.get()), version.as_str())
    };
    shares.iter().map(share).collect::<Vec<_>>().join(", ")
}

fn regeneration(key: &KeyId, grace: Duration, adopted_after: Option<Duration>) -> String {
    let text =
        format!("regenerate the secret of the key {key}: the old one is valid for {grace} more");
    match adopted_after {
        None => text,
        Some(Duration::ZERO) => format!("{text}, its client uses the new one at once"),
        Some(after) if after <= grace => {
            format!("{text}, its client uses the new one after {after}")
        }
        Some(after) => {
            let between = after.saturating_sub(grace);
            format!(
                "{text}, its client uses the new one after {after} and is refused for the \
                 {between} between"
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{CommandError, CommandKind, RuleSet, Target};
    use crate::units::Ratio;

    fn target(name: &str) -> Target {
        Target::new(name).unwrap()
    }

    #[test]
    fn commands_are_told_as_one_would_say_them() {
        let ratio = |share| Ratio::new(share).unwrap();
        let (version, redeploy) = (target("beta"), true);
        for (kind, text) in [
            (CommandKind::Rollback(None), "roll back"),
            (CommandKind::Rollback(Some(target("v1"))), "roll back to v1"),
            (CommandKind::Promote { version, redeploy }, "promote beta"),
            (CommandKind::Pause, "pause the rollout"),
            (CommandKind::Rules(RuleSet::default()), "take all rules away"),
            (CommandKind::RevokeKey(KeyId::new("web").unwrap()), "revoke the key web"),
            (
                CommandKind::Split {
                    shares: vec![(target("v1"), ratio(0.875)), (target("beta"), ratio(0.125))],
                    redeploy: false,
                },
                "split the traffic: 87.5 % to v1, 12.5 % to beta",
            ),
        ] {
            assert_eq!(order_text(&Order::from(&kind)), text);
        }
        assert_eq!(order_text(&Order::Told("do this".to_owned())), "do this");
        assert_eq!(
            refusal_text(&Refusal::Reason(CommandError::NoStable)),
            CommandError::NoStable.to_string()
        );
    }

    #[test]
    fn a_new_secret_says_when_its_client_takes_it_and_whether_that_is_late() {
        let key = KeyId::new("web").unwrap();
        let told = |grace, after: Option<u64>| {
            regeneration(&key, Duration::from_secs(grace), after.map(Duration::from_secs))
        };
        let text = "regenerate the secret of the key web: the old one is valid for 60 s more";
        assert_eq!(told(60, None), text);
        assert_eq!(told(60, Some(0)), format!("{text}, its client uses the new one at once"));
        assert_eq!(told(60, Some(60)), format!("{text}, its client uses the new one after 60 s"));
        assert_eq!(
            told(60, Some(90)),
            format!(
                "{text}, its client uses the new one after 90 s and is refused for the 30 s between"
            )
        );
    }
}
