//! A fault with its instants, compiled for sampling.

use super::compiled_failure::CompiledFailure;
use super::pace::Times;
use super::{Fault, LatencyChange};
use crate::chance::Sampler;
use crate::units::{Draw, Duration, Ratio, Timestamp};

/// A fault that is scheduled on an upstream.
#[derive(Clone, Debug)]
pub(super) struct ActiveFault {
    onset: Timestamp,
    until: Option<Timestamp>,
    fault: Fault,
    /// The share of users that it hits, as a threshold.
    users: Option<u128>,
    failures: Vec<CompiledFailure>,
    /// What a replaced latency is drawn with.
    replacement: Option<Box<Sampler>>,
}

impl ActiveFault {
    pub(super) fn new(fault: &Fault, onset: Timestamp, until: Option<Timestamp>) -> Self {
        Self {
            onset,
            until,
            fault: fault.clone(),
            users: fault.users.map(Ratio::threshold),
            failures: fault.failures.iter().map(CompiledFailure::new).collect(),
            replacement: match &fault.latency {
                Some(LatencyChange::Replace(with)) => Some(Box::new(Sampler::new(with))),
                _ => None,
            },
        }
    }

    /// The fault as it was planned.
    pub(super) const fn fault(&self) -> &Fault {
        &self.fault
    }

    /// The failures that it brings.
    pub(super) fn failures(&self) -> &[CompiledFailure] {
        &self.failures
    }

    /// Whether it has begun before `now` and has an end of its own, after `now`.
    pub(super) fn goes_on(&self, now: Timestamp) -> bool {
        self.onset < now && self.until.is_some_and(|until| until > now)
    }

    /// Whether it is on `now`.
    pub(super) fn is_on(&self, now: Timestamp) -> bool {
        now >= self.onset && self.until.is_none_or(|until| now < until)
    }

    /// How strong the fault is `now` for the user whose draw is `user`: 0 before and after it and
    /// for users that it does not hit.
    pub(super) fn strength(&self, now: Timestamp, user: Draw) -> f64 {
        let hit = self.users.is_none_or(|threshold| user.is_below(threshold));
        if hit && self.is_on(now) { self.fault.strength(now.since(self.onset)) } else { 0.0 }
    }

    /// `times` as the fault changes them at this strength; `draw` is the one that a total was drawn
    /// with, so that a replaced one keeps its rank.
    pub(super) fn change(&self, times: Times, strength: f64, draw: Draw) -> Times {
        let Some(change) = &self.fault.latency else { return times };
        if strength == 0.0 {
            return times;
        }
        match (change, &self.replacement) {
            (LatencyChange::Times(factor), _) => times.scaled(1.0 + (factor - 1.0) * strength),
            (LatencyChange::Add(extra), _) => {
                let extra = extra.mul_f64(strength);
                Times {
                    first: times.first.saturating_add(extra),
                    total: times.total.saturating_add(extra),
                    ..times
                }
            }
            (LatencyChange::Replace(_), Some(sampler)) => {
                let replaced = Duration::from_secs_f64(sampler.sample(draw));
                let total = times.total.mul_f64(1.0 - strength);
                let total = total.saturating_add(replaced.mul_f64(strength));
                let share = |of: Duration| {
                    if times.total.is_zero() {
                        return 0.0;
                    }
                    of.as_secs_f64() / times.total.as_secs_f64()
                };
                let [first, tail] = [times.first, times.tail].map(|of| total.mul_f64(share(of)));
                Times { first, total, tail }
            }
            (LatencyChange::Replace(_), None) => times,
        }
    }
}
