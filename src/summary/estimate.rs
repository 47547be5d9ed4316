//! The value of a metric with all that is needed to trust it.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::metric::{self, Measure, Metric, Quantile, Sample, format_value};
use crate::stats::{Confidence, Interval, Proportion};
use crate::units::format_count;

/// The value of a metric over a selection of requests.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Estimate {
    /// Which metric, in files by its name.
    pub metric: Metric,
    /// In the base unit: seconds, a ratio, dollars, a count. Absent where there is no data, and
    /// where the value is infinite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// A time until something that never happened.
    #[serde(default, skip_serializing_if = "is_false")]
    pub infinite: bool,
    /// Harm that went on to the end of the run: a longer run would have counted more.
    #[serde(default, skip_serializing_if = "is_false")]
    pub open_ended: bool,
    /// Requests (or their attempts, or their tokens' successes, or their first tokens) that it was
    /// made from.
    pub n: u64,
    /// Whether attempts are counted where a request is expected, and some request took several.
    #[serde(default, skip_serializing_if = "is_false")]
    pub of_attempts: bool,
    /// Between which limits the long-run value lies; absent where that is not known at all, and
    /// for exact values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Limits>,
    /// A count or time of this one run, not an estimate.
    pub exact: bool,
}

/// A confidence interval; a side that is absent could not be bounded with so few requests.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct Limits {
    /// The lower limit, in the base unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// The upper limit, in the base unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
}

/// What an interval is for.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Method {
    /// To be shown: 95 %, Wilson's interval for proportions.
    Display,
    /// To be judged by: at least this coverage, Clopper and Pearson's interval for proportions,
    /// quantiles widened by the histogram's error.
    Gate(Confidence),
}

impl Estimate {
    /// Whether it says anything: a value, or that what it waits for never came.
    pub const fn has_data(&self) -> bool {
        self.value.is_some() || self.infinite
    }

    /// Whether it is a quantile of so few values that it is the greatest of them: a number that
    /// says nothing of the long run.
    pub fn is_of_too_few(&self) -> bool {
        match self.metric.measure() {
            Measure::Quantile(_, quantile) => {
                self.n > 0 && quantile > Quantile::P50 && quantile.rank(self.n) == self.n
            }
            _ => false,
        }
    }

    /// Whether it is a share that fewer than [`FEW_EVENTS`] requests make, or keep from being
    /// whole: of a success rate as of the error rate that it leaves.
    pub(super) fn is_of_few_events(&self) -> bool {
        let share = self.metric.interval() == metric::Interval::Proportion;
        let events = |value: f64| value.min(1.0 - value) * self.n as f64;
        let events = self.value.filter(|_| share).map(events);
        events.is_some_and(|events| events < FEW_EVENTS - 0.5)
    }

    /// Whether its interval and another's have values in common.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let (Some(own), Some(others)) = (self.interval, other.interval) else { return false };
        let reaches = |high: Option<f64>, low: Option<f64>| match (high, low) {
            (Some(high), Some(low)) => low <= high,
            _ => true,
        };
        reaches(own.high, others.low) && reaches(others.high, own.low)
    }

    /// A metric without data.
    pub fn absent(metric: Metric) -> Self {
        let exact = metric.interval() == metric::Interval::Exact;
        Self {
            metric,
            value: None,
            infinite: false,
            open_ended: false,
            n: 0,
            of_attempts: false,
            interval: None,
            exact,
        }
    }

    /// A count or time of the run itself.
    pub(super) fn exact(metric: Metric, value: f64, n: u64) -> Self {
        Self { value: Some(value), n, exact: true, ..Self::absent(metric) }
    }

    /// The time until something that never happened.
    pub(super) fn never(metric: Metric) -> Self {
        Self { infinite: true, exact: true, ..Self::absent(metric) }
    }

    /// `value` from `n` requests, with its interval.
    pub(super) fn estimated(metric: Metric, value: f64, n: u64, interval: Option<Limits>) -> Self {
        Self { value: Some(value), n, interval, exact: false, ..Self::absent(metric) }
    }

    /// A share of requests.
    pub(super) fn share(metric: Metric, counted: Proportion, method: Method) -> Self {
        let Some(value) = counted.share() else { return Self::absent(metric) };
        let (hits, total) = (counted.hits(), counted.total());
        let interval = match method {
            Method::Display => Interval::wilson(hits, total, Confidence::PERCENT_95),
            Method::Gate(confidence) => Interval::clopper_pearson(hits, total, confidence),
        };
        Self::estimated(metric, value, total, Some(interval.into()))
    }
}

