//! Counts and histograms of the requests of one (phase, version, arm).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Arm;
use crate::exchange::{Class, Ending, Observed, VersionIndex};
use crate::stats::DurationHistogram;

/// The requests of one phase, version and arm.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Cell {
    /// The phase (an index).
    pub phase: u16,
    /// The version.
    pub version: VersionIndex,
    /// The arm.
    pub arm: Arm,
    /// Requests that took one attempt: what the version did is what their clients saw.
    pub tally: Tally,
    /// Attempts at this version at requests that took several, or would have if their clients had
    /// stayed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempts: Option<Tally>,
    /// Those requests (and such as a cache answered) as their clients saw them, if assigned to this
    /// version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finals: Option<Tally>,
}

/// What is counted of a set of requests. Tallies of disjoint sets merge.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct Tally {
    /// Requests assigned.
    pub assigned: u64,
    /// Requests that succeeded.
    pub succeeded: u64,
    /// Those of them without a single output token.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub empty: u64,
    /// Those of them that were cut off at the largest number of tokens.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cut_off: u64,
    /// Those of them whose stream had a chunk twice.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub repeated: u64,
    /// Requests that failed, by how.
    pub failed: EndingCounts,
    /// Requests that say nothing of the version, by how.
    pub uncounted: EndingCounts,
    /// Input tokens of the successes.
    pub input_tokens: u64,
    /// Output tokens of the successes.
    pub output_tokens: u64,
    /// The sum of the squares of the successes' output tokens.
    pub output_tokens_squared: u128,
    /// The sum of the squares of the successes' input tokens; 0 where it was not counted, as in
    /// results of earlier versions.
    #[serde(default, skip_serializing_if = "is_none")]
    pub input_tokens_squared: u128,
    /// The sum of the products of the successes' input and output tokens; 0 where it was not
    /// counted.
    #[serde(default, skip_serializing_if = "is_none")]
    pub input_by_output_tokens: u128,
    /// Latencies of the successes.
    pub latency: DurationHistogram,
    /// Latencies of all other completions.
    pub latency_other: DurationHistogram,
    /// Times to the first token of streamed answers.
    pub first_token: DurationHistogram,
}

/// Numbers of requests by how they ended; endings that never came are absent.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EndingCounts(BTreeMap<String, u64>);

impl EndingCounts {
    /// Counts one request.
    pub fn add(&mut self, ending: Ending) {
        *self.0.entry(ending.name().into_owned()).or_default() += 1;
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Those that ended as `name` says: a status, `timeout` or `client_closed`.
    pub fn of(&self, name: &str) -> u64 {
        self.0.get(name).copied().unwrap_or(0)
    }

    /// Those that ended so.
    fn ended(&self, ending: Ending) -> u64 {
        self.of(&ending.name())
    }

    /// Each ending's name with its count, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        self.0.iter().map(|(name, count)| (name.as_str(), *count))
    }

    fn merge(&mut self, other: &Self) {
        for (name, count) in &other.0 {
            *self.0.entry(name.clone()).or_default() += count;
        }
    }
}

impl Tally {
    /// Counts a request, or an attempt, that has ended.
    #[inline]
    pub fn complete(&mut self, class: Class, observed: &Observed) {
        if let Some(first_token) = observed.first_token {
            self.first_token.record(first_token);
        }
        if observed.ending == Ending::Success {
            self.succeeded += 1;
            self.empty += u64::from(observed.is_empty());
            self.cut_off += u64::from(observed.is_cut_off());
            self.repeated += u64::from(observed.repeats);
            self.latency.record(observed.latency);
            let output = u64::from(observed.usage.output.get());
            let input = u64::from(observed.usage.input.get());
            self.input_tokens += input;
            self.output_tokens += output;
            self.input_tokens_squared += u128::from(input * input);
            self.input_by_output_tokens += u128::from(input * output);
            self.output_tokens_squared += u128::from(output * output);
        } else {
            self.complete_otherwise(observed.ending, class);
            self.latency_other.record(observed.latency);
        }
    }

    #[cold]
    fn complete_otherwise(&mut self, ending: Ending, class: Class) {
        match class {
            Class::Error => self.failed.add(ending),
            Class::Success | Class::ClientError | Class::Neutral => self.uncounted.add(ending),
        }
    }

    /// Requests that ended.
    pub fn completed(&self) -> u64 {
        self.succeeded + self.failed.total() + self.uncounted.total()
    }

    /// Requests that say something of the version: the denominator of its error rate.
    pub fn counted(&self) -> u64 {
        self.succeeded + self.failed.total()
    }

    /// Requests that were refused as the client's fault.
    pub fn client_errors(&self) -> u64 {
        let others =
            self.uncounted.ended(Ending::ClientClosed) + self.uncounted.ended(RATE_LIMITED);
        self.uncounted.total() - others
    }

    /// The denominator of the share of rate-limited requests: 429 is in it even where it counts
    /// neither way.
    pub fn limitable(&self) -> u64 {
        self.counted() + self.uncounted.ended(RATE_LIMITED)
    }

    /// Requests answered 429, whether or not they count as errors.
    pub fn rate_limited(&self) -> u64 {
        self.failed.ended(RATE_LIMITED) + self.uncounted.ended(RATE_LIMITED)
    }

    /// Requests that timed out.
    pub fn timed_out(&self) -> u64 {
        self.failed.ended(Ending::Timeout)
    }

    /// Adds what `other` counted of other requests.
    pub fn merge(&mut self, other: &Self) {
        self.assigned += other.assigned;
        self.succeeded += other.succeeded;
        self.empty += other.empty;
        self.cut_off += other.cut_off;
        self.repeated += other.repeated;
        self.failed.merge(&other.failed);
        self.uncounted.merge(&other.uncounted);
        self.input_tokens += other.input_tokens;
        self.output_tokens += other.output_tokens;
        self.output_tokens_squared += other.output_tokens_squared;
        self.input_tokens_squared += other.input_tokens_squared;
        self.input_by_output_tokens += other.input_by_output_tokens;
        self.latency.merge(&other.latency);
        self.latency_other.merge(&other.latency_other);
        self.first_token.merge(&other.first_token);
    }
}

fn is_none(sum: &u128) -> bool {
    *sum == 0
}

fn is_zero(count: &u64) -> bool {
    *count == 0
}

const RATE_LIMITED: Ending = Ending::Status(429);
