//! What is wrong with a line of the gate, and where.

use super::kind::Kind;
use crate::metric::Metric;
use crate::units::LiteralError;

/// A text that is no assertion: what is wrong, and at which column.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}{}", .0.problem, hint(.0.suggestion.as_deref()))]
pub struct ParseError(Box<Inner>);

/// Boxed, so that the results of parsing stay small.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Inner {
    text: String,
    column: usize,
    problem: Problem,
    suggestion: Option<String>,
}

/// What is wrong with a line of the gate.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum Problem {
    #[error("found {found}, expected {expected}")]
    Unexpected { found: String, expected: &'static str },
    #[error("unknown metric {name:?}")]
    UnknownMetric { name: String },
    #[error("unknown function {name}(...), allowed are p, median, p90, p95, p99 and baseline")]
    UnknownFunction { name: String },
    #[error("unknown operator {operator:?}, allowed are < <= > >= == != within ~")]
    UnknownOperator { operator: String },
    #[error(
        "unknown selector {name:?}, allowed are phase, version, model, column, arm \
             and within"
    )]
    UnknownSelector { name: String },
    #[error("unknown arm {name:?}, allowed are canary, stable and pinned")]
    UnknownArm { name: String },
    #[error("selector {name} stands here twice")]
    RepeatedSelector { name: &'static str },
    #[error("a column states phase and version itself, so neither can stand beside it")]
    ColumnWithOthers,
    #[error("{metric} is not counted by arm, allowed are phase, version, model and column")]
    NoArms { metric: Metric },
    #[error("{metric} has no limit of time: `within` belongs to goodput")]
    NoLimit { metric: Metric },
    #[error("within: {source}")]
    Limit { source: LiteralError },
    #[error("{beside} stands beside it, but {source}")]
    Literal { beside: String, source: LiteralError },
    #[error(
        "{beside} stands beside it, but {found:?} is not a count: write a whole number up to \
         9007199254740992, such as 150"
    )]
    NoCount { beside: String, found: String },
    #[error(
        "{beside} stands beside it, but {found:?} is not a number: write one such as 1.2 or 5%"
    )]
    NoNumber { beside: String, found: String },
    #[error(
        "{found:?} is no figure: write a number, or one with its unit, such as 1.2, 5%, 90s, 25/s, \
         512 tokens or 0.008 USD"
    )]
    NoFigure { found: String },
    #[error("{left} is {left_kind} and {right} is {right_kind}: they cannot be {what}")]
    KindsDiffer {
        left: String,
        left_kind: Kind,
        right: String,
        right_kind: Kind,
        what: &'static str,
    },
    #[error("from {low} to {high} there is nothing: write the lower end first")]
    EmptyRange { low: String, high: String },
    #[error("{found:?} is no tolerance: write a figure, such as 5% or 20ms")]
    NoTolerance { found: String },
    #[error("a tolerance cannot be below 0")]
    NegativeTolerance,
    #[error("a baseline has none of its own: write baseline(...) once")]
    BaselineOfBaseline,
    #[error("nothing here is about the run that is judged: baseline(...) alone asserts nothing")]
    OnlyBaseline,
    #[error(
        "unknown event {name:?}: p(...) is the probability that a run has any rollback, \
             false_rollback, promotion, lost_tag or rejected_key"
    )]
    UnknownEvent { name: String },
    #[error("more than 32 parentheses are open")]
    TooDeep,
    #[error("neither side names a metric, expected one such as error_rate < 1%")]
    NoMetric,
    #[error(
        "{estimate} is an estimate, which is never exactly equal to anything: allowed are \
         < <= > >= within ~"
    )]
    EqualityOfEstimate { estimate: String },
    #[error("the line has {length} characters, allowed are {LONGEST}")]
    TooLong { length: usize },
}

impl ParseError {
    /// `problem` at byte `at` of `text`.
    pub(super) fn new(text: &str, at: usize, problem: Problem) -> Self {
        let column = text[..at].chars().count() + 1;
        let suggestion = match &problem {
            Problem::Literal { source, .. } => source.suggestion().map(str::to_owned),
            _ => None,
        };
        let text = text.chars().take(LONGEST).collect();
        Self(Box::new(Inner { text, column, problem, suggestion }))
    }

    /// With the one of `known` that was probably meant by `found`, if any is close.
    pub(super) fn suggest<'a>(
        mut self,
        found: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        // Chosen: a third of the letters may differ; more, and the guess is no help.
        let furthest = found.chars().count().div_ceil(3);
        let nearest = known
            .into_iter()
            .map(|name| (strsim::osa_distance(found, name), name))
            .filter(|(distance, _)| *distance <= furthest)
            .min();
        self.0.suggestion = nearest.map(|(_, name)| name.to_owned());
        self
    }

    /// The column at which the problem lies: characters from 1; one more than the line has where
    /// something is missing at its end.
    pub fn column(&self) -> usize {
        self.0.column
    }

    /// What was probably meant.
    pub fn suggestion(&self) -> Option<&str> {
        self.0.suggestion.as_deref()
    }

    /// The line, a caret under the column, and the problem: three lines of text.
    ///
    /// ```
    /// use coalmine::assertion::Assertion;
    /// let error = Assertion::parse("eror_rate < 1%").unwrap_err();
    /// assert_eq!(
    ///     error.render(),
    ///     "eror_rate < 1%\n^ unknown metric \"eror_rate\", did you mean \"error_rate\"?"
    /// );
    /// ```
    pub fn render(&self) -> String {
        let line: String =
            self.0.text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        let indent = " ".repeat((self.0.column - 1).min(LONGEST));
        format!("{line}\n{indent}^ {self}")
    }
}

fn hint(suggestion: Option<&str>) -> String {
    suggestion.map(|name| format!(", did you mean {name:?}?")).unwrap_or_default()
}

/// The longest line that is read, in characters. Chosen: ten times what fits on a screen's line.
pub(super) const LONGEST: usize = 1_000;
