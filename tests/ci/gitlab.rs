//! The template for GitLab: its scripts run as the runner runs them, one shell for the job and one
//! for what comes after it.

use serde_json::Value;

use crate::machine::{Ended, HOSTILE, Machine};
use crate::server::Server;
use crate::yaml;

const BASELINE: &str = "coalmine-baseline";

fn job() -> Value {
    yaml::file("ci/gitlab/coalmine.gitlab-ci.yml")[".coalmine-gate"].clone()
}

/// A machine where the job's program is the stand-in, in a merge request's pipeline.
fn machine() -> Machine {
    let mut machine = Machine::new();
    let program = machine.stand_in().display().to_string();
    for (name, value) in job()["variables"].as_object().unwrap() {
        machine.set(name, value.as_str().unwrap());
    }
    machine.set("COALMINE_BINARY", &program);
    let project = machine.workspace("").display().to_string();
    machine.set("CI_PROJECT_DIR", project.trim_end_matches('/'));
    machine.set("CI_DEFAULT_BRANCH", "main");
    machine.set("CI_JOB_NAME", "the gate: \"1/2\"");
    machine
}

/// Runs the lines of a part of the job, with the variables of a pipeline beside the machine's.
fn run(machine: &Machine, part: &str, variables: &[(&str, &str)]) -> Ended {
    let job = job();
    let lines: Vec<_> =
        job[part].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    machine.bash(&["-e", "-o", "pipefail", "-c", &lines.join("\n")], variables)
}

fn given(machine: &Machine, name: &str) -> Option<String> {
    let prefix = format!("--{name}=");
    let arguments = machine.arguments().unwrap();
    arguments.iter().find_map(|word| word.strip_prefix(&prefix)).map(str::to_owned)
}

#[test]
fn the_job_ends_as_the_gate_did_and_leaves_its_results() {
    for code in [0, 3, 5, 99] {
        let mut machine = machine();
        machine.set("STAND_IN_CODE", &code.to_string());
        let ended = run(&machine, "script", &[]);
        assert_eq!(ended.code, code, "{ended:?}");
        for path in ["junit.xml", "summary.md", "reports/one/report.html"] {
            assert!(machine.workspace(&format!("coalmine-gate/{path}")).is_file(), "{path}");
        }
    }
    let job = job();
    let artifacts = &job["artifacts"];
    assert_eq!(artifacts["when"], "always");
    assert_eq!(artifacts["reports"]["junit"], "coalmine-gate/junit.xml");
    assert_eq!(artifacts["paths"], serde_json::json!(["coalmine-gate/"]));
}

#[test]
fn every_variable_reaches_the_gate_as_it_is_and_none_is_run() {
    let machine = machine();
    std::fs::create_dir(machine.workspace(HOSTILE)).unwrap();
    let several = format!("{HOSTILE}\ntwo");
    let folder = format!("./{HOSTILE}");
    let variables = [
        ("COALMINE_WORKING_DIRECTORY", folder.as_str()),
        ("COALMINE_PATHS", &several),
        ("COALMINE_ONLY", &several),
        ("COALMINE_SEEDS", HOSTILE),
        ("COALMINE_FAIL_ON", HOSTILE),
        ("COALMINE_BASELINE", "."),
        ("COALMINE_SAVE_BASELINE", "saved"),
        ("COALMINE_ARGS", &several),
    ];
    let ended = run(&machine, "script", &variables);
    assert_eq!(ended.code, 0, "{ended:?}");
    let arguments = machine.arguments().unwrap();
    let end = arguments.iter().position(|word| word == "--").unwrap();
    assert_eq!(arguments[end + 1..], [HOSTILE, "two"]);
    assert_eq!(arguments[end - 2..end], [HOSTILE, "two"]);
    assert_eq!(given(&machine, "seeds").unwrap(), HOSTILE);
    assert_eq!(given(&machine, "fail-on").unwrap(), HOSTILE);
    assert_eq!(given(&machine, "baseline").unwrap(), ".");
    assert_eq!(given(&machine, "save-baseline").unwrap(), "saved");
    let all: Vec<_> = arguments.iter().filter(|word| word.starts_with("--only=")).collect();
    assert_eq!(all, [&format!("--only={HOSTILE}"), "--only=two"]);
    assert!(machine.workspace("coalmine-gate/junit.xml").is_file());
    assert!(!machine.was_broken_into());
}

#[test]
fn the_default_branch_keeps_what_the_program_stores() {
    let machine = machine();
    let on_main = |code: &str| {
        let variables = [("CI_COMMIT_BRANCH", "main"), ("STAND_IN_CODE", code)];
        let ended = run(&machine, "script", &variables);
        assert_eq!(ended.code.to_string(), code, "{ended:?}");
        let kept = machine.workspace(&format!("{BASELINE}/one"));
        let kept = std::fs::read_to_string(kept).unwrap_or_default();
        (given(&machine, "baseline").is_some(), kept.trim_end().to_owned())
    };
    // The stand-in's baseline says with which code it ended.
    for (code, held_against, kept) in [("5", false, "5"), ("99", true, "99"), ("0", true, "0")] {
        assert_eq!(on_main(code), (held_against, kept.to_owned()), "{code}");
    }
    // What it does not store anew stays.
    let before = machine.workspace(&format!("{BASELINE}/another"));
    std::fs::write(&before, "as it was").unwrap();
    on_main("0");
    assert_eq!(std::fs::read_to_string(&before).unwrap(), "as it was");
    let other = run(&machine, "script", &[("CI_COMMIT_BRANCH", "feature")]);
    assert_eq!((other.code, given(&machine, "save-baseline")), (0, None));
    let merge = run(&machine, "script", &[("CI_MERGE_REQUEST_IID", "7")]);
    assert_eq!((merge.code, given(&machine, "save-baseline")), (0, None));
    assert!(given(&machine, "baseline").unwrap().ends_with(BASELINE));
    let cache = &job()["cache"];
    assert_eq!(cache["paths"], serde_json::json!([format!("{BASELINE}/")]));
    assert_eq!(cache["policy"], "$COALMINE_CACHE_POLICY");
}

