//! What was seen of a version in the last minute, for people who look: in slices of ten seconds.
//! Decides nothing: the engine has windows of its own, as its rules want them.

use std::sync::{Mutex, PoisonError};

use crate::exchange::{Class, Classification, Ending, Observed};
use crate::stats::DurationHistogram;
use crate::units::{Duration, Timestamp};

/// What was seen of a version in the last minute.
#[derive(Debug, Default)]
pub(super) struct Recent(Mutex<[Slice; SLICES as usize]>);

/// A sum of slices.
#[derive(Clone, Debug, Default)]
pub(super) struct Slice {
    /// Which ten seconds since 1970.
    number: i64,
    /// Attempts that succeeded.
    pub(super) successes: u64,
    /// Attempts that failed by the version's fault, those that were answered 429 left out.
    pub(super) errors: u64,
    /// Attempts that were answered 429.
    pub(super) rate_limited: u64,
    /// Successes that did not tell their tokens.
    pub(super) estimated: u64,
    /// Of those that did.
    pub(super) input_tokens: u64,
    pub(super) told_output_tokens: u64,
    /// Of all successes.
    pub(super) output_tokens: u64,
    /// Of successes.
    pub(super) latencies: DurationHistogram,
    /// Of successes that were streamed.
    pub(super) first_tokens: DurationHistogram,
}

impl Recent {
    /// How long a time it covers at most; the slice under way makes it up to ten seconds less.
    pub(super) const WINDOW: Duration = Duration::from_secs((SLICES * SLICE_SECONDS) as u64);

    /// An attempt ended at `at`.
    pub(super) fn record(&self, at: Timestamp, observed: &Observed) {
        let number = number(at);
        let mut slices = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let slice = &mut slices[number.rem_euclid(SLICES) as usize];
        if slice.number != number {
            // One that comes too late for its slice has no other.
            if slice.number > number {
                return;
            }
            *slice = Slice { number, ..Slice::default() };
        }
        slice.record(observed);
    }

    /// All that was seen in the minute before `now`.
    pub(super) fn sum(&self, now: Timestamp) -> Slice {
        let last = number(now);
        let slices = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sum = Slice { number: last, ..Slice::default() };
        for slice in slices.iter().filter(|slice| last - slice.number < SLICES) {
            sum.add(slice);
        }
        sum
    }
}

impl Slice {
    fn record(&mut self, observed: &Observed) {
        match (observed.ending, observed.ending.class(Classification::default())) {
            (Ending::Status(429), _) => self.rate_limited += 1,
            (_, Class::Error) => self.errors += 1,
            (_, Class::Success) => {
                self.successes += 1;
                let (input, output) = (observed.usage.input.get(), observed.usage.output.get());
                self.output_tokens += u64::from(output);
                if observed.is_estimated {
                    self.estimated += 1;
                } else {
                    self.input_tokens += u64::from(input);
                    self.told_output_tokens += u64::from(output);
                }
                self.latencies.record(observed.latency);
                if let Some(first) = observed.first_token {
                    self.first_tokens.record(first);
                }
            }
            (_, Class::ClientError | Class::Neutral) => {}
        }
    }

    fn add(&mut self, other: &Self) {
        self.successes += other.successes;
        self.errors += other.errors;
        self.rate_limited += other.rate_limited;
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.told_output_tokens += other.told_output_tokens;
        self.estimated += other.estimated;
        self.latencies.merge(&other.latencies);
        self.first_tokens.merge(&other.first_tokens);
    }
}

const fn number(at: Timestamp) -> i64 {
    at.second().div_euclid(SLICE_SECONDS)
}

const SLICES: i64 = 6;
/// Chosen: shorter ones cost memory, longer ones make the minute jump.
const SLICE_SECONDS: i64 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(ending: Ending) -> Observed {
        Observed::without_answer(ending, Duration::from_millis(100))
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_000_000 + second)
    }

    #[test]
    fn a_minute_is_seen_and_what_was_before_is_forgotten() {
        let recent = Recent::default();
        recent.record(at(0), &ended(Ending::Success));
        recent.record(at(9), &ended(Ending::Status(500)));
        recent.record(at(10), &ended(Ending::Status(429)));
        recent.record(at(11), &ended(Ending::ClientClosed));
        let counts = |now| {
            let sum = recent.sum(at(now));
            (sum.successes, sum.errors, sum.rate_limited)
        };
        assert_eq!(counts(11), (1, 1, 1));
        assert_eq!(counts(59), (1, 1, 1));
        assert_eq!(counts(60), (0, 0, 1), "the first ten seconds are over a minute old");
        assert_eq!(counts(1_000), (0, 0, 0));
        recent.record(at(62), &ended(Ending::Success));
        recent.record(at(5), &ended(Ending::Success));
        assert_eq!(counts(62), (1, 0, 1), "what comes a minute late is not counted as new");
    }

    #[test]
    fn only_successes_have_latencies() {
        let recent = Recent::default();
        recent.record(at(0), &ended(Ending::Timeout));
        assert_eq!(recent.sum(at(0)).latencies.count(), 0);
        recent.record(at(0), &ended(Ending::Success));
        assert_eq!(recent.sum(at(0)).latencies.mean(), Some(Duration::from_millis(100)));
    }
}
