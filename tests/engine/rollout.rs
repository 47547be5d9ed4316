//! The ladder of a rollout: steps, pauses, promotion, bake, and what ends it.

use coalmine::engine::{
    Change, CommandError, CommandKind, Ladder, RawTrigger, RolloutState, RolloutStep, StageIndex,
    Waiting,
};
use coalmine::exchange::Ending;
use coalmine::units::{Duration, Ratio, VersionId};

use crate::world::{CANARY, MODEL, STABLE, World, error_rate, register, target};

const FAILURE: Ending = Ending::Status(503);
const FIRST: StageIndex = StageIndex(0);
const SECOND: StageIndex = StageIndex(1);

fn id(name: &str) -> VersionId {
    VersionId::new(name).unwrap()
}

fn step(weight: f64, seconds: u64) -> RolloutStep {
    let hold = Duration::from_secs(seconds);
    RolloutStep { weight: Ratio::new(weight).unwrap(), hold, require: None, pause: false }
}

/// The same rollout of another version.
fn of(rollout: CommandKind, name: &str) -> CommandKind {
    let CommandKind::StartRollout { steps, bake, redeploy, .. } = rollout else { panic!() };
    CommandKind::StartRollout { version: target(name), steps, bake, redeploy }
}

fn start(steps: &[RolloutStep]) -> CommandKind {
    CommandKind::StartRollout {
        version: target("new"),
        steps: Ladder::new(steps.to_vec()).unwrap(),
        bake: Duration::from_secs(3_600),
        redeploy: false,
    }
}

fn promote(version: &str) -> CommandKind {
    CommandKind::Promote { version: target(version), redeploy: false }
}

/// All traffic on the stable, no rules, a rollout 10 % for 60 s, 50 % for 60 s from second 0 on.
fn world() -> World {
    let mut world = World::new();
    world.split(&[("old", 1.0)]);
    world.apply(start(&[step(0.1, 60), step(0.5, 60)])).unwrap();
    world
}

/// The same with the rule `error_rate > 5 %` for a minute, checked every 15 seconds.
fn ruled() -> World {
    let mut world = World::new();
    world.rules([error_rate(60.0)]);
    world.split(&[("old", 1.0)]);
    world.apply(start(&[step(0.1, 60), step(0.5, 60)])).unwrap();
    world
}

#[test]
fn a_healthy_canary_climbs_the_ladder_and_becomes_the_stable() {
    let mut world = world();
    assert_eq!((world.weight(STABLE), world.weight(CANARY)), (0.9, 0.1));
    world.at(59.999);
    assert_eq!(world.weight(CANARY), 0.1);
    world.at(60.0);
    assert_eq!((world.weight(STABLE), world.weight(CANARY)), (0.5, 0.5));
    world.at(120.0);
    assert_eq!((world.weight(STABLE), world.weight(CANARY)), (0.0, 1.0));
    assert_eq!(world.engine.stable(MODEL), Some(CANARY));
    let catalog = world.engine.catalog(MODEL).unwrap();
    assert_eq!(catalog.holder("beta"), Some(CANARY), "the other tags stay");
    world.at(3_719.0);
    assert_eq!(world.engine.rollout(MODEL).unwrap().state(), RolloutState::Promoted);
    world.at(3_720.0);
    assert_eq!(
        world.states(),
        [
            (0, RolloutState::Stepping(FIRST)),
            (60, RolloutState::Stepping(SECOND)),
            (120, RolloutState::Promoted),
            (3_720, RolloutState::Idle),
        ]
    );
}

#[test]
fn a_late_call_steps_at_the_nominal_times() {
    let mut world = world();
    world.at(500.0);
    let seconds: Vec<_> = world.states().iter().map(|(second, _)| *second).collect();
    assert_eq!(seconds, [0, 60, 120]);
}

