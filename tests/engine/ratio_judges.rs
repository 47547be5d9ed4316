//! Judges of how frequent errors and slow requests are, of objectives, and of ranks: what counts for
//! them, and when they fire. The numbers of events that suffice were worked out from the formula of
//! the evidence in Python.

use coalmine::engine::{
    Assignment, CommandKind, RawRules, RawTrigger, Reading, RuleSet, RulesError, Safeguards,
    StickyKey,
};
use coalmine::exchange::Ending;
use coalmine::units::{Duration, Ratio};

use crate::world::{CANARY, NEVER, STABLE, World, judge_of, rule_set};

const FAILURE: Ending = Ending::Status(503);
const SUCCESS: Ending = Ending::Success;

fn every_error() -> RawTrigger {
    RawTrigger { burst_block_seconds: Some(0.0), ..judge_of("sequential") }
}

/// So many failures of a version whose weight the draw points into.
fn fail(world: &mut World, draw: f64, count: u32) {
    for _ in 0..count {
        let ticket = world.route(None, draw);
        world.complete(ticket, FAILURE, Duration::ZERO);
    }
}

fn evidence(world: &World) -> Reading {
    world.firings().remove(0).1.reading
}

#[test]
fn eighteen_errors_of_the_canary_alone_are_more_than_half_again_at_half_of_the_traffic() {
    for (errors, fired) in [(17, vec![]), (18, vec![5])] {
        let mut world = World::half([every_error()]);
        fail(world.at(1.0), 0.9, errors);
        world.at(30.0);
        assert_eq!(world.fired_at(), fired, "{errors}");
    }
    // Not worse at all: thirteen.
    for (errors, fired) in [(12, vec![]), (13, vec![5])] {
        let mut world = World::half([RawTrigger { effect: Some(0.0), ..every_error() }]);
        fail(world.at(1.0), 0.9, errors);
        world.at(30.0);
        assert_eq!(world.fired_at(), fired, "{errors}");
    }
}

#[test]
fn the_evidence_goes_through_changes_of_the_weights() {
    let mut world = World::new();
    world.rules([every_error()]);
    world.split(&[("old", 0.99), ("new", 0.01)]);
    fail(world.at(1.0), 0.995, 2);
    fail(&mut world, 0.5, 1);
    world.split(&[("old", 0.5), ("new", 0.5)]);
    fail(world.at(2.0), 0.9, 5);
    world.at(9.0);
    assert_eq!(world.fired_at(), NEVER, "two, one of the stable, and five");
    fail(&mut world, 0.9, 1);
    world.at(20.0);
    assert_eq!(world.fired_at(), [10]);
    let Reading::EventRatio(ratio) = evidence(&world) else { panic!("{:?}", evidence(&world)) };
    assert_eq!((ratio.canary_events, ratio.stable_events), (8, 1));
    assert!((ratio.ln_evidence - 7.047_259_398_860_568).abs() < 1e-9, "{ratio:?}");
    assert_eq!((ratio.expected_share, ratio.allowed_excess), (0.5, 0.5));
}

#[test]
fn of_a_burst_only_the_first_error_of_each_block_counts() {
    let mut world = World::half([judge_of("sequential")]);
    // Ten a second for 179 s are 18 blocks, of which the last begins at 171.
    for second in 1..=170 {
        fail(world.at(f64::from(second)), 0.9, 10);
    }
    assert_eq!(world.fired_at(), NEVER, "1,700 errors in 17 blocks");
    fail(world.at(171.0), 0.9, 1);
    world.at(180.0);
    assert_eq!(world.fired_at(), [175]);
    let Reading::EventRatio(ratio) = evidence(&world) else { panic!("{:?}", evidence(&world)) };
    assert_eq!((ratio.canary_events, ratio.burst_block), (18, Duration::from_secs(10)));
}

#[test]
fn an_error_of_the_stable_takes_the_block_from_the_canary() {
    let mut world = World::half([judge_of("sequential")]);
    for block in 0..200 {
        world.at(f64::from(1 + block * 10));
        fail(&mut world, 0.1, 1);
        fail(&mut world, 0.9, 10);
    }
    assert_eq!(world.fired_at(), NEVER);
}

