//! Clients that do not take what they asked for: neither their upstream nor the verdict about its
//! version waits for them.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use crate::http2::ClosedWindow;
use crate::upstream::{DONE, HELLO, Step, Upstream, chunk, stream_head};
use crate::world::{World, ask_stream, two};

/// One version whose upstream has these limits.
fn world(upstream: &Upstream, timeouts: &str, more: &str) -> World {
    let yaml = two(&upstream.url(), &upstream.url(), "{v1: 100%}", more);
    let url = format!("one: {{url: '{}'", upstream.url());
    World::new(&yaml.replace(&url, &format!("{url}, timeouts: {{{timeouts}}}")))
}

fn endings(world: &World) -> [u64; 3] {
    ["success", "timeout", "client_closed"].map(|ending| world.attempts("v1", ending))
}

/// A stream that nobody takes never reaches the point where anybody asks for its next piece.
#[test]
fn a_version_that_answers_whole_has_answered_though_its_client_takes_nothing() {
    let upstream = Upstream::new(|_, _| {
        let end = [chunk("{}", "\"stop\""), DONE.to_vec()].concat();
        vec![Step::Send([stream_head(), chunk(HELLO, "null"), end].concat()), Step::Close]
    });
    let world = world(&upstream, "total: 1m", "");
    let mut client = ClosedWindow::new(&world);
    for _ in 0..3 {
        client.send_chat(&ask_stream("gpt-4"));
    }
    world.await_attempts("v1", "success", 3);
    assert_eq!(endings(&world), [3, 0, 0]);
}

#[test]
fn an_upstream_that_says_nothing_more_times_out_though_its_client_takes_nothing() {
    let (ended, end) = channel();
    let upstream = Upstream::new(move |_, _| {
        vec![
            Step::Send([stream_head(), chunk(HELLO, "null")].concat()),
            Step::AwaitEnd(ended.clone()),
        ]
    });
    let world = world(&upstream, "idle: 100ms", "");
    let mut client = ClosedWindow::new(&world);
    client.send_chat(&ask_stream("gpt-4"));
    world.await_attempts("v1", "timeout", 1);
    end.recv().unwrap();
    assert_eq!(endings(&world), [0, 1, 0]);
}

/// There is more than is read ahead of a client: the rest waits for it, and not for the version.
#[test]
fn what_a_client_does_not_take_in_time_is_not_its_versions_fault() {
    let (tell, told) = channel();
    let upstream = Upstream::new(move |_, _| {
        vec![Step::Send(stream_head()), Step::Repeat(chunk(HELLO, "null"), tell.clone())]
    });
    let world = world(&upstream, "total: 2s", "");
    let mut client = ClosedWindow::new(&world);
    client.send_chat(&ask_stream("gpt-4"));
    world.await_attempts("v1", "client_closed", 1);
    // Its time as a whole is limited all the same.
    told.recv().unwrap();
    assert_eq!(endings(&world), [0, 0, 1]);
}

/// Pieces go one after the other until there is no more room: also who has taken many must go on.
#[test]
fn a_stream_that_its_client_stops_taking_is_given_up() {
    let piece = chunk(HELLO, "null");
    let framed =
        |piece: &[u8]| [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
    let head =
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    let last = [chunk("{}", "\"stop\""), DONE.to_vec()].concat();
    let whole = [head.to_vec(), framed(&piece).repeat(60), framed(&last), b"0\r\n\r\n".to_vec()];
    let whole = whole.concat();
    let upstream = Upstream::new(move |_, _| vec![Step::Send(whole.clone())]);
    // Long enough for the client to begin before it is given up for not having begun.
    let world = world(&upstream, "total: 1m", "limits: {write_timeout: 2s, requests: 1}");
    let mut client = ClosedWindow::new(&world);
    client.send_chat(&ask_stream("gpt-4"));
    world.await_attempts("v1", "success", 1);
    client.open(30 * u32::try_from(piece.len()).unwrap());
    // Its place among all becomes free.
    while world.client().chat(&ask_stream("gpt-4")).status == 503 {
        std::thread::yield_now();
    }
}

/// Its connection may be well: the limit is the stream's own.
#[test]
fn a_stream_that_its_client_takes_nothing_of_is_given_up() {
    let (ended, end) = channel();
    let ended = Arc::new(Mutex::new(ended));
    let upstream = Upstream::new(move |_, _| {
        vec![
            Step::Send([stream_head(), chunk(HELLO, "null")].concat()),
            Step::AwaitEnd(ended.lock().unwrap().clone()),
        ]
    });
    let world = world(&upstream, "total: 1m", "limits: {write_timeout: 300ms, requests: 1}");
    let mut client = ClosedWindow::new(&world);
    client.send_chat(&ask_stream("gpt-4"));
    end.recv().unwrap();
    world.await_attempts("v1", "client_closed", 1);
    assert_eq!(endings(&world), [0, 0, 1]);
    // And its place among all is free.
    client.send_chat(&ask_stream("gpt-4"));
    end.recv().unwrap();
}
