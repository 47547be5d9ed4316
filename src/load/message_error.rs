//! What is wrong with what is to be sent.

/// Why nothing can be sent. None shows a value, which may be a secret.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum MessageError {
    /// A place that nothing is filled in for.
    #[error(
        "{{{found}}} is no place that is filled in: there are {known}; in JSON, \\u007b is a brace"
    )]
    Place {
        /// Its name.
        found: String,
        /// The places that there are.
        known: String,
    },
    /// A body that is no JSON object once its places are filled in.
    #[error("the body is no JSON object once its places are filled in: {reason}")]
    Body {
        /// Why.
        reason: String,
    },
    /// A header that has no name.
    #[error("a header is NAME: VALUE, such as 'X-User: {{user}}'")]
    Header,
    /// A header whose name is none.
    #[error("{found:?} is no name of a header: allowed are letters, digits and -")]
    HeaderName {
        /// The name.
        found: String,
    },
    /// A header that every request has already.
    #[error("the header {name} is the generator's own: leave it out")]
    OwnHeader {
        /// Its name.
        name: String,
    },
    /// A header whose value cannot be sent.
    #[error("the value of the header {name} has a character that no header can have")]
    HeaderValue {
        /// Its name.
        name: String,
    },
    /// No model is named.
    #[error("no model is named")]
    NoModel,
}
