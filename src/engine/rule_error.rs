//! Why a rule is refused: the field at fault and what is wrong with it.

use crate::units::Duration;

/// Why an element of `conditions` is refused: the field, and what is wrong with it.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct RuleError {
    /// The field of [`RawTrigger`](super::RawTrigger) at fault.
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
    #[error("{} is out of range; allowed is {allowed}", legible(*.found))]
    OutOfRange { found: f64, allowed: &'static str },
    #[error("does not fit {metric}, which is {kind}; use {instead}")]
    WrongUnit { metric: &'static str, kind: &'static str, instead: &'static str },
    #[error("is empty, longer than {most} characters, or holds control characters")]
    NoText { most: usize },
    #[error("a second condition with the id {found:?}; give each an id of its own, or none")]
    Repeated { found: String },
    #[error("does not belong to a {kind}")]
    Misplaced { kind: &'static str },
    #[error(
        "{} s is longer than duration_seconds ({duration} s): an incident shorter than the \
         interval could go unseen; use {duration} or less",
        legible(*.found)
    )]
    IntervalAboveDuration { found: f64, duration: f64 },
    #[error(
        "{} s is shorter than a second, the width of the buckets that windows are made of; use 1 \
         or more",
        legible(*.found)
    )]
    BelowOneSecond { found: f64 },
    #[error(
        "{} s is shorter than the check interval ({interval} s): requests between two \
             windows would never be looked at; use {interval} or more",
        legible(*.found)
    )]
    WindowBelowInterval { found: f64, interval: f64 },
}

/// A number as a person would write it: not in hundreds of digits.
fn legible(number: f64) -> String {
    let plain = number == 0.0 || (1e-9..1e15).contains(&number.abs());
    if plain { number.to_string() } else { format!("{number:e}") }
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

/// Whether `value` can be shown to a person.
pub(super) fn text(field: &'static str, value: &str) -> Result<(), RuleError> {
    let legible = !value.trim().is_empty()
        && value.chars().count() <= LONGEST_TEXT
        && !value.chars().any(char::is_control);
    refuse_if(!legible, field, RuleProblem::NoText { most: LONGEST_TEXT })
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

/// Chosen: a paragraph; the texts of a rule set are shown in one line.
const LONGEST_TEXT: usize = 2_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_cited_in_few_digits() {
        let cited = |found| RuleProblem::OutOfRange { found, allowed: "0 to 1" }.to_string();
        assert_eq!(cited(1e300), "1e300 is out of range; allowed is 0 to 1");
        assert_eq!(cited(-1e-300), "-1e-300 is out of range; allowed is 0 to 1");
        assert_eq!(cited(86_401.5), "86401.5 is out of range; allowed is 0 to 1");
        assert_eq!(cited(-0.0), "-0 is out of range; allowed is 0 to 1");
        assert!(cited(f64::NAN).starts_with("NaN is"));
    }
}
