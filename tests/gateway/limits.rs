//! Clients and upstreams that send too much, too slowly, for ever, or no text at all.

use std::sync::mpsc::{Sender, channel};

use serde_json::Value;

use crate::client::Client;
use crate::upstream::{HELLO, Step, Upstream, chunk, stream_head};
use crate::world::{World, ask, ask_stream, two};

/// What a body may have where nothing else is said.
const BODY_BYTES: usize = 10_485_760;

fn world(upstream: &Upstream, more: &str) -> World {
    World::new(&two(&upstream.url(), &upstream.url(), "{v1: 100%}", more))
}

/// An upstream that begins with `head` and then says `piece` for ever; `tell` is told how much went
/// out.
fn endless(head: Vec<u8>, piece: Vec<u8>, tell: Sender<usize>) -> Upstream {
    Upstream::new(move |_, _| {
        vec![Step::Send(head.clone()), Step::Repeat(piece.clone(), tell.clone())]
    })
}

/// The head of a chat completion, as far as it tells what is sent.
fn head(world: &World, more: &str) -> Vec<u8> {
    let key = &world.key;
    format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {key}\r\n\
         content-type: application/json\r\n{more}\r\n\r\n"
    )
    .into_bytes()
}

/// Sends this, and reads what is answered.
fn exchange(world: &World, head: &[u8], body: &[u8]) -> (u16, Value) {
    let mut client = world.client();
    client.send_bytes(head);
    client.send_bytes(body);
    let mut reply = client.head();
    reply.body = client.body(&reply);
    (reply.status, reply.json()["error"].clone())
}

/// A body of so many bytes.
fn body_of(bytes: usize) -> String {
    let mut body = ask("gpt-4");
    body["user"] = "".into();
    let rest = bytes - body.to_string().len();
    body["user"] = "x".repeat(rest).into();
    body.to_string()
}

#[test]
fn a_body_of_ten_megabytes_passes_and_a_byte_more_is_refused() {
    let upstream = Upstream::plain();
    let world = world(&upstream, "");
    let largest = body_of(BODY_BYTES);
    let headers = "content-type: application/json\r\n";
    let reply = world.client().call("POST", "/v1/chat/completions", headers, &largest);
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(upstream.came()[0].body.len(), BODY_BYTES);
    // By its length alone, before any of it has come.
    let told = format!("content-length: {}", BODY_BYTES + 1);
    let (status, error) = exchange(&world, &head(&world, &told), b"");
    assert_eq!(status, 413, "{error}");
    assert!(error["message"].as_str().unwrap().contains("10485760"), "{error}");
    // Without a length at the byte that is too many, though there is no end.
    let chunked = format!("{:x}\r\n{}", BODY_BYTES + 1, body_of(BODY_BYTES + 1));
    let chunks = head(&world, "transfer-encoding: chunked");
    assert_eq!(exchange(&world, &chunks, chunked.as_bytes()).0, 413);
    assert_eq!((world.refused(413), upstream.came().len()), (2, 1));
}

