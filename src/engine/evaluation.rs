//! Results of runs that are attached to a version: its history of tests.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

/// What a run said of a version.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    /// The scenario that was run.
    pub scenario: String,
    /// Its seed.
    pub seed: u64,
    /// What its gate answered.
    pub verdict: Verdict,
    /// The metrics that matter most, by name, in their base units: seconds, ratios, dollars,
    /// counts.
    pub metrics: BTreeMap<String, f64>,
}

/// What a gate answers. In rising order of precedence: of several, the greatest counts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It holds, and so does the whole interval of every estimate.
    Pass,
    /// An interval straddles its limit, or there were too few requests.
    Inconclusive,
    /// The whole interval violates it.
    Fail,
    /// The run itself cannot be trusted.
    Invalid,
}

impl Verdict {
    /// What it is called.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Inconclusive => "inconclusive",
            Self::Fail => "fail",
            Self::Invalid => "invalid",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_of_several_verdicts_counts() {
        let all = [Verdict::Pass, Verdict::Fail, Verdict::Inconclusive, Verdict::Invalid];
        assert_eq!(all.into_iter().max(), Some(Verdict::Invalid));
        assert_eq!(all[..3].iter().max(), Some(&Verdict::Fail));
        assert!(Verdict::Inconclusive > Verdict::Pass);
    }
}
