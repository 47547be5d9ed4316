//! What became of a scenario that was to be gated, and of several.

use serde::{Deserialize, Serialize};

use crate::gate::{Judgement, Verdict};

/// What became of a scenario that was to be gated; the later, the graver.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Its gate holds, or comes to the verdict that its author expects.
    Pass,
    /// It has no gate.
    NothingToEvaluate,
    /// Its gate cannot be decided with the data there is.
    Inconclusive,
    /// Its gate does not hold.
    Fail,
    /// Its runs cannot be trusted.
    Invalid,
    /// It cannot be read, or what it replays cannot.
    Unreadable,
}

/// How many scenarios came out how.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct OutcomeCounts {
    /// All.
    pub scenarios: u64,
    /// Those whose gate holds.
    pub passed: u64,
    /// Those whose gate does not hold.
    pub failed: u64,
    /// Those whose gate cannot be decided.
    pub inconclusive: u64,
    /// Those whose runs cannot be trusted.
    pub invalid: u64,
    /// Those without a gate.
    pub nothing_to_evaluate: u64,
    /// Those that cannot be read.
    pub unreadable: u64,
}

impl Outcome {
    /// All of them, the least grave first.
    pub(super) const ALL: [Self; 6] = [
        Self::Pass,
        Self::NothingToEvaluate,
        Self::Inconclusive,
        Self::Fail,
        Self::Invalid,
        Self::Unreadable,
    ];

    /// Of what a gate found.
    pub const fn of(judgement: &Judgement) -> Self {
        match judgement.verdict() {
            Some(Verdict::Pass) => Self::Pass,
            Some(Verdict::Inconclusive) => Self::Inconclusive,
            Some(Verdict::Fail) => Self::Fail,
            Some(Verdict::Invalid) => Self::Invalid,
            None => Self::NothingToEvaluate,
        }
    }

    /// As machines read it: `nothing_to_evaluate`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::NothingToEvaluate => "nothing_to_evaluate",
            Self::Inconclusive => "inconclusive",
            Self::Fail => "fail",
            Self::Invalid => "invalid",
            Self::Unreadable => "unreadable",
        }
    }
}

impl OutcomeCounts {
    /// Counts outcomes.
    pub fn of(outcomes: impl IntoIterator<Item = Outcome>) -> Self {
        let mut counts = Self::default();
        for outcome in outcomes {
            counts.scenarios += 1;
            *match outcome {
                Outcome::Pass => &mut counts.passed,
                Outcome::NothingToEvaluate => &mut counts.nothing_to_evaluate,
                Outcome::Inconclusive => &mut counts.inconclusive,
                Outcome::Fail => &mut counts.failed,
                Outcome::Invalid => &mut counts.invalid,
                Outcome::Unreadable => &mut counts.unreadable,
            } += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gravest_outcome_is_the_greatest() {
        // The precedence of the verdicts, around which stand what has none and what has no run.
        assert!(Outcome::ALL.is_sorted());
        for outcome in Outcome::ALL {
            let text = serde_json::to_string(&outcome).unwrap();
            assert_eq!(text, format!("{:?}", outcome.name()));
        }
    }

    #[test]
    fn every_outcome_is_counted_once() {
        let counts = OutcomeCounts::of([Outcome::Fail, Outcome::Pass, Outcome::Fail]);
        let expected = OutcomeCounts { scenarios: 3, passed: 1, failed: 2, ..counts };
        assert_eq!(counts, expected);
        assert_eq!(counts.inconclusive + counts.invalid + counts.unreadable, 0);
    }
}
