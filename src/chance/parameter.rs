//! What describes a distribution, and why a description is refused.

use std::fmt;

/// What a number that describes a distribution is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each is the name of the parameter it stands for")]
pub enum Parameter {
    Value,
    Min,
    Max,
    Mean,
    P99,
    Median,
    Sigma,
    Cv,
    Sd,
    Exponent,
    Scale,
    Shape,
    By,
    Weight,
    Probability,
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Value => "value",
            Self::Min => "min",
            Self::Max => "max",
            Self::Mean => "mean",
            Self::P99 => "p99",
            Self::Median => "median",
            Self::Sigma => "sigma",
            Self::Cv => "cv",
            Self::Sd => "sd",
            Self::Exponent => "zipf",
            Self::Scale => "scale",
            Self::Shape => "shape",
            Self::By => "by",
            Self::Weight => "weight",
            Self::Probability => "probability",
        })
    }
}

/// Why parameters define no distribution.
#[derive(Clone, Copy, PartialEq, Debug, thiserror::Error)]
pub enum DistributionError {
    /// A parameter is NaN or outside its range, which may depend on the other parameters.
    #[error("{parameter} {value:?} is outside {low:?} to {high:?}")]
    OutOfRange {
        /// Which.
        parameter: Parameter,
        /// What it was.
        value: f64,
        /// The smallest allowed.
        low: f64,
        /// The largest allowed.
        high: f64,
    },
    /// A quantile table is too short.
    #[error("a quantile table of {points} points is too short: at least 2 are needed")]
    TooFewPoints {
        /// How many there were.
        points: usize,
    },
    /// A quantile table does not cover all probabilities.
    #[error("probabilities from {first:?} to {last:?} do not run from 0 to 1")]
    OpenEnds {
        /// The first probability.
        first: f64,
        /// The last probability.
        last: f64,
    },
    /// A column of a quantile table runs backwards, or a probability repeats.
    #[error("{parameter} {value:?} at point {index} (from 0) may not follow {previous:?}")]
    Unordered {
        /// Probability or value.
        parameter: Parameter,
        /// Which point, from 0.
        index: usize,
        /// What it was.
        value: f64,
        /// What the point before had.
        previous: f64,
    },
    /// Nothing in a mixture has a weight above 0.
    #[error("no component of the mixture has a weight above 0")]
    NoWeight,
}

/// Fails unless `value` lies in [low, high]; NaN does not.
pub(super) fn check(
    parameter: Parameter,
    value: f64,
    low: f64,
    high: f64,
) -> Result<(), DistributionError> {
    if (low..=high).contains(&value) {
        Ok(())
    } else {
        Err(DistributionError::OutOfRange { parameter, value, low, high })
    }
}
