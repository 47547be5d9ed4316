//! Latencies since an activation: whatever becomes of an attempt, what began after it counts in the
//! end.

use std::sync::Mutex;
use std::sync::mpsc::channel;

use serde_json::Value;

use crate::upstream::{HELLO, Step, Upstream, answer, chunk, json, stream_head};
use crate::world::{World, ask, ask_stream, two};

/// Of version v1, as the status has it.
fn latency(world: &World) -> Value {
    let status = world.client().get("/v1/deploy/status").json();
    let versions = status["models"][0]["versions"].as_array().unwrap().clone();
    versions.into_iter().find(|version| version["id"] == "v1").unwrap()["latency"].clone()
}

/// Successes that count, and attempts that are over and wait.
fn counted(world: &World) -> [u64; 2] {
    let latency = latency(world);
    ["successes", "waiting"].map(|count| latency[count].as_u64().unwrap())
}

/// What says that its connection is not used again: a request on one that had been used, and breaks,
/// is sent once more, and would be counted twice by the upstream.
fn last(response: Vec<u8>) -> Step {
    let response = String::from_utf8(response).unwrap();
    Step::Send(response.replacen("\r\n\r\n", "\r\nconnection: close\r\n\r\n", 1).into_bytes())
}

#[test]
fn nothing_waits_once_all_attempts_are_over_however_they_ended() {
    let ((first, held), (second, also_held)) = (channel(), channel());
    let held = Mutex::new([Some(held), Some(also_held)]);
    let (tell, gone) = channel();
    let upstream = Upstream::new(move |number, came| {
        let wait = |place: usize| Step::Wait(held.lock().unwrap()[place].take().unwrap());
        let begun = || Step::Send([stream_head(), chunk(HELLO, "null")].concat());
        match number {
            0 => vec![wait(0), last(answer(came))],
            // It is sent again, as number 2.
            1 => vec![last(json(500, "{}"))],
            3 => vec![begun(), Step::Close],
            4 => vec![Step::Reset],
            5 => vec![begun(), Step::AwaitEnd(tell.clone())],
            6 => vec![wait(1), last(answer(came))],
            _ => vec![last(answer(came))],
        }
    });
    let retry =
        "    policies: {retry: {attempts: 2, on: ['500'], backoff: {first: 1ms, max: 1ms}}}\n";
    let yaml = two(&upstream.url(), &upstream.url(), "{v1: 100%}", "")
        .replace("tags: [stable]", "tags: [stable], concurrency: 2")
        .replace("    split:", &format!("{retry}    split:"));
    let world = World::new(&yaml);
    assert_eq!(latency(&world), Value::Null, "no request has begun");
    let mut waits = world.client();
    waits.send_chat(&ask("gpt-4"));
    upstream.await_came(1);
    assert_eq!(world.client().chat(&ask("gpt-4")).status, 200, "the second attempt");
    for (stream, ending) in [(true, "truncated"), (false, "reset")] {
        let question = if stream { ask_stream("gpt-4") } else { ask("gpt-4") };
        let mut client = world.client();
        client.send_chat(&question);
        client.head();
        world.await_attempts("v1", ending, 1);
    }
    let mut leaves = world.client();
    leaves.send_chat(&ask_stream("gpt-4"));
    leaves.head();
    drop(leaves);
    gone.recv().unwrap();
    world.await_attempts("v1", "client_closed", 1);
    // Four first attempts are over; what was sent again is not one of them.
    assert_eq!(counted(&world), [0, 4]);
    assert_eq!(latency(&world)["p50_ms"], Value::Null);
    let mut also_waits = world.client();
    also_waits.send_chat(&ask("gpt-4"));
    upstream.await_came(7);
    assert_eq!(world.client().chat(&ask("gpt-4")).status, 503, "both places are taken");
    assert_eq!(counted(&world), [0, 5]);
    first.send(()).unwrap();
    assert_eq!(waits.head().status, 200);
    second.send(()).unwrap();
    assert_eq!(also_waits.head().status, 200);
    assert_eq!(world.client().chat(&ask("gpt-4")).status, 200);
    let pinned = world.client().call(
        "POST",
        "/v1/chat/completions",
        "content-type: application/json\r\nx-canary-version: v1\r\n",
        &ask("gpt-4").to_string(),
    );
    assert_eq!(pinned.status, 200);
    while counted(&world) != [3, 0] {
        std::thread::yield_now();
    }
}
