//! What is learnt from a plain answer.
//!
//! Knows no streams and keeps nothing of the answer's text.

use thiserror::Error;

use super::chunk::{Chunk, Part};
use super::scan::{DEEPEST, Fault};
use crate::exchange::{Finish, Usage};
use crate::units::Tokens;

/// What a plain `chat.completion` says about itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AnswerFacts {
    /// The tokens it counted; `None`: it does not say. A count of 0 is known to be 0.
    pub usage: Option<Usage>,
    /// Its output, counted as one token for four bytes, as an estimate where it does not say: what
    /// OpenAI tells of English text.
    pub output_estimated: Tokens,
    /// Why it ended: [`Finish::Length`] if any of its choices was cut off; `None`: it does not say.
    pub finish: Option<Finish>,
    /// Whether none of its choices says anything.
    pub is_empty: bool,
}

/// Why a body is no answer.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum AnswerError {
    /// Not UTF-8, or not one JSON object.
    #[error("the answer is not a JSON object at byte {offset}: expected {expected}")]
    NotJson {
        /// Where, in bytes from the start.
        offset: usize,
        /// What belongs there.
        expected: &'static str,
    },
    /// Too many brackets inside each other.
    #[error("the answer is nested deeper than {DEEPEST} at byte {offset}")]
    TooDeep {
        /// Where, in bytes from the start.
        offset: usize,
    },
    /// An object without an array `choices`.
    #[error("the answer has no array `choices`")]
    NoChoices,
}

/// Reads the body of a plain answer, in one pass and without allocating.
///
/// # Errors
/// The body is malformed: no JSON object with an array `choices`.
pub fn read_answer(body: &[u8]) -> Result<AnswerFacts, AnswerError> {
    let chunk = Chunk::read(body, Part::Message)?;
    if !chunk.has_choices {
        return Err(AnswerError::NoChoices);
    }
    let Chunk { usage, finish, has_content, content_bytes, .. } = chunk;
    let tokens = content_bytes.div_ceil(BYTES_OF_TOKEN);
    let output_estimated = Tokens::new(u32::try_from(tokens).unwrap_or(u32::MAX));
    Ok(AnswerFacts { usage, output_estimated, finish, is_empty: !has_content })
}

impl From<Fault> for AnswerError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Expected { offset, expected } => Self::NotJson { offset, expected },
            Fault::TooDeep { offset } => Self::TooDeep { offset },
        }
    }
}

const BYTES_OF_TOKEN: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_tells_its_tokens_and_its_end() {
        let body = br#"{"id":"x","object":"chat.completion","choices":[{"index":0,
            "message":{"role":"assistant","content":"hi"},"finish_reason":"length"}],
            "usage":{"prompt_tokens":9,"completion_tokens":1,"total_tokens":10,
            "completion_tokens_details":{"reasoning_tokens":0}}}"#;
        let usage = Some(Usage { input: Tokens::new(9), output: Tokens::new(1) });
        let finish = Some(Finish::Length);
        let output_estimated = Tokens::new(1);
        let facts = AnswerFacts { usage, output_estimated, finish, is_empty: false };
        assert_eq!(read_answer(body), Ok(facts));
    }

    #[test]
    fn what_all_choices_say_is_counted_by_its_length() {
        let estimated = |choices: &str| {
            let body = format!(r#"{{"choices":[{choices}]}}"#);
            read_answer(body.as_bytes()).unwrap().output_estimated.get()
        };
        assert_eq!(estimated(""), 0);
        let of = |text: &str| format!(r#"{{"message":{{"content":"{text}","note":"12345"}}}}"#);
        assert_eq!([estimated(&of("1234")), estimated(&of("12345"))], [1, 2]);
        assert_eq!(estimated(&[of("1234"), of("12345")].join(",")), 3);
    }

    #[test]
    fn an_answer_that_says_nothing_is_empty() {
        for body in [
            &br#"{"choices":[]}"#[..],
            br#"{"choices":[{"message":{"role":"assistant","content":""}}]}"#,
            br#"{"choices":[{"message":{"content":null,"tool_calls":[]}}]}"#,
            br#"{"choices":[{"delta":{"content":"x"}}]}"#,
        ] {
            assert!(read_answer(body).unwrap().is_empty);
        }
        let called = br#"{"choices":[{"message":{"content":null,"tool_calls":[{"id":"c"}]}}]}"#;
        assert!(!read_answer(called).unwrap().is_empty);
    }

    #[test]
    fn a_body_without_choices_is_malformed() {
        assert_eq!(read_answer(b"{}"), Err(AnswerError::NoChoices));
        assert_eq!(read_answer(br#"{"choices":{}}"#), Err(AnswerError::NoChoices));
        assert_eq!(read_answer(br#"{"error":{"message":"x"}}"#), Err(AnswerError::NoChoices));
        let expected = "an object";
        assert_eq!(read_answer(b"<html>"), Err(AnswerError::NotJson { offset: 0, expected }));
        let expected = "`,` or `]`";
        let cut = read_answer(br#"{"choices":[{}"#);
        assert_eq!(cut, Err(AnswerError::NotJson { offset: 14, expected }));
    }
}
