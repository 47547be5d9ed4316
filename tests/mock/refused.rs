//! A port that is closed while everything is refused.

use std::io::ErrorKind;
use std::net::TcpListener;

use coalmine::exchange::Ending;
use coalmine::mock::MockError;
use coalmine::units::Duration;
use http::Method;
use serde_json::json;

use crate::client::{call, chat, get, put};
use crate::limits::{ANY, ask, mock};

#[tokio::test]
async fn nobody_can_connect_while_all_is_refused_and_all_can_again() {
    let mock = mock(&json!({"latency": "1ms"}), Some(ANY));
    let (clients, admin) = (mock.address(), mock.admin_address());
    assert_ne!(clients, admin);
    for _ in 0..3 {
        assert_eq!(chat(clients, 0, &ask()).await.ending, Ending::Success);
        let refused = json!({"m": {"latency": "1ms", "failures": {"refused": 1}}});
        put(admin, "/admin/behaviour", &refused).await;
        for _ in 0..10 {
            assert_eq!(chat(clients, 0, &ask()).await.ending, Ending::Refused);
        }
        let taken = TcpListener::bind(clients).unwrap_err();
        assert_eq!(taken.kind(), ErrorKind::AddrInUse, "the port is kept");
        put(admin, "/admin/behaviour", &json!({"m": {"latency": "1ms"}})).await;
    }
    // Refusals are the system's: they are not counted.
    assert_eq!(get(admin, "/admin/stats").await["versions"]["m"]["requests"], 3);
    mock.stop(Duration::ZERO);
}

#[tokio::test]
async fn a_port_that_is_administered_stays_open() {
    let mock = mock(&json!({"latency": "1ms", "failures": {"refused": 1}}), None);
    let at = mock.address();
    assert_eq!(chat(at, 0, &ask()).await.ending, Ending::Reset);
    assert_eq!(get(at, "/admin/stats").await["versions"]["m"]["endings"], json!({"refused": 1}));
    mock.stop(Duration::ZERO);
}

#[tokio::test]
async fn clients_and_administration_have_an_address_each() {
    let mock = mock(&json!({"latency": "1ms"}), Some(ANY));
    let (clients, admin) = (mock.address(), mock.admin_address());
    for (at, method, path) in
        [(clients, Method::GET, "/admin/stats"), (admin, Method::GET, "/v1/models")]
    {
        let (status, told) = call(at, method, path, None).await;
        assert_eq!(status, 404);
        assert!(told["error"]["message"].as_str().unwrap().contains("another address"), "{told}");
    }
    mock.stop(Duration::ZERO);
}

#[tokio::test]
async fn a_port_of_another_is_refused_and_a_stopped_mock_gives_its_own_back() {
    let mock = mock(&json!({"latency": "1ms"}), None);
    let at = mock.address();
    let settings = || coalmine::mock::MockSettings {
        versions: vec![coalmine::mock::MockVersion {
            models: vec!["m".to_owned()],
            behaviour: coalmine::mock::DescribedBehaviour::read(&json!({"latency": "1ms"}))
                .unwrap(),
        }],
        seed: 1,
        clock: coalmine::clock::WallClock::new(coalmine::clock::TimeScale::REAL),
        tokens: coalmine::chance::Distribution::constant(3.0).unwrap(),
        numbering: coalmine::mock::Numbering::Counted,
        news: None,
    };
    let threads = std::num::NonZeroUsize::MIN;
    let place = coalmine::mock::MockPlace {
        clients: at,
        admin: coalmine::mock::MockAdmin::Beside,
        threads,
    };
    let taken = coalmine::mock::MockServer::start(settings(), place).unwrap_err();
    assert!(matches!(taken, MockError::Listen { address, .. } if address == at));
    assert!(taken.to_string().contains("another program listens there"), "{taken}");
    mock.stop(Duration::ZERO);
    coalmine::mock::MockServer::start(settings(), place).unwrap().stop(Duration::ZERO);
}
