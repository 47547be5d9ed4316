//! The wrappers around the true program: pipelines as `init` writes them, gates that hold, gates
//! that do not, and baselines from one run to the next.

use crate::action::{Played, play};
use crate::machine::Machine;
use crate::pipelines::Repository;
use crate::yaml;

const PROGRAM: &str = env!("CARGO_BIN_EXE_coalmine");
const SCENARIO: &str = "scenarios/canary.yaml";

/// A runner of GitHub with a checkout of a repository that `init` was run in.
fn machine() -> Machine {
    let mut machine = Machine::new();
    let init = machine.bash(&["-c", "\"$1\" init --ci github", "-", PROGRAM], &[]);
    assert_eq!(init.code, 0, "{init:?}");
    let workspace = machine.workspace("").display().to_string();
    machine.set("GITHUB_WORKSPACE", workspace.trim_end_matches('/'));
    machine.set("GITHUB_STEP_SUMMARY", &machine.place("step-summary").display().to_string());
    std::fs::write(machine.place("step-summary"), "").unwrap();
    machine
}

/// The action as the workflow of `init` calls it.
fn gate(machine: &Machine) -> Played {
    let path = machine.workspace(".github/workflows/coalmine.yml");
    let text = std::fs::read_to_string(path).unwrap();
    let workflow = yaml::parse(&text);
    let steps = workflow["jobs"]["gate"]["steps"].as_array().unwrap();
    let step = steps.iter().find(|step| step["id"] == "gate").unwrap();
    let given = step["with"].as_object().unwrap().iter();
    let mut inputs: Vec<_> =
        given.map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect();
    inputs.push(("binary", PROGRAM));
    play(machine, &inputs, 0)
}

fn change(machine: &Machine, from: &str, to: &str) -> usize {
    let path = machine.workspace(SCENARIO);
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.matches(from).count(), 1, "{from}");
    let line = text[..text.find(from).unwrap()].matches('\n').count() + 1;
    std::fs::write(&path, text.replace(from, to)).unwrap();
    line
}

fn step_summary(machine: &Machine) -> String {
    std::fs::read_to_string(machine.place("step-summary")).unwrap()
}

#[test]
fn the_pipeline_of_init_passes_and_leaves_everything() {
    let machine = machine();
    let played = gate(&machine);
    assert_eq!(played.code, 0, "{played:?}");
    let said = ["verdict", "scenarios", "passed", "failed", "inconclusive", "exit-code"];
    let said = said.map(|name| played.outputs[name].as_str());
    assert_eq!(said, ["pass", "1", "1", "0", "0", "0"]);
    let uploaded = played.uploaded.as_ref().unwrap();
    for path in uploaded["path"].lines() {
        assert!(machine.workspace(path).exists(), "{path}");
    }
    assert!(machine.workspace("coalmine-gate/reports/canary/report.html").is_file());
    assert!(machine.workspace("coalmine-baseline/canary.baseline.json").is_file());
    assert!(step_summary(&machine).contains("canary"));
    assert!(!played.stdout.contains("::error"), "{played:?}");
    // The next run has a baseline.
    assert!(played.stderr.contains("no baseline yet"), "{played:?}");
    let played = gate(&machine);
    assert!(played.code == 0 && !played.stderr.contains("no baseline yet"), "{played:?}");
}

#[test]
fn a_rule_that_no_longer_catches_the_fault_fails_at_its_line() {
    let machine = machine();
    // The rule asks for more errors than the fault makes: nothing is rolled back.
    change(&machine, "threshold: 0.05", "threshold: 0.5");
    let line = change(&machine, "\"rollbacks == 1\"", "\"rollbacks == 1\" ");
    let played = gate(&machine);
    assert_eq!((played.code, played.outputs["verdict"].as_str()), (99, "fail"), "{played:?}");
    let annotation = format!("::error file={SCENARIO},line={line},");
    assert!(played.stdout.contains(&annotation), "{annotation}: {}", played.stdout);
    assert!(played.uploaded.is_some() && step_summary(&machine).contains("rollbacks == 1"));
    assert!(machine.workspace("coalmine-gate/junit.xml").is_file());
}

#[test]
fn a_line_against_a_baseline_is_decided_once_there_is_one() {
    let machine = machine();
    let line = "blast_radius.failed <= baseline(blast_radius.failed)";
    change(&machine, "\ngate:", &format!("\ngate:\n  - {line}"));
    let first = gate(&machine);
    assert_eq!((first.code, first.outputs["verdict"].as_str()), (5, "inconclusive"), "{first:?}");
    let second = gate(&machine);
    assert_eq!(second.code, 0, "{second:?}");
}

#[test]
fn a_file_that_is_invalid_is_told_and_uploaded_with_the_rest() {
    let machine = machine();
    change(&machine, "for: 10m", "for: 10");
    let played = gate(&machine);
    assert_eq!((played.code, played.outputs["verdict"].as_str()), (3, "unreadable"), "{played:?}");
    assert!(played.stdout.contains(&format!("{SCENARIO}:")) && played.uploaded.is_some());
    // A command line that makes no sense has no verdict.
    let played = play(&machine, &[("binary", PROGRAM), ("seeds", "many")], 0);
    assert_eq!((played.code, played.outputs["verdict"].as_str()), (2, "error"), "{played:?}");
}

#[test]
fn a_scenario_whose_name_is_an_option_or_a_command_is_only_a_file() {
    let machine = machine();
    let odd = "--only=$(touch pwned) it's.yaml";
    std::fs::rename(machine.workspace(SCENARIO), machine.workspace(odd)).unwrap();
    let played = play(&machine, &[("binary", PROGRAM), ("paths", odd)], 0);
    assert_eq!((played.code, machine.was_broken_into()), (0, false), "{played:?}");
}

#[test]
fn the_hook_for_pre_commit_gates_the_folder() {
    let repository = Repository::new();
    repository.run(&["init", "--ci", "github"]);
    let hooks = yaml::file(".pre-commit-hooks.yaml");
    for hook in hooks.as_array().unwrap() {
        let entry = hook["entry"].as_str().unwrap().split(' ').skip(1);
        let args = hook["args"].as_array().unwrap().iter().map(|word| word.as_str().unwrap());
        let words: Vec<_> = entry.chain(args).collect();
        let (code, said) = repository.run(&words);
        assert_eq!(code, 0, "{words:?}: {said}");
    }
}
