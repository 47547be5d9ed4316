//! The normal behaviour of a version's upstream.

use crate::chance::Distribution;
use crate::units::Ratio;

/// How an upstream answers when nothing is wrong with it.
#[derive(Clone, PartialEq, Debug)]
pub struct Behaviour {
    /// Time to the complete answer, in seconds.
    pub latency: Distribution,
    /// The share of it that passes until the first token.
    pub first_token: Ratio,
    /// How it fails; the probabilities sum to at most 1.
    pub failures: Vec<Failure>,
}

impl Behaviour {
    /// The share of the total latency that passes until the first token, unless stated.
    pub const DEFAULT_FIRST_TOKEN: f64 = 0.2;
}

/// One way of failing: an HTTP status instead of an answer.
#[derive(Clone, PartialEq, Debug)]
pub struct Failure {
    /// The status, 400 to 599.
    pub status: u16,
    /// How probable it is for a request.
    pub probability: Ratio,
    /// How long the failure takes, in seconds.
    pub latency: Distribution,
}

impl Failure {
    /// Seconds that a failure takes unless stated: a status fails fast.
    pub const DEFAULT_LATENCY_SECS: f64 = 0.04;
}
