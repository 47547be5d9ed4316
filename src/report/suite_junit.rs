//! The gates of several scenarios as JUnit XML: a suite for each scenario, a case for each line.
//!
//! Written for what reads it, by their sources:
//!
//! - Jenkins (`hudson.tasks.junit.CaseResult`, the JUnit Attachments plugin) shows `message` and
//!   the text of a failure, and keeps the first and last 500 letters of the output of a case that
//!   passes: attachments stand first there. It takes a file relative to the workspace as one of an
//!   absolute path.
//! - GitLab (`lib/gitlab/ci/parsers/test/junit.rb`) shows the text of the one `failure`, `error` or
//!   `skipped` of a case, and of its one `system-out` the first attachment, an image, by its path
//!   relative to the project; of equal names in a suite it keeps the first alone. So names are
//!   unique, and paths stay relative where the report's are: run the gate where the project is
//!   checked out.
//! - Jenkins' schema (`junit-10.xsd` of its xUnit plugin) has no `file` and `line` of a case, which
//!   GitLab links by, and no `skipped` of all suites; all else is valid by it. The `junit` step
//!   does not ask for the schema, the `xunit` step does.

use std::time::Duration as StdDuration;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::portable_path::portable;
use super::suite_words::{NO_GATE, line_story, reasons};
use super::visible::{one_line, plain_lines};
use crate::gate::{LineResult, Verdict};
use crate::suite::{GatedScenario, Outcome, SuiteReport};
use crate::units::Duration;

/// The gates of several scenarios as JUnit XML. `took` is how long each scenario took, in their
/// order: the time of its suite, and of the suite's first case, so that those who add up cases come
/// to the same. `inconclusive_passes`: whether a line that cannot be decided is skipped instead of
/// failing, and so is what has no gate instead of being in error.
///
/// A scenario whose author expects a failure has a case for that, which passes if the failure
/// comes; its lines pass, with what was measured as their output.
///
/// # Panics
/// `took` is not as long as there are scenarios.
pub fn suite_junit(report: &SuiteReport, took: &[Duration], inconclusive_passes: bool) -> String {
    assert_eq!(took.len(), report.scenarios.len(), "one time for each scenario");
    let mut junit = Report::new("coalmine gate");
    let took = || took.iter().map(|took| StdDuration::from_nanos(took.as_nanos()));
    for (scenario, took) in report.scenarios.iter().zip(took()) {
        let namesakes = report.scenarios.iter().filter(|other| other.name == scenario.name);
        let label = match namesakes.count() {
            1 => scenario.name.clone(),
            _ => format!("{} ({})", scenario.name, scenario.file),
        };
        let suite = Suite { scenario, label: one_line(&label), inconclusive_passes };
        junit.add_test_suite(suite.made(took));
    }
    junit.set_time(took().sum());
    junit.to_string().expect("text is written into memory")
}

/// A scenario as a suite.
struct Suite<'a> {
    scenario: &'a GatedScenario,
    /// Its name, which no other suite has.
    label: String,
    inconclusive_passes: bool,
}

