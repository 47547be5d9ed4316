//! One line of the gate: its assertion against the run.

use serde::{Deserialize, Serialize};

use super::Verdict;
use super::needed::requests_needed;
use super::range::{Range, compare};
use super::resolve::resolve;
use crate::assertion::{Assertion, Term};
use crate::metric::Interval;
use crate::stats::Confidence;
use crate::summary::{ColumnSpec, Estimate, Method, Summary};
use crate::units::format_count;

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
    /// What stands right of the operator.
    pub right: Side,
    /// The coverage of the sides' intervals, in (0, 1): 0.95, or 0.975 each where two estimates are
    /// compared, so that both hold at once in 95 % of the cases.
    pub confidence: f64,
    /// What was measured, in a sentence.
    pub evidence: String,
    /// About how many requests in the selections would decide the line, were the values to stay as
    /// they are. Absent where it is decided, and where that is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_needed: Option<u64>,
}

/// One side of a line.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// What was measured.
    Measured(Estimate),
    /// The figure that the line states, in the base unit of the metric on the other side.
    Stated(f64),
}

impl LineResult {
    /// Judges one line.
    pub(super) fn of(line: &Line<'_>, summary: &Summary<'_>, columns: &[ColumnSpec]) -> Self {
        let Assertion { left, operator, right } = line.assertion;
        let confidence = if is_estimate(left) && is_estimate(right) {
            Confidence::PERCENT_97_5
        } else {
            Confidence::PERCENT_95
        };
        let side = |term: &Term| Side::of(term, summary, columns, Method::Gate(confidence));
        let (left, right) = (side(left), side(right));
        let verdict = compare(left.range(), *operator, right.range());
        let requests_needed = (verdict == Verdict::Inconclusive)
            .then(|| {
                let estimates: Vec<_> = estimates(&left, &right).collect();
                requests_needed(&estimates, left.value()?, right.value()?)
            })
            .flatten();
        Self {
            text: line.text.to_owned(),
            file: line.file.to_owned(),
            line: line.line,
            verdict,
            evidence: evidence(&left, &right, requests_needed),
            left,
            right,
            confidence: confidence.get(),
            requests_needed,
        }
    }
}

impl Side {
    fn of(term: &Term, summary: &Summary<'_>, columns: &[ColumnSpec], method: Method) -> Self {
        match term {
            Term::Value(literal) => Self::Stated(literal.as_f64()),
            Term::Metric { metric, selector } => {
                let estimate = match resolve(selector, summary.record(), columns) {
                    Some(selection) => summary.select(selection).estimate(*metric, method),
                    None => Estimate::absent(*metric),
                };
                Self::Measured(estimate)
            }
        }
    }

    pub(super) fn range(&self) -> Range {
        match self {
            Self::Measured(estimate) => Range::of(estimate),
            Self::Stated(value) => Range::point(*value),
        }
    }

    fn value(&self) -> Option<f64> {
        match self {
            Self::Measured(estimate) => estimate.value,
            Self::Stated(value) => Some(*value),
        }
    }

    fn measured(&self) -> Option<&Estimate> {
        match self {
            Self::Measured(estimate) => Some(estimate),
            Self::Stated(_) => None,
        }
    }
}

fn is_estimate(term: &Term) -> bool {
    match term {
        Term::Metric { metric, .. } => metric.interval() != Interval::Exact,
        Term::Value(_) => false,
    }
}

/// The sides that more requests would sharpen.
fn estimates<'a>(left: &'a Side, right: &'a Side) -> impl Iterator<Item = &'a Estimate> {
    [left, right].into_iter().filter_map(Side::measured).filter(|estimate| !estimate.exact)
}

fn evidence(left: &Side, right: &Side, requests_needed: Option<u64>) -> String {
    let mut sentence = match (left.measured(), right.measured()) {
        (Some(left), Some(right)) => format!("{left} against {right}"),
        (Some(one), None) | (None, Some(one)) => one.to_string(),
        // The grammar wants a metric on one side at least.
        (None, None) => String::new(),
    };
    if let Some(needed) = requests_needed {
        sentence.push_str(&format!("; about {} would decide", format_count(needed)));
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::summary::fixture::record;

    fn judge(text: &str) -> LineResult {
        let assertion = Assertion::parse(text).unwrap();
        let line = Line { text, assertion: &assertion, file: "gate.yaml", line: 7 };
        LineResult::of(&line, &Summary::of(&record()), &[])
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
        let limits = |side: &Side| side.measured().and_then(|estimate| estimate.interval).unwrap();
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
