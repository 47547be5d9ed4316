//! One JSON object of an answer: a whole plain one, or one chunk of a stream.
//!
//! Reads what is counted and keeps nothing of the text. Members of unexpected types are passed
//! over, as upstreams add their own; what is no JSON is an error.

use super::scan::{Fault, Scan};
use super::text::Text;
use crate::exchange::{Finish, Usage};
use crate::units::Tokens;

/// What an object says.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Chunk {
    /// Whether there is an array `choices`, even an empty one.
    pub(super) has_choices: bool,
    /// Whether any choice says something.
    pub(super) has_content: bool,
    /// How many bytes of JSON that is.
    pub(super) content_bytes: usize,
    /// Why it ends, of all choices; a cut at the largest number of tokens goes before others.
    pub(super) finish: Option<Finish>,
    /// What was counted.
    pub(super) usage: Option<Usage>,
    /// Whether there is an `error` that is not null.
    pub(super) has_error: bool,
}

/// Where a choice holds what it says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Part {
    /// In the chunks of a stream.
    Delta,
    /// In a plain answer.
    Message,
}

impl Chunk {
    /// Reads the one object in `json`.
    pub(super) fn read(json: &[u8], part: Part) -> Result<Self, Fault> {
        let text = std::str::from_utf8(json)
            .map_err(|error| Fault::Expected { offset: error.valid_up_to(), expected: "UTF-8" })?;
        let mut chunk = Self::default();
        let mut scan = Scan::new(text);
        scan.object(|scan, name| {
            if name.is("choices") {
                chunk.read_choices(scan, part)
            } else if name.is("usage") {
                read_usage(scan).map(|usage| chunk.usage = usage)
            } else if name.is("error") {
                chunk.has_error = scan.first() != Some(b'n');
                scan.skip()
            } else {
                scan.skip()
            }
        })?;
        scan.end()?;
        Ok(chunk)
    }

    fn read_choices(&mut self, scan: &mut Scan<'_>, part: Part) -> Result<(), Fault> {
        if scan.first() != Some(b'[') {
            return scan.skip();
        }
        self.has_choices = true;
        scan.array(|scan| match scan.first() {
            Some(b'{') => scan.object(|scan, name| self.read_choice(scan, name, part)),
            _ => scan.skip(),
        })
    }

    fn read_choice(
        &mut self,
        scan: &mut Scan<'_>,
        name: Text<'_>,
        part: Part,
    ) -> Result<(), Fault> {
        if name.is(part.name()) && scan.first() == Some(b'{') {
            return scan.object(|scan, name| self.read_part(scan, name));
        }
        if name.is("finish_reason") && scan.first() == Some(b'"') {
            self.finish = merged(self.finish, finish(scan.text()?));
            return Ok(());
        }
        scan.skip()
    }

    fn read_part(&mut self, scan: &mut Scan<'_>, name: Text<'_>) -> Result<(), Fault> {
        if !CONTENT.iter().any(|content| name.is(content)) {
            return scan.skip();
        }
        let value = scan.raw()?;
        let is_container = value.starts_with(['"', '[', '{']);
        let inner = value.get(1..value.len() - 1).unwrap_or_default();
        let is_empty = if value.starts_with('"') { inner } else { inner.trim_start() }.is_empty();
        if is_container && !is_empty {
            self.has_content = true;
            self.content_bytes += inner.len();
        }
        Ok(())
    }
}

impl Part {
    const fn name(self) -> &'static str {
        match self {
            Self::Delta => "delta",
            Self::Message => "message",
        }
    }
}

/// What is told of an answer with both: that it was cut off, if any part of it was; else the
/// first.
pub(super) fn merged(first: Option<Finish>, second: Option<Finish>) -> Option<Finish> {
    if second == Some(Finish::Length) { second } else { first.or(second) }
}

/// An empty reason, which some upstreams send with every chunk, is none.
fn finish(reason: Text<'_>) -> Option<Finish> {
    if reason.is_empty() {
        None
    } else if reason.is("stop") {
        Some(Finish::Stop)
    } else if reason.is("length") {
        Some(Finish::Length)
    } else {
        Some(Finish::Other)
    }
}

