//! What a gateway says of its own operation: in `/readyz` and in `/metrics`.

use std::sync::Mutex;
use std::sync::mpsc::channel;

use serde_json::{Value, json};

#[cfg(unix)]
use crate::program::{Program, run};
use crate::upstream::{HELLO, Step, Upstream, answer, chunk, stream_head};
use crate::world::{World, ask, ask_stream, plan, two};

/// A model that was split, and then rolled back: two entries, and a message to the webhook.
fn roll_back(world: &World) {
    let mut client = world.client();
    for body in [
        json!({"action": "split", "split": {"v2": 1.0}, "redeploy": true}),
        json!({"action": "rollback", "target_version": "v1"}),
    ] {
        let answered = client.post("/v1/models/gpt-4/deploy", &body);
        assert_eq!(answered.status, 200, "{}", answered.text());
    }
}

fn until(what: impl Fn() -> bool) {
    while !what() {
        std::thread::yield_now();
    }
}

#[test]
fn metrics_count_entries_that_were_written() {
    let upstream = Upstream::plain();
    let world = World::new(&two(&upstream.url(), &upstream.url(), "{v1: 50%, v2: 50%}", ""));
    let written = || world.metric("coalmine_journal_entries_written_total");
    // All that the journal has was written since the start.
    let entries = world.client().get("/v1/deploy/status").json()["journal_entries"].clone();
    assert_eq!(json!(written() as u64), entries);
    roll_back(&world);
    assert_eq!(json!(written() as u64 - 2), entries);
    assert_eq!(world.metric("coalmine_journal_writable"), 1.0);
    assert_eq!(world.metric("coalmine_journal_entries_waiting"), 0.0);
}

