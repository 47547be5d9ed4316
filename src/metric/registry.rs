//! The metrics and their properties.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A metric of the registry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
#[expect(missing_docs, reason = "each is described by its row of the registry")]
pub enum Metric {
    Requests,
    ErrorRate,
    SuccessRate,
    ClientErrorRate,
    RateLimitedRate,
    TimeoutRate,
    EmptyRate,
    LengthFinishRate,
    LatencyAvg,
    LatencyP50,
    LatencyP90,
    LatencyP95,
    LatencyP99,
    LatencyP999,
    LatencyAllAvg,
    LatencyAllP50,
    LatencyAllP90,
    LatencyAllP95,
    LatencyAllP99,
    LatencyAllP999,
    TtftAvg,
    TtftP50,
    TtftP90,
    TtftP95,
    TtftP99,
    OutputTokensAvg,
    TokensPerSecond,
    CostPer1kTokens,
    CostTotal,
    Share,
    SplitPValue,
    Attempts,
    FinalErrorRate,
    Goodput,
    Rollbacks,
    FalseRollbacks,
    Promotions,
    KeysRejected,
    TagsLost,
    CommandsRefused,
    CommandsMissed,
    TimeToRollback,
    TimeToDetect,
    BlastRadiusRequests,
    BlastRadiusFailed,
    BlastRadiusFailedExcess,
    BlastRadiusSlowed,
}

/// What a metric's values are made of, for those that share one way of being computed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Measure {
    /// How many requests ended.
    Requests,
    /// How many attempts ended: several of one request where it was retried.
    Attempts,
    /// The share of requests that failed for good.
    FinalErrorRate,
    /// The share of requests that failed.
    ErrorRate,
    /// 1 - the share of requests that failed.
    SuccessRate,
    /// The share of requests that were refused as the client's fault (400, 413, 422).
    ClientErrorRate,
    /// The share of requests answered 429.
    RateLimitedRate,
    /// The share of requests that timed out.
    TimeoutRate,
    /// The share of requests that succeeded without a single output token.
    EmptyRate,
    /// The share of requests whose answer was cut off at the largest number of tokens.
    LengthFinishRate,
    /// The mean of a sample.
    Mean(Sample),
    /// A quantile of a sample.
    Quantile(Sample, Quantile),
    /// Output tokens per success.
    OutputTokens,
    /// Output tokens of all successes by the sum of their latencies: how fast answers come.
    OutputSpeed,
    /// Cost per 1,000 tokens of input and output.
    CostPer1k,
    /// A figure of a whole run, no window of requests: usable in a gate, not in a rule.
    OfRun,
}

/// Which durations a latency metric is taken over.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Sample {
    /// From start to end, of successes: a fast failure must not make a version look fast.
    Latency,
    /// From start to end, of every completion.
    LatencyAll,
    /// From start to first token, of streamed answers.
    FirstToken,
}

/// A quantile in thousandths: 990 is the 99th percentile.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Quantile(u16);

impl Quantile {
    /// The median.
    pub const P50: Self = Self(500);
    /// The 90th percentile.
    pub const P90: Self = Self(900);
    /// The 95th percentile.
    pub const P95: Self = Self(950);
    /// The 99th percentile.
    pub const P99: Self = Self(990);
    /// The 99.9th percentile.
    pub const P999: Self = Self(999);

    /// In thousandths, 0 to 1000.
    pub const fn per_mille(self) -> u64 {
        self.0 as u64
    }

    /// In [0, 1].
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / 1_000.0
    }

    /// The rank, from 1, of this quantile's order statistic among `n` values: ceil(q n); 0 where
    /// there are none.
    pub const fn rank(self, n: u64) -> u64 {
        // Widened: n times 1,000 must not overflow.
        (n as u128 * self.0 as u128).div_ceil(1_000) as u64
    }
}

/// The unit that a metric's values carry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// A number of things.
    Count,
    /// A number in [0, 1], shown in percent.
    Ratio,
    /// A probability under a hypothesis, a number in [0, 1], shown as it is.
    PValue,
    /// A length of time.
    Time,
    /// Tokens.
    Tokens,
    /// Tokens per second.
    TokensPerSecond,
    /// Requests per second.
    RequestsPerSecond,
    /// Dollars.
    Money,
}

/// Which way a metric is better.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// Less is better.
    Lower,
    /// More is better.
    Higher,
    /// Neither.
    Neutral,
}

