//! What stands at the head of a comparison of runs: its gravest outcome in a word, and what was
//! found of each run in phrases. Knows no terminal and no page.

use super::run_comparison::{compared_label, letter, percent};
use super::verdict::verdict_word;
use crate::compare::{ComparedRun, Finding, FindingCounts, MetricComparison, RunComparison};
use crate::metric::format_value;
use crate::summary::Estimate;
use crate::units::{format_count, format_counted};

/// What stands at the head of a comparison.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ComparisonHeadline {
    /// The gravest outcome in capitals.
    pub(crate) word: &'static str,
    /// It, as a finding.
    pub(crate) finding: Finding,
    /// What was found, in a phrase.
    pub(crate) found: String,
    /// The same of each run, where there are several to hold against the first; which figures of
    /// whole runs have changed; how differences were found.
    pub(crate) details: Vec<String>,
}

/// What is to be said of a run in a word, the gravest first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Outcome {
    /// A metric, or the verdict.
    Worse,
    Better,
    Different,
    Undecided,
    /// The verdict is another, neither worse nor better.
    Verdict,
    /// Only figures of the whole run, which are not tested.
    WholeRun,
    TooSmall,
    NotShown,
    /// Every figure.
    Same,
}

impl ComparisonHeadline {
    pub(crate) fn of(comparison: &RunComparison) -> Self {
        let runs = 1..comparison.runs.len();
        let outcomes: Vec<_> = runs.clone().map(|run| Outcome::of(comparison, run)).collect();
        let gravest = outcomes.iter().copied().min().unwrap_or(Outcome::NotShown);
        let mut details = Vec::new();
        let found = if outcomes.len() == 1 {
            details.extend(figures_text(comparison, 1));
            found(comparison, 1, gravest)
        } else {
            for (run, outcome) in runs.zip(&outcomes) {
                let parts = [Some(found(comparison, run, *outcome)), figures_text(comparison, run)];
                let parts: Vec<String> = parts.into_iter().flatten().collect();
                details.push(format!("{}: {}", letter(run), parts.join("; ")));
            }
            let count = outcomes.iter().filter(|outcome| **outcome == gravest).count();
            let share = if count == outcomes.len() { "each".to_owned() } else { count.to_string() };
            format!("in {share} of the {} runs held against {}", outcomes.len(), letter(0))
        };
        if gravest != Outcome::Same {
            details.push(how(comparison));
        }
        Self { word: gravest.word(), finding: gravest.finding(), found, details }
    }
}

impl Outcome {
    fn of(comparison: &RunComparison, run: usize) -> Self {
        let FindingCounts { worse, better, different, undecided, too_small, .. } =
            comparison.findings[run - 1];
        let (first, own) = (&comparison.runs[0], &comparison.runs[run]);
        let verdicts = first.verdict.zip(own.verdict);
        if worse > 0 || own.has_worse_verdict_than(first) {
            Self::Worse
        } else if better > 0 || first.has_worse_verdict_than(own) {
            Self::Better
        } else if different > 0 {
            Self::Different
        } else if undecided > 0 {
            Self::Undecided
        } else if verdicts.is_some_and(|(first, own)| first != own) {
            Self::Verdict
        } else if changed_figures(comparison, run).next().is_some() {
            Self::WholeRun
        } else if too_small > 0 {
            Self::TooSmall
        } else if comparison.is_same(run) {
            Self::Same
        } else {
            Self::NotShown
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Worse => "WORSE",
            Self::Better => "BETTER",
            Self::Different => "DIFFERENT",
            Self::Undecided => "UNDECIDED",
            Self::Verdict => "VERDICTS DIFFER",
            Self::WholeRun => "WHOLE RUNS DIFFER",
            Self::TooSmall => "TOO SMALL TO MATTER",
            Self::NotShown => "NO DIFFERENCE SHOWN",
            Self::Same => "THE SAME",
        }
    }

    const fn finding(self) -> Finding {
        match self {
            Self::Worse => Finding::Worse,
            Self::Better => Finding::Better,
            Self::Different => Finding::Different,
            Self::Undecided => Finding::Undecided,
            Self::TooSmall => Finding::TooSmall,
            Self::Verdict | Self::WholeRun => Finding::Exact,
            Self::NotShown | Self::Same => Finding::NotShown,
        }
    }
}

/// What was found of a run.
fn found(comparison: &RunComparison, run: usize, outcome: Outcome) -> String {
    let metrics = match outcome {
        Outcome::Same => same(comparison, run),
        _ => counted(&comparison.findings[run - 1]),
    };
    let verdict = verdicts(&comparison.runs[0], (&comparison.runs[run], run));
    verdict.into_iter().chain([metrics]).collect::<Vec<_>>().join("; ")
}