#[test]
fn a_step_waits_for_the_requests_that_the_most_demanding_rule_asks_for() {
    let mut world = ruled();
    // Ten requests are what the rule asks for by default.
    world.at(50.0).canary(9, Ending::Success);
    world.at(60.0);
    let without_data = vec![0];
    let waiting = Waiting::InsufficientData { requests: 9, required: 10, without_data };
    assert_eq!(world.waits(), [(60, waiting)]);
    world.at(70.5).canary(1, Ending::Success);
    // The check at 75 has nine and one in its window; then the step is over.
    world.at(74.9);
    assert_eq!(world.weight(CANARY), 0.1);
    world.at(75.0);
    assert_eq!(world.weight(CANARY), 0.5);
    assert_eq!(world.waits().len(), 2, "told anew when only the data was missing");
}

#[test]
fn a_step_can_require_its_own_number_of_requests() {
    let mut world = World::new();
    world.split(&[("old", 1.0)]);
    let first = RolloutStep { require: Some(3), ..step(0.1, 60) };
    world.apply(start(&[first, step(0.5, 60)])).unwrap();
    world.at(60.0);
    for second in 61..63 {
        world.at(f64::from(second)).canary(1, Ending::Success);
    }
    world.at(100.2).canary(1, Ending::Success);
    world.at(100.9);
    assert_eq!(world.weight(CANARY), 0.1);
    world.at(101.0);
    assert_eq!(world.weight(CANARY), 0.5, "looked at again at every whole second");
    let told: Vec<_> = world.waits().into_iter().map(|(second, _)| second).collect();
    assert_eq!(told, [60], "and told once");
}

#[test]
fn pinned_requests_do_not_count_for_a_step() {
    let mut world = World::new();
    world.split(&[("old", 1.0)]);
    let first = RolloutStep { require: Some(1), ..step(0.1, 60) };
    world.apply(start(&[first])).unwrap();
    world.at(1.0);
    let ticket = world.route(Some("new"), 0.0);
    world.complete(ticket, Ending::Success, Duration::ZERO);
    world.at(120.0);
    assert_eq!(world.weight(CANARY), 0.1);
}

#[test]
fn a_step_does_not_end_while_a_condition_is_in_breach() {
    let mut world = ruled();
    // Healthy until the check at 45, failing before the one at 60: a breach that has not lasted.
    for second in 1..45 {
        world.at(f64::from(second)).canary(1, Ending::Success);
    }
    world.at(50.0).canary(20, FAILURE);
    world.at(60.0);
    assert_eq!(world.weight(CANARY), 0.1);
    assert_eq!(world.waits(), [(60, Waiting::InBreach { triggers: vec![0] })]);
    // Enough successes clear the check at 75.
    world.at(61.0).canary(2_000, Ending::Success);
    world.at(75.0);
    assert_eq!(world.weight(CANARY), 0.5);
}

#[test]
fn a_rollback_ends_the_rollout() {
    let mut world = ruled();
    for second in 1..120 {
        world.at(f64::from(second)).canary(1, FAILURE);
    }
    // Breaches from the check at 15 on: the rule fires at 75, and no step was taken in breach.
    assert_eq!(world.fired_at(), [75]);
    assert_eq!(world.states().last(), Some(&(75, RolloutState::RolledBack)));
    assert_eq!(world.weight(CANARY), 0.0);
    world.at(600.0);
    assert_eq!(world.weight(CANARY), 0.0);
    let error = world.apply(start(&[step(0.1, 60)])).unwrap_err();
    assert_eq!(error, CommandError::RolledBack(id("new")));
    let again = CommandKind::StartRollout {
        version: target("new"),
        steps: Ladder::new(vec![step(0.1, 60)]).unwrap(),
        bake: Duration::ZERO,
        redeploy: true,
    };
    world.apply(again).unwrap();
    assert_eq!(world.weight(CANARY), 0.1);
    assert_eq!(world.engine.rollout(MODEL).unwrap().number(), 2);
}

