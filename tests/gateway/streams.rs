//! Streamed answers: passed on piece by piece, and judged by what they say.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::upstream::{DONE, HELLO, ROLE, Step, Upstream, chunk, stream_head};
use crate::world::{World, ask_stream, two};

fn world(upstream: &Upstream, more: &str) -> World {
    World::new(&two(&upstream.url(), &upstream.url(), "{v1: 100%}", more))
}

/// A server that streams these pieces, and then closes.
fn streaming(pieces: Vec<Vec<u8>>) -> Upstream {
    Upstream::new(move |_, _| {
        let head = std::iter::once(Step::Send(stream_head()));
        head.chain(pieces.iter().cloned().map(Step::Send)).chain([Step::Close]).collect()
    })
}

fn whole() -> Vec<Vec<u8>> {
    let usage = b"data: {\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\
                  \"choices\":[],\"usage\":{\"prompt_tokens\":5,\"completion_tokens\":2,\"total_tokens\":7}}\n\n";
    vec![
        chunk(ROLE, "null"),
        chunk(HELLO, "null"),
        chunk("{}", "\"stop\""),
        usage.to_vec(),
        DONE.to_vec(),
    ]
}

fn last_error(text: &str) -> Value {
    let last = text.trim_end().rsplit("data: ").next().unwrap();
    serde_json::from_str::<Value>(last).unwrap()["error"].clone()
}

#[test]
fn a_stream_passes_byte_by_byte() {
    let upstream = streaming(whole());
    let world = world(&upstream, "");
    let reply = world.client().chat(&ask_stream("gpt-4"));
    assert_eq!((reply.status, reply.served()), (200, "v1"));
    assert_eq!(reply.header("content-type"), Some("text/event-stream"));
    assert_eq!(reply.body, whole().concat());
    assert_eq!(world.attempts("v1", "success"), 1);
    let text = world.client().get("/metrics").text();
    let tokens = |kind: &str| {
        let of = |line: &&str| {
            line.starts_with("gen_ai_client_token_usage_sum{")
                && line.contains("version=\"v1\"")
                && line.contains(&format!("gen_ai_token_type=\"{kind}\""))
        };
        text.lines().find(of).unwrap().rsplit(' ').next().unwrap().parse::<f64>().unwrap()
    };
    assert_eq!((tokens("input"), tokens("output")), (5.0, 2.0));
}

/// Each piece reaches the client before the upstream sends the next one.
#[test]
fn pieces_are_forwarded_as_they_come() {
    let (next, wait) = channel();
    let wait = Arc::new(Mutex::new(Some(wait)));
    let upstream = Upstream::new(move |_, _| {
        let wait = wait.lock().unwrap().take().unwrap();
        let rest = whole()[2..].concat();
        vec![
            Step::Send(stream_head()),
            Step::Send(chunk(HELLO, "null")),
            Step::Wait(wait),
            Step::Send(rest),
            Step::Close,
        ]
    });
    let world = world(&upstream, "");
    let mut client = world.client();
    client.send_chat(&ask_stream("gpt-4"));
    let head = client.head();
    assert_eq!(head.status, 200);
    assert_eq!(client.piece().unwrap(), chunk(HELLO, "null"));
    next.send(()).unwrap();
    let mut rest = Vec::new();
    while let Some(piece) = client.piece() {
        rest.extend(piece);
    }
    assert_eq!(rest, whole()[2..].concat());
}

/// The status was 200: an error in the stream is a failure of the version all the same.
#[test]
fn an_error_in_mid_stream_counts_as_a_failure() {
    let error = b"data: {\"error\": {\"message\": \"overloaded\", \"type\": \"server_error\"}}\n\n";
    let upstream = streaming(vec![chunk(HELLO, "null"), error.to_vec()]);
    let world = world(&upstream, "");
    let reply = world.client().chat(&ask_stream("gpt-4"));
    assert_eq!(reply.status, 200);
    assert_eq!(last_error(&reply.text())["message"], "overloaded");
    assert_eq!(world.attempts("v1", "error_in_stream"), 1);
    assert_eq!(world.attempts("v1", "success"), 0);
}

#[test]
fn a_stream_without_its_end_counts_as_a_failure_and_its_client_is_told() {
    for cut in [vec![], vec![chunk(HELLO, "null")], whole()[..4].to_vec()] {
        let upstream = streaming(cut);
        let world = world(&upstream, "");
        let reply = world.client().chat(&ask_stream("gpt-4"));
        assert_eq!(world.attempts("v1", "truncated"), 1, "{}", reply.text());
        assert_eq!(last_error(&reply.text())["code"], "upstream_failed");
    }
}

