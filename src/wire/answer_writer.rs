//! Answers in OpenAI's shape.
//!
//! Knows neither what is said nor when it is sent.

use crate::exchange::{Finish, Usage};
use crate::units::Timestamp;

/// Writes one answer, plain or as the events of a stream.
///
/// ```
/// use coalmine::units::Timestamp;
/// use coalmine::wire::AnswerWriter;
/// let writer = AnswerWriter::new("chatcmpl-1", "gpt-4", Timestamp::from_second(1_700_000_000));
/// let event = String::from_utf8(writer.content_chunk("hello")).unwrap();
/// assert!(event.starts_with(r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk""#));
/// assert!(event.ends_with("}\n\n"));
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AnswerWriter {
    /// From the opening brace up to the end of `chat.completion`.
    head: Vec<u8>,
    /// From what closes the object's kind up to the opening of `choices`.
    origin: Vec<u8>,
}

impl AnswerWriter {
    /// The last event of every stream.
    pub const DONE: &'static [u8] = b"data: [DONE]\n\n";

    /// An answer called `id` by `model`, begun at `created` (told in whole seconds).
    pub fn new(id: &str, model: &str, created: Timestamp) -> Self {
        let mut head = b"{\"id\":".to_vec();
        quote(id, &mut head);
        head.extend_from_slice(b",\"object\":\"chat.completion");
        let mut origin = format!("\",\"created\":{},\"model\":", created.second()).into_bytes();
        quote(model, &mut origin);
        origin.extend_from_slice(b",\"choices\":[");
        Self { head, origin }
    }

    /// A whole `chat.completion`.
    pub fn plain(&self, text: &str, usage: Usage, finish: Finish) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.head.len() + self.origin.len() + text.len() + ROOM);
        body.extend_from_slice(&self.head);
        body.extend_from_slice(&self.origin);
        body.extend_from_slice(b"{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":");
        quote(text, &mut body);
        body.extend_from_slice(b",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"");
        body.extend_from_slice(word(finish).as_bytes());
        body.extend_from_slice(b"\"}],\"usage\":");
        write_usage(usage, &mut body);
        body.push(b'}');
        body
    }

    /// The first event of a stream, which says who speaks.
    pub fn role_chunk(&self) -> Vec<u8> {
        self.chunk(|event| {
            event.extend_from_slice(b"{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}");
            event.extend_from_slice(UNFINISHED);
        })
    }

    /// An event with the next piece of the text.
    pub fn content_chunk(&self, text: &str) -> Vec<u8> {
        self.chunk(|event| {
            event.extend_from_slice(b"{\"content\":");
            quote(text, event);
            event.push(b'}');
            event.extend_from_slice(UNFINISHED);
        })
    }

    /// The event that says why the text ends.
    pub fn finish_chunk(&self, finish: Finish) -> Vec<u8> {
        self.chunk(|event| {
            event.extend_from_slice(b"{},\"logprobs\":null,\"finish_reason\":\"");
            event.extend_from_slice(word(finish).as_bytes());
            event.extend_from_slice(b"\"}],\"usage\":null}");
        })
    }

    /// The event with the counted tokens, sent before [`Self::DONE`] to those who ask for it.
    pub fn usage_chunk(&self, usage: Usage) -> Vec<u8> {
        let mut event = self.event();
        event.extend_from_slice(b"],\"usage\":");
        write_usage(usage, &mut event);
        event.extend_from_slice(b"}\n\n");
        event
    }

    /// An event of one choice, of which `rest` writes everything from the value of `delta`.
    fn chunk(&self, rest: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut event = self.event();
        event.extend_from_slice(b"{\"index\":0,\"delta\":");
        rest(&mut event);
        event.extend_from_slice(b"\n\n");
        event
    }

    /// An event up to the first of its choices.
    fn event(&self) -> Vec<u8> {
        let mut event = Vec::with_capacity(self.head.len() + self.origin.len() + ROOM);
        event.extend_from_slice(b"data: ");
        event.extend_from_slice(&self.head);
        event.extend_from_slice(b".chunk");
        event.extend_from_slice(&self.origin);
        event
    }
}

