//! A gateway whose dashboard is looked at, with upstreams that answer at once: of `gpt-4` the canary
//! with failures, of `org/name` both versions well.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::num::NonZeroUsize;
use std::path::Path;

use coalmine::clock::{TimeScale, WallClock};
use coalmine::gateway::Gateway;
use coalmine::scenario::{Document, Files, load_gateway};
use serde_json::Value;

/// A gateway on a port of its own.
pub(crate) struct World {
    gateway: Option<Gateway>,
    address: SocketAddr,
    /// The key that was made at its first start.
    pub(crate) key: String,
}

/// The name of a rule, which may be any text.
pub(crate) const MARKUP: &str = "<img src=x onerror=\"document.title='owned'\">&amp;";

const PLAN: &str = r#"schema: 1
listen: 127.0.0.1:0
drain: 1s
state: ":memory:"
upstreams:
  well: {url: "http://WELL/v1"}
  ill: {url: "http://ILL/v1"}
models:
  gpt-4:
    versions:
      v1: {tags: [stable], upstream: well, price: {blended: 0.008 USD}}
      v2: {tags: [beta], upstream: ill}
      spare: {upstream: well}
    split: {stable: 70%, beta: 30%}
    rules:
      conditions:
        - {id: 'MARKUP', metric: error_rate, operator: ">", threshold: 0.05, duration_seconds: 3600, action: rollback_to_last_stable}
  org/name:
    versions:
      name-1: {tags: [stable], upstream: well}
      name-2: {tags: [beta], upstream: well}
    rollout: {version: beta, steps: [{weight: 5%, hold: 1h}, {weight: 100%, hold: 0s}]}
    rules: {conditions: [{id: judge, judge: sequential, action: rollback_to_last_stable}]}
"#;

impl World {
    pub(crate) fn new() -> Self {
        let text = PLAN
            .replace("WELL", &upstream(200).to_string())
            .replace("ILL", &upstream(500).to_string())
            .replace("MARKUP", &MARKUP.replace('\'', "''"));
        let document = Document {
            path: Path::new("gateway.yaml"),
            bytes: text.as_bytes(),
            settings: &[],
            working_directory: Path::new("/"),
            allow_outside: true,
        };
        let plan = load_gateway(document, &NoFiles).unwrap_or_else(|error| panic!("{error}")).plan;
        let clock = WallClock::new(TimeScale::new(1.0).unwrap());
        let secret = |_: &_| Ok("the upstream's secret".to_owned());
        let threads = NonZeroUsize::new(1).unwrap();
        let mut key = String::new();
        let mut show = |shown: &str| {
            shown.clone_into(&mut key);
            Ok(())
        };
        let gateway = Gateway::start(&plan, clock, &secret, threads, &mut show).unwrap();
        let address = gateway.addresses()[0];
        Self { gateway: Some(gateway), address, key }
    }

    /// Where its dashboard is.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    /// What it answers to `key`: the status and the body.
    pub(crate) fn call(&self, key: &str, line: &str, headers: &str, body: &str) -> (u16, Value) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        let length = body.len();
        let request = format!(
            "{line} HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        (status, serde_json::from_str(body).unwrap())
    }

    pub(crate) fn status(&self) -> Value {
        self.call(&self.key, "GET /v1/deploy/status", "", "").1
    }

    /// Has so many requests answered by a version; `auto`: by whichever the split chooses.
    pub(crate) fn ask(&self, model: &str, version: &str, times: u32) {
        let body = format!(
            r#"{{"model": "{model}", "messages": [{{"role": "user", "content": "a secret"}}]}}"#
        );
        let pin = format!("X-Canary-Version: {version}\r\n");
        for _ in 0..times {
            self.call(&self.key, "POST /v1/chat/completions", &pin, &body);
        }
    }

    /// Ends it as SIGTERM does.
    pub(crate) fn stop(&mut self) {
        self.gateway.take().unwrap().stop().unwrap();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(gateway) = self.gateway.take() {
            // A test that failed has said why.
            let _ = gateway.stop();
        }
    }
}

struct NoFiles;

impl Files for NoFiles {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        Err(format!("{} is not here", path.display()))
    }
}

const ANSWER: &str = r#"{"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello"}}],
    "usage": {"prompt_tokens": 7, "completion_tokens": 11, "total_tokens": 18}}"#;

/// An upstream that answers everything so, as long as the tests run.
fn upstream(status: u16) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || answer(&stream, status));
        }
    });
    address
}

fn answer(stream: &TcpStream, status: u16) {
    let mut reader = BufReader::new(stream);
    let mut length = 0_usize;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let line = line.trim_end().to_ascii_lowercase();
        if let Some(told) = line.strip_prefix("content-length: ") {
            length = told.parse().unwrap();
        }
        if !line.is_empty() {
            continue;
        }
        if reader.read_exact(&mut vec![0; length]).is_err() {
            return;
        }
        let size = ANSWER.len();
        let head = format!(
            "HTTP/1.1 {status} So\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
        );
        let mut writer = stream;
        if writer.write_all(format!("{head}{ANSWER}").as_bytes()).is_err() {
            return;
        }
    }
}
