//! The evidence of a firing: what a trigger saw, so that anybody can evaluate it again.

use serde::{Deserialize, Serialize};

use super::time_meter::quantile_holds;
use super::{Operator, Relation};
use crate::math;
use crate::metric::{Direction, Measure, Metric};
use crate::units::{Duration, Ratio, Timestamp, VersionId};

/// What a trigger saw when it fired: enough to evaluate it again.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The trigger's name.
    pub trigger: String,
    /// The version it fired on.
    pub version: VersionId,
    /// The check at which it fired.
    pub check: Timestamp,
    /// The check at which the breach began that led to the firing.
    pub first_breach: Timestamp,
    /// The timer's age: how long the breach has been seen to hold.
    pub held: Duration,
    /// How long it had to hold.
    pub duration: Duration,
    /// What was read at the check.
    pub reading: Reading,
}

/// What a trigger read at a check.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// A share of the requests in the window.
    Share {
        /// What was measured.
        metric: Metric,
        /// Requests with the property.
        hits: u64,
        /// Requests that count.
        requests: u64,
        /// The comparison that held.
        operator: Operator,
        /// What it was compared with.
        threshold: Ratio,
        /// The window's length.
        window: Duration,
    },
    /// A latency over the window.
    Time {
        /// What was measured.
        metric: Metric,
        /// The metric's value, to within 1 %; `None` where only requests in flight count.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        value: Option<Duration>,
        /// Requests beyond the threshold, those in flight included; absent for a mean.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        above: Option<u64>,
        /// Requests that count, those in flight included.
        requests: u64,
        /// Requests in flight for longer than the threshold.
        in_flight: u64,
        /// The comparison that held.
        operator: Operator,
        /// What it was compared with.
        threshold: Duration,
        /// The window's length.
        window: Duration,
    },
    /// A number of requests in the window.
    Count {
        /// What was measured.
        metric: Metric,
        /// Requests.
        requests: u64,
        /// The comparison that held.
        operator: Operator,
        /// What it was compared with.
        threshold: u64,
        /// The window's length.
        window: Duration,
    },
    /// Tokens, tokens per second or dollars over the window.
    Amount {
        /// What was measured.
        metric: Metric,
        /// The metric's value.
        value: f64,
        /// Requests that it is made from.
        requests: u64,
        /// The comparison that held.
        operator: Operator,
        /// What it was compared with.
        threshold: f64,
        /// The window's length.
        window: Duration,
    },
    /// A metric against the stable's over the same window.
    Compared(Comparison),
    /// Too few requests, under a rule that takes that for a breach.
    NoData {
        /// What could not be measured.
        metric: Metric,
        /// Requests.
        requests: u64,
        /// How many there should have been.
        min_requests: u64,
        /// The stable's value, where it was wanted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stable: Option<Level>,
        /// The window's length.
        window: Duration,
    },
    /// The sequential test of the canary's share of errors.
    Sequential(ErrorShares),
    /// The sequential test of how much more frequent errors, or slow requests, are on the canary.
    EventRatio(EventRatio),
    /// The sequential test of a version against an objective of its own.
    Objective(AgainstObjective),
    /// The rank test of stretches of time.
    Ranks(RankShift),
}

/// A metric against the stable's over the same window. Numbers are nanoseconds for times, dollars
/// for costs, and what they are for all else.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Comparison {
    /// What was measured.
    pub metric: Metric,
    /// Of the version; `None` where it lies among the requests in flight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Requests beyond the limit, those in flight included; only for a quantile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub above: Option<u64>,
    /// Requests that count, those in flight included.
    pub requests: u64,
    /// Requests in flight for longer than the limit.
    pub in_flight: u64,
    /// The comparison that held.
    pub operator: Operator,
    /// How the limit was made from the stable's value.
    pub threshold: Relation,
    /// The stable's value.
    pub stable: Level,
    /// What the version's value was compared with.
    pub limit: f64,
    /// The window's length.
    pub window: Duration,
}

/// The errors of a canary and of the stable, under the sequential test of the canary's share.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ErrorShares {
    /// Errors of the canary since its activation.
    pub canary_errors: u64,
    /// Errors of the stable over the same time.
    pub stable_errors: u64,
    /// The canary's share of the two versions' requests.
    pub expected_share: f64,
    /// The canary's errors less its share of all errors, as the weights were when they came.
    pub excess: f64,
    /// The natural logarithm of the evidence against "the canary is no worse".
    pub ln_evidence: f64,
    /// The probability of a false alarm that this judge was allowed on this canary.
    pub alpha: Ratio,
}

/// Errors or slow requests of a canary and of the stable, under the sequential test of their ratio.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct EventRatio {
    /// What was judged: `error_rate`, or the quantile that is the measure of slow requests.
    pub metric: Metric,
    /// Above what a request that begins now is slow; absent for errors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slow_above: Option<Duration>,
    /// Events of the canary that counted, since its activation.
    pub canary_events: u64,
    /// Those of the stable over the same time.
    pub stable_events: u64,
    /// The canary's share of the two versions' requests, as it is now.
    pub expected_share: f64,
    /// By how much of the stable's rate the canary's may be higher: 0.5 is by half.
    pub allowed_excess: f64,
    /// Of each stretch of this length only the first event counted; zero: all did.
    pub burst_block: Duration,
    /// The natural logarithm of the evidence against "the canary's rate is within the effect".
    pub ln_evidence: f64,
    /// The probability of a false alarm that this judge was allowed on this canary.
    pub alpha: Ratio,
}

