//! The gates of several scenarios as annotations of GitHub: workflow commands on stdout, which its
//! runner shows at the line of a file.
//!
//! `::error file=a.yaml,line=7,title=a title::a message`, as in GitHub's reference, "Workflow
//! commands for GitHub Actions", and read by the runner's `ActionCommand.TryParseV2`
//! (actions/runner, `src/Runner.Common/ActionCommand.cs`): `%`, CR and LF are escaped in the
//! message, in properties `:` and `,` as well. `IssueCommandExtension` in
//! `ActionCommandManager.cs` makes a file below the workspace relative and hands on all others. A
//! step shows ten annotations of each kind.

use std::cmp::Reverse;

use super::portable_path::{is_absolute, portable};
use super::suite_words::{NO_GATE, gravest_first, outcome_word, reasons};
use super::verdict::verdict_word;
use super::visible::{one_line, plain_lines, shortened};
use crate::gate::{LineResult, Verdict};
use crate::suite::{GatedScenario, Outcome, SuiteReport};
use crate::units::format_counted;

/// Where the project is checked out, and where the gate runs: what files are told relative to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Checkout<'a> {
    /// The folder of the project: `$GITHUB_WORKSPACE`.
    pub workspace: &'a str,
    /// The folder that relative paths begin at, an absolute path.
    pub working_directory: &'a str,
}

/// The gates of several scenarios as workflow commands, each a line without its end: an error for
/// each line that speaks against its scenario and for each scenario that has no such line, the
/// gravest first. There are ten at most; of more the last says how many are left out.
/// `inconclusive_passes`: whether what cannot be decided, and what has no gate, is a warning
/// instead, of which there are ten at most as well. Without a `checkout` paths stay as they are.
pub fn suite_annotations(
    report: &SuiteReport,
    checkout: Option<Checkout<'_>>,
    inconclusive_passes: bool,
) -> Vec<String> {
    let mut found: Vec<Annotation> =
        gravest_first(report).into_iter().flat_map(annotations).collect();
    found.sort_by_key(|annotation| Reverse(annotation.outcome));
    let is_warning = |annotation: &Annotation| {
        inconclusive_passes && annotation.outcome <= Outcome::Inconclusive
    };
    let (warnings, errors): (Vec<_>, Vec<_>) = found.into_iter().partition(is_warning);
    let mut commands = limited("error", &errors, checkout);
    commands.extend(limited("warning", &warnings, checkout));
    commands
}

/// What is told at a place.
struct Annotation {
    /// How grave it is.
    outcome: Outcome,
    file: String,
    /// From 1; none where it is about the whole file.
    line: Option<u32>,
    title: String,
    message: String,
}

/// What is told of a scenario that does not pass.
fn annotations(scenario: &GatedScenario) -> Vec<Annotation> {
    let against: Vec<Annotation> = scenario
        .lines()
        .iter()
        .filter(|line| scenario.outcome != Outcome::Invalid && scenario.is_against(line))
        .map(|line| of_line(scenario, line))
        .collect();
    if against.is_empty() { vec![of_scenario(scenario)] } else { against }
}

fn of_line(scenario: &GatedScenario, line: &LineResult) -> Annotation {
    let word = verdict_word(line.verdict);
    Annotation {
        outcome: match line.verdict {
            Verdict::Inconclusive => Outcome::Inconclusive,
            Verdict::Pass | Verdict::Fail | Verdict::Invalid => Outcome::Fail,
        },
        file: line.file.clone(),
        line: Some(line.line),
        title: format!("{}: {}", scenario.name, line.text),
        message: format!("{word} {}\nagain: {}", line.evidence, scenario.repeat),
    }
}

fn of_scenario(scenario: &GatedScenario) -> Annotation {
    let place = scenario.error_place();
    let (file, line) = place.map_or((&scenario.file[..], None), |(file, line)| (file, Some(line)));
    let why = match (scenario.outcome, &scenario.error) {
        (_, Some(error)) => error.clone(),
        (Outcome::NothingToEvaluate, _) => NO_GATE.to_owned(),
        _ => reasons(scenario).join("\n"),
    };
    Annotation {
        outcome: scenario.outcome,
        file: file.to_owned(),
        line,
        title: format!("{}: {}", scenario.name, outcome_word(scenario.outcome)),
        message: format!("{}\nagain: {}", why.trim_end(), scenario.repeat),
    }
}

