//! What a condition's metric comes to, by plain sums over a list of what ended.

use super::seen::Seen;
use crate::engine::{Condition, Operator};
use crate::exchange::{Class, Ending};
use crate::metric::{Measure, Sample};
use crate::units::{Duration, Price};

/// What a window holds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Figure {
    pub(super) requests: u64,
    /// Requests with the property of a share; beyond the limit, for a quantile.
    pub(super) hits: u64,
    /// The metric, times in nanoseconds and money in dollars; `None` for a quantile, which is
    /// compared by its hits, and where there is nothing to divide by.
    pub(super) value: Option<f64>,
}

/// Attempts in flight that a condition on latencies counts.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub(super) struct Late {
    pub(super) count: u64,
    /// The sum of their ages in nanoseconds.
    pub(super) nanos: u128,
}

impl Figure {
    /// That of `condition` over a window, whose version has this price. A quantile is compared with
    /// `limit`.
    pub(super) fn of<'a>(
        condition: &Condition,
        window: impl Iterator<Item = &'a Seen>,
        late: Late,
        price: Option<Price>,
        limit: Option<Duration>,
    ) -> Self {
        let measure = condition.metric.measure();
        match measure {
            Measure::Requests => {
                let requests = window.count() as u64;
                Self { requests, hits: requests, value: Some(requests as f64) }
            }
            Measure::Mean(sample) => {
                let nanos: Vec<_> = window.filter_map(|seen| time(sample, seen)).collect();
                let sum = nanos.iter().map(|time| u128::from(time.as_nanos())).sum::<u128>();
                let requests = nanos.len() as u64 + late.count;
                let value = quotient((sum + late.nanos) as f64, requests as f64);
                // Of nanoseconds there are no parts.
                Self { requests, hits: 0, value: value.map(f64::round) }
            }
            Measure::Quantile(sample, _) => {
                let beyond = |time: Duration| match (condition.operator, limit) {
                    (_, None) => false,
                    (Operator::Above | Operator::AtMost, Some(limit)) => time > limit,
                    (Operator::AtLeast | Operator::Below, Some(limit)) => time >= limit,
                };
                let times: Vec<_> = window.filter_map(|seen| time(sample, seen)).collect();
                let hits = times.iter().filter(|time| beyond(**time)).count() as u64;
                let requests = times.len() as u64 + late.count;
                Self { requests, hits: hits + late.count, value: None }
            }
            Measure::OutputTokens | Measure::OutputSpeed | Measure::CostPer1k => {
                Self::of_tokens(measure, window, price)
            }
            _ => {
                let mut share = Self { requests: 0, hits: 0, value: None };
                for hit in window.filter_map(|seen| hit(measure, seen)) {
                    share.hits += u64::from(hit);
                    share.requests += 1;
                }
                Self { value: quotient(share.hits as f64, share.requests as f64), ..share }
            }
        }
    }

    fn of_tokens<'a>(
        measure: Measure,
        window: impl Iterator<Item = &'a Seen>,
        price: Option<Price>,
    ) -> Self {
        let (mut requests, mut input, mut output, mut nanos, mut pico_dollars) =
            (0_u64, 0_u64, 0_u64, 0_u64, 0_u128);
        for seen in window.filter(|seen| seen.class == Class::Success) {
            let usage = seen.observed.usage;
            let (read, written) = (u64::from(usage.input.get()), u64::from(usage.output.get()));
            requests += 1;
            (input, output) = (input + read, output + written);
            nanos += seen.observed.latency.as_nanos();
            if let Some(price) = price {
                pico_dollars += (price.input_per_1k.as_pico_usd() * u128::from(read)
                    + price.output_per_1k.as_pico_usd() * u128::from(written))
                    / 1_000;
            }
        }
        let value = match measure {
            Measure::OutputTokens => quotient(output as f64, requests as f64),
            Measure::OutputSpeed => quotient(output as f64 * 1e9, nanos as f64),
            _ if price.is_none() => return Self { requests: 0, hits: 0, value: None },
            _ => quotient(pico_dollars as f64 * 1e3, (input + output) as f64 * 1e12),
        };
        Self { requests, hits: 0, value }
    }
}

fn quotient(sum: f64, of: f64) -> Option<f64> {
    (of > 0.0).then(|| sum / of)
}

/// The time of an attempt that a sample has in it.
fn time(sample: Sample, seen: &Seen) -> Option<Duration> {
    match sample {
        Sample::Latency => (seen.class == Class::Success).then_some(seen.observed.latency),
        Sample::LatencyAll => Some(seen.observed.latency),
        Sample::FirstToken => seen.observed.first_token,
    }
}

/// Whether an attempt has the property that a share counts; `None` where it does not count.
fn hit(measure: Measure, seen: &Seen) -> Option<bool> {
    let (class, ending) = (seen.class, seen.observed.ending);
    let decided = matches!(class, Class::Success | Class::Error);
    match measure {
        Measure::ErrorRate => decided.then_some(class == Class::Error),
        Measure::SuccessRate => decided.then_some(class == Class::Success),
        Measure::RateLimitedRate => {
            let limited = ending == Ending::Status(429);
            (decided || limited).then_some(limited)
        }
        Measure::ClientErrorRate => {
            let theirs = class == Class::ClientError;
            (decided || theirs).then_some(theirs)
        }
        Measure::TimeoutRate => decided.then_some(ending == Ending::Timeout),
        Measure::EmptyRate => decided.then_some(seen.observed.is_empty()),
        Measure::LengthFinishRate => decided.then_some(seen.observed.is_cut_off()),
        _ => None,
    }
}
