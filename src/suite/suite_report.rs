//! What became of several gated scenarios: the file that machines read.

use serde::{Deserialize, Serialize};

use super::outcome::{Outcome, OutcomeCounts};
use crate::gate::{Judged, Judgement, LineResult, Verdict};
use crate::json::outline;

/// What became of several gated scenarios. The same scenarios, seeds, baselines and build give the
/// same.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct SuiteReport {
    /// The number of the format: [`SuiteReport::SCHEMA`].
    pub schema: u64,
    /// The version of coalmine that gated.
    pub coalmine: String,
    /// The gravest outcome of all scenarios; nothing to evaluate where there are none.
    pub outcome: Outcome,
    /// How many came out how.
    pub counts: OutcomeCounts,
    /// Each, in the order of their files.
    pub scenarios: Vec<GatedScenario>,
    /// Files that were found and are no scenarios by themselves.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<LeftOut>,
}

/// What became of a scenario.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct GatedScenario {
    /// Its file, as named or found.
    pub file: String,
    /// Its name; that of its file, without the ending, where it cannot be read.
    pub name: String,
    /// What it shows, in a line; empty where it cannot be read.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// What became of it.
    pub outcome: Outcome,
    /// Why it cannot be read or run: the text for a terminal, of one or more lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The seeds of its runs, in their order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seeds: Vec<u64>,
    /// Requests of all its runs.
    pub requests: u64,
    /// What its gate found; absent where it cannot be read or run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judgement: Option<Judgement>,
    /// What its gate was held against, where that is a baseline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<AgainstStored>,
    /// The folder that its report files went to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// The command that gates it again.
    pub repeat: String,
}

/// The baseline that a gate was held against.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct AgainstStored {
    /// Its file.
    pub file: String,
    /// How many runs it holds.
    pub runs: u64,
    /// How many of them have the seed of a run that was judged.
    pub pairs: u64,
    /// In what its scenario differs: the paths of values, each with both values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub differing: Vec<String>,
}

/// A file that was found and is no scenario by itself.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct LeftOut {
    /// Its path.
    pub file: String,
    /// Why it is left out.
    pub why: String,
}

impl GatedScenario {
    /// The verdict and all that it rests on, where there is one.
    pub const fn judged(&self) -> Option<&Judged> {
        match &self.judgement {
            Some(Judgement::Judged(judged)) => Some(judged),
            Some(Judgement::NothingToEvaluate) | None => None,
        }
    }

    /// The lines of its gate, as they were judged.
    pub fn lines(&self) -> &[LineResult] {
        self.judged().map_or(&[], |judged| &judged.lines)
    }

    /// Whether `line` is to blame for a verdict that is no pass: it came out graver than the
    /// scenario's author expects. Where a failure is expected no line can.
    pub fn is_against(&self, line: &LineResult) -> bool {
        let judged = self.judged().filter(|judged| judged.verdict != Verdict::Pass);
        judged.is_some_and(|judged| line.verdict > judged.expected.unwrap_or(Verdict::Pass))
    }

    /// The file and the line that its error names, if it begins with such a place.
    pub fn error_place(&self) -> Option<(&str, u32)> {
        let first = self.error.as_ref()?.lines().next()?;
        let told = first.strip_prefix("error: ").unwrap_or(first);
        let named = told.match_indices(':').find_map(|(at, _)| {
            let digits = told[at + 1..].split(':').next()?;
            Some((&told[..at], digits.parse().ok()?))
        });
        let is_scenario = |file: &str| {
            file == self.file || [".yaml", ".yml"].iter().any(|ending| file.ends_with(ending))
        };
        named.filter(|(file, _)| is_scenario(file))
    }
}

impl SuiteReport {
    /// The number of the format that this version writes.
    pub const SCHEMA: u64 = 1;

    /// Of these scenarios.
    pub fn of(scenarios: Vec<GatedScenario>, left_out: Vec<LeftOut>) -> Self {
        let outcomes = || scenarios.iter().map(|scenario| scenario.outcome);
        Self {
            schema: Self::SCHEMA,
            coalmine: env!("CARGO_PKG_VERSION").to_owned(),
            outcome: outcomes().max().unwrap_or(Outcome::NothingToEvaluate),
            counts: OutcomeCounts::of(outcomes()),
            scenarios,
            left_out,
        }
    }

    /// The file's text: indented JSON, a newline at its end.
    pub fn to_json(&self) -> String {
        outline(self)
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::suite;
    use super::*;

    fn named(name: &str) -> GatedScenario {
        suite().scenarios.into_iter().find(|scenario| scenario.name == name).unwrap()
    }

    #[test]
    fn a_suite_counts_its_outcomes_and_survives_its_file() {
        let report = suite();
        assert_eq!(report.outcome, Outcome::Unreadable);
        let counts = report.counts;
        let all = [
            counts.passed,
            counts.failed,
            counts.inconclusive,
            counts.invalid,
            counts.nothing_to_evaluate,
            counts.unreadable,
        ];
        assert_eq!(all, [2, 3, 1, 1, 1, 1]);
        assert_eq!(counts.scenarios, all.iter().sum::<u64>());
        assert_eq!(serde_json::from_str::<SuiteReport>(&report.to_json()).unwrap(), report);
        assert_eq!(SuiteReport::of(Vec::new(), Vec::new()).outcome, Outcome::NothingToEvaluate);
    }

    #[test]
    fn lines_are_to_blame_that_are_graver_than_expected() {
        let against = |scenario: &GatedScenario| {
            let lines = scenario.lines().iter();
            lines.map(|line| scenario.is_against(line)).collect::<Vec<_>>()
        };
        assert_eq!(against(&named("checkout")), [false, true, true, true]);
        // A failure that is expected is nobody's fault, and nor is one that does not come.
        assert_eq!(against(&named("must-fail")), [false, true].map(|_| false));
        assert_eq!(against(&named("must-fail-no-more")), [false]);
        let mut doubtful = named("checkout");
        let Some(Judgement::Judged(judged)) = &mut doubtful.judgement else { panic!("judged") };
        judged.expected = Some(Verdict::Inconclusive);
        assert_eq!(against(&doubtful), [false, true, false, true]);
    }

    #[test]
    fn the_place_of_an_error_is_that_of_a_scenario_file() {
        assert_eq!(named("broken").error_place(), Some(("scenarios/broken.yaml", 6)));
        let place = |error: &str| {
            let scenario = GatedScenario { error: Some(error.to_owned()), ..named("broken") };
            scenario.error_place().map(|(file, line)| (file.to_owned(), line))
        };
        let windows = place("error: C:\\s\\a.yml:7:2: no \"x\"");
        assert_eq!(windows, Some(("C:\\s\\a.yml".to_owned(), 7)));
        assert_eq!(place("error: cannot read at 12:30: gone"), None);
        assert_eq!(place("error: scenarios/broken.yaml: no such file"), None);
        assert_eq!(place("error: a.yaml:99999999999:1: x"), None);
        assert_eq!(place(""), None);
    }
}
