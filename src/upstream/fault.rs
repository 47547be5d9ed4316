//! A scheduled change of an upstream's behaviour.

use std::fmt;

use super::Failure;
use crate::chance::Distribution;
use crate::units::{Duration, format_significant};

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

/// What the fault does, in words: `30.00 % answered 503, latency x 3`.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failures = self.failures.iter();
        let mut parts: Vec<_> = failures
            .map(|failure| format!("{} answered {}", failure.probability, failure.status))
            .collect();
        match &self.latency {
            None => {}
            Some(LatencyChange::Times(factor)) => {
                parts.push(format!("latency x {}", format_significant(*factor, 3)));
            }
            Some(LatencyChange::Add(extra)) => parts.push(format!("latency +{extra}")),
            Some(LatencyChange::Replace(with)) => {
                let mean = Duration::from_secs_f64(with.mean());
                parts.push(format!("latency replaced, mean {mean}"));
            }
        }
        if !self.ramp.is_zero() {
            parts.push(format!("over {}", self.ramp));
        }
        f.write_str(&parts.join(", "))
    }
}
