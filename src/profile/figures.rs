//! The figures that describe recorded traffic. What a trace does not have is absent, never zero;
//! what is not exact says how far off it may be.
//!
//! Serialised, each field has its unit in its name; [`stats_schema`](super::schema::stats_schema)
//! says what each means, and `docs/trace-stats.md` by which formula.

use serde::{Serialize, Serializer};

use super::course::Course;
use crate::exchange::Ending;
use crate::stats::Moments;
use crate::units::{Duration, ModelId, Money, Rate, Tokens, VersionId};

/// What describes a trace.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Profile {
    /// How many requests.
    pub requests: u64,
    /// From the beginning of the trace to its last request, or to the end of the stretch where the
    /// trace went on after it.
    #[serde(rename = "span_ns")]
    pub span: Duration,
    /// Requests over span; absent where there is no span.
    #[serde(rename = "requests_per_second", skip_serializing_if = "Option::is_none")]
    pub rate: Option<Rate>,
    /// The times between requests; absent for fewer than two.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gaps: Option<TimeFigures>,
    /// Requests by windows of several widths, in ascending order.
    pub windows: Vec<WindowFigures>,
    /// Tokens of the prompts.
    #[serde(rename = "input_tokens", skip_serializing_if = "Option::is_none")]
    pub input: Option<TokenFigures>,
    /// Tokens of the answers.
    #[serde(rename = "output_tokens", skip_serializing_if = "Option::is_none")]
    pub output: Option<TokenFigures>,
    /// How the two go together.
    #[serde(rename = "token_correlation", skip_serializing_if = "Option::is_none")]
    pub correlation: Option<Correlation>,
    /// Streamed answers, of those of which it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub streamed: Option<Part>,
    /// Who asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub users: Option<Identities>,
    /// The conversations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions: Option<Identities>,
    /// What prompts have in common.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prefixes: Option<PrefixFigures>,
    /// The outcomes of all requests.
    pub total: Group,
    /// The models that were asked for, in the order in which they came.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<Group>,
    /// The versions that answered, in the order in which they came.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<Group>,
}

/// Lengths of time. Number, mean, variation, least and greatest are exact, quantiles within
/// [`TimeFigures::RELATIVE_ERROR`] or half a microsecond where that is more.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct TimeFigures {
    /// How many.
    pub count: u64,
    /// Their mean.
    #[serde(rename = "mean_ns")]
    pub mean: Duration,
    /// Standard deviation over mean; absent for fewer than two, and where all are 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cv: Option<f64>,
    /// The shortest.
    #[serde(rename = "min_ns")]
    pub min: Duration,
    /// Half of them are at most this.
    #[serde(rename = "p50_ns")]
    pub p50: Duration,
    /// 90 of 100 are at most this.
    #[serde(rename = "p90_ns")]
    pub p90: Duration,
    /// 95 of 100 are at most this.
    #[serde(rename = "p95_ns")]
    pub p95: Duration,
    /// 99 of 100 are at most this.
    #[serde(rename = "p99_ns")]
    pub p99: Duration,
    /// The longest.
    #[serde(rename = "max_ns")]
    pub max: Duration,
    /// How far a quantile may be off, as a share of it.
    pub relative_error: f64,
    /// Shares, and what so many are at most, in ascending order.
    #[serde(rename = "quantiles_ns")]
    pub quantiles: Vec<(f64, Duration)>,
}

impl TimeFigures {
    /// That of [`DurationHistogram`](crate::stats::DurationHistogram).
    pub const RELATIVE_ERROR: f64 = 1e-3;
}

/// Requests by windows of one width, which follow each other from the beginning of the trace on.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct WindowFigures {
    /// How long a window is.
    #[serde(rename = "width_ns")]
    pub width: Duration,
    /// How many windows are full: all that are over when the span is, but for the one of the last
    /// request where nothing came later.
    pub windows: u64,
    /// Sample variance over mean of the full windows' requests: 1 for a Poisson process. Absent
    /// for fewer than two windows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dispersion: Option<f64>,
    /// The most requests in any window.
    pub most: u64,
    /// The most over the mean; absent where the trace is shorter than two windows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_over_mean: Option<f64>,
    /// Full windows without any request.
    pub empty: u64,
}

