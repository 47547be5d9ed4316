//! When requests are sent, on how many connections, and what they say.

use std::num::NonZeroUsize;
use std::time::Duration as Wait;

use coalmine::arrivals::Closed;
use coalmine::chance::Distribution;
use coalmine::exchange::Ending;
use coalmine::load::{MessageParts, Pacing};

use crate::server::{Server, Step, answer, response};
use crate::world::{World, millis};

fn prompt() -> Server {
    Server::new(|_| vec![Step::Send(answer(""))])
}

/// Work that came before the time which rates are reckoned by would count for nothing.
#[test]
fn a_closed_loop_begins_with_its_time() {
    let server = prompt();
    let (load, notes) = World::new(&server.url(), 20).closed(4).load();
    assert_eq!(notes.meter.ended_as(Ending::Success), 20);
    assert!(load.ended > load.start);
    assert!(notes.told.iter().all(|told| told.intended >= load.start), "{:?}", notes.told);
}

/// Four bytes are a token, as for who follows versions at a gateway.
#[test]
fn a_plain_answer_without_usage_is_counted_by_its_length() {
    let server = Server::new(|_| {
        let body = r#"{"choices":[{"message":{"content":"0123456789"},"finish_reason":"stop"}]}"#;
        vec![Step::Send(response(200, "content-type: application/json\r\n", body))]
    });
    let (_, notes) = World::new(&server.url(), 1).closed(1).load();
    assert_eq!((notes.told[0].output, notes.told[0].usage), (3, None));
}

/// What is beyond the room waits, is late by that, and is sent all the same.
#[test]
fn what_has_no_room_waits_counts_as_lag_and_is_never_dropped() {
    // The first three are under way; the others have room when these are answered, which is 50 ms
    // after they came at the earliest.
    let server = Server::new(|asked| match asked.number {
        0..3 => vec![Step::Await(3), Step::Pause(Wait::from_millis(50)), Step::Send(answer(""))],
        _ => vec![Step::Send(answer(""))],
    });
    let world = World { most_in_flight: 3, ..World::new(&server.url(), 10) };
    let (load, notes) = world.load();
    assert_eq!((load.sent, notes.told.len(), server.asked().len()), (10, 10, 10));
    for told in &notes.told[3..] {
        // The third came at 2 ms or later; this one was due at so many milliseconds.
        let least = millis(52 - told.number);
        assert!(told.lag >= least, "{}: {} < {least}", told.number, told.lag);
    }
}

#[test]
fn nothing_is_sent_before_its_time() {
    let server = prompt();
    let world = World { threads: 3, ..World::new(&server.url(), 100) };
    let (load, notes) = world.load();
    // The last is due at 99 ms.
    assert!(load.ended.since(load.start) >= millis(99));
    assert!(notes.told.iter().map(|told| told.number).eq(0..100), "each once, on three threads");
}

#[test]
fn a_closed_loop_has_so_many_under_way_and_uses_their_connections_again() {
    // Each waits until all five have come, so that five are under way at once.
    let server =
        Server::new(|asked| vec![Step::Await((asked.number / 5 + 1) * 5), Step::Send(answer(""))]);
    let world = World { threads: 2, ..World::new(&server.url(), 50).closed(5) };
    let (load, notes) = world.load();
    assert!(load.is_closed);
    assert_eq!(notes.meter.ended_as(Ending::Success), 50);
    assert_eq!(server.connections(), 5);
    assert_eq!(notes.told.iter().filter(|told| told.is_new).count(), 5);
    assert!(notes.told.iter().all(|told| told.served.is_none() && told.assigned.is_none()));
}

/// Users of the schedule who wait for their answers, think and go on: whoever sends next is known
/// only then.
#[test]
fn users_who_wait_for_answers_send_on_when_they_have_them() {
    let server = prompt();
    let think = Distribution::constant(0.001).unwrap();
    let arrivals = Closed::new(3, think).unwrap().into();
    let world = World { arrivals, threads: 2, ..World::new(&server.url(), 60) };
    let (load, notes) = world.load();
    assert!(load.is_closed, "and it says so");
    assert_eq!(notes.meter.ended_as(Ending::Success), 60);
    assert!(notes.told.iter().map(|told| told.number).eq(0..60));
}

