//! What a gate can answer.

use std::fmt;

use serde::{Deserialize, Serialize};

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

    /// This verdict where its scenario expects `expected`: a pass if that was found, a failure if
    /// not. A run that cannot be trusted stays so, whatever was expected of it.
    pub(super) fn against(self, expected: Self) -> Self {
        match self {
            Self::Invalid => Self::Invalid,
            found if found == expected => Self::Pass,
            _ => Self::Fail,
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

    #[test]
    fn an_expected_failure_is_a_pass_and_a_missing_one_a_failure() {
        assert_eq!(Verdict::Fail.against(Verdict::Fail), Verdict::Pass);
        assert_eq!(Verdict::Pass.against(Verdict::Fail), Verdict::Fail);
        assert_eq!(Verdict::Inconclusive.against(Verdict::Fail), Verdict::Fail);
        assert_eq!(Verdict::Inconclusive.against(Verdict::Inconclusive), Verdict::Pass);
        assert_eq!(Verdict::Invalid.against(Verdict::Fail), Verdict::Invalid);
    }
}
