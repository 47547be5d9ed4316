//! From a line that is judged to what is told of it.

use super::case::Approach;
use super::evidence::evidence;
use super::gathered::Gathered;
use super::judging::Judging;
use super::line::LineResult;
use super::needed::Needed;
use super::side::{Part, Side, Worked};
use crate::assertion::{Assertion, Claim, Expression, OverRuns, Reading, Tolerance};

/// What became of a line. `dependences`: what makes requests bear on each other.
pub(super) fn conclude(judging: &Judging<'_>, dependences: &[&str]) -> LineResult {
    let needed = Needed::of(judging);
    let (left, right, bound) = sides(judging);
    let each = match &judging.case.approach {
        Approach::Apart => judging.case.share_of(judging.confidence),
        _ => judging.confidence,
    };
    LineResult {
        text: judging.line.text.to_owned(),
        file: judging.line.file.to_owned(),
        line: judging.line.line,
        verdict: judging.verdict,
        confidence: each.get(),
        evidence: evidence(judging, (&left, &right), needed, dependences),
        left,
        right,
        bound,
        requests_needed: needed.and_then(|needed| needed.requests),
        runs_needed: needed.and_then(|needed| needed.runs),
        failing_seeds: judging.failing_seeds(),
        difference: judging.difference(),
        adjusted_p_value: judging.adjusted,
    }
}

fn sides(judging: &Judging<'_>) -> (Side, Side, Option<Side>) {
    let side = |expression: &Expression| side(judging, expression);
    let Assertion { left, claim } = judging.line.assertion;
    match claim {
        Claim::Compared { right, .. } => (side(left), side(right), None),
        Claim::Within { low, high } => (side(left), side(low), Some(side(high))),
        Claim::Near { value, tolerance } => {
            let (Tolerance::Absolute(width) | Tolerance::Relative(width)) = tolerance;
            (side(left), side(value), Some(Side::Stated(width.as_f64())))
        }
    }
}

fn side(judging: &Judging<'_>, expression: &Expression) -> Side {
    match expression {
        Expression::Stated(literal) => Side::Stated(literal.as_f64()),
        Expression::Read(reading) => read(judging, reading),
        Expression::Computed { .. } => {
            let mut parts: Vec<Part> = Vec::new();
            for reading in expression.readings() {
                let text = reading.to_string();
                if parts.iter().all(|part| part.text != text) {
                    parts.push(Part { text, side: read(judging, reading) });
                }
            }
            if parts.is_empty() {
                let value = judging.case.value(expression);
                return value.map_or_else(|| worked(judging, expression, Vec::new()), Side::Stated);
            }
            worked(judging, expression, parts)
        }
    }
}

/// A metric: as it was measured, where that is of requests.
fn read(judging: &Judging<'_>, reading: &Reading) -> Side {
    let share = judging.case.share_of(judging.confidence);
    let known = judging.case.gathered(reading).map(|gathered| gathered.known(share));
    match known.and_then(|known| known.estimate) {
        Some(estimate) => Side::Measured(estimate),
        None => worked(judging, &Expression::Read(reading.clone()), Vec::new()),
    }
}

fn worked(judging: &Judging<'_>, expression: &Expression, parts: Vec<Part>) -> Side {
    let range = judging.case.range(expression, judging.confidence);
    let of = |reading: &Reading| judging.case.gathered(reading).map_or(0, Gathered::runs);
    let over = |reading: &Reading| reading.over_runs != OverRuns::Itself;
    let exact = !expression.readings().any(Reading::is_estimate);
    let worked = Worked {
        text: expression.to_string(),
        unit: expression.kind().into(),
        value: judging.case.value(expression),
        infinite: false,
        interval: None,
        exact: exact && !expression.readings().any(over) && !judging.case.samples(),
        runs: expression.readings().map(of).max().unwrap_or(0),
        parts,
    };
    Side::Worked(Box::new(worked.within(range)))
}

#[cfg(test)]
mod tests {
    use super::super::{Gate, Judgement, Line, Runs, Settings, Verdict};
    use super::*;
    use crate::summary::fixture::record;

    fn judge(text: &str) -> LineResult {
        let assertion = Assertion::parse(text).unwrap();
        let line = Line { text, assertion: &assertion, file: "gate.yaml", line: 7 };
        let (lines, settings) = ([line], Settings::default());
        let gate = Gate { lines: &lines, expected: None, distrust: &[], settings };
        let record = record();
        match gate.judge(&Runs::of_records(&[&record], &[], &[]), None) {
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