impl Estimate {
    /// What its `n` is the number of.
    fn counted_things(&self) -> &'static str {
        let (one, many) = match self.metric.measure() {
            Measure::Mean(Sample::Latency)
            | Measure::Quantile(Sample::Latency, _)
            | Measure::OutputTokens
            | Measure::OutputSpeed => ("success", "successes"),
            Measure::Mean(Sample::FirstToken) | Measure::Quantile(Sample::FirstToken, _) => {
                ("first token", "first tokens")
            }
            _ if self.of_attempts => ("attempt", "attempts"),
            _ => ("request", "requests"),
        };
        if self.n == 1 { one } else { many }
    }
}

impl Method {
    /// The coverage of its intervals.
    pub(super) const fn confidence(self) -> Confidence {
        match self {
            Self::Display => Confidence::PERCENT_95,
            Self::Gate(confidence) => confidence,
        }
    }
}

impl Limits {
    /// Whether `value` lies between them.
    pub fn contain(self, value: f64) -> bool {
        self.low.is_none_or(|low| low <= value) && self.high.is_none_or(|high| value <= high)
    }
}

impl From<Interval> for Limits {
    fn from(interval: Interval) -> Self {
        Self { low: Some(interval.low), high: Some(interval.high) }
    }
}

/// The value, its interval, and what it was made from: `0.12 % [0.05 %, 0.21 %] of 3,412 requests`.
impl fmt::Display for Estimate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = self.metric.unit();
        let Some(value) = self.value else {
            return f.write_str(if self.infinite { "never" } else { "no data" });
        };
        f.write_str(&format_value(unit, value))?;
        if self.exact {
            return if self.open_ended { f.write_str(" to the end of the run") } else { Ok(()) };
        }
        match self.interval {
            Some(Limits { low, high }) => {
                let side = |limit: Option<f64>| {
                    limit.map_or_else(|| "unbounded".to_owned(), |end| format_value(unit, end))
                };
                write!(f, " [{}, {}]", side(low), side(high))?;
            }
            None => f.write_str(" [unbounded]")?,
        }
        write!(f, " of {} {}", format_count(self.n), self.counted_things())
    }
}

/// Chosen: with fewer events one more or less changes a share by over a tenth.
const FEW_EVENTS: f64 = 10.0;

fn is_false(flag: &bool) -> bool {
    !flag
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_estimate_says_its_interval_and_what_it_was_made_from() {
        let share = Estimate::share(Metric::ErrorRate, Proportion::new(4, 3_412), Method::Display);
        // scipy.stats.binomtest(4, 3412).proportion_ci(0.95, "wilson"): 0.000456, 0.003010.
        assert_eq!(share.to_string(), "0.12 % [0.046 %, 0.30 %] of 3,412 requests");
        let none = Estimate::share(Metric::ErrorRate, Proportion::new(0, 0), Method::Display);
        assert_eq!(none.to_string(), "no data");
        let limits = Limits { low: Some(0.5), high: None };
        let quantile = Estimate::estimated(Metric::LatencyP99, 1.25, 1, Some(limits));
        assert_eq!(quantile.to_string(), "1.25 s [500 ms, unbounded] of 1 success");
        assert_eq!(Estimate::never(Metric::TimeToRollback).to_string(), "never");
        assert_eq!(Estimate::exact(Metric::SplitPValue, 0.003, 900).to_string(), "0.003");
        assert_eq!(Estimate::exact(Metric::SplitPValue, 1e-9, 900).to_string(), "< 0.0001");
        assert_eq!(Estimate::exact(Metric::TimeToRollback, 75.0, 1).to_string(), "75 s");
    }

    #[test]
    fn files_name_the_metric_and_leave_out_what_is_not_there() {
        let never = Estimate::never(Metric::TimeToRollback);
        let text = serde_json::to_string(&never).unwrap();
        assert_eq!(text, r#"{"metric":"time_to_rollback","infinite":true,"n":0,"exact":true}"#);
        assert_eq!(serde_json::from_str::<Estimate>(&text).unwrap(), never);
        assert!(serde_json::from_str::<Estimate>(&text.replace("time", "tim")).is_err());
    }

    #[test]
    fn a_missing_limit_bounds_nothing() {
        let from_one = Limits { low: Some(1.0), high: None };
        assert!(from_one.contain(1.0) && from_one.contain(f64::MAX) && !from_one.contain(0.9));
    }
}
