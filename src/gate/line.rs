//! One line of the gate, and what became of it.

use serde::{Deserialize, Serialize};

use super::Verdict;
use super::side::Side;
use crate::assertion::Assertion;

/// A line of the gate as it is judged.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    /// As written.
    pub text: &'a str,
    /// As understood.
    pub assertion: &'a Assertion,
    /// The file it stands in.
    pub file: &'a str,
    /// Its line there, from 1.
    pub line: u32,
}

/// What became of a line.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct LineResult {
    /// As written.
    pub text: String,
    /// The file it stands in.
    pub file: String,
    /// Its line there, from 1.
    pub line: u32,
    /// Whether it holds.
    pub verdict: Verdict,
    /// What stands left of the operator.
    pub left: Side,
    /// What stands right of it: of `within` the lower end, of `~` the value to be near to.
    pub right: Side,
    /// The upper end of `within`, or the tolerance of `~`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<Side>,
    /// The coverage of the sides' intervals, in (0, 1): 0.95, or more where several estimates are
    /// read, so that all hold at once in 95 % of the cases (1 less the gate's alpha against a
    /// baseline).
    pub confidence: f64,
    /// What was measured, in a sentence.
    pub evidence: String,
    /// About how many requests in the selections would decide the line, were the values to stay as
    /// they are. Absent where it is decided, and where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_needed: Option<u64>,
    /// About how many runs would.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs_needed: Option<u64>,
    /// The seeds of the runs in which it does not hold, of a line that must hold in each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub failing_seeds: Vec<u64>,
    /// Left less right over runs of one seed each, of a line that is judged by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<PairedDifference>,
    /// Against a baseline: how probable such a failure is where the line holds, adjusted for all
    /// lines of the gate that are held against one. Absent where it does not fail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjusted_p_value: Option<f64>,
}

/// The mean of the differences of pairs of runs.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
pub struct PairedDifference {
    /// In the unit of the left side.
    pub mean: f64,
    /// The lower limit of the long-run mean.
    pub low: f64,
    /// The upper limit.
    pub high: f64,
    /// How many pairs.
    pub pairs: u64,
}
