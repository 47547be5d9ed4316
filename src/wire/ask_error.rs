//! Why a request's body cannot be routed.
//!
//! Knows what the reader of a body can find wrong, and how the client is told.

use thiserror::Error;

use super::ApiError;
use super::scan::{DEEPEST, Fault};

/// What is wrong with the body of a chat completion's request.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum AskError {
    /// No bytes, or white space only.
    #[error("the body is empty, must be a JSON object")]
    Empty,
    /// Bytes that are no text.
    #[error("the body is not UTF-8 at byte {offset}")]
    NotUtf8 {
        /// Where, in bytes from the start.
        offset: usize,
    },
    /// A text that is no JSON.
    #[error("the body is not JSON at byte {offset}: expected {expected}")]
    NotJson {
        /// Where, in bytes from the start.
        offset: usize,
        /// What belongs there.
        expected: &'static str,
    },
    /// JSON, but no object.
    #[error("the body is {found}, must be a JSON object")]
    NotObject {
        /// What it is, shortened.
        found: String,
    },
    /// Too many brackets inside each other.
    #[error("the body is nested deeper than {DEEPEST} at byte {offset}")]
    TooDeep {
        /// Where, in bytes from the start.
        offset: usize,
    },
    /// Too many members.
    #[error("the body has more than {limit} members")]
    TooManyMembers {
        /// How many are allowed.
        limit: usize,
    },
    /// A member that is there twice, so that it is open which one counts.
    #[error("the member `{name}` is there more than once, must be at most once")]
    DuplicateMember {
        /// Its name, shortened; with its parent's, if it has one.
        name: String,
    },
    /// No member `model`.
    #[error("the member `model` is missing, must be the name of a model")]
    ModelMissing,
    /// A member with a value that is not allowed.
    #[error("the member `{field}` is {found}, must be {allowed}")]
    NotAllowed {
        /// Which; with its parent's name, if it has one.
        field: &'static str,
        /// Its value, as it stands in the body, shortened.
        found: String,
        /// What it may be.
        allowed: &'static str,
    },
}

impl AskError {
    /// What the client is told: 400, `invalid_request_error`, with the member at fault as `param`.
    pub fn to_api_error(&self) -> ApiError {
        let error = ApiError::malformed(self.to_string());
        match self {
            Self::Empty | Self::NotUtf8 { .. } | Self::NotJson { .. } | Self::NotObject { .. } => {
                error.with_code("invalid_json")
            }
            Self::TooDeep { .. } | Self::TooManyMembers { .. } => error.with_code("too_complex"),
            Self::DuplicateMember { name } => {
                error.with_code("duplicate_parameter").with_param(name.as_str())
            }
            Self::ModelMissing => error.with_code("missing_required_parameter").with_param("model"),
            Self::NotAllowed { field, .. } => error.with_code("invalid_value").with_param(*field),
        }
    }
}

impl From<Fault> for AskError {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Expected { offset, expected } => Self::NotJson { offset, expected },
            Fault::TooDeep { offset } => Self::TooDeep { offset },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_is_told_field_value_and_what_is_allowed() {
        let found = "\"yes\"".to_owned();
        let error = AskError::NotAllowed { field: "stream", found, allowed: "true or false" };
        let told = error.to_api_error();
        assert_eq!(told.status, 400);
        assert_eq!(told.param.as_deref(), Some("stream"));
        assert_eq!(told.message, "the member `stream` is \"yes\", must be true or false");
        assert_eq!(told.kind.word(), "invalid_request_error");
    }

    #[test]
    fn a_body_that_cannot_be_read_blames_no_field() {
        let told = AskError::NotUtf8 { offset: 17 }.to_api_error();
        assert_eq!((told.status, told.param), (400, None));
        assert_eq!(told.message, "the body is not UTF-8 at byte 17");
    }
}
