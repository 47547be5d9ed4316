//! The words for what became of gated scenarios, for every output.

use std::cmp::Reverse;

use super::verdict::{details, verdict_word};
use crate::gate::{LineResult, Side, Verdict};
use crate::metric::format_value;
use crate::suite::{GatedScenario, Outcome, OutcomeCounts, SuiteReport};
use crate::units::{format_count, format_counted, format_p_value};

/// An outcome in capitals.
pub(super) const fn outcome_word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => verdict_word(Verdict::Pass),
        Outcome::NothingToEvaluate => "NO VERDICT",
        Outcome::Inconclusive => verdict_word(Verdict::Inconclusive),
        Outcome::Fail => verdict_word(Verdict::Fail),
        Outcome::Invalid => verdict_word(Verdict::Invalid),
        Outcome::Unreadable => "UNREADABLE",
    }
}

/// How many came out how: `3 scenarios: 2 passed, 1 failed`.
pub(super) fn sum(counts: &OutcomeCounts) -> String {
    let of =
        |count: u64, what: &str| (count > 0).then(|| format!("{} {what}", format_count(count)));
    let parts = [
        of(counts.unreadable, "unreadable"),
        of(counts.invalid, "invalid"),
        of(counts.failed, "failed"),
        of(counts.inconclusive, "inconclusive"),
        of(counts.nothing_to_evaluate, "without a gate"),
        of(counts.passed, "passed"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    match parts.is_empty() {
        true => "no scenario".to_owned(),
        false => {
            let all = format_counted(counts.scenarios, "scenario", "scenarios");
            format!("{all}: {}", parts.join(", "))
        }
    }
}

/// How many of its lines held, of how many runs, of how many requests; empty where it did not run.
pub(super) fn figures(scenario: &GatedScenario) -> Vec<String> {
    if scenario.seeds.is_empty() {
        return Vec::new();
    }
    let (held, runs) = (held(scenario), scenario.seeds.len() as u64);
    let lines = match held {
        Some((held, all)) => format!("{} of {} lines held", format_count(held), format_count(all)),
        None => "no lines".to_owned(),
    };
    let requests = format_counted(scenario.requests, "request", "requests");
    vec![lines, format_counted(runs, "run", "runs"), requests]
}

/// How many of its lines held, of how many; `None` where it has none.
pub(super) fn held(scenario: &GatedScenario) -> Option<(u64, u64)> {
    let lines = scenario.lines();
    let held = lines.iter().filter(|line| line.verdict == Verdict::Pass).count();
    (!lines.is_empty()).then_some((held as u64, lines.len() as u64))
}

/// How its outcome came about, in sentences, beside its lines.
pub(super) fn reasons(scenario: &GatedScenario) -> Vec<String> {
    let mut reasons = scenario.judged().map(details).unwrap_or_default();
    if scenario.outcome == Outcome::NothingToEvaluate {
        reasons.push(NO_GATE.to_owned());
    }
    if let Some(baseline) = &scenario.baseline {
        reasons.push(format!(
            "held against {}: {} of {} have a run of the same seed there",
            baseline.file,
            format_count(baseline.pairs),
            format_counted(scenario.seeds.len() as u64, "run", "runs"),
        ));
        let differing = baseline.differing.iter();
        reasons.extend(differing.map(|what| format!("other than in the baseline: {what}")));
    }
    reasons
}

/// Of a scenario that came out as its author expects instead of a pass: so, and why.
pub(super) fn expected(scenario: &GatedScenario) -> Option<String> {
    let judged = scenario.judged().filter(|judged| judged.verdict == Verdict::Pass)?;
    let expected = judged.expected?;
    let mut causes = judged.lines.iter().filter(|line| line.verdict == expected);
    let first = causes.next().map(|line| format!("{} ({}:{})", line.text, line.file, line.line));
    let others = causes.count() as u64;
    let more = match others {
        0 => String::new(),
        _ => format!(" and {}", format_counted(others, "other line", "other lines")),
    };
    let why = first.map_or_else(String::new, |first| format!(": {first}{more}"));
    Some(format!("{expected}, as expected{why}"))
}

/// What a line claims, what was measured, and what its sides are, line by line.
pub(super) fn line_story(line: &LineResult) -> Vec<String> {
    let mut story = vec![
        format!("{}:{}", line.file, line.line),
        format!("{} {}", verdict_word(line.verdict), line.text),
        line.evidence.clone(),
        format!("left: {}", side(&line.left, &line.right)),
        format!("right: {}", side(&line.right, &line.left)),
    ];
    story.extend(line.bound.as_ref().map(|bound| format!("bound: {}", side(bound, &line.left))));
    if !line.failing_seeds.is_empty() {
        let seeds: Vec<String> = line.failing_seeds.iter().map(u64::to_string).collect();
        story.push(format!("it does not hold with the seeds {}", seeds.join(", ")));
    }
    story.extend(line.adjusted_p_value.map(|p| format!("adjusted p-value: {}", format_p_value(p))));
    story
}

/// A side; a stated figure in the unit of the side that it is held against.
fn side(side: &Side, other: &Side) -> String {
    match (side, other) {
        (Side::Stated(value), Side::Measured(of)) => format_value(of.metric.unit(), *value),
        (Side::Stated(value), Side::Worked(of)) => of.unit.format(*value),
        (Side::Stated(_) | Side::Measured(_) | Side::Worked(_), _) => side.to_string(),
    }
}

/// The scenarios that did not pass, the gravest outcome first, else in their order.
pub(super) fn gravest_first(report: &SuiteReport) -> Vec<&GatedScenario> {
    let mut scenarios: Vec<&GatedScenario> =
        report.scenarios.iter().filter(|scenario| scenario.outcome != Outcome::Pass).collect();
    scenarios.sort_by_key(|scenario| Reverse(scenario.outcome));
    scenarios
}

/// Why there is nothing to evaluate.
pub(super) const NO_GATE: &str = "the scenario states no gate: nothing was judged";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::example::suite;

    #[test]
    fn outcomes_are_summed_up_the_gravest_first() {
        assert_eq!(
            sum(&suite().counts),
            "9 scenarios: 1 unreadable, 1 invalid, 3 failed, 1 inconclusive, 1 without a gate, 2 \
             passed"
        );
        assert_eq!(sum(&OutcomeCounts::default()), "no scenario");
    }

    #[test]
    fn a_stated_figure_is_told_in_the_unit_of_the_other_side() {
        let report = suite();
        let story = |scenario: usize, line: usize| {
            line_story(&report.scenarios[scenario].lines()[line])[3..].join("; ")
        };
        assert_eq!(story(1, 0), "left: 75 s; right: 105 s");
        assert_eq!(story(1, 1), "left: 0.50 % [0.16 %, 1.16 %] of 1,005 requests; right: 1.00 %");
        let bounded = story(2, 2);
        assert!(bounded.ends_with("; right: 2; bound: 5"), "{bounded}");
    }

    #[test]
    fn a_failure_that_is_expected_names_its_line() {
        let report = suite();
        let told: Vec<String> = report.scenarios.iter().filter_map(expected).collect();
        let wanted = "fail, as expected: time_to_rollback <= 105s (scenarios/must-fail.yaml:31)";
        assert_eq!(told, [wanted]);
    }

    #[test]
    fn the_gravest_come_first() {
        let report = suite();
        let names: Vec<&str> = gravest_first(&report).iter().map(|one| one.name.as_str()).collect();
        let failed = ["checkout", "hostile", "must-fail-no-more"];
        assert_eq!(names[..2], ["broken", "truncated"]);
        assert_eq!(names[2..5], failed);
        assert_eq!(names[5..], ["quiet", "no-gate"]);
    }
}
