//! A client that sees every byte.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&self.body)))
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.body.clone()).unwrap()
    }

    pub(crate) fn served(&self) -> &str {
        self.header("x-served-version").unwrap_or("nobody")
    }
}

/// A connection.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
    key: String,
}

impl Client {
    pub(crate) fn new(address: SocketAddr, key: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        // Head and body are two writes.
        stream.set_nodelay(true).unwrap();
        Self { stream: BufReader::new(stream), key: key.to_owned() }
    }

    /// Sends a request and reads what comes back, whole.
    pub(crate) fn call(&mut self, method: &str, path: &str, headers: &str, body: &str) -> Reply {
        self.send(method, path, headers, body);
        let mut reply = self.head();
        reply.body = self.body(&reply);
        reply
    }

    pub(crate) fn get(&mut self, path: &str) -> Reply {
        self.call("GET", path, "", "")
    }

    pub(crate) fn post(&mut self, path: &str, body: &Value) -> Reply {
        self.call("POST", path, "content-type: application/json\r\n", &body.to_string())
    }

    /// A chat completion.
    pub(crate) fn chat(&mut self, body: &Value) -> Reply {
        self.post("/v1/chat/completions", body)
    }

    /// Sends a chat completion.
    pub(crate) fn send_chat(&mut self, body: &Value) {
        let headers = "content-type: application/json\r\n";
        self.send("POST", "/v1/chat/completions", headers, &body.to_string());
    }

    /// Sends a request.
    pub(crate) fn send(&mut self, method: &str, path: &str, headers: &str, body: &str) {
        let (key, length) = (&self.key, body.len());
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {key}\r\n\
             {headers}content-length: {length}\r\n\r\n"
        );
        let stream = self.stream.get_mut();
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body.as_bytes()).unwrap();
    }

    /// The head of what comes back.
    pub(crate) fn head(&mut self) -> Reply {
        let status = self.line();
        let status = status.split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = Vec::new();
        loop {
            let line = self.line();
            let Some((name, value)) = line.split_once(": ") else { break };
            headers.push((name.to_owned(), value.to_owned()));
        }
        Reply { status, headers, body: Vec::new() }
    }

    /// The body of what comes back.
    pub(crate) fn body(&mut self, head: &Reply) -> Vec<u8> {
        if let Some(length) = head.header("content-length") {
            let mut body = vec![0; length.parse().unwrap()];
            self.stream.read_exact(&mut body).unwrap();
            return body;
        }
        let mut body = Vec::new();
        while let Some(piece) = self.piece() {
            body.extend(piece);
        }
        body
    }

    /// The next piece of a chunked body; `None`: it has ended.
    pub(crate) fn piece(&mut self) -> Option<Vec<u8>> {
        let length = self.line();
        let length = usize::from_str_radix(length.trim(), 16).unwrap();
        let mut piece = vec![0; length];
        self.stream.read_exact(&mut piece).unwrap();
        self.line();
        (length > 0).then_some(piece)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}
