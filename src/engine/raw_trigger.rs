//! One element of `conditions` as its file has it, before anything is checked.

/// One element of `conditions` as its file has it: numbers in the unit that their name says.
#[derive(Clone, PartialEq, Debug, Default)]
#[expect(missing_docs, reason = "the fields are those of the file format")]
pub struct RawTrigger {
    pub id: Option<String>,
    pub judge: Option<String>,
    pub metric: Option<String>,
    pub operator: Option<String>,
    pub threshold: Option<f64>,
    pub threshold_ms: Option<f64>,
    pub compare_to: Option<String>,
    /// `as`
    pub form: Option<String>,
    pub duration_seconds: Option<f64>,
    pub check_interval_seconds: Option<f64>,
    pub window_seconds: Option<f64>,
    pub min_requests: Option<u64>,
    pub no_data: Option<String>,
    pub version: Option<String>,
    pub action: Option<String>,
    pub alpha: Option<f64>,
    pub prior_strength: Option<f64>,
}