/// As many commands as are shown.
fn limited(kind: &str, found: &[Annotation], checkout: Option<Checkout<'_>>) -> Vec<String> {
    let shown = if found.len() > MOST { MOST - 1 } else { found.len() };
    let mut commands: Vec<String> =
        found[..shown].iter().map(|annotation| annotation.command(kind, checkout)).collect();
    if shown < found.len() {
        let more = format_counted((found.len() - shown) as u64, "finding", "findings");
        commands.push(format!(
            "::{kind} title=coalmine gate::{more} more: the job's log and its summary tell of all"
        ));
    }
    commands
}

impl Annotation {
    fn command(&self, kind: &str, checkout: Option<Checkout<'_>>) -> String {
        let file = checkout.map_or_else(|| portable(&self.file), |root| root.relative(&self.file));
        let line = self.line.map_or_else(String::new, |line| format!(",line={line}"));
        let message = plain_lines(&self.message).join("\n");
        format!(
            "::{kind} file={}{line},title={}::{}",
            escape_property(&one_line(&file)),
            escape_property(shortened(&one_line(&self.title), LONGEST_TITLE).as_str()),
            escape_data(shortened(&message, LONGEST_MESSAGE).as_str())
        )
    }
}

impl Checkout<'_> {
    /// `path` relative to the workspace if it lies there, with slashes.
    fn relative(&self, path: &str) -> String {
        let path = portable(path);
        let whole = match is_absolute(&path) {
            true => path.clone(),
            false => format!("{}/{path}", portable(self.working_directory)),
        };
        let (whole, root) = (parts(&whole), parts(&portable(self.workspace)));
        match whole.strip_prefix(&root[..]) {
            Some(within) if !within.is_empty() => within.join("/"),
            _ => path,
        }
    }
}

/// The names in a path, `.` and `..` followed.
fn parts(path: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part.to_owned()),
        }
    }
    parts
}

fn escape_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn escape_property(text: &str) -> String {
    escape_data(text).replace(':', "%3A").replace(',', "%2C")
}

/// GitHub's limit: of each kind a step shows as many.
const MOST: usize = 10;

/// Chosen: more than any evidence needs, and the log has all of it.
const LONGEST_MESSAGE: usize = 4_000;

