//! How a request failed, out of the words that other programs have for it.

use super::record::Failure;

/// The failure that an error's class, code or message speaks of; `None` where it speaks of none
/// that is known.
pub(super) fn failure(text: &str) -> Option<Failure> {
    let text = text.to_ascii_lowercase();
    let speaks = |(words, _): &&(&[&str], Failure)| words.iter().any(|word| text.contains(word));
    WORDS.iter().find(speaks).map(|(_, failure)| *failure)
}

/// Words of exception classes (litellm, httpx, aiohttp), error types (OpenTelemetry), messages
/// (Go's `net`) and network errors (Chrome), in lower case; the first that is met decides.
const WORDS: &[(&[&str], Failure)] = &[
    (
        &["timeout", "timed out", "timed_out", "deadline exceeded", "deadline_exceeded"],
        Failure::Timeout,
    ),
    (&["midstream", "mid_stream", "error_in_stream", "errorinstream"], Failure::ErrorInStream),
    (
        &[
            "clientclosed",
            "client_closed",
            "client disconnect",
            "clientdisconnect",
            "cancel",
            "abort",
        ],
        Failure::ClientClosed,
    ),
    (
        &[
            "refused",
            "unreachable",
            "no such host",
            "not_resolved",
            "connecterror",
            "connectorerror",
        ],
        Failure::Refused,
    ),
    (&["truncated", "unexpected eof", "incomplete"], Failure::Truncated),
    (
        &["malformed", "decodeerror", "decode_error", "responsevalidation", "invalid_response"],
        Failure::Malformed,
    ),
    (
        &[
            "reset",
            "broken pipe",
            "eof",
            "remoteprotocol",
            "disconnected",
            "closed",
            "empty_response",
        ],
        Failure::Reset,
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_other_programs_are_understood() {
        let cases = [
            ("Timeout", Failure::Timeout),
            ("APITimeoutError", Failure::Timeout),
            ("context deadline exceeded (Client.Timeout exceeded)", Failure::Timeout),
            ("net::ERR_CONNECTION_TIMED_OUT", Failure::Timeout),
            ("dial tcp 127.0.0.1:80: connect: connection refused", Failure::Refused),
            ("net::ERR_NAME_NOT_RESOLVED", Failure::Refused),
            ("read tcp: connection reset by peer", Failure::Reset),
            ("Post \"http://x\": EOF", Failure::Reset),
            ("unexpected EOF", Failure::Truncated),
            ("net::ERR_ABORTED", Failure::ClientClosed),
            ("asyncio.CancelledError", Failure::ClientClosed),
            ("JSONDecodeError", Failure::Malformed),
            ("MidStreamFallbackError", Failure::ErrorInStream),
        ];
        for (text, expected) in cases {
            assert_eq!(failure(text), Some(expected), "{text}");
        }
        for text in ["RateLimitError", "", "500 Internal Server Error", "other"] {
            assert_eq!(failure(text), None, "{text}");
        }
    }

    #[test]
    fn the_names_of_our_own_failures_are_among_them() {
        for kind in Failure::ALL.into_iter().filter(|kind| *kind != Failure::Other) {
            assert_eq!(failure(kind.name()), Some(kind));
        }
    }
}
