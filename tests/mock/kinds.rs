//! Every kind of failure over HTTP: what its clients make of each request is what the simulator's
//! plan says of the request of the same number.
//!
//! `COALMINE_MOCK_REQUESTS` says how many requests of each kind, plain and streamed (40 unless it
//! is set).

use std::net::SocketAddr;

use coalmine::chance::{Chance, Distribution};
use coalmine::clock::{TimeScale, WallClock};
use coalmine::exchange::{Ending, Finish, ModelIndex, Request, Usage, VersionIndex};
use coalmine::mock::{DescribedBehaviour, MockSettings, MockVersion, Numbering, serve};
use coalmine::units::{RequestId, Timestamp, Tokens};
use coalmine::upstream::{FailureKind, Responder, ResponsePlan, Setting};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::client::{Seen, chat, get};

const SEED: u64 = 2_024;
/// Words of the prompt.
const INPUT: u32 = 3;
/// How many are under way at once.
const AT_ONCE: u64 = 50;

/// Half of the requests fail in each of these ways; of the last ones, all ways at once.
fn cases() -> Vec<(&'static str, Value)> {
    let half = |kind: &str, more: Value| {
        let mut failure = json!({"probability": "50%"});
        failure.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"failures": {kind: failure}})
    };
    let none = || json!({});
    let mut cases = vec![
        ("nothing", json!({})),
        ("503", half("503", none())),
        ("429", half("429", none())),
        ("400", half("400", none())),
        ("timeout", half("timeout", none())),
        ("reset", half("reset", none())),
        ("reset in the middle", half("reset", json!({"at": "40%"}))),
        ("refused", half("refused", none())),
        ("malformed", half("malformed", none())),
        ("truncated", half("truncated", json!({"at": "30%"}))),
        ("truncated at once", half("truncated", json!({"at": "0%"}))),
        ("truncated at the end", half("truncated", json!({"at": "100%"}))),
        ("empty", half("empty", none())),
        ("stall", half("stall", json!({"after": "50%", "for": "3s"}))),
        ("stall before the answer", half("stall", json!({"after": "0%", "for": "3s"}))),
        ("duplicate_chunk", half("duplicate_chunk", none())),
        ("wrong_content_type", half("wrong_content_type", none())),
        ("slow_drip", half("slow_drip", json!({"rate": "20/s"}))),
        ("error_in_stream", half("error_in_stream", json!({"at": "40%"}))),
    ];
    let all = json!({
        "500": "6%", "503": "6%", "reset": "6%", "refused": "6%", "malformed": "6%",
        "truncated": "6%", "empty": "6%", "stall": {"probability": "6%", "for": "1s"},
        "duplicate_chunk": "6%", "wrong_content_type": "6%", "slow_drip": "6%",
        "error_in_stream": "6%",
    });
    let by_user = json!({"failures": all, "correlate": "user"});
    // A bad stretch that is always on.
    let burst = json!({"burst": {"enter": 1, "leave": 0, "failures": all}});
    cases.extend([("all", json!({"failures": all})), ("by user", by_user), ("in bursts", burst)]);
    for (_, upstream) in &mut cases {
        upstream["latency"] = json!({"first_token": "300ms", "per_output_token": "20ms"});
    }
    cases
}

fn request(number: u64, stream: bool) -> Request {
    Request {
        id: RequestId(number),
        model: ModelIndex(0),
        user: (number % 30) as u32,
        session: 0,
        client: 0,
        prompt: None,
        input: Tokens::new(INPUT),
        // From an answer of one token on.
        output: Tokens::new(1 + (number % 23) as u32),
        stream,
    }
}

fn body(request: &Request) -> Value {
    json!({
        "model": "m", "messages": [{"role": "user", "content": "sing to me"}],
        "user": request.user.to_string(), "max_tokens": request.output.get(),
        "stream": request.stream, "stream_options": {"include_usage": true},
    })
}

