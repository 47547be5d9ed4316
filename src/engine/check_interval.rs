//! The time between the checks of a trigger.

use super::rule_error::seconds_in;
use super::{RawTrigger, RuleError, RuleProblem};
use crate::units::Duration;

/// Default: 5 s for duration 0; else the smaller of the duration and max(5 s, duration / 4).
/// Rounded up to whole seconds, since windows are made of one-second buckets.
pub(super) fn check_interval(raw: &RawTrigger, duration: Duration) -> Result<Duration, RuleError> {
    let field = "check_interval_seconds";
    let Some(seconds) = raw.check_interval_seconds else {
        let quarter = Duration::from_nanos(duration.as_nanos() / 4);
        let default = if duration.is_zero() {
            LEAST_DEFAULT_INTERVAL
        } else {
            duration.min(quarter.max(LEAST_DEFAULT_INTERVAL))
        };
        return Ok(default.ceil_secs());
    };
    let allowed = "more than 0, up to 3600 seconds";
    let interval = seconds_in(field, seconds, f64::MIN_POSITIVE, 3_600.0, allowed)?;
    if !duration.is_zero() && interval > duration {
        let problem =
            RuleProblem::IntervalAboveDuration { found: seconds, duration: duration.as_secs_f64() };
        return Err(RuleError { field, problem });
    }
    Ok(interval.ceil_secs())
}

const LEAST_DEFAULT_INTERVAL: Duration = Duration::from_secs(5);
