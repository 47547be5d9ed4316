//! Upstreams that hang, break, answer garbage or are not there: each is told apart, and its client
//! gets an answer.

use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};

use crate::upstream::{Step, Upstream, answer, json as json_response, response};
use crate::world::{World, ask, ask_stream, plan, two};

/// What an upstream does.
type Steps = fn() -> Vec<Step>;

fn world(url: &str, more: &str) -> World {
    World::new(&two(url, url, "{v1: 100%}", more))
}

#[test]
fn every_way_to_fail_is_told_apart() {
    let cases: Vec<(&str, Steps, u16)> = vec![
        ("reset", || vec![Step::Reset], 502),
        ("reset", || vec![Step::Close], 502),
        (
            "reset",
            || {
                vec![
                    Step::Send(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{}".to_vec()),
                    Step::Close,
                ]
            },
            502,
        ),
        (
            "malformed",
            || vec![Step::Send(b"SSH-2.0-OpenSSH_9.6\r\n\r\n".to_vec()), Step::Close],
            502,
        ),
        ("malformed", || vec![Step::Send(json_response(200, "{"))], 502),
        ("malformed", || vec![Step::Send(json_response(200, "{\"object\": \"list\"}"))], 502),
        (
            "malformed",
            || vec![Step::Send(response(200, "content-type: text/html\r\n", "<html>"))],
            502,
        ),
        ("malformed", || vec![Step::Send(response(302, "location: /\r\n", ""))], 502),
        ("400", || vec![Step::Send(json_response(400, "{\"error\": {}}"))], 400),
        ("401", || vec![Step::Send(json_response(401, "{\"error\": {}}"))], 502),
        ("402", || vec![Step::Send(json_response(402, "{\"error\": {}}"))], 402),
        ("404", || vec![Step::Send(json_response(404, "{\"error\": {}}"))], 502),
        ("408", || vec![Step::Send(json_response(408, "{\"error\": {}}"))], 504),
        ("422", || vec![Step::Send(json_response(422, "{\"error\": {}}"))], 422),
        ("500", || vec![Step::Send(response(500, "content-type: text/html\r\n", "<html>"))], 500),
        ("503", || vec![Step::Send(json_response(503, "{\"error\": {}}"))], 503),
    ];
    for (ending, steps, status) in cases {
        let upstream = Upstream::new(move |_, _| steps());
        let world = world(&upstream.url(), "");
        let reply = world.client().chat(&ask("gpt-4"));
        assert_eq!(reply.status, status, "{ending}: {}", reply.text());
        assert_eq!(reply.served(), "v1");
        assert_eq!(world.attempts("v1", ending), 1, "{ending}");
    }
}

#[test]
fn an_upstream_that_is_not_there_refuses() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let world = world(&format!("http://{free}"), "");
    let reply = world.client().chat(&ask("gpt-4"));
    assert_eq!(reply.status, 502);
    assert_eq!(world.attempts("v1", "refused"), 1);
}

#[test]
fn an_upstream_that_hangs_times_out() {
    let (ended, _end) = channel();
    let upstream = Upstream::new(move |_, _| vec![Step::AwaitEnd(ended.clone())]);
    let yaml = two(&upstream.url(), &upstream.url(), "{v1: 100%}", "");
    let limits = "timeouts: {first_byte: 50ms, total: 300ms}";
    let yaml = yaml.replace(
        &format!("one: {{url: '{}'}}", upstream.url()),
        &format!("one: {{url: '{}', {limits}}}", upstream.url()),
    );
    let world = World::new(&yaml);
    // The head of a plain answer comes with all of it.
    for (ask, words) in [
        (ask_stream("gpt-4"), "the upstream began no answer within 50 ms"),
        (ask("gpt-4"), "the upstream gave no complete answer within 0.3 s"),
    ] {
        let reply = world.client().chat(&ask);
        let error = &reply.json()["error"];
        assert_eq!((reply.status, &error["code"]), (504, &"upstream_timed_out".into()));
        assert_eq!(error["message"], words);
    }
    assert_eq!(world.attempts("v1", "timeout"), 2);
}

/// A version with as many requests as it may have answers 503 and says when to come again.
#[test]
fn a_version_without_a_free_place_is_overloaded() {
    let (next, wait) = channel();
    let wait = Arc::new(Mutex::new(Some(wait)));
    let upstream = Upstream::new(move |_, came| {
        let wait = wait.lock().unwrap().take();
        let wait = wait.into_iter().map(Step::Wait);
        wait.chain([Step::Send(answer(came))]).collect()
    });
    let yaml = two(&upstream.url(), &upstream.url(), "{v1: 100%}", "")
        .replace("tags: [stable]", "tags: [stable], concurrency: 1");
    let world = World::new(&yaml);
    let mut first = world.client();
    first.send_chat(&ask("gpt-4"));
    upstream.await_came(1);
    let reply = world.client().chat(&ask("gpt-4"));
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("1")));
    next.send(()).unwrap();
    assert_eq!(first.head().status, 200);
    // The version has done nothing: that it is full is no failure of its own.
    assert_eq!((world.attempts("v1", "overloaded"), world.attempts("v1", "503")), (1, 0));
}

