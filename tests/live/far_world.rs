//! A gateway that runs apart from the harness, as `coalmine serve` runs one, at a free port.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroUsize;
use std::path::Path;

use coalmine::clock::{TimeScale, WallClock};
use coalmine::gateway::Gateway;
use coalmine::live::{Elsewhere, LiveError, LiveSettings, LiveWatch, run_live};
use coalmine::record::Outcome;
use coalmine::run::{Rehearsal, run_virtual};
use coalmine::scenario::{Document, Loaded, load_gateway};
use coalmine::units::Duration;
use serde_json::Value;

use crate::world::{Both, Folder, written};

/// A gateway that serves, and where its upstream `mock` is looked for.
pub(crate) struct FarWorld {
    gateway: Option<Gateway>,
    pub(crate) address: SocketAddr,
    pub(crate) url: String,
    pub(crate) key: String,
    pub(crate) mock: SocketAddr,
}

/// A port of this machine that nobody uses at the time.
pub(crate) fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// The configuration of a gateway with these models, whose mock is looked for at `mock`.
pub(crate) fn configuration(mock: SocketAddr, models: &str) -> String {
    format!(
        "schema: 1\nlisten: 127.0.0.1:0\nstate: ':memory:'\ndrain: 0s\n\
         upstreams: {{mock: {{url: 'http://{mock}/v1', timeouts: {{total: 8s}}}}}}\n\
         models: {models}\n"
    )
}

impl FarWorld {
    /// One with these models.
    pub(crate) fn new(models: &str) -> Self {
        let mock = free();
        let text = configuration(mock, models);
        let document = Document {
            path: Path::new("gateway.yaml"),
            bytes: text.as_bytes(),
            settings: &[],
            working_directory: Path::new("/"),
            allow_outside: true,
        };
        let plan = load_gateway(document, &Folder).unwrap_or_else(|error| panic!("{error}")).plan;
        let clock = WallClock::new(TimeScale::REAL);
        let mut key = String::new();
        let mut show = |shown: &str| {
            shown.clone_into(&mut key);
            Ok(())
        };
        let secret = |_: &_| panic!("no upstream has a secret");
        let two = NonZeroUsize::new(2).unwrap();
        let gateway = Gateway::start(&plan, clock, &secret, two, &mut show).unwrap();
        let address = gateway.addresses()[0];
        let url = format!("http://{address}");
        Self { gateway: Some(gateway), address, url, key, mock }
    }

    pub(crate) fn elsewhere(&self) -> Elsewhere {
        Elsewhere {
            url: self.url.clone(),
            key: self.key.clone(),
            mock: self.mock,
            upstream: "mock".to_owned(),
        }
    }

    /// The scenario that `text` is, here and in virtual time.
    pub(crate) fn both(&self, text: &str) -> Both {
        let loaded = written(text);
        let (scenario, seed) = (&loaded.scenario, loaded.scenario.seed);
        let simulated = run_virtual(scenario, seed, Vec::new(), &mut |_| {}).unwrap().record;
        let mut outcomes = Vec::new();
        let rehearsal = far(&loaded, self.elsewhere(), &mut outcomes).unwrap();
        let facts = rehearsal.live.unwrap();
        assert_eq!(facts.distrust(), [""; 0]);
        let gateway = facts.gateway.unwrap();
        assert_eq!((facts.lost, gateway.strangers, gateway.contradicted), (0, 0, 0));
        assert_eq!(gateway.url, self.url);
        Both { simulated, live: rehearsal.record, outcomes }
    }

    /// Why the scenario that `text` is cannot be played here.
    pub(crate) fn refused(&self, text: &str) -> LiveError {
        bare(far(&written(text), self.elsewhere(), &mut Vec::new()).unwrap_err())
    }

    /// Asks the interface with the first key; the answer's status and body.
    pub(crate) fn ask(&self, method: &str, path: &str, body: Option<&Value>) -> (u16, Value) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let (key, body) = (&self.key, body.map_or_else(String::new, Value::to_string));
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {key}\r\n\
             connection: close\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap_or_default())
    }
}

impl Drop for FarWorld {
    fn drop(&mut self) {
        if let Some(gateway) = self.gateway.take() {
            let _ = gateway.stop();
        }
    }
}

/// Without what was left at a gateway.
pub(crate) fn bare(error: LiveError) -> LiveError {
    match error {
        LiveError::Left { error, .. } => *error,
        other => other,
    }
}

/// `loaded` over HTTP, through a gateway elsewhere; however late requests are sent.
pub(crate) fn far(
    loaded: &Loaded,
    elsewhere: Elsewhere,
    outcomes: &mut Vec<Outcome>,
) -> Result<Rehearsal, LiveError> {
    let settings = settings(elsewhere);
    let watch = LiveWatch {
        is_asked_to_stop: &|| false,
        tick: &mut |_| {},
        sink: &mut |outcome: &Outcome| outcomes.push(*outcome),
    };
    run_live(&loaded.scenario, loaded.scenario.seed, Vec::new(), &settings, watch)
}

/// Those of a run through a gateway elsewhere, however late requests are sent.
pub(crate) fn settings(elsewhere: Elsewhere) -> LiveSettings {
    LiveSettings {
        scale: TimeScale::REAL,
        threads: NonZeroUsize::MIN,
        lag_limit: Duration::from_secs(3_600),
        elsewhere: Some(elsewhere),
    }
}
