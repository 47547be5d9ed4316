//! The numbered list of the rules' semantics: grid, window, timer, no data, in flight.

use coalmine::engine::{CommandKind, RawTrigger, Reading, RuleSet};
use coalmine::exchange::{Class, Classification, Ending, Observed};
use coalmine::units::{Duration, Ratio};

use crate::world::{CANARY, MODEL, NEVER, World, error_rate, judge, latency_p99, rule, rule_set};

const FAILURE: Ending = Ending::Status(503);

/// Runs seconds `from..to`, in each of which ten requests of the canary end so that `fails` say.
fn each_second(world: &mut World, from: u32, to: u32, fails: impl Fn(u32) -> bool) {
    for second in from..to {
        let ending = if fails(second) { FAILURE } else { Ending::Success };
        world.at(f64::from(second)).canary(10, ending);
    }
    world.at(f64::from(to));
}

#[test]
fn the_worked_example_fires_at_ninety() {
    // Duration 60, interval 15; the windows at 30, 45, 60, 75, 90 breach.
    let rule = RawTrigger { window_seconds: Some(15.0), ..error_rate(60.0) };
    let mut world = World::half(vec![rule]);
    each_second(&mut world, 0, 200, |second| second >= 15);
    assert_eq!(world.fired_at(), [90]);
    let (_, evidence) = world.firings().remove(0);
    assert_eq!(evidence.first_breach.second(), 30);
    assert_eq!(evidence.held, Duration::from_secs(60));
}

#[test]
fn a_clean_check_at_sixty_begins_the_timer_anew_and_it_fires_at_135() {
    let rule = RawTrigger { window_seconds: Some(15.0), ..error_rate(60.0) };
    let mut world = World::half(vec![rule]);
    each_second(&mut world, 0, 200, |second| second >= 15 && !(45..60).contains(&second));
    assert_eq!(world.fired_at(), [135]);
}

#[test]
fn a_rule_of_a_tag_watches_whatever_version_holds_it() {
    let named = RawTrigger { version: Some("trial".to_owned()), ..error_rate(0.0) };
    let mut world = World::half(vec![named.clone()]);
    assert_eq!(world.engine.next_check(), None, "nobody holds the tag");
    world.at(2.0).tag("trial", "new");
    world.at(2.0).canary(10, FAILURE);
    world.at(6.0);
    assert_eq!(world.fired_at(), [5]);
    let mut world = World::half(vec![named]);
    world.tag("trial", "new");
    world.at(1.0).canary(10, FAILURE);
    world.at(2.0).tag("trial", "old");
    world.at(6.0);
    assert_eq!(world.fired_at(), NEVER, "the tag has moved on");
}

#[test]
fn checks_lie_on_the_grid_from_the_activation_rounded_up_to_a_second() {
    let mut world = World::new();
    world.rules(vec![error_rate(0.0)]);
    world.split(&[("old", 1.0)]);
    assert_eq!(world.engine.next_check(), None, "no canary, nothing to check");
    world.at(100.4).split(&[("old", 0.5), ("new", 0.5)]);
    assert_eq!(world.engine.next_check().unwrap().second(), 106);
    world.at(103.0).split(&[("old", 0.9), ("new", 0.1)]);
    assert_eq!(world.engine.next_check().unwrap().second(), 106, "no new activation");
    world.at(107.0);
    assert_eq!(world.engine.next_check().unwrap().second(), 111);
}

#[test]
fn what_ended_before_the_activation_is_in_no_window() {
    let mut world = World::new();
    world.rules(vec![error_rate(0.0)]);
    world.at(100.4).split(&[("old", 0.5), ("new", 0.5)]);
    world.at(100.9).canary(50, FAILURE);
    world.at(101.0).canary(20, Ending::Success);
    world.at(120.0);
    assert_eq!(world.fired_at(), NEVER);
}

#[test]
fn a_window_covers_the_seconds_before_its_check_and_not_the_checks_own() {
    let rule = RawTrigger { min_requests: Some(1), ..error_rate(0.0) };
    let mut world = World::half(vec![rule]);
    // The completion at 5.0 comes before the check at 5, but belongs to the second after it.
    world.at(4.999).canary(1, Ending::Success);
    world.at(5.0);
    let ticket = world.route(None, 0.9);
    world.complete(ticket, FAILURE, Duration::ZERO);
    assert_eq!(world.fired_at(), NEVER);
    world.at(10.0);
    assert_eq!(world.fired_at(), [10]);
}

