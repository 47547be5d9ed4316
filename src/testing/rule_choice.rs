//! Sets of rules that cases choose from.

use serde::{Deserialize, Serialize};

use crate::engine::{RawRules, RuleSet, Safeguards};

/// A set of rules.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleChoice {
    /// None.
    None,
    /// Errors above 20 % at one check, of five requests.
    Hasty,
    /// Errors, latency, and errors of the stable.
    Document,
    /// The same under a condition more, so that they keep their timers.
    Longer,
    /// The same under other names, so that they do not.
    Renamed,
    /// A judge, and no data for a breach.
    Judge,
    /// Of the version that the tag `beta` names; one pauses, one rolls back to `v2`.
    OfBeta,
    /// Errors against the stable's.
    Compared,
    /// 429 is no error, but its share is watched; no data clears.
    Lenient,
    /// Means of latencies and of times to the first token.
    Means,
    /// Tokens, their speed and what they cost.
    Amounts,
    /// Requests of the client's own fault, timeouts, answers that are empty or cut off.
    Shares,
    /// Means, tokens and costs against the stable's.
    ComparedAmounts,
    /// Two judges with more to spend, one of which only tells.
    Judges,
    /// An interval above the duration, and none where the safeguard refuses it.
    LongInterval,
}

impl RuleChoice {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::None,
        Self::Hasty,
        Self::Document,
        Self::Longer,
        Self::Renamed,
        Self::Judge,
        Self::OfBeta,
        Self::Compared,
        Self::Lenient,
        Self::Means,
        Self::Amounts,
        Self::Shares,
        Self::ComparedAmounts,
        Self::Judges,
        Self::LongInterval,
    ];

    /// The rules.
    pub(super) fn rule_set(self, safeguards: Safeguards) -> RuleSet {
        let text = self.under(safeguards).to_json();
        let raw: RawRules = serde_json::from_str(&text).expect("the rules are JSON");
        RuleSet::new(&raw, safeguards).expect("the rules are sound")
    }

    /// What these safeguards leave of it.
    pub(super) fn under(self, safeguards: Safeguards) -> Self {
        let refused = self == Self::LongInterval && safeguards.refuse_long_interval;
        if refused { Self::None } else { self }
    }

    /// The rules as a file has them, on one line.
    pub(super) fn to_json(self) -> String {
        let conditions = match self {
            Self::None => String::new(),
            Self::Hasty => HASTY.to_owned(),
            Self::Document => document(""),
            Self::Longer => format!("{FIRST}, {}", document("")),
            Self::Renamed => document("new "),
            Self::Judge => JUDGE.to_owned(),
            Self::OfBeta => OF_BETA.to_owned(),
            Self::Compared => COMPARED.to_owned(),
            Self::Lenient => LENIENT.to_owned(),
            Self::Means => MEANS.to_owned(),
            Self::Amounts => AMOUNTS.to_owned(),
            Self::Shares => SHARES.to_owned(),
            Self::ComparedAmounts => COMPARED_AMOUNTS.to_owned(),
            Self::Judges => JUDGES.to_owned(),
            Self::LongInterval => LONG_INTERVAL.to_owned(),
        };
        let counts = self != Self::Lenient;
        let counts = format!("\"rate_limited_is_error\": {counts}");
        let alpha = if self == Self::Judges { 0.05 } else { 0.001 };
        let text = format!("{{{counts}, \"alpha\": {alpha}, \"conditions\": [{conditions}]}}");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }
}

fn document(prefix: &str) -> String {
    DOCUMENT.replace("\"id\": \"", &format!("\"id\": \"{prefix}"))
}

const HASTY: &str = r#"
    {"metric": "error_rate", "operator": ">", "threshold": 0.2, "duration_seconds": 0,
     "min_requests": 5, "action": "rollback_to_last_stable"}"#;
const DOCUMENT: &str = r#"
    {"id": "errors", "metric": "error_rate", "operator": ">", "threshold": 0.05,
     "duration_seconds": 10, "min_requests": 3, "action": "rollback_to_last_stable"},
    {"id": "latency", "metric": "latency_p99", "operator": ">", "threshold_ms": 3000,
     "duration_seconds": 5, "min_requests": 3, "action": "rollback_to_last_stable"},
    {"id": "stable", "metric": "error_rate", "operator": ">=", "threshold": 0.5,
     "duration_seconds": 2, "min_requests": 3, "version": "stable",
     "action": "rollback_to_last_stable"}"#;
const FIRST: &str = r#"
    {"id": "requests", "metric": "requests", "operator": ">=", "threshold": 20,
     "duration_seconds": 3, "check_interval_seconds": 1, "window_seconds": 7, "action": "notify"}"#;
const JUDGE: &str = r#"
    {"judge": "sequential", "action": "rollback_to_last_stable"},
    {"metric": "error_rate", "operator": ">", "threshold": 0.9, "duration_seconds": 30,
     "no_data": "breach", "action": "rollback_to_last_stable"}"#;
const OF_BETA: &str = r#"
    {"metric": "error_rate", "operator": ">", "threshold": 0.1, "duration_seconds": 4,
     "check_interval_seconds": 2, "window_seconds": 8, "min_requests": 2, "version": "beta",
     "action": "pause"},
    {"metric": "latency_p50", "operator": ">=", "threshold_ms": 1000, "duration_seconds": 6,
     "min_requests": 2, "version": "beta", "action": "rollback_to:v2"}"#;
