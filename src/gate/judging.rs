//! How far a line is judged before all lines of its gate are held together.

use super::Verdict;
use super::case::{Approach, Case};
use super::line::{Line, PairedDifference};
use crate::stats::Confidence;

/// How far a line is judged before all lines are held together.
#[derive(Debug)]
pub(super) struct Judging<'a> {
    pub(super) line: &'a Line<'a>,
    pub(super) case: Case<'a>,
    pub(super) confidence: Confidence,
    pub(super) verdict: Verdict,
    /// Of its failure, adjusted; `None` where nothing is adjusted.
    pub(super) adjusted: Option<f64>,
}

impl<'a> Judging<'a> {
    /// Whether it is one of those whose failures are held together.
    pub(super) fn is_of_family(&self) -> bool {
        let estimated = !matches!(
            self.case.approach,
            Approach::EachRun(_) | Approach::Same | Approach::NoBaseline
        );
        self.line.assertion.needs_baseline() && estimated
    }

    /// The seeds in which it does not hold.
    pub(super) fn failing_seeds(&self) -> Vec<u64> {
        let Approach::EachRun(pairs) = &self.case.approach else { return Vec::new() };
        let failing = pairs.iter().filter(|pair| self.case.verdict_in(pair) == Verdict::Fail);
        match pairs.len() {
            // Of one run the verdict says it.
            1 => Vec::new(),
            _ => failing.map(|pair| pair.seed).collect(),
        }
    }

    /// The difference that decided, or the one that is the least sure to hold.
    pub(super) fn difference(&self) -> Option<PairedDifference> {
        let Approach::Paired(pairs) = &self.case.approach else { return None };
        let inequality =
            self.case.inequalities.iter().max_by_key(|inequality| {
                self.case.verdict_of(inequality, pairs, self.confidence)
            })?;
        let (mean, limits) = self.case.mean_difference(inequality, pairs, self.confidence)?;
        let pairs = pairs.len() as u64;
        Some(PairedDifference { mean, low: limits.low, high: limits.high, pairs })
    }
}
