//! The runs that are compared, and how they are to be.

use serde::{Deserialize, Serialize};

use crate::gate::Verdict;
use crate::result::ResultFile;
use crate::stats::Confidence;
use crate::units::Ratio;

/// A result that takes part in a comparison.
#[derive(Clone, Copy, Debug)]
pub struct RunInput<'a> {
    /// How it is called: a path, or a name of the caller's choice. Need not be unique.
    pub label: &'a str,
    /// The SHA-256 of the result file, in hexadecimal digits.
    pub sha256: &'a str,
    /// What is known of it.
    pub result: &'a ResultFile,
}

/// How runs are compared.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Settings {
    /// Of the intervals; 1 less it is the probability of finding any difference where there is
    /// none. Default: 95 %.
    pub confidence: Confidence,
    /// By which share of the first run's value a metric must differ to be found better or worse,
    /// however sure the difference. Default: 0, any.
    pub smallest_effect: Ratio,
    /// Whether results of different scenarios or traces are compared all the same, and their
    /// differences told. Default: no, that is an error.
    pub across: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let confidence = Confidence::PERCENT_95;
        Self { confidence, smallest_effect: Ratio::ZERO, across: false }
    }
}

/// A run that was compared.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct ComparedRun {
    /// How it is called.
    pub label: String,
    /// The name of its scenario.
    pub scenario: String,
    /// Its seed.
    pub seed: u64,
    /// The verdict of its gate, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// The version of coalmine that made it.
    pub coalmine: String,
    /// How many requests were sent.
    pub requests: u64,
    /// The SHA-256 of its result file, in hexadecimal digits.
    pub sha256: String,
}

impl ComparedRun {
    /// Whether the verdict of its gate is fail or invalid, and graver than that of `other`.
    pub fn has_worse_verdict_than(&self, other: &Self) -> bool {
        let both = self.verdict.zip(other.verdict);
        both.is_some_and(|(own, other)| own >= Verdict::Fail && own > other)
    }

    pub(crate) fn of(input: &RunInput<'_>) -> Self {
        let RunInput { label, sha256, result } = input;
        Self {
            label: (*label).to_owned(),
            scenario: result.scenario.name.clone(),
            seed: result.scenario.seed,
            verdict: result.gate.verdict(),
            coalmine: result.coalmine.clone(),
            requests: result.record.requests(),
            sha256: (*sha256).to_owned(),
        }
    }
}
