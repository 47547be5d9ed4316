//! What of a chat completion's request decides how it is answered.
//!
//! Read apart from the gateway's own parser, so that either shows the other's mistakes. Members
//! that a mock has no use for are ignored.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::Value;

use super::form::{Form, FormRequest, ResponseFormat, Tool};
use crate::units::Tokens;
use crate::wire::ApiError;

/// A request for an answer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct ChatRequest {
    /// The model asked for, as sent.
    pub(super) model: String,
    /// Whether the answer is streamed.
    pub(super) stream: bool,
    /// Whether a stream ends with its usage.
    pub(super) wants_usage: bool,
    /// Which user it is of: a number as it stands, else a digest of the name; 0 without one.
    pub(super) user: u32,
    /// Words in the messages: in each `content`, and in each `text` of its parts.
    pub(super) input: Tokens,
    /// `max_completion_tokens` or `max_tokens`, which the answer has exactly.
    pub(super) output: Option<Tokens>,
    /// How many answers are asked for at once.
    pub(super) choices: u32,
    /// What they are to be.
    pub(super) form: Form,
}

impl ChatRequest {
    /// Tokens of the longest answer. Chosen: a plain one takes some 6 MB.
    pub(super) const MOST_TOKENS: u32 = 1_000_000;
    /// Answers to one request, as OpenAI has it.
    const MOST_CHOICES: u32 = 128;

    /// Reads `body`.
    ///
    /// # Errors
    /// No JSON, a member that is missing or not of its kind, or too many tokens.
    pub(super) fn read(body: &[u8]) -> Result<Self, ApiError> {
        let body: Body = serde_json::from_slice(body).map_err(|error| unreadable(body, &error))?;
        let output = body.max_completion_tokens.or(body.max_tokens);
        let output = bounded("max_tokens", output, Self::MOST_TOKENS)?;
        let choices = bounded("n", body.n, Self::MOST_CHOICES)?.unwrap_or(1);
        let Body { tools, tool_choice, response_format, .. } = body;
        let form = FormRequest { tools, tool_choice, response_format }.form()?;
        let input = body.messages.iter().fold(0, |sum: u32, words| sum.saturating_add(words.0));
        Ok(Self {
            model: body.model,
            stream: body.stream.unwrap_or(false),
            wants_usage: body.stream_options.is_some_and(|options| options.include_usage),
            user: body.user.as_deref().map_or(0, number),
            input: Tokens::new(input),
            output: output.map(Tokens::new),
            choices,
            form,
        })
    }
}

/// What is wrong with a body, and where. The place is looked for in a second reading, which those
/// who send what can be read need not wait for.
fn unreadable(body: &[u8], error: &serde_json::Error) -> ApiError {
    let mut again = serde_json::Deserializer::from_slice(body);
    let place = serde_path_to_error::deserialize::<_, Body>(&mut again)
        .err()
        .map(|error| error.path().to_string())
        .filter(|path| path != ".");
    match place {
        Some(path) => {
            let message = format!("read {path} of the body: {error}");
            ApiError::malformed(message).with_param(path)
        }
        None => ApiError::malformed(format!("read the body: {error}")),
    }
}

/// What a member says, from 1 to `most`; `None` where it says nothing.
fn bounded(member: &str, value: Option<i64>, most: u32) -> Result<Option<u32>, ApiError> {
    let Some(value) = value else { return Ok(None) };
    match u32::try_from(value) {
        Ok(value) if (1..=most).contains(&value) => Ok(Some(value)),
        _ => {
            let message = format!("{member} is {value}: allowed are 1 to {most}");
            Err(ApiError::invalid(member, message))
        }
    }
}

#[derive(Deserialize)]
#[serde(expecting = "an object")]
struct Body {
    model: String,
    messages: Vec<Words>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    user: Option<String>,
    max_tokens: Option<i64>,
    max_completion_tokens: Option<i64>,
    n: Option<i64>,
    tools: Option<Vec<Tool>>,
    tool_choice: Option<Value>,
    response_format: Option<ResponseFormat>,
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

/// The number of words in a value: of a text, of all in a list, of what a map says.
struct Words(u32);

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Counter).map(Self)
    }
}

struct Counter;