const COMPARED: &str = r#"
    {"metric": "error_rate", "operator": ">", "threshold": 1.5, "compare_to": "stable",
     "duration_seconds": 4, "check_interval_seconds": 2, "min_requests": 3,
     "action": "rollback_to_last_stable"}"#;
const LENIENT: &str = r#"
    {"metric": "rate_limited_rate", "operator": ">", "threshold": 0.3, "duration_seconds": 5,
     "check_interval_seconds": 1, "min_requests": 4, "no_data": "clear",
     "action": "rollback_to_last_stable"},
    {"metric": "success_rate", "operator": "<", "threshold": 0.6, "duration_seconds": 0,
     "check_interval_seconds": 3, "window_seconds": 6, "min_requests": 4,
     "action": "rollback_to_last_stable"}"#;
const LONG_INTERVAL: &str = r#"
    {"metric": "error_rate", "operator": ">", "threshold": 0.1, "duration_seconds": 5,
     "check_interval_seconds": 20, "min_requests": 2, "action": "rollback_to_last_stable"}"#;
const MEANS: &str = r#"
    {"metric": "latency_avg", "operator": ">", "threshold_ms": 1000, "duration_seconds": 4,
     "check_interval_seconds": 2, "window_seconds": 8, "min_requests": 3,
     "action": "rollback_to_last_stable"},
    {"metric": "latency_all_avg", "operator": ">=", "threshold_ms": 1500, "duration_seconds": 0,
     "check_interval_seconds": 1, "window_seconds": 5, "min_requests": 2,
     "action": "notify"},
    {"metric": "ttft_avg", "operator": "<", "threshold_ms": 2000, "duration_seconds": 3,
     "check_interval_seconds": 1, "window_seconds": 20, "min_requests": 1,
     "action": "rollback_to_last_stable"},
    {"metric": "ttft_p50", "operator": ">=", "threshold_ms": 3000, "duration_seconds": 0,
     "check_interval_seconds": 2, "window_seconds": 30, "min_requests": 1,
     "action": "notify"}"#;
const AMOUNTS: &str = r#"
    {"metric": "output_tokens_avg", "operator": "<=", "threshold": 3, "duration_seconds": 4,
     "check_interval_seconds": 2, "window_seconds": 8, "min_requests": 3,
     "action": "notify"},
    {"metric": "tokens_per_second", "operator": "<", "threshold": 2.5, "duration_seconds": 3,
     "check_interval_seconds": 1, "window_seconds": 6, "min_requests": 2,
     "action": "rollback_to_last_stable"},
    {"metric": "cost_per_1k_tokens", "operator": ">=", "threshold": 0.003, "duration_seconds": 2,
     "check_interval_seconds": 2, "window_seconds": 10, "min_requests": 2,
     "action": "rollback_to_last_stable"}"#;
const SHARES: &str = r#"
    {"metric": "client_error_rate", "operator": ">", "threshold": 0.1, "duration_seconds": 2,
     "check_interval_seconds": 1, "window_seconds": 20, "min_requests": 2,
     "action": "notify"},
    {"metric": "timeout_rate", "operator": ">=", "threshold": 0.2, "duration_seconds": 2,
     "check_interval_seconds": 1, "window_seconds": 20, "min_requests": 2,
     "action": "rollback_to_last_stable"},
    {"metric": "empty_rate", "operator": ">", "threshold": 0.25, "duration_seconds": 3,
     "check_interval_seconds": 1, "window_seconds": 6, "min_requests": 3,
     "action": "rollback_to_last_stable"},
    {"metric": "length_finish_rate", "operator": ">", "threshold": 0, "duration_seconds": 0,
     "check_interval_seconds": 1, "window_seconds": 20, "min_requests": 1,
     "action": "notify"}"#;
const COMPARED_AMOUNTS: &str = r#"
    {"metric": "latency_avg", "operator": ">", "threshold": 1.25,
     "compare_to": "stable", "duration_seconds": 2,
     "check_interval_seconds": 1, "window_seconds": 10, "min_requests": 2,
     "action": "rollback_to_last_stable"},
    {"metric": "latency_all_avg", "operator": "<", "threshold_ms": -100,
     "compare_to": "stable", "as": "difference", "duration_seconds": 0,
     "check_interval_seconds": 2, "window_seconds": 10, "min_requests": 1,
     "action": "notify"},
    {"metric": "cost_per_1k_tokens", "operator": ">", "threshold": 0.0005,
     "compare_to": "stable", "as": "difference", "duration_seconds": 4,
     "check_interval_seconds": 2, "window_seconds": 10, "min_requests": 2,
     "action": "rollback_to_last_stable"},
    {"metric": "output_tokens_avg", "operator": ">=", "threshold": 1,
     "compare_to": "stable", "duration_seconds": 0,
     "check_interval_seconds": 2, "window_seconds": 10, "min_requests": 2,
     "action": "notify"},
    {"metric": "tokens_per_second", "operator": "<=", "threshold": 0.5,
     "compare_to": "stable", "duration_seconds": 0,
     "check_interval_seconds": 3, "window_seconds": 10, "min_requests": 2,
     "action": "rollback_to_last_stable"}"#;
const JUDGES: &str = r#"
    {"id": "tells", "judge": "sequential", "prior_strength": 2, "check_interval_seconds": 3,
     "action": "notify"},
    {"id": "acts", "judge": "sequential", "prior_strength": 50, "check_interval_seconds": 1,
     "action": "rollback_to_last_stable"}"#;
