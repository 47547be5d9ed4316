//! A judge: a statistical test of a canary that can fire like a condition. How each is made from
//! its file's fields is told here; what they see, in their gauges.

use super::RawTrigger;
use crate::metric::Metric;
use crate::units::{Duration, Ratio};

/// A statistical test of a canary, most of them against the stable over the same time.
#[derive(Clone, PartialEq, Debug)]
pub struct Judge {
    /// The probability of a false alarm that is its own, for all canaries that it watches together;
    /// `None`: a share of the rule set's. The rank test has none to hold to.
    pub alpha: Option<Ratio>,
    /// What it asks.
    pub test: JudgeTest,
}

/// What a judge asks of a canary.
#[derive(Clone, PartialEq, Debug)]
pub enum JudgeTest {
    /// Whether its share of all errors is beyond its share of the traffic: a sequential test
    /// (Lindon and Malek, arXiv 2011.03567) that begins anew with every weight.
    ErrorShare {
        /// The strength k of the prior on the configured split.
        prior_strength: f64,
    },
    /// Whether its errors are more frequent than the stable's by more than an effect: a sequential
    /// test that goes through changes of weights.
    ErrorRatio {
        /// By how much of the stable's rate they may be more frequent: 0.5 is by half.
        effect: f64,
        /// Of each stretch of this length only the first error counts; zero: all count.
        burst_block: Duration,
    },
    /// Whether successes that are slow by the stable's measure are more frequent on it.
    Slowness(Slowness),
    /// Whether it misses an objective of its own, whatever the stable does.
    Objective(Objective),
    /// Whether a metric's values over stretches of time are worse by their ranks: a test for one
    /// look, which repeated looks make raise more false alarms than its confidence says.
    Ranks(Ranks),
}

/// What counts as slow, and how frequent it may be.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Slowness {
    /// The stable's quantile of durations that is the measure.
    pub metric: Metric,
    /// By how much of it a request must be slower: 0.2 is by a fifth.
    pub effect: f64,
    /// Over which stretch before a request the stable's quantile is taken: whole seconds.
    pub window: Duration,
    /// Of each stretch of this length only the first slow request counts; zero: all count.
    pub burst_block: Duration,
}

/// A share of requests that a version promises to stay below.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Objective {
    /// A share of requests, or a quantile of durations.
    pub metric: Metric,
    /// The share of requests that may have what the metric counts; of a quantile q 1 - q.
    pub share: Ratio,
    /// Of a quantile: requests that take longer are what it counts.
    pub limit: Option<Duration>,
}

/// Values of stretches of time, compared by their ranks.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Ranks {
    /// What is compared, one value for each stretch and version.
    pub metric: Metric,
    /// How long a stretch is: the time between checks.
    pub bucket: Duration,
    /// Over how long stretches are compared.
    pub window: Duration,
    /// How much of the estimated shift the interval must clear: 0.25 is a quarter.
    pub tolerance: f64,
    /// Of the shift's interval.
    pub confidence: Ratio,
}

impl Judge {
    /// Its name in rules.
    pub const fn name(&self) -> &'static str {
        match self.test {
            JudgeTest::ErrorShare { .. }
            | JudgeTest::ErrorRatio { .. }
            | JudgeTest::Slowness(_) => "sequential",
            JudgeTest::Objective(_) => "objective",
            JudgeTest::Ranks(_) => "mann_whitney",
        }
    }

    /// What it looks at.
    pub fn metric(&self) -> Metric {
        match &self.test {
            JudgeTest::ErrorShare { .. } | JudgeTest::ErrorRatio { .. } => Metric::ErrorRate,
            JudgeTest::Slowness(slowness) => slowness.metric,
            JudgeTest::Objective(objective) => objective.metric,
            JudgeTest::Ranks(ranks) => ranks.metric,
        }
    }

    /// Whether it compares with the stable.
    pub const fn is_relative(&self) -> bool {
        !matches!(self.test, JudgeTest::Objective(_))
    }

    /// Whether it takes for given that chance assigns requests, or the users that they belong to.
    pub const fn needs_chance(&self) -> bool {
        !matches!(self.test, JudgeTest::Objective(_) | JudgeTest::Ranks(_))
    }

    /// Whether it holds to a probability of a false alarm however often it looks.
    pub const fn has_alpha(&self) -> bool {
        !matches!(self.test, JudgeTest::Ranks(_))
    }

    /// Whether it has its part in what the rule set's judges may spend together.
    pub const fn shares_alpha(&self) -> bool {
        self.has_alpha() && self.alpha.is_none()
    }

    /// Writes its fields down, every default among them.
    pub(super) fn write(&self, raw: &mut RawTrigger) {
        raw.judge = Some(self.name().to_owned());
        raw.metric = Some(self.metric().name().to_owned());
        raw.alpha = self.alpha.map(Ratio::get);
        match &self.test {
            JudgeTest::ErrorShare { prior_strength } => raw.prior_strength = Some(*prior_strength),
            JudgeTest::ErrorRatio { effect, burst_block } => {
                raw.effect = Some(*effect);
                raw.burst_block_seconds = Some(burst_block.as_secs_f64());
            }
            JudgeTest::Slowness(slowness) => {
                raw.effect = Some(slowness.effect);
                raw.window_seconds = Some(slowness.window.as_secs_f64());
                raw.burst_block_seconds = Some(slowness.burst_block.as_secs_f64());
            }
            JudgeTest::Objective(objective) => match objective.limit {
                Some(limit) => raw.threshold_ms = Some(limit.as_nanos() as f64 / NANOS_PER_MILLI),
                None => raw.threshold = Some(objective.share.get()),
            },
            JudgeTest::Ranks(ranks) => {
                raw.check_interval_seconds = Some(ranks.bucket.as_secs_f64());
                raw.window_seconds = Some(ranks.window.as_secs_f64());
                raw.tolerance = Some(ranks.tolerance);
                raw.confidence = Some(ranks.confidence.get());
            }
        }
    }
}

const NANOS_PER_MILLI: f64 = 1e6;
