//! The verdict of a run in words, for every output.

use crate::gate::{Judged, Judgement, Verdict};
use crate::record::Record;
use crate::result::ResultFile;
use crate::units::format_count;

/// What stands at the head of every output.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Headline {
    /// The verdict in capitals.
    pub(crate) word: &'static str,
    /// The verdict, where there is one.
    pub(crate) verdict: Option<Verdict>,
    /// What was rehearsed.
    pub(crate) title: String,
    /// How the verdict came about, in sentences.
    pub(crate) details: Vec<String>,
}

impl Headline {
    pub(crate) fn of(result: &ResultFile) -> Self {
        let scenario = &result.scenario;
        let title = match scenario.title.is_empty() {
            true => scenario.name.clone(),
            false => format!("{}: {}", scenario.name, scenario.title),
        };
        let (word, verdict, mut details) = match &result.gate {
            Judgement::NothingToEvaluate => {
                let unjudged = "the scenario states no gate: nothing was judged".to_owned();
                ("NO VERDICT", None, vec![unjudged])
            }
            Judgement::Judged(judged) => {
                (verdict_word(judged.verdict), Some(judged.verdict), details(judged))
            }
        };
        details.extend(undone_commands(&result.record));
        Self { word, verdict, title, details }
    }
}

/// How many commands of the scenario came to nothing, if any did: what was rehearsed is not what it
/// says.
fn undone_commands(record: &Record) -> Option<String> {
    let counted = |given, what: &str| {
        let undone = record.undone_commands.iter();
        let count = undone.filter(|undone| undone.given == given).count() as u64;
        (count > 0).then(|| format!("{} {what}", format_count(count)))
    };
    let counts = [counted(true, "refused"), counted(false, "never given")];
    let counts: Vec<String> = counts.into_iter().flatten().collect();
    (!counts.is_empty()).then(|| format!("commands: {}", counts.join(", ")))
}

/// A verdict in capitals.
pub(crate) const fn verdict_word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Pass => "PASS",
        Verdict::Inconclusive => "INCONCLUSIVE",
        Verdict::Fail => "FAIL",
        Verdict::Invalid => "INVALID",
    }
}

/// How a verdict came about, in sentences.
pub(super) fn details(judged: &Judged) -> Vec<String> {
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
    use super::*;
    use crate::result::example::{eventful, rolled_back_result, without_gate};

    #[test]
    fn the_headline_counts_the_lines_of_the_gate() {
        let headline = Headline::of(&rolled_back_result());
        assert_eq!((headline.word, headline.verdict), ("FAIL", Some(Verdict::Fail)));
        assert_eq!(headline.details, ["gate: 1 failed, 1 inconclusive, 1 passed"]);
        assert_eq!(Headline::of(&without_gate()).word, "NO VERDICT");
    }

    #[test]
    fn the_headline_counts_the_commands_that_came_to_nothing() {
        let mut result = rolled_back_result();
        result.record = eventful();
        let details = Headline::of(&result).details;
        assert_eq!(details.last().unwrap(), "commands: 1 refused, 1 never given");
        result.record.undone_commands.remove(0);
        assert_eq!(Headline::of(&result).details.last().unwrap(), "commands: 1 never given");
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
