//! An upstream that does as it is told, byte by byte.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

/// What an upstream does with a request, one after the other.
pub(crate) enum Step {
    /// Sends this.
    Send(Vec<u8>),
    /// Sends this for ever; tells the test how much went out before the gateway had gone.
    Repeat(Vec<u8>, Sender<usize>),
    /// Waits until the test says so.
    Wait(Receiver<()>),
    /// Waits until the gateway has gone, and tells the test.
    AwaitEnd(Sender<()>),
    /// Closes the connection in the middle of what it says.
    Close,
    /// Breaks the connection.
    Reset,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Came {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Came {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// A server on a free port.
pub(crate) struct Upstream {
    address: SocketAddr,
    came: Arc<Mutex<Vec<Came>>>,
}

impl Upstream {
    /// A server that answers each request as `script` says; the number counts requests from 0.
    pub(crate) fn new(script: impl Fn(usize, &Came) -> Vec<Step> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let came: Arc<Mutex<Vec<Came>>> = Arc::default();
        let (script, all) = (Arc::new(script), Arc::clone(&came));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let Ok(stream) = stream else { return };
                stream.set_nodelay(true).unwrap();
                let (script, all) = (Arc::clone(&script), Arc::clone(&all));
                thread::spawn(move || converse(stream, &*script, &all));
            }
        });
        Self { address, came }
    }

    /// A server that always gives the same plain answer.
    pub(crate) fn plain() -> Self {
        Self::new(|_, came| vec![Step::Send(answer(came))])
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// The requests that came, the first one first.
    pub(crate) fn came(&self) -> Vec<Came> {
        self.came.lock().unwrap().clone()
    }

    /// Waits until at least so many requests have come.
    pub(crate) fn await_came(&self, count: usize) {
        while self.came.lock().unwrap().len() < count {
            thread::yield_now();
        }
    }
}

fn converse(
    mut stream: TcpStream,
    script: &dyn Fn(usize, &Came) -> Vec<Step>,
    all: &Mutex<Vec<Came>>,
) {
    while let Some(came) = read(&mut stream) {
        let number = {
            let mut all = all.lock().unwrap();
            all.push(came.clone());
            all.len() - 1
        };
        for step in script(number, &came) {
            match step {
                Step::Send(bytes) => {
                    if stream.write_all(&bytes).is_err() {
                        return;
                    }
                }
                Step::Repeat(bytes, tell) => {
                    let mut sent = 0;
                    while stream.write_all(&bytes).is_ok() {
                        sent += bytes.len();
                    }
                    let _ = tell.send(sent);
                    return;
                }
                Step::Wait(told) => {
                    if told.recv().is_err() {
                        return;
                    }
                }
                Step::AwaitEnd(tell) => {
                    let mut rest = Vec::new();
                    // A reset is an end, too.
                    let _ = stream.read_to_end(&mut rest);
                    let _ = tell.send(());
                    return;
                }
                Step::Close => return,
                Step::Reset => {
                    let socket = socket2::Socket::from(stream);
                    socket.set_linger(Some(std::time::Duration::ZERO)).unwrap();
                    return;
                }
            }
        }
    }
}

fn read(stream: &mut TcpStream) -> Option<Came> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let came = Came { head, body: Vec::new() };
    let length = came.header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Came { body, ..came })
}

/// A response with this status, type and body.
pub(crate) fn response(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} Told\r\n{headers}content-length: {length}\r\n\r\n{body}")
        .into_bytes()
}

/// A JSON response.
pub(crate) fn json(status: u16, body: &str) -> Vec<u8> {
    response(status, "content-type: application/json\r\n", body)
}

/// A plain answer of 7 and 11 tokens that says which model was asked for.
pub(crate) fn answer(came: &Came) -> Vec<u8> {
    let model = came.json()["model"].clone();
    json(
        200,
        &serde_json::json!({
            "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": model,
            "choices": [{
                "index": 0, "finish_reason": "stop",
                "message": {"role": "assistant", "content": "Hello"},
            }],
            "usage": {"prompt_tokens": 7, "completion_tokens": 11, "total_tokens": 18},
        })
        .to_string(),
    )
}

/// The head of a stream whose end is that of the connection.
pub(crate) fn stream_head() -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n".to_vec()
}

/// An event with one chunk.
pub(crate) fn chunk(delta: &str, finish: &str) -> Vec<u8> {
    format!(
        "data: {{\"id\":\"c\",\"object\":\"chat.completion.chunk\",\"created\":1,\"model\":\"m\",\
         \"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]}}\n\n"
    )
    .into_bytes()
}

pub(crate) const ROLE: &str = r#"{"role":"assistant","content":""}"#;
pub(crate) const HELLO: &str = r#"{"content":"Hello"}"#;
pub(crate) const DONE: &[u8] = b"data: [DONE]\n\n";