#[test]
fn metrics_count_messages_that_wait_that_arrived_and_that_did_not() {
    let upstream = Upstream::plain();
    let (go, gone) = channel();
    let gone = Mutex::new(Some(gone));
    // The first message waits for the test, and the second is refused for good.
    let hook = Upstream::new(move |number, came| match number {
        0 => vec![Step::Wait(gone.lock().unwrap().take().unwrap()), Step::Send(answer(came))],
        _ => vec![Step::Send(b"HTTP/1.1 404 Gone\r\ncontent-length: 0\r\n\r\n".to_vec())],
    });
    let more = format!("notify: {{webhook: {{url: '{}'}}}}", hook.url());
    let world = World::new(&two(&upstream.url(), &upstream.url(), "{v1: 50%, v2: 50%}", &more));
    let queued = || world.metric(r#"coalmine_notifications_queued{channel="webhook"}"#);
    let ended = |outcome: &str| {
        let labels = format!(r#"{{channel="webhook",outcome="{outcome}"}}"#);
        world.metric(&format!("coalmine_notifications_total{labels}"))
    };
    assert_eq!((queued(), ended("delivered"), ended("given_up")), (0.0, 0.0, 0.0));
    roll_back(&world);
    until(|| hook.came().len() == 1);
    assert_eq!((queued(), ended("delivered")), (1.0, 0.0));
    go.send(()).unwrap();
    until(|| ended("delivered") == 1.0);
    assert_eq!(queued(), 0.0);
    roll_back(&world);
    until(|| ended("given_up") == 1.0);
    assert_eq!((queued(), ended("delivered"), ended("dropped")), (0.0, 1.0, 0.0));
    assert_eq!(world.metric(r#"coalmine_notifications_queued{channel="slack"}"#), 0.0);
}

#[test]
fn metrics_count_readings_of_the_configuration() {
    let upstream = Upstream::plain();
    let yaml = two(&upstream.url(), &upstream.url(), "{v1: 50%, v2: 50%}", "");
    let world = World::new(&yaml);
    let read = |result: &str| {
        world.metric(&format!(r#"coalmine_config_reloads_total{{result="{result}"}}"#))
    };
    let taken = || world.metric("coalmine_config_last_reload_successful");
    let at = || world.metric("coalmine_config_last_reload_success_timestamp_seconds");
    let started = at();
    assert_eq!((read("ok"), read("failed"), taken()), (0.0, 0.0, 1.0));
    let unreadable = |_: &_| Err("it is not set".to_owned());
    let keyed = yaml.replace("one: {", "one: {key: {env: KEY}, ");
    world.gateway().reload(&plan(&keyed), &unreadable).unwrap_err();
    world.gateway().reload_failed();
    assert_eq!((read("ok"), read("failed"), taken()), (0.0, 2.0, 0.0));
    assert_eq!(at(), started, "the configuration in force is the old one");
    world.gateway().reload(&plan(&yaml), &unreadable).unwrap();
    assert_eq!((read("ok"), read("failed"), taken()), (1.0, 2.0, 1.0));
    assert!(at() > started);
}

/// A file that is deleted or replaced is written to all the same, under no name: what is written
/// there is lost.
#[cfg(unix)]
#[test]
fn a_journal_that_is_moved_away_is_told_takes_no_command_and_keeps_no_request_away() {
    let upstream = Upstream::plain();
    let folder = tempfile::tempdir().unwrap();
    let [journal, away] = ["journal.db", "away.db"].map(|name| folder.path().join(name));
    let yaml = two(&upstream.url(), &upstream.url(), "{v1: 50%, v2: 50%}", "");
    let yaml = yaml.replace("':memory:'", &format!("'{}'", journal.display()));
    let world = World::new(&yaml);
    let ready = || {
        let ready = world.client().get("/readyz");
        assert_eq!(ready.status, 200, "{}", ready.text());
        ready.json()
    };
    let rollback = || {
        let back = json!({"action": "rollback", "target_version": "v1"});
        world.client().post("/v1/models/gpt-4/deploy", &back)
    };
    // Moved, and then another file in its place; noticed though nothing is to be written.
    for replaced in [false, true] {
        std::fs::rename(&journal, &away).unwrap();
        if replaced {
            std::fs::copy(&away, &journal).unwrap();
        }
        until(|| ready()["journal_writable"] == false);
        assert_eq!(ready()["status"], "degraded");
        assert_eq!(world.metric("coalmine_journal_writable"), 0.0);
        let refused = rollback();
        assert_eq!(refused.status, 503, "{}", refused.text());
        assert_eq!(refused.json()["error"]["code"], "journal_unavailable");
        assert!(refused.header("retry-after").is_some());
        assert_eq!(world.client().chat(&ask("gpt-4")).status, 200);
        std::fs::rename(&away, &journal).unwrap();
        until(|| ready()["journal_writable"] == true);
        assert_eq!(world.metric("coalmine_journal_writable"), 1.0);
    }
    let done = rollback();
    assert_eq!(done.status, 200, "{}", done.text());
    let entry = done.json()["journal_entry"].clone();
    world.stop();
    let shown = run(&["journal", "show", journal.to_str().unwrap()]);
    let last = shown.lines().last().unwrap();
    assert!(last.starts_with(&format!("{entry}  ")) && last.contains("rolled back"), "{last}");
}

#[test]
fn a_gateway_that_serves_says_that_it_is_ready() {
    let upstream = Upstream::plain();
    let world = World::new(&two(&upstream.url(), &upstream.url(), "{v1: 50%, v2: 50%}", ""));
    let ready = world.client().get("/readyz");
    let sound = json!({"status": "ok", "journal_writable": true, "journal_entries_waiting": 0});
    assert_eq!((ready.status, ready.json()), (200, sound));
    let document: Value = world.client().get("/openapi.json").json();
    let schema = &document["components"]["schemas"]["Ready"]["properties"];
    assert!(schema["journal_writable"].is_object(), "{document}");
}

/// Whoever spreads requests goes on sending some until it has noticed.
#[cfg(unix)]
#[test]
fn a_gateway_that_is_told_to_end_is_not_ready_and_serves_for_as_long_as_it_was_told() {
    let upstream = Upstream::plain();
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("gateway.yaml");
    let yaml = two(&upstream.url(), &upstream.url(), "{v1: 100%}", "drain_delay: 1h\n");
    std::fs::write(&config, format!("schema: 1\nlisten: 127.0.0.1:0\n{yaml}")).unwrap();
    let mut program = Program::serve(&config);
    let key = program.first_key();
    assert_eq!(program.client(&key).get("/readyz").status, 200);
    program.signal("TERM");
    program.until_it_says("stopping: not ready from now on, taking requests for 1h still");
    // Each on a connection of its own.
    until(|| program.client(&key).get("/readyz").status == 503);
    for _ in 0..3 {
        assert_eq!(program.client(&key).chat(&ask("gpt-4")).status, 200);
    }
    assert_eq!(program.client(&key).get("/healthz").status, 200);
    program.signal("TERM");
    assert_eq!(program.ended().0, Some(130));
}

#[test]
fn a_gateway_takes_no_connections_after_the_delay_of_its_end() {
    let upstream = Upstream::plain();
    let yaml = two(&upstream.url(), &upstream.url(), "{v1: 100%}", "drain_delay: 10ms");
    let world = World::new(&yaml);
    assert_eq!(world.client().chat(&ask("gpt-4")).status, 200);
    let address = world.address;
    world.stop();
    assert!(std::net::TcpStream::connect(address).is_err());
}

/// Whoever waits for an answer is told that there will be none, and no version is to blame for it.
#[test]
fn what_is_under_way_when_the_time_to_drain_is_over_is_told_so() {
    let (_hold, wait) = channel();
    let wait = Mutex::new(Some(wait));
    let (ended, _end) = channel();
    let upstream = Upstream::new(move |_, came| match came.json()["stream"].as_bool() {
        Some(true) => vec![
            Step::Send([stream_head(), chunk(HELLO, "null")].concat()),
            Step::AwaitEnd(ended.clone()),
        ],
        _ => wait.lock().unwrap().take().into_iter().map(Step::Wait).collect(),
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("traffic.jsonl");
    let more = format!("drain: 100ms\nrecord: '{}'\n", file.display());
    let yaml = two(&upstream.url(), &upstream.url(), "{v1: 100%}", &more);
    let url = format!("one: {{url: '{}'", upstream.url());
    let patient = "timeouts: {first_byte: 10h, idle: 10h, total: 10h}";
    // At this speed a request has waited far longer than whoever leaves by himself may.
    let world = World::hasty(&yaml.replace(&url, &format!("{url}, {patient}")), 1_000.0);
    let (mut plain, mut streamed) = (world.client(), world.client());
    plain.send_chat(&ask("gpt-4"));
    streamed.send_chat(&ask_stream("gpt-4"));
    assert_eq!(streamed.head().status, 200);
    assert!(String::from_utf8(streamed.piece().unwrap()).unwrap().contains("Hello"));
    until(|| upstream.came().len() == 2);
    world.stop();
    let last = String::from_utf8(streamed.piece().unwrap()).unwrap();
    let event: Value = serde_json::from_str(last.trim().strip_prefix("data: ").unwrap()).unwrap();
    assert!(event["error"]["message"].as_str().unwrap().contains("is stopping"), "{event}");
    assert_eq!(streamed.piece(), None);
    let head = plain.head();
    assert_eq!((head.status, head.header("retry-after")), (503, Some("1")));
    // No failure of any version.
    let recorded = std::fs::read_to_string(&file).unwrap();
    let rows: Vec<Value> =
        recorded.lines().skip(1).map(|row| serde_json::from_str(row).unwrap()).collect();
    assert_eq!(rows.len(), 2, "{recorded}");
    for row in rows {
        assert_eq!((&row["status"], &row["version"]), (&json!(503), &Value::Null));
    }
}
