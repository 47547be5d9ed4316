//! `coalmine gate`: verdicts, exit codes and files, and what it does when it is hindered.

use serde_json::Value;

#[cfg(unix)]
use crate::program::Ended;
use crate::program::Workplace;

/// A scenario of two versions whose gate is `lines`, with whatever `more` adds.
fn scenario(name: &str, lines: &str, more: &str) -> String {
    format!(
        "schema: 1
name: {name}
workload: {{arrivals: {{constant: 10/s}}, requests: 400, tokens: {{input: 600, output: 200}}}}
models:
  gpt-4:
    versions:
      old: {{tags: [stable], upstream: {{latency: 250ms, failures: {{\"500\": 10%}}}}}}
phases: [{{name: all, for: rest, split: {{old: 100%}}}}]
{more}
gate: {lines}
"
    )
}

fn place(scenarios: &[(&str, String)]) -> Workplace {
    let place = Workplace::new();
    for (file, text) in scenarios {
        let path = place.path(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    place
}

/// What `--format json` prints.
fn gated(place: &Workplace, arguments: &[&str]) -> (i32, Value) {
    let ended = place.run(&[&["gate", "--format", "json"], arguments].concat());
    let report = serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{}", ended.stderr));
    (ended.code, report)
}

fn outcomes(report: &Value) -> Vec<(&str, &str)> {
    let scenarios = report["scenarios"].as_array().unwrap().iter();
    scenarios.map(|one| (text(&one["name"]), text(&one["outcome"]))).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

#[test]
fn the_shipped_scenarios_come_out_as_expected() {
    let place = Workplace::with_project();
    let (code, report) = gated(&place, &["scenarios"]);
    let failing: Vec<_> =
        outcomes(&report).into_iter().filter(|(_, outcome)| *outcome != "pass").collect();
    assert_eq!((code, failing), (0, Vec::new()));
    let scenarios = report["scenarios"].as_array().unwrap();
    assert!(scenarios.len() >= 23, "{}", scenarios.len());
    let must_fail = scenarios.iter().find(|one| one["name"] == "must-fail-gate").unwrap();
    let judged = &must_fail["judgement"];
    assert_eq!((text(&judged["found"]), text(&judged["expected"])), ("fail", "fail"));
    assert_eq!(judged["lines"][0]["text"], "rollbacks == 1");
    assert_eq!(judged["lines"][0]["verdict"], "fail");
}

#[test]
fn a_rule_that_no_longer_catches_the_fault_fails_at_its_line() {
    let place = Workplace::with_project();
    let scenario = "scenarios/ten-thousand.yaml";
    // The fault makes 30 % of the canary's requests fail; another rule notices it by its latency.
    let threshold = "models.gpt-4.rules.conditions.0.threshold=0.9";
    let (code, report) = gated(&place, &[scenario, "--set", threshold]);
    assert_eq!(code, 99);
    let judged = report["scenarios"][0]["judgement"]["lines"].as_array().unwrap();
    let failing = judged.iter().find(|line| line["verdict"] == "fail").unwrap();
    assert_eq!(text(&failing["text"]), "time_to_rollback <= 90s");
    assert!(failing["left"]["measured"]["value"].as_f64().unwrap() > 90.0, "{failing}");
    let lines = place.read(scenario);
    let number = 1 + lines.lines().position(|line| line.contains("time_to_rollback <=")).unwrap();
    assert_eq!((text(&failing["file"]), failing["line"].as_u64()), (scenario, Some(number as u64)));
    let ended = place.run(&["gate", scenario, "--set", threshold]);
    assert!(ended.stdout.contains(&format!("{scenario}:{number}")), "{}", ended.stdout);
}

#[test]
fn the_gravest_scenario_decides_and_none_is_left_out() {
    let place = place(&[
        ("s/a.yaml", scenario("holds", "[requests == 400]", "")),
        ("s/b.yaml", scenario("open", "[error_rate < 10%]", "")),
        ("s/c.yaml", scenario("none", "[]", "")),
        ("s/d.yaml", scenario("broken", "[eror_rate < 10%]", "")),
        ("s/e.yaml", scenario("fails", "[requests == 401]", "")),
        ("s/f.yaml", scenario("newer", "[requests == 400]", "").replace("schema: 1", "schema: 2")),
    ]);
    let (code, report) = gated(&place, &["s"]);
    let expected = [
        ("holds", "pass"),
        ("open", "inconclusive"),
        ("none", "nothing_to_evaluate"),
        ("broken", "unreadable"),
        ("fails", "fail"),
        ("newer", "unreadable"),
    ];
    assert_eq!((code, outcomes(&report)), (3, expected.to_vec()));
    let error = text(&report["scenarios"][3]["error"]);
    assert!(error.contains("s/d.yaml:10:8: unknown metric \"eror_rate\""), "{error}");
    assert!(error.contains("did you mean \"error_rate\""), "{error}");
    let newer = text(&report["scenarios"][5]["error"]);
    assert!(newer.contains("s/f.yaml:1:9"), "{newer}");
    for (only, fail_on, code) in [
        ("holds", "inconclusive", 0),
        ("open", "inconclusive", 5),
        ("open", "fail", 0),
        ("none", "inconclusive", 4),
        ("none", "fail", 0),
        ("fails", "fail", 99),
        ("newer", "fail", 3),
    ] {
        let ended = place.run(&["gate", "s", "--only", only, "--fail-on", fail_on]);
        assert_eq!(ended.code, code, "{only} {fail_on}: {}", ended.stderr);
    }
    let ended = place.run(&["gate", "s", "--only", "opne"]);
    assert_eq!(ended.code, 4);
    assert!(
        ended.stderr.contains("known: holds, open, none, broken, fails, newer"),
        "{}",
        ended.stderr
    );
}

#[test]
fn the_same_suite_gives_the_same_bytes_on_any_number_of_threads() {
    let place = place(&[
        ("s/a.yaml", scenario("one", "[error_rate within 5%..15%]", "seeds: 7")),
        ("s/b.yaml", scenario("two", "[\"p95(requests) == 3\"]".replace("==", "<=").as_str(), "")),
    ]);
    let of = |jobs: &str| {
        let ended = place.run(&["gate", "s", "--jobs", jobs, "--format", "json"]);
        ended.stdout
    };
    assert_eq!(of("1"), of("5"));
    assert!(of("2").contains("\"seeds\""));
}

#[test]
fn a_baseline_is_stored_and_held_against() {
    let line = "[\"error_rate <= baseline(error_rate)\"]";
    let effect = "seeds: 6\nbaseline: {smallest_effect: 20%}";
    let place = place(&[("s/a.yaml", scenario("one", line, effect))]);
    let first = place.run(&["gate", "s", "--save-baseline", "kept"]);
    assert_eq!(first.code, 5, "{}", first.stdout);
    assert!(first.stdout.contains("no stored runs of this scenario"), "{}", first.stdout);
    assert_eq!(place.files(), ["kept/one.baseline.json", "s/a.yaml"]);
    let (code, report) = gated(&place, &["s", "--baseline", "kept"]);
    let against = &report["scenarios"][0]["baseline"];
    assert_eq!((code, text(&against["file"])), (0, "kept/one.baseline.json"));
    assert_eq!((against["runs"].as_u64(), against["pairs"].as_u64()), (Some(6), Some(6)));
    let failures = "models.gpt-4.versions.old.upstream.failures.500";
    let worse = format!("{failures}=30%");
    let (code, report) = gated(&place, &["s", "--baseline", "kept", "--set", &worse]);
    assert_eq!(code, 99);
    let told = text(&report["scenarios"][0]["baseline"]["differing"][0]);
    assert!(told.starts_with(failures), "{told}");
    // What fails does not become what the next gate is held against: it fails again.
    for _ in 0..2 {
        let again = place.run(&[
            "gate",
            "s",
            "--baseline",
            "kept",
            "--save-baseline",
            "kept",
            "--set",
            &worse,
        ]);
        assert_eq!(again.code, 99, "{}", again.stdout);
        assert!(again.stderr.contains("one: not stored as a baseline: its gate does not hold"));
    }
    // Other traffic, and another scenario, are nothing to be held against.
    for (set, reason) in [
        ("workload.requests=500", "is of other traffic: workload.requests: 400 / 500"),
        ("name=two", "is of another scenario, \"one\""),
    ] {
        let file = "kept/one.baseline.json";
        let (code, report) = gated(&place, &["s", "--baseline", file, "--set", set]);
        assert_eq!(code, 6, "{set}");
        let doubt = text(&report["scenarios"][0]["judgement"]["distrust"][0]);
        assert!(doubt.contains(reason), "{doubt}");
    }
    // What is of no use any more makes room.
    let moved = ["gate", "s", "--baseline", "kept", "--save-baseline", "kept", "--set"];
    let moved = [&moved[..], &["workload.requests=500"]].concat();
    assert_eq!((place.run(&moved).code, place.run(&moved).code), (6, 0));
    place.write("kept/one.baseline.json", "{\"baseline_schema\": 1");
    let ended = place.run(&["gate", "s", "--baseline", "kept"]);
    assert_eq!(ended.code, 3);
    assert!(ended.stdout.contains("kept/one.baseline.json"), "{}", ended.stdout);
    let ended = place.run(&["gate", "s", "--baseline", "nowhere"]);
    assert_eq!(ended.code, 3, "{}", ended.stderr);
}

#[test]
fn two_scenarios_of_one_name_do_not_write_the_same_files() {
    let place = place(&[
        ("s/a.yaml", scenario("one", "[requests == 400]", "")),
        ("s/b.yaml", scenario("one", "[requests == 400]", "")),
    ]);
    assert_eq!(place.run(&["gate", "s"]).code, 0);
    let ended = place.run(&["gate", "s", "--out", "reports"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("s/a.yaml and s/b.yaml have the same name"), "{}", ended.stderr);
    assert_eq!(place.files().len(), 2, "nothing is written");
}

#[test]
fn a_line_over_runs_is_odd_only_where_one_run_is_made() {
    let once = scenario("a", "['p(rollback) < 90%']", "");
    let many = once.replace("\ngate:", "\nseeds: 40\ngate:");
    assert_ne!(many, once);
    let place = place(&[("a.yaml", once), ("many.yaml", many)]);
    for (arguments, odd) in [
        (&["gate", "a.yaml"][..], true),
        (&["gate", "a.yaml", "--seeds", "40"], false),
        (&["gate", "many.yaml"], false),
        (&["gate", "many.yaml", "--seeds", "1"], true),
        (&["sweep", "many.yaml", "--seeds", "1"], true),
        (&["sweep", "a.yaml", "--seeds", "40"], false),
        (&["sweep", "a.yaml", "--seeds", "1"], true),
    ] {
        let ended = place.run(arguments);
        let told = ended.stderr.contains("is over runs, and there is only one");
        assert_eq!(told, odd, "{arguments:?}: {}", ended.stderr);
    }
}

#[test]
fn reports_junit_and_summary_are_written_where_they_are_wanted() {
    let place = place(&[("s/a.yaml", scenario("one", "[requests == 401]", ""))]);
    let outputs = ["--out", "r", "--junit", "ci/junit.xml", "--summary", "ci/summary.md"];
    let ended = place.run(&[&["gate", "s"][..], &outputs].concat());
    assert_eq!(ended.code, 99, "{}", ended.stderr);
    for file in ["ci/junit.xml", "ci/summary.md", "r/one/result.json", "r/one/report.html"] {
        assert!(place.path(file).exists(), "{file}");
    }
    assert!(!place.files().iter().any(|file| file.ends_with(".tmp")), "{:?}", place.files());
    assert!(place.read("ci/junit.xml").contains("requests == 401"));
    assert!(place.read("ci/summary.md").contains("`s/a.yaml`:10"));
}

#[test]
fn github_is_told() {
    let place = place(&[("work/s/a.yaml", scenario("one", "[requests == 401]", ""))]);
    place.write("summary.md", "before\n");
    place.write("output", "other=1\n");
    let variables = [
        ("GITHUB_STEP_SUMMARY", place.path("summary.md")),
        ("GITHUB_OUTPUT", place.path("output")),
        ("GITHUB_WORKSPACE", place.path("work")),
    ];
    let ended = place.run_with(&["gate", "work/s", "--github"], &variables);
    let annotation = ended.stdout.lines().find(|line| line.starts_with("::error ")).unwrap();
    assert!(annotation.contains("file=s/a.yaml,line=10"), "{annotation}");
    assert!(place.read("summary.md").starts_with("before\n"));
    assert!(place.read("summary.md").contains("requests == 401"));
    let told = "other=1\nverdict=fail\nscenarios=1\npassed=0\nfailed=1\ninconclusive=0\n";
    assert_eq!(place.read("output"), told);
}

#[test]
fn what_cannot_be_written_is_refused_before_the_first_run() {
    let place = place(&[("s/a.yaml", scenario("one", "[requests == 400]", ""))]);
    place.write("taken", "a file");
    for (option, path) in [
        ("--out", "taken/reports"),
        ("--junit", "taken/junit.xml"),
        ("--summary", "s"),
        ("--save-baseline", "taken/kept"),
    ] {
        let ended = place.run(&["gate", "s", option, path]);
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{option}: {}", ended.stderr);
        assert!(ended.stderr.starts_with("error: "), "{}", ended.stderr);
    }
    for same in [["--junit", "s/a.yaml"], ["--save-baseline", "s/a.yaml.json"]] {
        let ended = place.run(&[&["gate", "s/a.yaml", "--summary", same[1]][..], &same].concat());
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{}", ended.stderr);
    }
    assert_eq!(place.files(), ["s/a.yaml", "taken"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_a_failure_of_the_machine() {
    let place = place(&[("s/a.yaml", scenario("one", "[requests == 400]", ""))]);
    let full = [("GITHUB_STEP_SUMMARY", std::path::PathBuf::from("/dev/full"))];
    let ended = place.run_with(&["gate", "s", "--github"], &full);
    assert_eq!(ended.code, 1);
    assert!(ended.stderr.contains("cannot write /dev/full"), "{}", ended.stderr);
    assert!(ended.stdout.contains("PASS  1 scenario: 1 passed"), "{}", ended.stdout);
}

/// The scenario is a pipe, so that the program is known to be at work when the signal comes.
#[cfg(unix)]
#[test]
fn an_interrupted_gate_writes_nothing() {
    let place = place(&[("s/a.yaml", scenario("one", "[requests == 400]", ""))]);
    let pipe = place.path("pipe.yaml");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let arguments = ["gate", "s/a.yaml", "pipe.yaml", "--junit", "junit.xml", "--out", "r"];
    let child = place.start(&arguments);
    // Opens when the other end is.
    let mut writer = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
    // It takes a minute, were it not for the signal: who notices that is another thread.
    let text = scenario("two", "[requests == 400]", "");
    let text = text.replace("requests: 400,", "requests: 50000000,");
    std::io::Write::write_all(&mut writer, text.as_bytes()).unwrap();
    drop(writer);
    let ended = Ended::of(child.wait_with_output().unwrap());
    assert_eq!((ended.code, ended.stdout.as_str()), (130, ""));
    assert!(ended.stderr.contains("interrupted: no verdict, and nothing was written"));
    assert_eq!(place.files(), ["pipe.yaml", "s/a.yaml"]);
}
