//! From a request and an instant to the plan of its response.

use super::{Behaviour, Failure, Fault, LatencyChange};
use crate::chance::{Draws, Purpose, Sampler};
use crate::exchange::{Ending, Finish, Observed, Request, Usage};
use crate::units::{Draw, Duration, Ratio, Timestamp};

/// All that will happen to one request at its upstream.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ResponsePlan {
    /// How it ends.
    pub ending: Ending,
    /// Time to the end.
    pub latency: Duration,
    /// Time to the first token, where the answer is streamed and has one.
    pub first_token: Option<Duration>,
}

impl ResponsePlan {
    /// What comes of the plan for a client that waits for at most `limits.client`, behind a gateway
    /// that waits for at most `limits.upstream`. A client that leaves ends it as
    /// [`Ending::ClientClosed`]: whether that is the version's fault is the engine's to say.
    pub fn observe(&self, request: &Request, limits: Limits) -> Observed {
        let Self { ending, latency, first_token } = *self;
        let cut = limits.client.min(limits.upstream);
        if latency > cut {
            let left = limits.client < limits.upstream;
            let ending = if left { Ending::ClientClosed } else { Ending::Timeout };
            let first_token = first_token.filter(|first| *first <= cut);
            let usage = Usage::default();
            return Observed { ending, latency: cut, first_token, usage, finish: None };
        }
        let (usage, finish) = match ending {
            Ending::Success => {
                (Usage { input: request.input, output: request.output }, Some(Finish::Stop))
            }
            _ => (Usage::default(), None),
        };
        Observed { ending, latency, first_token, usage, finish }
    }
}

/// How long the parties to a request wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// The client, for the complete answer.
    pub client: Duration,
    /// The gateway, for the upstream's complete answer.
    pub upstream: Duration,
}

/// A version's upstream: its behaviour, compiled for sampling, and the faults on it now.
#[derive(Clone, Debug)]
pub struct Responder {
    latency: Sampler,
    first_token_share: f64,
    failures: Vec<CompiledFailure>,
    /// The probability that any of `failures` happens, as a threshold.
    any_failure: u128,
    faults: Vec<ActiveFault>,
}

impl Responder {
    /// An upstream of this behaviour, without faults.
    pub fn new(behaviour: &Behaviour) -> Self {
        let failures: Vec<_> = behaviour.failures.iter().map(CompiledFailure::new).collect();
        let any_failure = total(&failures);
        Self {
            latency: Sampler::new(&behaviour.latency),
            first_token_share: behaviour.first_token.get(),
            failures,
            any_failure,
            faults: Vec::new(),
        }
    }

    /// Puts `fault` on the upstream from `onset` to before `until`; `None`: until
    /// [`Responder::end_open_faults`].
    pub fn begin_fault(&mut self, fault: &Fault, onset: Timestamp, until: Option<Timestamp>) {
        let latency = match &fault.latency {
            None => None,
            Some(LatencyChange::Times(factor)) => Some(CompiledChange::Times(*factor)),
            Some(LatencyChange::Add(extra)) => Some(CompiledChange::Add(*extra)),
            Some(LatencyChange::Replace(distribution)) => {
                Some(CompiledChange::Replace(Box::new(Sampler::new(distribution))))
            }
        };
        self.faults.push(ActiveFault {
            onset,
            until,
            ramp: fault.ramp,
            failures: fault.failures.iter().map(CompiledFailure::new).collect(),
            latency,
        });
    }

    /// Ends every fault that had no end of its own, and forgets those that are over.
    pub fn end_open_faults(&mut self, now: Timestamp) {
        self.faults.retain(|fault| fault.until.is_some_and(|until| until > now));
    }

