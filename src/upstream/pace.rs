//! How long the answers of an upstream take: its latency, compiled for sampling.

use super::behaviour::{Latency, LatencyParts};
use crate::chance::{Draws, Purpose, Sampler};
use crate::exchange::Request;
use crate::units::Duration;

/// Two instants of a complete answer, from the beginning of the request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Times {
    /// The first token.
    pub(super) first: Duration,
    /// The end.
    pub(super) total: Duration,
    /// What of that passes after the last token.
    pub(super) tail: Duration,
}

/// A compiled [`Latency`].
#[derive(Clone, Debug)]
pub(super) enum Pace {
    Total { total: Sampler, first_token: f64 },
    Parts(Box<PartPaces>),
}

/// Compiled [`LatencyParts`].
#[derive(Clone, Debug)]
pub(super) struct PartPaces {
    connect: Sampler,
    first_token: Sampler,
    per_input_token: Sampler,
    per_output_token: Sampler,
    tail: Sampler,
    /// What takes longer is complete after so long.
    at_most: Duration,
}

impl Pace {
    pub(super) fn new(latency: &Latency) -> Self {
        match latency {
            Latency::Total { total, first_token } => {
                Self::Total { total: Sampler::new(total), first_token: first_token.get() }
            }
            Latency::Parts(parts) => Self::Parts(Box::new(PartPaces::new(parts))),
        }
    }
}

impl PartPaces {
    fn new(parts: &LatencyParts) -> Self {
        Self {
            connect: Sampler::new(&parts.connect),
            first_token: Sampler::new(&parts.first_token),
            per_input_token: Sampler::new(&parts.per_input_token),
            per_output_token: Sampler::new(&parts.per_output_token),
            tail: Sampler::new(&parts.tail),
            at_most: parts.at_most.unwrap_or(Duration::MAX),
        }
    }

    /// The times of an answer to `request`.
    pub(super) fn times(&self, request: &Request, draws: Draws) -> Times {
        let secs = |sampler: &Sampler, purpose| sampler.sample(draws.draw(purpose, 0));
        let first = secs(&self.connect, Purpose::Connect)
            + secs(&self.first_token, Purpose::FirstToken)
            + f64::from(request.input.get()) * secs(&self.per_input_token, Purpose::PerInputToken);
        let gaps = f64::from(request.output.get().saturating_sub(1));
        let tail = secs(&self.tail, Purpose::Tail);
        let rest = gaps * secs(&self.per_output_token, Purpose::PerOutputToken) + tail;
        let first = Duration::from_secs_f64(first);
        let total = first.saturating_add(Duration::from_secs_f64(rest)).min(self.at_most);
        let first = first.min(total);
        let tail = Duration::from_secs_f64(tail).min(total.saturating_sub(first));
        Times { first, total, tail }
    }
}

impl Times {
    /// All times `factor` as long.
    #[inline]
    pub(super) fn scaled(self, factor: f64) -> Self {
        if factor == 1.0 {
            return self;
        }
        let Self { first, total, tail } = self;
        let [first, total, tail] = [first, total, tail].map(|time| time.mul_f64(factor));
        Self { first, total, tail }
    }

    /// When a share of the answer has come.
    pub(super) fn at(self, share: f64) -> Duration {
        self.first + self.total.saturating_sub(self.first).mul_f64(share)
    }
}
