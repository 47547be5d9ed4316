//! What was seen of a version in the last minute, for people who look, how that was in the ten
//! minutes before, in slices of ten seconds, and its latencies since its activation. Decides
//! nothing: the engine has windows of its own, as its rules want them.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::since_activation::{SinceActivation, SoFar, Turn};
use crate::exchange::{Class, Classification, Ending, Observed};
use crate::stats::DurationHistogram;
use crate::units::{Duration, Timestamp};

/// What was seen of a version in the last minute.
#[derive(Debug, Default)]
pub(super) struct Recent(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    slices: [Slice; SLICES as usize],
    /// How the minute was as each slice ended in which something was seen, the oldest first.
    past: VecDeque<Point>,
    since_activation: SinceActivation,
}

/// How attempts ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Counts {
    /// Those that succeeded.
    pub(super) successes: u64,
    /// Those that failed by the version's fault, but for those that were answered 429.
    pub(super) errors: u64,
    /// Those that were answered 429.
    pub(super) rate_limited: u64,
}

/// How the minute before an instant was.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) at: Timestamp,
    pub(super) counts: Counts,
    /// Of successes.
    pub(super) p99: Option<Duration>,
}

/// A sum of slices.
#[derive(Clone, Debug, Default)]
pub(super) struct Slice {
    /// Which ten seconds since 1970.
    number: i64,
    pub(super) counts: Counts,
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

    /// An attempt begins at `at` in this life of the version; `None`: in none, or there is no more
    /// room. What comes back is handed to what is told of its end.
    pub(super) fn begin(&self, life: Option<u32>, at: Timestamp) -> Option<Turn> {
        self.kept().since_activation.begin(life?, at)
    }

    /// An attempt was not made after all.
    pub(super) fn withdraw(&self, turn: Option<Turn>) {
        if let Some(turn) = turn {
            self.kept().since_activation.end(turn, None);
        }
    }

    /// An attempt ended at `at`.
    pub(super) fn record(&self, turn: Option<Turn>, at: Timestamp, observed: &Observed) {
        let number = number(at);
        let mut kept = self.kept();
        if let Some(turn) = turn {
            let is_success = observed.ending == Ending::Success;
            kept.since_activation.end(turn, is_success.then_some(observed.latency));
        }
        if number > kept.last() {
            kept.take_down();
        }
        let slice = &mut kept.slices[number.rem_euclid(SLICES) as usize];
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
        self.kept().sum(number(now))
    }

    /// The latencies of successes in this life of the version; `None` where no attempt has begun.
    pub(super) fn so_far(&self, life: u32) -> Option<SoFar> {
        self.kept().since_activation.so_far(life)
    }

    /// How the minute was at the ends of earlier slices, of those in which something was seen, the
    /// oldest first; of what is older than ten minutes as much as has not been replaced.
    pub(super) fn history(&self) -> Vec<Point> {
        self.kept().past.iter().copied().collect()
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// The slice in which something was seen last.
    fn last(&self) -> i64 {
        self.slices.iter().map(|slice| slice.number).max().unwrap_or(NEVER)
    }

    /// All that was seen in the minute that ends with a slice.
    fn sum(&self, last: i64) -> Slice {
        let mut sum = Slice { number: last, ..Slice::default() };
        self.of_minute(last).for_each(|slice| sum.add(slice));
        sum
    }

    fn of_minute(&self, last: i64) -> impl Iterator<Item = &Slice> {
        self.slices.iter().filter(move |slice| last - slice.number < SLICES)
    }

    /// The last slice has ended.
    fn take_down(&mut self) {
        let last = self.last();
        if last == NEVER {
            return;
        }
        if self.past.len() == POINTS {
            self.past.pop_front();
        }
        let (mut counts, mut latencies) = (Counts::default(), DurationHistogram::default());
        for slice in self.of_minute(last) {
            counts.add(slice.counts);
            latencies.merge(&slice.latencies);
        }
        let at = Timestamp::from_second((last + 1) * SLICE_SECONDS);
        self.past.push_back(Point { at, counts, p99: latencies.quantile(990) });
    }
}

impl Counts {
    const fn add(&mut self, other: Self) {
        self.successes += other.successes;
        self.errors += other.errors;
        self.rate_limited += other.rate_limited;
    }

