//! A stream of an upstream, read as it passes through.
//!
//! Knows no clock: whoever passes the bytes on notes when the first content went by.
//!
//! # Chunks that come twice
//!
//! Two successive events that are equal byte for byte are no proof: all chunks of a stream carry
//! the same id and time, so a model that says "ha" twice sends the same bytes twice. An equal
//! successor counts as a repetition only if it cannot be what the model said:
//! - both carry the same server-sent event id, which names one event; or
//! - it says why the answer ends and has no content: an answer ends once; or
//! - at the end there are more chunks with content than the `usage` has output tokens, as each
//!   chunk holds at least one, and the equal successors account for all that are too many (an
//!   upstream that cuts its text into letters has far more).
//!
//! So a repetition may go unseen, for example without ids and `usage`, but is never invented.

use std::ops::ControlFlow;

use super::chunk::{Chunk, Part, merged};
use super::event_lines::{EventLines, ServerEvent};
use crate::exchange::{Finish, Usage};
use crate::units::Tokens;

/// Reads an upstream's server-sent events, in pieces that may be cut anywhere, also within a
/// character or a line's end. What comes after the end, an error or something malformed is not
/// counted, but whether `[DONE]` comes after something malformed. Keeps at most a few events of at
/// most 16 MiB; a longer one is malformed.
///
/// ```
/// use coalmine::wire::{StreamEnding, StreamReader};
/// let mut reader = StreamReader::new();
/// let role = br#"data: {"choices":[{"delta":{"role":"assistant","content":""}}]}"#;
/// assert!(!reader.push(role).first_content);
/// assert!(!reader.push(b"\n\ndata: {\"choices\":[{\"delta\":{\"con").first_content);
/// assert!(reader.push(b"tent\":\"hi\"}}]}\n\n").first_content);
/// assert_eq!(reader.finish().ending, StreamEnding::Truncated);
/// ```
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct StreamReader {
    lines: EventLines,
    tally: Tally,
}

/// What ended in the bytes just pushed.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Passed {
    /// The first chunk with content: text, a refusal, reasoning or the call of a tool, not empty.
    pub first_content: bool,
    /// An error.
    pub error: bool,
    /// Whether any event ended at all.
    pub has_events: bool,
    /// How many of the bytes may be passed on: those before an event whose end has not come. A
    /// client that had a part of one could be told nothing more.
    pub whole: usize,
}

/// What a stream was, told at its end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct StreamFacts {
    /// How it ended.
    pub ending: StreamEnding,
    /// The tokens it counted last; `None`: it did not say. A count of 0 is known to be 0.
    pub usage: Option<Usage>,
    /// The chunks with content that were seen, as an estimate of the output.
    pub output_estimated: Tokens,
    /// Why it ended: [`Finish::Length`] if any of its choices was cut off; `None`: it did not say.
    pub finish: Option<Finish>,
    /// Whether a chunk certainly came twice in succession. Told without doubt or not at all: equal
    /// chunks count only with the same event id, as second end, or if the usage says so.
    pub repeats: bool,
}

/// How a stream ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StreamEnding {
    /// With a `finish_reason` and `[DONE]`.
    Complete,
    /// Without one of them.
    Truncated,
    /// With an event that is no JSON object or too long; or truncated, and with lines that are no
    /// server-sent events.
    Malformed,
    /// With an event that has a member `error`, or is called `error`.
    ErrorInStream,
}

/// What is counted over the events.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
struct Tally {
    /// How many events had content.
    contents: u32,
    /// How many of them were equal to the event before.
    equal_contents: u32,
    finish: Option<Finish>,
    usage: Option<Usage>,
    /// Whether an event came twice beyond doubt.
    repeats: bool,
    end: Option<End>,
    /// Whether `[DONE]` came, be it after something malformed.
    is_done: bool,
    /// Whether an event was too long to be read on.
    is_lost: bool,
    has_events: bool,
    /// The event before; empty if that was long.
    previous: Vec<u8>,
    previous_id: Vec<u8>,
}

/// What nothing is read after.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    Done,
    Malformed,
    Error,
}

impl StreamReader {
    /// At the start of a stream.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next bytes and tells what ended in them.
    pub fn push(&mut self, bytes: &[u8]) -> Passed {
        let Self { lines, tally } = self;
        if tally.is_closed() {
            return Passed { whole: bytes.len(), ..Passed::default() };
        }
        let (had_content, had_error) = (tally.contents > 0, tally.end == Some(End::Error));
        tally.has_events = false;
        let whole = lines.push(bytes, |event| tally.take(event)).unwrap_or_else(|_| {
            tally.end = Some(End::Malformed);
            tally.is_lost = true;
            bytes.len()
        });
        Passed {
            first_content: !had_content && tally.contents > 0,
            error: !had_error && tally.end == Some(End::Error),
            has_events: tally.has_events,
            whole,
        }
    }

