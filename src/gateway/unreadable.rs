//! Why an answer cannot be read: what the log says, so that somebody finds the upstream or the
//! proxy that sent it. Clients are told no more than that it is so.

use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use super::fault::Fault;
use crate::exchange::Ending;
use crate::wire::AnswerError;

/// Why an answer cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum Unreadable {
    /// It is of another type.
    #[error("its content type is {found}; {wanted} was expected")]
    ContentType {
        /// What it is.
        found: String,
        /// What it should be.
        wanted: &'static str,
    },
    /// It is packed, though that was not asked for.
    #[error("it is packed ({0}), which was not asked for")]
    Encoded(String),
    /// It has more bytes than may be.
    #[error("it has more than the {0} bytes of `limits.answer_bytes`")]
    TooLong(u64),
    /// Its status is neither 200 nor one of an error.
    #[error("its status is {0}; 200 and 400 to 599 are known{hint}", hint = hint(*.0))]
    Status(u16),
    /// It is no answer of chat completions.
    #[error(transparent)]
    Answer(#[from] AnswerError),
    /// An event of a stream is none of chat completions.
    #[error("an event is no JSON object of chat completions, or a line is no server-sent event")]
    Event,
}

/// What is left of an answer that did not come as it should.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Lost {
    pub(super) fault: Fault,
    pub(super) why: Option<Unreadable>,
}

impl Unreadable {
    /// Of an answer with these headers, of which another type was expected.
    pub(super) fn content_type(headers: &HeaderMap, wanted: &'static str) -> Self {
        Self::ContentType { found: shown(headers, &CONTENT_TYPE), wanted }
    }

    /// Of an answer with these headers.
    pub(super) fn encoded(headers: &HeaderMap) -> Self {
        Self::Encoded(shown(headers, &CONTENT_ENCODING))
    }
}

impl From<Fault> for Lost {
    fn from(fault: Fault) -> Self {
        Self { fault, why: None }
    }
}

impl From<Unreadable> for Lost {
    fn from(why: Unreadable) -> Self {
        Self { fault: Fault::of(Ending::Malformed), why: Some(why) }
    }
}

fn shown(headers: &HeaderMap, name: &http::HeaderName) -> String {
    match headers.get(name) {
        Some(value) => format!("{value:?}"),
        None => "missing".to_owned(),
    }
}

const fn hint(status: u16) -> &'static str {
    match status {
        300..400 => ": the upstream's URL leads elsewhere",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_read_is_told_with_what_it_is() {
        let headers = HeaderMap::from_iter([
            (CONTENT_TYPE, "text/html".parse().unwrap()),
            (CONTENT_ENCODING, "gzip".parse().unwrap()),
        ]);
        for (why, words) in [
            (
                Unreadable::content_type(&headers, "application/json"),
                "its content type is \"text/html\"; application/json was expected",
            ),
            (
                Unreadable::content_type(&HeaderMap::new(), "text/event-stream"),
                "its content type is missing; text/event-stream was expected",
            ),
            (Unreadable::encoded(&headers), "it is packed (\"gzip\"), which was not asked for"),
            (
                Unreadable::Status(302),
                "its status is 302; 200 and 400 to 599 are known: the upstream's URL leads elsewhere",
            ),
            (Unreadable::Status(204), "its status is 204; 200 and 400 to 599 are known"),
        ] {
            assert_eq!(why.to_string(), words);
            assert_eq!(Lost::from(why).fault.ending, Ending::Malformed);
        }
    }
}
