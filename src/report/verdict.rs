//! The verdict of a run in words, for every output.

use super::result_file::ResultFile;
use crate::gate::{Judged, Judgement, Verdict};
use crate::units::format_count;

/// What stands at the head of every output.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Headline {
    /// The verdict in capitals.
    pub(super) word: &'static str,
    /// The verdict, where there is one.
    pub(super) verdict: Option<Verdict>,
    /// What was rehearsed.
    pub(super) title: String,
    /// How the verdict came about, in sentences.
    pub(super) details: Vec<String>,
}

impl Headline {
    pub(super) fn of(result: &ResultFile) -> Self {
        let scenario = &result.scenario;
        let title = match scenario.title.is_empty() {
            true => scenario.name.clone(),
            false => format!("{}: {}", scenario.name, scenario.title),
        };
        match &result.gate {
            Judgement::NothingToEvaluate => Self {
                word: "NO VERDICT",
                verdict: None,
                title,
                details: vec!["the scenario states no gate: nothing was judged".to_owned()],
            },
            Judgement::Judged(judged) => Self {
                word: verdict_word(judged.verdict),
                verdict: Some(judged.verdict),
                title,
                details: details(judged),
            },
        }
    }
}

/// A verdict in capitals.
pub(super) const fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "PASS",
        Verdict::Inconclusive => "INCONCLUSIVE",
        Verdict::Fail => "FAIL",
        Verdict::Invalid => "INVALID",
    }
}

fn details(judged: &Judged) -> Vec<String> {
    let counted = |verdict, what: &str| {
        let count = judged.lines.iter().filter(|line| line.verdict == verdict).count();
        (count > 0).then(|| format!("{} {what}", format_count(count as u64)))
    };
    let counts = [
        counted(Verdict::Fail, "failed"),
        counted(Verdict::Inconclusive, "inconclusive"),
        counted(Verdict::Pass, "passed"),
    ];
    let counts: Vec<String> = counts.into_iter().flatten().collect();
    let mut details = Vec::new();
    if !counts.is_empty() {
        details.push(format!("gate: {}", counts.join(", ")));
    }
    if let Some(expected) = judged.expected {
        details.push(format!("expected {expected}, found {}", judged.found));
    }
    details.extend(judged.distrust.iter().map(|reason| format!("not to be trusted: {reason}")));
    details
}

#[cfg(test)]
mod tests {
    use super::super::example::{rolled_back_result, without_gate};
    use super::*;

    #[test]
    fn the_headline_counts_the_lines_of_the_gate() {
        let headline = Headline::of(&rolled_back_result());
        assert_eq!((headline.word, headline.verdict), ("FAIL", Some(Verdict::Fail)));
        assert_eq!(headline.details, ["gate: 1 failed, 1 inconclusive, 1 passed"]);
        assert_eq!(Headline::of(&without_gate()).word, "NO VERDICT");
    }

    #[test]
    fn an_expected_failure_says_so() {
        let mut result = rolled_back_result();
        let Judgement::Judged(judged) = &mut result.gate else { panic!("there is a gate") };
        (judged.verdict, judged.expected) = (Verdict::Pass, Some(Verdict::Fail));
        judged.distrust = vec!["the trace ends in the middle of a row".to_owned()];
        let headline = Headline::of(&result);
        assert_eq!(headline.word, "PASS");
        assert_eq!(
            headline.details[1..],
            [
                "expected fail, found fail",
                "not to be trusted: the trace ends in the middle of a row"
            ]
        );
    }
}
