//! A gateway on a free port, with scripted upstreams behind it.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use coalmine::chance::{Chance, Purpose};
use coalmine::clock::{TimeScale, WallClock};
use coalmine::gateway::Gateway;
use coalmine::scenario::{Document, Files, GatewayPlan, load_gateway};
use coalmine::units::RequestId;
use serde_json::{Value, json};

use crate::client::Client;

/// A gateway that serves.
pub(crate) struct World {
    gateway: Option<Gateway>,
    pub(crate) address: SocketAddr,
    /// The key that was made at its first start.
    pub(crate) key: String,
}

impl World {
    /// One whose configuration ends in `yaml`.
    pub(crate) fn new(yaml: &str) -> Self {
        Self::start(yaml, 1.0).expect("the gateway starts")
    }

    /// One whose clock runs at so many times the wall's.
    pub(crate) fn hasty(yaml: &str, times: f64) -> Self {
        Self::start(yaml, times).expect("the gateway starts")
    }

    pub(crate) fn start(yaml: &str, times: f64) -> Result<Self, String> {
        Self::at(yaml, WallClock::new(TimeScale::new(times).unwrap()))
    }

    /// One with this clock.
    pub(crate) fn at(yaml: &str, clock: WallClock) -> Result<Self, String> {
        let mut key = String::new();
        let mut show = |shown: &str| {
            shown.clone_into(&mut key);
            Ok(())
        };
        let gateway = started(yaml, clock, &mut show)?;
        let address = gateway.addresses()[0];
        Ok(Self { gateway: Some(gateway), address, key })
    }

    /// One that shows its first key so; that is not kept.
    pub(crate) fn showing(yaml: &str, show: Show<'_>) -> Result<Self, String> {
        let gateway = started(yaml, WallClock::new(TimeScale::REAL), show)?;
        let address = gateway.addresses()[0];
        Ok(Self { gateway: Some(gateway), address, key: String::new() })
    }

    pub(crate) fn client(&self) -> Client {
        Client::new(self.address, &self.key)
    }

    /// Ends it as SIGTERM does.
    pub(crate) fn stop(mut self) {
        self.gateway.take().unwrap().stop().unwrap();
    }

    pub(crate) fn gateway(&self) -> &Gateway {
        self.gateway.as_ref().unwrap()
    }

    /// The number of attempts at a version that ended so, as `/metrics` says.
    pub(crate) fn attempts(&self, version: &str, ending: &str) -> u64 {
        let labels = [format!("version=\"{version}\""), format!("ending=\"{ending}\"")];
        self.counter("coalmine_attempts_total", &labels)
    }

    /// Waits until at least so many attempts at a version have ended so.
    pub(crate) fn await_attempts(&self, version: &str, ending: &str, count: u64) {
        while self.attempts(version, ending) < count {
            std::thread::yield_now();
        }
    }

    /// The number of requests that were sent to no version and answered so.
    pub(crate) fn refused(&self, status: u16) -> u64 {
        self.counter("coalmine_refused_total", &[format!("status=\"{status}\"")])
    }

    /// The value of a series of `/metrics`, such as `name` or `name{label="value"}`.
    pub(crate) fn metric(&self, series: &str) -> f64 {
        let text = self.client().get("/metrics").text();
        let value = |line: &str| line.strip_prefix(series)?.strip_prefix(' ')?.parse().ok();
        text.lines().find_map(value).unwrap_or_else(|| panic!("no {series} in {text}"))
    }

    fn counter(&self, name: &str, labels: &[String]) -> u64 {
        let text = self.client().get("/metrics").text();
        let name = format!("{name}{{");
        let of = |line: &&str| {
            line.starts_with(&name) && labels.iter().all(|label| line.contains(label))
        };
        let line = text.lines().find(of);
        line.map_or(0, |line| line.rsplit(' ').next().unwrap().parse().unwrap())
    }
}

type Show<'a> = &'a mut dyn FnMut(&str) -> std::io::Result<()>;

fn started(yaml: &str, clock: WallClock, show: Show<'_>) -> Result<Gateway, String> {
    let secret = |_: &_| Ok("the upstream's secret".to_owned());
    let threads = NonZeroUsize::new(2).unwrap();
    let started = Gateway::start(&plan(yaml), clock, &secret, threads, show);
    started.map_err(|error| error.to_string())
}

/// Where a test has not stopped it.
impl Drop for World {
    fn drop(&mut self) {
        if let Some(gateway) = self.gateway.take() {
            let _ = gateway.stop();
        }
    }
}

/// The plan of this configuration; what is not said is as short as tests need it.
pub(crate) fn plan(yaml: &str) -> GatewayPlan {
    let drain = if yaml.contains("drain:") { "" } else { "drain: 5s\n" };
    let listen = if yaml.contains("listen:") { "" } else { "listen: 127.0.0.1:0\n" };
    let text = format!("schema: 1\n{listen}{drain}{yaml}");
    let document = Document {
        path: Path::new("gateway.yaml"),
        bytes: text.as_bytes(),
        settings: &[],
        working_directory: Path::new("/"),
        allow_outside: true,
    };
    load_gateway(document, &NoFiles).unwrap_or_else(|error| panic!("{error}\n{text}")).plan
}

/// There are none.
pub(crate) struct NoFiles;

impl Files for NoFiles {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        Err(format!("{} is not here", PathBuf::from(path).display()))
    }
}

/// A number below `below`: the same one for the same `number` at every run.
pub(crate) fn drawn(number: u64, below: u64) -> u64 {
    let draws = Chance::new(20_261_130, 0).request(RequestId(number), 0);
    draws.draw(Purpose::Client, 0).bits() % below
}

/// A question.
pub(crate) fn ask(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "Hello?"}]})
}

/// A question whose answer is to be streamed.
pub(crate) fn ask_stream(model: &str) -> Value {
    json!({"model": model, "stream": true, "messages": [{"role": "user", "content": "Hello?"}]})
}

/// A configuration with two versions that share the traffic of `gpt-4` so, and more about it.
pub(crate) fn two(stable: &str, canary: &str, split: &str, more: &str) -> String {
    format!(
        "state: ':memory:'
upstreams:
  one: {{url: '{stable}'}}
  other: {{url: '{canary}'}}
models:
  gpt-4:
    versions:
      v1: {{upstream: one, tags: [stable]}}
      v2: {{upstream: other}}
    split: {split}
{more}"
    )
}
