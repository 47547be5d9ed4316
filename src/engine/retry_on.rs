//! The endings that an attempt can be made again on.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::exchange::{Class, Classification, Ending};

/// An ending, or a kind of endings, of an attempt.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum RetryOn {
    /// `5xx`: any status from 500 to 599.
    ServerErrors,
    /// This status.
    Status(u16),
    /// `timeout`
    Timeout,
    /// `refused`
    Refused,
    /// `reset`
    Reset,
    /// `malformed`
    Malformed,
    /// `truncated`
    Truncated,
    /// `error_in_stream`
    ErrorInStream,
}

/// A word that names no ending that can be retried on.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RetryOnError {
    /// No such word.
    #[error(
        "{word:?} is no ending to retry on: allowed are 5xx, a status from 400 to 599, {}",
        words()
    )]
    Unknown {
        /// It.
        word: String,
    },
    /// Another attempt would end in the same way.
    #[error("status {status} is the client's error: another attempt would end in the same way")]
    ClientError {
        /// It.
        status: u16,
    },
}

impl RetryOn {
    /// What is retried on where nothing is said: what the clients that OpenAI publishes retry on,
    /// as far as it can happen here.
    pub const DEFAULT: [Self; 5] =
        [Self::Status(408), Self::Status(429), Self::ServerErrors, Self::Refused, Self::Reset];

    /// Whether an attempt ended so.
    pub(super) fn covers(self, ending: Ending) -> bool {
        match (self, ending) {
            (Self::ServerErrors, Ending::Status(status)) => (500..600).contains(&status),
            (Self::Status(wanted), Ending::Status(status)) => wanted == status,
            _ => WORDS.contains(&(self, ending)),
        }
    }
}

impl FromStr for RetryOn {
    type Err = RetryOnError;

    fn from_str(word: &str) -> Result<Self, RetryOnError> {
        if word == SERVER_ERRORS {
            return Ok(Self::ServerErrors);
        }
        if let Some((on, _)) = WORDS.iter().find(|(_, ending)| ending.word() == Some(word)) {
            return Ok(*on);
        }
        let status = word.parse::<u16>().ok().filter(|status| (400..600).contains(status));
        let status = status.ok_or_else(|| RetryOnError::Unknown { word: word.to_owned() })?;
        match Ending::Status(status).class(Classification::default()) {
            Class::ClientError => Err(RetryOnError::ClientError { status }),
            _ => Ok(Self::Status(status)),
        }
    }
}

impl fmt::Display for RetryOn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ServerErrors => f.write_str(SERVER_ERRORS),
            Self::Status(status) => write!(f, "{status}"),
            word => {
                let named = WORDS.iter().find(|(on, _)| on == word);
                f.write_str(named.and_then(|(_, ending)| ending.word()).unwrap_or_default())
            }
        }
    }
}

impl TryFrom<String> for RetryOn {
    type Error = RetryOnError;
    fn try_from(word: String) -> Result<Self, RetryOnError> {
        word.parse()
    }
}

impl From<RetryOn> for String {
    fn from(on: RetryOn) -> Self {
        on.to_string()
    }
}

fn words() -> String {
    WORDS.map(|(_, ending)| ending.word().unwrap_or_default()).join(", ")
}

const SERVER_ERRORS: &str = "5xx";
/// The endings that have no number.
const WORDS: [(RetryOn, Ending); 6] = [
    (RetryOn::Timeout, Ending::Timeout),
    (RetryOn::Refused, Ending::Refused),
    (RetryOn::Reset, Ending::Reset),
    (RetryOn::Malformed, Ending::Malformed),
    (RetryOn::Truncated, Ending::Truncated),
    (RetryOn::ErrorInStream, Ending::ErrorInStream),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_as_it_is_written() {
        for word in ["5xx", "429", "503", "timeout", "refused", "reset", "error_in_stream"] {
            assert_eq!(word.parse::<RetryOn>().unwrap().to_string(), word);
        }
    }

    #[test]
    fn words_cover_their_endings_and_no_others() {
        let covers = |word: &str, ending| word.parse::<RetryOn>().unwrap().covers(ending);
        assert!(covers("5xx", Ending::Status(500)) && covers("5xx", Ending::Status(599)));
        assert!(!covers("5xx", Ending::Status(429)) && !covers("5xx", Ending::Timeout));
        assert!(covers("503", Ending::Status(503)) && !covers("503", Ending::Status(502)));
        assert!(covers("reset", Ending::Reset) && !covers("reset", Ending::Refused));
        assert!(!covers("truncated", Ending::ClientClosed));
    }

    #[test]
    fn a_clients_error_and_an_unknown_word_are_refused() {
        let refused = |word: &str| word.parse::<RetryOn>().unwrap_err().to_string();
        assert_eq!(
            refused("400"),
            "status 400 is the client's error: another attempt would end in the same way"
        );
        assert_eq!(
            refused("200"),
            "\"200\" is no ending to retry on: allowed are 5xx, a status from 400 to 599, timeout, \
             refused, reset, malformed, truncated, error_in_stream"
        );
    }
}
