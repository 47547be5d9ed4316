//! A version's lives: what of a request's figures belongs to which activation.

use coalmine::engine::{
    Backoff, CommandKind, Completion, Engine, ModelSettings, Policies, RetryOn, RetryPolicy,
};
use coalmine::exchange::Ending;
use coalmine::units::{Duration, ModelId, Ratio, Timestamp};

use crate::world::{CANARY, MODEL, STABLE, World, error_rate, latency_p99, target};

fn life(world: &World) -> u32 {
    world.engine.life(MODEL, CANARY)
}

fn begun(world: &mut World, pin: Option<&str>) -> Option<u32> {
    let ticket = world.route(pin, 0.75);
    assert_eq!(ticket.attempted(), CANARY);
    let life = ticket.life();
    world.complete(ticket, Ending::Success, Duration::from_millis(10));
    life
}

#[test]
fn a_life_begins_as_traffic_comes_and_not_as_it_goes() {
    let mut world = World::new();
    assert_eq!((life(&world), world.engine.life(MODEL, STABLE)), (0, 0));
    world.split(&[("old", 0.5), ("new", 0.5)]);
    assert_eq!((life(&world), begun(&mut world, None)), (1, Some(1)));
    world.at(1.0).split(&[("old", 0.25), ("new", 0.75)]);
    assert_eq!(life(&world), 1, "another weight is no other life");
    world.at(2.0).split(&[("old", 1.0)]);
    assert_eq!(life(&world), 1, "its figures are those of its last one");
    world.at(3.0).split(&[("old", 0.5), ("new", 0.5)]);
    assert_eq!((life(&world), begun(&mut world, None)), (2, Some(2)));
    assert_eq!(world.engine.life(MODEL, STABLE), 1);
}

#[test]
fn rules_that_first_look_at_requests_in_flight_end_no_life() {
    let mut world = World::half([error_rate(0.0)]);
    assert_eq!(begun(&mut world, None), Some(1));
    world.at(1.0).rules([latency_p99(0.0)]);
    assert_eq!((life(&world), begun(&mut world, None)), (1, Some(1)));
}

#[test]
fn a_request_that_was_pinned_belongs_to_no_life() {
    let mut world = World::half([error_rate(0.0)]);
    assert_eq!(begun(&mut world, Some("new")), None);
    world.apply(CommandKind::Rollback(Some(target("old")))).unwrap();
    assert_eq!((begun(&mut world, Some("new")), life(&world)), (None, 1));
}

#[test]
fn nor_does_a_further_attempt_at_one() {
    let mut world = World::half([error_rate(0.0)]);
    let backoff = Backoff::new(Duration::ZERO, Duration::ZERO, Ratio::ZERO).unwrap();
    let retry = RetryPolicy::new(2, vec![RetryOn::ServerErrors], backoff).unwrap();
    let policies = Policies { retry: Some(retry), ..Policies::default() };
    world.apply(CommandKind::Policies(Box::new(policies))).unwrap();
    let ticket = world.route(None, 0.75);
    assert_eq!(ticket.life(), Some(1));
    let Completion::Retry(retry) = world.end(ticket, Ending::Status(503), Duration::ZERO) else {
        panic!("it is sent again");
    };
    let again = world.retry(retry, 0.75);
    assert_eq!((again.attempt(), again.life()), (1, None));
    world.complete(again, Ending::Success, Duration::ZERO);
}

#[test]
fn lives_are_counted_from_a_restart_on() {
    let mut world = World::half([error_rate(0.0)]);
    world.at(1.0).split(&[("old", 1.0)]);
    world.at(2.0).split(&[("old", 0.5), ("new", 0.5)]);
    assert_eq!(life(&world), 2);
    let (state, now) = (world.engine.durable(), Timestamp::from_second(60));
    let model = ModelSettings::new(ModelId::new("gpt-4").unwrap());
    let engine = Engine::restore(now, [model], state);
    let mut world = world.restarted(engine, now);
    assert_eq!((life(&world), begun(&mut world, None)), (1, Some(1)));
}

#[test]
fn a_version_that_is_deployed_anew_begins_another() {
    let mut world = World::half([error_rate(0.0)]);
    world.at(1.0).try_split(&[("old", 0.5), ("new", 0.5)], true).unwrap();
    assert_eq!((life(&world), begun(&mut world, None)), (2, Some(2)));
}