    /// How many events with content have come.
    pub const fn contents(&self) -> u32 {
        self.tally.contents
    }

    /// Whether it is decided how it ended: the end, an error or something malformed has come.
    pub const fn is_over(&self) -> bool {
        self.tally.end.is_some()
    }

    /// Whether its client has been told that it is over: by `[DONE]`, also after something
    /// malformed, or by an error.
    pub fn has_told_end(&self) -> bool {
        match self.tally.end {
            Some(End::Done | End::Error) => true,
            _ if self.tally.is_lost => false,
            // Clients need no empty line after the last event to know it.
            _ => self.tally.is_done || is_done(&self.lines.rest()),
        }
    }

    /// Whether an event was so long that nothing more is read: where the next one begins is not
    /// known.
    pub const fn is_lost(&self) -> bool {
        self.tally.is_lost
    }

    /// What it was, if it is over now or has broken off.
    pub fn facts(&self) -> StreamFacts {
        let Self { lines, tally } = self;
        let ending = match tally.end {
            Some(End::Error) => StreamEnding::ErrorInStream,
            Some(End::Malformed) => StreamEnding::Malformed,
            _ if self.has_told_end() && tally.finish.is_some() => StreamEnding::Complete,
            _ if lines.has_other_lines() => StreamEnding::Malformed,
            _ => StreamEnding::Truncated,
        };
        StreamFacts {
            ending,
            usage: tally.usage,
            output_estimated: Tokens::new(tally.contents),
            finish: tally.finish,
            repeats: tally.has_repeats(),
        }
    }

    /// The stream is over, or has broken off.
    pub fn finish(self) -> StreamFacts {
        self.facts()
    }
}

