//! How a metric is compared: with a threshold in its own unit, or with the stable's value.
//!
//! A compared metric has a working unit, in which it is a plain number: nanoseconds for times,
//! dollars for money, and the number itself for shares, counts and tokens.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::rule_error::{refuse_if, required, unknown};
use super::{RawTrigger, RuleError, RuleProblem};
use crate::metric::{Metric, Unit};
use crate::units::{Duration, Money, Ratio};

/// How a metric is compared with its threshold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub enum Operator {
    /// `>`
    #[serde(rename = ">")]
    Above,
    /// `>=`
    #[serde(rename = ">=")]
    AtLeast,
    /// `<`
    #[serde(rename = "<")]
    Below,
    /// `<=`
    #[serde(rename = "<=")]
    AtMost,
}

/// What a metric is compared with.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Threshold {
    /// For shares.
    Ratio(Ratio),
    /// For durations.
    Time(Duration),
    /// For numbers of requests.
    Count(u64),
    /// For tokens and tokens per second.
    Number(f64),
    /// For costs.
    Money(Money),
    /// The stable's value over the same window, changed.
    Stable(Relation),
}

/// How a limit is made from the stable's value.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// Times this.
    Times(f64),
    /// Plus this, in the metric's working unit.
    Plus(f64),
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

impl fmt::Display for Operator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.symbol())
    }
}

impl Threshold {
    /// Writes its fields down, as a threshold of `metric`.
    pub(super) fn write(self, metric: Metric, raw: &mut RawTrigger) {
        match self {
            Self::Ratio(ratio) => raw.threshold = Some(ratio.get()),
            Self::Time(time) => raw.threshold_ms = Some(time.as_millis_f64()),
            Self::Count(count) => raw.threshold = Some(count as f64),
            Self::Number(number) => raw.threshold = Some(number),
            Self::Money(money) => raw.threshold = Some(money.as_usd()),
            Self::Stable(relation) => {
                raw.compare_to = Some("stable".to_owned());
                let (form, value) = match relation {
                    Relation::Times(factor) => ("ratio", factor),
                    Relation::Plus(more) => ("difference", more),
                };
                raw.form = Some(form.to_owned());
                if form == "difference" && metric.unit() == Unit::Time {
                    raw.threshold_ms = Some(value / NANOS_PER_MILLI);
                } else {
                    raw.threshold = Some(value);
                }
            }
        }
    }

    /// Whether it depends on what the stable does.
    pub const fn is_relative(self) -> bool {
        matches!(self, Self::Stable(_))
    }

    /// The limit in the metric's working unit, where the stable's value is `stable`; `None` where
    /// that does not tell.
    pub fn limit(self, stable: Option<f64>) -> Option<f64> {
        match self {
            Self::Ratio(ratio) => Some(ratio.get()),
            Self::Time(time) => Some(time.as_nanos() as f64),
            Self::Count(count) => Some(count as f64),
            Self::Number(number) => Some(number),
            Self::Money(money) => Some(money.as_usd()),
            Self::Stable(relation) => relation.limit(stable),
        }
    }
}

