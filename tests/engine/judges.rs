//! What a judge keeps, what it shares, and what makes it begin anew; rules that pause; and the
//! interval that makes a rule blind.

use coalmine::engine::{
    Change, CommandKind, Ladder, Notification, RawRules, RawTrigger, Reading, RolloutState,
    RolloutStep, RuleSet, Safeguards, StageIndex,
};
use coalmine::exchange::Ending;
use coalmine::units::{Duration, Ratio};

use crate::world::{CANARY, MODEL, NEVER, World, error_rate, judge, register, rule_set, target};

const FAILURE: Ending = Ending::Status(503);

/// One percent on the canary: by the closed form for rho 0.01, k 10, the evidence after 1 to 4
/// errors in a row is 1, 10, 175, 4173.
fn one_percent(rules: RuleSet) -> World {
    let mut world = World::new();
    world.apply(CommandKind::Rules(rules)).unwrap();
    world.split(&[("old", 0.99), ("new", 0.01)]);
    world
}

fn canary_error(world: &mut World) {
    let ticket = world.route(None, 0.995);
    world.complete(ticket, FAILURE, Duration::ZERO);
}

#[test]
fn a_judge_keeps_its_evidence_over_what_changes_nothing_for_it() {
    let mut world = one_percent(rule_set([judge()]));
    for second in [1.0, 2.0, 3.0] {
        canary_error(world.at(second));
    }
    world.split(&[("old", 0.99), ("new", 0.01)]);
    world.apply(CommandKind::Rules(rule_set([judge()]))).unwrap();
    world.tag("beta-2", "new");
    canary_error(world.at(4.0));
    world.at(10.0);
    assert_eq!(world.fired_at(), [5], "the fourth error in a row suffices");
    let (_, evidence) = world.firings().remove(0);
    let Reading::Sequential(shares) = &evidence.reading else { panic!("{evidence:?}") };
    assert!((shares.ln_evidence - coalmine::math::ln(4_173.076_923)).abs() < 1e-9);
    assert!((shares.excess - 3.96).abs() < 1e-9, "4 errors less 4 times 1 %");
    assert!(evidence.holds());
}

#[test]
fn a_judge_begins_anew_under_another_alpha() {
    let mut world = one_percent(rule_set([judge()]));
    for second in [1.0, 2.0, 3.0] {
        canary_error(world.at(second));
    }
    let stricter = RuleSet { alpha: Ratio::new(0.000_9).unwrap(), ..rule_set([judge()]) };
    world.apply(CommandKind::Rules(stricter)).unwrap();
    canary_error(world.at(4.0));
    world.at(60.0);
    assert_eq!(world.fired_at(), NEVER);
}

#[test]
fn judges_and_canaries_share_the_deployments_alpha() {
    let told = RawTrigger {
        id: Some("told".to_owned()),
        action: Some("notify".to_owned()),
        prior_strength: Some(100.0),
        ..judge()
    };
    let mut world = World::new();
    world.apply(register("third")).unwrap();
    world.apply(CommandKind::Rules(rule_set([judge(), told]))).unwrap();
    world.split(&[("old", 0.98), ("new", 0.01), ("third", 0.01)]);
    for second in 1..=6 {
        let ticket = world.at(f64::from(second)).route(None, 0.985);
        world.complete(ticket, FAILURE, Duration::ZERO);
    }
    world.at(30.0);
    let (_, evidence) = world.firings().remove(0);
    let Reading::Sequential(shares) = &evidence.reading else { panic!("{evidence:?}") };
    // Two judges on two canaries.
    assert!((shares.alpha.get() - 0.001 / 4.0).abs() < 1e-15, "{evidence:?}");
    assert!(evidence.holds());
}

#[test]
fn a_rule_can_pause_the_rollout_and_tells_where_there_is_none() {
    let pausing = RawTrigger { action: Some("pause".to_owned()), ..error_rate(0.0) };
    let hold = Duration::from_secs(600);
    let weight = Ratio::new(0.5).unwrap();
    let steps = Ladder::new(vec![RolloutStep { weight, hold, require: None, pause: false }]);
    let mut world = World::new();
    world.rules([pausing.clone()]);
    world.split(&[("old", 1.0)]);
    world
        .apply(CommandKind::StartRollout {
            version: target("new"),
            steps: steps.unwrap(),
            bake: Duration::from_secs(60),
            redeploy: false,
        })
        .unwrap();
    world.at(1.0).canary(10, FAILURE);
    world.at(5.0);
    let stage = StageIndex(0);
    assert_eq!(world.engine.rollout(MODEL).unwrap().state(), RolloutState::Paused(stage));
    assert_eq!(world.changes().last(), Some(&Change::RolloutPaused { stage }));
    assert_eq!(world.weight(CANARY), 0.5, "traffic stays where it is");
    let mut world = World::half([pausing]);
    world.at(1.0).canary(10, FAILURE);
    world.at(5.0);
    assert_eq!(world.fired_at(), [5]);
    let nobody = Notification::default();
    assert_eq!(
        world.changes().last(),
        Some(&Change::Notified { recipients: nobody, refused: None })
    );
}

#[test]
fn an_interval_above_the_duration_makes_a_rule_silent_where_the_safeguard_is_off() {
    let long = RawTrigger { check_interval_seconds: Some(90.0), ..error_rate(60.0) };
    let raw = RawRules { conditions: vec![long], ..RawRules::default() };
    assert!(RuleSet::new(&raw, Safeguards::default()).is_err());
    let off = Safeguards { refuse_long_interval: false, ..Safeguards::default() };
    let mut world = World::new();
    world.apply(CommandKind::Rules(RuleSet::new(&raw, off).unwrap())).unwrap();
    world.split(&[("old", 0.5), ("new", 0.5)]);
    for second in 0..1_200_u32 {
        world.at(f64::from(second)).canary(1, FAILURE);
    }
    assert_eq!(world.fired_at(), NEVER, "every request failed for twenty minutes");
    let (_, _, health) = world.engine.health(MODEL)[0];
    assert_eq!((health.checks, health.breaches), (13, 13));
}
