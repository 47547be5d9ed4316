//! Requests that were refused for their access key: whose, and why.

use serde::{Deserialize, Serialize};

use crate::engine::AuthError;
use crate::exchange::ModelIndex;
use crate::units::Timestamp;

/// A request that was refused for its access key: no version saw it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeyRefusal {
    /// When it was sent, and refused.
    pub at: Timestamp,
    /// The phase in which that was (an index).
    pub phase: u16,
    /// The model that it asked for.
    pub model: ModelIndex,
    /// Whose it was (an index into the clients of the workload).
    pub client: u16,
    /// Why it was refused.
    pub reason: KeyFault,
}

/// What is wrong with a key, or with the secret that is presented for it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyFault {
    /// There is none of this name, or none any more: it was revoked.
    Unknown,
    /// The secret was never its.
    WrongSecret,
    /// The secret was replaced, and its grace has ended.
    Replaced,
    /// It was made for a version that was rolled back: with the safeguard off only.
    RolledBack,
}

impl From<&AuthError> for KeyFault {
    fn from(error: &AuthError) -> Self {
        match error {
            AuthError::UnknownKey { .. } => Self::Unknown,
            AuthError::WrongSecret(_) => Self::WrongSecret,
            AuthError::Replaced(_) => Self::Replaced,
            AuthError::RolledBack(_) => Self::RolledBack,
        }
    }
}

/// Requests that were refused for their access key: those of one client in one phase for one model
/// for one reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct KeyRejections {
    /// The phase (an index).
    pub phase: u16,
    /// The model (an index).
    pub model: ModelIndex,
    /// Whose they were (an index into the record's clients); absent where an older version of
    /// coalmine did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<u16>,
    /// Why they were refused; absent where an older version of coalmine did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<KeyFault>,
    /// How many.
    pub count: u64,
}
