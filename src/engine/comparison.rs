//! How a metric is compared with its threshold, in the unit of the metric.

use super::rule_error::{refuse_if, required, unknown};
use super::{RawTrigger, RuleError, RuleProblem};
use crate::metric::{Interval, Metric, Unit};
use crate::units::{Duration, Ratio};

/// How a metric is compared with its threshold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operator {
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `<=`
    AtMost,
}

/// A threshold in the unit of its metric.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Threshold {
    /// For shares.
    Ratio(Ratio),
    /// For durations.
    Time(Duration),
    /// For numbers of requests.
    Count(u64),
}

impl Operator {
    /// The operator as it is written.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Above => ">",
            Self::AtLeast => ">=",
            Self::Below => "<",
            Self::AtMost => "<=",
        }
    }

    /// Whether `left` compares with `right` this way.
    pub fn holds<T: PartialOrd + Copy>(self, left: T, right: T) -> bool {
        match self {
            Self::Above => left > right,
            Self::AtLeast => left >= right,
            Self::Below => left < right,
            Self::AtMost => left <= right,
        }
    }
}

pub(super) fn operator(raw: &RawTrigger) -> Result<Operator, RuleError> {
    match required("operator", raw.operator.as_deref(), "operator: \">\"")? {
        ">" => Ok(Operator::Above),
        ">=" => Ok(Operator::AtLeast),
        "<" => Ok(Operator::Below),
        "<=" => Ok(Operator::AtMost),
        other => Err(unknown("operator", other, ">, >=, <, <=")),
    }
}

pub(super) fn threshold(raw: &RawTrigger, metric: Metric) -> Result<Threshold, RuleError> {
    let wrong = |kind, instead| RuleProblem::WrongUnit { metric: metric.name(), kind, instead };
    match metric.unit() {
        Unit::Time => {
            let problem = wrong("a time", "threshold_ms");
            refuse_if(raw.threshold.is_some(), "threshold", problem)?;
            let millis = required("threshold_ms", raw.threshold_ms, "threshold_ms: 3000")?;
            let allowed = "more than 0, up to 86400000 milliseconds";
            let problem = RuleProblem::OutOfRange { found: millis, allowed };
            refuse_if(!(millis > 0.0 && millis <= 86_400_000.0), "threshold_ms", problem)?;
            Ok(Threshold::Time(Duration::from_secs_f64(millis / 1_000.0)))
        }
        unit => {
            let share = metric.interval() == Interval::Proportion;
            let kind = if share { "a share" } else { "a number" };
            refuse_if(raw.threshold_ms.is_some(), "threshold_ms", wrong(kind, "threshold"))?;
            let value = required("threshold", raw.threshold, "threshold: 0.05")?;
            if unit == Unit::Ratio {
                let allowed = "0 to 1 (0.05 is 5 %)";
                let problem = RuleProblem::OutOfRange { found: value, allowed };
                let ratio = Ratio::new(value);
                ratio.map(Threshold::Ratio).map_err(|_| RuleError { field: "threshold", problem })
            } else {
                let allowed = "a whole number from 0 to 1e15";
                let whole = (0.0..=1e15).contains(&value) && value.fract() == 0.0;
                let problem = RuleProblem::OutOfRange { found: value, allowed };
                refuse_if(!whole, "threshold", problem)?;
                Ok(Threshold::Count(value as u64))
            }
        }
    }
}
