//! A scheduled change of an upstream's behaviour.

use std::fmt;

use super::{Capacity, Failure, RateLimit};
use crate::chance::Distribution;
use crate::math;
use crate::units::{Duration, Ratio, format_significant};

/// A change of behaviour for a time. Faults that overlap add up, in the order of the file.
#[derive(Clone, PartialEq, Debug)]
pub struct Fault {
    /// Its onset, from the beginning of its phase.
    pub at: Duration,
    /// How long it lasts; `None`: until its phase ends.
    pub lasts: Option<Duration>,
    /// How long it takes to come to its full strength.
    pub ramp: Duration,
    /// How its strength changes, beside the ramp.
    pub shape: FaultShape,
    /// The share of users that it hits, the same ones for every fault; `None`: all.
    pub users: Option<Ratio>,
    /// Failures beside the normal ones.
    pub failures: Vec<Failure>,
    /// What happens to the latency of answers.
    pub latency: Option<LatencyChange>,
    /// How much is answered at once instead, from the onset on, whatever the strength.
    pub capacity: Option<Capacity>,
    /// How much is accepted over time instead, from the onset on, whatever the strength.
    pub rate_limit: RateLimit,
}

impl Fault {
    /// Whether it leaves every answer as it is: what makes no version bad.
    pub fn changes_nothing(&self) -> bool {
        let latency = match &self.latency {
            None => true,
            Some(LatencyChange::Times(times)) => *times == 1.0,
            Some(LatencyChange::Add(time)) => time.is_zero(),
            Some(LatencyChange::Replace(_)) => false,
        };
        let fails = self.failures.iter().any(|failure| failure.probability > Ratio::ZERO);
        latency && !fails && !self.limits()
    }
}

/// What a fault does to latencies.
#[derive(Clone, PartialEq, Debug)]
pub enum LatencyChange {
    /// Multiplied by this factor, 0 to 1000: total and first token alike.
    Times(f64),
    /// This much longer, before the first token.
    Add(Duration),
    /// The total drawn from this distribution instead, in seconds, the first token in proportion.
    Replace(Distribution),
}

/// How the strength of a fault changes over its time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum FaultShape {
    /// It does not.
    #[default]
    Step,
    /// It grows evenly from none at the onset to the whole after this time, more than 0.
    Drift {
        /// How long it grows.
        over: Duration,
    },
    /// On for the first half of every period, off for the second.
    Square {
        /// More than 0.
        period: Duration,
    },
    /// Up and down again in every period, as (1 - cos) / 2.
    Sine {
        /// More than 0.
        period: Duration,
    },
}

impl Fault {
    /// Whether it limits how much is answered at once or accepted over time.
    pub const fn limits(&self) -> bool {
        self.capacity.is_some() || !self.rate_limit.is_none()
    }

    /// How strong the fault is so long after its onset, 0 to 1.
    pub(super) fn strength(&self, elapsed: Duration) -> f64 {
        let share = |of: Duration| {
            if elapsed >= of { 1.0 } else { elapsed.as_secs_f64() / of.as_secs_f64() }
        };
        let phase = |period: Duration| {
            let into = elapsed.as_nanos() % period.as_nanos();
            into as f64 / period.as_nanos() as f64
        };
        let shape = match self.shape {
            FaultShape::Step => 1.0,
            FaultShape::Drift { over } => share(over),
            FaultShape::Square { period } => f64::from(phase(period) < 0.5),
            FaultShape::Sine { period } => {
                0.5 - 0.5 * math::cos(std::f64::consts::TAU * phase(period))
            }
        };
        shape * share(self.ramp)
    }
}

/// What the fault does, in words: `30.00 % answered 503, latency x 3`.
impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failures = self.failures.iter();
        let mut parts: Vec<_> =
            failures.map(|failure| format!("{} {}", failure.probability, failure.kind)).collect();
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
        parts.extend(self.capacity.map(|capacity| capacity.to_string()));
        parts.extend(self.rate_limit.words());
        if let Some(users) = self.users {
            parts.push(format!("for {users} of the users"));
        }
        if !self.ramp.is_zero() {
            parts.push(format!("over {}", self.ramp));
        }
        match self.shape {
            FaultShape::Step => {}
            FaultShape::Drift { over } => parts.push(format!("growing over {over}")),
            FaultShape::Square { period } => parts.push(format!("on and off every {period}")),
            FaultShape::Sine { period } => parts.push(format!("up and down every {period}")),
        }
        f.write_str(&parts.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(ramp: u64, shape: FaultShape) -> Fault {
        Fault {
            at: Duration::ZERO,
            lasts: None,
            ramp: Duration::from_secs(ramp),
            shape,
            users: None,
            failures: Vec::new(),
            latency: Some(LatencyChange::Times(3.0)),
            capacity: None,
            rate_limit: RateLimit::default(),
        }
    }

    fn strengths(fault: &Fault, seconds: [u64; 5]) -> [f64; 5] {
        seconds.map(|second| fault.strength(Duration::from_secs(second)))
    }

    #[test]
    fn a_step_is_there_at_once_and_a_ramp_grows() {
        let at = [0, 30, 60, 120, 500];
        assert_eq!(strengths(&fault(0, FaultShape::Step), at), [1.0; 5]);
        assert_eq!(strengths(&fault(120, FaultShape::Step), at), [0.0, 0.25, 0.5, 1.0, 1.0]);
        let drift = FaultShape::Drift { over: Duration::from_secs(600) };
        assert_eq!(strengths(&fault(0, drift), [0, 60, 300, 600, 900]), [0.0, 0.1, 0.5, 1.0, 1.0]);
    }

    #[test]
    fn a_square_is_on_for_the_first_half_of_each_period() {
        let square = FaultShape::Square { period: Duration::from_secs(60) };
        let at = [0, 29, 30, 59, 60];
        assert_eq!(strengths(&fault(0, square), at), [1.0, 1.0, 0.0, 0.0, 1.0]);
        // Under a ramp its strokes grow.
        assert_eq!(strengths(&fault(240, square), at), [0.0, 29.0 / 240.0, 0.0, 0.0, 0.25]);
    }

    #[test]
    fn a_sine_rises_and_falls_within_each_period() {
        let sine = FaultShape::Sine { period: Duration::from_secs(60) };
        // (1 - cos(2 pi t / 60)) / 2.
        let expected = [0.0, 0.25, 1.0, 0.25, 0.0];
        let found = strengths(&fault(0, sine), [0, 10, 30, 50, 60]);
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found} against {expected}");
        }
    }

    #[test]
    fn a_fault_says_what_it_does() {
        let mut fault = fault(90, FaultShape::Square { period: Duration::from_secs(60) });
        fault.users = Ratio::new(0.25).ok();
        assert_eq!(
            fault.to_string(),
            "latency x 3, for 25.00 % of the users, over 90 s, on and off every 60 s"
        );
    }
}