impl Suite<'_> {
    fn made(&self, took: StdDuration) -> TestSuite {
        let scenario = self.scenario;
        let mut suite = TestSuite::new(self.label.as_str());
        suite.set_time(took);
        suite.extra.insert("file".into(), one_line(&portable(&scenario.file)).into());
        let seeds: Vec<String> = scenario.seeds.iter().map(u64::to_string).collect();
        let properties = [
            ("title", scenario.title.clone()),
            ("seeds", seeds.join(", ")),
            ("requests", scenario.requests.to_string()),
            ("repeat", scenario.repeat.clone()),
        ];
        for (name, value) in properties.into_iter().filter(|(_, value)| !value.is_empty()) {
            suite.add_property((name.to_owned(), one_line(&value)));
        }
        let mut cases = self.cases();
        if let Some(first) = cases.first_mut() {
            first.set_time(took);
        }
        suite.add_test_cases(cases);
        suite
    }

    fn cases(&self) -> Vec<TestCase> {
        let lines = self.scenario.lines();
        let unreadable = (self.scenario.outcome == Outcome::Unreadable).then(|| self.unreadable());
        let no_gate = self.scenario.outcome == Outcome::NothingToEvaluate;
        let whole = [unreadable, no_gate.then(|| self.no_gate()), self.trust(), self.expectation()];
        let name = |line: &LineResult| {
            let namesakes = lines.iter().filter(|other| other.text == line.text);
            match namesakes.count() {
                1 => line.text.clone(),
                _ => format!("{} ({}:{})", line.text, line.file, line.line),
            }
        };
        let lines = lines.iter().map(|line| self.line(&name(line), line));
        whole.into_iter().flatten().chain(lines).collect()
    }

    /// A line of the gate. Nothing is said of one whose runs cannot be trusted.
    fn line(&self, name: &str, line: &LineResult) -> TestCase {
        let scenario = self.scenario;
        let mut story = line_story(line);
        story.extend(reasons(scenario));
        let (evidence, failure) = (line.evidence.as_str(), NonSuccessKind::Failure);
        let ty = line.verdict.name();
        let status = match line.verdict {
            _ if scenario.outcome == Outcome::Invalid => {
                self.skipped("invalid", "not judged: the runs cannot be trusted", &story)
            }
            _ if !scenario.is_against(line) => TestCaseStatus::success(),
            Verdict::Inconclusive if self.inconclusive_passes => self.skipped(ty, evidence, &story),
            _ => self.red(failure, ty, evidence, &story),
        };
        let story = matches!(status, TestCaseStatus::Success { .. }).then_some(&story[..]);
        self.case(name, (&line.file, Some(line.line)), status, story.unwrap_or_default())
    }

    fn unreadable(&self) -> TestCase {
        let scenario = self.scenario;
        let error = scenario.error.as_deref().unwrap_or_default().trim_end();
        let first = error.lines().next().unwrap_or_default();
        let status = self.red(NonSuccessKind::Error, "unreadable", first, &[error.to_owned()]);
        let place = scenario.error_place().map(|(file, line)| (file, Some(line)));
        self.case("it can be read", place.unwrap_or((&scenario.file, None)), status, &[])
    }

    /// That there is a gate, where there is none.
    fn no_gate(&self) -> TestCase {
        let (name, ty, why) = ("it has a gate", "nothing_to_evaluate", [NO_GATE.to_owned()]);
        if !self.inconclusive_passes {
            return self.error(name, ty, &why);
        }
        let status = self.skipped(ty, NO_GATE, &why);
        self.case(name, (&self.scenario.file, None), status, &[])
    }

    /// That the runs can be trusted, where they cannot.
    fn trust(&self) -> Option<TestCase> {
        let judged = self.scenario.judged().filter(|judged| !judged.distrust.is_empty())?;
        Some(self.error("its runs can be trusted", "invalid", &judged.distrust))
    }

    /// That the verdict comes which the author expects instead of a pass.
    fn expectation(&self) -> Option<TestCase> {
        let scenario = self.scenario;
        let judged = scenario.judged()?;
        let expected = judged.expected?;
        let mut story = reasons(scenario);
        story.extend(judged.lines.iter().flat_map(line_story));
        let told = format!("expected {expected}, found {}", judged.found);
        let status = match judged.verdict {
            Verdict::Pass => TestCaseStatus::success(),
            Verdict::Invalid => self.skipped("invalid", &told, &story),
            _ => self.red(NonSuccessKind::Failure, "unexpected", &told, &story),
        };
        let output = if judged.verdict == Verdict::Pass { &story[..] } else { &[] };
        Some(self.case(&format!("expect: {expected}"), (&scenario.file, None), status, output))
    }

    /// A case that is about the whole scenario, and in error.
    fn error(&self, name: &str, ty: &str, why: &[String]) -> TestCase {
        let status = self.red(NonSuccessKind::Error, ty, &why.join("; "), why);
        self.case(name, (&self.scenario.file, None), status, &[])
    }

    /// A case; its output is where the report lies, then `output`.
    fn case(
        &self,
        name: &str,
        (file, line): (&str, Option<u32>),
        status: TestCaseStatus,
        output: &[String],
    ) -> TestCase {
        let mut case = TestCase::new(one_line(name), status);
        case.set_classname(self.label.as_str());
        case.extra.insert("file".into(), one_line(&portable(file)).into());
        if let Some(line) = line {
            case.extra.insert("line".into(), line.to_string().into());
        }
        let mut lines = attachments(self.scenario);
        lines.extend(output.iter().flat_map(|told| plain_lines(told)));
        if !lines.is_empty() {
            case.set_system_out(lines.join("\n"));
        }
        case
    }

    fn red(&self, kind: NonSuccessKind, ty: &str, why: &str, story: &[String]) -> TestCaseStatus {
        self.told(TestCaseStatus::non_success(kind), ty, why, story)
    }

    fn skipped(&self, ty: &str, why: &str, story: &[String]) -> TestCaseStatus {
        self.told(TestCaseStatus::skipped(), ty, why, story)
    }

    fn told(
        &self,
        mut status: TestCaseStatus,
        ty: &str,
        why: &str,
        story: &[String],
    ) -> TestCaseStatus {
        let mut lines: Vec<String> = story.iter().flat_map(|told| plain_lines(told)).collect();
        lines.push(format!("again: {}", one_line(&self.scenario.repeat)));
        status.set_type(ty).set_message(one_line(why)).set_description(lines.join("\n"));
        status
    }
}

