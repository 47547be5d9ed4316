//! A judge: a statistical comparison of the canary with the stable that can fire like a condition.

use super::check_interval::check_interval;
use super::rule_error::{refuse_if, unknown};
use super::{RawTrigger, RuleError, RuleProblem, Safeguards};
use crate::units::Duration;

/// The sequential test of the canary's share of errors (Lindon and Malek, arXiv 2011.03567).
#[derive(Clone, PartialEq, Debug)]
pub struct Judge {
    /// The strength k of the prior on the configured split.
    pub prior_strength: f64,
}

impl Judge {
    /// Writes its fields down, every default among them.
    pub(super) fn write(&self, raw: &mut RawTrigger) {
        raw.judge = Some("sequential".to_owned());
        raw.metric = Some("error_rate".to_owned());
        raw.prior_strength = Some(self.prior_strength);
    }
}

pub(super) fn judge(
    raw: &RawTrigger,
    name: &str,
    safeguards: Safeguards,
) -> Result<(Judge, Duration), RuleError> {
    if name != "sequential" {
        return Err(unknown("judge", name, "sequential"));
    }
    let misplaced = [
        ("operator", raw.operator.is_some()),
        ("threshold", raw.threshold.is_some()),
        ("threshold_ms", raw.threshold_ms.is_some()),
        ("compare_to", raw.compare_to.is_some()),
        ("as", raw.form.is_some()),
        ("duration_seconds", raw.duration_seconds.is_some()),
        ("window_seconds", raw.window_seconds.is_some()),
        ("min_requests", raw.min_requests.is_some()),
        ("no_data", raw.no_data.is_some()),
    ];
    for (field, given) in misplaced {
        refuse_if(given, field, RuleProblem::Misplaced { kind: "judge" })?;
    }
    if let Some(metric) = raw.metric.as_deref().filter(|metric| *metric != "error_rate") {
        return Err(unknown("metric", metric, "error_rate (the one that this judge compares)"));
    }
    let prior_strength = raw.prior_strength.unwrap_or(DEFAULT_PRIOR_STRENGTH);
    let problem = RuleProblem::OutOfRange { found: prior_strength, allowed: "0.01 to 10000" };
    refuse_if(!(0.01..=1e4).contains(&prior_strength), "prior_strength", problem)?;
    let interval = check_interval(raw, Duration::ZERO, safeguards)?;
    Ok((Judge { prior_strength }, interval))
}

/// From the design of the statistics: the prior strength with the shortest runs of errors at
/// common splits.
const DEFAULT_PRIOR_STRENGTH: f64 = 10.0;