/// Whatever the configuration becomes.
#[test]
fn requests_under_way_are_counted_on_when_the_configuration_is_read_again() {
    let (next, wait) = channel();
    let wait = Arc::new(Mutex::new(Some(wait)));
    let upstream = Upstream::new(move |_, came| {
        let wait = wait.lock().unwrap().take();
        wait.into_iter().map(Step::Wait).chain([Step::Send(answer(came))]).collect()
    });
    let yaml = two(&upstream.url(), &upstream.url(), "{v1: 100%}", "limits: {requests: 1}");
    let world = World::new(&yaml);
    let mut first = world.client();
    first.send_chat(&ask("gpt-4"));
    upstream.await_came(1);
    let one_version = yaml.replace("tags: [stable]", "tags: [stable], concurrency: 1");
    let url = format!("one: {{url: '{}'", upstream.url());
    let one_upstream = yaml.replace(&url, &format!("{url}, concurrency: 1"));
    let more = |yaml: &str| yaml.replace("requests: 1", "requests: 9");
    for (yaml, overloaded) in [(yaml, 0), (more(&one_version), 1), (more(&one_upstream), 2)] {
        let secret = |_: &_| Ok("the upstream's secret".to_owned());
        world.gateway().reload(&plan(&yaml), &secret).unwrap();
        assert_eq!(world.client().chat(&ask("gpt-4")).status, 503);
        assert_eq!(world.attempts("v1", "overloaded"), overloaded);
    }
    next.send(()).unwrap();
    assert_eq!(first.head().status, 200);
}

/// It closed an idle connection as the next request went out: that is nobody's failure.
#[test]
fn a_connection_that_was_closed_meanwhile_costs_nobody_anything() {
    let upstream = Upstream::new(|number, came| match number {
        0 => vec![Step::Send(answer(came))],
        1 => vec![Step::Close],
        _ => vec![Step::Send(answer(came)), Step::Close],
    });
    let world = world(&upstream.url(), "");
    let mut client = world.client();
    for _ in 0..2 {
        let reply = client.chat(&ask("gpt-4"));
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    assert_eq!((world.attempts("v1", "success"), world.attempts("v1", "reset")), (2, 0));
    assert_eq!(upstream.came().len(), 3);
}

#[test]
fn a_new_connection_that_breaks_off_is_not_tried_again() {
    let upstream = Upstream::new(|_, _| vec![Step::Close]);
    let world = world(&upstream.url(), "");
    assert_eq!(world.client().chat(&ask("gpt-4")).status, 502);
    assert_eq!((world.attempts("v1", "reset"), upstream.came().len()), (1, 1));
}

#[test]
fn who_is_refused_for_now_is_told_when_to_come_again() {
    let cases = [
        (503, "content-type: text/html\r\n", Some("1")),
        (429, "content-type: text/html\r\n", Some("1")),
        (503, "content-type: text/html\r\nretry-after: 7\r\n", Some("7")),
        (429, "content-type: text/html\r\nretry-after: 18446744074\r\n", Some("65535")),
        (500, "content-type: text/html\r\n", None),
    ];
    for (status, headers, wait) in cases {
        let upstream = Upstream::new(move |_, _| vec![Step::Send(response(status, headers, ""))]);
        let world = world(&upstream.url(), "");
        let reply = world.client().chat(&ask("gpt-4"));
        assert_eq!((reply.status, reply.header("retry-after")), (status, wait), "{headers}");
        assert_eq!(world.attempts("v1", &status.to_string()), 1);
    }
}

/// What is packed can be neither read nor judged: none is asked for, and none is passed on.
#[test]
fn a_packed_answer_is_malformed() {
    let upstream = Upstream::new(|_, came| {
        let plain = String::from_utf8(answer(came)).unwrap();
        let packed = plain.replacen("content-type", "content-encoding: gzip\r\ncontent-type", 1);
        vec![Step::Send(packed.into_bytes())]
    });
    let world = world(&upstream.url(), "");
    assert_eq!(world.client().chat(&ask("gpt-4")).status, 502);
    assert_eq!(world.attempts("v1", "malformed"), 1);
    assert_eq!(upstream.came()[0].header("accept-encoding"), Some("identity"));
}

/// The canary begins to fail; the rule fires; not a request goes there any more, though both keys
/// and tags stay what they were.
#[test]
fn a_canary_that_fails_is_rolled_back_by_its_rule() {
    let one = Upstream::plain();
    let other = Upstream::new(|_, _| vec![Step::Send(json_response(500, "{}"))]);
    let more = "    assignment: even\n    rules:\n      conditions:\n        - {metric: error_rate, operator: '>', \
                threshold: 0.05, duration_seconds: 0, check_interval_seconds: 5, window_seconds: 10, action: rollback_to_last_stable}\n";
    let yaml = two(&one.url(), &other.url(), "{v1: 50%, v2: 50%}", more);
    // Checks come every five seconds of the gateway's clock.
    let world = World::hasty(&yaml, 200.0);
    let mut client = world.client();
    while client.get("/v1/models/gpt-4/versions/v2").json()["status"] != "rolled_back" {
        client.chat(&ask("gpt-4"));
    }
    let before = other.came().len();
    for _ in 0..50 {
        assert_eq!(client.chat(&ask("gpt-4")).served(), "v1");
    }
    assert_eq!(other.came().len(), before);
    let versions = client.get("/v1/models/gpt-4/versions").json();
    let tags =
        versions.as_array().unwrap().iter().find(|v| v["id"] == "v1").unwrap()["tags"].clone();
    assert_eq!(tags, serde_json::json!(["stable"]));
    let history = client.get("/v1/models/gpt-4/history").json();
    assert!(history.to_string().contains("rolled_back"), "{history}");
}
