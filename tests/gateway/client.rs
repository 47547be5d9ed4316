//! A client that sees every byte.

use std::io::{self, BufRead, BufReader, Read, Write};
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

    /// Sends a request and reads what comes back, whole, unless the connection breaks.
    pub(crate) fn try_call(
        &mut self,
        method: &str,
        path: &str,
        headers: &str,
        body: &str,
    ) -> io::Result<Reply> {
        self.try_send(method, path, headers, body)?;
        let mut reply = self.try_head()?;
        reply.body = self.try_body(&reply)?;
        Ok(reply)
    }

    /// Sends a request.
    pub(crate) fn send(&mut self, method: &str, path: &str, headers: &str, body: &str) {
        self.try_send(method, path, headers, body).unwrap();
    }

    /// Sends these bytes, whatever they are.
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.stream.get_mut().write_all(bytes).unwrap();
    }

    /// The head of what comes back.
    pub(crate) fn head(&mut self) -> Reply {
        self.try_head().unwrap()
    }

    /// The body of what comes back.
    pub(crate) fn body(&mut self, head: &Reply) -> Vec<u8> {
        self.try_body(head).unwrap()
    }

    /// The next piece of a chunked body; `None`: it has ended.
    pub(crate) fn piece(&mut self) -> Option<Vec<u8>> {
        self.try_piece().unwrap()
    }

    /// Whatever comes until the connection has ended.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        // A reset is an end, too.
        let _ = self.stream.read_to_end(&mut rest);
        rest
    }

    fn try_send(&mut self, method: &str, path: &str, headers: &str, body: &str) -> io::Result<()> {
        let (key, length) = (&self.key, body.len());
        let head = format!(
            "{method} {path} HTTP/1.1\r\nhost: gateway\r\nauthorization: Bearer {key}\r\n\
             {headers}content-length: {length}\r\n\r\n"
        );
        let stream = self.stream.get_mut();
        stream.write_all(head.as_bytes())?;
        stream.write_all(body.as_bytes())
    }

    fn try_head(&mut self) -> io::Result<Reply> {
        let status = self.line()?;
        let status = status.split(' ').nth(1).unwrap().parse().unwrap();
        let mut headers = Vec::new();
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(": ") else { break };
            headers.push((name.to_owned(), value.to_owned()));
        }
        Ok(Reply { status, headers, body: Vec::new() })
    }

    fn try_body(&mut self, head: &Reply) -> io::Result<Vec<u8>> {
        if let Some(length) = head.header("content-length") {
            let mut body = vec![0; length.parse().unwrap()];
            self.stream.read_exact(&mut body)?;
            return Ok(body);
        }
        let mut body = Vec::new();
        while let Some(piece) = self.try_piece()? {
            body.extend(piece);
        }
        Ok(body)
    }

    fn try_piece(&mut self) -> io::Result<Option<Vec<u8>>> {
        let length = self.line()?;
        let length = usize::from_str_radix(length.trim(), 16).unwrap();
        let mut piece = vec![0; length];
        self.stream.read_exact(&mut piece)?;
        self.line()?;
        Ok((length > 0).then_some(piece))
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        self.stream.read_line(&mut line)?;
        // A line that the end of the connection has cut off is none.
        line.ends_with('\n')
            .then(|| line.trim_end().to_owned())
            .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}
