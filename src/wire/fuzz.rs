//! The body of the fuzz target for bodies and streams.
//!
//! Knows what must hold of any bytes, not where they come from.

use serde_json::{Map, Value, json};

use super::{ChatAsk, Parameters, StreamReader, read_answer};

/// Reads `bytes` as a request's body, as a plain answer and as a stream.
///
/// # Panics
/// Something does not hold that must: a request that was read is JSON for others too and can be
/// read again with a version's parameters in it; a stream is the same wherever it is cut.
pub fn fuzz_wire(bytes: &[u8]) {
    if let Ok(ask) = ChatAsk::read(bytes) {
        check_splice(bytes, &ask, false);
        check_splice(bytes, &ask, true);
    }
    if read_answer(bytes).is_ok() {
        let read: Result<serde::de::IgnoredAny, _> = serde_json::from_slice(bytes);
        assert!(read.is_ok(), "an answer was read that is no JSON");
    }
    check_cuts(bytes);
}

fn check_splice(body: &[u8], ask: &ChatAsk<'_>, is_override: bool) {
    let added = json!({"override": is_override, "seed": 7, "stop": ["\n"]});
    let added = added.as_object().expect("it is written as an object");
    let parameters = Parameters::new("up/stream", added).expect("the parameters are allowed");
    let spliced = parameters.splice(body, ask);
    // A body at the limit of members has no room for more.
    if let Ok(again) = ChatAsk::read(&spliced) {
        assert_eq!(again.model(), "up/stream");
        assert_eq!(again.user(), ask.user());
        assert_eq!(ask.is_stream(), again.is_stream());
        let kept = ask.members().iter().map(|member| &member.name);
        assert!(
            kept.eq(again.members().iter().map(|member| &member.name).filter(|name| ask.has(name)))
        );
    } else {
        assert!(ask.members().len() > 250, "the spliced body cannot be read");
    }
    // Others refuse what is grammatical but cannot be held, such as the number 1e999.
    let Ok(mut expected) = serde_json::from_slice::<Map<String, Value>>(body) else { return };
    expected.insert("model".to_owned(), Value::from("up/stream"));
    for name in ["seed", "stop"] {
        if is_override || !expected.contains_key(name) {
            expected.insert(name.to_owned(), added[name].clone());
        }
    }
    let found: Result<Map<String, Value>, _> = serde_json::from_slice(&spliced);
    assert_eq!(found.ok(), Some(expected), "the spliced body says something else");
}

fn check_cuts(stream: &[u8]) {
    let mut reader = StreamReader::new();
    let passed = reader.push(stream);
    let facts = reader.finish();
    let step = (stream.len() / MOST_CUTS).max(1);
    for cut in (0..=stream.len()).step_by(step) {
        let (head, tail) = stream.split_at(cut);
        let mut reader = StreamReader::new();
        let (first, second) = (reader.push(head), reader.push(tail));
        assert_eq!(first.first_content || second.first_content, passed.first_content);
        assert_eq!(first.error || second.error, passed.error);
        assert_eq!(reader.finish(), facts, "the stream is another one when cut at byte {cut}");
    }
    let mut reader = StreamReader::new();
    for byte in stream.chunks(1) {
        reader.push(byte);
    }
    assert_eq!(reader.finish(), facts, "the stream is another one byte by byte");
}

/// Chosen: every place in inputs of the length that fuzzing finds best.
const MOST_CUTS: usize = 512;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn bodies_and_streams_of_the_field_pass() {
        let events = ": ping\r\n\r\ndata: {\"choices\":[{\"delta\":{\"content\":\"é\"}}]}\n\n\
                      data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n\
                      data: [DONE]\n\n";
        fuzz_wire(events.as_bytes());
        fuzz_wire(br#"{"model":"a@b","stop":null,"stream":true,"n":1e999,"u":"\ud800"}"#);
        fuzz_wire(br#"{"choices":[{"message":{"content":"x"}}],"usage":null}"#);
    }

    proptest! {
        #[test]
        fn whatever_comes_passes(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            fuzz_wire(&bytes);
        }

        #[test]
        fn whatever_looks_like_a_body_passes(
            text in r#"\{"model":"[a@/]{1,3}"(,"[a-cs]{1,2}":[0-9eE.+-]{1,3}){0,3}\}?"#,
        ) {
            fuzz_wire(text.as_bytes());
        }
    }
}
