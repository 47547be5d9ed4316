//! How requests end, by what the server does.

use std::time::Duration as Wait;

use coalmine::exchange::Ending;
use coalmine::load::Patience;
use socket2::{Domain, Socket, Type};

use crate::server::{
    Server, Step, answer, chunk, chunked_head, ending, response, stream_head, word,
};
use crate::world::{Told, World, millis};

fn ended(steps: &[Step], stream: bool, patience: Patience) -> Told {
    let steps = steps.to_vec();
    let server = Server::new(move |_| steps.clone());
    let world = World { stream, patience, ..World::new(&server.url(), 1) };
    let (_, mut notes) = world.load();
    assert_eq!(server.asked().len(), 1, "nothing is sent twice");
    notes.told.remove(0)
}

fn check(name: &str, steps: &[Step], stream: bool, expected: Ending) {
    let told = ended(steps, stream, Patience::default());
    assert_eq!(told.ending, expected, "{name}: {told:?}");
    let from_connection =
        matches!(expected, Ending::Reset | Ending::Malformed | Ending::Truncated | Ending::Timeout);
    assert_eq!(told.cause.is_some(), from_connection, "{name}: {told:?}");
}

#[test]
fn plain_answers_end_as_they_are_answered() {
    let json = "content-type: application/json\r\n";
    let half = &answer("")[..answer("").len() - 9];
    let cases: Vec<(&str, Vec<Step>, Ending)> = vec![
        ("whole", vec![Step::Send(answer(""))], Ending::Success),
        ("reset before the head", vec![Step::Reset], Ending::Reset),
        ("closed before the head", vec![Step::Close], Ending::Reset),
        (
            "reset in the body",
            vec![Step::Send(half.to_vec()), Step::Pause(Wait::from_millis(1)), Step::Reset],
            Ending::Reset,
        ),
        (
            "closed in the body: half of an answer",
            vec![Step::Send(half.to_vec()), Step::Close],
            Ending::Malformed,
        ),
        ("no JSON", vec![Step::Send(response(200, json, "{\"choices\":"))], Ending::Malformed),
        ("no answer", vec![Step::Send(response(200, json, "{}"))], Ending::Malformed),
        (
            "a page",
            vec![Step::Send(response(200, "content-type: text/html\r\n", "<html>"))],
            Ending::Malformed,
        ),
        ("packed", vec![Step::Send(answer("content-encoding: gzip\r\n"))], Ending::Malformed),
        (
            "no HTTP",
            vec![Step::Send(b"SSH-2.0-x\r\n\r\n".to_vec()), Step::Close],
            Ending::Malformed,
        ),
        ("elsewhere", vec![Step::Send(response(302, "", ""))], Ending::Malformed),
        ("nothing", vec![Step::Send(response(204, "", ""))], Ending::Malformed),
        ("an event stream", vec![Step::Send(stream_head()), Step::Close], Ending::Malformed),
    ];
    for (name, steps, expected) in &cases {
        check(name, steps, false, *expected);
    }
}

#[test]
fn statuses_are_told_by_their_number_whatever_was_asked_for() {
    for status in [400, 401, 404, 408, 413, 422, 429, 500, 502, 503, 529, 599] {
        for stream in [false, true] {
            let refusal = response(status, "retry-after: 3\r\n", "{\"error\":{}}");
            let told = ended(&[Step::Send(refusal)], stream, Patience::default());
            assert_eq!((told.ending, told.status), (Ending::Status(status), Some(status)));
        }
    }
}

#[test]
fn streams_end_as_their_events_say() {
    let begun = || Step::Send([chunked_head(), chunk(&word("one"))].concat());
    let last = |events: Vec<u8>| Step::Send([chunk(&events), b"0\r\n\r\n".to_vec()].concat());
    let error = b"data: {\"error\":{\"message\":\"overloaded\"}}\n\n".to_vec();
    let cases: Vec<(&str, Vec<Step>, Ending)> = vec![
        ("whole", vec![begun(), last(ending(None))], Ending::Success),
        ("closed within its framing", vec![begun(), Step::Close], Ending::Truncated),
        (
            "ended without its end",
            vec![begun(), Step::Send(b"0\r\n\r\n".to_vec())],
            Ending::Truncated,
        ),
        (
            "closed where that is its end",
            vec![Step::Send([stream_head(), word("one")].concat()), Step::Close],
            Ending::Truncated,
        ),
        (
            "done without a reason",
            vec![begun(), last(b"data: [DONE]\n\n".to_vec())],
            Ending::Truncated,
        ),
        ("reset", vec![begun(), Step::Pause(Wait::from_millis(1)), Step::Reset], Ending::Reset),
        ("an error", vec![begun(), last(error)], Ending::ErrorInStream),
        (
            "an event that is no JSON",
            vec![begun(), last(b"data: {\"choices\":[\n\n".to_vec())],
            Ending::Malformed,
        ),
        (
            "a chunk without a size",
            vec![begun(), Step::Send(b"what?\r\n".to_vec()), Step::Close],
            Ending::Malformed,
        ),
        ("a plain answer", vec![Step::Send(answer(""))], Ending::Malformed),
    ];
    for (name, steps, expected) in &cases {
        check(name, steps, true, *expected);
    }
}

#[test]
fn what_takes_too_long_is_a_timeout_and_says_which() {
    let patience = Patience { total: millis(50), ..Patience::default() };
    for stream in [false, true] {
        let told = ended(&[Step::Hold], stream, patience);
        assert_eq!(told.ending, Ending::Timeout);
        assert!(told.service_time >= millis(50));
        assert!(told.cause.unwrap().contains("within 50 ms"));
    }
    let begun = Step::Send([chunked_head(), chunk(&word("one"))].concat());
    let told = ended(&[begun.clone(), Step::Hold], true, patience);
    assert_eq!((told.ending, told.output), (Ending::Timeout, 0));
    assert!(told.first_token.is_some(), "what had come is known");
    let patience = Patience { idle: Some(millis(50)), ..Patience::default() };
    let told = ended(&[begun, Step::Hold], true, patience);
    assert_eq!(told.ending, Ending::Timeout);
    assert!(told.cause.unwrap().contains("nothing came for 50 ms"));
}

/// A port that is bound and not listened at: nobody else can get it, and it refuses.
#[test]
fn a_port_where_nobody_listens_refuses() {
    let bound = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    bound.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    let address = bound.local_addr().unwrap().as_socket().unwrap();
    let (load, notes) = World::new(&format!("http://{address}"), 5).load();
    assert_eq!(notes.meter.ended_as(Ending::Refused), 5);
    assert_eq!((load.sent, load.unfinished), (5, 0));
    assert!(notes.told[0].cause.as_ref().unwrap().to_lowercase().contains("refused"));
}

#[test]
fn a_peer_that_never_speaks_tls_is_no_connection_in_time() {
    let server = Server::new(|_| vec![Step::Hold]);
    let patience = Patience { connect: millis(50), ..Patience::default() };
    let url = format!("https://{}/v1", server.address);
    let (_, notes) = World { patience, ..World::new(&url, 1) }.load();
    assert_eq!(notes.told[0].ending, Ending::Timeout);
    assert!(notes.told[0].cause.as_ref().unwrap().contains("connection"));
    assert!(server.asked().is_empty());
}