#[test]
fn a_connection_that_its_server_ends_is_not_used_again() {
    let server = Server::new(|_| vec![Step::Send(answer("connection: close\r\n")), Step::Close]);
    let (_, notes) = World::new(&server.url(), 20).closed(1).load();
    assert_eq!(notes.meter.ended_as(Ending::Success), 20);
    assert_eq!(server.connections(), 20);
}

#[test]
fn nothing_is_sent_after_the_end() {
    let server = prompt();
    let world = World { until: Some(millis(10)), ..World::new(&server.url(), 1_000) };
    let (load, _) = world.load();
    // Those at 0, 1, .. 9 ms.
    assert_eq!((load.sent, server.asked().len()), (10, 10));
}

#[test]
fn a_load_that_is_stopped_tells_what_has_ended_and_counts_what_was_cut_off() {
    let server = Server::new(|asked| match asked.number {
        0..5 => vec![Step::Send(answer(""))],
        _ => vec![Step::Hold],
    });
    let world = World::new(&server.url(), 1_000_000);
    let control = world.control.clone();
    let (load, notes) = std::thread::scope(|scope| {
        let loading = scope.spawn(|| world.load());
        server.wait_for(9);
        // Whoever has been answered is told of before long.
        while control.ended() < 5 {
            std::thread::yield_now();
        }
        control.stop();
        loading.join().unwrap()
    });
    assert_eq!(notes.told.len(), 5, "{:?}", notes.told);
    assert!(load.unfinished >= 4, "{load:?}");
    assert_eq!(load.sent, load.unfinished + 5);
}

#[test]
fn requests_say_what_the_templates_say() {
    let server = Server::new(|_| {
        let headers = "x-served-version: v2\r\nx-assigned-version: v1\r\n";
        vec![Step::Send(answer(headers))]
    });
    let parts = MessageParts {
        models: vec!["gpt-4".to_owned()],
        headers: vec!["X-User: user-{user}".to_owned(), "X-Number: {number}".to_owned()],
        keys: vec!["secret".to_owned()],
        ..MessageParts::default()
    };
    let (_, notes) = World { parts, ..World::new(&server.url(), 3).closed(1) }.load();
    for (number, asked) in server.asked().iter().enumerate() {
        assert!(asked.head.starts_with("POST /v1/chat/completions HTTP/1.1\r\n"), "{asked:?}");
        assert_eq!(asked.header("host"), Some(server.address.to_string().as_str()));
        assert_eq!(asked.header("authorization"), Some("Bearer secret"));
        assert_eq!(asked.header("x-number"), Some(number.to_string().as_str()));
        let user = asked.header("x-user").unwrap().strip_prefix("user-").unwrap();
        assert!(user.parse::<u32>().unwrap() < 9);
        let body = asked.json();
        assert_eq!((&body["model"], &body["max_tokens"]), (&"gpt-4".into(), &7.into()));
        let words = body["messages"][0]["content"].as_str().unwrap().split(' ').count();
        assert_eq!(words, 12);
        let told = &notes.told[number];
        assert_eq!(told.bytes[0], asked.body.len() as u64);
        assert_eq!(told.usage.map(|it| (it.input.get(), it.output.get())), Some((5, 7)));
        let versions = (told.served.as_deref(), told.assigned.as_deref());
        assert_eq!(versions, (Some("v2"), Some("v1")));
    }
}

#[test]
fn more_threads_than_users_are_no_more_users() {
    let server = prompt();
    let concurrency = NonZeroUsize::new(2).unwrap();
    let pacing = Pacing::Closed { concurrency };
    let world = World { threads: 4, pacing, ..World::new(&server.url(), 30) };
    let (_, notes) = world.load();
    assert_eq!(notes.meter.ended_as(Ending::Success), 30);
    assert!(server.connections() <= 2, "{}", server.connections());
}