/// How a metric's 95 % interval is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Interval {
    /// Exact for the run: a count or a time of one deterministic run.
    Exact,
    /// Of a proportion: Wilson for display, Clopper-Pearson for a gate.
    Proportion,
    /// Of a mean: Student's t.
    Mean,
    /// Of a quantile: order statistics.
    Quantile,
}

impl Metric {
    /// Its name in rules, gates and files.
    pub fn name(self) -> &'static str {
        self.row().name
    }

    /// The unit of its values.
    pub fn unit(self) -> Unit {
        self.row().unit
    }

    /// Which way is better.
    pub fn direction(self) -> Direction {
        self.row().direction
    }

    /// How its interval is made.
    pub fn interval(self) -> Interval {
        match self.measure() {
            Measure::ErrorRate
            | Measure::SuccessRate
            | Measure::ClientErrorRate
            | Measure::RateLimitedRate
            | Measure::TimeoutRate
            | Measure::EmptyRate
            | Measure::LengthFinishRate
            | Measure::FinalErrorRate => Interval::Proportion,
            Measure::Mean(_) | Measure::OutputTokens => Interval::Mean,
            Measure::Quantile(..) => Interval::Quantile,
            Measure::OfRun if self == Self::Share => Interval::Proportion,
            Measure::Requests
            | Measure::Attempts
            | Measure::OutputSpeed
            | Measure::CostPer1k
            | Measure::OfRun => Interval::Exact,
        }
    }

    /// What it is made of.
    pub fn measure(self) -> Measure {
        self.row().measure
    }

    /// One sentence about it, for documentation and help.
    pub fn about(self) -> &'static str {
        self.row().about
    }

    /// Whether a rollback rule can watch it: the engine keeps windows of it.
    pub fn is_windowed(self) -> bool {
        !matches!(self.measure(), Measure::OfRun | Measure::Attempts | Measure::FinalErrorRate)
    }

    /// Whether it is told of a selection of requests, so of an arm or a column too; other figures
    /// are of a run and its versions.
    pub fn is_of_requests(self) -> bool {
        let of_requests = matches!(self, Self::Share | Self::CostTotal | Self::Goodput);
        self.measure() != Measure::OfRun || of_requests
    }

    /// The metric of this name.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::all().find(|metric| metric.name() == name)
    }

    /// Every metric, in the registry's order.
    pub fn all() -> impl Iterator<Item = Self> {
        REGISTRY.iter().map(|row| row.metric)
    }

    fn row(self) -> &'static Row {
        // The registry lists the metrics in the order of the enum; a test holds it to that.
        &REGISTRY[self as usize]
    }
}

impl TryFrom<String> for Metric {
    type Error = UnknownMetric;
    fn try_from(name: String) -> Result<Self, UnknownMetric> {
        Self::by_name(&name).ok_or(UnknownMetric(name))
    }
}

impl From<Metric> for &'static str {
    fn from(metric: Metric) -> Self {
        metric.name()
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that is none of a metric.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("unknown metric {0:?}")]
pub struct UnknownMetric(String);

struct Row {
    metric: Metric,
    name: &'static str,
    unit: Unit,
    direction: Direction,
    measure: Measure,
    about: &'static str,
}

const fn row(
    metric: Metric,
    name: &'static str,
    (unit, direction): (Unit, Direction),
    measure: Measure,
    about: &'static str,
) -> Row {
    Row { metric, name, unit, direction, measure, about }
}

const TIME: (Unit, Direction) = (Unit::Time, Direction::Lower);
const BAD_SHARE: (Unit, Direction) = (Unit::Ratio, Direction::Lower);
const BAD_COUNT: (Unit, Direction) = (Unit::Count, Direction::Lower);

