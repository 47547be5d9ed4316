//! One line of the gate: its assertion against the runs.

use serde::{Deserialize, Serialize};

use super::Verdict;
use super::case::{Approach, Case};
use super::evidence::evidence;
use super::needed::Needed;
use super::side::{Part, Side, Worked};
use crate::assertion::{Assertion, Claim, Expression, OverRuns, Reading, Tolerance};
use crate::stats::Confidence;

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
        let estimated = !matches!(self.case.approach, Approach::EachRun(_) | Approach::NoBaseline);
        self.line.assertion.needs_baseline() && estimated
    }

    /// What became of it. `dependences`: what makes requests bear on each other.
    pub(super) fn finish(self, dependences: &[&str]) -> LineResult {
        let needed = Needed::of(&self);
        let (left, right, bound) = self.sides();
        let each = match &self.case.approach {
            Approach::Apart => self.case.share_of(self.confidence),
            _ => self.confidence,
        };
        LineResult {
            text: self.line.text.to_owned(),
            file: self.line.file.to_owned(),
            line: self.line.line,
            verdict: self.verdict,
            confidence: each.get(),
            evidence: evidence(&self, (&left, &right), needed, dependences),
            left,
            right,
            bound,
            requests_needed: needed.and_then(|needed| needed.requests),
            runs_needed: needed.and_then(|needed| needed.runs),
            failing_seeds: self.failing_seeds(),
            difference: self.difference(),
            adjusted_p_value: self.adjusted,
        }
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

    fn sides(&self) -> (Side, Side, Option<Side>) {
        let side = |expression: &Expression| self.side(expression);
        let Assertion { left, claim } = self.line.assertion;
        match claim {
            Claim::Compared { right, .. } => (side(left), side(right), None),
            Claim::Within { low, high } => (side(left), side(low), Some(side(high))),
            Claim::Near { value, tolerance } => {
                let (Tolerance::Absolute(width) | Tolerance::Relative(width)) = tolerance;
                (side(left), side(value), Some(Side::Stated(width.as_f64())))
            }
        }
    }

    fn side(&self, expression: &Expression) -> Side {
        match expression {
            Expression::Stated(literal) => Side::Stated(literal.as_f64()),
            Expression::Read(reading) => self.read(reading),
            Expression::Computed { .. } => {
                let mut parts: Vec<Part> = Vec::new();
                for reading in expression.readings() {
                    let text = reading.to_string();
                    if parts.iter().all(|part| part.text != text) {
                        parts.push(Part { text, side: self.read(reading) });
                    }
                }
                if parts.is_empty() {
                    let value = self.case.value(expression);
                    return value.map_or_else(|| self.worked(expression, Vec::new()), Side::Stated);
                }
                self.worked(expression, parts)
            }
        }
    }

    /// A metric: as it was measured, where that is of requests.
    fn read(&self, reading: &Reading) -> Side {
        let share = self.case.share_of(self.confidence);
        let gathered = self.case.gathered.iter().find(|gathered| gathered.reading == reading);
        let known = gathered.map(|gathered| gathered.known(share));
        match known.and_then(|known| known.estimate) {
            Some(estimate) => Side::Measured(estimate),
            None => self.worked(&Expression::Read(reading.clone()), Vec::new()),
        }
    }

    fn worked(&self, expression: &Expression, parts: Vec<Part>) -> Side {
        let range = self.case.range(expression, self.confidence);
        let of = |reading: &Reading| {
            let found = self.case.gathered.iter().find(|gathered| gathered.reading == reading);
            found.map_or(0, |gathered| gathered.runs())
        };
        let over = |reading: &Reading| reading.over_runs != OverRuns::Itself;
        let exact = !expression.readings().any(Reading::is_estimate);
        let worked = Worked {
            text: expression.to_string(),
            unit: expression.kind().into(),
            value: self.case.value(expression),
            infinite: false,
            interval: None,
            exact: exact && !expression.readings().any(over),
            runs: expression.readings().map(of).max().unwrap_or(0),
            parts,
        };
        Side::Worked(Box::new(worked.within(range)))
    }
}
#[cfg(test)]
mod tests {
    use super::super::{Gate, Judgement, Runs, Settings};
    use super::*;
    use crate::summary::fixture::record;

