//! Whether a judgement that was read follows from what it rests on.

use super::expected::against;
use super::line::LineResult;
use super::range::{Range, compare, operate};
use super::side::Side;
use super::{Judgement, Verdict};
use crate::assertion::{Assertion, Claim, Comparison, Expression, Operation, Tolerance};

/// How a judgement contradicts itself.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Contradiction {
    /// A line is no assertion.
    #[error("line {text:?} is no assertion: {problem}")]
    NoAssertion {
        /// As written.
        text: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A line was measured otherwise than it asks.
    #[error("line {text:?} rests on something else than it asks for")]
    OtherSides {
        /// As written.
        text: String,
    },
    /// A line's verdict does not follow from its sides.
    #[error("line {text:?} says {stated}, and {follows} follows from its figures")]
    Line {
        /// As written.
        text: String,
        /// What it says.
        stated: Verdict,
        /// What it should say.
        follows: Verdict,
    },
    /// The whole does not follow from its lines.
    #[error("the verdict says {stated}, and {follows} follows from the lines")]
    Whole {
        /// What it says.
        stated: Verdict,
        /// What it should say.
        follows: Verdict,
    },
    /// There is a verdict, and nothing that it rests on.
    #[error("there is a verdict, and nothing that it rests on")]
    Groundless,
}

impl Judgement {
    /// How it contradicts itself, if it does: each line's verdict must follow from its sides, and
    /// the whole from the lines.
    pub fn contradiction(&self) -> Option<Contradiction> {
        let Self::Judged(judged) = self else { return None };
        if let Some(contradiction) = judged.lines.iter().find_map(of_line) {
            return Some(contradiction);
        }
        let distrusted = (!judged.distrust.is_empty()).then_some(Verdict::Invalid);
        let lines = judged.lines.iter().map(|line| line.verdict);
        let Some(found) = lines.chain(distrusted).max() else {
            return Some(Contradiction::Groundless);
        };
        let verdict = judged.expected.map_or(found, |expected| against(found, expected));
        let both = [(judged.found, found), (judged.verdict, verdict)];
        let wrong = both.into_iter().find(|(stated, follows)| stated != follows);
        wrong.map(|(stated, follows)| Contradiction::Whole { stated, follows })
    }
}

fn of_line(line: &LineResult) -> Option<Contradiction> {
    let text = line.text.clone();
    let assertion = match Assertion::parse(&text) {
        Ok(assertion) => assertion,
        Err(error) => return Some(Contradiction::NoAssertion { text, problem: error.to_string() }),
    };
    let sides = [Some(&line.left), Some(&line.right), line.bound.as_ref()];
    let asked: Vec<&Expression> = assertion.expressions().collect();
    let answered = sides.into_iter().flatten().zip(&asked).all(|(side, one)| is_of(side, one));
    let bounded = !matches!(assertion.claim, Claim::Compared { .. });
    if !answered || line.bound.is_some() != bounded {
        return Some(Contradiction::OtherSides { text });
    }
    let follows = follows(line, &assertion);
    let stated = line.verdict;
    (stated != follows).then_some(Contradiction::Line { text, stated, follows })
}

/// The verdict that follows from the sides of a line of one run.
fn follows(line: &LineResult, assertion: &Assertion) -> Verdict {
    if assertion.needs_baseline() {
        // Of which a run by itself knows nothing.
        return Verdict::Inconclusive;
    }
    let (left, right) = (line.left.range(), line.right.range());
    let bound = line.bound.as_ref().map_or(Range::Unknown, Side::range);
    let inside = |low, high| {
        let above = compare(left, Comparison::AtLeast, low);
        above.max(compare(left, Comparison::AtMost, high))
    };
    match &assertion.claim {
        Claim::Compared { operator, .. } => compare(left, *operator, right),
        Claim::Within { .. } => inside(right, bound),
        Claim::Near { tolerance, .. } => {
            let width = match tolerance {
                Tolerance::Absolute(_) => bound,
                Tolerance::Relative(_) => operate(right, Operation::Times, bound),
            };
            let end = |operation| operate(right, operation, width);
            inside(end(Operation::Minus), end(Operation::Plus))
        }
    }
}

/// Whether a side is the answer to an expression: its figure, an estimate of its metric that is as
/// exact as the metric is, or what was worked out of it.
fn is_of(side: &Side, expression: &Expression) -> bool {
    match (side, expression) {
        (Side::Measured(estimate), Expression::Read(reading)) => {
            estimate.metric == reading.metric && estimate.exact != reading.is_estimate()
        }
        (Side::Stated(value), Expression::Stated(literal)) => {
            value.to_bits() == literal.as_f64().to_bits()
        }
        (Side::Worked(worked), asked) => {
            worked.text == asked.to_string() && worked.unit == asked.kind().into()
        }
        (Side::Stated(_), asked @ Expression::Computed { .. }) => asked.readings().next().is_none(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Gate, Judged, Line, Runs, Settings};
    use super::*;
    use crate::summary::fixture::record;

    fn judged() -> Judged {
        let texts = ["rollbacks == 1", "error_rate{phase=baseline} < 2%", "rollbacks == 0"];
        let assertions = texts.map(|text| Assertion::parse(text).unwrap());
        let lines: Vec<_> = texts
            .iter()
            .zip(&assertions)
            .map(|(text, assertion)| Line { text, assertion, file: "gate.yaml", line: 1 })
            .collect();
        let expected = Some(Verdict::Fail);
        let settings = Settings::default();
        let gate = Gate { lines: &lines, expected, distrust: &[], settings };
        let record = record();
        match gate.judge(&Runs::of_records(&[&record], &[], &[]), None) {
            Judgement::Judged(judged) => judged,
            Judgement::NothingToEvaluate => panic!("there are lines"),
        }
    }

    fn found(edit: impl Fn(&mut Judged)) -> String {
        let mut judged = judged();
        edit(&mut judged);
        let contradiction = Judgement::Judged(judged).contradiction();
        contradiction.map_or_else(String::new, |contradiction| contradiction.to_string())
    }

    #[test]
    fn what_was_judged_does_not_contradict_itself() {
        assert_eq!(found(|_| ()), "");
        assert_eq!(Judgement::NothingToEvaluate.contradiction(), None);
    }

    #[test]
    fn an_edited_verdict_is_found() {
        let turned = found(|judged| judged.verdict = Verdict::Fail);
        assert_eq!(turned, "the verdict says fail, and pass follows from the lines");
        let line = found(|judged| judged.lines[2].verdict = Verdict::Pass);
        assert_eq!(line, "line \"rollbacks == 0\" says pass, and fail follows from its figures");
        let distrusted = found(|judged| judged.distrust.push("a reason".to_owned()));
        assert_eq!(distrusted, "the verdict says fail, and invalid follows from the lines");
        let empty = found(|judged| judged.lines.clear());
        assert_eq!(empty, "there is a verdict, and nothing that it rests on");
    }

    #[test]
    fn edited_figures_and_lines_are_found() {
        let stated = found(|judged| judged.lines[2].right = Side::Stated(1.0));
        assert_eq!(stated, "line \"rollbacks == 0\" rests on something else than it asks for");
        let exact = found(|judged| {
            let Side::Measured(estimate) = &mut judged.lines[1].left else { panic!("measured") };
            estimate.exact = true;
        });
        assert!(exact.ends_with("rests on something else than it asks for"), "{exact}");
        let text = found(|judged| judged.lines[0].text = "rollbacks".to_owned());
        assert!(text.starts_with("line \"rollbacks\" is no assertion"), "{text}");
    }
}
