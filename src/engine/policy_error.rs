//! Why something is no policy.

use crate::units::{Duration, format_duration};

/// Why something is no policy.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum PolicyError {
    /// No attempts or too many.
    #[error("{attempts} further attempts: allowed are 1 to {MAX_ATTEMPTS}")]
    Attempts {
        /// How many.
        attempts: u8,
    },
    /// Nothing is retried.
    #[error("a retry on no ending: name at least one, or leave the retry out")]
    OnNothing,
    /// The waits are in disorder or too long.
    #[error(
        "a backoff from {} to {}: its longest wait must be at least its first and at most {}",
        format_duration(*first), format_duration(*max), format_duration(MAX_BACKOFF)
    )]
    Backoff {
        /// The first wait.
        first: Duration,
        /// The longest.
        max: Duration,
    },
}

/// The most further attempts that a request can have. Chosen: more prolong an outage.
pub(super) const MAX_ATTEMPTS: u8 = 10;
/// The longest wait that can be asked for. Chosen: clients give up earlier.
pub(super) const MAX_BACKOFF: Duration = Duration::from_secs(60);