#[test]
fn where_requests_stick_to_their_users_the_first_of_each_counts() {
    let sticky = || {
        let mut world = World::new();
        world.apply(CommandKind::Assignment(Assignment::Sticky)).unwrap();
        world.rules([every_error()]);
        world.split(&[("old", 0.5), ("new", 0.5)]);
        world
    };
    let fail_as = |world: &mut World, user: u64| {
        let ticket = world.route_as(None, 0.5, Some(StickyKey::Number(user)));
        let version = ticket.attempted();
        world.complete(ticket, FAILURE, Duration::ZERO);
        version
    };
    let mut world = sticky();
    let of_canary: Vec<u64> =
        (0..).filter(|user| fail_as(&mut sticky(), *user) == CANARY).take(18).collect();
    world.at(1.0);
    for _ in 0..100 {
        for user in &of_canary[..17] {
            fail_as(&mut world, *user);
        }
    }
    world.at(10.0);
    assert_eq!(world.fired_at(), NEVER, "1,700 errors of 17 users");
    fail_as(&mut world, of_canary[17]);
    world.at(20.0);
    assert_eq!(world.fired_at(), [15]);
    // Whose first request went well has had its turn: else those on the version that fails first
    // would be used up, and the other would be left with all errors.
    let begins_well = |mut world: World| {
        world.at(1.0);
        for user in 0..200 {
            let ticket = world.route_as(None, 0.5, Some(StickyKey::Number(user)));
            let version = ticket.attempted();
            world.complete(ticket, SUCCESS, Duration::ZERO);
            if version == CANARY {
                fail_as(&mut world, user);
            }
        }
        world.at(20.0).fired_at()
    };
    assert_eq!(begins_well(sticky()), NEVER);
    // Also where requests begin to stick while the judge looks.
    let mut world = World::half([every_error()]);
    world.apply(CommandKind::Assignment(Assignment::Sticky)).unwrap();
    assert_eq!(begins_well(world), NEVER);
}

#[test]
fn a_judge_with_an_alpha_of_its_own_has_it_for_itself() {
    let own = RawTrigger { alpha: Some(0.1), id: Some("own".to_owned()), ..every_error() };
    let shared = |id: &str| RawTrigger { id: Some(id.to_owned()), ..every_error() };
    let fired = |rules: Vec<RawTrigger>, errors| {
        let mut world = World::half(rules);
        fail(world.at(1.0), 0.9, errors);
        world.at(5.0);
        world.firings().into_iter().next().map(|(_, evidence)| evidence.trigger)
    };
    assert_eq!(fired(vec![shared("one"), own.clone()], 8).as_deref(), Some("own"));
    assert_eq!(fired(vec![shared("one"), own.clone()], 18).as_deref(), Some("one"), "in order");
    // Two that share one alpha need nineteen.
    assert_eq!(fired(vec![shared("one"), shared("two")], 18), None);
    assert_eq!(fired(vec![shared("one"), shared("two")], 19).as_deref(), Some("one"));
    let rules = rule_set([shared("one"), own]);
    assert!((rules.false_alarms().unwrap() - 0.101).abs() < 1e-12);
}

/// Ten requests a second of each version for so many seconds, whose latencies go evenly from 900 to
/// 1,099 ms, on the canary so many times.
fn answer(world: &mut World, seconds: u32, times: f64) {
    for second in 1..=seconds {
        world.at(f64::from(second));
        for (draw, times) in [(0.1, 1.0), (0.9, times)] {
            for number in 0..10 {
                let millis = f64::from(900 + (second * 10 + number) * 37 % 200) * times;
                let latency = Duration::from_secs_f64(millis / 1_000.0);
                let ticket = world.route(None, draw);
                world.complete(ticket, SUCCESS, latency);
            }
        }
    }
}

fn slowness() -> RawTrigger {
    RawTrigger { metric: Some("latency_p95".to_owned()), ..every_error() }
}

#[test]
fn a_canary_that_is_slower_than_the_effect_is_found_and_one_as_fast_never() {
    let mut world = World::half([slowness()]);
    answer(&mut world, 120, 1.0);
    assert_eq!(world.fired_at(), NEVER);
    // P95 of the stable is 1,090 ms within 1 %: 1,308 is slow, what 1.15 times 1,099 is not.
    let mut world = World::half([slowness()]);
    answer(&mut world, 120, 1.15);
    assert_eq!(world.fired_at(), NEVER);
    let mut world = World::half([slowness()]);
    answer(&mut world, 120, 1.5);
    // The first limit is made at 10 s, of which requests see something from then on: a third to two
    // thirds of ten a second are slow, so that eighteen are there within 6 s.
    assert_eq!(world.fired_at(), [15]);
    let Reading::EventRatio(ratio) = evidence(&world) else { panic!("{:?}", evidence(&world)) };
    assert_eq!((ratio.stable_events, ratio.canary_events), (0, 18));
    let above = ratio.slow_above.unwrap().as_secs_f64();
    assert!((above / 1.308 - 1.0).abs() < 0.01, "{above}");
}