impl Relation {
    /// The limit, where the stable's value is `stable`; `None` where that is unknown, or is a zero,
    /// of which all multiples are the same.
    pub fn limit(self, stable: Option<f64>) -> Option<f64> {
        match self {
            Self::Times(factor) => {
                stable.filter(|stable| *stable != 0.0).map(|stable| stable * factor)
            }
            Self::Plus(more) => stable.map(|stable| stable + more),
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
    match (raw.compare_to.as_deref(), raw.form.as_deref()) {
        (None, None) => fixed(raw, metric),
        (None, Some(_)) => {
            let problem = RuleProblem::Misplaced { kind: "condition without compare_to" };
            Err(RuleError { field: "as", problem })
        }
        (Some("stable"), None | Some("ratio")) => {
            let kind = "compared as a ratio to the stable";
            let factor = plain(raw, metric, kind, "threshold: 1.5")?;
            let allowed = "more than 0, up to 1000000 (1.5 is half as much again as the stable)";
            in_range("threshold", factor, factor > 0.0 && factor <= 1e6, allowed)?;
            Ok(Threshold::Stable(Relation::Times(factor)))
        }
        (Some("stable"), Some("difference")) => {
            let more = difference(raw, metric)?;
            Ok(Threshold::Stable(Relation::Plus(more)))
        }
        (Some("stable"), Some(other)) => Err(unknown("as", other, "ratio, difference")),
        (Some(other), _) => Err(unknown("compare_to", other, "stable")),
    }
}

/// A threshold in the metric's own unit.
fn fixed(raw: &RawTrigger, metric: Metric) -> Result<Threshold, RuleError> {
    if metric.unit() == Unit::Time {
        let millis = milliseconds(raw, metric)?;
        let fits = millis > 0.0 && millis <= LONGEST_MILLIS;
        in_range("threshold_ms", millis, fits, "more than 0, up to 86400000 milliseconds")?;
        return Ok(Threshold::Time(
            Duration::from_nanos((millis * NANOS_PER_MILLI).round() as u64),
        ));
    }
    let value = plain(raw, metric, kind_of(metric), "threshold: 0.05")?;
    let at_least_0 = |most: f64| (0.0..=most).contains(&value);
    match metric.unit() {
        Unit::Ratio | Unit::PValue => {
            let allowed = "0 to 1 (0.05 is 5 %)";
            let problem = RuleProblem::OutOfRange { found: value, allowed };
            let ratio = Ratio::new(value);
            ratio.map(Threshold::Ratio).map_err(|_| RuleError { field: "threshold", problem })
        }
        Unit::Money => {
            in_range("threshold", value, at_least_0(MOST_DOLLARS), "0 to 1000 US dollars")?;
            Ok(Threshold::Money(Money::from_pico_usd((value * PICO_PER_USD).round() as u128)))
        }
        Unit::Tokens | Unit::TokensPerSecond | Unit::RequestsPerSecond => {
            in_range("threshold", value, at_least_0(1e9), "0 to 1000000000 tokens")?;
            Ok(Threshold::Number(value))
        }
        Unit::Count | Unit::Time => {
            let whole = at_least_0(1e15) && value.fract() == 0.0;
            in_range("threshold", value, whole, "a whole number from 0 to 1e15")?;
            Ok(Threshold::Count(value as u64))
        }
    }
}

/// How much more than the stable's value, in the metric's working unit.
fn difference(raw: &RawTrigger, metric: Metric) -> Result<f64, RuleError> {
    if metric.unit() == Unit::Time {
        let millis = milliseconds(raw, metric)?;
        let fits = millis.abs() <= LONGEST_MILLIS;
        in_range("threshold_ms", millis, fits, "-86400000 to 86400000 milliseconds")?;
        return Ok((millis * NANOS_PER_MILLI).round());
    }
    let value = plain(raw, metric, kind_of(metric), "threshold: 0.05")?;
    let (most, allowed) = match metric.unit() {
        Unit::Ratio | Unit::PValue => (1.0, "-1 to 1 (0.05 is five percentage points)"),
        Unit::Money => (MOST_DOLLARS, "-1000 to 1000 US dollars"),
        _ => (1e15, "-1e15 to 1e15"),
    };
    in_range("threshold", value, value.abs() <= most, allowed)?;
    Ok(value)
}

/// `threshold_ms`, the only threshold of a time.
fn milliseconds(raw: &RawTrigger, metric: Metric) -> Result<f64, RuleError> {
    let (metric, kind, instead) = (metric.name(), "a time", "threshold_ms");
    let problem = RuleProblem::WrongUnit { metric, kind, instead };
    refuse_if(raw.threshold.is_some(), "threshold", problem)?;
    required("threshold_ms", raw.threshold_ms, "threshold_ms: 3000")
}

/// `threshold`, the only one of everything else.
fn plain(
    raw: &RawTrigger,
    metric: Metric,
    kind: &'static str,
    example: &'static str,
) -> Result<f64, RuleError> {
    let (metric, instead) = (metric.name(), "threshold");
    let problem = RuleProblem::WrongUnit { metric, kind, instead };
    refuse_if(raw.threshold_ms.is_some(), "threshold_ms", problem)?;
    required("threshold", raw.threshold, example)
}

fn kind_of(metric: Metric) -> &'static str {
    match metric.unit() {
        Unit::Ratio | Unit::PValue => "a share",
        Unit::Money => "an amount of money",
        _ => "a number",
    }
}

fn in_range(
    field: &'static str,
    found: f64,
    fits: bool,
    allowed: &'static str,
) -> Result<(), RuleError> {
    refuse_if(!fits, field, RuleProblem::OutOfRange { found, allowed })
}

/// A day: chosen as longer than any request.
const LONGEST_MILLIS: f64 = 86_400_000.0;
const NANOS_PER_MILLI: f64 = 1e6;
/// Per 1,000 tokens. Chosen: a thousand times what any model charges, and exact in pico-dollars.
const MOST_DOLLARS: f64 = 1_000.0;
const PICO_PER_USD: f64 = 1e12;
