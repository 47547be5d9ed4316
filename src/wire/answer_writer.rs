//! Answers in OpenAI's shape.
//!
//! Knows neither what is said nor when it is sent.

use crate::exchange::Usage;
use crate::units::Timestamp;

/// Writes one answer, plain or as the events of a stream.
///
/// ```
/// use coalmine::units::Timestamp;
/// use coalmine::wire::AnswerWriter;
/// let writer = AnswerWriter::new("chatcmpl-1", "gpt-4", Timestamp::from_second(1_700_000_000));
/// let event = String::from_utf8(writer.content_chunk(0, "hello")).unwrap();
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

/// What a choice of a plain answer says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Said<'a> {
    /// This text.
    Text(&'a str),
    /// That a tool is to be called.
    Call(ToolCall<'a>),
}

/// A call of a tool.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ToolCall<'a> {
    /// By which the tool's answer is told to be the one to this call.
    pub id: &'a str,
    /// The function's name.
    pub name: &'a str,
    /// The JSON object of its arguments, or its beginning.
    pub arguments: &'a str,
}

/// Why a choice ends where it does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FinishReason {
    /// All has been said.
    Stop,
    /// It was cut off at the largest number of tokens.
    Length,
    /// A tool is to be called.
    ToolCalls,
    /// A filter cut it off.
    ContentFilter,
}