#[test]
fn a_completion_at_the_instant_of_a_check_is_counted_before_it() {
    // A canary that hangs: its request is overdue at the check at 5 unless it ends at 5.0.
    let rule =
        RawTrigger { threshold_ms: Some(2_000.0), min_requests: Some(1), ..latency_p99(0.0) };
    let mut world = World::half(vec![rule]);
    let hanging = world.route(None, 0.9);
    let now = coalmine::units::Timestamp::from_second(5);
    let observed = Observed::without_answer(Ending::Success, Duration::from_secs(1));
    assert_eq!(world.engine.complete(now, hanging, &observed), coalmine::engine::Completion::Done);
    world.at(5.0);
    assert_eq!(world.fired_at(), NEVER);
}

#[test]
fn fewer_requests_than_the_minimum_are_no_data_and_never_fire() {
    let mut world = World::half(vec![error_rate(60.0)]);
    for second in (0..1_200).step_by(10) {
        // Nine in a window of 60 s would need one every 6.7 s.
        world.at(f64::from(second)).canary(1, FAILURE);
    }
    assert_eq!(world.fired_at(), NEVER);
    let (_, _, health) = world.engine.health(MODEL)[0];
    assert_eq!((health.checks, health.no_data), (79, 79));
}

#[test]
fn no_data_holds_the_timer_unless_told_otherwise() {
    let fires = |no_data: &str| {
        let rule = RawTrigger {
            window_seconds: Some(15.0),
            no_data: Some(no_data.to_owned()),
            ..error_rate(60.0)
        };
        let mut world = World::half(vec![rule]);
        for second in 0..300_u32 {
            // Breach from 15 on; silence in 45..75, so that the checks at 60 and 75 have no data.
            if !(45..75).contains(&second) {
                let ending = if second >= 15 { FAILURE } else { Ending::Success };
                world.at(f64::from(second)).canary(10, ending);
            }
        }
        world.fired_at()[0]
    };
    // Breaches at 30 and 45 (age 15), none at 60 and 75, again at 90 (age 15), 105, 120, 135.
    assert_eq!(fires("hold"), 135);
    // The silent checks count as breaches: 30 .. 90.
    assert_eq!(fires("breach"), 90);
    // They clear the timer: 90 .. 150.
    assert_eq!(fires("clear"), 150);
}

#[test]
fn duration_zero_fires_at_the_first_breach() {
    let mut world = World::half(vec![error_rate(0.0)]);
    world.at(1.0).canary(10, FAILURE);
    world.at(60.0);
    assert_eq!(world.fired_at(), [5]);
}

#[test]
fn a_threshold_is_compared_exactly() {
    for (failures, fires) in [(5, false), (6, true)] {
        let rule = RawTrigger { min_requests: Some(100), ..error_rate(0.0) };
        let mut world = World::half(vec![rule]);
        world.at(1.0).canary(100 - failures, Ending::Success).canary(failures, FAILURE);
        world.at(5.0);
        assert_eq!(!world.fired_at().is_empty(), fires, "{failures} of 100 against > 5 %");
    }
}

#[test]
fn client_errors_are_neither_failures_nor_requests() {
    let rule = RawTrigger { min_requests: Some(10), ..error_rate(0.0) };
    let mut world = World::half(vec![rule]);
    world.at(1.0).canary(9, FAILURE).canary(50, Ending::Status(400));
    world.at(5.0);
    assert_eq!(world.fired_at(), NEVER, "nine requests are no data");
    world.at(6.0).canary(10, Ending::Status(401));
    world.at(10.0);
    assert_eq!(world.fired_at(), [10], "a wrong upstream key is the version's failure");
}

