//! Capacity, queue and rate limits over HTTP.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;

use coalmine::chance::Distribution;
use coalmine::clock::{TimeScale, WallClock};
use coalmine::exchange::Ending;
use coalmine::mock::{
    DescribedBehaviour, MockAdmin, MockPlace, MockServer, MockSettings, MockVersion, Numbering,
};
use coalmine::units::Duration;
use http::Method;
use serde_json::{Value, json};

use crate::client::{call, chat, get, put};

pub(crate) const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);

/// A mock of one version `m`, served by two threads.
pub(crate) fn mock(upstream: &Value, admin: Option<SocketAddr>) -> MockServer {
    mock_with(upstream, admin.map_or(MockAdmin::Beside, MockAdmin::At))
}

fn mock_with(upstream: &Value, admin: MockAdmin) -> MockServer {
    let behaviour = DescribedBehaviour::read(upstream).unwrap();
    let settings = MockSettings {
        versions: vec![MockVersion { models: vec!["m".to_owned()], behaviour }],
        seed: 1,
        clock: WallClock::new(TimeScale::REAL),
        tokens: Distribution::constant(3.0).unwrap(),
        numbering: Numbering::Counted,
        news: None,
    };
    let threads = NonZeroUsize::new(2).unwrap();
    MockServer::start(settings, MockPlace { clients: ANY, admin, threads }).unwrap()
}

pub(crate) fn ask() -> Value {
    json!({"model": "m", "messages": []})
}

async fn counts(at: SocketAddr) -> Value {
    get(at, "/admin/stats").await["versions"]["m"].take()
}

/// Asks for the counts until they are so.
async fn until(at: SocketAddr, in_flight: u64, waiting: u64) {
    while {
        let counts = counts(at).await;
        counts["in_flight"] != in_flight || counts["waiting"] != waiting
    } {}
}

#[tokio::test]
async fn slots_then_places_are_taken_and_a_fault_that_lifts_the_limit_lets_all_in() {
    let mock = mock(
        &json!({
            "latency": "1ms", "failures": {"timeout": 1},
            "capacity": {"concurrency": 2, "queue": 1, "on_full": 503},
        }),
        None,
    );
    let at = mock.address();
    for (in_flight, waiting) in [(1, 0), (2, 0), (3, 1)] {
        tokio::spawn(async move { chat(at, 0, &ask()).await });
        until(at, in_flight, waiting).await;
    }
    assert_eq!(chat(at, 0, &ask()).await.ending, Ending::Status(503));
    let more = json!({"m": [{"capacity": {"concurrency": 10}}]});
    let on = put(at, "/admin/faults", &more).await;
    assert_eq!(on["m"][0]["is_on"], true);
    until(at, 3, 0).await;
    assert_eq!(counts(at).await["endings"], json!({"503": 1}));
    assert_eq!(put(at, "/admin/faults", &json!({"m": []})).await, json!({"m": []}));
    // Three are in the two slots that there are again: the next one waits, and the one after it
    // finds no place.
    tokio::spawn(async move { chat(at, 0, &ask()).await });
    until(at, 4, 1).await;
    assert_eq!(chat(at, 0, &ask()).await.ending, Ending::Status(503));
    mock.stop(Duration::ZERO);
}

#[tokio::test]
async fn who_comes_too_often_is_told_when_to_come_again() {
    // A bucket of 2 that fills by one in half an hour.
    let mock = mock(&json!({"latency": "1ms", "rate_limit": {"requests": "2/h"}}), None);
    let at = mock.address();
    for _ in 0..2 {
        assert_eq!(chat(at, 0, &ask()).await.ending, Ending::Success);
    }
    let refused = chat(at, 0, &ask()).await;
    assert_eq!(refused.ending, Ending::Status(429));
    let wait = refused.retry_after.unwrap();
    assert!((1..=1_800).contains(&wait), "{wait}");
    // 3 tokens of an answer without a prompt: a bucket of 5 holds one.
    let tokens = json!({"*": {"latency": "1ms", "rate_limit": {"tokens": "5/h"}}});
    put(at, "/admin/behaviour", &tokens).await;
    assert_eq!(chat(at, 0, &ask()).await.ending, Ending::Success);
    let refused = chat(at, 0, &ask()).await;
    assert_eq!(refused.ending, Ending::Status(429));
    // One is missing, which takes 720 s.
    let wait = refused.retry_after.unwrap();
    assert!((1..=720).contains(&wait), "{wait}");
    mock.stop(Duration::ZERO);
}

#[tokio::test]
async fn faults_come_and_go_by_the_clock_and_stay_when_the_behaviour_changes() {
    let mock = mock(&json!({"latency": "1ms"}), None);
    let at = mock.address();
    let later = json!({"*": [
        {"at": "1h", "for": "1m", "latency": {"times": 3}},
        {"failures": {"502": "100%"}},
    ]});
    let on = put(at, "/admin/faults", &later).await;
    let is_on = |on: &Value| [0, 1].map(|place| on["m"][place]["is_on"].clone());
    assert_eq!(is_on(&on), [json!(false), json!(true)]);
    assert_eq!(on["m"][1]["ends"], Value::Null);
    assert_eq!(chat(at, 0, &ask()).await.ending, Ending::Status(502));
    put(at, "/admin/behaviour", &json!({"m": {"latency": "2ms"}})).await;
    assert_eq!(chat(at, 0, &ask()).await.ending, Ending::Status(502));
    assert_eq!(is_on(&get(at, "/admin/faults").await), [json!(false), json!(true)]);
    put(at, "/admin/faults", &json!({"m": []})).await;
    assert_eq!(chat(at, 0, &ask()).await.ending, Ending::Success);
    mock.stop(Duration::ZERO);
}

#[tokio::test]
async fn a_mock_that_is_administered_nowhere_answers_clients_alone() {
    let mock = mock_with(&json!({"latency": "1ms"}), MockAdmin::Nowhere);
    let at = mock.address();
    for path in ["/admin/stats", "/admin/behaviour", "/admin/faults"] {
        assert_eq!(call(at, Method::GET, path, None).await.0, 404, "{path}");
    }
    let faults = json!({"m": [{"failures": {"502": "100%"}}]});
    assert_eq!(call(at, Method::PUT, "/admin/faults", Some(&faults)).await.0, 404);
    assert_eq!(chat(at, 0, &ask()).await.ending, Ending::Success);
    mock.stop(Duration::ZERO);
}