fn write_usage(usage: Usage, into: &mut Vec<u8>) {
    let (input, output) = (usage.input.get(), usage.output.get());
    let total = u64::from(input) + u64::from(output);
    let counts = format!(
        "{{\"prompt_tokens\":{input},\"completion_tokens\":{output},\"total_tokens\":{total}}}"
    );
    into.extend_from_slice(counts.as_bytes());
}

/// Appends `text` as a JSON string.
fn quote(text: &str, into: &mut Vec<u8>) {
    serde_json::to_writer(into, text).expect("a string is JSON and a Vec takes every byte");
}

/// Of the other reasons, the one that needs nothing else in the answer.
const fn word(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::Other => "content_filter",
    }
}

/// What follows the `delta` of a chunk that is not the last.
const UNFINISHED: &[u8] = b",\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}";

/// Chosen: holds everything of a chunk with a short text but the head.
const ROOM: usize = 192;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::units::Tokens;
    use crate::wire::read_answer;

    fn writer() -> AnswerWriter {
        AnswerWriter::new("chatcmpl-1", "org/\"m\"", Timestamp::from_second(1_700_000_000))
    }

    fn data(event: &[u8]) -> Value {
        let event = event.strip_prefix(b"data: ").unwrap().strip_suffix(b"\n\n").unwrap();
        assert!(!event.contains(&b'\n'));
        serde_json::from_slice(event).unwrap()
    }

    fn chunk(choices: &Value, usage: &Value) -> Value {
        json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000,
            "model": "org/\"m\"", "choices": choices, "usage": usage})
    }

    fn choice(delta: &Value, finish: &Value) -> Value {
        json!([{"index": 0, "delta": delta, "logprobs": null, "finish_reason": finish}])
    }

    #[test]
    fn the_events_of_a_stream_have_openais_shape() {
        let none = Value::Null;
        let role = json!({"role": "assistant", "content": "", "refusal": null});
        assert_eq!(data(&writer().role_chunk()), chunk(&choice(&role, &none), &none));
        let text = "a\n\"b\" \u{2028}é";
        let content = json!({"content": text});
        assert_eq!(data(&writer().content_chunk(text)), chunk(&choice(&content, &none), &none));
        for (finish, word) in
            [(Finish::Stop, "stop"), (Finish::Length, "length"), (Finish::Other, "content_filter")]
        {
            let expected = chunk(&choice(&json!({}), &json!(word)), &none);
            assert_eq!(data(&writer().finish_chunk(finish)), expected);
        }
        let usage = Usage { input: Tokens::new(u32::MAX), output: Tokens::new(1) };
        let counts = json!({"prompt_tokens": 4_294_967_295_u64, "completion_tokens": 1,
            "total_tokens": 4_294_967_296_u64});
        assert_eq!(data(&writer().usage_chunk(usage)), chunk(&json!([]), &counts));
    }

    #[test]
    fn a_plain_answer_has_openais_shape_and_is_read_as_it_was_written() {
        let usage = Usage { input: Tokens::new(3), output: Tokens::new(0) };
        let body = writer().plain("hi \"you\"", usage, Finish::Length);
        let message = json!({"role": "assistant", "content": "hi \"you\"", "refusal": null});
        let expected = json!({"id": "chatcmpl-1", "object": "chat.completion",
            "created": 1_700_000_000, "model": "org/\"m\"",
            "choices": [{"index": 0, "message": message, "logprobs": null,
                "finish_reason": "length"}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 0, "total_tokens": 3}});
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), expected);
        let facts = read_answer(&body).unwrap();
        assert_eq!((facts.usage, facts.finish), (Some(usage), Some(Finish::Length)));
        assert!(!facts.is_empty);
        assert!(read_answer(&writer().plain("", usage, Finish::Stop)).unwrap().is_empty);
    }
}
