//! What a rollback does, and what it leaves alone.

use coalmine::engine::{
    Action, Change, CommandError, CommandKind, EventKind, NoTarget, Notification, RawTrigger,
    RuleSet, Shift, Slot,
};
use coalmine::exchange::Ending;
use coalmine::units::{Duration, Ratio, VersionId};

use crate::world::{CANARY, MODEL, NEVER, STABLE, World, error_rate, register, rule_set, target};

const FAILURE: Ending = Ending::Status(503);

fn id(name: &str) -> VersionId {
    VersionId::new(name).unwrap()
}

/// A world whose canary was rolled back at second 5.
fn rolled_back() -> World {
    let mut world = World::half(vec![error_rate(0.0)]);
    world.at(1.0).canary(10, FAILURE);
    world.at(5.0);
    assert_eq!(world.fired_at(), [5]);
    world
}

#[test]
fn all_traffic_goes_to_the_stable_at_one_instant() {
    let mut world = rolled_back();
    assert_eq!((world.weight(STABLE), world.weight(CANARY)), (1.0, 0.0));
    let ticket = world.route(None, 0.999_999);
    assert_eq!(ticket.assigned(), STABLE);
    world.complete(ticket, Ending::Success, Duration::ZERO);
    let half = Ratio::new(0.5).unwrap();
    let expected = Change::RolledBack {
        version: Some(id("new")),
        marked: vec![id("new")],
        target: id("old"),
        shift: Shift {
            split: vec![(id("old"), Ratio::ONE)],
            previous: vec![(id("old"), half), (id("new"), half)],
            ..Shift::default()
        },
    };
    assert_eq!(world.changes().last(), Some(&expected));
}

#[test]
fn tags_stay_where_they_were() {
    let world = rolled_back();
    let catalog = world.engine.catalog(MODEL).unwrap();
    assert_eq!(catalog.holder("stable"), Some(STABLE));
    assert_eq!(catalog.holder("beta"), Some(CANARY));
}

#[test]
fn a_version_that_was_rolled_back_comes_back_only_when_it_is_meant() {
    let mut world = rolled_back();
    let shares = [("old", 0.5), ("new", 0.5)];
    assert_eq!(world.try_split(&shares, false), Err(CommandError::RolledBack(id("new"))));
    assert_eq!(world.weight(CANARY), 0.0);
    world.try_split(&shares, true).unwrap();
    assert_eq!(world.weight(CANARY), 0.5);
    // Its windows begin empty: what failed before is forgotten.
    world.at(6.0).canary(10, Ending::Success);
    world.at(60.0);
    assert_eq!(world.fired_at(), [5]);
}

#[test]
fn what_was_in_flight_is_drained_and_is_no_evidence_later() {
    let mut world = World::half(vec![error_rate(0.0)]);
    let in_flight: Vec<_> = (0..20).map(|_| world.route(None, 0.9)).collect();
    world.at(1.0).canary(10, FAILURE);
    world.at(5.0);
    world.try_split(&[("old", 0.5), ("new", 0.5)], true).unwrap();
    world.at(6.0);
    for ticket in in_flight {
        world.complete(ticket, FAILURE, Duration::from_secs(6));
    }
    world.at(60.0);
    assert_eq!(world.fired_at(), [5]);
}

#[test]
fn a_stable_at_fault_falls_back_to_the_tags_previous_holder() {
    let rule = RawTrigger { version: Some("stable".to_owned()), ..error_rate(0.0) };
    let mut world = World::new();
    world.tag("stable", "new");
    world.rules(vec![rule]);
    world.split(&[("new", 1.0)]);
    world.at(1.0).canary(10, FAILURE);
    world.at(5.0);
    assert_eq!((world.weight(STABLE), world.weight(CANARY)), (1.0, 0.0));
}

