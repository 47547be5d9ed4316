//! The connections of a mock: accepted, answered, and ended as their answers say.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use socket2::SockRef;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::desk::{Desk, Outlet, Part};
use super::door::{Door, PAUSE};
use super::line::{Line, Socket};
use super::punctuality::{Lateness, Punctuality};
use super::settings::{MockError, MockSettings};
use super::version::Version;
use crate::clock::Pacer;

/// Serves a mock of these settings on `listener`, over HTTP/1.1, until `shutdown` is there. Then
/// all connections end at once, answers that are under way among them. Needs a tokio runtime with
/// sockets and timers; [`MockServer`](super::MockServer) brings threads of its own. A client that
/// closes its side of the connection has left: its request ends.
///
/// # Errors
/// The settings make no mock.
pub async fn serve(
    listener: TcpListener,
    settings: MockSettings,
    shutdown: impl Future,
) -> Result<MockReport, MockError> {
    settings.check()?;
    let desk = Arc::new(Desk::new(settings));
    let (_go_on, stop) = watch::channel(Stop::Not);
    let serving = serve_doors(vec![Door::open(listener, Part::All)], Arc::clone(&desk), stop);
    // Dropped, it ends all that it has begun.
    tokio::select! {
        _ = shutdown => {}
        () = serving => {}
    }
    Ok(MockReport::of(&desk))
}

/// What became of a mock's service.
#[derive(Clone, Debug)]
pub struct MockReport {
    /// How many requests have come to its versions.
    pub requests: u64,
    /// How many were refused beside them as a stranger's, where ids number the requests.
    pub strangers: u64,
    /// How late its answers were.
    pub lateness: Lateness,
}

impl MockReport {
    pub(super) fn of(desk: &Desk) -> Self {
        let requests = desk.versions.iter().map(Version::requests).sum();
        Self { requests, strangers: desk.counter.strangers(), lateness: desk.lateness() }
    }
}

/// Whether service is to end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stop {
    Not,
    /// No more requests, and those under way may take so long.
    Within(Duration),
}

/// What the connections of one thread share.
#[derive(Clone)]
struct Hall {
    desk: Arc<Desk>,
    pacer: Arc<Pacer>,
    punctuality: Arc<Punctuality>,
    stop: watch::Receiver<Stop>,
}

/// Serves at these doors until it is told to stop.
pub(super) async fn serve_doors(doors: Vec<Door>, desk: Arc<Desk>, stop: watch::Receiver<Stop>) {
    let (pacer, punctuality) = (Arc::new(Pacer::new(desk.clock)), desk.new_punctuality());
    // Dropped, it ends.
    let mut pacing = JoinSet::new();
    pacing.spawn({
        let pacer = Arc::clone(&pacer);
        async move { pacer.run().await }
    });
    let hall = Hall { desk, pacer, punctuality, stop };
    join_all(doors.into_iter().map(|door| keep(door, hall.clone()))).await;
}

/// Accepts connections until it is told to stop, and waits for those that it has.
async fn keep(mut door: Door, hall: Hall) {
    // Dropped, it ends all of them.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            () = told_to_stop(hall.stop.clone()) => break,
            Some(_) = connections.join_next() => {}
            accepted = door.accept() => match accepted {
                Ok(stream) => {
                    connections.spawn(attend(stream, hall.clone(), door.part()));
                }
                Err(_) => tokio::time::sleep(PAUSE).await,
            },
        }
    }
    drop(door);
    let Stop::Within(patience) = *hall.stop.borrow() else { return };
    let all = async { while connections.join_next().await.is_some() {} };
    // Who is not done by then is cut off.
    let _ = tokio::time::timeout(patience, all).await;
}

/// Waits until service is to end. Nobody left to say so is an end too.
async fn told_to_stop(mut stop: watch::Receiver<Stop>) {
    let _ = stop.wait_for(|stop| *stop != Stop::Not).await;
}