/// The chart and the page of its report, each in a line of its own, as the readers of attachments
/// want it; none where a path would end the mark early.
fn attachments(scenario: &GatedScenario) -> Vec<String> {
    let folder = scenario.report.as_deref().map(portable);
    let fits = |folder: &String| !folder.contains(['|', ']', '\n', '\r']);
    let files = folder.filter(fits).map(|folder| {
        ["charts/timeline.png", "report.html"].map(|file| format!("[[ATTACHMENT|{folder}/{file}]]"))
    });
    files.into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gate::Judgement;
    use crate::result::example::assert_snapshot;
    use crate::suite::example::{suite, took};

    /// The cases of the scenario with that name: their names and how they came out.
    fn cases(report: &SuiteReport, name: &str, inconclusive_passes: bool) -> Vec<(String, String)> {
        let took = vec![Duration::ZERO; report.scenarios.len()];
        let xml = suite_junit(report, &took, inconclusive_passes);
        let junit = Report::deserialize_from_str(&xml).unwrap();
        let suite = junit.test_suites.iter().find(|suite| suite.name.as_str() == name).unwrap();
        let came_out = |case: &TestCase| match &case.status {
            TestCaseStatus::Success { .. } => "passed".to_owned(),
            TestCaseStatus::NonSuccess { kind, ty, .. } => {
                format!("{kind:?} {}", ty.as_ref().unwrap().as_str())
            }
            TestCaseStatus::Skipped { ty, .. } => {
                format!("skipped {}", ty.as_ref().unwrap().as_str())
            }
        };
        suite.test_cases.iter().map(|case| (case.name.to_string(), came_out(case))).collect()
    }

    fn outcomes(name: &str, inconclusive_passes: bool) -> Vec<String> {
        cases(&suite(), name, inconclusive_passes).into_iter().map(|(_, outcome)| outcome).collect()
    }

    #[test]
    fn the_document_is_what_readers_are_tested_with() {
        assert_snapshot("suite_junit", &suite_junit(&suite(), &took(), false));
    }

    #[test]
    fn what_cannot_be_decided_fails_or_is_skipped() {
        assert_eq!(outcomes("quiet", false), ["Failure inconclusive"]);
        assert_eq!(outcomes("quiet", true), ["skipped inconclusive"]);
        let checkout = ["passed", "Failure fail", "skipped inconclusive", "Failure fail"];
        assert_eq!(outcomes("checkout", true), checkout);
    }

    #[test]
    fn what_must_fail_is_red_only_where_it_does_not() {
        assert_eq!(outcomes("must-fail", false), ["passed", "passed", "passed"]);
        assert_eq!(outcomes("must-fail-no-more", false), ["Failure unexpected", "passed"]);
    }

    #[test]
    fn whole_scenarios_are_in_error() {
        assert_eq!(outcomes("broken", true), ["Error unreadable"]);
        assert_eq!(outcomes("no-gate", false), ["Error nothing_to_evaluate"]);
        assert_eq!(outcomes("no-gate", true), ["skipped nothing_to_evaluate"]);
        let untrusted = ["Error invalid", "skipped invalid", "skipped invalid"];
        assert_eq!(outcomes("truncated", true), untrusted);
    }

    #[test]
    fn equal_names_are_told_apart() {
        let names = |report: &SuiteReport, name: &str| {
            let cases = cases(report, name, false).into_iter();
            cases.map(|(name, _)| name).collect::<Vec<_>>()
        };
        let twice = "time_to_rollback <= 105s (scenarios/checkout.yaml";
        let found = names(&suite(), "checkout");
        assert_eq!([&found[0], &found[3]], [&format!("{twice}:40)"), &format!("{twice}:43)")]);
        let mut report = suite();
        report.scenarios[8].name = "canary".to_owned();
        assert_eq!(names(&report, "canary (scenarios/truncated.yaml)").len(), 3);
    }

    #[test]
    fn an_expectation_that_is_not_met_blames_the_lines_that_are_graver() {
        let mut report = suite();
        let Some(Judgement::Judged(judged)) = &mut report.scenarios[2].judgement else {
            panic!("judged")
        };
        judged.expected = Some(Verdict::Inconclusive);
        let outcomes: Vec<String> =
            cases(&report, "checkout", false).into_iter().map(|(_, outcome)| outcome).collect();
        let wanted = ["Failure unexpected", "passed", "Failure fail", "passed", "Failure fail"];
        assert_eq!(outcomes, wanted);
    }

    #[test]
    fn paths_that_would_break_their_mark_are_not_attached() {
        let mut scenario = suite().scenarios.remove(1);
        assert_eq!(attachments(&scenario)[0], "[[ATTACHMENT|reports/canary/charts/timeline.png]]");
        for folder in ["a|b", "a]]b", "a\nb"] {
            scenario.report = Some(folder.to_owned());
            assert_eq!(attachments(&scenario), [""; 0], "{folder}");
        }
    }
}