/// `None` unless both counts are there; a 0 that is there is 0.
fn read_usage(scan: &mut Scan<'_>) -> Result<Option<Usage>, Fault> {
    if scan.first() != Some(b'{') {
        return scan.skip().map(|()| None);
    }
    let (mut input, mut output) = (None, None);
    scan.object(|scan, name| {
        let value = scan.raw()?;
        if name.is("prompt_tokens") {
            input = value.parse().ok();
        } else if name.is("completion_tokens") {
            output = value.parse().ok();
        }
        Ok::<(), Fault>(())
    })?;
    let usage = input.zip(output);
    Ok(usage
        .map(|(input, output)| Usage { input: Tokens::new(input), output: Tokens::new(output) }))
}

/// Members of a choice's part that are output of the model, if they are not empty. The reasoning
/// has two names in the field, neither OpenAI's own.
const CONTENT: [&str; 7] = [
    "content",
    "tool_calls",
    "reasoning_content",
    "reasoning",
    "refusal",
    "function_call",
    "audio",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn delta(json: &str) -> Chunk {
        Chunk::read(json.as_bytes(), Part::Delta).unwrap()
    }

    fn has_content(part: &str) -> bool {
        delta(&format!(r#"{{"choices":[{{"index":0,"delta":{part}}}]}}"#)).has_content
    }

    #[test]
    fn content_is_any_output_that_is_not_empty() {
        for part in [
            r#"{"content":" "}"#,
            r#"{"content":"\u0020"}"#,
            r#"{"content":[{"type":"thinking"}]}"#,
            r#"{"role":"assistant","content":null,"tool_calls":[{"index":0}]}"#,
            r#"{"function_call":{"arguments":""}}"#,
            r#"{"refusal":"no"}"#,
            r#"{"reasoning_content":"hm"}"#,
            r#"{"reasoning":"hm"}"#,
            r#"{"cont\u0065nt":"x"}"#,
        ] {
            assert!(has_content(part), "{part}");
        }
        for part in [
            r#"{"role":"assistant","content":""}"#,
            r#"{"content":null,"tool_calls":[ ],"function_call":{}}"#,
            r#"{"content":1,"note":"x"}"#,
            "{}",
            "null",
            r#""content""#,
        ] {
            assert!(!has_content(part), "{part}");
        }
    }

    #[test]
    fn a_reason_of_any_choice_counts_and_a_cut_goes_first() {
        let finish = |reasons: &[&str]| {
            let choice = |reason: &&str| format!(r#"{{"finish_reason":{reason}}}"#);
            let choices: Vec<_> = reasons.iter().map(choice).collect();
            delta(&format!(r#"{{"choices":[{}]}}"#, choices.join(","))).finish
        };
        assert_eq!(finish(&["null", "\"stop\""]), Some(Finish::Stop));
        assert_eq!(finish(&["\"stop\"", "\"length\"", "\"stop\""]), Some(Finish::Length));
        assert_eq!(finish(&["\"tool_calls\"", "\"stop\""]), Some(Finish::Other));
        assert_eq!(finish(&["null", "\"\""]), None);
    }

    #[test]
    fn a_count_of_zero_is_known_and_half_a_count_is_not() {
        let usage = |counts: &str| delta(&format!(r#"{{"usage":{counts}}}"#)).usage;
        assert_eq!(
            usage(r#"{"completion_tokens":0,"prompt_tokens":0,"total_tokens":0}"#),
            Some(Usage { input: Tokens::ZERO, output: Tokens::ZERO })
        );
        let counted = usage(r#"{"prompt_tokens":12,"completion_tokens":4294967295,"x":{"y":1}}"#);
        assert_eq!(counted, Some(Usage { input: Tokens::new(12), output: Tokens::new(u32::MAX) }));
        for unknown in [
            "null",
            "{}",
            r#"{"prompt_tokens":12}"#,
            r#"{"prompt_tokens":12,"completion_tokens":4294967296}"#,
            r#"{"prompt_tokens":12,"completion_tokens":-1}"#,
            r#"{"prompt_tokens":12,"completion_tokens":"3"}"#,
        ] {
            assert_eq!(usage(unknown), None, "{unknown}");
        }
    }

    #[test]
    fn an_error_is_one_unless_it_is_null() {
        assert!(delta(r#"{"error":{"message":"x"}}"#).has_error);
        assert!(delta(r#"{"error":"x"}"#).has_error);
        assert!(!delta(r#"{"error":null,"choices":[]}"#).has_error);
    }

    #[test]
    fn what_is_no_object_is_refused() {
        for json in [&b"[]"[..], b"", b"{\"a\":}", b"{} {}", b"{\"a\":\"\xc3\"}"] {
            assert!(Chunk::read(json, Part::Delta).is_err(), "{json:?}");
        }
    }
}
