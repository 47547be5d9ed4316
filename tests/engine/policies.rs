//! What becomes of requests whose attempts fail.

use coalmine::engine::{
    Backoff, CommandKind, Completion, Fallback, Policies, Reading, Retry, RetryOn, RetryPolicy,
};
use coalmine::exchange::{Ending, Observed, RetryAfter};
use coalmine::units::{Draw, Duration, Ratio};

use crate::world::{CANARY, STABLE, World, error_rate, judge};

const FAILURE: Ending = Ending::Status(503);
const SHORT: Duration = Duration::from_millis(100);

fn retry(attempts: u8) -> RetryPolicy {
    let backoff =
        Backoff::new(Duration::from_millis(100), Duration::from_secs(1), Ratio::ZERO).unwrap();
    RetryPolicy::new(attempts, vec![RetryOn::ServerErrors], backoff).unwrap()
}

fn set(world: &mut World, retry: Option<RetryPolicy>, fallback: Option<Fallback>) {
    let policies = Policies { retry, fallback, ..Policies::default() };
    world.apply(CommandKind::Policies(Box::new(policies))).unwrap();
}

fn pending(completion: Completion) -> Retry {
    match completion {
        Completion::Retry(retry) => retry,
        Completion::Done => panic!("nothing follows"),
    }
}

#[test]
fn nothing_is_attempted_again_unless_it_is_asked_for() {
    let mut world = World::half([]);
    let ticket = world.route(None, 0.9);
    assert_eq!(world.end(ticket, FAILURE, SHORT), Completion::Done);
}

#[test]
fn an_attempt_is_made_again_on_the_same_version_until_the_policy_ends() {
    let mut world = World::half([]);
    set(&mut world, Some(retry(2)), None);
    let mut ticket = world.route(None, 0.9);
    let mut waits = Vec::new();
    for attempt in 1..=2 {
        let again = pending(world.end(ticket, FAILURE, SHORT));
        waits.push(again.after(Draw::from_bits(0)));
        // A draw that would assign it to the stable: it has no say.
        ticket = world.retry(again, 0.1);
        assert_eq!((ticket.attempt(), ticket.attempted()), (attempt, CANARY));
    }
    assert_eq!(waits, [100, 200].map(Duration::from_millis));
    assert_eq!(world.end(ticket, FAILURE, SHORT), Completion::Done);
}

#[test]
fn an_answer_that_asks_for_a_wait_gets_it_where_that_is_honoured() {
    let asks = |seconds| Observed {
        retry_after: Some(RetryAfter::of(Duration::from_secs(seconds))),
        ..Observed::without_answer(FAILURE, SHORT)
    };
    // 100 ms of its own, and up to 1 s at the most.
    for (honours, asked, expected) in [(true, 1, 1_000), (true, 30, 1_000), (false, 30, 100)] {
        let mut world = World::half([]);
        set(&mut world, Some(retry(2).honouring_retry_after(honours)), None);
        let ticket = world.route(None, 0.9);
        let again = pending(world.end_as(ticket, &asks(asked)));
        let waited = again.after(Draw::from_bits(0));
        assert_eq!(waited, Duration::from_millis(expected), "{honours}, {asked} s");
        // The next one asks for nothing.
        let ticket = world.retry(again, 0.9);
        let again = pending(world.end(ticket, FAILURE, SHORT));
        assert_eq!(again.after(Draw::from_bits(0)), Duration::from_millis(200));
    }
}

#[test]
fn a_fallback_does_not_wait_for_the_version_that_asked_to_be_left_alone() {
    let mut world = World::half([]);
    set(&mut world, Some(retry(1).honouring_retry_after(true)), Some(Fallback::Stable));
    let refused = Observed {
        retry_after: Some(RetryAfter::of(Duration::from_secs(9))),
        ..Observed::without_answer(FAILURE, SHORT)
    };
    let ticket = world.route(None, 0.9);
    let again = pending(world.end_as(ticket, &refused));
    let ticket = world.retry(again, 0.9);
    let last = pending(world.end_as(ticket, &refused));
    assert_eq!(last.after(Draw::from_bits(0)), Duration::ZERO);
    let ticket = world.retry(last, 0.9);
    world.complete(ticket, Ending::Success, SHORT);
}

#[test]
fn endings_that_the_policy_does_not_name_are_final() {
    let mut world = World::half([]);
    set(&mut world, Some(retry(2)), None);
    for ending in [Ending::Success, Ending::Status(429), Ending::Timeout, Ending::Status(400)] {
        let ticket = world.route(None, 0.9);
        assert_eq!(world.end(ticket, ending, SHORT), Completion::Done, "{ending:?}");
    }
}

#[test]
fn an_answer_of_which_the_client_has_a_part_is_not_replaced() {
    let mut world = World::half([]);
    let on = vec![RetryOn::Truncated];
    let policy = RetryPolicy::new(3, on, Backoff::default()).unwrap();
    set(&mut world, Some(policy), Some(Fallback::Stable));
    let ticket = world.route(None, 0.9);
    let observed =
        Observed { first_token: Some(SHORT), ..Observed::without_answer(Ending::Truncated, SHORT) };
    assert_eq!(world.end_as(ticket, &observed), Completion::Done);
}

