//! `coalmine load` as its users meet it.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};
use std::time::Duration as Wait;

use serde_json::Value;
use tempfile::TempDir;
use tokio::sync::watch;

use crate::server::{Server, Step, answer, ending, stream_head, word};

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_coalmine"));
    command.arg("load").args(arguments).stdin(Stdio::null());
    for variable in ["NO_COLOR", "COLUMNS"] {
        command.env_remove(variable);
    }
    command
}

/// Exit code, stdout and stderr.
fn told(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

fn run(arguments: &[&str]) -> (i32, String, String) {
    told(&command(arguments).output().unwrap())
}

fn json(text: &str) -> Value {
    let value = serde_json::from_str(text).unwrap();
    let schema = coalmine::load::load_schema();
    let problems: Vec<String> = jsonschema::validator_for(&schema)
        .unwrap()
        .iter_errors(&value)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert_eq!(problems, [""; 0]);
    value
}

fn plain() -> Server {
    Server::new(|_| vec![Step::Send(answer("x-served-version: v1\r\n"))])
}

/// Some machines are slow: what is not about the lag does not judge it.
const PATIENT: [&str; 2] = ["--lag-limit", "1h"];

#[test]
fn a_load_is_told_as_text_json_and_files() {
    let server = plain();
    let place = TempDir::new().unwrap();
    let out = place.path().join("out");
    let (url, out) = (server.url(), out.to_str().unwrap().to_owned());
    let arguments = |format| {
        let mut all = vec![url.as_str(), "--rate", "500/s", "--requests", "50", "--model", "m"];
        all.extend(PATIENT);
        all.extend(["--limit", "latency=1h", "--out", &out, "--format", format]);
        all
    };
    let (code, stdout, stderr) = run(&arguments("text"));
    assert_eq!(code, 0, "{stdout}{stderr}");
    for told in ["VALID", "open loop", "50 succeeded (100.00 %)", "goodput", "dispatch lag", "v1"] {
        assert!(stdout.contains(told), "{told} is not in\n{stdout}");
    }
    let (code, stdout, _) = run(&arguments("json"));
    assert_eq!(code, 0);
    let report = json(&stdout);
    assert_eq!(report["requests"]["endings"]["success"], 50);
    assert_eq!((&report["requests"]["good"], &report["closed_loop"]), (&50.into(), &false.into()));
    assert_eq!(report["times"]["lag"]["count"], 50);
    assert_eq!(report["tokens"]["output"], 350);
    let stored = std::fs::read_to_string(place.path().join("out/load.json")).unwrap();
    assert_eq!(json(&stored), report);
    let markdown = std::fs::read_to_string(place.path().join("out/load.md")).unwrap();
    assert!(markdown.starts_with("## VALID"), "{markdown}");
    assert_eq!(server.asked().len(), 100);
}

#[test]
fn a_closed_loop_says_so_in_every_format() {
    let server = plain();
    let url = server.url();
    for format in ["text", "json", "markdown"] {
        let (code, stdout, stderr) = run(&[
            &url,
            "--concurrency",
            "2",
            "--requests",
            "20",
            "--model",
            "m",
            "--format",
            format,
        ]);
        assert_eq!(code, 0, "{stdout}{stderr}");
        let said = if format == "json" { "\"closed_loop\": true" } else { "closed loop of 2" };
        assert!(stdout.contains(said), "{stdout}");
    }
}

/// Answers take 20 ms and one at a time is under way: of requests every 5 ms the i-th is sent 20 i
/// ms after the beginning at the earliest, and so 15 i ms late. P99 of 20 is the last: 285 ms.
#[test]
fn a_load_that_is_sent_too_late_is_invalid_and_not_failed() {
    let server = Server::new(|_| vec![Step::Pause(Wait::from_millis(20)), Step::Send(answer(""))]);
    let url = server.url();
    let arguments = [
        &*url,
        "--rate",
        "200/s",
        "--requests",
        "20",
        "--model",
        "m",
        "--max-in-flight",
        "1",
        "--lag-limit",
        "284ms",
        "--format",
    ];
    let (code, stdout, _) = run(&[&arguments[..], &["json"]].concat());
    assert_eq!(code, 6, "{stdout}");
    let report = json(&stdout);
    assert_eq!(report["valid"], false);
    assert!(report["times"]["lag"]["p99_ns"].as_u64().unwrap() >= 284_700_000, "{report}");
    assert_eq!(report["requests"]["succeeded"], 20, "none is dropped");
    let (_, stdout, _) = run(&[&arguments[..], &["text"]].concat());
    assert!(stdout.starts_with("INVALID"), "{stdout}");
    assert!(stdout.contains("not valid: requests were sent too late"), "{stdout}");
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_with_the_result_so_far() {
    let server = plain();
    let place = TempDir::new().unwrap();
    let raw = place.path().join("raw.trace");
    // One at a time: when the 20th has come, 19 have ended.
    let child = command(&[
        &server.url(),
        "--rate",
        "200/s",
        "--for",
        "1h",
        "--model",
        "m",
        "--format",
        "json",
        "--max-in-flight",
        "1",
        "--raw",
        raw.to_str().unwrap(),
    ])
    .stdout(Stdio::piped())
    .stderr(Stdio::piped())
    .spawn()
    .unwrap();
    server.wait_for(20);
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let (code, stdout, stderr) = told(&child.wait_with_output().unwrap());
    assert_eq!(code, 130, "{stdout}{stderr}");
    let report = json(&stdout);
    assert_eq!(report["cut_short"], true);
    let requests = &report["requests"];
    let count = |name: &str| requests[name].as_u64().unwrap();
    assert!(count("ended") >= 19, "{requests}");
    assert_eq!(count("sent"), count("ended") + count("unfinished"));
    assert!(stderr.contains(&format!("raw.trace: {} rows", count("ended"))), "{stderr}");
}

#[test]
fn the_raw_log_is_a_trace_with_what_became_of_each() {
    let server = Server::new(|asked| match asked.number % 4 {
        3 => vec![Step::Send(crate::server::response(503, "x-served-version: v2\r\n", ""))],
        _ => {
            let head = String::from_utf8(stream_head()).unwrap();
            let head = head.replace("\r\n\r\n", "\r\nx-served-version: v1\r\n\r\n");
            let events = [word("one"), word("two"), ending(Some([12, 2]))].concat();
            vec![Step::Send([head.into_bytes(), events].concat()), Step::Close]
        }
    });
    let place = TempDir::new().unwrap();
    let raw = place.path().join("raw.trace");
    let (raw, url) = (raw.to_str().unwrap(), server.url());
    let arguments = [
        &*url,
        "--rate",
        "400/s",
        "--requests",
        "40",
        "--model",
        "gpt-4",
        "--stream",
        "--raw",
        raw,
    ];
    let arguments = [&arguments[..], &PATIENT].concat();
    let (code, stdout, stderr) = run(&arguments);
    assert_eq!(code, 0, "{stdout}{stderr}");
    let stats = Command::new(env!("CARGO_BIN_EXE_coalmine"))
        .args(["trace", "stats", raw, "--format", "json"])
        .output()
        .unwrap();
    let (code, stdout, stderr) = told(&stats);
    assert_eq!(code, 0, "{stderr}");
    let stats: Value = serde_json::from_str(&stdout).unwrap();
    assert_eq!(stats["profile"]["requests"], 40);
    let versions = stats["profile"]["versions"].as_array().unwrap();
    let of = |name: &str| versions.iter().find(|it| it["version"] == name).unwrap();
    assert_eq!((&of("v1")["requests"], &of("v2")["requests"]), (&30.into(), &10.into()));
    let (code, _, stderr) = run(&arguments);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("replace it with --force"), "{stderr}");
}

#[test]
fn a_scenario_and_a_trace_say_what_is_sent() {
    let server = plain();
    let url = server.url();
    let place = TempDir::new().unwrap();
    let path = |name: &str| place.path().join(name).to_str().unwrap().to_owned();
    let scenario = "schema: 1
name: small
workload:
  arrivals: {poisson: 400/s}
  requests: 30
  tokens: {input: 9, output: 4}
models: {gpt-4: {versions: {old: {tags: [stable], upstream: {latency: 1s}}}}}
phases: [{name: all, for: rest, split: {old: 100%}}]
";
    std::fs::write(path("small.yaml"), scenario).unwrap();
    let (code, stdout, stderr) =
        run(&[&["--scenario", &path("small.yaml"), "--target", &url][..], &PATIENT].concat());
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(stdout.contains("the workload of the scenario small"), "{stdout}");
    let asked = server.asked();
    assert_eq!(asked.len(), 30);
    assert!(asked.iter().all(|asked| asked.json()["model"] == "gpt-4"));
    assert!(asked.iter().all(|asked| asked.json()["max_tokens"] == 4));
    let synth = Command::new(env!("CARGO_BIN_EXE_coalmine"))
        .args(["trace", "synth", &path("small.yaml"), "-o", &path("small.csv")])
        .output()
        .unwrap();
    assert_eq!(told(&synth).0, 0);
    let (code, stdout, stderr) =
        run(&[&[&*url, "--trace", &path("small.csv"), "--speed", "2"][..], &PATIENT].concat());
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(stdout.contains("30 rows, 2 times as fast"), "{stdout}");
    assert_eq!(server.asked().len(), 60);
}

#[test]
fn a_body_and_a_key_of_ones_own_are_sent_and_the_key_is_never_shown() {
    let server = plain();
    let place = TempDir::new().unwrap();
    let body = place.path().join("body.json");
    std::fs::write(&body, r#"{"model": "{model}", "prompt": "{prompt}", "n": {number}}"#).unwrap();
    let key = place.path().join("key");
    std::fs::write(&key, "sk-hush\n").unwrap();
    let url = server.url();
    let arguments = [
        &*url,
        "--concurrency",
        "1",
        "--requests",
        "3",
        "--model",
        "a/b",
        "--tokens",
        "2,1",
        "--body",
        body.to_str().unwrap(),
        "--header",
        "X-Session: {session}",
        "--format",
        "json",
    ];
    let with_file = [&arguments[..], &["--key-file", key.to_str().unwrap()]].concat();
    let (code, stdout, stderr) = run(&with_file);
    assert_eq!(code, 0, "{stdout}{stderr}");
    assert!(!format!("{stdout}{stderr}").contains("hush"));
    let mut command = command(&[&arguments[..], &["--key-env", "LOAD_TEST_KEY"]].concat());
    let (code, stdout, stderr) = told(&command.env("LOAD_TEST_KEY", "sk-hush").output().unwrap());
    assert_eq!(code, 0, "{stdout}{stderr}");
    for (number, asked) in server.asked().iter().enumerate() {
        assert_eq!(asked.header("authorization"), Some("Bearer sk-hush"));
        assert_eq!(asked.json()["model"], "a/b");
        assert_eq!(asked.json()["n"], number % 3);
        assert_eq!(asked.json()["prompt"].as_str().unwrap().split(' ').count(), 2);
        assert!(asked.header("x-session").unwrap().parse::<u32>().is_ok());
    }
}

#[test]
fn progress_is_told_where_it_is_asked_for() {
    let (open, gate) = watch::channel(false);
    let server = Server::new(move |_| vec![Step::Gate(gate.clone()), Step::Send(answer(""))]);
    let url = server.url();
    let mut child =
        command(&[&url, "--concurrency", "1", "--requests", "2", "--model", "m", "--progress"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
    // The first is not answered before it was told of.
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let told = "1 sent of 2, 0/s, 1 in flight, 0 failed, p99 -";
    assert!(lines.any(|line| line.unwrap().contains(told)));
    let _ = open.send_replace(true);
    assert!(child.wait().unwrap().success());
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_sent() {
    let server = plain();
    let url = server.url();
    let place = TempDir::new().unwrap();
    let path = |name: &str, text: &str| {
        let path = place.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let endless = path(
        "endless.yaml",
        "schema: 1
name: endless
workload: {arrivals: {poisson: 10/s}, tokens: {input: 9, output: 4}}
models: {gpt-4: {versions: {old: {tags: [stable], upstream: {latency: 1s}}}}}
phases: [{name: all, for: 1m, split: {old: 100%}}]
",
    );
    let no_json = path("no.json", "{prompt}");
    let plain = path("plain.json", r#"{"prompt": "{prompt}"}"#);
    let empty = path("empty", "\n");
    let cases: [(&[&str], i32, &str); 19] = [
        (&["--rate", "1/s", "--model", "m"], 2, "<URL|--target <URL>>"),
        (&[&url, "--target", &url, "--rate", "1/s"], 2, "cannot be used with"),
        (&[&url, "--model", "m"], 2, "--rate <RATE>"),
        (&[&url, "--rate", "1/s", "--concurrency", "1"], 2, "cannot be used with"),
        (&[&url, "--rate", "1/s"], 2, "no model is named"),
        (&[&url, "--rate", "0/s", "--model", "m"], 2, "more than 0/s"),
        (&[&url, "--rate", "5", "--model", "m"], 2, "did you mean 5/s?"),
        (&[&url, "--rate", "1/s", "--model", "m", "--limit", "p99=1s"], 2, "latency, ttft"),
        (&["localhost:1", "--rate", "1/s", "--model", "m"], 2, "did you mean http://localhost:1?"),
        (&["ftp://a", "--rate", "1/s", "--model", "m"], 2, "http:// or https://"),
        (&[&url, "--rate", "1/s", "--model", "m", "--header", "X"], 2, "NAME: VALUE"),
        (&[&url, "--rate", "1/s", "--model", "m", "--header", "X: {y}"], 2, "{y} is no place"),
        (&[&url, "--rate", "1/s", "--model", "m", "--body", &no_json], 3, "no JSON object"),
        (&[&url, "--rate", "1/s", "--model", "m", "--body", "none.json"], 3, "none.json"),
        (
            &[&url, "--rate", "1/s", "--model", "m", "--body", &plain, "--stream"],
            2,
            "\"stream\": {stream}",
        ),
        (&[&url, "--rate", "1/s", "--model", "m", "--key-env", "NO_SUCH_KEY"], 2, "NO_SUCH_KEY"),
        (&[&url, "--rate", "1/s", "--model", "m", "--key-file", &empty], 2, "holds no key"),
        (&[&url, "--scenario", &endless], 2, "does not end"),
        (&[&url, "--trace", &endless], 3, "endless.yaml"),
    ];
    for (arguments, expected, part) in cases {
        let (code, stdout, stderr) = run(arguments);
        assert_eq!(code, expected, "{arguments:?}: {stderr}");
        assert!(stderr.contains(part), "{arguments:?}: {part} is not in\n{stderr}");
        assert_eq!(stdout, "");
    }
    assert!(server.asked().is_empty());
}
