//! One side of a judged line: what was measured, stated or worked out, with its interval.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::range::Range;
use crate::assertion::Kind;
use crate::metric::{Unit, format_value};
use crate::summary::{Estimate, Limits};
use crate::units::{format_counted, format_significant};

/// One side of a line.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// What was measured.
    Measured(Estimate),
    /// The figure that the line states, in the base unit of the metric on the other side.
    Stated(f64),
    /// What was worked out: of several metrics, of a baseline, or over several runs.
    Worked(Box<Worked>),
}

/// A value that was worked out.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Worked {
    /// As the grammar writes it.
    pub text: String,
    /// Its unit.
    pub unit: ValueUnit,
    /// In that unit; absent where there is none, or not one for all runs, and where it is infinite.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// A time until something that never happened.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub infinite: bool,
    /// Between which limits it lies, a side absent that is not bounded. Of exact figures the least
    /// and the greatest of all runs. Absent where nothing is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Limits>,
    /// Whether it is exact for the runs that were made, not an estimate.
    pub exact: bool,
    /// How many runs it was made from.
    pub runs: u64,
    /// What it was worked out of, where that is more than one metric.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<Part>,
}

/// A metric that a value was worked out of.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Part {
    /// As the grammar writes it.
    pub text: String,
    /// What it is.
    pub side: Side,
}

/// The unit of a value that was worked out.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueUnit {
    /// A number of things.
    Count,
    /// A share.
    Ratio,
    /// A probability under a hypothesis.
    Probability,
    /// Seconds.
    Seconds,
    /// Tokens.
    Tokens,
    /// Tokens per second.
    TokensPerSecond,
    /// Requests per second.
    RequestsPerSecond,
    /// Dollars.
    Usd,
    /// None: a quotient of two values of one unit, or a number.
    Number,
}

impl Side {
    pub(super) fn range(&self) -> Range {
        match self {
            Self::Measured(estimate) => Range::of(estimate),
            Self::Stated(value) => Range::point(*value),
            Self::Worked(worked) => worked.range(),
        }
    }
}

impl Worked {
    /// With `range`, in which it lies.
    pub(super) fn within(mut self, range: Range) -> Self {
        let bounded = |end: f64| end.is_finite().then_some(end);
        match range {
            Range::Known { low, high } => {
                self.interval = Some(Limits { low: bounded(low), high: bounded(high) });
            }
            Range::Never => self.infinite = true,
            Range::Unknown => {}
        }
        self
    }

    fn range(&self) -> Range {
        match self.interval {
            Some(Limits { low, high }) => Range::Known {
                low: low.unwrap_or(f64::NEG_INFINITY),
                high: high.unwrap_or(f64::INFINITY),
            },
            None if self.infinite => Range::Never,
            None => Range::Unknown,
        }
    }
}

impl From<Kind> for ValueUnit {
    fn from(kind: Kind) -> Self {
        match kind {
            Kind::Of(Unit::Count) => Self::Count,
            Kind::Of(Unit::Ratio) => Self::Ratio,
            Kind::Of(Unit::PValue) => Self::Probability,
            Kind::Of(Unit::Time) => Self::Seconds,
            Kind::Of(Unit::Tokens) => Self::Tokens,
            Kind::Of(Unit::TokensPerSecond) => Self::TokensPerSecond,
            Kind::Of(Unit::RequestsPerSecond) => Self::RequestsPerSecond,
            Kind::Of(Unit::Money) => Self::Usd,
            Kind::Quotient | Kind::Number => Self::Number,
        }
    }
}

impl ValueUnit {
    /// A value in this unit, for reading; below 0 with its sign.
    pub fn format(self, value: f64) -> String {
        if value < 0.0 {
            return format!("-{}", self.format(-value));
        }
        let of = |unit| format_value(unit, value);
        match self {
            Self::Count if value.fract() == 0.0 => of(Unit::Count),
            Self::Count | Self::Number => format_significant(value, 4),
            Self::Ratio if value > 1.0 => format!("{} %", format_significant(value * 100.0, 4)),
            Self::Ratio => of(Unit::Ratio),
            Self::Probability => of(Unit::PValue),
            Self::Seconds => of(Unit::Time),
            Self::Tokens => of(Unit::Tokens),
            Self::TokensPerSecond => of(Unit::TokensPerSecond),
            Self::RequestsPerSecond => of(Unit::RequestsPerSecond),
            Self::Usd => of(Unit::Money),
        }
    }
}

/// What it is, its interval, and what it was made from.
impl fmt::Display for Worked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = |value| self.unit.format(value);
        let end = |limit: Option<f64>, open: &str| limit.map_or_else(|| open.to_owned(), format);
        let runs = format_counted(self.runs, "run", "runs");
        match (self.value, self.interval) {
            (None, None) if self.infinite => f.write_str("never")?,
            (None, None) => f.write_str("no data")?,
            (Some(value), _) if self.exact => f.write_str(&format(value))?,
            (Some(value), Some(Limits { low, high })) => {
                let (low, high) = (end(low, "unbounded"), end(high, "unbounded"));
                write!(f, "{} [{low}, {high}]", format(value))?;
            }
            (Some(value), None) => write!(f, "{} [unbounded]", format(value))?,
            (None, Some(Limits { low, high })) if self.exact => {
                write!(f, "{} to {}", end(low, "any"), end(high, "never"))?;
            }
            (None, Some(Limits { low, high })) => {
                write!(f, "[{}, {}]", end(low, "unbounded"), end(high, "unbounded"))?;
            }
        }
        if self.parts.is_empty() && !(self.exact && self.runs == 1) {
            write!(f, " in {runs}")?;
        }
        for (place, Part { text, side }) in self.parts.iter().enumerate() {
            let lead = if place == 0 { " of" } else { "," };
            write!(f, "{lead} {text} = {side}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Measured(estimate) => estimate.fmt(f),
            Self::Stated(value) => value.fmt(f),
            Self::Worked(worked) => worked.fmt(f),
        }
    }
}