/// A server that goes away between two events closes its connections, chunked framing or not: its
/// streams have stopped, where a reset would have broken them off.
#[test]
fn a_stream_that_stops_within_its_framing_is_truncated_and_one_that_is_reset_is_not() {
    for (last, ending) in [(Step::Close, "truncated"), (Step::Reset, "reset")] {
        let last = Mutex::new(Some(last));
        let upstream = Upstream::new(move |_, _| {
            let event = chunk(HELLO, "null");
            let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\
                         transfer-encoding: chunked\r\n\r\n";
            let framed = [format!("{:x}\r\n", event.len()).as_bytes(), &event, b"\r\n"].concat();
            vec![Step::Send([&head[..], &framed].concat()), last.lock().unwrap().take().unwrap()]
        });
        let world = world(&upstream, "");
        let reply = world.client().chat(&ask_stream("gpt-4"));
        assert_eq!(world.attempts("v1", ending), 1, "{}", reply.text());
        assert_eq!(last_error(&reply.text())["code"], "upstream_failed");
    }
}

#[test]
fn a_stream_that_says_nothing_more_is_told_by_the_limit_that_has_passed() {
    let (ended, end) = channel();
    let upstream = Upstream::new(move |_, _| {
        let begun = [stream_head(), chunk(HELLO, "null")].concat();
        vec![Step::Send(begun), Step::AwaitEnd(ended.clone())]
    });
    let yaml = two(&upstream.url(), &upstream.url(), "{v1: 100%}", "");
    let url = format!("one: {{url: '{}'", upstream.url());
    let world = World::new(&yaml.replace(&url, &format!("{url}, timeouts: {{idle: 80ms}}")));
    let error = last_error(&world.client().chat(&ask_stream("gpt-4")).text());
    assert_eq!(error["code"], "upstream_timed_out");
    assert!(error["message"].as_str().unwrap().contains("80 ms"), "{error}");
    end.recv().unwrap();
}

/// Its client takes `[DONE]` for the end: there is nobody left to tell.
#[test]
fn a_stream_that_is_done_without_a_reason_counts_as_truncated() {
    let upstream = streaming(vec![chunk(HELLO, "null"), DONE.to_vec()]);
    let world = world(&upstream, "");
    let reply = world.client().chat(&ask_stream("gpt-4"));
    assert_eq!(reply.body, [chunk(HELLO, "null"), DONE.to_vec()].concat());
    assert_eq!(world.attempts("v1", "truncated"), 1);
}

#[test]
fn a_stream_that_is_reset_counts_as_a_reset() {
    let upstream = Upstream::new(|_, _| {
        let head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        let piece = chunk(HELLO, "null");
        let piece =
            [format!("{:x}\r\n", piece.len()).into_bytes(), piece, b"\r\n".to_vec()].concat();
        vec![Step::Send(head.to_vec()), Step::Send(piece), Step::Reset]
    });
    let world = world(&upstream, "");
    let reply = world.client().chat(&ask_stream("gpt-4"));
    assert_eq!(world.attempts("v1", "reset"), 1);
    assert_eq!(last_error(&reply.text())["code"], "upstream_failed");
}

#[test]
fn a_stream_of_garbage_counts_as_malformed() {
    let upstream = streaming(vec![b"data: {\"choices\": [}\n\n".to_vec(), DONE.to_vec()]);
    let world = world(&upstream, "");
    world.client().chat(&ask_stream("gpt-4"));
    assert_eq!(world.attempts("v1", "malformed"), 1);
}

/// The page of a proxy instead of a stream.
#[test]
fn another_content_type_counts_as_malformed_and_is_answered_502() {
    let upstream = Upstream::new(|_, _| {
        vec![Step::Send(crate::upstream::response(200, "content-type: text/html\r\n", "<html>"))]
    });
    let world = world(&upstream, "");
    let reply = world.client().chat(&ask_stream("gpt-4"));
    assert_eq!(reply.status, 502);
    assert_eq!(world.attempts("v1", "malformed"), 1);
}