/// `gate: PASS in A, FAIL in B`; `None` where it is the same.
fn verdicts(first: &ComparedRun, (own, run): (&ComparedRun, usize)) -> Option<String> {
    let word = |run: &ComparedRun| run.verdict.map_or("none", verdict_word);
    (first.verdict != own.verdict).then(|| {
        format!("gate: {} in {}, {} in {}", word(first), letter(0), word(own), letter(run))
    })
}

/// How the same a run is, of which every figure is.
fn same(comparison: &RunComparison, run: usize) -> String {
    let differs = comparison.differing.iter().any(|differing| differing.run == run);
    if differs {
        "every figure is the same: what differs had no effect on any".to_owned()
    } else if comparison.runs[0].sha256 == comparison.runs[run].sha256 {
        "it is the same result".to_owned()
    } else {
        "every figure is the same".to_owned()
    }
}

/// Which figures of the whole run have changed, and how; `None` where none has.
fn figures_text(comparison: &RunComparison, run: usize) -> Option<String> {
    let value = |estimate: &Estimate| match estimate.value {
        Some(value) => format_value(estimate.metric.unit(), value),
        None => estimate.to_string(),
    };
    let told = changed_figures(comparison, run).map(|compared| {
        let label = compared_label(compared).to_lowercase();
        let [first, own] = [0, run].map(|run| value(&compared.values[run]));
        format!("{label} {first} to {own}")
    });
    let mut told: Vec<String> = told.collect();
    if told.is_empty() {
        return None;
    }
    if let Some(more) = told.len().checked_sub(MOST_FIGURES).filter(|more| *more > 0) {
        told.truncate(MOST_FIGURES);
        told.push(format!("{more} more"));
    }
    Some(format!("whole run (exact, not tested): {}", told.join(", ")))
}

fn changed_figures(
    comparison: &RunComparison,
    run: usize,
) -> impl Iterator<Item = &MetricComparison> {
    comparison.figures.iter().filter(move |compared| {
        let [first, own] = [0, run].map(|run| &compared.values[run]);
        (first.value, first.infinite) != (own.value, own.infinite)
    })
}

/// `3 metrics are worse, 1 better, 11 without a shown difference`.
fn counted(findings: &FindingCounts) -> String {
    let kinds = [
        (findings.worse, "worse"),
        (findings.better, "better"),
        (findings.different, "different"),
        (findings.undecided, "undecided, for requests are not independent"),
        (findings.too_small, "different by too little to matter"),
        (findings.not_shown, "without a shown difference"),
        (findings.not_comparable, "not comparable"),
    ];
    let mut parts = Vec::new();
    for (count, what) in kinds.into_iter().filter(|(count, _)| *count > 0) {
        parts.push(match parts.is_empty() {
            true => format!("{} {what}", format_counted(count, "metric is", "metrics are")),
            false => format!("{} {what}", format_count(count)),
        });
    }
    if parts.is_empty() { "there is nothing to compare".to_owned() } else { parts.join(", ") }
}

/// How findings were made.
fn how(comparison: &RunComparison) -> String {
    let tests = format_counted(comparison.tested, "difference was", "differences were");
    let confidence = percent(comparison.confidence);
    let effect = match comparison.smallest_effect {
        0.0 => String::new(),
        effect => {
            let effect = percent(effect);
            format!("; worse and better are those of more than {effect} of {}'s value", letter(0))
        }
    };
    format!("{tests} tested, at a confidence of {confidence} for all of them together{effect}")
}

