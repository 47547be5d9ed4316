//! A client of HTTP/2 that sends its frames by hand, and so can take as little as it likes.

use crate::client::Client;
use crate::world::World;

/// A connection of HTTP/2 whose streams may be sent nothing at all: its window is 0.
pub(crate) struct ClosedWindow {
    client: Client,
    key: String,
    stream: u32,
}

impl ClosedWindow {
    pub(crate) fn new(world: &World) -> Self {
        let mut client = world.client();
        // SETTINGS_INITIAL_WINDOW_SIZE (4) is 0: RFC 9113, section 6.5.2.
        let settings = frame(4, 0, 0, &[0, 4, 0, 0, 0, 0]);
        client.send_bytes(&[b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(), settings].concat());
        Self { client, key: world.key.clone(), stream: 1 }
    }

    /// Asks for a chat completion, and takes nothing of it.
    pub(crate) fn send_chat(&mut self, body: &serde_json::Value) {
        let headers = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", "/v1/chat/completions"),
            (":authority", "gateway"),
            ("content-type", "application/json"),
            ("authorization", &format!("Bearer {}", self.key)),
        ];
        let block: Vec<u8> =
            headers.iter().flat_map(|(name, value)| literal(name, value)).collect();
        // END_HEADERS, then END_STREAM.
        let head = frame(1, 4, self.stream, &block);
        let data = frame(0, 1, self.stream, body.to_string().as_bytes());
        self.client.send_bytes(&[head, data].concat());
        self.stream += 2;
    }

    /// Lets the first stream be sent so many bytes.
    pub(crate) fn open(&mut self, bytes: u32) {
        // WINDOW_UPDATE: RFC 9113, section 6.9.
        self.client.send_bytes(&frame(8, 0, 1, &bytes.to_be_bytes()));
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    [head, payload.to_vec()].concat()
}

/// A header that no table has: RFC 7541, section 6.2.2, without Huffman's code.
fn literal(name: &str, value: &str) -> Vec<u8> {
    let text = |text: &str| {
        assert!(text.len() < 127, "longer ones need more than a byte for their length");
        [&[text.len() as u8], text.as_bytes()].concat()
    };
    [vec![0], text(name), text(value)].concat()
}
