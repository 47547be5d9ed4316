//! Which version gets a request: what is configured, and nothing else.

use std::collections::BTreeMap;

use serde_json::json;

use crate::upstream::{Step, Upstream, answer, json as json_response};
use crate::world::{World, ask, two};

fn shares(world: &World, requests: usize) -> BTreeMap<String, usize> {
    let mut client = world.client();
    let mut counts = BTreeMap::new();
    for _ in 0..requests {
        *counts.entry(client.chat(&ask("gpt-4")).served().to_owned()).or_default() += 1;
    }
    counts
}

/// LiteLLM, issue 10885: a deployment of weight 0 got its share all the same.
#[test]
fn weight_0_gets_nothing() {
    let (one, other) = (Upstream::plain(), Upstream::plain());
    let world = World::new(&two(&one.url(), &other.url(), "{v1: 100%, v2: 0%}", ""));
    assert_eq!(shares(&world, 300), BTreeMap::from([("v1".to_owned(), 300)]));
    assert_eq!(other.came().len(), 0);
}

/// Also where it is the only one left: the stable fails, and nothing goes to the other.
#[test]
fn weight_0_gets_nothing_as_the_only_arm_left() {
    let one = Upstream::new(|_, _| vec![Step::Send(json_response(503, "{}"))]);
    let other = Upstream::plain();
    let more = "    policies:\n      retry: {attempts: 2, on: [5xx], backoff: {first: 1ms, max: 1ms}}\n      \
                fallback: stable\n";
    let world = World::new(&two(&one.url(), &other.url(), "{v1: 100%, v2: 0%}", more));
    let reply = world.client().chat(&ask("gpt-4"));
    assert_eq!((reply.status, reply.served()), (503, "v1"));
    assert_eq!((one.came().len(), other.came().len()), (3, 0));
}

/// Of n requests each version gets its share but for one, where the split goes in turns.
#[test]
fn an_even_split_is_within_one_request_of_its_shares() {
    let (one, other) = (Upstream::plain(), Upstream::plain());
    let more = "    assignment: even\n";
    let world = World::new(&two(&one.url(), &other.url(), "{v1: 70%, v2: 30%}", more));
    let counts = shares(&world, 200);
    assert!(counts["v1"].abs_diff(140) <= 1 && counts["v2"].abs_diff(60) <= 1, "{counts:?}");
}

/// A random split is binomial: of 1,000 at 30 %, five standard deviations are 72.
#[test]
fn a_random_split_is_as_configured() {
    let (one, other) = (Upstream::plain(), Upstream::plain());
    let world = World::new(&two(&one.url(), &other.url(), "{v1: 70%, v2: 30%}", ""));
    let counts = shares(&world, 1_000);
    assert!(counts["v2"].abs_diff(300) <= 72, "{counts:?}");
}

#[test]
fn sticky_pins_both_arms() {
    let (one, other) = (Upstream::plain(), Upstream::plain());
    let more = "    assignment: sticky\n    sticky_by: user\n";
    let world = World::new(&two(&one.url(), &other.url(), "{v1: 50%, v2: 50%}", more));
    let mut client = world.client();
    let mut served: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for round in 0..5 {
        for user in 0..40 {
            let user = format!("user-{user}");
            let body = json!({"model": "gpt-4", "messages": [], "user": user});
            let by = client.chat(&body).served().to_owned();
            served.entry(user).or_default().push(by);
            let _ = round;
        }
    }
    assert!(served.values().all(|by| by.iter().all(|one| *one == by[0])), "{served:?}");
    let first = served.values().filter(|by| by[0] == "v1").count();
    assert!((5..=35).contains(&first), "{first} of 40");
}

/// Retries go to the version that failed, and a failed attempt counts against it, though the client
/// sees a success: its rules do.
#[test]
fn retries_neither_skew_nor_hide_the_split() {
    let one = Upstream::plain();
    let other = Upstream::new(|number, came| {
        let failed = json_response(500, "{}");
        vec![Step::Send(if number % 2 == 0 { failed } else { answer(came) })]
    });
    let more = "    assignment: even\n    policies: {retry: {attempts: 1, on: [5xx], backoff: {first: 1ms, max: 1ms}}}\n";
    let world = World::new(&two(&one.url(), &other.url(), "{v1: 50%, v2: 50%}", more));
    let mut client = world.client();
    for _ in 0..20 {
        let reply = client.chat(&ask("gpt-4"));
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("x-assigned-version"), None);
    }
    assert_eq!((one.came().len(), other.came().len()), (10, 20));
    assert_eq!(world.attempts("v2", "500"), 10);
    assert_eq!(world.attempts("v2", "success"), 10);
    assert_eq!(world.attempts("v1", "success"), 10);
}

#[test]
fn a_fallback_says_who_was_assigned_and_who_served() {
    let one = Upstream::plain();
    let other = Upstream::new(|_, _| vec![Step::Send(json_response(503, "{}"))]);
    let more = "    policies: {fallback: stable}\n";
    let world = World::new(&two(&one.url(), &other.url(), "{v1: 0%, v2: 100%}", more));
    let reply = world.client().chat(&ask("gpt-4"));
    assert_eq!((reply.status, reply.served()), (200, "v1"));
    assert_eq!(reply.header("x-assigned-version"), Some("v2"));
    assert_eq!((world.attempts("v2", "503"), world.attempts("v1", "success")), (1, 1));
}

/// What a proxy that honours headers may keep is nothing: no answer pins a version.
#[test]
fn a_cache_that_honours_headers_never_pins_a_version() {
    let (one, other) = (Upstream::plain(), Upstream::plain());
    let more = "    assignment: even\n";
    let world = World::new(&two(&one.url(), &other.url(), "{v1: 50%, v2: 50%}", more));
    let mut client = world.client();
    let headers = "content-type: application/json\r\nx-canary-version: auto\r\n\
                   cache-control: no-cache, no-store, must-revalidate\r\npragma: no-cache\r\nexpires: 0\r\n";
    let mut served = Vec::new();
    for _ in 0..10 {
        let body = ask("gpt-4").to_string();
        let reply = client.call("POST", "/v1/chat/completions", headers, &body);
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        served.push(reply.served().to_owned());
    }
    assert_eq!(served.iter().filter(|by| *by == "v1").count(), 5, "{served:?}");
}
