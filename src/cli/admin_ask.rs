//! A request to a gateway's administrative interface. Knows no connection.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::Method;
use serde_json::Value;

use super::terminal::Failure;

/// What is asked of a gateway.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    pub(super) method: Method,
    /// Percent-encoded.
    pub(super) path: String,
    pub(super) query: Vec<(&'static str, String)>,
    /// JSON.
    pub(super) body: Option<Vec<u8>>,
    pub(super) repeat: Repeat,
    /// Whether the body is that of a file, which is then what a refusal is about.
    pub(super) is_of_file: bool,
}

/// Whether a request may be sent again where it is not known what became of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Repeat {
    /// It changes nothing.
    Harmless,
    /// Under the same idempotency key: it is then carried out once.
    UnderKey(String),
    /// It is not: its answer holds a secret, which is kept nowhere.
    Never,
}

impl Ask {
    /// One that changes nothing.
    pub(super) fn read(path: String) -> Self {
        let (query, repeat) = (Vec::new(), Repeat::Harmless);
        Self { method: Method::GET, path, query, body: None, repeat, is_of_file: false }
    }

    /// A command. Without a `key` of the caller's one is drawn.
    pub(super) fn command(
        method: Method,
        path: String,
        body: Option<Vec<u8>>,
        key: Option<&str>,
    ) -> Result<Self, Failure> {
        let key = match key {
            Some(key) => key.to_owned(),
            None => drawn_key()?,
        };
        Ok(Self { method, body, repeat: Repeat::UnderKey(key), ..Self::read(path) })
    }

    /// A command whose answer holds a secret.
    pub(super) fn for_secret(path: String, body: &Value) -> Self {
        let body = Some(body.to_string().into_bytes());
        Self { method: Method::POST, body, repeat: Repeat::Never, ..Self::read(path) }
    }

    pub(super) fn with(mut self, name: &'static str, value: &impl ToString) -> Self {
        self.query.push((name, value.to_string()));
        self
    }
}

/// The path of a model's part, such as `deploy`.
pub(super) fn model_path(model: &str, part: &str) -> String {
    format!("/v1/models/{}/{part}", segment(model))
}

/// A name as a segment of a path.
pub(super) fn segment(name: &str) -> String {
    // A version of this name is told from the part of a path that is called so.
    if name == "tag" { "%74ag".to_owned() } else { utf8_percent_encode(name, PLAIN).to_string() }
}

/// 128 random bits: nobody draws the same twice.
fn drawn_key() -> Result<String, Failure> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::internal(format!("error: the system has no randomness: {error}"))
    })?;
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("coalmine-{digits}"))
}

/// Unreserved by RFC 3986, 2.3.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_segment_whatever_they_hold() {
        assert_eq!(model_path("org/name", "deploy"), "/v1/models/org%2Fname/deploy");
        assert_eq!(segment("v1.0_a-b~"), "v1.0_a-b~");
        assert_eq!(segment("7b:q4?#%"), "7b%3Aq4%3F%23%25");
        assert_eq!(segment("tag"), "%74ag");
    }

    #[test]
    fn commands_have_keys_of_their_own_unless_they_are_given_one() {
        let key = |given| {
            let ask = Ask::command(Method::POST, "/x".to_owned(), None, given).unwrap();
            let Repeat::UnderKey(key) = ask.repeat else { panic!("{ask:?}") };
            key
        };
        assert_eq!(key(Some("mine")), "mine");
        assert_ne!(key(None), key(None));
        assert_eq!(key(None).len(), "coalmine-".len() + 32);
    }
}
