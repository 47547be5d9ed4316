//! Lines on a probability that was estimated elsewhere than by counting runs.

use super::Verdict;
use super::judgement::{Judged, Judgement};
use super::line::{Line, LineResult};
use super::range::{Range, compare};
use super::side::{Side, ValueUnit, Worked};
use crate::assertion::{Assertion, Claim, Comparison, Expression, OverRuns, Reading, Selector};
use crate::metric::Metric;
use crate::stats::{Confidence, Interval};

/// The probability of a false rollback, as it was estimated.
#[derive(Clone, PartialEq, Debug)]
pub struct EstimatedProbability {
    /// It; `None` where the runs do not tell it.
    pub value: Option<f64>,
    /// Between which limits it lies, at 95 %; `None` where nothing is known of it.
    pub limits: Option<Interval>,
    /// From how many runs.
    pub runs: u64,
    /// That in a sentence.
    pub told: String,
}

/// What such a line claims: `p(false_rollback)` of all versions compared with a figure; `None` of
/// any other line.
pub fn claimed_probability(assertion: &Assertion) -> Option<(Comparison, f64)> {
    let Assertion { left: Expression::Read(reading), claim } = assertion else { return None };
    let Claim::Compared { operator, right: Expression::Stated(literal) } = claim else {
        return None;
    };
    let Reading { over_runs, metric, selector, .. } = reading;
    let is_own = !assertion.needs_baseline()
        && *over_runs == OverRuns::Probability
        && *metric == Metric::FalseRollbacks
        && *selector == Selector::default();
    is_own.then(|| (*operator, literal.as_f64()))
}

impl EstimatedProbability {
    /// Judges lines on it, all of them by its interval at 95 %; other lines are passed over.
    pub fn judge(&self, lines: &[Line<'_>]) -> Judgement {
        let judged = lines.iter().filter_map(|line| self.line(line));
        let lines: Vec<LineResult> = judged.collect();
        let Some(found) = lines.iter().map(|line| line.verdict).max() else {
            return Judgement::NothingToEvaluate;
        };
        let (expected, distrust) = (None, Vec::new());
        Judgement::Judged(Judged { verdict: found, found, expected, distrust, lines })
    }

    fn line(&self, line: &Line<'_>) -> Option<LineResult> {
        let (operator, limit) = claimed_probability(line.assertion)?;
        let range = self
            .limits
            .map_or(Range::Unknown, |limits| Range::Known { low: limits.low, high: limits.high });
        let verdict: Verdict = compare(range, operator, Range::point(limit));
        let worked = Worked {
            text: line.assertion.left.to_string(),
            unit: ValueUnit::Ratio,
            value: self.value,
            infinite: false,
            interval: None,
            exact: false,
            runs: self.runs,
            parts: Vec::new(),
        };
        Some(LineResult {
            text: line.text.to_owned(),
            file: line.file.to_owned(),
            line: line.line,
            verdict,
            left: Side::Worked(Box::new(worked.within(range))),
            right: Side::Stated(limit),
            bound: None,
            confidence: Confidence::PERCENT_95.get(),
            evidence: self.told.clone(),
            requests_needed: None,
            runs_needed: None,
            failing_seeds: Vec::new(),
            difference: None,
            adjusted_p_value: None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(text: &str, low: f64, high: f64) -> Option<Verdict> {
        let assertion = Assertion::parse(text).unwrap();
        let line = Line { text, assertion: &assertion, file: "--gate", line: 1 };
        let limits = Some(Interval { low, high });
        let told = String::new();
        EstimatedProbability { value: Some(low), limits, runs: 100, told }.judge(&[line]).verdict()
    }

    #[test]
    fn a_line_holds_where_the_whole_interval_does() {
        let line = "p(false_rollback) < 1e-6";
        assert_eq!(verdict(line, 2e-7, 3e-7), Some(Verdict::Pass));
        assert_eq!(verdict(line, 2e-7, 3e-6), Some(Verdict::Inconclusive));
        assert_eq!(verdict(line, 2e-6, 3e-6), Some(Verdict::Fail));
        assert_eq!(verdict("p(false_rollback) > 1e-6", 2e-6, 3e-6), Some(Verdict::Pass));
    }

    #[test]
    fn other_lines_are_not_its_matter() {
        for text in ["p(rollback) < 1%", "rollbacks == 0", "p(false_rollback) + 0 < 1%"] {
            assert_eq!(verdict(text, 0.1, 0.2), None, "{text}");
        }
    }
}
