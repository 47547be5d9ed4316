//! Why a recording cannot be fitted.

use crate::units::{Duration, ModelId};

/// Why a recording cannot be fitted.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// Too few requests to say anything.
    #[error("{requests} requests are too few to be fitted: at least {least} are needed")]
    TooFew {
        /// How many there are.
        requests: u64,
        /// How many are needed.
        least: u64,
    },
    /// All requests at one instant.
    #[error("all {requests} requests came at one instant: there is no rate to fit")]
    NoTime {
        /// How many there are.
        requests: u64,
    },
    /// A request too long after the first.
    #[error("a request came {at} after the first: allowed are {most}; fit a part of the recording")]
    TooLong {
        /// When it came.
        at: Duration,
        /// The latest that is allowed.
        most: Duration,
    },
    /// No request for the model that was asked for.
    #[error("no request asks for {model}: the recording has {known}")]
    UnknownModel {
        /// What was asked for.
        model: ModelId,
        /// Which there are.
        known: String,
    },
    /// No request was answered by the version that was named.
    #[error("no version of the recording is called {version:?}: it has {known}")]
    UnknownVersion {
        /// What was named.
        version: String,
        /// Which there are.
        known: String,
    },
    /// More models and versions than a scenario may have.
    #[error("the recording has more than {most} {what}: fit one model with --model")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many are allowed.
        most: usize,
    },
    /// What was fitted is no scenario, or cannot be played: a bug.
    #[error("the fitted scenario cannot be played, which is a bug: {reason}")]
    Unplayable {
        /// What is wrong with it.
        reason: String,
    },
}