#[test]
fn retries_do_not_hide_a_failing_canary_from_its_rules() {
    let mut world = World::half([error_rate(0.0)]);
    set(&mut world, Some(retry(1)), None);
    world.at(1.0);
    for _ in 0..10 {
        let ticket = world.route(None, 0.9);
        let again = pending(world.end(ticket, FAILURE, SHORT));
        let ticket = world.retry(again, 0.9);
        world.complete(ticket, Ending::Success, SHORT);
    }
    world.at(5.0);
    assert_eq!(world.fired_at(), [5], "every client was answered, and half of the attempts failed");
    let (_, evidence) = world.firings().remove(0);
    let Reading::Share { hits, requests, .. } = evidence.reading else {
        panic!("{:?}", evidence.reading)
    };
    assert_eq!((hits, requests), (10, 20));
}

#[test]
fn what_failed_to_the_end_falls_back_to_the_stable() {
    let mut world = World::half([error_rate(0.0)]);
    set(&mut world, Some(retry(1)), Some(Fallback::Stable));
    world.at(1.0);
    for _ in 0..10 {
        let ticket = world.route(None, 0.9);
        let again = pending(world.end(ticket, FAILURE, SHORT));
        let ticket = world.retry(again, 0.9);
        let last = pending(world.end(ticket, FAILURE, SHORT));
        assert_eq!(last.after(Draw::from_bits(0)), Duration::ZERO);
        let ticket = world.retry(last, 0.9);
        let versions = (ticket.assigned(), ticket.attempted(), ticket.attempt());
        assert_eq!(versions, (CANARY, STABLE, 255));
        world.complete(ticket, Ending::Success, SHORT);
    }
    world.at(5.0);
    assert_eq!(world.fired_at(), [5]);
}

#[test]
fn a_fallback_serves_at_weight_zero_and_is_the_last_attempt() {
    let mut world = World::new();
    world.split(&[("new", 1.0)]);
    set(&mut world, None, Some(Fallback::Stable));
    let ticket = world.route(None, 0.5);
    // Any failure of the version is enough.
    let last = pending(world.end(ticket, Ending::Timeout, SHORT));
    let ticket = world.retry(last, 0.5);
    assert_eq!(ticket.attempted(), STABLE);
    assert_eq!(world.end(ticket, FAILURE, SHORT), Completion::Done);
}

#[test]
fn the_stables_failures_and_pinned_requests_do_not_fall_back() {
    let mut world = World::half([]);
    set(&mut world, Some(retry(1)), Some(Fallback::Stable));
    let ticket = world.route(None, 0.1);
    assert_eq!(ticket.attempted(), STABLE);
    let again = pending(world.end(ticket, FAILURE, SHORT));
    let ticket = world.retry(again, 0.1);
    assert_eq!(world.end(ticket, FAILURE, SHORT), Completion::Done);
    let ticket = world.route(Some("new"), 0.1);
    let again = pending(world.end(ticket, FAILURE, SHORT));
    let ticket = world.retry(again, 0.1);
    assert_eq!(ticket.attempted(), CANARY, "a pin holds for every attempt");
    assert_eq!(world.end(ticket, FAILURE, SHORT), Completion::Done);
}

#[test]
fn a_retry_after_a_rollback_goes_to_where_the_split_points() {
    let mut world = World::half([error_rate(0.0)]);
    set(&mut world, Some(retry(1)), None);
    world.at(1.0);
    let waiting: Vec<_> = (0..10)
        .map(|_| {
            let ticket = world.route(None, 0.9);
            pending(world.end(ticket, FAILURE, SHORT))
        })
        .collect();
    let pinned = world.route(Some("new"), 0.9);
    let pinned = pending(world.end(pinned, FAILURE, SHORT));
    world.at(5.0);
    assert_eq!(world.fired_at(), [5]);
    for again in waiting {
        let ticket = world.retry(again, 0.9);
        assert_eq!((ticket.assigned(), ticket.attempted()), (CANARY, STABLE));
        world.complete(ticket, Ending::Success, SHORT);
    }
    let ticket = world.retry(pinned, 0.9);
    assert_eq!(ticket.attempted(), CANARY, "who asks for the version gets it");
    world.complete(ticket, Ending::Success, SHORT);
}

#[test]
fn a_stable_that_was_rolled_back_is_no_fallback() {
    let mut world = World::new();
    world.split(&[("old", 1.0)]);
    world.apply(CommandKind::Rollback(Some(crate::world::target("new")))).unwrap();
    set(&mut world, None, Some(Fallback::Stable));
    let ticket = world.route(None, 0.5);
    assert_eq!(ticket.attempted(), CANARY);
    assert_eq!(world.end(ticket, FAILURE, SHORT), Completion::Done);
}

#[test]
fn a_judge_counts_first_attempts_only() {
    let mut world = World::half([judge()]);
    set(&mut world, Some(retry(2)), None);
    let fail = |world: &mut World| {
        let ticket = world.route(None, 0.9);
        let again = pending(world.end(ticket, FAILURE, SHORT));
        let ticket = world.retry(again, 0.9);
        let again = pending(world.end(ticket, FAILURE, SHORT));
        let ticket = world.retry(again, 0.9);
        world.complete(ticket, FAILURE, SHORT);
    };
    // Twenty errors of the canary alone reject: see the rules.
    world.at(1.0);
    (0..19).for_each(|_| fail(&mut world));
    world.at(30.0);
    assert!(world.fired_at().is_empty(), "57 attempts, 19 first ones");
    fail(&mut world);
    world.at(60.0);
    let (_, evidence) = world.firings().remove(0);
    let Reading::Sequential(shares) = evidence.reading else { panic!("{:?}", evidence.reading) };
    assert_eq!((shares.canary_errors, shares.stable_errors), (20, 0));
}