    /// Errors, and all attempts that count: successes and errors.
    pub(super) const fn judged(self, limited_is_error: bool) -> (u64, u64) {
        let errors = self.errors + if limited_is_error { self.rate_limited } else { 0 };
        (errors, self.successes + errors)
    }

    /// The share of errors; `None`: nothing counts.
    pub(super) fn error_rate(self, limited_is_error: bool) -> Option<f64> {
        let (errors, requests) = self.judged(limited_is_error);
        (requests > 0).then(|| errors as f64 / requests as f64)
    }
}

impl Slice {
    fn record(&mut self, observed: &Observed) {
        match (observed.ending, observed.ending.class(Classification::default())) {
            (Ending::Status(429), _) => self.counts.rate_limited += 1,
            (_, Class::Error) => self.counts.errors += 1,
            (_, Class::Success) => {
                self.counts.successes += 1;
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
        self.counts.add(other.counts);
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

/// The number of a slice in which nothing was seen yet.
const NEVER: i64 = 0;
/// Ten minutes.
const POINTS: usize = 60;
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
        recent.record(None, at(0), &ended(Ending::Success));
        recent.record(None, at(9), &ended(Ending::Status(500)));
        recent.record(None, at(10), &ended(Ending::Status(429)));
        recent.record(None, at(11), &ended(Ending::ClientClosed));
        let counts = |now| {
            let sum = recent.sum(at(now));
            (sum.counts.successes, sum.counts.errors, sum.counts.rate_limited)
        };
        assert_eq!(counts(11), (1, 1, 1));
        assert_eq!(counts(59), (1, 1, 1));
        assert_eq!(counts(60), (0, 0, 1), "the first ten seconds are over a minute old");
        assert_eq!(counts(1_000), (0, 0, 0));
        recent.record(None, at(62), &ended(Ending::Success));
        recent.record(None, at(5), &ended(Ending::Success));
        assert_eq!(counts(62), (1, 0, 1), "what comes a minute late is not counted as new");
    }

    #[test]
    fn the_ten_minutes_before_have_a_point_for_each_slice_in_which_something_was_seen() {
        let recent = Recent::default();
        recent.record(None, at(0), &ended(Ending::Success));
        assert!(recent.history().is_empty(), "the slice under way is none of the past");
        recent.record(None, at(10), &ended(Ending::Status(500)));
        recent.record(None, at(75), &ended(Ending::Status(429)));
        recent.record(None, at(200), &ended(Ending::Success));
        let seen: Vec<_> = recent
            .history()
            .into_iter()
            .map(|point| (point.at, point.counts.error_rate(true), point.p99.is_some()))
            .collect();
        // At 80 s the error of the second slice is over a minute old.
        let expected =
            [(at(10), Some(0.0), true), (at(20), Some(0.5), true), (at(80), Some(1.0), false)];
        assert_eq!(seen, expected);
        for slice in 0..100 {
            recent.record(None, at(1_000 + 10 * slice), &ended(Ending::Success));
        }
        let times: Vec<_> = recent.history().into_iter().map(|point| point.at).collect();
        assert_eq!((times.len(), times[0], times[59]), (60, at(1_400), at(1_990)));
    }

    #[test]
    fn only_successes_have_latencies() {
        let recent = Recent::default();
        recent.record(None, at(0), &ended(Ending::Timeout));
        assert_eq!(recent.sum(at(0)).latencies.count(), 0);
        recent.record(None, at(0), &ended(Ending::Success));
        assert_eq!(recent.sum(at(0)).latencies.mean(), Some(Duration::from_millis(100)));
    }
}
