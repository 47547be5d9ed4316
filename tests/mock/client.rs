//! A client by `hyper`, which tells how an answer ended as the gateway would, by the readers of
//! `wire`.

use std::error::Error;
use std::io::ErrorKind;
use std::net::SocketAddr;

use bytes::Bytes;
use coalmine::exchange::{Ending, Finish, Usage};
use coalmine::wire::{StreamEnding, StreamReader, read_answer};
use http::{Method, Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpStream;

/// What a client saw of one answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Seen {
    pub(crate) ending: Ending,
    pub(crate) usage: Option<Usage>,
    pub(crate) finish: Option<Finish>,
    /// Events with content; of a plain answer none.
    pub(crate) pieces: u32,
    pub(crate) repeats: bool,
    pub(crate) content_type: Option<String>,
    pub(crate) retry_after: Option<u64>,
}

impl Seen {
    pub(crate) const fn of(ending: Ending) -> Self {
        Self {
            ending,
            usage: None,
            finish: None,
            pieces: 0,
            repeats: false,
            content_type: None,
            retry_after: None,
        }
    }
}

/// How a connection broke.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Break {
    /// It was reset.
    Reset,
    /// It was closed before the end.
    Closed,
}

impl Break {
    fn of(error: &hyper::Error) -> Self {
        let mut cause: Option<&(dyn Error + 'static)> = Some(error);
        while let Some(error) = cause {
            match error.downcast_ref::<std::io::Error>().map(std::io::Error::kind) {
                Some(ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => return Self::Reset,
                _ => cause = error.source(),
            }
        }
        Self::Closed
    }
}

/// Sends a request over a connection of its own.
async fn send(to: SocketAddr, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, Ending> {
    let stream = match TcpStream::connect(to).await {
        Ok(stream) => stream,
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => return Err(Ending::Refused),
        Err(error) => panic!("{error}"),
    };
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.unwrap();
    tokio::spawn(connection);
    sender.send_request(request).await.map_err(|error| match Break::of(&error) {
        Break::Reset => Ending::Reset,
        Break::Closed => Ending::Truncated,
    })
}

fn request(method: Method, path: &str, body: String) -> Request<Full<Bytes>> {
    let builder = Request::builder().method(method).uri(path).header("host", "mock");
    builder.body(Full::from(body)).unwrap()
}

/// A request and the JSON of its answer.
pub(crate) async fn call(
    to: SocketAddr,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> (u16, Value) {
    let body = body.map(Value::to_string).unwrap_or_default();
    let response = send(to, request(method, path, body)).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

pub(crate) async fn get(to: SocketAddr, path: &str) -> Value {
    let (status, value) = call(to, Method::GET, path, None).await;
    assert_eq!(status, 200, "{value}");
    value
}

pub(crate) async fn put(to: SocketAddr, path: &str, body: &Value) -> Value {
    let (status, value) = call(to, Method::PUT, path, Some(body)).await;
    assert_eq!(status, 200, "{value}");
    value
}

/// Asks for a chat completion under this number, and reads it to its end.
pub(crate) async fn chat(to: SocketAddr, number: u64, body: &Value) -> Seen {
    let mut request = request(Method::POST, "/v1/chat/completions", body.to_string());
    let number = number.to_string().parse().unwrap();
    request.headers_mut().insert("x-coalmine-request", number);
    let response = match send(to, request).await {
        Ok(response) => response,
        Err(ending) => return Seen::of(ending),
    };
    let header = |name| response.headers().get(name).map(|it| it.to_str().unwrap().to_owned());
    let content_type = header("content-type");
    let retry_after = header("retry-after").map(|seconds| seconds.parse().unwrap());
    let status = response.status().as_u16();
    let is_stream = body["stream"] == true;
    let answer = response.into_body();
    let read = match (status, content_type.as_deref()) {
        (200, Some("text/event-stream")) if is_stream => read(answer, true).await,
        (200, Some("application/json")) if !is_stream => read(answer, false).await,
        (status, _) => {
            answer.collect().await.unwrap();
            let is_success = status == 200;
            Seen::of(if is_success { Ending::Malformed } else { Ending::Status(status) })
        }
    };
    Seen { content_type, retry_after, ..read }
}

async fn read(mut body: Incoming, is_stream: bool) -> Seen {
    let (mut reader, mut whole, mut broken) = (StreamReader::new(), Vec::new(), None);
    while let Some(frame) = body.frame().await {
        match frame {
            Ok(frame) => {
                let bytes = frame.into_data().unwrap();
                reader.push(&bytes);
                whole.extend_from_slice(&bytes);
            }
            Err(error) => {
                broken = Some(Break::of(&error));
                break;
            }
        }
    }
    if is_stream { stream(reader, broken) } else { plain(&whole, broken) }
}

fn stream(reader: StreamReader, broken: Option<Break>) -> Seen {
    let facts = reader.finish();
    let ending = match (facts.ending, broken) {
        (StreamEnding::Complete, None) => Ending::Success,
        (StreamEnding::ErrorInStream, _) => Ending::ErrorInStream,
        (StreamEnding::Malformed, _) => Ending::Malformed,
        (_, Some(Break::Reset)) => Ending::Reset,
        (StreamEnding::Truncated, Some(Break::Closed)) => Ending::Truncated,
        // The mock breaks the framing of what it truncates, and of nothing else.
        other => panic!("{other:?}"),
    };
    let (pieces, repeats) = (facts.output_estimated.get(), facts.repeats);
    Seen { usage: facts.usage, finish: facts.finish, pieces, repeats, ..Seen::of(ending) }
}

fn plain(body: &[u8], broken: Option<Break>) -> Seen {
    match (read_answer(body), broken) {
        (_, Some(Break::Reset)) => Seen::of(Ending::Reset),
        (Err(_), None) => Seen::of(Ending::Malformed),
        (Ok(facts), None) => {
            Seen { usage: facts.usage, finish: facts.finish, ..Seen::of(Ending::Success) }
        }
        // The mock breaks the framing of streams alone.
        other => panic!("{other:?}"),
    }
}
