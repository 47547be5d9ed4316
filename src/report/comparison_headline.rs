//! What came of a comparison, in a word and a sentence for each run.

use crate::compare::{Finding, FindingCounts, RunComparison};
use crate::units::{format_counted, format_percent};

/// The head of a comparison.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct ComparisonHeadline {
    /// The worst that was found; `None` where nothing was.
    pub(crate) finding: Option<Finding>,
    /// The same in a word.
    pub(crate) word: &'static str,
    /// What was held against what.
    pub(crate) title: String,
    /// What was found, a sentence for each run after the first.
    pub(crate) sentences: Vec<String>,
    /// What else decides what is found.
    pub(crate) details: Vec<String>,
}

impl ComparisonHeadline {
    pub(crate) fn of(comparison: &RunComparison) -> Self {
        let any =
            |count: fn(&FindingCounts) -> u64| comparison.findings.iter().any(|f| count(f) > 0);
        let (finding, word) = if any(|counts| counts.worse) {
            (Some(Finding::Worse), "WORSE")
        } else if any(|counts| counts.better) {
            (Some(Finding::Better), "BETTER")
        } else {
            (None, "NO DIFFERENCE SHOWN")
        };
        let labels: Vec<&str> = comparison.runs.iter().map(|run| run.label.as_str()).collect();
        let others = match &labels[1..] {
            [only] => (*only).to_owned(),
            [one, two] => format!("{one} and {two}"),
            many => format!("{} runs", many.len()),
        };
        let several = labels.len() > 2;
        let sentence = |(counts, label): (&FindingCounts, &&str)| {
            let of = if several { format!("{label}: ") } else { String::new() };
            format!("{of}{}", counted(counts))
        };
        let sentences = comparison.findings.iter().zip(&labels[1..]).map(sentence).collect();
        Self {
            finding,
            word,
            title: format!("{others} against {}", labels[0]),
            sentences,
            details: vec![basis(comparison)],
        }
    }
}

/// `3 metrics are worse, 1 is better, 11 are without a shown difference.`.
fn counted(counts: &FindingCounts) -> String {
    let be = |count: u64, what: &str| {
        let verb = if count == 1 { "is" } else { "are" };
        (count > 0).then(|| (count, format!("{verb} {what}")))
    };
    let parts = [
        be(counts.worse, "worse"),
        be(counts.better, "better"),
        be(counts.different, "different"),
        be(counts.too_small, "too little different to matter"),
        be(counts.not_shown, "without a shown difference"),
        be(counts.not_comparable, "not comparable"),
    ];
    let mut parts = parts.into_iter().flatten();
    let Some((count, first)) = parts.next() else {
        return "Nothing could be compared.".to_owned();
    };
    let first = format!("{} {first}", format_counted(count, "metric", "metrics"));
    let rest = parts.map(|(count, what)| format!("{count} {what}"));
    let all: Vec<String> = std::iter::once(first).chain(rest).collect();
    format!("{}.", all.join(", "))
}

fn basis(comparison: &RunComparison) -> String {
    let tested = format_counted(comparison.tested, "difference", "differences");
    let alpha = format_percent(1.0 - comparison.confidence);
    let least = match comparison.smallest_effect {
        0.0 => String::new(),
        share => format!("; changes of at most {} do not matter", format_percent(share)),
    };
    format!(
        "{tested} tested, their p-values adjusted for it (Holm): a chance of at most {alpha} that \
         any was found where there is none{least}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn findings_are_counted_from_the_worst_to_the_least_telling() {
        let counts = FindingCounts { worse: 3, better: 1, not_shown: 11, ..Default::default() };
        assert_eq!(
            counted(&counts),
            "3 metrics are worse, 1 is better, 11 are without a shown difference."
        );
        assert_eq!(counted(&FindingCounts::default()), "Nothing could be compared.");
        let one = FindingCounts { not_shown: 1, ..Default::default() };
        assert_eq!(counted(&one), "1 metric is without a shown difference.");
    }
}