/// A version's requests under the sequential test of an objective.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct AgainstObjective {
    /// What was judged.
    pub metric: Metric,
    /// Requests that have what the metric counts; of a quantile, those that took longer than the
    /// limit: since the activation, or since when it turned bad.
    pub hits: u64,
    /// Requests that have begun over the same time, those in flight among them.
    pub requests: u64,
    /// The share that the hits were to stay below.
    pub objective: Ratio,
    /// Of a quantile: its limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Duration>,
    /// The natural logarithm of the evidence against "the share is at most the objective".
    pub ln_evidence: f64,
    /// The probability of a false alarm that this judge was allowed on this version.
    pub alpha: Ratio,
}

/// Values of a metric over stretches of time, by their ranks. Numbers are nanoseconds for times,
/// dollars for costs, and what they are for all else.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RankShift {
    /// What was judged.
    pub metric: Metric,
    /// Stretches in which the canary had a value.
    pub canary_buckets: u64,
    /// Stretches in which the stable had one.
    pub stable_buckets: u64,
    /// How long a stretch is.
    pub bucket: Duration,
    /// How much higher the canary's values are (Hodges and Lehmann).
    pub shift: f64,
    /// The least that it is, with the confidence.
    pub low: f64,
    /// The most that it is, with the confidence.
    pub high: f64,
    /// Of the two bounds together, for one look.
    pub confidence: Ratio,
    /// What a bound must be beyond, on the side that is worse.
    pub tolerance: f64,
}

/// A metric's value on one side of a comparison.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Level {
    /// The value; `None` without any request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// Requests that it is made from.
    pub requests: u64,
}

impl Evidence {
    /// Whether it is one of a breach that had held for long enough: evaluated again from the
    /// figures that it carries.
    pub fn holds(&self) -> bool {
        self.held >= self.duration
            && self.first_breach <= self.check
            && self.check.since(self.first_breach) >= self.held
            && self.reading.holds()
    }
}

impl Reading {
    /// Whether it is a breach.
    pub fn holds(&self) -> bool {
        match self {
            Self::Share { hits, requests, operator, threshold, .. } => {
                Ratio::of(*hits, *requests).is_some_and(|share| operator.holds(share, *threshold))
            }
            Self::Time { metric, value, above, requests, operator, threshold, .. } => {
                let value = value.map(|value| value.as_nanos() as f64);
                let limit = threshold.as_nanos() as f64;
                figure_holds(*metric, value, *above, *requests, *operator, limit)
            }
            Self::Count { requests, operator, threshold, .. } => {
                operator.holds(*requests, *threshold)
            }
            Self::Amount { value, operator, threshold, .. } => operator.holds(*value, *threshold),
            Self::Compared(comparison) => comparison.holds(),
            Self::NoData { metric, requests, min_requests, stable, .. } => {
                let few = requests < min_requests && *metric != Metric::Requests;
                few || stable.is_some_and(|stable| {
                    stable.requests < *min_requests || stable.value.is_none_or(|v| v == 0.0)
                })
            }
            Self::Sequential(shares) => shares.holds(),
            Self::EventRatio(ratio) => ratio.canary_events > 0 && ratio.suffices(),
            Self::Objective(against) => against.holds(),
            Self::Ranks(shift) => shift.holds(),
        }
    }
}

impl EventRatio {
    fn suffices(&self) -> bool {
        self.ln_evidence >= -math::ln(self.alpha.get())
    }
}

impl AgainstObjective {
    fn holds(&self) -> bool {
        let above = Ratio::of(self.hits, self.requests).is_some_and(|share| share > self.objective);
        above && self.ln_evidence >= -math::ln(self.alpha.get())
    }
}

impl RankShift {
    fn holds(&self) -> bool {
        match self.metric.direction() {
            Direction::Lower => self.low > self.tolerance,
            Direction::Higher => self.high < -self.tolerance,
            Direction::Neutral => false,
        }
    }
}

impl Comparison {
    fn holds(&self) -> bool {
        let Self { metric, value, above, requests, operator, limit, .. } = *self;
        let made = self.threshold.limit(self.stable.value);
        made.is_some_and(|made| is_same(made, limit))
            && figure_holds(metric, value, above, requests, operator, limit)
    }
}

impl ErrorShares {
    fn holds(&self) -> bool {
        self.excess > 0.0 && self.ln_evidence >= -math::ln(self.alpha.get())
    }
}

/// Whether a value compares with a limit: a quantile by counting what lies beyond it.
fn figure_holds(
    metric: Metric,
    value: Option<f64>,
    above: Option<u64>,
    requests: u64,
    operator: Operator,
    limit: f64,
) -> bool {
    match (metric.measure(), above) {
        (Measure::Quantile(_, quantile), Some(above)) => {
            quantile_holds(operator, quantile, above, requests)
        }
        _ => value.is_some_and(|value| operator.holds(value, limit)),
    }
}

/// Whether two numbers are the same but for what a decimal file may lose.
fn is_same(left: f64, right: f64) -> bool {
    (left - right).abs() <= 1e-12 * left.abs().max(right.abs())
}
