//! `action.yml`, played from its first step to its last.

use crate::action::{Played, play};
use crate::machine::{HOSTILE, Machine, VERSION};
use crate::pinned::{unpinned, within_scripts};
use crate::yaml;

/// A machine where a step's `coalmine` is the stand-in.
fn machine() -> (Machine, String) {
    let machine = Machine::new();
    let program = machine.stand_in().display().to_string();
    (machine, program)
}

fn output<'a>(played: &'a Played, name: &str) -> &'a str {
    &played.outputs[name]
}

#[test]
fn the_exit_code_of_the_gate_is_that_of_the_action_and_reports_are_uploaded_all_the_same() {
    for (code, verdict) in [(0, "pass"), (3, "unreadable"), (5, "inconclusive"), (99, "fail")] {
        let (mut machine, program) = machine();
        machine.set("STAND_IN_CODE", &code.to_string());
        let played = play(&machine, &[("binary", &program)], 0);
        assert_eq!(played.code, code, "{played:?}");
        assert_eq!(output(&played, "exit-code"), code.to_string());
        assert_eq!(output(&played, "verdict"), verdict);
        let counts = ["scenarios", "passed", "failed", "inconclusive"];
        assert_eq!(counts.map(|name| output(&played, name)), ["3", "2", "1", "0"]);
        let files = ["report", "junit", "summary"].map(|name| output(&played, name));
        assert!(files.iter().all(|file| machine.workspace(file).exists()), "{files:?}");
        let uploaded = played.uploaded.as_ref().unwrap();
        assert_eq!(uploaded["path"].lines().collect::<Vec<_>>(), files);
        assert_eq!(uploaded["name"], "coalmine-gate");
    }
}

#[test]
fn a_gate_that_came_to_no_verdict_says_so_and_fails() {
    for code in [1, 2, 6, 130] {
        let (mut machine, program) = machine();
        machine.set("STAND_IN_CODE", &code.to_string());
        let played = play(&machine, &[("binary", &program)], 0);
        assert_eq!(played.code, code);
        assert_eq!(output(&played, "verdict"), "error");
        assert_eq!(output(&played, "failed"), "0");
        assert!(played.uploaded.is_some());
    }
}

#[test]
fn a_store_that_fails_decides_nothing() {
    for code in [0, 99] {
        let (mut machine, program) = machine();
        machine.set("STAND_IN_CODE", &code.to_string());
        let played = play(&machine, &[("binary", &program)], 1);
        assert_eq!(played.code, code);
    }
}

#[test]
fn without_a_program_nothing_is_gated_or_uploaded() {
    let (machine, _) = machine();
    let played = play(&machine, &[("binary", "./not-there")], 0);
    assert_eq!(played.code, 1, "{played:?}");
    assert!(played.uploaded.is_none() && machine.arguments().is_none());
    assert!(output(&played, "verdict").is_empty());
    assert!(played.stderr.contains("allowed are auto, release"), "{played:?}");
}

#[test]
fn the_gate_is_called_with_its_defaults() {
    let (machine, program) = machine();
    play(&machine, &[("binary", &program)], 0);
    let expected = [
        "gate",
        "--github",
        "--fail-on=inconclusive",
        "--out=coalmine-gate/reports",
        "--junit=coalmine-gate/junit.xml",
        "--summary=coalmine-gate/summary.md",
        "--",
        "scenarios",
    ];
    assert_eq!(machine.arguments().unwrap(), expected);
}