async fn mock(upstream: &Value) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let behaviour = DescribedBehaviour::read(upstream).unwrap();
    let settings = MockSettings {
        versions: vec![MockVersion { models: vec!["m".to_owned()], behaviour }],
        seed: SEED,
        clock: WallClock::new(TimeScale::new(1_000.0).unwrap()),
        tokens: Distribution::constant(10.0).unwrap(),
        numbering: Numbering::Header,
        news: None,
    };
    tokio::spawn(serve(listener, settings, std::future::pending::<()>()));
    address
}

/// What the simulator plans for a request.
fn plan(upstream: &Value, request: &Request) -> ResponsePlan {
    let behaviour = DescribedBehaviour::read(upstream).unwrap();
    let chance = Chance::new(SEED, 0);
    let (version, start) = (VersionIndex(0), Timestamp::EPOCH);
    let setting = Setting { chance, version, start, may_be_limited: false };
    let responder = Responder::new(behaviour.behaviour(), setting);
    responder.answer(request, start, chance.request(request.id, 0))
}

/// What a client must see of a plan.
fn expected(plan: &ResponsePlan, request: &Request) -> Seen {
    // Who refuses has not accepted the connection; here it is accepted before the request is known.
    let ending = if plan.ending == Ending::Refused { Ending::Reset } else { plan.ending };
    let is_success = ending == Ending::Success;
    let is_page = plan.failure == Some(FailureKind::WrongContentType);
    let content_type = match ending {
        Ending::Status(_) => Some("application/json"),
        // None of an answer came.
        Ending::Reset if !matches!(plan.failure, Some(FailureKind::Reset { at: Some(_) })) => None,
        _ if is_page => Some("text/html"),
        _ if request.stream => Some("text/event-stream"),
        _ => Some("application/json"),
    };
    let usage = Usage { input: request.input, output: plan.output };
    Seen {
        ending,
        usage: is_success.then_some(usage),
        finish: is_success.then_some(Finish::Stop),
        pieces: if request.stream { plan.output.get() + u32::from(plan.repeats) } else { 0 },
        repeats: plan.repeats,
        content_type: content_type.map(str::to_owned),
        retry_after: None,
    }
}

fn requests() -> u64 {
    let count = std::env::var_os("COALMINE_MOCK_REQUESTS");
    count.map_or(40, |count| count.into_string().unwrap().parse().unwrap())
}

/// Sends requests at once and compares each; returns how many of them failed. Of those that are to
/// be never answered, none is.
async fn compare(
    name: &str,
    upstream: &Value,
    at: SocketAddr,
    numbers: &[u64],
    stream: bool,
) -> u64 {
    let mut answers = FuturesUnordered::new();
    let (mut timeouts, mut failed) = (0, 0);
    for number in numbers {
        let request = request(*number, stream);
        let plan = plan(upstream, &request);
        timeouts += usize::from(plan.ending == Ending::Timeout);
        failed += u64::from(plan.failure.is_some());
        answers.push(async move { (chat(at, *number, &body(&request)).await, plan, request) });
    }
    while answers.len() > timeouts {
        let (seen, plan, request) = answers.next().await.unwrap();
        assert_eq!(seen, expected(&plan, &request), "{name}: {request:?}, {plan:?}");
    }
    let stats = get(at, "/admin/stats").await;
    assert_eq!(stats["versions"]["m"]["in_flight"], json!(timeouts), "{name}");
    failed
}

#[tokio::test]
async fn what_clients_see_of_every_kind_is_what_the_simulator_says() {
    let count = requests();
    for (name, upstream) in cases() {
        for stream in [true, false] {
            let mut failed = 0;
            let numbers: Vec<u64> = (0..count).collect();
            for numbers in numbers.chunks(AT_ONCE as usize) {
                // A mock for each, so that those who wait for ever are not counted again.
                let at = mock(&upstream).await;
                failed += compare(name, &upstream, at, numbers, stream).await;
            }
            // Of 40, 20 in the mean, with a standard deviation of 3.2.
            let few = if name == "nothing" { 0 } else { count / 5 };
            assert!(failed >= few, "{name}: {failed} of {count} failed");
        }
    }
}
