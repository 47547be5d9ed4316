//! The time between the checks of a trigger: whole seconds, since windows are made of buckets of
//! one second.

use super::rule_error::{refuse_if, seconds_in};
use super::{RawTrigger, RuleError, RuleProblem, Safeguards};
use crate::units::Duration;

/// Default: 5 s for duration 0; else the smaller of the duration and max(5 s, duration / 4),
/// rounded up to whole seconds, and an hour at most: no window is longer. One that is stated has at
/// least a second, and with the safeguard is not longer than a duration above 0, rounded up alike.
pub(super) fn check_interval(
    raw: &RawTrigger,
    duration: Duration,
    safeguards: Safeguards,
) -> Result<Duration, RuleError> {
    let field = "check_interval_seconds";
    let Some(seconds) = raw.check_interval_seconds else {
        let quarter = Duration::from_nanos(duration.as_nanos() / 4);
        let default = if duration.is_zero() {
            LEAST_DEFAULT_INTERVAL
        } else {
            duration.min(quarter.max(LEAST_DEFAULT_INTERVAL))
        };
        return Ok(default.ceil_secs().min(LONGEST_WINDOW));
    };
    let interval = bucketed(field, seconds)?;
    let longest = duration.ceil_secs();
    let problem =
        RuleProblem::IntervalAboveDuration { found: seconds, duration: longest.as_secs_f64() };
    let too_long = !duration.is_zero() && interval > longest;
    refuse_if(safeguards.refuse_long_interval && too_long, field, problem)?;
    Ok(interval)
}

/// A stated number of seconds, from one second to an hour, rounded up to whole ones.
pub(super) fn bucketed(field: &'static str, seconds: f64) -> Result<Duration, RuleError> {
    let below = seconds > 0.0 && seconds < 1.0;
    refuse_if(below, field, RuleProblem::BelowOneSecond { found: seconds })?;
    Ok(seconds_in(field, seconds, 1.0, 3_600.0, "1 to 3600 seconds")?.ceil_secs())
}

/// Chosen: an hour of seconds is what a window may cost.
pub(super) const LONGEST_WINDOW: Duration = Duration::from_secs(3_600);
const LEAST_DEFAULT_INTERVAL: Duration = Duration::from_secs(5);