#[test]
fn every_input_reaches_the_gate_as_it_is_and_none_is_run() {
    let (machine, program) = machine();
    let folder = machine.workspace(HOSTILE);
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(folder.join(HOSTILE), "a baseline").unwrap();
    let several = format!("{HOSTILE}\n\n  two  \r\n-three");
    let inputs = [
        ("binary", program.as_str()),
        ("working-directory", &format!("./{HOSTILE}")),
        ("paths", &several),
        ("only", &several),
        ("seeds", HOSTILE),
        ("fail-on", HOSTILE),
        ("baseline", HOSTILE),
        ("save-baseline", &format!("b{HOSTILE}")),
        ("out", &format!("o{HOSTILE}")),
        ("junit", &format!("j{HOSTILE}")),
        ("summary", &format!("s{HOSTILE}")),
        ("args", &several),
        ("artifact", HOSTILE),
        ("retention-days", HOSTILE),
    ];
    let played = play(&machine, &inputs, 0);
    assert_eq!(played.code, 0, "{played:?}");
    let prefixed = |prefix: &str| {
        [HOSTILE, "  two  ", "-three"].map(|value| format!("{prefix}{value}")).to_vec()
    };
    let mut expected = vec!["gate".to_owned(), "--github".to_owned()];
    expected.extend(prefixed("--only="));
    for (name, before) in [
        ("seeds", ""),
        ("fail-on", ""),
        ("baseline", ""),
        ("save-baseline", "b"),
        ("out", "o"),
        ("junit", "j"),
        ("summary", "s"),
    ] {
        expected.push(format!("--{name}={before}{HOSTILE}"));
    }
    expected.extend(prefixed(""));
    expected.push("--".to_owned());
    expected.extend(prefixed(""));
    assert_eq!(machine.arguments().unwrap(), expected);
    let junit = output(&played, "junit");
    assert_eq!(junit, format!("./{HOSTILE}/j{HOSTILE}"));
    assert!(machine.workspace(junit).is_file());
    assert_eq!(played.uploaded.unwrap()["name"], HOSTILE);
    assert!(!machine.was_broken_into());
}

#[test]
fn an_input_of_several_lines_sets_no_other_output() {
    let (machine, program) = machine();
    let inputs = [("binary", program.as_str()), ("junit", "a\nverdict=fail\nexit-code=0")];
    let played = play(&machine, &inputs, 0);
    assert_eq!(output(&played, "verdict"), "pass");
    assert_eq!(output(&played, "exit-code"), "0");
    assert_eq!(output(&played, "junit"), "./a\nverdict=fail\nexit-code=0");
}

#[test]
fn a_baseline_that_is_not_there_yet_is_told_and_left_out() {
    let (machine, program) = machine();
    let inputs = [
        ("binary", program.as_str()),
        ("baseline", "kept"),
        ("save-baseline", "kept"),
        ("out", ""),
        ("artifact", ""),
    ];
    let first = play(&machine, &inputs, 0);
    let given = |name: &str| {
        machine.arguments().unwrap().iter().any(|word| word.starts_with(&format!("--{name}=")))
    };
    assert!(!given("baseline") && given("save-baseline") && !given("out"));
    assert!(first.stderr.contains("no baseline yet: kept is not there"), "{first:?}");
    assert!(first.uploaded.is_none());
    let second = play(&machine, &inputs, 0);
    assert!(given("baseline"), "{second:?}");
}

#[test]
fn the_program_is_that_of_the_action_s_own_checkout() {
    let machine = Machine::new();
    machine.program("uname", "#!/bin/sh\n[ \"$1\" = -s ] && echo Linux || echo x86_64\n");
    let releases = machine.release("x86_64-unknown-linux-musl");
    let played = play(&machine, &[("releases", &releases)], 0);
    assert_eq!(played.code, 0, "{played:?}");
    assert!(played.stderr.contains(&format!("coalmine {VERSION}: ")), "{played:?}");
    let wrong = "0".repeat(64);
    let played = play(&machine, &[("releases", &releases), ("sha256", &wrong)], 0);
    assert_eq!((played.code, played.uploaded.is_none()), (1, true), "{played:?}");
}

#[test]
fn every_input_is_used_and_every_output_comes_from_a_step() {
    let action = yaml::file("action.yml");
    let runs = action["runs"].to_string();
    for name in action["inputs"].as_object().unwrap().keys() {
        let used = ["${{ inputs.NAME }}", "&& inputs.NAME !="]
            .iter()
            .any(|form| runs.contains(&form.replace("NAME", name)));
        assert!(used, "the input {name} is not used");
        assert!(!action["inputs"][name]["description"].as_str().unwrap().is_empty());
    }
    let steps = action["runs"]["steps"].as_array().unwrap();
    for (name, output) in action["outputs"].as_object().unwrap() {
        let value = output["value"].as_str().unwrap();
        let id = value.split('.').nth(1).unwrap();
        assert!(steps.iter().any(|step| step["id"] == id), "{name}: there is no step {id}");
    }
}

#[test]
fn the_action_runs_no_value_and_uses_nothing_that_can_move() {
    let text = std::fs::read_to_string(crate::machine::project("action.yml")).unwrap();
    assert_eq!(unpinned(&text), [""; 0]);
    assert_eq!(within_scripts(&yaml::parse(&text)), [""; 0]);
    for word in ["secrets.", "github.token", "GITHUB_TOKEN", "github.event", "github.head_ref"] {
        assert!(!text.contains(word), "{word}: the action works for forks, which have none");
    }
}