/// Chosen: it stands in a line.
const LONGEST_TITLE: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::example::{HOSTILE, failing, suite};

    /// A command as the runner reads it (`ActionCommand.TryParseV2`): its name, its properties, its
    /// message.
    fn read(command: &str) -> (String, Vec<(String, String)>, String) {
        let undone = |text: &str, all: bool| {
            let text = text.replace("%0D", "\r").replace("%0A", "\n");
            let text = if all { text.replace("%3A", ":").replace("%2C", ",") } else { text };
            text.replace("%25", "%")
        };
        let rest = command.strip_prefix("::").unwrap();
        let (head, message) = rest.split_once("::").unwrap();
        let (name, properties) = head.split_once(' ').unwrap();
        let properties = properties.split(',').map(|property| {
            let (key, value) = property.split_once('=').unwrap();
            (key.to_owned(), undone(value, true))
        });
        (name.to_owned(), properties.collect(), undone(message, false))
    }

    fn property(command: &str, name: &str) -> Option<String> {
        let (_, properties, _) = read(command);
        properties.into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    #[test]
    fn each_finding_is_told_at_its_line_the_gravest_first() {
        let commands = suite_annotations(&suite(), None, false);
        let places: Vec<_> = commands
            .iter()
            .map(|command| {
                let file = property(command, "file").unwrap();
                let name = file.rsplit('/').next().unwrap().to_owned();
                (read(command).0, name, property(command, "line"))
            })
            .collect();
        let at = |name: &str, line: &str| {
            let line = (!line.is_empty()).then(|| line.to_owned());
            ("error".to_owned(), format!("{name}.yaml"), line)
        };
        let wanted = [
            at("broken", "6"),
            at("truncated", ""),
            at("checkout", "41"),
            at("checkout", "43"),
            at("hostile", "9"),
            at("must-fail-no-more", ""),
            at("checkout", "42"),
            at("quiet", "12"),
            at("no-gate", ""),
        ];
        assert_eq!(places, wanted);
        assert_eq!(
            commands[3],
            "::error file=scenarios/checkout.yaml,line=43,title=checkout%3A time_to_rollback <= \
             105s::FAIL 75 s to 120 s; it does not hold in 2 of 3 runs: seed 2, 3%0Aagain: coalmine \
             gate scenarios/checkout.yaml --seeds 3 --baseline baselines"
        );
        assert!(read(&commands[5]).2.contains("expected fail, found pass"));
    }

    #[test]
    fn what_passes_undecided_is_a_warning() {
        let commands = suite_annotations(&suite(), None, true);
        let kinds: Vec<String> = commands.iter().map(|command| read(command).0).collect();
        assert_eq!(kinds.iter().filter(|kind| *kind == "error").count(), 6);
        assert_eq!(kinds[6..], ["warning", "warning", "warning"]);
    }

    #[test]
    fn texts_come_back_as_they_were() {
        let commands = suite_annotations(&suite(), None, false);
        let hostile = commands.iter().find(|command| command.contains("hostile.yaml")).unwrap();
        assert_eq!(hostile.lines().count(), 1);
        let (_, properties, message) = read(hostile);
        assert_eq!(properties.len(), 3, "{properties:?}");
        assert_eq!(property(hostile, "file").unwrap(), "C:/shop/scenarios/hostile.yaml");
        assert!(property(hostile, "title").unwrap().contains("100%, k: v ::error::x"));
        assert!(message.starts_with("FAIL ]]> <script>") && message.contains("\nevidence without"));
        assert!(!hostile.chars().any(char::is_control));
        let data = escape_data(HOSTILE);
        assert_eq!(data.matches("%25").count(), 1);
        assert_eq!(escape_data("a\r\n%0A"), "a%0D%0A%250A");
        assert_eq!(escape_property("a:b,c%"), "a%3Ab%2Cc%25");
    }

    #[test]
    fn ten_are_told_and_how_many_more_there_are() {
        // Three lines of each scenario do not pass.
        let told = |count: usize| suite_annotations(&failing(count, 10), None, false);
        assert_eq!(told(3).len(), 9);
        let many = told(7);
        assert_eq!(many.len(), 10);
        assert!(many[9].contains("::12 findings more: "), "{}", many[9]);
        assert_eq!(property(&many[9], "file"), None);
        let undecided = suite_annotations(&failing(30, 10), None, true);
        assert_eq!(undecided.len(), 20);
    }

    #[test]
    fn messages_are_cut_at_their_limit() {
        for command in suite_annotations(&failing(1, 100_000), None, false) {
            assert!(read(&command).2.chars().count() <= 4_096);
        }
    }

    #[test]
    fn files_are_told_relative_to_the_workspace() {
        let within = |directory: &str, path: &str| {
            let workspace = "/home/runner/shop";
            let directory = format!("{workspace}{directory}");
            Checkout { workspace, working_directory: &directory }.relative(path)
        };
        assert_eq!(within("", "scenarios/a.yaml"), "scenarios/a.yaml");
        assert_eq!(within("/gates", "./a.yaml"), "gates/a.yaml");
        assert_eq!(within("/gates", "../scenarios/a.yaml"), "scenarios/a.yaml");
        assert_eq!(within("", "/home/runner/shop/x/a.yaml"), "x/a.yaml");
        assert_eq!(within("", "/home/runner/shopper/a.yaml"), "/home/runner/shopper/a.yaml");
        assert_eq!(within("", "../../elsewhere/a.yaml"), "../../elsewhere/a.yaml");
        let windows = Checkout { workspace: "D:\\a\\shop", working_directory: "D:\\a\\shop\\ci" };
        assert_eq!(windows.relative("x\\a.yaml"), "ci/x/a.yaml");
        assert_eq!(windows.relative("D:\\a\\shop\\a.yaml"), "a.yaml");
    }
}