/// The role and comments that keep the connection alive are no content.
#[test]
fn first_token_is_the_first_content_and_not_the_first_byte() {
    let (next, wait) = channel();
    let wait = Arc::new(Mutex::new(Some(wait)));
    let upstream = Upstream::new(move |_, _| {
        let wait = wait.lock().unwrap().take().unwrap();
        let early = [b": keep-alive\n\n".to_vec(), chunk(ROLE, "null")].concat();
        vec![
            Step::Send(stream_head()),
            Step::Send(early),
            Step::Wait(wait),
            Step::Send(whole()[1..].concat()),
            Step::Close,
        ]
    });
    // A clock that runs fast: between the first byte and the content lies at least what the test
    // itself takes, a thousandfold.
    let yaml = two(&upstream.url(), &upstream.url(), "{v1: 100%}", "");
    let world = World::hasty(&yaml, 1_000.0);
    let mut client = world.client();
    client.send_chat(&ask_stream("gpt-4"));
    client.head();
    let first = client.piece().unwrap();
    assert!(String::from_utf8(first).unwrap().contains("keep-alive"));
    let text = world.client().get("/metrics").text();
    let seen = |text: &str| {
        let of = |line: &&str| {
            line.starts_with("gen_ai_server_time_to_first_token_seconds_count{")
                && line.contains("version=\"v1\"")
        };
        text.lines().find(of).map(|line| line.rsplit(' ').next().unwrap().to_owned())
    };
    assert!(seen(&text).is_none_or(|count| count == "0"));
    next.send(()).unwrap();
    while client.piece().is_some() {}
    let text = world.client().get("/metrics").text();
    assert_eq!(seen(&text).as_deref(), Some("1"));
}

#[test]
fn a_cancelled_client_is_no_error_and_cancels_the_upstream() {
    let (ended, end) = channel();
    let ended = Arc::new(Mutex::new(Some(ended)));
    let upstream = Upstream::new(move |_, _| {
        let ended = ended.lock().unwrap().take().unwrap();
        vec![Step::Send(stream_head()), Step::Send(chunk(HELLO, "null")), Step::AwaitEnd(ended)]
    });
    let world = world(&upstream, "");
    let mut client = world.client();
    client.send_chat(&ask_stream("gpt-4"));
    client.head();
    client.piece().unwrap();
    drop(client);
    end.recv().unwrap();
    // The upstream sees the end first; the ticket is handed back as the connection is dropped.
    world.await_attempts("v1", "client_closed", 1);
    assert_eq!(world.attempts("v1", "client_closed"), 1);
}

/// A request has its place among all for as long as its answer is on its way, not until its head.
#[test]
fn a_stream_under_way_holds_its_place() {
    let (next, wait) = channel();
    let wait = Arc::new(Mutex::new(Some(wait)));
    let upstream = Upstream::new(move |_, _| {
        let mut steps = vec![Step::Send(stream_head()), Step::Send(chunk(HELLO, "null"))];
        steps.extend(wait.lock().unwrap().take().map(Step::Wait));
        steps.extend([Step::Send(whole()[1..].concat()), Step::Close]);
        steps
    });
    let world = world(&upstream, "limits: {requests: 1}");
    let mut client = world.client();
    client.send_chat(&ask_stream("gpt-4"));
    assert_eq!(client.head().status, 200);
    client.piece().unwrap();
    let refused = world.client().chat(&ask_stream("gpt-4"));
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("1")));
    next.send(()).unwrap();
    while client.piece().is_some() {}
    assert_eq!(world.client().chat(&ask_stream("gpt-4")).status, 200);
}

/// Also before the upstream has said anything.
#[test]
fn a_client_that_leaves_early_cancels_the_upstream() {
    let (ended, end) = channel();
    let ended = Arc::new(Mutex::new(Some(ended)));
    let upstream =
        Upstream::new(move |_, _| vec![Step::AwaitEnd(ended.lock().unwrap().take().unwrap())]);
    let world = world(&upstream, "");
    let mut client = world.client();
    client.send_chat(&ask_stream("gpt-4"));
    upstream.await_came(1);
    drop(client);
    end.recv().unwrap();
    world.await_attempts("v1", "client_closed", 1);
}

/// Where another attempt may follow, nothing is passed on before the first content.
#[test]
fn a_stream_that_fails_before_its_first_content_is_retried() {
    let upstream = Upstream::new(|number, _| {
        let pieces = if number == 0 { vec![chunk(ROLE, "null")] } else { whole() };
        let head = std::iter::once(Step::Send(stream_head()));
        head.chain(pieces.into_iter().map(Step::Send)).chain([Step::Close]).collect()
    });
    let more =
        "    policies: {retry: {attempts: 1, on: [truncated], backoff: {first: 1ms, max: 1ms}}}\n";
    let world = world(&upstream, more);
    let reply = world.client().chat(&ask_stream("gpt-4"));
    assert_eq!(reply.body, whole().concat());
    assert_eq!((world.attempts("v1", "truncated"), world.attempts("v1", "success")), (1, 1));
}
