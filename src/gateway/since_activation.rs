//! The latencies of a version since its activation, with intervals for people who look again and
//! again. Decides nothing.

use crate::stats::{Confidence, DurationHistogram, Measured, QuantileSequence};
use crate::units::{Duration, Timestamp};

/// The latencies of a version's successes since its activation. Some 4 KB for each octave that they
/// span.
#[derive(Clone, Debug, Default)]
pub(super) struct SinceActivation {
    /// The number of the activation.
    activation: u32,
    first: Option<Timestamp>,
    latencies: DurationHistogram,
}

/// Three quantiles of the latencies so far, in seconds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Latencies {
    /// When the first success ended.
    pub(super) since: Timestamp,
    pub(super) successes: u64,
    pub(super) p50: Measured,
    pub(super) p90: Measured,
    pub(super) p99: Measured,
}

impl SinceActivation {
    /// How sure it is of one quantile that it lies in its interval whenever one looks.
    pub(super) const CONFIDENCE: Confidence = Confidence::PERCENT_95;

    /// A success ended at `at` that began under this activation: those of earlier ones are
    /// forgotten as the first of a later one ends.
    pub(super) fn record(&mut self, activation: u32, at: Timestamp, latency: Duration) {
        if activation < self.activation {
            return;
        }
        if activation > self.activation {
            *self = Self { activation, ..Self::default() };
        }
        let first = *self.first.get_or_insert(at);
        self.first = Some(first.min(at));
        self.latencies.record(latency);
    }

    /// `None` where there was no success yet.
    pub(super) fn latencies(&self) -> Option<Latencies> {
        let quantile = |per_mille| {
            QuantileSequence::new(per_mille, Self::CONFIDENCE, NARROW_AT).measured(&self.latencies)
        };
        Some(Latencies {
            since: self.first?,
            successes: self.latencies.count(),
            p50: quantile(500)?,
            p90: quantile(900)?,
            p99: quantile(990)?,
        })
    }
}

/// Near how many successes intervals are as narrow as they can be. Chosen: what a canary of 5 %
/// gets in two hours at 2.8 requests a second.
const NARROW_AT: u64 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000 + second)
    }

    fn millis(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn quantiles_have_the_intervals_of_the_sequence() {
        let mut so_far = SinceActivation::default();
        assert_eq!(so_far.latencies(), None);
        (1..=1_000).for_each(|latency| so_far.record(1, at(latency), millis(latency as u64)));
        let found = so_far.latencies().unwrap();
        assert_eq!((found.since, found.successes), (at(1), 1_000));
        // The numbers of latencies up to a value against which the mixture of Howard and Ramdas
        // stays below 1 / 0.05, from its formula with Python's lgamma: 453 to 547, 870 to 927 and
        // 979 to 997. The limits are the first of these latencies and the one after the last.
        let expected = [[0.5, 0.453, 0.548], [0.9, 0.870, 0.928], [0.99, 0.979, 0.998]];
        for (found, expected) in [found.p50, found.p90, found.p99].into_iter().zip(expected) {
            let found = [found.value, found.limits.low, found.limits.high];
            for (found, expected) in found.into_iter().zip(expected) {
                assert!((found - expected).abs() <= 1e-3 * expected, "{found}, not {expected}");
            }
        }
    }

    #[test]
    fn another_activation_begins_anew_and_the_late_of_an_earlier_one_do_not_count() {
        let mut so_far = SinceActivation::default();
        so_far.record(1, at(1), millis(10));
        so_far.record(3, at(20), millis(30));
        so_far.record(1, at(21), millis(10));
        so_far.record(3, at(19), millis(30));
        let found = so_far.latencies().unwrap();
        assert_eq!((found.since, found.successes, found.p50.value), (at(19), 2, 0.03));
        assert_eq!(found.p99.limits.high, f64::INFINITY, "two do not bound a quantile");
    }
}