#[test]
fn a_pause_holds_the_step_until_it_is_resumed() {
    let mut world = world();
    world.apply_at(30.0, CommandKind::Pause);
    world.at(300.0);
    assert_eq!(world.weight(CANARY), 0.1);
    world.apply_at(300.0, CommandKind::Resume);
    world.at(300.0);
    assert_eq!(world.weight(CANARY), 0.5, "its hold passed long ago");
    assert_eq!(world.apply(CommandKind::Resume).unwrap_err().to_string(), RESUME_REFUSED);
}

const RESUME_REFUSED: &str = "the rollout is stepping (step 2): it cannot be resumed";

#[test]
fn a_step_that_waits_for_a_command_begins_paused() {
    let mut world = World::new();
    world.split(&[("old", 1.0)]);
    let second = RolloutStep { pause: true, ..step(0.5, 60) };
    world.apply(start(&[step(0.1, 60), second])).unwrap();
    world.at(600.0);
    assert_eq!(world.weight(CANARY), 0.5);
    let paused = RolloutState::Paused(SECOND);
    assert_eq!(world.states().last(), Some(&(60, paused)));
    world.apply(CommandKind::Resume).unwrap();
    world.at(600.0);
    assert_eq!(world.weight(CANARY), 1.0);
}

#[test]
fn an_abort_gives_the_traffic_back_and_marks_nothing() {
    let mut world = world();
    world.apply_at(90.0, CommandKind::Abort);
    assert_eq!((world.weight(STABLE), world.weight(CANARY)), (1.0, 0.0));
    world.at(600.0);
    assert_eq!(world.weight(CANARY), 0.0);
    world.apply(start(&[step(0.1, 60)])).unwrap();
}

#[test]
fn a_command_comes_before_the_step_of_its_instant() {
    for command in [CommandKind::Pause, CommandKind::Abort, CommandKind::Rollback(None)] {
        let mut world = world();
        world.at(59.0);
        world.apply_at(60.0, command.clone());
        world.at(61.0);
        assert!(world.weight(CANARY) < 0.5, "{command:?}");
    }
}

#[test]
fn an_abort_comes_before_the_check_of_its_instant_and_a_pause_after_it() {
    let failing = || {
        let mut world = ruled();
        for second in 1..75 {
            world.at(f64::from(second)).canary(1, FAILURE);
        }
        world
    };
    let mut world = failing();
    world.apply_at(75.0, CommandKind::Abort);
    assert_eq!(world.states().last(), Some(&(75, RolloutState::Aborted)));
    assert!(world.fired_at().is_empty());
    let mut world = failing();
    let error = world.apply_refused_at(75.0, CommandKind::Pause);
    assert_eq!(world.fired_at(), [75]);
    assert_eq!(error.to_string(), "the rollout is rolled back: it cannot be paused");
}

#[test]
fn a_split_by_hand_is_refused_while_a_rollout_is_under_way() {
    let mut world = world();
    let error = world.try_split(&[("old", 1.0)], false).unwrap_err();
    assert!(error.to_string().ends_with("it cannot be overridden by a split; abort it first"));
    assert_eq!(world.weight(CANARY), 0.1);
    let moved = CommandKind::Tag {
        tag: coalmine::units::TagName::new("stable").unwrap(),
        version: target("new"),
        preserve_previous: true,
    };
    assert_eq!(world.apply(moved), Err(CommandError::StableInRollout));
}

#[test]
fn a_promotion_by_command_skips_the_rest_and_a_second_one_ends_the_bake() {
    let mut world = world();
    world.apply(register("third")).unwrap();
    let error = world.apply(promote("third")).unwrap_err();
    let expected = CommandError::OtherRollout { asked: id("third"), under_way: id("new") };
    assert_eq!(error, expected);
    world.apply(promote("beta")).unwrap();
    assert_eq!(world.weight(CANARY), 1.0);
    let again = start(&[step(0.1, 60)]);
    assert_eq!(world.apply(again.clone()), Err(CommandError::AlreadyStable(id("new"))));
    let error = world.apply(of(again, "third")).unwrap_err();
    assert!(error.to_string().contains("promote the version again to end it"), "{error}");
    world.apply(promote("new")).unwrap();
    assert_eq!(world.states().last(), Some(&(0, RolloutState::Idle)));
    assert_eq!(world.apply(promote("new")), Err(CommandError::AlreadyStable(id("new"))));
}