#[test]
fn a_rule_set_chooses_whether_being_rate_limited_is_an_error() {
    for is_error in [true, false] {
        let mut world = World::new();
        let conditions = [error_rate(0.0), rule("rate_limited_rate", 0.3), judge()];
        let rules = RuleSet {
            classification: Classification { rate_limited_is_error: is_error },
            ..rule_set(conditions)
        };
        world.apply(CommandKind::Rules(rules)).unwrap();
        world.split(&[("old", 0.5), ("new", 0.5)]);
        world.at(1.0).canary(15, Ending::Success).canary(10, Ending::Status(429));
        world.at(60.0);
        // 10 of 25 were rate limited, whatever that counts as.
        let fired: Vec<_> = world.firings().into_iter().map(|(_, e)| e.trigger).collect();
        if is_error {
            assert_eq!(fired, ["error_rate > 0.05 for 0s"]);
        } else {
            assert_eq!(fired, ["rate_limited_rate > 0.3 for 0s"]);
        }
        assert_eq!(world.engine.class(MODEL, Ending::Status(429)) == Class::Error, is_error);
    }
}

#[test]
fn a_latency_quantile_counts_successes_only() {
    let mut world = World::half(vec![latency_p99(0.0)]);
    let slow = Duration::from_secs(5);
    world.at(1.0).canary(100, Ending::Success).canary_in(50, FAILURE, slow);
    world.at(5.0);
    assert_eq!(world.fired_at(), NEVER);
    // One in a hundred is no more than 1 %: the 99th percentile is not above the threshold.
    world.at(6.0).canary(99, Ending::Success).canary_in(1, Ending::Success, slow);
    world.at(10.0);
    assert_eq!(world.fired_at(), NEVER);
    world.at(11.0).canary(98, Ending::Success).canary_in(2, Ending::Success, slow);
    world.at(15.0);
    assert_eq!(world.fired_at(), [15]);
    let (_, evidence) = world.firings().remove(0);
    let Reading::Time { value: Some(value), above, requests, .. } = evidence.reading else {
        panic!("{evidence:?}")
    };
    assert_eq!((above, requests), (Some(2), 100));
    assert!((value.as_secs_f64() / 5.0 - 1.0).abs() < 0.01, "{value}");
}

#[test]
fn a_canary_that_hangs_is_seen_before_anything_times_out() {
    let mut world = World::half(vec![latency_p99(0.0)]);
    let hanging: Vec<_> = (0..10).map(|_| world.route(None, 0.9)).collect();
    world.at(60.0);
    // Started in second 0: certainly older than 3 s from second 4 on, so at the check at 5.
    assert_eq!(world.fired_at(), [5]);
    let (_, evidence) = world.firings().remove(0);
    let Reading::Time { in_flight, requests, value, .. } = evidence.reading else {
        panic!("{evidence:?}")
    };
    assert_eq!((in_flight, requests, value), (10, 10, None));
    for ticket in hanging {
        world.complete(ticket, Ending::Timeout, Duration::from_secs(60));
    }
}

#[test]
fn pinned_requests_are_no_evidence() {
    let mut world = World::half(vec![error_rate(0.0)]);
    world.at(1.0);
    for _ in 0..50 {
        let ticket = world.route(Some("beta"), 0.0);
        assert_eq!(ticket.assigned(), CANARY);
        world.complete(ticket, FAILURE, Duration::ZERO);
    }
    world.at(60.0);
    assert_eq!(world.fired_at(), NEVER);
}

#[test]
fn of_two_rules_that_fire_at_one_check_the_first_in_the_file_acts() {
    let second = RawTrigger { id: Some("second".to_owned()), ..error_rate(0.0) };
    let first = RawTrigger { id: Some("first".to_owned()), threshold: Some(0.5), ..second.clone() };
    let mut world = World::half(vec![first, second]);
    world.at(1.0).canary(10, FAILURE);
    world.at(60.0);
    let firings = world.firings();
    assert_eq!(firings.len(), 1);
    assert_eq!(firings[0].1.trigger, "first");
}

#[test]
fn a_telling_rule_does_not_stand_in_the_way_of_a_rollback() {
    let tell = RawTrigger { action: Some("notify".to_owned()), ..error_rate(0.0) };
    let mut world = World::half(vec![tell, error_rate(0.0)]);
    world.at(1.0).canary(10, FAILURE);
    world.at(30.0);
    assert_eq!(world.fired_at(), [5, 5]);
    assert_eq!(world.weight(CANARY), 0.0);
}

#[test]
fn a_late_driver_is_decided_on_what_stood_in_the_window_in_time() {
    let mut world = World::half(vec![error_rate(0.0)]);
    world.at(1.0).canary(10, FAILURE);
    // Nobody calls until 1000 s later: the check at 5 is still made at 5.
    world.at(1_000.0);
    assert_eq!(world.fired_at(), [5]);
}

