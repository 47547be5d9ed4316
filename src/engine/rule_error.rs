//! Why a rule is refused: the field at fault and what is wrong with it.

use crate::units::Duration;

/// Why an element of `conditions` is refused: the field, and what is wrong with it.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct RuleError {
    /// The field of [`RawTrigger`] at fault.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: RuleProblem,
}

/// What can be wrong with a field of a rule.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its variant means")]
pub enum RuleProblem {
    #[error("missing; write {example}")]
    Missing { example: &'static str },
    #[error("{found:?} is unknown; allowed are {allowed}")]
    Unknown { found: String, allowed: String },
    #[error("{found} is out of range; allowed is {allowed}")]
    OutOfRange { found: f64, allowed: &'static str },
    #[error("does not fit {metric}, which is {kind}; use {instead}")]
    WrongUnit { metric: &'static str, kind: &'static str, instead: &'static str },
    #[error("does not belong to a {kind}")]
    Misplaced { kind: &'static str },
    #[error(
        "{found} s is longer than duration_seconds ({duration} s): an incident shorter than the \
         interval could go unseen; use {duration} or less"
    )]
    IntervalAboveDuration { found: f64, duration: f64 },
    #[error(
        "{found} s is shorter than the check interval ({interval} s): requests between two \
             windows would never be looked at; use {interval} or more"
    )]
    WindowBelowInterval { found: f64, interval: f64 },
}

pub(super) fn seconds_in(
    field: &'static str,
    seconds: f64,
    least: f64,
    most: f64,
    allowed: &'static str,
) -> Result<Duration, RuleError> {
    let problem = RuleProblem::OutOfRange { found: seconds, allowed };
    refuse_if(!(least..=most).contains(&seconds), field, problem)?;
    Ok(Duration::from_secs_f64(seconds))
}

pub(super) fn required<T>(
    field: &'static str,
    value: Option<T>,
    example: &'static str,
) -> Result<T, RuleError> {
    value.ok_or(RuleError { field, problem: RuleProblem::Missing { example } })
}

pub(super) fn refuse_if(
    refuse: bool,
    field: &'static str,
    problem: RuleProblem,
) -> Result<(), RuleError> {
    if refuse { Err(RuleError { field, problem }) } else { Ok(()) }
}

pub(super) fn unknown(field: &'static str, found: &str, allowed: &str) -> RuleError {
    let found = found.chars().take(60).collect();
    RuleError { field, problem: RuleProblem::Unknown { found, allowed: allowed.to_owned() } }
}