/// A merge request's pipeline with a token, at this server.
fn with_token(machine: &mut Machine, server: &Server) {
    machine.set("CI_API_V4_URL", &format!("{}/api/v4", server.url));
    machine.set("CI_PROJECT_ID", "42");
    machine.set("CI_MERGE_REQUEST_IID", "7");
    machine.set("COALMINE_NOTE_TOKEN", "glpat-secret");
}

const NOTES: &str = "/api/v4/projects/42/merge_requests/7/notes";
/// How the job's name is written in its mark.
const MARK: &str = "coalmine gate of the-gate---1-2-";

#[test]
fn the_first_summary_becomes_a_note() {
    let server = Server::new(|line| match line.starts_with("GET ") {
        true => (200, b"[]".to_vec()),
        false => (201, b"{}".to_vec()),
    });
    let mut machine = machine();
    with_token(&mut machine, &server);
    run(&machine, "script", &[]);
    let ended = run(&machine, "after_script", &[]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let asked = server.asked();
    assert!(asked[0].line.starts_with(&format!("GET {NOTES}?")), "{asked:?}");
    assert_eq!(asked[1].line, format!("POST {NOTES}"));
    // `application/x-www-form-urlencoded`: `body=<!-- MARK -->\nof the gate\n`.
    let body = asked[1].body.replace("%20", "+");
    let mark = MARK.replace(' ', "+");
    assert_eq!(body, format!("body=%3C%21--+{mark}+--%3E%0Aof+the+gate%0A"));
    for asked in &asked {
        let token = |header: &&String| header.to_lowercase() == "private-token: glpat-secret";
        assert_eq!(asked.headers.iter().filter(token).count(), 1, "{asked:?}");
    }
    assert!(!format!("{ended:?}").contains("glpat-secret"));
}

#[test]
fn a_later_summary_renews_the_note_of_its_own_job() {
    // As GitLab answers: `<` and `>` are written `\u003c` and `\u003e`, quotes in texts escaped.
    let notes = format!(
        r#"[{{"id":1,"type":null,"body":"said: \"id\":2,\"body\":\"\u003c!-- {MARK} --\u003e","author":{{"id":3}}}},
        {{"id":4,"type":null,"body":"\u003c!-- {MARK}-other --\u003e"}},
        {{"id":5,"type":null,"body":"\u003c!-- {MARK} --\u003e\nold"}},
        {{"id":6,"type":null,"body":"\u003c!-- {MARK} --\u003e\nolder"}}]"#
    );
    for (notes, number) in [
        (notes.clone(), "5"),
        (notes.replace("\\u003c", "<").replace("\\u003e", ">"), "5"),
        (notes.replace("\"type\":null,", ""), "5"),
    ] {
        let server = Server::new(move |line| match line.starts_with("GET ") {
            true => (200, notes.clone().into_bytes()),
            false => (200, b"{}".to_vec()),
        });
        let mut machine = machine();
        with_token(&mut machine, &server);
        run(&machine, "script", &[]);
        let ended = run(&machine, "after_script", &[]);
        let asked = server.asked();
        assert_eq!(asked.len(), 2, "{asked:?} {ended:?}");
        assert_eq!(asked[1].line, format!("PUT {NOTES}/{number}"));
    }
}

#[test]
fn a_note_that_cannot_be_written_is_told_and_decides_nothing() {
    let server = Server::new(|_| (403, b"{}".to_vec()));
    let mut machine = machine();
    with_token(&mut machine, &server);
    run(&machine, "script", &[]);
    let ended = run(&machine, "after_script", &[]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stderr.contains("no note: the merge request could not be reached"), "{ended:?}");
}

#[test]
fn without_a_token_as_in_a_fork_nobody_is_asked() {
    let server = Server::new(|_| (200, b"[]".to_vec()));
    let mut machine = machine();
    with_token(&mut machine, &server);
    machine.set("COALMINE_NOTE_TOKEN", "");
    let ended = run(&machine, "script", &[]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let ended = run(&machine, "after_script", &[]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.stdout.contains("no note"), "{ended:?}");
    // Nor where there is no summary, or no merge request.
    let mut machine = Machine::new();
    with_token(&mut machine, &server);
    let project = machine.workspace("").display().to_string();
    machine.set("CI_PROJECT_DIR", &project);
    assert_eq!(run(&machine, "after_script", &[]).code, 0);
    assert_eq!(server.asked().len(), 0);
}

#[test]
fn without_a_program_the_job_fails_and_gates_nothing() {
    let machine = machine();
    let ended = run(&machine, "script", &[("COALMINE_BINARY", "./not-there")]);
    assert_eq!((ended.code, machine.arguments()), (1, None), "{ended:?}");
}
