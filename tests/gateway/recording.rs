//! What a gateway records of its traffic: every request once, as a trace that imports without loss.

use std::path::Path;

use coalmine::exchange::Ending;
use coalmine::trace::{SourceOptions, TraceFormat, TraceReader, TraceRecord};
use coalmine::units::Duration;
use serde_json::json;

use crate::client::Client;
use crate::program::run;
use crate::upstream::{
    DONE, HELLO, Step, Upstream, answer, chunk, json as json_response, stream_head,
};
use crate::world::{World, ask, ask_stream, two};

/// One that records into `file`, which may have more settings.
fn world(upstream: &Upstream, file: &str, more: &str) -> World {
    let record = format!("record: {file}\n{more}");
    World::new(&two(&upstream.url(), &upstream.url(), "{v1: 100%}", &record))
}

/// The rows of a recording, in the order in which they stand there.
fn rows(path: &Path) -> Vec<TraceRecord> {
    read(path, TraceFormat::CoalmineJsonl)
}

fn read(path: &Path, format: TraceFormat) -> Vec<TraceRecord> {
    let bytes = std::fs::read(path).unwrap();
    let options = SourceOptions { any_order: true, ..SourceOptions::default() };
    let mut reader = TraceReader::with(&*bytes, options).unwrap();
    assert_eq!(reader.accounting().format, format);
    std::iter::from_fn(|| reader.next_record().unwrap()).collect()
}

/// Answers by what is asked: the first word of the prompt.
fn upstream() -> Upstream {
    Upstream::new(|_, came| {
        let body = came.json();
        let end = [chunk("{}", "\"stop\""), DONE.to_vec()].concat();
        match body["messages"][0]["content"].as_str().unwrap() {
            "fail" => vec![Step::Send(json_response(500, "{}"))],
            "reset" => vec![Step::Reset],
            "stream" => {
                vec![Step::Send([stream_head(), chunk(HELLO, "null"), end].concat()), Step::Close]
            }
            "cut" => vec![Step::Send([stream_head(), chunk(HELLO, "null")].concat()), Step::Close],
            _ => vec![Step::Send(answer(came))],
        }
    })
}

fn say(client: &mut Client, word: &str, stream: bool) {
    let mut body = if stream { ask_stream("gpt-4") } else { ask("gpt-4") };
    body["messages"][0]["content"] = json!(word);
    body["user"] = json!(format!("user of {word}"));
    let more = json!({"role": "user", "content": "Marker of a prompt"});
    body["messages"].as_array_mut().unwrap().push(more);
    let headers = "content-type: application/json\r\nx-session-id: secret session\r\n";
    client.send("POST", "/v1/chat/completions", headers, &body.to_string());
    let head = client.head();
    client.body(&head);
}

#[test]
fn every_request_is_recorded_as_it_ended_and_nothing_of_what_was_said() {
    let upstream = upstream();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("traffic.jsonl");
    let world = world(&upstream, &format!("'{}'", file.display()), "");
    let mut client = world.client();
    let words =
        [("plain", false), ("fail", false), ("reset", false), ("stream", true), ("cut", true)];
    for (word, stream) in words {
        say(&mut client, word, stream);
    }
    let written = "coalmine_recorded_requests_total{result=\"written\"}";
    while world.metric(written) < 5.0 {
        std::thread::yield_now();
    }
    world.stop();
    let rows = rows(&file);
    let endings: Vec<_> = rows.iter().map(|row| row.ending().unwrap()).collect();
    let [ok, cut] = [Ending::Success, Ending::Truncated];
    assert_eq!(endings, [ok, Ending::Status(500), Ending::Reset, ok, cut]);
    let streams: Vec<_> = rows.iter().map(|row| row.stream.unwrap()).collect();
    assert_eq!(streams, [false, false, false, true, true]);
    for row in &rows {
        assert_eq!(row.model.as_ref().unwrap().as_str(), "gpt-4");
        assert_eq!(row.version.as_ref().unwrap().as_str(), "v1");
        assert!(row.duration.unwrap() > Duration::ZERO && row.user.is_some());
    }
    // As the plain answer tells; the stream does not, and has one token of output by an estimate.
    let tokens = |row: &TraceRecord| (row.input.map(|t| t.get()), row.output.map(|t| t.get()));
    assert_eq!(tokens(&rows[0]), (Some(7), Some(11)));
    assert_eq!(tokens(&rows[3]), (None, Some(1)));
    assert!(rows[3].first_token.unwrap() <= rows[3].duration.unwrap());
    assert_ne!(rows[0].user, rows[1].user);
    let text = std::fs::read_to_string(&file).unwrap();
    for said in ["user of", "Hello", "secret session", "Marker of a prompt"] {
        assert!(!text.contains(said), "{said}: {text}");
    }
    assert!(rows[0].session.is_some() && rows[0].session == rows[1].session);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    // `trace import` sorts it, and loses nothing.
    let imported = folder.path().join("traffic.trace");
    let [from, to] = [&file, &imported].map(|path| path.to_str().unwrap());
    run(&["trace", "import", from, "-o", to]);
    let (mut sorted, kept) = (rows, read(&imported, TraceFormat::Packed));
    sorted.sort_by_key(|row| row.at);
    assert_eq!(kept, sorted);
}