/// Chosen: those of a rollback, with its times and its blast radius.
const MOST_FIGURES: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::example::{eight_runs, slower_comparison};
    use crate::compare::{RunInput, Settings, compare};
    use crate::engine::Verdict;
    use crate::result::ResultFile;
    use crate::result::example::rolled_back_result;

    fn compared(first: &ResultFile, other: &ResultFile, sha256: [&str; 2]) -> RunComparison {
        let inputs = [("a", sha256[0], first), ("b", sha256[1], other)];
        let inputs = inputs.map(|(label, sha256, result)| RunInput { label, sha256, result });
        compare(&inputs, &Settings { across: true, ..Settings::default() }).unwrap()
    }

    #[test]
    fn a_verdict_that_became_worse_is_worse() {
        let result = rolled_back_result();
        let mut comparison = compared(&result, &result, ["1", "2"]);
        let of = |comparison: &mut RunComparison, first, own| {
            (comparison.runs[0].verdict, comparison.runs[1].verdict) = (first, own);
            let ComparisonHeadline { word, found, .. } = ComparisonHeadline::of(comparison);
            (word, found.split(';').next().unwrap().to_owned(), comparison.is_worse())
        };
        let (pass, fail) = (Some(Verdict::Pass), Some(Verdict::Fail));
        let (inconclusive, invalid) = (Some(Verdict::Inconclusive), Some(Verdict::Invalid));
        let cases = [
            (pass, fail, "WORSE", "gate: PASS in A, FAIL in B"),
            (inconclusive, fail, "WORSE", "gate: INCONCLUSIVE in A, FAIL in B"),
            (pass, invalid, "WORSE", "gate: PASS in A, INVALID in B"),
            (fail, pass, "BETTER", "gate: FAIL in A, PASS in B"),
            (pass, inconclusive, "VERDICTS DIFFER", "gate: PASS in A, INCONCLUSIVE in B"),
            (None, fail, "THE SAME", "gate: none in A, FAIL in B"),
            (pass, pass, "THE SAME", "every figure is the same"),
        ];
        for (first, own, word, told) in cases {
            let expected = (word, told.to_owned(), word == "WORSE");
            assert_eq!(of(&mut comparison, first, own), expected);
        }
    }

    #[test]
    fn figures_of_whole_runs_that_changed_are_named() {
        let mut other = rolled_back_result();
        other.record.blasts[0].failed += 7;
        let comparison = compared(&rolled_back_result(), &other, ["1", "2"]);
        let headline = ComparisonHeadline::of(&comparison);
        assert_eq!(headline.word, "WHOLE RUNS DIFFER");
        let figure = |metric| {
            let figures = comparison.figures.iter();
            let values = figures.filter(|figure| figure.metric == metric);
            values.flat_map(|figure| &figure.values).map(|own| own.value.unwrap()).collect()
        };
        let failed: Vec<f64> = figure(crate::metric::Metric::BlastRadiusFailed);
        assert_eq!(failed[1], failed[0] + 7.0);
        let told = format!("blast radius failed {} to {}", failed[0], failed[1]);
        assert!(headline.details[0].starts_with("whole run (exact, not tested): "));
        assert!(headline.details[0].contains(&told), "{:?}", headline.details);
    }

    #[test]
    fn what_is_the_same_is_told_to_be() {
        let (one, mut other) = (rolled_back_result(), rolled_back_result());
        let same = |other: &ResultFile, sha256| {
            let headline = ComparisonHeadline::of(&compared(&one, other, sha256));
            assert_eq!((headline.word, headline.details), ("THE SAME", Vec::new()));
            headline.found
        };
        assert_eq!(same(&one, ["1", "1"]), "it is the same result");
        assert_eq!(same(&one, ["1", "2"]), "every figure is the same");
        other.scenario.resolved = serde_json::json!({"start": "another"});
        let told = "every figure is the same: what differs had no effect on any";
        assert_eq!(same(&other, ["1", "2"]), told);
    }

    #[test]
    fn of_several_runs_each_is_told() {
        let headline = ComparisonHeadline::of(&eight_runs());
        assert_eq!((headline.word, headline.details.len()), ("WORSE", 8));
        assert_eq!(headline.found, "in 6 of the 7 runs held against A");
        assert_eq!(headline.details[0], "B: it is the same result");
        assert!(headline.details[1].starts_with("C: "), "{:?}", headline.details);
    }

    #[test]
    fn what_is_too_small_is_not_called_no_difference() {
        let mut comparison = slower_comparison();
        comparison.figures.clear();
        let none = FindingCounts::default();
        comparison.findings[0] = FindingCounts { too_small: 3, not_shown: 2, ..none };
        let headline = ComparisonHeadline::of(&comparison);
        assert_eq!(headline.word, "TOO SMALL TO MATTER");
    }

    #[test]
    fn findings_are_counted_in_a_phrase() {
        let none = FindingCounts::default();
        assert_eq!(
            counted(&FindingCounts { worse: 3, better: 1, not_shown: 11, ..none }),
            "3 metrics are worse, 1 better, 11 without a shown difference"
        );
        assert_eq!(
            counted(&FindingCounts { better: 1, different: 2, too_small: 4, ..none }),
            "1 metric is better, 2 different, 4 different by too little to matter"
        );
        assert_eq!(counted(&none), "there is nothing to compare");
    }
}
