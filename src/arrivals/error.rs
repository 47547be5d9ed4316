//! What parameters define no arrival process.

use crate::chance::DistributionError;
use crate::units::Duration;

/// Why parameters define no arrival process.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArrivalsError {
    /// Nothing was given for a parameter that must be.
    #[error("`{key}` is missing")]
    Missing {
        /// Which.
        key: &'static str,
    },
    /// A rate of 0 where something must arrive.
    #[error("at a rate of 0 nothing ever arrives: allowed is more than 0/s")]
    NoRate {
        /// Whose value it is.
        key: &'static str,
    },
    /// An empty list of rates.
    #[error("there are no rates: at least 1 is needed")]
    NoRates,
    /// A list of rates that are all 0.
    #[error("all rates are 0: nothing ever arrives")]
    AllRatesZero,
    /// A length of time in which a rate should hold, and which is none.
    #[error("each rate holds for 0 s: more than 0 s is needed")]
    NoTime,
    /// An end beyond all time.
    #[error("{count} rates of {every} each are too long: together at most 292 years are allowed")]
    TooLong {
        /// How long each holds.
        every: Duration,
        /// How many there are.
        count: usize,
    },
    /// A value outside its range.
    #[error("`{key}` is {value}: allowed is {allowed}")]
    OutOfRange {
        /// Whose value it is.
        key: &'static str,
        /// What it is, with its unit.
        value: String,
        /// What is allowed.
        allowed: String,
    },
    /// Too few or too many of several parameters that define a process together.
    #[error("{model} is not defined by {given}: give {allowed}")]
    Undefined {
        /// The model.
        model: &'static str,
        /// What was given.
        given: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// The gaps have no such distribution.
    #[error(transparent)]
    Distribution(#[from] DistributionError),
    /// A sum with more parts than identities of requests tell apart.
    #[error("a sum has {count} parts: allowed are 1 to {most}")]
    Parts {
        /// How many.
        count: usize,
        /// How many are allowed.
        most: usize,
    },
}

impl ArrivalsError {
    /// The parameter that it is about, where it is one alone.
    pub fn key(&self) -> Option<&'static str> {
        match self {
            Self::Missing { key } | Self::NoRate { key } | Self::OutOfRange { key, .. } => {
                Some(key)
            }
            Self::NoRates | Self::AllRatesZero | Self::TooLong { .. } => Some("rates"),
            Self::NoTime => Some("every"),
            Self::Undefined { .. } | Self::Distribution(_) | Self::Parts { .. } => None,
        }
    }
}
