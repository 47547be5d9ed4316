//! Plays a composite action as GitHub's runner does: steps in order, expressions filled in, outputs
//! read back, the first failure kept. It knows as much of expressions as `action.yml` uses, and
//! refuses the rest.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::machine::{Machine, project};
use crate::yaml;

/// Outputs by the names of steps; inputs go by the name `inputs`.
type Known = BTreeMap<String, BTreeMap<String, String>>;

/// How an action ended.
#[derive(Debug)]
pub(crate) struct Played {
    /// The exit code of the first step that failed; 0 if none did.
    pub(crate) code: i32,
    pub(crate) outputs: BTreeMap<String, String>,
    /// What the step that uses another action was given, if it came to that.
    pub(crate) uploaded: Option<BTreeMap<String, String>>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Plays `action.yml` with these inputs; `upload` is what the uploading step ends with.
pub(crate) fn play(machine: &Machine, inputs: &[(&str, &str)], upload: i32) -> Played {
    let action = yaml::file("action.yml");
    let mut known = Known::from([("inputs".to_owned(), all_inputs(&action, inputs))]);
    let mut played = Played {
        code: 0,
        outputs: BTreeMap::new(),
        uploaded: None,
        stdout: String::new(),
        stderr: String::new(),
    };
    for (step, number) in action["runs"]["steps"].as_array().unwrap().iter().zip(0..) {
        let condition = step["if"].as_str().unwrap_or("success()");
        if !holds(condition, &known, played.code == 0) {
            continue;
        }
        let id = step["id"].as_str().unwrap_or("");
        let code = if step["uses"].is_string() {
            played.uploaded = Some(filled(&step["with"], &known));
            upload
        } else {
            assert_eq!(step["shell"], "bash");
            let file = machine.place(&format!("output-{number}"));
            std::fs::write(&file, "").unwrap();
            let mut variables = filled(&step["env"], &known);
            let home = project("").display().to_string();
            variables.insert("GITHUB_ACTION_PATH".to_owned(), home);
            variables.insert("GITHUB_OUTPUT".to_owned(), file.display().to_string());
            let variables: Vec<_> =
                variables.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let run = step["run"].as_str().unwrap();
            let call = ["--noprofile", "--norc", "-e", "-o", "pipefail", "-c", run];
            let ended = machine.bash(&call, &variables);
            played.stdout.push_str(&ended.stdout);
            played.stderr.push_str(&ended.stderr);
            known.insert(id.to_owned(), outputs(&std::fs::read_to_string(file).unwrap()));
            ended.code
        };
        let forgiven = step["continue-on-error"] == "true";
        if code != 0 && played.code == 0 && !forgiven {
            played.code = code;
        }
    }
    for (name, output) in action["outputs"].as_object().unwrap() {
        let value = fill(output["value"].as_str().unwrap(), &known);
        played.outputs.insert(name.clone(), value);
    }
    played
}

/// The inputs given, and the defaults of the others.
fn all_inputs(action: &Value, given: &[(&str, &str)]) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    for (name, input) in action["inputs"].as_object().unwrap() {
        all.insert(name.clone(), input["default"].as_str().unwrap().to_owned());
    }
    for (name, value) in given {
        let there = all.insert((*name).to_owned(), (*value).to_owned());
        assert!(there.is_some(), "there is no input {name}");
    }
    all
}

fn filled(map: &Value, known: &Known) -> BTreeMap<String, String> {
    let entries = map.as_object().into_iter().flatten();
    let fill = |value: &Value| fill(value.as_str().unwrap(), known);
    entries.map(|(name, value)| (name.clone(), fill(value))).collect()
}

/// `text` with each `${{ ... }}` replaced by what it stands for.
fn fill(text: &str, known: &Known) -> String {
    let mut parts = text.split("${{");
    let mut filled = parts.next().unwrap().to_owned();
    for part in parts {
        let (expression, rest) = part.split_once("}}").unwrap();
        filled.push_str(&value(expression.trim(), known));
        filled.push_str(rest);
    }
    filled
}

/// `inputs.NAME` or `steps.STEP.outputs.NAME`; what a step did not say is empty.
fn value(expression: &str, known: &Known) -> String {
    let words: Vec<&str> = expression.split('.').collect();
    let (of, name) = match words[..] {
        ["inputs", name] => ("inputs", name),
        ["steps", step, "outputs", name] => (step, name),
        _ => panic!("{expression} is not understood here"),
    };
    let said = known.get(of).and_then(|said| said.get(name));
    assert!(of != "inputs" || said.is_some(), "there is no {expression}");
    said.cloned().unwrap_or_default()
}

/// Whether a condition holds: `always()` or `X != ''`, joined by `&&`. As on GitHub a failure ends
/// what does not say `always()`.
fn holds(condition: &str, known: &Known, fine_so_far: bool) -> bool {
    let inner = condition.trim().trim_start_matches("${{").trim_end_matches("}}");
    let mut goes_on = fine_so_far;
    let mut all = true;
    for term in inner.split("&&").map(str::trim) {
        match term.split_once(" != ''") {
            Some((expression, "")) => all &= !value(expression, known).is_empty(),
            _ => match term {
                "always()" => goes_on = true,
                "success()" => {}
                _ => panic!("{term} is not understood here"),
            },
        }
    }
    all && goes_on
}

/// The outputs in a step's file: `name=value`, or `name<<MARK` with lines up to the mark.
fn outputs(text: &str) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let marked = line.split_once("<<").filter(|(name, _)| !name.contains('='));
        let (name, value) = match marked {
            Some((name, mark)) => {
                let value: Vec<_> = lines.by_ref().take_while(|line| *line != mark).collect();
                (name, value.join("\n"))
            }
            None => {
                let (name, value) = line.split_once('=').unwrap();
                (name, value.to_owned())
            }
        };
        found.insert(name.to_owned(), value);
    }
    found
}

#[test]
fn outputs_of_one_line_and_of_several_are_read() {
    let read = outputs("a=b=<<c\nd<<E\nf=1\nE2\nE\n");
    let expected = [("a", "b=<<c"), ("d", "f=1\nE2")];
    assert_eq!(read, expected.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
}
