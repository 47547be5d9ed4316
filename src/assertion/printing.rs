//! How assertions are written: what is printed is read back as the same.

use std::fmt;

use super::expression::{Assertion, Claim, Expression, Tolerance};
use super::reading::{Arm, EVENTS, OverRuns, Reading, Selector, Source};
use crate::units::Duration;

impl fmt::Display for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.left)?;
        match &self.claim {
            Claim::Compared { operator, right } => write!(f, "{} {right}", operator.symbol()),
            Claim::Within { low, high } => write!(f, "within {low}..{high}"),
            Claim::Near { value, tolerance } => write!(f, "~ {value} +- {tolerance}"),
        }
    }
}

impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absolute(literal) => literal.fmt(f),
            Self::Relative(share) => write!(f, "{}%", share.as_f64() * 100.0),
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Computed { operation, left, right } = self else {
            return match self {
                Self::Read(reading) => reading.fmt(f),
                Self::Stated(literal) => literal.fmt(f),
                Self::Computed { .. } => Ok(()),
            };
        };
        // Operations of one rank go from left to right.
        let rank = operation.rank();
        operand(f, left, |other| other < rank)?;
        write!(f, " {} ", operation.symbol())?;
        operand(f, right, |other| other <= rank)
    }
}

/// An operand, in parentheses where it is an operation of a rank for which it needs them.
fn operand(
    f: &mut fmt::Formatter<'_>,
    expression: &Expression,
    needs: impl Fn(u8) -> bool,
) -> fmt::Result {
    match expression {
        Expression::Computed { operation, .. } if needs(operation.rank()) => {
            write!(f, "({expression})")
        }
        _ => fmt::Display::fmt(expression, f),
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, over_runs, metric, selector } = self;
        let event = EVENTS.iter().find(|(_, known)| known == metric).map(|(event, _)| *event);
        let name = match over_runs {
            OverRuns::Probability => event.unwrap_or_else(|| metric.name()),
            OverRuns::Itself | OverRuns::Quantile(_) => metric.name(),
        };
        let read = match over_runs.function() {
            Some(function) => format!("{function}({name}{selector})"),
            None => format!("{name}{selector}"),
        };
        match source {
            Source::Judged => f.write_str(&read),
            Source::Baseline => write!(f, "baseline({read})"),
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let within = self.within.map(Duration::to_literal);
        let parts = [
            ("phase", self.phase()),
            ("version", self.version()),
            ("model", self.model()),
            ("column", self.column()),
            ("arm", self.arm.map(Arm::name)),
            ("within", within.as_deref()),
        ];
        let mut separator = "{";
        for (name, value) in parts {
            if let Some(value) = value {
                write!(f, "{separator}{name}={}", quoted(value))?;
                separator = ", ";
            }
        }
        if separator == "{" { Ok(()) } else { f.write_str("}") }
    }
}

/// `value` as a selector's value is written: bare if it can be, else in quotes. A value never holds
/// both kinds of quotes: none could be written.
fn quoted(value: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || "._:/-".contains(c);
    if value.chars().all(bare) {
        value.to_owned()
    } else if value.contains('\'') {
        format!("\"{value}\"")
    } else {
        format!("'{value}'")
    }
}
