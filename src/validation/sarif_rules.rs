//! The kinds of problems as rules of SARIF: what each means and what to do about it.

use serde_json::{Value, json};

use crate::scenario::ProblemKind;

/// The rules, in the order of [`ProblemKind::ALL`].
pub(super) fn rules() -> Vec<Value> {
    ProblemKind::ALL.map(rule).to_vec()
}

/// The place of the rule of `kind` among [`rules`].
pub(super) fn rule_index(kind: ProblemKind) -> usize {
    let position = ProblemKind::ALL.iter().position(|known| *known == kind);
    position.expect("every kind is among all of them")
}

fn rule(kind: ProblemKind) -> Value {
    let About { full, help } = about(kind);
    json!({
        "id": kind.id(),
        "name": pascal_case(kind.id()),
        "shortDescription": {"text": kind.about()},
        "fullDescription": {"text": full},
        "help": {"text": help},
        "defaultConfiguration": {"level": kind.severity().name()},
    })
}

/// What a rule says of itself beside what its kind is, in whole sentences.
struct About {
    full: &'static str,
    help: &'static str,
}

fn about(kind: ProblemKind) -> About {
    let (full, help) = match kind {
        ProblemKind::UnreadableFile => (
            "A scenario, or a file that it names, is not there or cannot be read.",
            "Correct the path, which is relative to the file that it stands in, or the rights of \
             the file.",
        ),
        ProblemKind::FileOutside => (
            "A scenario may name files in its own folder and in the working directory, so that \
             whoever checks it knows what is read.",
            "Move the file, or allow it with --allow-outside.",
        ),
        ProblemKind::BrokenYaml => (
            "A file has bytes or a structure that YAML 1.2 does not have, a key twice, or more \
             than is read of one file.",
            "Correct the structure at this place; an editor that knows YAML shows it.",
        ),
        ProblemKind::InvalidScenario => (
            "A key is unknown or missing, a value is not of its kind or out of its range, a name \
             is not there, or several parts do not fit together.",
            "The message names what was found and what is allowed; `coalmine schema reference` \
             prints every key.",
        ),
        ProblemKind::InvalidGateLine => (
            "A line of the gate is no assertion, or names a metric, phase, column, model or \
             version that there is not.",
            "The message names what was found and what is allowed.",
        ),
        ProblemKind::InvalidSetting => (
            "A value that was set with --set PATH=VALUE has no place in the scenario, or is not \
             of the kind that its place wants.",
            "Correct the setting, or the scenario that it was meant for.",
        ),
        ProblemKind::BrokenTrace => (
            "A row of a trace is not of its format, or does not fit the scenario that replays it.",
            "Correct the row, or record the trace again; each trace is read up to its first \
             broken row.",
        ),
        ProblemKind::OddScenario => (
            "Something in a scenario has no effect, or another one than it looks like.",
            "The message says what happens; a run is possible all the same.",
        ),
    };
    About { full, help }
}

/// `invalid-gate-line` as `InvalidGateLine`.
fn pascal_case(id: &str) -> String {
    let words = id.split('-').map(|word| word[..1].to_ascii_uppercase() + &word[1..]);
    words.collect()
}