#[test]
fn drift_that_both_versions_share_is_no_evidence() {
    let mut world = World::half([slowness()]);
    for second in 1..=600_u32 {
        world.at(f64::from(second));
        // Twice as slow after ten minutes.
        let drift = 1.0 + f64::from(second) / 600.0;
        for (draw, shift) in [(0.1, 0), (0.9, 7)] {
            for number in 0..10 {
                let spread = f64::from(800 + (second * 10 + number + shift) * 37 % 400);
                let ticket = world.route(None, draw);
                world.complete(ticket, SUCCESS, Duration::from_secs_f64(spread * drift / 1_000.0));
            }
        }
    }
    assert_eq!(world.fired_at(), NEVER);
}

#[test]
fn an_objective_is_judged_without_the_stable() {
    let objective = |share| RawTrigger {
        metric: Some("error_rate".to_owned()),
        threshold: Some(share),
        ..judge_of("objective")
    };
    let play = |rule: RawTrigger, every: u32, draw: f64| {
        let mut world = World::half([rule]);
        for second in 1..=300_u32 {
            world.at(f64::from(second));
            for number in 0..10 {
                let failed = (second * 10 + number).is_multiple_of(every);
                let ticket = world.route(None, draw);
                let ending = if failed { FAILURE } else { SUCCESS };
                world.complete(ticket, ending, Duration::from_millis(10));
            }
        }
        world
    };
    assert_eq!(play(objective(0.01), 100, 0.9).fired_at(), NEVER, "1 % of 1 %");
    let world = play(objective(0.01), 20, 0.9);
    assert_eq!(world.fired_at().len(), 1, "5 % of 1 %, with no request on the stable");
    let Reading::Objective(against) = evidence(&world) else { panic!("{:?}", evidence(&world)) };
    // They are numbered from 10: every twentieth fails, and what began in the first second counts
    // as begun alone.
    assert_eq!(against.hits, (against.requests + 9) / 20);
    assert_eq!(against.objective, Ratio::new(0.01).unwrap());
    // It may watch the stable as well: that has nowhere to roll back to, and the firing is told.
    let of_stable = RawTrigger {
        version: Some("stable".to_owned()),
        action: Some("notify".to_owned()),
        ..objective(0.01)
    };
    let world = play(of_stable, 20, 0.1);
    assert_eq!(world.firings().len(), 1);
    assert_eq!(world.weight(STABLE), 0.5);
}

#[test]
fn an_objective_of_a_quantile_counts_what_takes_longer() {
    let rule = RawTrigger {
        metric: Some("latency_p99".to_owned()),
        threshold_ms: Some(1_000.0),
        ..judge_of("objective")
    };
    let play = |every: u32| {
        let mut world = World::half([rule.clone()]);
        for second in 1..=300_u32 {
            world.at(f64::from(second));
            for number in 0..10 {
                let slow = (second * 10 + number).is_multiple_of(every);
                let latency = Duration::from_millis(if slow { 1_001 } else { 1_000 });
                let ticket = world.route(None, 0.9);
                world.complete(ticket, SUCCESS, latency);
            }
        }
        world
    };
    assert_eq!(play(100).fired_at(), NEVER, "1 % take longer, as the objective allows");
    let world = play(10);
    let Reading::Objective(against) = evidence(&world) else { panic!("{:?}", evidence(&world)) };
    assert_eq!(against.limit, Some(Duration::from_secs(1)));
    assert!((against.objective.get() - 0.01).abs() < 1e-12);
}

#[test]
fn a_canary_whose_values_rank_above_the_stables_is_found_by_their_ranks() {
    let rule = RawTrigger {
        metric: Some("latency_avg".to_owned()),
        check_interval_seconds: Some(10.0),
        ..judge_of("mann_whitney")
    };
    let mut world = World::half([rule.clone()]);
    answer(&mut world, 300, 1.0);
    assert_eq!(world.fired_at(), NEVER, "values of both are the same");
    let mut world = World::half([rule]);
    answer(&mut world, 49, 1.3);
    world.at(50.0);
    // Five stretches on each side are the first that can tell: all of one above all of the other
    // come by chance in 1 of 252, within the 1 % of one side.
    assert_eq!(world.fired_at(), [50]);
    let Reading::Ranks(shift) = evidence(&world) else { panic!("{:?}", evidence(&world)) };
    // A mean of a second, 1.3 times.
    assert!((shift.shift / 3e8 - 1.0).abs() < 0.02, "{shift:?}");
    assert!(shift.low > shift.tolerance && shift.low <= shift.shift, "{shift:?}");
    assert_eq!(shift.canary_buckets, shift.stable_buckets);
}

