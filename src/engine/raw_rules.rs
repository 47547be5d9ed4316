//! A rule set as its file has it, before anything is checked: the JSON that every reader and writer
//! of rules goes through.

use serde::{Deserialize, Serialize};

/// A rule set as its file has it.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of the file format")]
pub struct RawRules {
    #[serde(default = "yes")]
    pub enable: bool,
    #[serde(default = "yes")]
    pub rate_limited_is_error: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f64>,
    pub conditions: Vec<RawTrigger>,
    #[serde(default, skip_serializing_if = "RawNotification::is_nobody")]
    pub notification: RawNotification,
}

/// `notification` as its file has it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of the file format")]
pub struct RawNotification {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slack_webhook: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// One element of `conditions` as its file has it: numbers in the unit that their name says.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(missing_docs, reason = "the fields are those of the file format")]
pub struct RawTrigger {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub judge: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub metric: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub operator: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub threshold_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compare_to: Option<String>,
    /// `as`
    #[serde(rename = "as", skip_serializing_if = "Option::is_none")]
    pub form: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub check_interval_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_requests: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub no_data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub action: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prior_strength: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub burst_block_seconds: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tolerance: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
}

impl Default for RawRules {
    /// No conditions, and what holds where a file says nothing.
    fn default() -> Self {
        Self {
            enable: yes(),
            rate_limited_is_error: yes(),
            alpha: None,
            conditions: Vec::new(),
            notification: RawNotification::default(),
        }
    }
}

impl RawTrigger {
    /// The fields that belong to judges alone, and whether they are given.
    pub(super) const fn of_judges(&self) -> [(&'static str, bool); 6] {
        [
            ("prior_strength", self.prior_strength.is_some()),
            ("alpha", self.alpha.is_some()),
            ("effect", self.effect.is_some()),
            ("burst_block_seconds", self.burst_block_seconds.is_some()),
            ("tolerance", self.tolerance.is_some()),
            ("confidence", self.confidence.is_some()),
        ]
    }
}

impl RawNotification {
    fn is_nobody(&self) -> bool {
        *self == Self::default()
    }
}

const fn yes() -> bool {
    true
}