    /// What happens to `request` if it arrives `now`: a function of the behaviour, the faults and
    /// the request's own draws, so that other rules or splits meet the same answer.
    pub fn plan(&self, request: &Request, now: Timestamp, draws: Draws) -> ResponsePlan {
        let failure_draw = draws.draw(Purpose::Failure, 0);
        let failure = if self.faults.is_empty() {
            if failure_draw.is_below(self.any_failure) {
                pick(&self.failures, failure_draw)
            } else {
                None
            }
        } else {
            self.pick_under_faults(failure_draw, now)
        };
        if let Some(failure) = failure {
            let secs = failure.latency.sample(draws.draw(Purpose::FailureLatency, 0));
            return ResponsePlan {
                ending: Ending::Status(failure.status),
                latency: Duration::from_secs_f64(secs),
                first_token: None,
            };
        }
        let draw = draws.draw(Purpose::Latency, 0);
        let mut latency = Duration::from_secs_f64(self.latency.sample(draw));
        for fault in &self.faults {
            latency = fault.change(latency, now, draw);
        }
        let first_token = request.stream.then(|| latency.mul_f64(self.first_token_share));
        ResponsePlan { ending: Ending::Success, latency, first_token }
    }

    /// The failure that `draw` hits when those of the active faults, at their strength `now`, stand
    /// behind the normal ones.
    fn pick_under_faults(&self, draw: Draw, now: Timestamp) -> Option<&CompiledFailure> {
        if let Some(failure) = pick(&self.failures, draw) {
            return Some(failure);
        }
        let mut bound = self.any_failure;
        for fault in &self.faults {
            let strength = fault.strength(now);
            if strength == 0.0 {
                continue;
            }
            for failure in &fault.failures {
                bound += scaled(failure.threshold, strength);
                if draw.is_below(bound) {
                    return Some(failure);
                }
            }
        }
        None
    }
}

/// A failure ready to be drawn.
#[derive(Clone, Debug)]
struct CompiledFailure {
    status: u16,
    threshold: u128,
    latency: Sampler,
}

impl CompiledFailure {
    fn new(failure: &Failure) -> Self {
        Self {
            status: failure.status,
            threshold: failure.probability.threshold(),
            latency: Sampler::new(&failure.latency),
        }
    }
}

/// A fault with its instants.
#[derive(Clone, Debug)]
struct ActiveFault {
    onset: Timestamp,
    until: Option<Timestamp>,
    ramp: Duration,
    failures: Vec<CompiledFailure>,
    latency: Option<CompiledChange>,
}

#[derive(Clone, Debug)]
enum CompiledChange {
    Times(f64),
    Add(Duration),
    Replace(Box<Sampler>),
}

impl ActiveFault {
    /// How far the fault has come `now`: 0 before and after it, 1 at its full strength.
    fn strength(&self, now: Timestamp) -> f64 {
        if now < self.onset || self.until.is_some_and(|until| now >= until) {
            return 0.0;
        }
        let elapsed = now.since(self.onset);
        if elapsed >= self.ramp { 1.0 } else { elapsed.as_secs_f64() / self.ramp.as_secs_f64() }
    }

    /// `latency` as the fault changes it; `draw` is the one that `latency` was drawn with, so that
    /// a replaced latency keeps its rank.
    fn change(&self, latency: Duration, now: Timestamp, draw: Draw) -> Duration {
        let Some(change) = &self.latency else { return latency };
        let strength = self.strength(now);
        if strength == 0.0 {
            return latency;
        }
        match change {
            CompiledChange::Times(factor) => latency.mul_f64(1.0 + (factor - 1.0) * strength),
            CompiledChange::Add(extra) => latency.saturating_add(extra.mul_f64(strength)),
            CompiledChange::Replace(sampler) => {
                let replaced = Duration::from_secs_f64(sampler.sample(draw));
                latency.mul_f64(1.0 - strength).saturating_add(replaced.mul_f64(strength))
            }
        }
    }
}

/// The failure whose stretch of [0, sum of probabilities) `draw` falls into.
fn pick(failures: &[CompiledFailure], draw: Draw) -> Option<&CompiledFailure> {
    let mut bound = 0;
    failures.iter().find(|failure| {
        bound += failure.threshold;
        draw.is_below(bound)
    })
}

fn total(failures: &[CompiledFailure]) -> u128 {
    failures.iter().map(|failure| failure.threshold).sum()
}

/// A probability's threshold times `strength` in (0, 1].
fn scaled(threshold: u128, strength: f64) -> u128 {
    if strength >= 1.0 {
        threshold
    } else {
        let share = threshold as f64 / Ratio::ONE.threshold() as f64 * strength;
        Ratio::new(share).map_or(threshold, Ratio::threshold)
    }
}
