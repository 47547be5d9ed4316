//! What goes in: broken traces and results, and arguments that make no sense.

use crate::program::{Ended, Workplace};

/// A scenario that replays `trace.csv`.
const REPLAY: &str = "schema: 1
name: replay
workload: {arrivals: {trace: trace.csv}}
models:
  gpt-4:
    versions:
      old: {tags: [stable], upstream: {latency: 250ms}}
phases: [{name: all, for: rest, split: {old: 100%}}]
";

const HEADER: &str = "TIMESTAMP,ContextTokens,GeneratedTokens\n";

/// Runs and validates a scenario that replays `trace`: both must refuse it alike, leaving nothing
/// behind.
fn replay(trace: &[u8]) -> Ended {
    replay_by(REPLAY, trace)
}

fn replay_by(scenario: &str, trace: &[u8]) -> Ended {
    let place = Workplace::new();
    place.write("replay.yaml", scenario);
    place.write("trace.csv", trace);
    let validated = place.run(&["validate", "replay.yaml"]);
    let ran = place.run(&["run", "replay.yaml"]);
    assert_eq!(validated.code, ran.code, "{}{}", validated.stderr, ran.stderr);
    assert_eq!(validated.stderr, ran.stderr);
    if ran.code != 0 {
        assert_eq!(place.files(), ["replay.yaml", "trace.csv"], "nothing half written");
    }
    ran
}

#[test]
fn broken_traces_are_refused_with_their_line_and_a_remedy() {
    let row = "2023-11-16 18:17:03.9799600,4808,10\n";
    let cases: [(&str, Vec<u8>, &[&str]); 9] = [
        ("empty", Vec::new(), &["trace.csv", "empty"]),
        ("header only", HEADER.into(), &["trace.csv"]),
        ("binary", vec![0, 159, 146, 150, 0, 1], &["trace.csv:1"]),
        ("unknown header", b"a,b,c\n1,2,3\n".to_vec(), &["trace.csv:1", "azure"]),
        ("cut off", format!("{HEADER}{row}2023-11-16 18:17:04,31").into(), &["trace.csv:3"]),
        (
            "negative tokens",
            format!("{HEADER}2023-11-16 18:17:03,-5,10\n").into(),
            &["trace.csv:2", "ContextTokens", "-5"],
        ),
        (
            "no time",
            format!("{HEADER}yesterday,5,10\n").into(),
            &["trace.csv:2", "TIMESTAMP", "yesterday"],
        ),
        (
            "not a number",
            format!("{HEADER}{row}2023-11-16 18:17:04,NaN,10\n").into(),
            &["trace.csv:3", "ContextTokens", "NaN"],
        ),
        (
            "back in time",
            format!("{HEADER}{row}2023-11-16 18:17:01,5,10\n").into(),
            &["trace.csv:3", "line 2"],
        ),
    ];
    for (name, trace, parts) in cases {
        let ended = replay(&trace);
        assert_eq!(ended.code, 3, "{name}: {}", ended.stderr);
        assert_eq!(ended.stdout, "", "{name}");
        for part in parts {
            assert!(ended.stderr.contains(part), "{name}: {part:?} in {}", ended.stderr);
        }
        assert!(!ended.stderr.contains("panicked"), "{name}: {}", ended.stderr);
    }
}

