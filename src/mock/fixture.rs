//! A client for tests that shows what was on the wire, as no HTTP library does.

use std::io::ErrorKind;
use std::net::SocketAddr;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How a connection ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum End {
    Closed,
    Reset,
}

/// All that came over a connection.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Seen {
    head: String,
    raw: Vec<u8>,
    pub(super) end: End,
}

impl Seen {
    /// The status; 0 where nothing came.
    pub(super) fn status(&self) -> u16 {
        self.head.split(' ').nth(1).map_or(0, |status| status.parse().unwrap())
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let prefix = format!("{name}: ");
        self.head.lines().find_map(|line| line.strip_prefix(&prefix))
    }

    /// The body without its framing, and whether that came to its end.
    pub(super) fn body(&self) -> (String, bool) {
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        if let Some(length) = self.header("content-length") {
            let complete = self.raw.len() == length.parse::<usize>().unwrap();
            return (text(&self.raw), complete);
        }
        let (mut body, mut rest) = (String::new(), self.raw.as_slice());
        loop {
            let Some(line) = rest.windows(2).position(|pair| pair == b"\r\n") else {
                return (body, false);
            };
            let size = usize::from_str_radix(&text(&rest[..line]), 16).unwrap();
            if size == 0 {
                return (body, true);
            }
            body.push_str(&text(&rest[line + 2..line + 2 + size]));
            rest = &rest[line + 4 + size..];
        }
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body().0).unwrap()
    }

    /// What stands after `data: ` in each event.
    pub(super) fn events(&self) -> Vec<String> {
        let body = self.body().0;
        let events = body.split_terminator("\n\n");
        events.map(|event| event.strip_prefix("data: ").unwrap().to_owned()).collect()
    }

    /// The content of each event that has some.
    pub(super) fn tokens(&self) -> Vec<String> {
        let content = |event: String| {
            let event: Value = serde_json::from_str(&event).ok()?;
            let content = event["choices"][0]["delta"]["content"].as_str()?.to_owned();
            (!content.is_empty()).then_some(content)
        };
        self.events().into_iter().filter_map(content).collect()
    }
}

/// Sends a request and waits until the connection ends.
pub(super) async fn ask(to: SocketAddr, method: &str, path: &str, body: &str) -> Seen {
    ask_with(to, method, path, "", body).await
}

/// The same with more headers, each with its line end.
pub(super) async fn ask_with(
    to: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> Seen {
    let mut stream = send(to, method, path, headers, body).await;
    let (mut all, mut piece) = (Vec::new(), [0; 4096]);
    let end = loop {
        match stream.read(&mut piece).await {
            Ok(0) => break End::Closed,
            Ok(length) => all.extend_from_slice(&piece[..length]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break End::Reset,
            Err(error) => panic!("{error}"),
        }
    };
    let head = all.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |at| at + 4);
    let raw = all.split_off(head);
    Seen { head: String::from_utf8(all).unwrap(), raw, end }
}

/// Sends a request.
pub(super) async fn send(
    to: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> TcpStream {
    let mut stream = TcpStream::connect(to).await.unwrap();
    let length = body.len();
    let request = format!(
        "{method} {path} HTTP/1.1\r\nhost: mock\r\nconnection: close\r\n{headers}\
         content-length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}