#[test]
fn fast_failures_do_not_outrun_the_successes_of_an_objective() {
    let rule = RawTrigger {
        metric: Some("error_rate".to_owned()),
        threshold: Some(0.1),
        ..judge_of("objective")
    };
    let mut world = World::half([rule]);
    world.at(1.0);
    world.at(2.0);
    // Nine of ten are on their way for long; one of ten fails at once.
    let mut on_their_way = Vec::new();
    for number in 0..600_u32 {
        let ticket = world.route(None, 0.9);
        if number.is_multiple_of(10) {
            world.complete(ticket, FAILURE, Duration::ZERO);
        } else {
            on_their_way.push(ticket);
        }
    }
    world.at(10.0);
    assert_eq!(world.fired_at(), NEVER, "60 of 600 are 10 %, though nothing else has ended");
    for ticket in on_their_way {
        world.complete(ticket, SUCCESS, Duration::from_secs(8));
    }
}

#[test]
fn an_objective_that_is_missed_late_is_not_excused_by_a_good_past() {
    let rule = RawTrigger {
        metric: Some("error_rate".to_owned()),
        threshold: Some(0.01),
        ..judge_of("objective")
    };
    let mut world = World::half([rule]);
    for second in 1..=4_000_u32 {
        world.at(f64::from(second));
        for _ in 0..10 {
            let ticket = world.route(None, 0.9);
            world.complete(ticket, SUCCESS, Duration::ZERO);
        }
    }
    for second in 4_001..=4_060_u32 {
        fail(world.at(f64::from(second)), 0.9, 1);
    }
    let (at, evidence) = world.firings().remove(0);
    assert!(at <= 4_060, "sixty errors after 40,000 good requests, 0.15 % of all: {at}");
    assert!(evidence.holds(), "{evidence:?}");
}

#[test]
fn what_a_judge_does_not_take_is_refused_by_name() {
    let field = |raw: RawTrigger| {
        let raw = RawRules { conditions: vec![raw], ..Default::default() };
        match RuleSet::new(&raw, Safeguards::default()) {
            Err(RulesError::Condition { error, .. }) => error.field,
            other => panic!("{other:?}"),
        }
    };
    let sequential = || judge_of("sequential");
    let objective = || RawTrigger { threshold: Some(0.01), ..judge_of("objective") };
    let ranks =
        || RawTrigger { metric: Some("latency_avg".to_owned()), ..judge_of("mann_whitney") };
    let metric = |name: &str, raw: RawTrigger| RawTrigger { metric: Some(name.to_owned()), ..raw };
    for (expected, raw) in [
        ("effect", RawTrigger { effect: Some(-0.1), ..sequential() }),
        ("effect", RawTrigger { effect: Some(f64::NAN), ..sequential() }),
        ("effect", RawTrigger { effect: Some(0.5), prior_strength: Some(1.0), ..sequential() }),
        ("burst_block_seconds", RawTrigger { burst_block_seconds: Some(-1.0), ..sequential() }),
        ("alpha", RawTrigger { alpha: Some(0.0), ..sequential() }),
        ("tolerance", RawTrigger { tolerance: Some(0.1), ..sequential() }),
        ("metric", metric("latency_avg", sequential())),
        ("metric", metric("latency_all_p95", sequential())),
        (
            "prior_strength",
            RawTrigger { prior_strength: Some(1.0), ..metric("ttft_p95", sequential()) },
        ),
        ("metric", objective()),
        ("metric", metric("success_rate", objective())),
        ("threshold", metric("error_rate", judge_of("objective"))),
        ("threshold", RawTrigger { threshold: Some(0.0), ..metric("error_rate", objective()) }),
        (
            "operator",
            RawTrigger { operator: Some(">".to_owned()), ..metric("error_rate", objective()) },
        ),
        ("metric", metric("requests", ranks())),
        ("alpha", RawTrigger { alpha: Some(0.1), ..ranks() }),
        ("confidence", RawTrigger { confidence: Some(1.0), ..ranks() }),
        ("window_seconds", RawTrigger { window_seconds: Some(299.0), ..ranks() }),
        ("check_interval_seconds", RawTrigger { check_interval_seconds: Some(9.0), ..ranks() }),
        ("metric", metric("ttft_p95", objective())),
        ("duration_seconds", RawTrigger { duration_seconds: Some(60.0), ..ranks() }),
    ] {
        assert_eq!(field(raw.clone()), expected, "{raw:?}");
    }
}