#[test]
fn a_trace_that_does_not_fit_its_scenario_is_refused_before_it_is_run() {
    let row = "2023-11-16 18:17:03,5,10\n";
    let looped = |more: &str| {
        let replayed = format!("{{trace: {{file: trace.csv, loop: true}}}}{more}");
        REPLAY.replace("{trace: trace.csv}", &replayed)
    };
    let sticky = |by: &str| REPLAY.replace("  gpt-4:\n", &format!("  gpt-4:\n    {by}\n"));
    let by_session = sticky("assignment: sticky\n    sticky_by: session");
    let with_sessions = by_session.replace("workload: {", "workload: {sessions: {requests: 3}, ");
    let own = |header: &str, row: &str| {
        format!("#coalmine-trace 1\nat_ns,input_tokens,output_tokens{header}\n0,5,10{row}\n")
    };
    let cases = [
        (looped(", requests: 10"), format!("{HEADER}{row}{row}"), "no two rows of different times"),
        (looped(", requests: 2"), format!("{HEADER}{row}{row}"), ""),
        (by_session.clone(), format!("{HEADER}{row}"), "the row names no session"),
        (with_sessions, format!("{HEADER}{row}"), ""),
        (by_session, own(",session", ",7"), ""),
        (REPLAY.to_owned(), own(",model", ",gpt-5"), "model \"gpt-5\" is not in the plan"),
    ];
    for (scenario, trace, part) in cases {
        let ended = replay_by(&scenario, trace.as_bytes());
        let code = if part.is_empty() { 0 } else { 3 };
        assert_eq!(ended.code, code, "{scenario}{trace}{}", ended.stderr);
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
}

#[test]
fn a_sound_trace_is_replayed_whole() {
    let rows = "2023-11-16 18:17:03.9799600,4808,10\r\n2023-11-16 18:17:04.0319600,3180,8";
    let ended = replay(format!("{}\r\n{rows}", HEADER.trim_end()).as_bytes());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
}

#[test]
fn files_that_are_not_there_are_named() {
    let place = Workplace::new();
    place.write("replay.yaml", REPLAY);
    for (arguments, part) in [
        (["run", "missing.yaml"], "missing.yaml"),
        (["run", "replay.yaml"], "trace.csv"),
        (["report", "missing.json"], "missing.json"),
    ] {
        let ended = place.run(&arguments);
        assert_eq!(ended.code, 3, "{}", ended.stderr);
        assert!(ended.stderr.contains(part), "{}", ended.stderr);
    }
}

#[test]
fn results_of_another_format_are_refused() {
    let place = Workplace::new();
    for (text, part) in [
        ("{", "EOF"),
        ("{}", "schema"),
        ("{\"schema\": 99, \"coalmine\": \"9.0.0\"}", "99"),
        ("\u{0}\u{1}", "line 1"),
    ] {
        place.write("result.json", text);
        let ended = place.run(&["report", "result.json"]);
        assert_eq!(ended.code, 3, "{}", ended.stderr);
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
        assert_eq!(place.files(), ["result.json"]);
    }
}

#[test]
fn arguments_that_make_no_sense_are_a_usage_error() {
    let place = Workplace::new();
    for arguments in [&["run"][..], &["fly"], &["run", "x.yaml", "--seed", "minus one"]] {
        let ended = place.run(arguments);
        assert_eq!(ended.code, 2);
        assert!(ended.stderr.contains("Usage") || ended.stderr.contains("error:"));
    }
}

#[test]
fn a_seed_below_zero_is_answered_with_the_seeds_there_are() {
    let place = Workplace::new();
    let ended = place.run(&["run", "x.yaml", "--seed", "-1"]);
    assert_eq!(ended.code, 2);
    let stderr = ended.stderr;
    assert!(stderr.contains("a whole number from 0 to 18446744073709551615"), "{stderr}");
}

#[test]
fn what_is_odd_is_said_beside_the_result() {
    let place = Workplace::new();
    place.write("replay.yaml", format!("vars: {{unused: 1}}\n{REPLAY}"));
    place.write("trace.csv", format!("{HEADER}2023-11-16 18:17:03,5,10\n"));
    let ended = place.run(&["run", "replay.yaml"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let warning = "warning: replay.yaml:1:8: nothing uses the var \"unused\"";
    assert!(ended.stderr.contains(warning), "{}", ended.stderr);
}

#[test]
fn scenarios_take_values_from_the_environment_where_they_say_so() {
    let place = Workplace::new();
    place.write("replay.yaml", REPLAY.replace("trace.csv", "\"${env:HOME_OF_NO_TRACE}\""));
    let ended = place.run(&["validate", "replay.yaml"]);
    assert_eq!(ended.code, 3);
    let expected = "the environment has no variable \"HOME_OF_NO_TRACE\"";
    assert!(ended.stderr.contains(expected), "{}", ended.stderr);
    place.write("replay.yaml", REPLAY.replace("latency: 250ms", "latency: \"${env:PATH}\""));
    let ended = place.run(&["validate", "replay.yaml"]);
    assert!(ended.stderr.contains("is not a duration"), "{}", ended.stderr);
    assert!(ended.stderr.contains("from the environment's PATH"), "{}", ended.stderr);
}

#[test]
fn a_folder_that_cannot_be_written_to_is_said() {
    let place = Workplace::new();
    let sound = "2023-11-16 18:17:03,5,10\n";
    place.write("replay.yaml", REPLAY);
    place.write("trace.csv", format!("{HEADER}{sound}"));
    place.write("taken", "a file where the folder should go");
    let ended = place.run(&["run", "replay.yaml", "--out", "taken"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.contains("taken is a file"), "{}", ended.stderr);
}

#[test]
fn more_requests_in_flight_than_fit_are_refused_and_do_not_panic() {
    let place = Workplace::new();
    let crowded = REPLAY.replace(
        "{arrivals: {trace: trace.csv}}",
        "{arrivals: {constant: 1e9/s}, requests: 20000000, tokens: {input: 1, output: 1}}",
    );
    place.write("crowded.yaml", crowded);
    let ended = place.run(&["run", "crowded.yaml", "--no-charts"]);
    assert_eq!(ended.code, 3, "{}", ended.stderr);
    assert!(ended.stderr.contains("lower the rate"), "{}", ended.stderr);
    assert_eq!(place.files(), ["crowded.yaml"]);
}

#[test]
fn traces_in_a_sum_are_told_each_by_its_file() {
    let place = Workplace::new();
    let sum = "{sum: [{trace: trace.csv}, {poisson: 2/s}, {trace: {file: other.csv, loop: true}}]}";
    let parts = format!("{{arrivals: {sum}, requests: 50, tokens: {{input: 5, output: 5}}}}");
    place.write("replay.yaml", REPLAY.replace("{arrivals: {trace: trace.csv}}", &parts));
    let row = |second: u32| format!("2023-11-16 18:17:{second:02},5,10\n");
    place.write("trace.csv", format!("{HEADER}{}{}", row(3), row(4)));
    place.write("other.csv", format!("{HEADER}{}{}", row(3), row(1)));
    for command in ["validate", "run"] {
        let ended = place.run(&[command, "replay.yaml"]);
        assert_eq!(ended.code, 3, "{}", ended.stderr);
        assert!(ended.stderr.contains("error: other.csv:3: "), "{}", ended.stderr);
    }
    place.write("other.csv", format!("{HEADER}{}{}", row(3), row(6)));
    let validated = place.run(&["validate", "replay.yaml"]).stdout;
    for file in ["trace.csv", "other.csv"] {
        let told = format!("trace {file} (azure, times in date and time in UTC): 2 rows read");
        assert!(validated.contains(&told), "{validated}");
    }
    let explained = place.run(&["explain", "replay.yaml"]).stdout;
    let said = "replays trace.csv + Poisson, 2/s + replays other.csv, again and again, 50 requests";
    assert!(explained.contains(said), "{explained}");
    let ran = place.run(&["run", "replay.yaml", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let result: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let files = [0, 1].map(|trace| result["traces"][trace]["file"].as_str().unwrap().to_owned());
    assert_eq!(files, ["trace.csv", "other.csv"]);
    assert_eq!(result["traces"][0]["sha256"].as_str().map(str::len), Some(64));
}

#[test]
fn every_file_that_a_scenario_draws_in_has_its_digest() {
    let place = Workplace::new();
    let rules = concat!(
        r#"{"conditions": [{"metric": "error_rate", "operator": ">", "threshold": 0.05, "#,
        r#""duration_seconds": 60, "action": "rollback_to_last_stable"}]}"#
    );
    place.write("rules.json", rules);
    let base = "schema: 1
name: base
workload:
  arrivals: {poisson: 20/s}
  tokens: {input: 600, output: 200}
  models: {one: 50%, two: 50%}
models:
  one: {rules: rules.json, versions: {v1: {upstream: {latency: 250ms}}}}
  two: {rules: rules.json, versions: {v2: {upstream: {latency: 250ms}}}}
phases: [{name: all, for: 5s}]
";
    place.write("base.yaml", base);
    place.write("top.yaml", "extends: [base.yaml]\nname: top\n");
    let ran = place.run(&["run", "top.yaml", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let result: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let files = result["scenario"]["files"].as_array().unwrap();
    let paths: Vec<_> = files.iter().map(|file| file["path"].as_str().unwrap()).collect();
    assert_eq!(paths, ["top.yaml", "base.yaml", "rules.json"], "each once");
    // By sha256sum.
    let digest = "e42b236639ef1cd7a8a10b46104a1562509887e6f86ed143c81b024b63c8a909";
    assert_eq!(files[2]["sha256"], digest);
    let summary = std::fs::read_to_string(place.path("reports/top/summary.md")).unwrap();
    assert!(summary.contains("`rules.json` (SHA-256 e42b236639ef…)"), "{summary}");
}