#[test]
fn a_rollback_with_nowhere_to_go_is_refused_loudly_and_traffic_stays() {
    let rule = RawTrigger { version: Some("stable".to_owned()), ..error_rate(0.0) };
    let mut world = World::new();
    world.rules(vec![rule]);
    world.split(&[("old", 1.0)]);
    world.at(1.0);
    for _ in 0..10 {
        let ticket = world.route(None, 0.5);
        world.complete(ticket, FAILURE, Duration::ZERO);
    }
    world.at(30.0);
    let refused = [(Action::RollbackToLastStable, NoTarget::Missing)];
    assert_eq!(world.refused(), refused, "said once, not at every check");
    assert_eq!(world.weight(STABLE), 1.0);
}

#[test]
fn a_refused_rollback_says_why() {
    let refused = |action: &str, given: Option<CommandKind>| {
        let mut world = World::new();
        world.rules(vec![RawTrigger { action: Some(action.to_owned()), ..error_rate(0.0) }]);
        world.split(&[("old", 0.5), ("new", 0.5)]);
        given.into_iter().for_each(|command| world.apply(command).unwrap());
        world.at(1.0).canary(10, FAILURE);
        world.at(5.0);
        world.refused().into_iter().map(|(_, why)| why).collect::<Vec<_>>()
    };
    // It takes the stable's traffic, and so marks it.
    let to_the_canary = CommandKind::Rollback(Some(target("new")));
    let last_stable = "rollback_to_last_stable";
    assert_eq!(refused(last_stable, None), []);
    assert_eq!(refused(last_stable, Some(to_the_canary.clone())), [NoTarget::RolledBack]);
    assert_eq!(refused("rollback_to:old", Some(to_the_canary)), [NoTarget::RolledBack]);
    assert_eq!(refused("rollback_to:new", None), [NoTarget::AtFault]);
    assert_eq!(refused("rollback_to:gone", None), [NoTarget::Missing]);
}

/// Rules of which every firing is told by e-mail.
fn told(conditions: impl IntoIterator<Item = RawTrigger>) -> CommandKind {
    let recipients =
        Notification { email: Some("ops@example.com".to_owned()), slack_webhook: None };
    CommandKind::Rules(RuleSet { notification: recipients, ..rule_set(conditions) })
}

/// Whom events tell, and whom the entries of the journal.
fn recipients(world: &World) -> (Vec<(usize, Slot, String)>, Vec<String>) {
    let events = world.events.iter().filter_map(|event| match &event.kind {
        EventKind::Notified { trigger, version, recipients } => {
            Some((*trigger, *version, recipients.email.clone()?))
        }
        _ => None,
    });
    let changes = world.changes().into_iter().filter_map(|change| match change {
        Change::Notified { recipients, .. } => recipients.email,
        _ => None,
    });
    (events.collect(), changes.collect())
}

#[test]
fn whatever_a_firing_does_is_told_to_those_whom_the_rules_name() {
    let of_stable = RawTrigger { version: Some("stable".to_owned()), ..error_rate(0.0) };
    let notify = RawTrigger { action: Some("notify".to_owned()), ..error_rate(0.0) };
    let ops = || "ops@example.com".to_owned();
    for (rules, version, weight) in
        [(vec![notify], CANARY, 0.5), (vec![error_rate(0.0)], CANARY, 0.0)]
    {
        let mut world = World::new();
        world.apply(told(rules)).unwrap();
        world.split(&[("old", 0.5), ("new", 0.5)]);
        world.at(1.0).canary(10, FAILURE);
        world.at(30.0);
        assert_eq!(world.fired_at(), [5]);
        assert_eq!(recipients(&world), (vec![(0, version, ops())], vec![ops()]));
        assert_eq!(world.weight(CANARY), weight);
    }
    // A rollback that has nowhere to go needs a person.
    let mut world = World::new();
    world.apply(told(vec![error_rate(600.0), of_stable])).unwrap();
    world.split(&[("old", 1.0)]);
    world.at(1.0);
    for _ in 0..10 {
        let ticket = world.route(None, 0.5);
        world.complete(ticket, FAILURE, Duration::ZERO);
    }
    world.at(5.0);
    assert_eq!(recipients(&world), (vec![(1, STABLE, ops())], vec![ops()]));
}

