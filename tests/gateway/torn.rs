//! Streams that break off somewhere, and what their clients are told: never half an event.

use serde_json::Value;

use crate::upstream::{DONE, HELLO, ROLE, Step, Upstream, chunk, stream_head};
use crate::world::{World, ask_stream, two};

fn world(upstream: &Upstream, more: &str) -> World {
    World::new(&two(&upstream.url(), &upstream.url(), "{v1: 100%}", more))
}

/// The data of the events in `text`, as a client reads them.
fn events(text: &str) -> Vec<&str> {
    let events = text.split("\n\n").filter(|event| !event.is_empty());
    events.map(|event| event.strip_prefix("data: ").unwrap_or_else(|| panic!("{text}"))).collect()
}

/// The stream of `pieces`, one after the other.
fn streaming(pieces: &[&[u8]], last: fn() -> Step) -> Upstream {
    let pieces: Vec<Vec<u8>> = pieces.iter().map(|piece| piece.to_vec()).collect();
    Upstream::new(move |_, _| {
        let head = std::iter::once(Step::Send(stream_head()));
        head.chain(pieces.iter().cloned().map(Step::Send)).chain([last()]).collect()
    })
}

#[test]
fn whatever_the_byte_a_stream_breaks_off_at_its_client_reads_an_error() {
    let stream = [chunk(ROLE, "null"), chunk(HELLO, "null"), chunk("{}", "\"stop\"")].concat();
    let cuts = stream.len() + 1;
    let told = stream.clone();
    let upstream = Upstream::new(move |number, _| {
        vec![Step::Send([&stream_head(), &told[..number % cuts]].concat()), Step::Close]
    });
    let world = world(&upstream, "");
    let mut client = world.client();
    for cut in 0..cuts {
        let reply = client.chat(&ask_stream("gpt-4"));
        let text = reply.text();
        let mut read: Vec<Value> = events(&text)
            .into_iter()
            .map(|data| serde_json::from_str(data).unwrap_or_else(|_| panic!("{cut}: {text}")))
            .collect();
        let error = read.pop().unwrap();
        assert_eq!(error["error"]["code"], "upstream_failed", "{cut}: {text}");
        // All that had come whole has come through.
        let whole = String::from_utf8(stream[..cut].to_vec()).unwrap().matches("\n\n").count();
        assert_eq!(read.len(), whole, "{cut}: {text}");
    }
    assert_eq!(world.attempts("v1", "truncated"), cuts as u64);
}

/// The version is judged already: its client is not.
#[test]
fn a_break_after_something_malformed_is_told() {
    for last in [|| Step::Close, || Step::Reset] {
        let hello = chunk(HELLO, "null");
        let upstream = streaming(&[b"data: {oops\n\n", &hello], last);
        let world = world(&upstream, "");
        let text = world.client().chat(&ask_stream("gpt-4")).text();
        let last: Value = serde_json::from_str(events(&text).last().unwrap()).unwrap();
        assert_eq!(last["error"]["code"], "upstream_failed", "{text}");
        assert_eq!(world.attempts("v1", "malformed"), 1);
    }
}

#[test]
fn the_end_of_a_stream_after_something_malformed_is_an_end() {
    let upstream = streaming(&[b"data: {oops\n\n", DONE], || Step::Close);
    let world = world(&upstream, "");
    let reply = world.client().chat(&ask_stream("gpt-4"));
    assert_eq!(reply.body, [b"data: {oops\n\n", DONE].concat());
    assert_eq!(world.attempts("v1", "malformed"), 1);
}

/// A picture within an event, as base64.
#[test]
fn an_event_of_two_megabytes_passes_and_a_break_within_it_is_no_end() {
    let picture = chunk(&format!("{{\"content\":\"{}\"}}", "A".repeat(2 << 20)), "null");
    let end = [&chunk("{}", "\"stop\""), DONE].concat();
    let upstream = streaming(&[&picture, &end], || Step::Close);
    let whole = world(&upstream, "");
    let reply = whole.client().chat(&ask_stream("gpt-4"));
    assert!(reply.body == [picture.clone(), end].concat());
    assert_eq!(whole.attempts("v1", "success"), 1);
    let upstream = streaming(&[&picture[..1 << 20]], || Step::Close);
    let torn = world(&upstream, "");
    let headers = "content-type: application/json\r\n";
    let body = ask_stream("gpt-4").to_string();
    let broken = torn.client().try_call("POST", "/v1/chat/completions", headers, &body);
    broken.expect_err("half an event cannot end well");
    assert_eq!(torn.attempts("v1", "truncated"), 1);
}

/// Where another attempt may follow, a stream that never comes to its content is not kept for ever.
#[test]
fn a_stream_that_says_too_much_before_its_content_is_passed_on() {
    let (tell, told) = std::sync::mpsc::channel();
    let upstream = Upstream::new(move |_, _| {
        vec![Step::Send(stream_head()), Step::Repeat(chunk(ROLE, "null"), tell.clone())]
    });
    let more =
        "    policies: {retry: {attempts: 1, on: [truncated], backoff: {first: 1ms, max: 1ms}}}\n";
    let world = world(&upstream, more);
    let mut client = world.client();
    client.send_chat(&ask_stream("gpt-4"));
    assert_eq!(client.head().status, 200);
    client.piece().unwrap();
    drop(client);
    told.recv().unwrap();
}