/// Answers the requests of one connection, and ends it.
async fn attend(stream: TcpStream, hall: Hall, part: Part) {
    // A token is sent when it comes, not when there are enough of them. Where that cannot be set,
    // the client has gone already.
    let _ = stream.set_nodelay(true);
    let Hall { desk, pacer, punctuality, stop } = hall;
    let line = Line::new(punctuality);
    let keeps = desk.counter.keeps_connections();
    let answers = {
        let outlet = Outlet { line: line.clone(), pacer, part };
        service_fn(move |request| Box::pin(Arc::clone(&desk).answer(request, outlet.clone())))
    };
    let mut server = http1::Builder::new();
    // No timer is given: who connects and says nothing is waited for. Events are short: copied
    // together they cost less than a list of them does.
    server.header_read_timeout(None).writev(false).keep_alive(keeps);
    let socket = TokioIo::new(Socket { stream, line: line.clone() });
    let mut connection = server.serve_connection(socket, answers);
    {
        let mut stopping = pin!(told_to_stop(stop));
        let mut is_stopping = false;
        // Errors are those of clients, or answers that break off: either way it ends here.
        let _ = poll_fn(|context| {
            if !is_stopping && stopping.as_mut().poll(context).is_ready() {
                is_stopping = true;
                Pin::new(&mut connection).graceful_shutdown();
            }
            connection.poll_without_shutdown(context)
        })
        .await;
    }
    let mut stream = connection.into_parts().io.into_inner().stream;
    if line.is_reset() {
        // Closed with a linger time of 0 a socket sends RST and drops what it has not sent.
        let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
    } else {
        let _ = stream.shutdown().await;
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use serde_json::{Value, json};
    use tokio::io::AsyncReadExt;
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;

    use super::*;
    use crate::chance::Distribution;
    use crate::clock::{TimeScale, WallClock};
    use crate::mock::fixture::{End, Seen, ask, ask_with, send};
    use crate::mock::{DescribedBehaviour, MockVersion, Numbering};
    use crate::wire::{StreamEnding, StreamReader};

    /// A mock that is being served.
    struct Served {
        at: SocketAddr,
        stop: oneshot::Sender<()>,
        ended: JoinHandle<Result<MockReport, MockError>>,
    }

    fn settings(versions: &[(&str, Value)], numbering: Numbering) -> MockSettings {
        let version = |(name, upstream): &(&str, Value)| MockVersion {
            models: vec![(*name).to_owned()],
            behaviour: DescribedBehaviour::read(upstream).unwrap(),
        };
        MockSettings {
            versions: versions.iter().map(version).collect(),
            seed: 7,
            clock: WallClock::new(TimeScale::new(1_000.0).unwrap()),
            tokens: Distribution::constant(12.0).unwrap(),
            numbering,
            news: None,
        }
    }

    async fn served(settings: MockSettings) -> Served {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (stop, stopped) = oneshot::channel();
        let at = listener.local_addr().unwrap();
        Served { at, stop, ended: tokio::spawn(serve(listener, settings, stopped)) }
    }

    async fn mock(upstream: Value) -> Served {
        served(settings(&[("m", upstream)], Numbering::Header)).await
    }

    async fn failing(failure: Value) -> Served {
        mock(json!({"latency": "1s", "failures": failure})).await
    }

    const CHAT: &str = "/v1/chat/completions";

    fn body(tokens: u32, stream: bool) -> String {
        let messages = json!([{"role": "user", "content": "what sings in the mine"}]);
        let body = json!({
            "model": "m", "messages": messages, "max_tokens": tokens, "stream": stream,
        });
        body.to_string()
    }

    async fn chat(mock: &Served, tokens: u32, stream: bool) -> Seen {
        ask(mock.at, "POST", CHAT, &body(tokens, stream)).await
    }

    async fn both(mock: &Served) -> [Seen; 2] {
        [chat(mock, 10, true).await, chat(mock, 10, false).await]
    }

    async fn counts(mock: &Served) -> Value {
        ask(mock.at, "GET", "/admin/stats", "").await.json()["versions"]["m"].take()
    }

    /// Asks for the counts until one of them is this.
    async fn until(mock: &Served, count: &str, is: u64) {
        while counts(mock).await[count] != is {}
    }

    #[tokio::test]
    async fn a_plain_answer_has_its_tokens_and_its_usage_adds_up() {
        let mock = failing(json!({})).await;
        let seen = chat(&mock, 40, false).await;
        assert_eq!((seen.status(), seen.end), (200, End::Closed));
        assert_eq!(seen.header("content-type"), Some("application/json"));
        let answer = seen.json();
        let choice = &answer["choices"][0];
        assert_eq!(choice["message"]["content"].as_str().unwrap().split(' ').count(), 40);
        assert_eq!(choice["finish_reason"], "stop");
        let usage = json!({"prompt_tokens": 5, "completion_tokens": 40, "total_tokens": 45});
        assert_eq!(answer["usage"], usage);
        let short = r#"{"model": "m", "messages": []}"#;
        let answer = ask(mock.at, "POST", CHAT, short).await.json();
        assert_eq!(answer["usage"]["completion_tokens"], 12, "the default");
    }

    #[tokio::test]
    async fn a_stream_says_the_same_token_by_token() {
        let mock = failing(json!({})).await;
        let number = "x-coalmine-request: 5\r\n";
        let plain = ask_with(mock.at, "POST", CHAT, number, &body(20, false)).await.json();
        let seen = ask_with(mock.at, "POST", CHAT, number, &body(20, true)).await;
        assert_eq!(seen.header("content-type"), Some("text/event-stream"));
        assert!(seen.body().1, "its framing ends");
        let tokens = seen.tokens();
        assert_eq!(tokens.len(), 20);
        let text = plain["choices"][0]["message"]["content"].as_str().unwrap();
        assert_eq!(tokens.concat().trim_end(), text);
        let events = seen.events();
        assert_eq!(events.len(), 23, "role, tokens, finish, end");
        let finish: Value = serde_json::from_str(&events[21]).unwrap();
        assert_eq!(finish["choices"][0]["finish_reason"], "stop");
        assert_eq!(events[22], "[DONE]");
    }

    #[tokio::test]
    async fn usage_is_streamed_to_those_who_ask_for_it() {
        let mock = failing(json!({})).await;
        let mut asked: Value = serde_json::from_str(&body(3, true)).unwrap();
        asked["stream_options"] = json!({"include_usage": true});
        let events = ask(mock.at, "POST", CHAT, &asked.to_string()).await.events();
        let usage: Value = serde_json::from_str(&events[events.len() - 2]).unwrap();
        assert_eq!((&usage["choices"], &usage["usage"]["total_tokens"]), (&json!([]), &json!(8)));
        assert!(!chat(&mock, 3, true).await.body().0.contains("total_tokens"));
    }

    /// The answer to a request with these members besides, plain and as the events of a stream.
    async fn answers(mock: &Served, members: &Value) -> (Value, Vec<Value>) {
        let number = "x-coalmine-request: 5\r\n";
        let ask = async |stream: bool| {
            let mut asked: Value = serde_json::from_str(&body(12, stream)).unwrap();
            asked.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
            ask_with(mock.at, "POST", CHAT, number, &asked.to_string()).await
        };
        let events = ask(true).await.events();
        let read = events.iter().filter_map(|event| serde_json::from_str(event).ok());
        (ask(false).await.json(), read.collect())
    }

    #[tokio::test]
    async fn several_choices_are_told_apart_and_counted_together() {
        let mock = failing(json!({})).await;
        let members = json!({"n": 3, "stream_options": {"include_usage": true}});
        let (plain, events) = answers(&mock, &members).await;
        let text = |index: usize| plain["choices"][index]["message"]["content"].as_str().unwrap();
        for index in 0..3 {
            let of = |event: &Value| {
                let choice = &event["choices"][0];
                let content = choice["delta"]["content"].as_str()?;
                (choice["index"] == index).then(|| content.to_owned())
            };
            let pieces: Vec<String> = events.iter().filter_map(of).collect();
            assert_eq!(pieces.len(), 13, "the role and 12 tokens");
            assert_eq!(pieces.concat().trim_end(), text(index));
            assert_ne!(text(index), text((index + 1) % 3));
        }
        assert_eq!(plain["usage"]["completion_tokens"], 36);
        assert_eq!(events.last().unwrap()["usage"], plain["usage"]);
    }

    #[tokio::test]
    async fn a_tool_is_called_in_as_many_pieces_as_tokens() {
        let mock = failing(json!({})).await;
        let parameters = json!({"type": "object", "properties": {"city": {"type": "string"}}});
        let function = json!({"name": "weather", "parameters": parameters});
        let tools = json!([{"type": "function", "function": function}]);
        let members = json!({"tools": tools, "tool_choice": "required"});
        let (plain, events) = answers(&mock, &members).await;
        let call = &plain["choices"][0]["message"]["tool_calls"][0];
        assert_eq!(
            (&call["function"]["name"], &call["id"]),
            (&json!("weather"), &json!("call_5_0"))
        );
        let arguments = call["function"]["arguments"].as_str().unwrap();
        assert!(serde_json::from_str::<Value>(arguments).unwrap()["city"].is_string());
        let calls = events.iter().map(|event| &event["choices"][0]["delta"]["tool_calls"][0]);
        let pieces: Vec<&str> =
            calls.filter_map(|call| call["function"]["arguments"].as_str()).collect();
        assert_eq!((pieces.len(), pieces.concat().as_str()), (12, arguments));
        assert_eq!(events[1]["choices"][0]["delta"]["tool_calls"][0]["id"], "call_5_0");
        assert_eq!(events.last().unwrap()["choices"][0]["finish_reason"], "tool_calls");
    }

    #[tokio::test]
    async fn json_is_an_instance_of_its_schema_streamed_and_plain() {
        let mock = failing(json!({})).await;
        let schema = json!({"type": "object", "properties": {"on": {"type": "boolean"}}});
        let format = json!({"type": "json_schema", "json_schema": {"name": "x", "schema": schema}});
        let (plain, events) = answers(&mock, &json!({"response_format": format})).await;
        let text = plain["choices"][0]["message"]["content"].as_str().unwrap();
        assert!(serde_json::from_str::<Value>(text).unwrap()["on"].is_boolean());
        let pieces = events.iter().filter_map(|it| it["choices"][0]["delta"]["content"].as_str());
        assert_eq!(pieces.collect::<String>(), text);
    }

    #[tokio::test]
    async fn everything_that_is_sent_is_timed() {
        let mock = failing(json!({})).await;
        both(&mock).await;
        let sent = async || ask(mock.at, "GET", "/admin/stats", "").await.json()["lateness"].take();
        // The role, ten tokens and the end of a stream, and a plain answer.
        let lateness = sent().await;
        assert_eq!((&lateness["sent"], &lateness["held_up_by_clients"]), (&json!(13), &json!(0)));
        let [p50, p99, most] = ["p50_us", "p99_us", "max_us"].map(|it| lateness[it].as_u64());
        assert!(p50 <= p99 && p99 <= most && most.is_some(), "{lateness}");
    }

    #[tokio::test]
    async fn a_status_comes_as_an_error_with_its_kind() {
        let mock = failing(json!({"503": 1})).await;
        for seen in both(&mock).await {
            assert_eq!(seen.status(), 503);
            assert_eq!(seen.json()["error"]["type"], "server_error");
        }
        let limited = mock_of_two_requests_an_hour().await;
        chat(&limited, 1, false).await;
        chat(&limited, 1, false).await;
        let seen = chat(&limited, 1, false).await;
        assert_eq!(seen.status(), 429);
        let wait: u64 = seen.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=1_800).contains(&wait), "{wait}");
    }

    async fn mock_of_two_requests_an_hour() -> Served {
        mock(json!({"latency": "1s", "rate_limit": {"requests": "2/h"}})).await
    }

    #[tokio::test]
    async fn a_reset_or_refused_connection_is_reset_without_a_byte() {
        for kind in ["reset", "refused"] {
            let mock = failing(json!({kind: 1})).await;
            for seen in both(&mock).await {
                assert_eq!((seen.status(), seen.end), (0, End::Reset), "{kind}");
            }
            assert_eq!(counts(&mock).await["endings"], json!({kind: 2}));
        }
    }

    #[tokio::test]
    async fn a_reset_in_the_middle_comes_after_a_share_of_the_answer() {
        let mock = failing(json!({"reset": {"probability": 1, "at": "50%"}})).await;
        let [stream, plain] = both(&mock).await;
        assert_eq!((stream.status(), stream.end), (200, End::Reset));
        assert_eq!(stream.tokens().len(), 5);
        assert_eq!((plain.status(), plain.end), (200, End::Reset));
        assert!(!plain.body().1);
    }

    #[tokio::test]
    async fn a_truncated_stream_closes_before_its_framing_ends_and_a_plain_answer_is_cut() {
        let mock = failing(json!({"truncated": {"probability": 1, "at": "30%"}})).await;
        let [stream, plain] = both(&mock).await;
        assert_eq!((stream.status(), stream.end), (200, End::Closed));
        assert_eq!((stream.tokens().len(), stream.body().1), (3, false));
        assert!(!stream.body().0.contains("stop"));
        assert_eq!((plain.status(), plain.end), (200, End::Closed));
        let (text, complete) = plain.body();
        assert!(complete && text.starts_with("{\"id\":"));
        assert!(serde_json::from_str::<Value>(&text).is_err());
    }

    #[tokio::test]
    async fn a_malformed_answer_is_framed_well_and_cannot_be_read() {
        let mock = failing(json!({"malformed": 1})).await;
        let [stream, plain] = both(&mock).await;
        let events = stream.events();
        assert!(stream.body().1 && events.len() == 2);
        assert!(serde_json::from_str::<Value>(&events[1]).is_err());
        let (text, complete) = plain.body();
        assert!(complete && serde_json::from_str::<Value>(&text).is_err());
        assert_eq!(plain.header("content-type"), Some("application/json"));
    }

    #[tokio::test]
    async fn a_wrong_content_type_is_a_page() {
        let mock = failing(json!({"wrong_content_type": 1})).await;
        for seen in both(&mock).await {
            assert_eq!((seen.status(), seen.header("content-type")), (200, Some("text/html")));
            assert!(seen.body().0.starts_with("<html>"));
        }
    }

    #[tokio::test]
    async fn an_empty_answer_is_a_success_without_tokens() {
        let mock = failing(json!({"empty": 1})).await;
        let [stream, plain] = both(&mock).await;
        assert!(stream.tokens().is_empty());
        let events = stream.events();
        assert!(events[1].contains("stop") && events[2] == "[DONE]");
        assert_eq!(plain.json()["choices"][0]["message"]["content"], "");
        assert_eq!(plain.json()["usage"]["completion_tokens"], 0);
    }

    #[tokio::test]
    async fn an_error_in_a_stream_comes_after_its_share_and_nothing_after_it() {
        let mock = failing(json!({"error_in_stream": {"probability": 1, "at": "40%"}})).await;
        let [stream, plain] = both(&mock).await;
        assert_eq!((stream.status(), stream.tokens().len()), (200, 4));
        let last: Value = serde_json::from_str(stream.events().last().unwrap()).unwrap();
        assert_eq!(last["error"]["type"], "server_error");
        assert_eq!(plain.status(), 200);
        assert!(plain.json()["choices"].is_null() && plain.json()["error"].is_object());
    }

    #[tokio::test]
    async fn a_duplicate_chunk_is_one_event_twice() {
        let mock = failing(json!({"duplicate_chunk": 1})).await;
        let [stream, plain] = both(&mock).await;
        let events = stream.events();
        let twice: Vec<_> = events.windows(2).filter(|pair| pair[0] == pair[1]).collect();
        assert_eq!((twice.len(), stream.tokens().len()), (1, 11));
        assert_eq!(plain.json()["usage"]["completion_tokens"], 10);
    }

    #[tokio::test]
    async fn slow_answers_are_whole_in_the_end() {
        let stall = json!({"stall": {"probability": 1, "for": "3s"}});
        let drip = json!({"slow_drip": {"probability": 1, "rate": "10/s"}});
        for slow in [stall, drip] {
            let mock = failing(slow).await;
            let [stream, plain] = both(&mock).await;
            assert_eq!((stream.tokens().len(), stream.body().1), (10, true));
            assert!(plain.body().1);
            assert_eq!(plain.json()["usage"]["completion_tokens"], 10);
            assert_eq!(counts(&mock).await["endings"], json!({"success": 2}));
        }
    }

    /// The piece of a stalled plain answer that has come when nothing more comes.
    #[tokio::test]
    async fn a_stall_sends_its_share_and_then_nothing() {
        let stall = json!({"stall": {"probability": 1, "after": "50%", "for": "10000h"}});
        let mock = failing(stall).await;
        for stream in [true, false] {
            let mut socket = send(mock.at, "POST", CHAT, "", &body(10, stream)).await;
            let mut seen = Vec::new();
            let marks = |seen: &[u8]| {
                let text = String::from_utf8_lossy(seen).into_owned();
                let head = text.find("\r\n\r\n").map_or(0, |at| at + 4);
                let length = text.find("content-length: ").map(|at| {
                    let digits = text[at + 16..].split('\r').next().unwrap();
                    digits.parse::<usize>().unwrap() / 2
                });
                let chunks = text.matches("\"content\":\"").count();
                // The first event has a content too, an empty one.
                head > 0 && if stream { chunks == 6 } else { length == Some(text.len() - head) }
            };
            while !marks(&seen) {
                assert!(socket.read_buf(&mut seen).await.unwrap() > 0, "{stream}");
            }
        }
        until(&mock, "in_flight", 0).await;
        assert_eq!(counts(&mock).await["endings"], json!({"client_closed": 2}));
    }

    #[tokio::test]
    async fn who_leaves_frees_its_slot_also_where_nothing_ever_comes() {
        let upstream = json!({
            "latency": "1s", "failures": {"timeout": 1}, "capacity": {"concurrency": 1},
        });
        let mock = mock(upstream).await;
        for round in 1..=3_u64 {
            let waits = send(mock.at, "POST", CHAT, "", &body(5, round == 2)).await;
            until(&mock, "in_flight", 1).await;
            assert_eq!(chat(&mock, 5, false).await.status(), 429);
            drop(waits);
            until(&mock, "in_flight", 0).await;
            assert_eq!(counts(&mock).await["endings"], json!({"timeout": round, "429": round}));
        }
    }

    #[tokio::test]
    async fn who_finds_no_slot_waits_and_is_answered() {
        let capacity = json!({"concurrency": 1, "on_full": "wait"});
        let mock = mock(json!({"latency": "1s", "capacity": capacity})).await;
        let answers = (0..20).map(|index| chat(&mock, 5, index % 2 == 0));
        for seen in join_all(answers).await {
            assert_eq!(seen.status(), 200);
        }
        let expected =
            json!({"requests": 20, "in_flight": 0, "waiting": 0, "endings": {"success": 20}});
        assert_eq!(counts(&mock).await, expected);
    }

    #[tokio::test]
    async fn two_mocks_live_beside_each_other() {
        let (well, ill) = (failing(json!({})).await, failing(json!({"500": 1})).await);
        let (one, other) = tokio::join!(chat(&well, 5, false), chat(&ill, 5, false));
        assert_eq!((one.status(), other.status()), (200, 500));
        well.stop.send(()).unwrap();
        well.ended.await.unwrap().unwrap();
        assert_eq!(chat(&ill, 5, false).await.status(), 500);
        assert!(TcpStream::connect(well.at).await.is_err(), "a stopped mock is gone");
    }

    #[tokio::test]
    async fn a_behaviour_is_shown_and_changed_and_a_wrong_one_changes_nothing() {
        let upstream = json!({"latency": "1s"});
        let versions = [("m", upstream.clone()), ("other/model", upstream)];
        let mock = served(settings(&versions, Numbering::Counted)).await;
        let before = ask(mock.at, "GET", "/admin/behaviour", "").await.json();
        let bad = json!({"latency": "1s", "failures": {"500": "100%"}});
        let put =
            async |body: Value| ask(mock.at, "PUT", "/admin/behaviour", &body.to_string()).await;
        for (wrong, status) in [
            (json!({"m": bad, "nobody": bad}), 404),
            (json!({"m": bad, "other/model": {"latency": -1}}), 400),
            (json!([]), 400),
        ] {
            let seen = put(wrong).await;
            assert_eq!(seen.status(), status);
            assert!(seen.json()["error"]["message"].is_string());
        }
        assert_eq!(chat(&mock, 5, false).await.status(), 200);
        assert_eq!(ask(mock.at, "GET", "/admin/behaviour", "").await.json(), before);
        let after = put(json!({"m": bad})).await.json();
        assert_eq!(after["other/model"], before["other/model"]);
        assert_ne!(after["m"], before["m"]);
        assert_eq!(chat(&mock, 5, false).await.status(), 500);
        // What was shown before is taken as it is.
        assert_eq!(put(before.clone()).await.json(), before);
        assert_eq!(chat(&mock, 5, false).await.status(), 200);
    }

    #[tokio::test]
    async fn a_request_is_answered_by_its_number_where_the_harness_is_trusted() {
        let upstream = json!({"latency": "1s"});
        let text = async |mock: &Served, header: &str| {
            let seen = ask_with(mock.at, "POST", CHAT, header, &body(30, false)).await;
            seen.json()["choices"][0]["message"]["content"].to_string()
        };
        let trusting = served(settings(&[("m", upstream.clone())], Numbering::Header)).await;
        let nine = text(&trusting, "x-coalmine-request: 9\r\n").await;
        assert_ne!(text(&trusting, "x-coalmine-request: 9/1\r\n").await, nine);
        assert_eq!(text(&trusting, "x-coalmine-request: 9\r\n").await, nine);
        let header = "x-coalmine-request: nine\r\n";
        let refused = ask_with(trusting.at, "POST", CHAT, header, &body(1, false)).await;
        assert_eq!(refused.status(), 400);
        let wary = served(settings(&[("m", upstream)], Numbering::Counted)).await;
        let first = text(&wary, "x-coalmine-request: 9\r\n").await;
        assert_eq!(first, text(&trusting, "x-coalmine-request: 0\r\n").await);
    }

    #[tokio::test]
    async fn models_are_listed_and_what_is_unknown_is_told_so() {
        let upstream = json!({"latency": "1s"});
        let versions = [("m", upstream.clone()), ("other/model", upstream)];
        let mock = served(settings(&versions, Numbering::Counted)).await;
        let list = ask(mock.at, "GET", "/v1/models", "").await.json();
        assert_eq!(list["data"][1]["id"], "other/model");
        let one = ask(mock.at, "GET", "/v1/models/other/model", "").await.json();
        assert_eq!(one, list["data"][1]);
        let unknown = r#"{"model": "x", "messages": []}"#;
        for (method, path, body, status) in [
            ("POST", CHAT, unknown, 404),
            ("POST", CHAT, "{", 400),
            ("GET", CHAT, "", 405),
            ("POST", "/admin/stats", "", 405),
            ("GET", "/v1/models/x", "", 404),
            ("GET", "/", "", 404),
        ] {
            let seen = ask(mock.at, method, path, body).await;
            assert_eq!(seen.status(), status, "{method} {path}");
            assert!(seen.json()["error"]["message"].is_string());
        }
        assert_eq!(counts(&mock).await["requests"], 0);
    }

    #[tokio::test]
    async fn who_reads_a_stream_finds_the_ending_that_its_plan_says() {
        for (failures, ending, repeats) in [
            (json!({}), StreamEnding::Complete, false),
            (json!({"truncated": 1}), StreamEnding::Truncated, false),
            (json!({"malformed": 1}), StreamEnding::Malformed, false),
            (json!({"error_in_stream": 1}), StreamEnding::ErrorInStream, false),
            (json!({"duplicate_chunk": 1}), StreamEnding::Complete, true),
            (json!({"empty": 1}), StreamEnding::Complete, false),
        ] {
            let mock = failing(failures.clone()).await;
            let mut asked: Value = serde_json::from_str(&body(200, true)).unwrap();
            asked["stream_options"] = json!({"include_usage": true});
            let seen = ask(mock.at, "POST", CHAT, &asked.to_string()).await;
            let mut reader = StreamReader::new();
            reader.push(seen.body().0.as_bytes());
            let facts = reader.finish();
            assert_eq!((facts.ending, facts.repeats), (ending, repeats), "{failures}");
            if ending == StreamEnding::Complete {
                let usage = facts.usage.unwrap();
                let output = if failures == json!({"empty": 1}) { 0 } else { 200 };
                assert_eq!((usage.input.get(), usage.output.get()), (5, output));
            }
        }
    }

    #[tokio::test]
    async fn a_connection_is_good_for_several_requests() {
        let mock = failing(json!({})).await;
        let mut stream = TcpStream::connect(mock.at).await.unwrap();
        let body = body(5, false);
        for close in ["", "connection: close\r\n"] {
            let length = body.len();
            let request = format!(
                "POST {CHAT} HTTP/1.1\r\nhost: m\r\n{close}content-length: {length}\r\n\r\n{body}"
            );
            stream.write_all(request.as_bytes()).await.unwrap();
        }
        let mut seen = String::new();
        stream.read_to_string(&mut seen).await.unwrap();
        assert_eq!(seen.matches("\"object\":\"chat.completion\"").count(), 2);
    }

    #[tokio::test]
    async fn what_is_no_http_hurts_nobody() {
        let mock = failing(json!({})).await;
        for bytes in [&b"\x16\x03\x01\x02\x00"[..], b"GET", b"POST / HTTP/9\r\n\r\n", &[0; 9_000]] {
            let mut stream = TcpStream::connect(mock.at).await.unwrap();
            stream.write_all(bytes).await.unwrap();
        }
        assert_eq!(chat(&mock, 5, false).await.status(), 200);
    }

    #[tokio::test]
    async fn settings_that_make_no_mock_are_refused() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let none =
            serve(listener, settings(&[], Numbering::Counted), std::future::pending::<()>()).await;
        assert!(matches!(none, Err(MockError::Versions { count: 0 })));
    }
}
