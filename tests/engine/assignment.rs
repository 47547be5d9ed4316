//! How requests are spread over the versions of a split, and what is said of it.

use coalmine::engine::{
    Assignment, Change, CommandError, CommandKind, EventKind, PinShare, Slot, StickyKey,
};
use coalmine::units::Ratio;

use crate::world::{CANARY, STABLE, World, error_rate, judge, rule_set};

fn assigned(world: &mut World, assignment: Assignment) {
    world.apply(CommandKind::Assignment(assignment)).unwrap();
}

/// Draws spread over [0, 1) without repetition: multiples of the golden ratio.
fn draw(n: u32) -> f64 {
    (f64::from(n) * 0.618_033_988_749_894_9).fract()
}

fn skews(world: &World) -> usize {
    world.events.iter().filter(|event| matches!(event.kind, EventKind::SplitSkew(_))).count()
}

#[test]
fn even_assignment_ignores_the_draws_and_takes_turns() {
    let mut world = World::half([]);
    assigned(&mut world, Assignment::Even);
    let mut got = [0_i32; 2];
    for _ in 0..1_000 {
        got[usize::from(world.assign(0.999, None).0)] += 1;
        assert!((got[0] - got[1]).abs() <= 1, "{got:?}");
    }
    assert_eq!(skews(&world), 0, "turns are no chance, and are not tested for it");
}

#[test]
fn turns_begin_anew_with_a_split() {
    let mut world = World::half([]);
    assigned(&mut world, Assignment::Even);
    let first = world.assign(0.0, None);
    world.split(&[("old", 0.75), ("new", 0.25)]);
    world.split(&[("old", 0.5), ("new", 0.5)]);
    assert_eq!(world.assign(0.0, None), first);
}

#[test]
fn a_key_meets_one_version_whatever_its_draws() {
    let mut world = World::half([]);
    assigned(&mut world, Assignment::Sticky);
    for user in 0..100 {
        let key = Some(StickyKey::Number(user));
        let first = world.assign(0.0, key);
        assert!((1..20).all(|n| world.assign(draw(n), key) == first));
    }
}

#[test]
fn raising_the_weight_moves_users_to_the_canary_only_and_a_rollback_takes_all_back() {
    let mut world = World::half([error_rate(0.0)]);
    assigned(&mut world, Assignment::Sticky);
    let users = |world: &mut World| -> Vec<Slot> {
        (0..500).map(|user| world.assign(0.5, Some(StickyKey::Number(user)))).collect()
    };
    let half = users(&mut world);
    world.split(&[("old", 0.2), ("new", 0.8)]);
    let most = users(&mut world);
    assert!(half.iter().zip(&most).all(|(half, most)| half <= most));
    assert!(half != most);
    world.apply(CommandKind::Rollback(None)).unwrap();
    assert!(users(&mut world).iter().all(|version| *version == STABLE));
    world.try_split(&[("old", 0.5), ("new", 0.5)], true).unwrap();
    assert!(users(&mut world) != half, "the next canary begins with others");
}

#[test]
fn a_request_without_a_key_is_assigned_by_its_draw() {
    let mut world = World::half([]);
    assigned(&mut world, Assignment::Sticky);
    assert_eq!((world.assign(0.1, None), world.assign(0.9, None)), (STABLE, CANARY));
}

#[test]
fn random_assignment_lies_within_its_binomial_interval() {
    // 0.3 of 20,000 by the draws of a generator: 6,000 +- 5 standard deviations of 64.8.
    let mut world = World::new();
    world.split(&[("old", 0.7), ("new", 0.3)]);
    let mut state = 1_u64;
    let mut canary = 0;
    for _ in 0..20_000 {
        // Knuth's MMIX generator, its high half.
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let draw = f64::from((state >> 32) as u32) / 4_294_967_296.0;
        canary += i32::from(world.assign(draw, None) == CANARY);
    }
    assert!((canary - 6_000).abs() < 324, "{canary}");
    assert_eq!(skews(&world), 0);
}

#[test]
fn draws_that_are_no_chance_are_told_once_for_a_split() {
    let mut world = World::half([]);
    (0..5_000).for_each(|n| _ = world.assign(draw(n) * 0.4, None));
    let found = world.events.iter().find_map(|event| match &event.kind {
        EventKind::SplitSkew(skew) => Some(skew.clone()),
        _ => None,
    });
    let skew = found.unwrap();
    let half = Ratio::new(0.5).unwrap();
    // The first look after the 33rd: see the unit test.
    assert_eq!(skew.arms, [(STABLE, half, 48), (CANARY, half, 0)]);
    assert_eq!(skews(&world), 1);
    world.split(&[("old", 0.4), ("new", 0.6)]);
    (0..5_000).for_each(|n| _ = world.assign(draw(n) * 0.4, None));
    assert_eq!(skews(&world), 2);
}

#[test]
fn of_requests_that_stick_a_users_first_is_counted() {
    let mut world = World::half([]);
    assigned(&mut world, Assignment::Sticky);
    for _ in 0..200 {
        (0..20).for_each(|user| _ = world.assign(0.5, Some(StickyKey::Number(user))));
    }
    assert_eq!(skews(&world), 0, "20 users are no evidence, however many requests they send");
}

#[test]
fn pinned_requests_are_told_of_above_their_share_and_are_no_part_of_the_split() {
    let mut world = World::half([]);
    for n in 0..1_000 {
        let pin = (n % 10 == 0).then_some("new");
        let ticket = world.route(pin, draw(n));
        world.complete(ticket, coalmine::exchange::Ending::Success, Default::default());
    }
    let found: Vec<_> = world
        .events
        .iter()
        .filter_map(|event| match event.kind {
            EventKind::PinShare(pins) => Some(pins),
            _ => None,
        })
        .collect();
    let limit = Ratio::new(0.05).unwrap();
    assert_eq!(found, [PinShare { pinned: 12, requests: 112, limit }]);
    assert_eq!(skews(&world), 0);
}

#[test]
fn a_judge_watches_only_what_chance_assigns() {
    let mut world = World::half([judge()]);
    let refused = world.apply(CommandKind::Assignment(Assignment::Even));
    assert!(matches!(refused, Err(CommandError::BlindJudge { .. })), "{refused:?}");
    world.rules([error_rate(0.0)]);
    assigned(&mut world, Assignment::Even);
    let refused = world.apply(CommandKind::Rules(rule_set([judge()])));
    let text = refused.unwrap_err().to_string();
    assert!(text.contains("under the assignment even: its test"), "{text}");
    assigned(&mut world, Assignment::Random);
    world.rules([judge()]);
    assigned(&mut world, Assignment::Sticky);
    let expected = Change::Assignment { assignment: Assignment::Sticky };
    assert_eq!(world.changes().last(), Some(&expected));
}