#[test]
fn the_rules_cover_the_promoted_version_until_its_bake_is_over() {
    let failing_from = |second: f64| {
        let mut world = World::new();
        world.rules([error_rate(0.0)]);
        world.split(&[("old", 1.0)]);
        world.apply(promote("new")).unwrap();
        world.at(second);
        for _ in 0..20 {
            let ticket = world.route(None, 0.5);
            assert_eq!(ticket.assigned(), CANARY);
            world.complete(ticket, FAILURE, Duration::ZERO);
        }
        world.at(second + 5.0);
        world
    };
    let world = failing_from(3_500.0);
    assert_eq!((world.weight(STABLE), world.weight(CANARY)), (1.0, 0.0));
    assert_eq!(world.engine.stable(MODEL), Some(CANARY), "a rollback leaves tags alone");
    let Some(Change::RolledBack { version, target, .. }) = world.changes().pop() else { panic!() };
    assert_eq!((version, target), (Some(id("new")), id("old")));
    let world = failing_from(3_601.0);
    assert_eq!(world.weight(CANARY), 1.0, "after the bake it is the stable like any other");
}

#[test]
fn a_rollback_by_command_in_the_bake_goes_to_the_former_stable_and_marks_what_it_leaves() {
    let mut world = World::new();
    world.split(&[("old", 1.0)]);
    world.apply(promote("new")).unwrap();
    world.apply_at(10.0, CommandKind::Rollback(None));
    assert_eq!((world.weight(STABLE), world.weight(CANARY)), (1.0, 0.0));
    let error = world.try_split(&[("new", 1.0)], false).unwrap_err();
    assert_eq!(error, CommandError::RolledBack(id("new")));
    // From then on the last stable is the one that was not rolled back.
    world.apply_at(20.0, CommandKind::Rollback(None));
    assert_eq!(world.weight(STABLE), 1.0);
}

#[test]
fn an_explicit_redeploy_begins_anew_with_empty_windows() {
    let mut world = World::half([error_rate(60.0)]);
    for second in 1..70 {
        world.at(f64::from(second)).canary(1, FAILURE);
    }
    world.try_split(&[("old", 0.5), ("new", 0.5)], true).unwrap();
    for second in 70..120 {
        world.at(f64::from(second)).canary(1, Ending::Success);
    }
    assert!(world.fired_at().is_empty(), "without it the rule would have fired at 75");
    let mut world = World::half([error_rate(60.0)]);
    for second in 1..120 {
        world.at(f64::from(second)).canary(usize::from(second < 70), FAILURE);
        if second == 69 {
            world.split(&[("old", 0.5), ("new", 0.5)]);
        }
    }
    assert_eq!(world.fired_at(), [75], "the same weights sent again change nothing");
}

#[test]
fn a_rollout_needs_a_stable_that_is_not_its_canary() {
    let mut world = World::new();
    let of_stable = CommandKind::StartRollout {
        version: target("old"),
        steps: Ladder::new(vec![step(0.1, 60)]).unwrap(),
        bake: Duration::ZERO,
        redeploy: false,
    };
    assert_eq!(world.apply(of_stable), Err(CommandError::AlreadyStable(id("old"))));
}

#[test]
fn a_rule_without_requests_of_its_own_asks_for_no_more_than_it_says() {
    let rule = RawTrigger { min_requests: Some(2), ..error_rate(60.0) };
    let mut world = World::new();
    world.rules([rule]);
    world.split(&[("old", 1.0)]);
    world.apply(start(&[step(0.1, 60)])).unwrap();
    world.at(58.0).canary(2, Ending::Success);
    world.at(60.0);
    assert_eq!(world.weight(CANARY), 1.0);
}
