//! A server that does as it is told with each request, on a thread of its own.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use socket2::SockRef;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};

/// What it does next with a request.
#[derive(Clone)]
pub(crate) enum Step {
    Send(Vec<u8>),
    /// Does nothing for so long.
    Pause(Duration),
    /// Waits until so many requests have come in all.
    Await(usize),
    /// Waits until it is open.
    Gate(watch::Receiver<bool>),
    Do(Arc<dyn Fn() + Send + Sync>),
    /// Ends the connection in an orderly way, or by a reset.
    Close,
    Reset,
    /// Does nothing until the other side has left.
    Hold,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    /// Its number in the order in which they came.
    pub(crate) number: usize,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Asked {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The value of a header, whose name is in small letters.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let line = self.head.lines().find(|line| {
            line.split_once(':').is_some_and(|(found, _)| found.eq_ignore_ascii_case(name))
        })?;
        Some(line.split_once(':')?.1.trim())
    }
}

type Script = dyn Fn(&Asked) -> Vec<Step> + Send + Sync;

struct Shared {
    script: Box<Script>,
    asked: Mutex<Vec<Asked>>,
    count: watch::Sender<usize>,
    connections: AtomicUsize,
}

/// A server; it ends when it is dropped.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn new(script: impl Fn(&Asked) -> Vec<Step> + Send + Sync + 'static) -> Self {
        let shared = Arc::new(Shared {
            script: Box::new(script),
            asked: Mutex::default(),
            count: watch::Sender::new(0),
            connections: AtomicUsize::new(0),
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let thread = std::thread::spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    _ = stopped => {}
                    () = accept(listener, served) => {}
                }
            });
        });
        Self { address, shared, stop: Some(stop), thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// All requests in the order in which they came.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::SeqCst)
    }

    /// Waits until so many requests have come.
    pub(crate) fn wait_for(&self, count: usize) {
        let mut seen = self.shared.count.subscribe();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(seen.wait_for(|seen| *seen >= count)).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        self.thread.take().into_iter().for_each(|thread| thread.join().unwrap());
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        shared.connections.fetch_add(1, Ordering::SeqCst);
        // Errors are those of a client that has left.
        tokio::spawn(converse(stream, Arc::clone(&shared)));
    }
}

async fn converse(mut stream: TcpStream, shared: Arc<Shared>) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut bytes = Vec::new();
    while let Some(asked) = read(&mut stream, &mut bytes, &shared).await? {
        for step in (shared.script)(&asked) {
            match step {
                Step::Send(bytes) => stream.write_all(&bytes).await?,
                Step::Pause(time) => tokio::time::sleep(time).await,
                Step::Await(count) => {
                    let mut seen = shared.count.subscribe();
                    seen.wait_for(|seen| *seen >= count).await.unwrap();
                }
                Step::Gate(mut gate) => {
                    let _ = gate.wait_for(|is_open| *is_open).await;
                }
                Step::Do(what) => what(),
                Step::Close => return stream.shutdown().await,
                Step::Reset => {
                    SockRef::from(&stream).set_linger(Some(Duration::ZERO))?;
                    return Ok(());
                }
                Step::Hold => {
                    let _ = stream.read_buf(&mut bytes).await;
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// The next request of a connection; `None`: it has ended.
async fn read(
    stream: &mut TcpStream,
    bytes: &mut Vec<u8>,
    shared: &Shared,
) -> std::io::Result<Option<Asked>> {
    let whole = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
            let length = head.lines().find_map(|line| {
                line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok()
            });
            let (begin, length): (usize, usize) = (end + 4, length.unwrap_or(0));
            if bytes.len() >= begin + length {
                break (head, begin, length);
            }
        }
        if stream.read_buf(bytes).await? == 0 {
            return Ok(None);
        }
    };
    let (head, begin, length) = whole;
    let body = bytes[begin..begin + length].to_vec();
    bytes.drain(..begin + length);
    let mut all = shared.asked.lock().unwrap();
    let asked = Asked { number: all.len(), head, body };
    all.push(asked.clone());
    drop(all);
    shared.count.send_modify(|count| *count += 1);
    Ok(Some(asked))
}

/// A whole answer.
pub(crate) fn response(status: u16, headers: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\n\r\n{body}").into_bytes()
}

/// A chat completion of 5 and 7 tokens.
pub(crate) fn answer(headers: &str) -> Vec<u8> {
    let body = r#"{"choices":[{"message":{"content":"hi"},"finish_reason":"stop"}],
        "usage":{"prompt_tokens":5,"completion_tokens":7}}"#;
    response(200, &format!("content-type: application/json\r\n{headers}"), body)
}

/// The head of a stream that ends with its connection.
pub(crate) fn stream_head() -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n".to_vec()
}

/// The head of a stream whose end is told, so that the connection can go on.
pub(crate) fn chunked_head() -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
        .to_vec()
}

/// Bytes as one chunk of a chunked body.
pub(crate) fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

/// An event with content.
pub(crate) fn word(text: &str) -> Vec<u8> {
    format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n").into_bytes()
}

/// The events that end a stream, the one before the last with usage where it has some.
pub(crate) fn ending(usage: Option<[u32; 2]>) -> Vec<u8> {
    let mut text = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n".to_owned();
    if let Some([input, output]) = usage {
        text.push_str(&format!(
            "data: {{\"choices\":[],\"usage\":{{\"prompt_tokens\":{input},\
             \"completion_tokens\":{output}}}}}\n\n"
        ));
    }
    (text + "data: [DONE]\n\n").into_bytes()
}