#[test]
fn a_body_that_is_no_utf_8_is_refused_and_sent_nowhere() {
    let upstream = Upstream::plain();
    let world = world(&upstream, "");
    let bad: [&[u8]; 5] = [b"\xff", b"\xc3", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80"];
    for bytes in bad {
        for (before, after) in [
            (&b""[..], &b""[..]),
            (b"{\"model\": \"gpt-4\", \"messages\": [], \"user\": \"", b"\"}"),
            (b"{\"model\": \"", b"\", \"messages\": []}"),
            (b"{\"model\": \"gpt-4\", \"messages\": [{\"content\": \"", b"\"}]}"),
            (b"{\"model\": \"gpt-4\", \"", b"\": 1}"),
        ] {
            let body = [before, bytes, after].concat();
            let length = format!("content-length: {}", body.len());
            let (status, error) = exchange(&world, &head(&world, &length), &body);
            assert_eq!(status, 400, "{}: {error}", body.escape_ascii());
            assert_eq!(error["type"], "invalid_request_error");
        }
    }
    assert_eq!((world.refused(400), upstream.came().len()), (25, 0));
}

#[test]
fn a_client_that_does_not_end_its_body_is_answered_408() {
    let upstream = Upstream::plain();
    let world = world(&upstream, "limits: {read_timeout: 100ms}");
    let (status, error) = exchange(&world, &head(&world, "content-length: 100"), b"{\"model\": ");
    assert_eq!(status, 408, "{error}");
    assert!(error["message"].as_str().unwrap().contains("100 ms"), "{error}");
    assert_eq!((world.refused(408), upstream.came().len()), (1, 0));
}

/// The slow loris: so many connections that say next to nothing keep nobody away.
#[test]
fn clients_that_do_not_end_their_heads_are_cut_off() {
    let upstream = Upstream::plain();
    let world = world(&upstream, "limits: {read_timeout: 100ms, connections: 8}");
    let mut slow: Vec<Client> = (0..8).map(|_| world.client()).collect();
    slow.iter_mut()
        .for_each(|client| client.send_bytes(b"POST /v1/chat/completions HTTP/1.1\r\nh"));
    assert_eq!(world.client().chat(&ask("gpt-4")).status, 200);
    for client in &mut slow {
        let told = String::from_utf8(client.rest()).unwrap();
        assert!(told.is_empty() || told.starts_with("HTTP/1.1 408"), "{told}");
    }
}

/// From the first byte on, also where it does not show which version of HTTP it is to be.
#[test]
fn a_connection_that_asks_for_nothing_is_closed() {
    let upstream = Upstream::plain();
    let world = world(&upstream, "limits: {read_timeout: 100ms}");
    let settings = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    for bytes in [&b""[..], b"P", b"PRI * HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", settings] {
        let mut client = world.client();
        client.send_bytes(bytes);
        // Until it has ended.
        client.rest();
    }
}

/// A balancer keeps connections for a minute: one that is closed as it sends costs it a request.
#[test]
fn a_connection_is_kept_between_requests_for_a_limit_of_its_own() {
    let upstream = Upstream::plain();
    let patient = world(&upstream, "limits: {read_timeout: 100ms}");
    let mut kept = patient.client();
    assert_eq!(kept.chat(&ask("gpt-4")).status, 200);
    // Once that one is closed, the other has been idle for longer than it was open.
    patient.client().rest();
    assert_eq!(kept.chat(&ask("gpt-4")).status, 200);
    let hasty = world(&upstream, "limits: {idle_timeout: 100ms}");
    let mut closed = hasty.client();
    assert_eq!(closed.chat(&ask("gpt-4")).status, 200);
    closed.rest();
}

/// Of two threads that listen each takes what the kernel gives it: a place that only one of them may
/// give away is none.
#[test]
fn one_connection_at_a_time_is_one_of_any_thread() {
    let upstream = Upstream::plain();
    let world = world(&upstream, "limits: {connections: 1}");
    for _ in 0..20 {
        assert_eq!(world.client().get("/healthz").status, 200);
    }
}

#[test]
fn the_smallest_room_for_heads_is_kept_to() {
    let upstream = Upstream::plain();
    let world = world(&upstream, "limits: {header_bytes: 1024}");
    assert_eq!(world.client().chat(&ask("gpt-4")).status, 200);
    let long = format!("x-long: {}\r\n", "x".repeat(1_024));
    let reply = world.client().call("GET", "/healthz", &long, "");
    assert_eq!(reply.status, 431, "{}", reply.text());
    assert_eq!(world.refused(431), 1);
}

/// Before anything of its body is read.
#[test]
fn who_has_no_key_is_refused_by_the_head_alone() {
    let upstream = Upstream::plain();
    let world = world(&upstream, "limits: {read_timeout: 10m}");
    let head = String::from_utf8(head(&world, "content-length: 1000")).unwrap();
    let head = head.replace(&world.key, "sk-nobody-0123456789");
    let (status, error) = exchange(&world, head.as_bytes(), b"");
    assert_eq!((status, world.refused(401)), (401, 1), "{error}");
}

/// What a client does not take the gateway does not take from the upstream either; and it does not
/// wait for ever.
#[test]
fn a_client_that_takes_nothing_holds_its_upstream_back_and_is_cut_off() {
    let (tell, told) = channel();
    let events = chunk(HELLO, "null").repeat(500);
    let upstream = endless(stream_head(), events, tell);
    let world = world(&upstream, "limits: {write_timeout: 200ms}");
    let mut client = world.client();
    client.send_chat(&ask_stream("gpt-4"));
    let sent = told.recv().unwrap();
    assert!(sent < MOST_IN_SOCKETS, "{sent} bytes were taken for a client that took none");
    world.await_attempts("v1", "client_closed", 1);
    assert_eq!(world.attempts("v1", "client_closed"), 1);
    drop(client);
}

#[test]
fn a_plain_answer_without_an_end_is_malformed_and_its_upstream_is_let_go() {
    let (tell, told) = channel();
    let head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n{\"id\": \"".to_vec();
    let upstream = endless(head, vec![b'x'; 1_000], tell);
    let world = world(&upstream, "limits: {answer_bytes: 100000}");
    let reply = world.client().chat(&ask("gpt-4"));
    assert_eq!((reply.status, reply.served()), (502, "v1"), "{}", reply.text());
    assert_eq!(world.attempts("v1", "malformed"), 1);
    told.recv().unwrap();
}

/// Pieces come all the time, so that no wait for one is too long: the attempt as a whole is.
#[test]
fn a_stream_without_an_end_is_cut_off_and_its_client_is_told() {
    let (tell, told) = channel();
    let upstream = endless(stream_head(), chunk(HELLO, "null"), tell);
    let yaml = two(&upstream.url(), &upstream.url(), "{v1: 100%}", "");
    let limits = "timeouts: {connect: 200ms, first_byte: 200ms, idle: 200ms, total: 200ms}";
    let url = format!("one: {{url: '{}'", upstream.url());
    let world = World::new(&yaml.replace(&url, &format!("{url}, {limits}")));
    let mut client = world.client();
    client.send_chat(&ask_stream("gpt-4"));
    let mut last = client.head();
    assert_eq!(last.status, 200);
    while let Some(piece) = client.piece() {
        last.body = piece;
    }
    let text = last.text();
    let error = text.trim_end().rsplit("data: ").next().unwrap();
    let error: Value = serde_json::from_str(error).unwrap();
    assert_eq!(error["error"]["code"], "upstream_timed_out", "{text}");
    assert_eq!(world.attempts("v1", "timeout"), 1);
    told.recv().unwrap();
}

/// Well above what the sockets' buffers hold on either side of the gateway, at most some 10 MB.
const MOST_IN_SOCKETS: usize = 64 << 20;