#[rustfmt::skip]
const REGISTRY: [Row; 47] = [
    row(Metric::Requests, "requests", (Unit::Count, Direction::Neutral), Measure::Requests,
        "requests that ended, each counted once, those that were pinned included unless an arm is \
         selected"),
    row(Metric::ErrorRate, "error_rate", BAD_SHARE, Measure::ErrorRate,
        "share of requests that failed, each attempt counted where they are retried: \
         5xx, 429, timeouts, upstream 401, 403, 404 and 408; \
         client errors and clients that left count neither way"),
    row(Metric::SuccessRate, "success_rate", (Unit::Ratio, Direction::Higher), Measure::SuccessRate,
        "1 - error rate"),
    row(Metric::ClientErrorRate, "client_error_rate", BAD_SHARE, Measure::ClientErrorRate,
        "share of requests answered 400, 413 or 422"),
    row(Metric::RateLimitedRate, "rate_limited_rate", BAD_SHARE, Measure::RateLimitedRate,
        "share of requests answered 429"),
    row(Metric::TimeoutRate, "timeout_rate", BAD_SHARE, Measure::TimeoutRate,
        "share of requests that timed out"),
    row(Metric::EmptyRate, "empty_rate", BAD_SHARE, Measure::EmptyRate,
        "share of requests that succeeded without a single output token"),
    row(Metric::LengthFinishRate, "length_finish_rate", BAD_SHARE, Measure::LengthFinishRate,
        "share of requests whose answer was cut off at the largest number of tokens"),
    row(Metric::LatencyAvg, "latency_avg", TIME, Measure::Mean(Sample::Latency),
        "mean time to a complete answer, of successes"),
    row(Metric::LatencyP50, "latency_p50", TIME, Measure::Quantile(Sample::Latency, Quantile::P50),
        "median time to a complete answer, of successes"),
    row(Metric::LatencyP90, "latency_p90", TIME, Measure::Quantile(Sample::Latency, Quantile::P90),
        "90th percentile of the time to a complete answer, of successes"),
    row(Metric::LatencyP95, "latency_p95", TIME, Measure::Quantile(Sample::Latency, Quantile::P95),
        "95th percentile of the time to a complete answer, of successes"),
    row(Metric::LatencyP99, "latency_p99", TIME, Measure::Quantile(Sample::Latency, Quantile::P99),
        "99th percentile of the time to a complete answer, of successes"),
    row(Metric::LatencyP999, "latency_p999", TIME,
        Measure::Quantile(Sample::Latency, Quantile::P999),
        "99.9th percentile of the time to a complete answer, of successes"),
    row(Metric::LatencyAllAvg, "latency_all_avg", TIME, Measure::Mean(Sample::LatencyAll),
        "mean time to the end, of every completion"),
    row(Metric::LatencyAllP50, "latency_all_p50", TIME,
        Measure::Quantile(Sample::LatencyAll, Quantile::P50),
        "median time to the end, of every completion"),
    row(Metric::LatencyAllP90, "latency_all_p90", TIME,
        Measure::Quantile(Sample::LatencyAll, Quantile::P90),
        "90th percentile of the time to the end, of every completion"),
    row(Metric::LatencyAllP95, "latency_all_p95", TIME,
        Measure::Quantile(Sample::LatencyAll, Quantile::P95),
        "95th percentile of the time to the end, of every completion"),
    row(Metric::LatencyAllP99, "latency_all_p99", TIME,
        Measure::Quantile(Sample::LatencyAll, Quantile::P99),
        "99th percentile of the time to the end, of every completion"),
    row(Metric::LatencyAllP999, "latency_all_p999", TIME,
        Measure::Quantile(Sample::LatencyAll, Quantile::P999),
        "99.9th percentile of the time to the end, of every completion"),
    row(Metric::TtftAvg, "ttft_avg", TIME, Measure::Mean(Sample::FirstToken),
        "mean time to the first token, of streamed answers"),
    row(Metric::TtftP50, "ttft_p50", TIME, Measure::Quantile(Sample::FirstToken, Quantile::P50),
        "median time to the first token, of streamed answers"),
    row(Metric::TtftP90, "ttft_p90", TIME, Measure::Quantile(Sample::FirstToken, Quantile::P90),
        "90th percentile of the time to the first token, of streamed answers"),
    row(Metric::TtftP95, "ttft_p95", TIME, Measure::Quantile(Sample::FirstToken, Quantile::P95),
        "95th percentile of the time to the first token, of streamed answers"),
    row(Metric::TtftP99, "ttft_p99", TIME, Measure::Quantile(Sample::FirstToken, Quantile::P99),
        "99th percentile of the time to the first token, of streamed answers"),
    row(Metric::OutputTokensAvg, "output_tokens_avg", (Unit::Tokens, Direction::Neutral),
        Measure::OutputTokens,
        "output tokens per success"),
    row(Metric::TokensPerSecond, "tokens_per_second", (Unit::TokensPerSecond, Direction::Higher),
        Measure::OutputSpeed,
        "output tokens of all successes by the sum of their latencies"),
    row(Metric::CostPer1kTokens, "cost_per_1k_tokens", (Unit::Money, Direction::Lower),
        Measure::CostPer1k,
        "cost per 1,000 tokens of input and output"),
    row(Metric::CostTotal, "cost_total", (Unit::Money, Direction::Lower), Measure::OfRun,
        "cost of all tokens"),
    row(Metric::Share, "share", (Unit::Ratio, Direction::Neutral), Measure::OfRun,
        "share of its model's requests that the selected version was assigned, those that were \
         pinned included unless an arm is selected; of all requests that the selected model was \
         asked"),
    row(Metric::SplitPValue, "split_p_value", (Unit::PValue, Direction::Higher), Measure::OfRun,
        "probability that clients are told of versions in shares that differ so much from the \
         split by chance; a cache that keeps answers makes it small; none where requests stick"),
    row(Metric::Attempts, "attempts", (Unit::Count, Direction::Neutral), Measure::Attempts,
        "attempts at the selected versions: more than requests where they are retried"),
    row(Metric::FinalErrorRate, "final_error_rate", BAD_SHARE, Measure::FinalErrorRate,
        "share of requests whose last attempt failed, or that were refused for their key: what \
         clients see of errors, by the version that was assigned first; refused requests were \
         assigned to none, and are left out where a version or an arm is selected"),
    row(Metric::Goodput, "goodput", (Unit::RequestsPerSecond, Direction::Higher), Measure::OfRun,
        "requests whose clients got a complete answer, in time where `within` says so, per second \
         of the selected phases"),
    row(Metric::Rollbacks, "rollbacks", BAD_COUNT, Measure::OfRun,
        "rollbacks that rules or judges carried out; those by command do not count"),
    row(Metric::FalseRollbacks, "false_rollbacks", BAD_COUNT, Measure::OfRun,
        "rollbacks of a version that was never bad since its activation"),
    row(Metric::Promotions, "promotions", (Unit::Count, Direction::Neutral), Measure::OfRun,
        "versions that became the stable at the end of a rollout, or by a command to promote them"),
    row(Metric::KeysRejected, "keys_rejected", BAD_COUNT, Measure::OfRun,
        "requests that were refused for their access key"),
    row(Metric::TagsLost, "tags_lost", BAD_COUNT, Measure::OfRun,
        "tags that named a version and name none any more"),
    row(Metric::CommandsRefused, "commands_refused", BAD_COUNT, Measure::OfRun,
        "commands that the engine refused, and what phases could not begin with as their tags \
         stood"),
    row(Metric::CommandsMissed, "commands_missed", BAD_COUNT, Measure::OfRun,
        "commands that were never given: the phase, or all traffic, was over before their time"),
    row(Metric::TimeToRollback, "time_to_rollback", TIME, Measure::OfRun,
        "from the first fault on the version (or its activation, if later) to its rollback by a \
         rule or judge; one by command does not count"),
    row(Metric::TimeToDetect, "time_to_detect", TIME, Measure::OfRun,
        "from the first fault on the version (or its activation, if later) to the first breach of \
         the trigger that rolled it back"),
    row(Metric::BlastRadiusRequests, "blast_radius.requests", BAD_COUNT, Measure::OfRun,
        "requests of the bad version from the onset to the last drained one"),
    row(Metric::BlastRadiusFailed, "blast_radius.failed", BAD_COUNT, Measure::OfRun,
        "those of them that failed for their clients: not those that a retry or a fallback made \
         good"),
    row(Metric::BlastRadiusFailedExcess, "blast_radius.failed_excess", BAD_COUNT, Measure::OfRun,
        "those of them that failed for their clients, less what the stable would have failed"),
    row(Metric::BlastRadiusSlowed, "blast_radius.slowed", BAD_COUNT, Measure::OfRun,
        "those of them answered more than 20 % slower than the stable would have, what retries \
         took included"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_finds_its_own_row() {
        for (index, row) in REGISTRY.iter().enumerate() {
            assert_eq!(row.metric as usize, index, "{}", row.name);
            assert_eq!(Metric::by_name(row.name), Some(row.metric));
        }
        assert_eq!(Metric::by_name("eror_rate"), None);
    }

    #[test]
    fn ranks_are_those_of_the_inverse_distribution_function() {
        assert_eq!(Quantile::P99.rank(100), 99);
        assert_eq!(Quantile::P99.rank(101), 100);
        assert_eq!(Quantile::P50.rank(1), 1);
        assert_eq!(Quantile::P50.rank(0), 0);
        assert_eq!(Quantile::P999.rank(u64::MAX / 2), 9_214_148_664_817_921_032);
    }
}