#[test]
fn a_rule_can_name_where_to_roll_back_to() {
    let rule = RawTrigger { action: Some("rollback_to:spare".to_owned()), ..error_rate(0.0) };
    let mut world = World::new();
    world.apply(register("spare")).unwrap();
    world.rules(vec![rule]);
    world.split(&[("old", 0.5), ("new", 0.5)]);
    world.at(1.0).canary(10, FAILURE);
    world.at(5.0);
    assert_eq!(world.route(None, 0.1).assigned().0, 2);
}

#[test]
fn a_rollback_by_command_comes_before_the_checks_of_its_instant() {
    let mut world = World::half(vec![error_rate(0.0)]);
    world.at(1.0).canary(10, FAILURE);
    world.at(4.999);
    world.apply_at(5.0, CommandKind::Rollback(Some(target("stable"))));
    world.at(5.0);
    assert_eq!(world.fired_at(), NEVER);
    assert_eq!(world.weight(CANARY), 0.0);
}

#[test]
fn unknown_names_are_answered_with_the_known_ones() {
    let mut world = World::new();
    let error = world.try_split(&[("nwe", 1.0)], false).unwrap_err();
    assert_eq!(error.to_string(), "no version or tag \"nwe\"; known are old, new, beta, stable");
    let error = world.try_split(&[("old", 0.9)], false).unwrap_err();
    assert_eq!(error.to_string(), "weights sum to 0.9; they must sum to 1 (100 %)");
}

/// The seconds at which a rule of 60 s fires whose every check is a breach from second 15 on, where
/// `change` sets other rules at second 50.
fn fired_over(change: impl Fn(RuleSet) -> RuleSet) -> Vec<i64> {
    let rule = || RawTrigger { window_seconds: Some(15.0), ..error_rate(60.0) };
    let mut world = World::half(vec![rule()]);
    for second in 0..140 {
        world.at(f64::from(second)).canary(10, FAILURE);
        if second == 50 {
            world.apply(CommandKind::Rules(change(rule_set([rule()])))).unwrap();
        }
    }
    world.fired_at()
}

#[test]
fn a_rule_keeps_its_timer_while_it_stays_as_it_was_whatever_changes_around_it() {
    // Breaches from 15 on; the timer survives the change at 50.
    assert_eq!(fired_over(|rules| rules), [75]);
    let ahead = |mut rules: RuleSet| {
        rules.triggers.insert(0, rule_set([error_rate(600.0)]).triggers.remove(0));
        rules
    };
    assert_eq!(fired_over(ahead), [75]);
    let alpha = Ratio::new(0.01).unwrap();
    assert_eq!(fired_over(|rules| RuleSet { alpha, ..rules }), [75]);
}

#[test]
fn a_rule_that_is_changed_in_anything_begins_anew() {
    // Its first check after the change is at 60, with a window that begins empty and is in breach:
    // it fires 60 s later.
    let renamed = |mut rules: RuleSet| {
        rules.triggers[0].id.push('!');
        rules
    };
    assert_eq!(fired_over(renamed), [120]);
    let stricter = |mut rules: RuleSet| {
        let id = rules.triggers[0].id.clone();
        let lower = RawTrigger {
            id: Some(id),
            threshold: Some(0.04),
            window_seconds: Some(15.0),
            ..error_rate(60.0)
        };
        rules.triggers = rule_set([lower]).triggers;
        rules
    };
    assert_eq!(fired_over(stricter), [120]);
    let counts_otherwise = |mut rules: RuleSet| {
        rules.classification.rate_limited_is_error = false;
        rules
    };
    assert_eq!(fired_over(counts_otherwise), [120], "what counts as an error is part of it");
    assert_eq!(fired_over(|rules| RuleSet { enable: false, ..rules }), NEVER);
}