/// Whatever attempts there were, a client asked once.
#[test]
fn a_request_that_was_tried_again_is_one_row_and_took_as_long_as_its_client_waited() {
    let upstream = Upstream::new(|number, came| match number {
        0 => vec![Step::Send(json_response(503, "{}"))],
        _ => vec![Step::Send(answer(came))],
    });
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("traffic.jsonl");
    let record = format!("record: '{}'\n", file.display());
    let yaml = two(&upstream.url(), &upstream.url(), "{v1: 100%}", &record);
    let retry = "    policies: {retry: {attempts: 2, on: [5xx], backoff: {first: 50ms, max: 50ms, jitter: 0%}}}\n    split:";
    let world = World::new(&yaml.replace("    split:", retry));
    assert_eq!(world.client().chat(&ask("gpt-4")).status, 200);
    world.stop();
    let rows = rows(&file);
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].ending(), Some(Ending::Success));
    assert!(rows[0].duration.unwrap() >= Duration::from_millis(50), "{:?}", rows[0].duration);
}

#[test]
fn a_client_that_leaves_is_recorded_as_one_that_has_left() {
    let (ended, end) = std::sync::mpsc::channel();
    let upstream = Upstream::new(move |_, _| vec![Step::AwaitEnd(ended.clone())]);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("traffic.jsonl");
    let world = world(&upstream, &format!("'{}'", file.display()), "");
    let mut client = world.client();
    client.send_chat(&ask("gpt-4"));
    upstream.await_came(1);
    drop(client);
    end.recv().unwrap();
    world.stop();
    let rows = rows(&file);
    assert_eq!(
        rows.iter().map(TraceRecord::ending).collect::<Vec<_>>(),
        [Some(Ending::ClientClosed)]
    );
    assert_eq!((rows[0].status, rows[0].output), (None, None));
}

/// A restart goes on in another file and loses nothing.
#[test]
fn a_recording_that_is_there_gets_a_number_and_the_oldest_go() {
    let upstream = Upstream::plain();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("traffic.jsonl");
    let plan = format!("{{file: '{}', keep: 2}}", file.display());
    for _ in 0..5 {
        // One that is asked for nothing leaves nothing.
        world(&upstream, &plan, "").stop();
        let world = world(&upstream, &plan, "");
        assert_eq!(world.client().chat(&ask("gpt-4")).status, 200);
        world.stop();
    }
    let mut names: Vec<_> = std::fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    assert_eq!(names.pop().as_deref(), Some("traffic.jsonl.lock"));
    assert_eq!(names, ["traffic.jsonl", "traffic.jsonl.3", "traffic.jsonl.4"]);
    for name in names {
        assert_eq!(rows(&folder.path().join(&name)).len(), 1, "{name}");
    }
}

#[test]
fn a_start_that_could_not_record_is_refused() {
    let upstream = Upstream::plain();
    let folder = tempfile::tempdir().unwrap();
    let nowhere = folder.path().join("nowhere").join("traffic.jsonl");
    for (path, why) in [(nowhere.as_path(), "nowhere"), (folder.path(), "is none of a recording")] {
        let record = format!("record: '{}'\n", path.display());
        let yaml = two(&upstream.url(), &upstream.url(), "{v1: 100%}", &record);
        let refused = World::start(&yaml, 1.0).err().expect("it is refused");
        assert!(refused.contains("cannot be recorded") && refused.contains(why), "{refused}");
    }
    assert!(folder.path().exists());
}