#[test]
fn the_judge_fires_after_four_errors_in_a_row_on_one_percent() {
    // By the closed form for rho 0.01, k 10: E = 1, 10, 175, 4173 after 1 to 4 errors in a row.
    let mut world = World::new();
    world.rules(vec![judge()]);
    world.split(&[("old", 0.99), ("new", 0.01)]);
    // ln E / ln 1000.
    for (second, progress) in [(1.0, 0.0), (6.0, 0.333_333), (11.0, 0.747_679), (16.0, 1.206_819)] {
        world.at(second);
        let ticket = world.route(None, 0.995);
        world.complete(ticket, FAILURE, Duration::ZERO);
        // Once it has fired its canary has no traffic, and it looks no longer.
        let judgements = world.engine.judgements(MODEL);
        let [judgement] = judgements.as_slice() else { panic!("{judgements:?}") };
        assert_eq!((judgement.trigger, judgement.version), (0, CANARY));
        assert!((judgement.progress - progress).abs() < 1e-6, "{judgement:?}");
        let [(_, _, health)] = world.engine.health(MODEL)[..] else { panic!("one judge") };
        let seen = health.progress.unwrap().get();
        assert!((seen - progress.min(1.0)).abs() < 1e-6, "{health:?}");
        world.at(second + 4.0);
        assert_eq!(!world.fired_at().is_empty(), progress >= 1.0, "{second}");
    }
    assert_eq!(world.engine.judgements(MODEL), Vec::new());
    let [(_, _, health)] = world.engine.health(MODEL)[..] else { panic!("one judge") };
    assert_eq!((health.firings, health.progress), (1, Some(Ratio::ONE)), "it is kept");
    let (_, evidence) = world.firings().remove(0);
    let Reading::Sequential(shares) = evidence.reading else { panic!("{evidence:?}") };
    assert_eq!(shares.canary_errors, 4);
    let ln_evidence = shares.ln_evidence;
    // 10 x 17.5 x 23.846
    assert!((ln_evidence - coalmine::math::ln(4_173.076_923)).abs() < 1e-9, "{ln_evidence}");
}

#[test]
fn errors_in_proportion_to_the_weights_do_not_move_the_judge() {
    let mut world = World::new();
    world.rules(vec![judge()]);
    world.split(&[("old", 0.9), ("new", 0.1)]);
    for second in 0..500_u32 {
        world.at(f64::from(second));
        for draw in [0.05, 0.15, 0.25, 0.35, 0.45, 0.55, 0.65, 0.75, 0.85, 0.95] {
            let ticket = world.route(None, draw);
            world.complete(ticket, FAILURE, Duration::ZERO);
        }
    }
    assert_eq!(world.fired_at(), NEVER);
}

#[test]
fn evidence_that_speaks_for_the_canary_is_no_progress() {
    let mut world = World::new();
    world.rules(vec![judge()]);
    world.split(&[("old", 0.5), ("new", 0.5)]);
    world.at(1.0);
    for _ in 0..30 {
        let ticket = world.route(None, 0.25);
        world.complete(ticket, FAILURE, Duration::ZERO);
    }
    let judgement = world.engine.judgements(MODEL).remove(0);
    let Reading::Sequential(shares) = &judgement.reading else { panic!("{judgement:?}") };
    assert!(shares.stable_errors == 30 && shares.ln_evidence > 7.0, "{shares:?}");
    assert_eq!(judgement.progress, 0.0);
}

#[test]
fn how_a_rule_fared_follows_it_to_its_new_place() {
    let first = || RawTrigger { window_seconds: Some(15.0), ..error_rate(60.0) };
    let other = error_rate(30.0);
    let mut world = World::half(vec![first()]);
    each_second(&mut world, 0, 50, |_| true);
    world.rules(vec![other, first()]);
    each_second(&mut world, 50, 70, |_| true);
    let fared: Vec<_> = world
        .engine
        .health(MODEL)
        .into_iter()
        .map(|(trigger, version, health)| {
            (trigger, version, health.checks, health.breaches, health.longest_timer.as_secs())
        })
        .collect();
    // The first at 15, 30, 45 and 60; the other, set at 50, on its grid of 8 s at 56 and 64.
    assert_eq!(fared, [(0, CANARY, 2, 2, 8), (1, CANARY, 4, 4, 45)]);
}