impl Tally {
    fn take(&mut self, event: ServerEvent<'_>) -> ControlFlow<()> {
        self.has_events = true;
        if self.end.is_some() {
            // Behind something malformed: all that is asked is whether the client is told the end.
            self.is_done = is_done(event.data);
            return if self.is_done { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
        }
        let end = match Chunk::read(event.data, Part::Delta) {
            _ if event.name == b"error" => End::Error,
            Ok(chunk) if chunk.has_error => End::Error,
            Ok(chunk) => {
                self.count(&chunk, event);
                return ControlFlow::Continue(());
            }
            Err(_) if is_done(event.data) => End::Done,
            Err(_) => End::Malformed,
        };
        self.end = Some(end);
        if self.is_closed() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    /// Whether nothing more is read.
    const fn is_closed(&self) -> bool {
        matches!(self.end, Some(End::Done | End::Error)) || self.is_done || self.is_lost
    }

    fn count(&mut self, chunk: &Chunk, event: ServerEvent<'_>) {
        let is_equal = event.data == self.previous;
        if is_equal {
            let is_same = !event.id.is_empty() && event.id == self.previous_id;
            let is_second_end = chunk.finish.is_some() && !chunk.has_content;
            self.repeats |= is_same || is_second_end;
        } else {
            self.previous.clear();
            if event.data.len() <= LONGEST_COMPARED {
                self.previous.extend_from_slice(event.data);
            }
        }
        self.previous_id.clear();
        self.previous_id.extend_from_slice(event.id);
        if chunk.has_content {
            self.contents = self.contents.saturating_add(1);
            self.equal_contents = self.equal_contents.saturating_add(u32::from(is_equal));
        }
        self.finish = merged(self.finish, chunk.finish);
        self.usage = chunk.usage.or(self.usage);
    }

    fn has_repeats(&self) -> bool {
        let Some(usage) = self.usage else { return self.repeats };
        let excess = self.contents.saturating_sub(usage.output.get());
        self.repeats || (excess > 0 && excess <= self.equal_contents)
    }
}

/// Chosen: far above the chunks of a text; a picture is not kept to see whether it comes twice.
const LONGEST_COMPARED: usize = 1 << 16;

fn is_done(data: &[u8]) -> bool {
    data.trim_ascii() == b"[DONE]"
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::units::Timestamp;
    use crate::wire::{AnswerWriter, ApiError, FinishReason};

    fn writer() -> AnswerWriter {
        AnswerWriter::new("chatcmpl-7", "gpt-4", Timestamp::from_second(1_700_000_000))
    }

    fn facts(events: &[Vec<u8>]) -> StreamFacts {
        let mut reader = StreamReader::new();
        for event in events {
            reader.push(event);
        }
        reader.finish()
    }

    fn usage(input: u32, output: u32) -> Usage {
        Usage { input: Tokens::new(input), output: Tokens::new(output) }
    }

    /// A stream that says `words` and has all that belongs to it.
    fn complete(words: &[&str], counted: Option<Usage>) -> Vec<Vec<u8>> {
        let writer = writer();
        let mut events = vec![writer.role_chunk(0)];
        events.extend(words.iter().map(|word| writer.content_chunk(0, word)));
        events.push(writer.finish_chunk(0, FinishReason::Stop));
        events.extend(counted.map(|counted| writer.usage_chunk(counted)));
        events.push(AnswerWriter::DONE.to_vec());
        events
    }

    #[test]
    fn a_complete_stream_tells_its_tokens_and_its_end() {
        let facts = facts(&complete(&["one", " two"], Some(usage(5, 2))));
        assert_eq!(facts.ending, StreamEnding::Complete);
        assert_eq!(facts.usage, Some(usage(5, 2)));
        assert_eq!(facts.output_estimated, Tokens::new(2));
        assert_eq!(facts.finish, Some(Finish::Stop));
        assert!(!facts.repeats);
    }

    #[test]
    fn a_stream_without_its_end_is_truncated() {
        let mut events = complete(&["one"], None);
        events.pop();
        assert_eq!(facts(&events).ending, StreamEnding::Truncated);
        events.pop();
        events.push(AnswerWriter::DONE.to_vec());
        assert_eq!(facts(&events).ending, StreamEnding::Truncated);
        assert_eq!(facts(&[]).ending, StreamEnding::Truncated);
    }

    #[test]
    fn the_last_event_needs_no_empty_line() {
        let mut events = complete(&["one"], None);
        for done in ["data: [DONE]", "data:[DONE]\n", "data: [DONE]\r"] {
            events.pop();
            events.push(done.as_bytes().to_vec());
            assert_eq!(facts(&events).ending, StreamEnding::Complete, "{done:?}");
        }
    }

    #[test]
    fn the_first_content_is_told_once_and_is_not_the_first_byte() {
        let mut reader = StreamReader::new();
        let passed = |events: &[Vec<u8>], reader: &mut StreamReader| -> Vec<bool> {
            events.iter().map(|event| reader.push(event).first_content).collect()
        };
        let told = passed(&complete(&["one", "two"], None), &mut reader);
        assert_eq!(told, [false, true, false, false, false]);
    }

    #[test]
    fn an_error_in_the_stream_is_told_and_ends_it() {
        let mut events = complete(&["one"], None);
        events.insert(2, ApiError::upstream_failed("gone").to_event());
        let mut reader = StreamReader::new();
        let told: Vec<_> = events.iter().map(|event| reader.push(event).error).collect();
        assert_eq!(told, [false, false, true, false, false]);
        let facts = reader.finish();
        assert_eq!((facts.ending, facts.finish), (StreamEnding::ErrorInStream, None));
    }

    #[test]
    fn an_event_that_is_no_object_is_malformed() {
        for bad in ["data: {\"choices\":\n\n", "data: oops\n\n", "data: [1]\n\n", "data: \u{1}\n\n"]
        {
            let mut events = complete(&["one"], None);
            events.insert(2, bad.as_bytes().to_vec());
            assert_eq!(facts(&events).ending, StreamEnding::Malformed, "{bad:?}");
        }
        let mut events = complete(&["one"], None);
        events.insert(2, b"data: {\"a\":\"\xff\"}\n\n".to_vec());
        assert_eq!(facts(&events).ending, StreamEnding::Malformed);
    }

    #[test]
    fn whether_the_client_knows_of_the_end_is_no_question_of_what_came_before() {
        let mut reader = StreamReader::new();
        reader.push(b"data: {\n\n");
        assert!(reader.is_over() && !reader.has_told_end());
        reader.push(&writer().content_chunk(0, "x"));
        assert!(!reader.has_told_end());
        reader.push(AnswerWriter::DONE);
        assert!(reader.has_told_end());
        assert_eq!(reader.finish().ending, StreamEnding::Malformed);
    }

    #[test]
    fn an_event_that_is_called_error_is_one_whatever_it_says() {
        for event in ["event: error\ndata: {}\n\n", "event: error\ndata: overloaded\n\n"] {
            let mut events = complete(&["one"], None);
            events.insert(2, event.as_bytes().to_vec());
            assert_eq!(facts(&events).ending, StreamEnding::ErrorInStream);
        }
    }

    #[test]
    fn lines_that_are_no_events_are_malformed_only_if_nothing_else_ends() {
        assert_eq!(facts(&[b"<html>oops</html>".to_vec()]).ending, StreamEnding::Malformed);
        let mut events = complete(&["one"], None);
        events.insert(2, b"x-note: passed over\n: and a comment\n".to_vec());
        assert_eq!(facts(&events).ending, StreamEnding::Complete);
    }

    #[test]
    fn an_event_without_end_is_malformed_and_not_kept() {
        let mut reader = StreamReader::new();
        for _ in 0..257 {
            reader.push(&[b'x'; 1 << 16]);
        }
        assert!(reader.is_lost() && !reader.has_told_end());
        assert_eq!(reader.finish().ending, StreamEnding::Malformed);
    }

    #[test]
    fn a_count_of_zero_is_known() {
        let facts = facts(&complete(&["one"], Some(usage(0, 0))));
        assert_eq!(facts.usage, Some(usage(0, 0)));
        assert!(!facts.repeats);
    }

    #[test]
    fn the_last_usage_counts_and_a_null_does_not_erase_it() {
        let mut events = complete(&["one"], Some(usage(5, 1)));
        events.insert(1, writer().usage_chunk(usage(5, 0)));
        events.insert(5, writer().role_chunk(0));
        let facts = facts(&events);
        assert_eq!((facts.ending, facts.usage), (StreamEnding::Complete, Some(usage(5, 1))));
    }

    #[test]
    fn a_model_that_says_the_same_twice_does_not_repeat_a_chunk() {
        assert!(!facts(&complete(&["ha", "ha", "ha"], Some(usage(5, 3)))).repeats);
        assert!(!facts(&complete(&["ha", "ha", "ha"], None)).repeats);
        let letters: Vec<&str> =
            "hello letters".split("").filter(|text| !text.is_empty()).collect();
        assert!(!facts(&complete(&letters, Some(usage(5, 2)))).repeats);
    }

    #[test]
    fn a_chunk_too_many_for_the_usage_repeats() {
        assert!(facts(&complete(&["one", "one", "two"], Some(usage(5, 2)))).repeats);
        assert!(!facts(&complete(&["one", "two", "one"], Some(usage(5, 2)))).repeats);
    }

    #[test]
    fn an_equal_event_with_the_same_id_or_a_second_end_repeats() {
        let numbered = |id: &str| [id.as_bytes(), b"\n", &writer().content_chunk(0, "x")].concat();
        assert!(facts(&[numbered("id: 4"), numbered("id: 4")]).repeats);
        assert!(!facts(&[numbered("id: 4"), numbered("id: 5")]).repeats);
        assert!(!facts(&[numbered("id:"), numbered("id:")]).repeats);
        let end = writer().finish_chunk(0, FinishReason::Stop);
        assert!(facts(&[end.clone(), end]).repeats);
    }

    fn arb_stream() -> impl Strategy<Value = Vec<u8>> {
        let text = |text: &'static str| Just(text.as_bytes().to_vec());
        let piece = prop_oneof![
            "[ \\PC]{0,3}".prop_map(|word| writer().content_chunk(0, &word)),
            Just(writer().role_chunk(0)),
            Just(writer().finish_chunk(0, FinishReason::Length)),
            Just(writer().usage_chunk(usage(1, 1))),
            Just(ApiError::internal("x").to_event()),
            Just(AnswerWriter::DONE.to_vec()),
            text("\u{feff}"),
            text("\r"),
            text("\n"),
            text("\r\n"),
            text(": é\n"),
            text("id: 1\n"),
            text("data: {}\n"),
            text("data: "),
            text("x"),
            text("\r\n\r\n"),
            proptest::collection::vec(any::<u8>(), 0..3),
        ];
        proptest::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn a_stream_is_the_same_wherever_it_is_cut(
            stream in arb_stream(),
            cuts in proptest::collection::vec(any::<prop::sample::Index>(), 0..6),
        ) {
            let mut whole = StreamReader::new();
            let passed = whole.push(&stream);
            let mut cuts: Vec<_> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
            cuts.sort_unstable();
            let mut reader = StreamReader::new();
            let (mut first_contents, mut errors, mut from) = (0, 0, 0);
            for to in cuts.into_iter().chain([stream.len()]) {
                let passed = reader.push(&stream[from..to]);
                first_contents += u32::from(passed.first_content);
                errors += u32::from(passed.error);
                from = to;
            }
            prop_assert_eq!(first_contents, u32::from(passed.first_content));
            prop_assert_eq!(errors, u32::from(passed.error));
            prop_assert_eq!(reader.finish(), whole.finish());
        }
    }
}