impl<'de> Visitor<'de> for Counter {
    type Value = u32;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message")
    }

    fn visit_str<E>(self, text: &str) -> Result<u32, E> {
        Ok(u32::try_from(text.split_whitespace().count()).unwrap_or(u32::MAX))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<u32, A::Error> {
        let mut sum = 0_u32;
        while let Some(Words(count)) = items.next_element()? {
            sum = sum.saturating_add(count);
        }
        Ok(sum)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<u32, A::Error> {
        let mut sum = 0_u32;
        while let Some(name) = members.next_key::<String>()? {
            if name == "content" || name == "text" {
                sum = sum.saturating_add(members.next_value::<Words>()?.0);
            } else {
                members.next_value::<IgnoredAny>()?;
            }
        }
        Ok(sum)
    }

    fn visit_unit<E>(self) -> Result<u32, E> {
        Ok(0)
    }

    fn visit_bool<E>(self, _: bool) -> Result<u32, E> {
        Ok(0)
    }

    fn visit_i64<E>(self, _: i64) -> Result<u32, E> {
        Ok(0)
    }

    fn visit_u64<E>(self, _: u64) -> Result<u32, E> {
        Ok(0)
    }

    fn visit_f64<E>(self, _: f64) -> Result<u32, E> {
        Ok(0)
    }
}

/// A user's number: the name where it is one, so that a harness can name its workload's users, else
/// the name's digest FNV-1a (G. Fowler, L. C. Noll, K.-P. Vo; RFC 9923).
fn number(user: &str) -> u32 {
    user.parse().unwrap_or_else(|_| {
        user.bytes().fold(0x811c_9dc5, |digest: u32, byte| {
            (digest ^ u32::from(byte)).wrapping_mul(0x0100_0193)
        })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(body: &str) -> Result<ChatRequest, ApiError> {
        ChatRequest::read(body.as_bytes())
    }

    #[test]
    fn every_member_that_matters_is_read_and_all_others_are_not() {
        let body = r#"{"model": "a/b", "temperature": 0.5, "stream": true, "user": "17",
            "stream_options": {"include_usage": true, "x": 1}, "max_tokens": 5, "n": 3,
            "response_format": {"type": "json_object"},
            "messages": [{"role": "system", "content": "be  brief"}, {"role": "user", "content":
            [{"type": "text", "text": "what is\nthis"}, {"type": "image_url", "image_url":
            {"url": "data:image/png;base64,AA"}}]}, {"role": "assistant", "content": null}]}"#;
        let expected = ChatRequest {
            model: "a/b".to_owned(),
            stream: true,
            wants_usage: true,
            user: 17,
            input: Tokens::new(5),
            output: Some(Tokens::new(5)),
            choices: 3,
            form: Form::Json(None),
        };
        assert_eq!(read(body).unwrap(), expected);
    }

    #[test]
    fn what_is_absent_or_null_has_its_default() {
        let bare = read(r#"{"model": "m", "messages": []}"#).unwrap();
        let null = r#"{"model": "m", "messages": [], "stream": null, "max_tokens": null}"#;
        assert_eq!(read(null).unwrap(), bare);
        assert_eq!((bare.stream, bare.output, bare.input), (false, None, Tokens::ZERO));
        assert_eq!((bare.choices, bare.form), (1, Form::Text));
    }

    #[test]
    fn a_body_that_cannot_be_answered_is_a_400() {
        let long = r#"{"model": "m", "messages": [], "max_tokens": 1000001}"#;
        assert!(read(long).unwrap_err().message.contains("1 to 1000000"));
        let none = r#"{"model": "m", "messages": [], "max_tokens": 0}"#;
        for n in [0, -1, 129] {
            let many = format!(r#"{{"model": "m", "messages": [], "n": {n}}}"#);
            assert!(read(&many).unwrap_err().message.contains("1 to 128"));
        }
        let half = read(r#"{"model": "m", "messages": [], "max_tokens": 1.5}"#).unwrap_err();
        assert_eq!(half.param.as_deref(), Some("max_tokens"));
        assert!(half.message.starts_with("read max_tokens of the body: "), "{}", half.message);
        assert!(read("[]").unwrap_err().message.contains("expected an object"));
        let tool = r#"{"model": "m", "messages": [], "tool_choice": "required"}"#;
        for body in ["", "{", "[]", r#"{"model": "m"}"#, r#"{"messages": []}"#, none, long, tool] {
            assert_eq!(read(body).unwrap_err().status, 400, "{body}");
        }
    }

    #[test]
    fn names_that_are_no_numbers_have_the_digest_of_the_standard() {
        // RFC 9923, test vectors: FNV-1a of "a" and "foobar" in 32 bits.
        assert_eq!([number("a"), number("foobar")], [0xe40c_292c, 0xbf9c_f968]);
        assert_eq!(number("4294967295"), u32::MAX);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(body: Vec<u8>) {
            let _ = ChatRequest::read(&body);
        }

        #[test]
        fn words_are_counted_however_they_are_written(words in "[a-z\" \\\\\n]{0,60}") {
            let message = serde_json::json!({"role": "user", "content": words});
            let body = serde_json::json!({"model": "m", "messages": [message]}).to_string();
            let expected = words.split_whitespace().count() as u32;
            prop_assert_eq!(read(&body).unwrap().input.get(), expected);
        }
    }
}
