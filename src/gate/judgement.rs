//! All lines of a gate together.

use serde::{Deserialize, Serialize};

use super::Verdict;
use super::case::Case;
use super::conclusion::conclude;
use super::expected::against;
use super::judging::Judging;
use super::line::{Line, LineResult};
use super::runs::{Runs, Settings, Stored};
use crate::stats::{Confidence, holm};

/// What is asked of the runs of a scenario.
#[derive(Clone, Copy, Debug)]
pub struct Gate<'a> {
    /// What must hold.
    pub lines: &'a [Line<'a>],
    /// The verdict that the scenario's author expects instead of a pass: it turns the gate round.
    pub expected: Option<Verdict>,
    /// Why the runs cannot be trusted, in sentences; empty where they can.
    pub distrust: &'a [String],
    /// How lines that are held against a baseline are judged.
    pub settings: Settings,
}

/// What a gate found.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum Judgement {
    /// There is no line to judge and no reason for distrust: no verdict.
    NothingToEvaluate,
    /// There is a verdict.
    Judged(Judged),
}

/// A verdict and all that it rests on.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Judged {
    /// The verdict: what was found, or how that compares with what was expected.
    pub verdict: Verdict,
    /// What was found: the gravest verdict of all lines, or invalid.
    pub found: Verdict,
    /// What the scenario's author expects instead of a pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<Verdict>,
    /// Why the run cannot be trusted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub distrust: Vec<String>,
    /// What became of each line.
    pub lines: Vec<LineResult>,
}

impl<'a> Gate<'a> {
    /// Judges runs, against those of a `baseline` where there is one.
    ///
    /// # Panics
    /// The settings' alpha is outside (0, 1).
    pub fn judge(&self, runs: &Runs<'_>, baseline: Option<&Stored<'_>>) -> Judgement {
        let against_baseline =
            Confidence::new(1.0 - self.settings.alpha).expect("an alpha is in (0, 1)");
        let judge = |line: &'a Line<'a>| {
            let assertion = line.assertion;
            let case = Case::of(assertion, runs, baseline, &self.settings);
            let confidence = match assertion.needs_baseline() {
                true => against_baseline,
                false => Confidence::PERCENT_95,
            };
            let verdict = case.verdict(confidence);
            Judging { line, case, confidence, verdict, adjusted: None }
        };
        let mut judged: Vec<Judging<'a>> = self.lines.iter().map(judge).collect();
        hold_together(&mut judged, self.settings.alpha);
        let finish = |judging: &Judging<'_>| conclude(judging, runs.dependences);
        let lines: Vec<LineResult> = judged.iter().map(finish).collect();
        let distrusted = (!self.distrust.is_empty()).then_some(Verdict::Invalid);
        let Some(found) = lines.iter().map(|line| line.verdict).chain(distrusted).max() else {
            return Judgement::NothingToEvaluate;
        };
        Judgement::Judged(Judged {
            verdict: self.expected.map_or(found, |expected| against(found, expected)),
            found,
            expected: self.expected,
            distrust: self.distrust.to_vec(),
            lines,
        })
    }
}

/// Lets a line fail against the baseline only where it does so together with all others that are
/// held against it: the probability that any fails of which none should is alpha at most. That all
/// must hold for a pass needs no such care: a pass of one that should fail is one error of one
/// line.
fn hold_together(judged: &mut [Judging<'_>], alpha: f64) {
    let mut family: Vec<_> = judged.iter_mut().filter(|one| one.is_of_family()).collect();
    let p_values = family.iter().map(|one| match one.verdict {
        Verdict::Fail => one.case.p_value(one.confidence),
        // Whatever it is, it is greater than alpha.
        _ => 1.0,
    });
    let adjusted = holm(&p_values.collect::<Vec<_>>());
    for (one, adjusted) in family.iter_mut().zip(adjusted) {
        if one.verdict == Verdict::Fail {
            one.adjusted = Some(adjusted);
            if adjusted > alpha {
                one.verdict = Verdict::Inconclusive;
            }
        }
    }
}

impl Judgement {
    /// The verdict, where there is one.
    pub const fn verdict(&self) -> Option<Verdict> {
        match self {
            Self::NothingToEvaluate => None,
            Self::Judged(judged) => Some(judged.verdict),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assertion::Assertion;
    use crate::summary::fixture::record;

    fn judge(texts: &[&str], expected: Option<Verdict>, distrust: &[String]) -> Judgement {
        let assertions: Vec<_> = texts.iter().map(|text| Assertion::parse(text).unwrap()).collect();
        let lines: Vec<_> = texts
            .iter()
            .zip(&assertions)
            .map(|(text, assertion)| Line { text, assertion, file: "gate.yaml", line: 1 })
            .collect();
        let settings = Settings::default();
        let gate = Gate { lines: &lines, expected, distrust, settings };
        let record = record();
        gate.judge(&Runs::of_records(&[&record], &[], &[]), None)
    }

    const PASSES: &str = "rollbacks == 1";
    const FAILS: &str = "rollbacks == 0";
    const DOUBTS: &str = "error_rate{phase=baseline} < 1%";

    #[test]
    fn one_failure_outweighs_doubt_and_doubt_outweighs_passes() {
        let verdict = |texts: &[&str]| judge(texts, None, &[]).verdict().unwrap();
        assert_eq!(verdict(&[PASSES, PASSES]), Verdict::Pass);
        assert_eq!(verdict(&[PASSES, DOUBTS]), Verdict::Inconclusive);
        assert_eq!(verdict(&[DOUBTS, FAILS, PASSES]), Verdict::Fail);
    }

    #[test]
    fn a_run_that_cannot_be_trusted_is_invalid_whatever_its_lines_say() {
        let truncated = ["the trace ends in the middle of a row".to_owned()];
        for texts in [&[PASSES][..], &[FAILS], &[]] {
            for expected in [None, Some(Verdict::Fail)] {
                let verdict = judge(texts, expected, &truncated).verdict();
                assert_eq!(verdict, Some(Verdict::Invalid));
            }
        }
    }

    #[test]
    fn no_lines_give_no_verdict() {
        assert_eq!(judge(&[], None, &[]), Judgement::NothingToEvaluate);
        assert_eq!(judge(&[], Some(Verdict::Fail), &[]).verdict(), None);
    }

    #[test]
    fn an_expected_failure_passes_and_says_what_was_found() {
        let Judgement::Judged(judged) = judge(&[FAILS], Some(Verdict::Fail), &[]) else {
            panic!("there is a line to judge");
        };
        assert_eq!((judged.verdict, judged.found), (Verdict::Pass, Verdict::Fail));
        let missed = judge(&[PASSES], Some(Verdict::Fail), &[]);
        assert_eq!(missed.verdict(), Some(Verdict::Fail));
    }

    #[test]
    fn a_judgement_survives_its_file() {
        for judgement in [judge(&[], None, &[]), judge(&[DOUBTS], None, &[])] {
            let json = serde_json::to_string(&judgement).unwrap();
            assert_eq!(serde_json::from_str::<Judgement>(&json).unwrap(), judgement);
        }
    }
}
