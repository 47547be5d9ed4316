//! Against the mock: every kind of failure is told by the word that the mock, and the simulator,
//! have for it.

use std::net::SocketAddr;

use coalmine::chance::Distribution;
use coalmine::clock::{TimeScale, WallClock};
use coalmine::exchange::Ending;
use coalmine::load::Patience;
use coalmine::mock::{DescribedBehaviour, MockSettings, MockVersion, Numbering, serve};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::world::{World, millis};

/// A mock whose version `m` fails so; it ends with the process of the tests.
fn mock(failures: &Value) -> SocketAddr {
    let upstream = json!({"latency": "1s", "failures": failures});
    let behaviour = DescribedBehaviour::read(&upstream).unwrap();
    let settings = MockSettings {
        versions: vec![MockVersion { models: vec!["m".to_owned()], behaviour }],
        seed: 7,
        clock: WallClock::new(TimeScale::new(1_000.0).unwrap()),
        tokens: Distribution::constant(12.0).unwrap(),
        numbering: Numbering::Counted,
        news: None,
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        runtime.block_on(serve(listener, settings, std::future::pending::<()>())).unwrap();
    });
    address
}

#[test]
fn every_kind_of_failure_has_the_word_of_the_mock() {
    for (kind, plain, streamed) in [
        ("500", Ending::Status(500), Ending::Status(500)),
        ("429", Ending::Status(429), Ending::Status(429)),
        ("timeout", Ending::Timeout, Ending::Timeout),
        ("reset", Ending::Reset, Ending::Reset),
        // What is refused cannot be shown once there is a connection: it is reset.
        ("refused", Ending::Reset, Ending::Reset),
        ("malformed", Ending::Malformed, Ending::Malformed),
        // Half of an answer that was not streamed cannot be read.
        ("truncated", Ending::Malformed, Ending::Truncated),
        ("error_in_stream", Ending::Malformed, Ending::ErrorInStream),
    ] {
        let address = mock(&json!({kind: 1}));
        for (stream, expected) in [(false, plain), (true, streamed)] {
            let patience = match kind {
                "timeout" => Patience { total: millis(50), ..Patience::default() },
                _ => Patience::default(),
            };
            let url = format!("http://{address}");
            let world = World { stream, patience, ..World::new(&url, 20) };
            let (_, notes) = world.load();
            assert_eq!(notes.meter.ended_as(expected), 20, "{kind}, {stream}: {:?}", notes.told);
        }
    }
}

#[test]
fn whole_answers_have_the_tokens_that_were_asked_for() {
    let address = mock(&json!({}));
    for stream in [false, true] {
        let world = World { stream, ..World::new(&format!("http://{address}"), 20) };
        let (_, notes) = world.load();
        assert_eq!(notes.meter.ended_as(Ending::Success), 20, "{:?}", notes.told);
        for told in &notes.told {
            let usage = told.usage.unwrap();
            assert_eq!((usage.input.get(), usage.output.get()), (12, 7));
            assert_eq!(told.gaps.len(), if stream { 6 } else { 0 });
        }
    }
}
