//! Why a version's parameters cannot be used.
//!
//! Knows nothing of requests.

use thiserror::Error;

/// What is wrong with a version's parameters.
#[derive(Clone, PartialEq, Eq, Debug, Error)]
pub enum ParametersError {
    /// A member that only the client of a request can choose.
    #[error("the parameter `{name}` is for the client to choose, must be absent")]
    ClientsOwn {
        /// Which.
        name: &'static str,
    },
    /// A member with a value that is not allowed.
    #[error("the parameter `{name}` is {found}, must be {allowed}")]
    NotAllowed {
        /// Which.
        name: &'static str,
        /// Its value as JSON, shortened.
        found: String,
        /// What it may be.
        allowed: &'static str,
    },
}