impl FinishReason {
    const fn word(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
            Self::ContentFilter => "content_filter",
        }
    }
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

    /// A whole `chat.completion` of these choices.
    pub fn plain<'a>(
        &self,
        choices: impl IntoIterator<Item = Said<'a>>,
        usage: Usage,
        finish: FinishReason,
    ) -> Vec<u8> {
        let mut body = Vec::with_capacity(self.head.len() + self.origin.len() + ROOM);
        body.extend_from_slice(&self.head);
        body.extend_from_slice(&self.origin);
        for (number, said) in (0_u32..).zip(choices) {
            if number > 0 {
                body.push(b',');
            }
            open_choice(number, &mut body);
            body.extend_from_slice(b"\"message\":{\"role\":\"assistant\",\"content\":");
            match said {
                Said::Text(text) => quote(text, &mut body),
                Said::Call(call) => {
                    body.extend_from_slice(b"null,\"tool_calls\":[");
                    open_call(call, &mut body);
                    body.extend_from_slice(b"}]");
                }
            }
            body.extend_from_slice(b",\"refusal\":null},\"logprobs\":null,\"finish_reason\":\"");
            body.extend_from_slice(finish.word().as_bytes());
            body.extend_from_slice(b"\"}");
        }
        body.extend_from_slice(b"],\"usage\":");
        write_usage(usage, &mut body);
        body.push(b'}');
        body
    }

    /// The first event of a choice of a stream, which says who speaks.
    pub fn role_chunk(&self, choice: u32) -> Vec<u8> {
        self.chunk(choice, |event| {
            event.extend_from_slice(b"{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}");
            event.extend_from_slice(UNFINISHED);
        })
    }

    /// An event with the next piece of a choice's text.
    pub fn content_chunk(&self, choice: u32, text: &str) -> Vec<u8> {
        self.chunk(choice, |event| {
            event.extend_from_slice(b"{\"content\":");
            quote(text, event);
            event.push(b'}');
            event.extend_from_slice(UNFINISHED);
        })
    }

    /// The event in which a choice begins to call a tool.
    pub fn call_chunk(&self, choice: u32, call: ToolCall<'_>) -> Vec<u8> {
        self.chunk(choice, |event| {
            event.extend_from_slice(b"{\"tool_calls\":[");
            open_call(call, event);
            event.extend_from_slice(b",\"index\":0}]}");
            event.extend_from_slice(UNFINISHED);
        })
    }

    /// An event with the next piece of the call's arguments.
    pub fn arguments_chunk(&self, choice: u32, arguments: &str) -> Vec<u8> {
        self.chunk(choice, |event| {
            event.extend_from_slice(b"{\"tool_calls\":[{\"index\":0,\"function\":{\"arguments\":");
            quote(arguments, event);
            event.extend_from_slice(b"}}]}");
            event.extend_from_slice(UNFINISHED);
        })
    }

    /// The event that says why a choice ends.
    pub fn finish_chunk(&self, choice: u32, finish: FinishReason) -> Vec<u8> {
        self.chunk(choice, |event| {
            event.extend_from_slice(b"{},\"logprobs\":null,\"finish_reason\":\"");
            event.extend_from_slice(finish.word().as_bytes());
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
    fn chunk(&self, choice: u32, rest: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let mut event = self.event();
        open_choice(choice, &mut event);
        event.extend_from_slice(b"\"delta\":");
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

/// A choice up to what it says.
fn open_choice(number: u32, into: &mut Vec<u8>) {
    into.extend_from_slice(b"{\"index\":");
    if number == 0 {
        // By far the most.
        into.push(b'0');
    } else {
        into.extend_from_slice(number.to_string().as_bytes());
    }
    into.push(b',');
}

/// A call without the brace that closes it.
fn open_call(call: ToolCall<'_>, into: &mut Vec<u8>) {
    into.extend_from_slice(b"{\"id\":");
    quote(call.id, into);
    into.extend_from_slice(b",\"type\":\"function\",\"function\":{\"name\":");
    quote(call.name, into);
    into.extend_from_slice(b",\"arguments\":");
    quote(call.arguments, into);
    into.push(b'}');
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

/// What follows the `delta` of a chunk that is not the last.
const UNFINISHED: &[u8] = b",\"logprobs\":null,\"finish_reason\":null}],\"usage\":null}";

/// Chosen: holds everything of a chunk with a short text but the head.
const ROOM: usize = 192;

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::exchange::Finish;
    use crate::units::Tokens;
    use crate::wire::read_answer;

    const USAGE: Usage = Usage { input: Tokens::new(3), output: Tokens::new(0) };
    const CALL: ToolCall<'_> = ToolCall { id: "call_1", name: "f", arguments: "{\"a\":1}" };

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

    fn choice(index: u32, delta: &Value, finish: &Value) -> Value {
        json!([{"index": index, "delta": delta, "logprobs": null, "finish_reason": finish}])
    }

    #[test]
    fn the_events_of_a_stream_have_openais_shape() {
        let none = Value::Null;
        let role = json!({"role": "assistant", "content": "", "refusal": null});
        assert_eq!(data(&writer().role_chunk(0)), chunk(&choice(0, &role, &none), &none));
        let text = "a\n\"b\" \u{2028}é";
        let content = json!({"content": text});
        let event = data(&writer().content_chunk(12, text));
        assert_eq!(event, chunk(&choice(12, &content, &none), &none));
        for (finish, word) in [
            (FinishReason::Stop, "stop"),
            (FinishReason::Length, "length"),
            (FinishReason::ToolCalls, "tool_calls"),
            (FinishReason::ContentFilter, "content_filter"),
        ] {
            let expected = chunk(&choice(1, &json!({}), &json!(word)), &none);
            assert_eq!(data(&writer().finish_chunk(1, finish)), expected);
        }
        let usage = Usage { input: Tokens::new(u32::MAX), output: Tokens::new(1) };
        let counts = json!({"prompt_tokens": 4_294_967_295_u64, "completion_tokens": 1,
            "total_tokens": 4_294_967_296_u64});
        assert_eq!(data(&writer().usage_chunk(usage)), chunk(&json!([]), &counts));
    }

    #[test]
    fn a_call_of_a_tool_has_openais_shape_streamed_and_plain() {
        let none = Value::Null;
        let function = json!({"name": "f", "arguments": "{\"a\":1}"});
        let begun = json!({"tool_calls": [
            {"index": 0, "id": "call_1", "type": "function", "function": function},
        ]});
        assert_eq!(data(&writer().call_chunk(0, CALL)), chunk(&choice(0, &begun, &none), &none));
        let more = json!({"tool_calls": [{"index": 0, "function": {"arguments": "\"x\""}}]});
        let event = data(&writer().arguments_chunk(0, "\"x\""));
        assert_eq!(event, chunk(&choice(0, &more, &none), &none));
        let body = writer().plain([Said::Call(CALL)], USAGE, FinishReason::ToolCalls);
        let answer: Value = serde_json::from_slice(&body).unwrap();
        let message = json!({"role": "assistant", "content": null, "refusal": null,
            "tool_calls": [{"id": "call_1", "type": "function", "function": function}]});
        assert_eq!(answer["choices"][0]["message"], message);
        let facts = read_answer(&body).unwrap();
        assert_eq!((facts.finish, facts.is_empty), (Some(Finish::Other), false));
    }

    #[test]
    fn a_plain_answer_has_openais_shape_and_is_read_as_it_was_written() {
        let body = writer().plain([Said::Text("hi \"you\"")], USAGE, FinishReason::Length);
        let message = json!({"role": "assistant", "content": "hi \"you\"", "refusal": null});
        let expected = json!({"id": "chatcmpl-1", "object": "chat.completion",
            "created": 1_700_000_000, "model": "org/\"m\"",
            "choices": [{"index": 0, "message": message, "logprobs": null,
                "finish_reason": "length"}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 0, "total_tokens": 3}});
        assert_eq!(serde_json::from_slice::<Value>(&body).unwrap(), expected);
        let facts = read_answer(&body).unwrap();
        assert_eq!((facts.usage, facts.finish), (Some(USAGE), Some(Finish::Length)));
        assert!(!facts.is_empty);
        let silent = writer().plain([Said::Text("")], USAGE, FinishReason::Stop);
        assert!(read_answer(&silent).unwrap().is_empty);
    }

    #[test]
    fn choices_are_numbered_in_their_order() {
        let body = writer().plain(["a", "b", "c"].map(Said::Text), USAGE, FinishReason::Stop);
        let answer: Value = serde_json::from_slice(&body).unwrap();
        let choices = answer["choices"].as_array().unwrap();
        let said: Vec<_> =
            choices.iter().map(|it| (&it["index"], &it["message"]["content"])).collect();
        assert_eq!(
            said,
            [(&json!(0), &json!("a")), (&json!(1), &json!("b")), (&json!(2), &json!("c"))]
        );
    }
}
