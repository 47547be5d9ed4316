//! A scheduled change of an upstream's behaviour.

use super::Failure;
use crate::chance::Distribution;
use crate::units::Duration;

/// A change of behaviour for a time. Faults that overlap add up, in the order they began.
#[derive(Clone, PartialEq, Debug)]
pub struct Fault {
    /// Its onset, from the beginning of its phase.
    pub at: Duration,
    /// How long it lasts; `None`: until its phase ends.
    pub lasts: Option<Duration>,
    /// How long it takes to come to its full strength.
    pub ramp: Duration,
    /// Failures beside the normal ones.
    pub failures: Vec<Failure>,
    /// What happens to the latency of successes.
    pub latency: Option<LatencyChange>,
}

/// What a fault does to latencies.
#[derive(Clone, PartialEq, Debug)]
pub enum LatencyChange {
    /// Multiplied by this factor, 0 to 1000.
    Times(f64),
    /// This much longer.
    Add(Duration),
    /// Drawn from this distribution instead, in seconds.
    Replace(Distribution),
}