    fn judge(text: &str) -> LineResult {
        let assertion = Assertion::parse(text).unwrap();
        let line = Line { text, assertion: &assertion, file: "gate.yaml", line: 7 };
        let (lines, settings) = ([line], Settings::default());
        let gate = Gate { lines: &lines, expected: None, distrust: &[], settings };
        let record = record();
        let runs = Runs { records: &[&record], columns: &[], dependences: &[] };
        match gate.judge(&runs, None) {
            Judgement::Judged(judged) => judged.lines[0].clone(),
            Judgement::NothingToEvaluate => panic!("there is a line"),
        }
    }

    #[test]
    fn verdicts_follow_the_interval_and_carry_their_evidence() {
        // Intervals by scipy: 5 of 1,005 at 95 % exact is 0.162 % to 1.157 %; the mean of 1 to
        // 1,000 ms is 482.6 to 518.4 ms.
        let cases = [
            ("rollbacks == 1", Verdict::Pass, "1"),
            ("rollbacks != 1", Verdict::Fail, "1"),
            ("time_to_rollback <= 75s", Verdict::Pass, "75 s"),
            ("time_to_rollback < 75s", Verdict::Fail, "75 s"),
            ("blast_radius.failed < 150", Verdict::Pass, "50"),
            (
                "error_rate{phase=baseline} < 1.2%",
                Verdict::Pass,
                "0.50 % [0.16 %, 1.16 %] of 1,005 requests",
            ),
            (
                "1% > error_rate{phase=baseline}",
                Verdict::Inconclusive,
                "0.50 % [0.16 %, 1.16 %] of 1,005 requests; about 1,800 would decide",
            ),
            (
                "error_rate{phase=baseline} > 0.16%",
                Verdict::Pass,
                "0.50 % [0.16 %, 1.16 %] of 1,005 requests",
            ),
            (
                "latency_avg{phase=baseline} >= 600ms",
                Verdict::Fail,
                "500 ms [483 ms, 518 ms] of 1,000 successes",
            ),
            ("error_rate{phase=later} < 100%", Verdict::Inconclusive, "no data"),
            ("time_to_rollback{phase=canary} < 1h", Verdict::Fail, "never"),
            ("rollbacks{phase=canary} == 0", Verdict::Pass, "0"),
        ];
        for (text, verdict, evidence) in cases {
            let result = judge(text);
            assert_eq!((result.verdict, result.evidence.as_str()), (verdict, evidence), "{text}");
        }
    }

    #[test]
    fn two_estimates_are_compared_each_at_half_the_error() {
        // scipy, exact: 0 of 300 at 97.5 % reaches 1.451 %, 50 of 150 begins at 24.67 %.
        let result = judge("error_rate{phase=canary, version=beta} < error_rate{phase=incident}");
        assert_eq!((result.verdict, result.confidence), (Verdict::Pass, 0.975));
        let limits = |side: &Side| match side {
            Side::Measured(estimate) => estimate.interval.unwrap(),
            other => panic!("{other:?}"),
        };
        let close = |found: Option<f64>, wanted: f64| (found.unwrap() - wanted).abs() < 1e-9;
        assert!(close(limits(&result.left).high, 0.014500594315008102), "{result:?}");
        assert!(close(limits(&result.right).low, 0.2488618807376547), "{result:?}");
        let against_exact = judge("requests{phase=canary} > blast_radius.failed");
        assert_eq!((against_exact.verdict, against_exact.confidence), (Verdict::Pass, 0.95));
    }

    #[test]
    fn a_result_survives_its_file() {
        for text in ["error_rate < 1%", "time_to_rollback{phase=canary} <= 90s"] {
            let result = judge(text);
            let json = serde_json::to_string(&result).unwrap();
            assert_eq!(serde_json::from_str::<LineResult>(&json).unwrap(), result);
            assert!(!json.contains("null"), "{json}");
        }
    }
}