/// Numbers of tokens. All but the quantiles are exact.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct TokenFigures {
    /// Of how many requests.
    pub requests: u64,
    /// Their mean.
    pub mean: f64,
    /// Standard deviation over mean; absent for fewer than two, and where all are 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cv: Option<f64>,
    /// The fewest.
    pub min: Tokens,
    /// Half of them are at most this.
    pub p50: f64,
    /// 90 of 100 are at most this.
    pub p90: f64,
    /// 95 of 100 are at most this.
    pub p95: f64,
    /// 99 of 100 are at most this.
    pub p99: f64,
    /// The most.
    pub max: Tokens,
    /// How far a quantile may be off, as a share of it: 0 where all are below 131,072.
    pub relative_error: f64,
    /// Shares, and what so many are at most, in ascending order.
    pub quantiles: Vec<(f64, f64)>,
}

/// Spearman's rank correlation.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Correlation {
    /// Of how many requests.
    pub requests: u64,
    /// From -1 to 1.
    pub value: f64,
    /// How far it may be off: 0 for at most 65,536 requests, 1 where nothing is known.
    pub error: f64,
}

/// So many of so many.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct Part {
    /// How many have the property.
    pub count: u64,
    /// Of how many.
    pub of: u64,
}

/// Numbers that requests share, such as those of users.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Identities {
    /// Requests that have one.
    pub requests: u64,
    /// How many there are.
    pub distinct: Distinct,
    /// Requests over numbers.
    pub requests_each: f64,
}

/// The blocks that prompts are made of.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct PrefixFigures {
    /// Requests of which they are known.
    pub requests: u64,
    /// Tokens of a block, the largest where they differ.
    pub block_tokens: u64,
    /// How many blocks there are.
    pub blocks: u64,
    /// How many of them are different.
    pub distinct: Distinct,
    /// The share of blocks that have come before: what a cache of any size would have had.
    pub reused: f64,
}

/// How many different numbers there are.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Distinct {
    /// So many.
    pub count: u64,
    /// The standard deviation of an estimate, as a share of it; 0 where they were counted.
    pub relative_deviation: f64,
}

/// The requests of a model or version, or all.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Group {
    /// The model; absent for versions of unnamed models, and for groups that are put together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelId>,
    /// The version; absent for a whole model, and for groups that are put together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<VersionId>,
    /// How many requests.
    pub requests: u64,
    /// How they ended; absent where nothing of that was observed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcomes: Option<Outcomes>,
    /// The durations of requests that are not known to have ended otherwise than with success.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency: Option<TimeFigures>,
    /// Their times to the first token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_token: Option<TimeFigures>,
    /// The durations of failures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_latency: Option<TimeFigures>,
    /// Output tokens of the requests of `latency` by the sum of their durations.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tokens_per_second: Option<f64>,
    /// What they cost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost: Option<CostFigures>,
    /// All of it over time.
    pub course: Course,
}

/// How requests ended.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Outcomes {
    /// Requests of which it is known.
    pub observed: u64,
    /// Those that succeeded.
    pub succeeded: u64,
    /// Those that failed.
    pub failed: u64,
    /// Failed over failed and succeeded; absent where there are neither.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_rate: Option<ErrorRate>,
    /// How often each ending came.
    pub endings: Vec<EndingCount>,
    /// How failures come together; absent for fewer than two windows, without failures, and
    /// without successes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clustering: Option<Clustering>,
}

/// A share of failures with Wilson's interval at 95 %.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct ErrorRate {
    /// From 0 to 1.
    pub value: f64,
    /// The lower end of the interval.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// How often an ending came.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
pub struct EndingCount {
    /// The ending.
    #[serde(serialize_with = "name")]
    pub ending: Ending,
    /// How many requests ended so.
    pub requests: u64,
}

/// How failures are spread over windows of 10 s.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Clustering {
    /// Windows with requests that succeeded or failed.
    pub windows: u64,
    /// Pearson's chi-squared over its degrees of freedom: about 1 where requests fail independently
    /// of each other, all with the same probability.
    pub value: f64,
}

/// What requests cost.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct CostFigures {
    /// Of how many requests it is known.
    pub requests: u64,
    /// The sum.
    #[serde(rename = "total_usd", serialize_with = "usd")]
    pub total: Money,
    /// The sum over the requests.
    pub usd_each: f64,
}

/// Standard deviation over mean.
pub(super) fn cv(moments: &Moments) -> Option<f64> {
    let has_spread = moments.count >= 2 && moments.mean > 0.0;
    has_spread.then(|| moments.variance.sqrt() / moments.mean)
}

fn name<S: Serializer>(ending: &Ending, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&ending.name())
}

fn usd<S: Serializer>(money: &Money, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(money.as_usd())
}
