//! `coalmine run --live` as a program.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

use serde_json::{Value, json};

use crate::far_world::{configuration, free};

const SCENARIO: &str = "
schema: 1
name: short
seed: 3
workload:
  {arrivals: {constant: 20/s}, requests: 40, tokens: {input: 20, output: 10}, stream: 50%}
models:
  gpt-4:
    versions:
      old: {tags: [stable], upstream: {latency: 200ms, failures: {'503': 10%}}}
phases: [{name: all, for: rest, split: {old: 100%}}]
gate: [error_rate < 90%]
";

fn run(folder: &Path, arguments: &[&str]) -> Output {
    std::fs::write(folder.join("short.yaml"), SCENARIO).unwrap();
    Command::new(env!("CARGO_BIN_EXE_coalmine"))
        .current_dir(folder)
        .env_remove("COALMINE_KEY")
        .args(["run", "short.yaml", "--no-charts"])
        .args(arguments)
        .output()
        .unwrap()
}

fn result(folder: &Path) -> Value {
    let text = std::fs::read_to_string(folder.join("reports/short/result.json")).unwrap();
    serde_json::from_str(&text).unwrap()
}

#[test]
fn the_report_says_that_the_run_was_live_and_how_late_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let trace = ["--record", "out.trace"];
    let ran = run(path, &[&["--live", "--speed", "10", "--lag-limit", "1h"], &trace[..]].concat());
    let (told, odd) = (String::from_utf8(ran.stdout).unwrap(), String::from_utf8(ran.stderr));
    assert_eq!(ran.status.code(), Some(0), "{told}{odd:?}");
    assert!(told.contains("Over HTTP, at 10 times the speed"), "{told}");
    assert!(told.contains("Played 40 requests"), "{told}");
    let result = result(path);
    assert_eq!(result["live"]["speed"], 10.0);
    assert_eq!(result["live"]["dispatch_lag"]["count"], 40);
    let stats = Command::new(env!("CARGO_BIN_EXE_coalmine"))
        .current_dir(path)
        .args(["trace", "stats", "out.trace"])
        .output()
        .unwrap();
    let stats = String::from_utf8(stats.stdout).unwrap();
    assert!(stats.contains("40"), "{stats}");
    // What it wrote can be reported again.
    let again = Command::new(env!("CARGO_BIN_EXE_coalmine"))
        .current_dir(path)
        .args(["report", "reports/short/result.json", "--out", "again"])
        .output()
        .unwrap();
    assert_eq!(again.status.code(), Some(0), "{again:?}");
}

#[test]
fn a_run_whose_requests_were_too_late_is_invalid_and_never_failed() {
    let folder = tempfile::tempdir().unwrap();
    let ran = run(folder.path(), &["--live", "--speed", "10", "--lag-limit", "1ns"]);
    let told = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(ran.status.code(), Some(6), "{told}");
    assert!(told.contains("P99 of the dispatch lag"), "{told}");
}

/// Faster than latencies are judged: how busy the machine is must not decide.
#[test]
fn both_ways_at_once_say_how_well_they_agree() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let more = ["--both", "--speed", "30", "--lag-limit", "1h", "--format", "json"];
    let ran = run(path, &more);
    let told = String::from_utf8(ran.stdout).unwrap();
    assert_eq!(ran.status.code(), Some(0), "{told}{}", String::from_utf8_lossy(&ran.stderr));
    let fidelity: Value = serde_json::from_str(&told).unwrap();
    assert_eq!((&fidelity["verdict"], &fidelity["requests"]), (&json!("within"), &json!("within")));
    assert_eq!((&fidelity["share_draws"], &fidelity["speed"]), (&json!(true), &json!(30.0)));
    let names = fidelity["overheads"].as_array().unwrap().iter().map(|own| own["name"].clone());
    assert_eq!(names.collect::<Vec<_>>(), ["dispatch lag", "lateness of the mock"]);
    let errors = fidelity["versions"][0]["errors"].as_array().unwrap();
    let rate = errors.iter().find(|error| error["metric"] == "error_rate").unwrap();
    assert_eq!((&rate["simulated"], rate["raw"]["error"].as_f64()), (&rate["live"], Some(0.0)));
    let reports = path.join("reports/short");
    assert!(result(path)["live"].is_object());
    let simulated = std::fs::read_to_string(reports.join("simulated/result.json")).unwrap();
    assert!(serde_json::from_str::<Value>(&simulated).unwrap()["live"].is_null());
    let page = |folder: &Path| std::fs::read_to_string(folder.join("report.html")).unwrap();
    assert!(page(&reports).contains("id=\"fidelity\""));
    // All of it can be made again, and held against each other by hand.
    let coalmine = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_coalmine"));
        command.current_dir(path).args(arguments).output().unwrap()
    };
    let again = coalmine(&["report", "reports/short", "--out", "again"]);
    assert_eq!(again.status.code(), Some(0), "{again:?}");
    assert!(page(&path.join("again")).contains("id=\"fidelity\""));
    let by_hand =
        ["fidelity", "reports/short/simulated", "reports/short", "--fail-on", "undecided"];
    assert_eq!(coalmine(&by_hand).status.code(), Some(0));
    let wrong_way = coalmine(&["fidelity", "reports/short", "reports/short/simulated"]);
    assert_eq!(wrong_way.status.code(), Some(2), "{wrong_way:?}");
}

#[test]
fn what_is_wrong_with_the_arguments_is_said_before_anything_is_played() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("key"), "admin.secret").unwrap();
    // To play it in either way its trace must be opened.
    let no_trace = ["--set", "workload.arrivals={trace: nowhere.csv}"];
    let target = ["--target", "http://127.0.0.1:9", "--mock-listen", "127.0.0.1:10"];
    let key = ["--key-file", "key"];
    for (arguments, code, told) in [
        (vec!["--both"], 3, "nowhere.csv"),
        ([&["--both", "--speed", "10"], &target[..], &key[..]].concat(), 2, "--speed 10"),
        ([&["--both"], &target[..]].concat(), 2, "COALMINE_KEY is not set"),
        (vec!["--both", "--record", "key"], 2, "key is there already"),
    ] {
        let ran = run(path, &[&no_trace[..], &arguments].concat());
        let odd = String::from_utf8(ran.stderr).unwrap();
        assert!(odd.contains(told), "{arguments:?}: {odd}");
        assert_eq!(ran.status.code(), Some(code), "{arguments:?}: {odd}");
    }
}

#[test]
fn speed_and_record_are_for_live_runs_alone() {
    let folder = tempfile::tempdir().unwrap();
    for wrong in [&["--speed", "10"][..], &["--record", "x"], &["--live", "--speed", "0"]] {
        let ran = run(folder.path(), wrong);
        assert_eq!(ran.status.code(), Some(2), "{wrong:?}");
    }
    assert!(!folder.path().join("reports").exists(), "nothing was run");
}

/// `coalmine serve` as a process of its own, which does not outlive its test.
struct Served(Child);

impl Served {
    /// One with the configuration and the key in `folder`, and where it serves.
    fn start(folder: &Path) -> (Self, String) {
        let mut child = Command::new(env!("CARGO_BIN_EXE_coalmine"))
            .current_dir(folder)
            .args(["serve", "gateway.yaml", "--admin-key-file", "key", "--threads", "1"])
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let log = BufReader::new(child.stderr.take().unwrap());
        let served = Self(child);
        let mut lines = log.lines().map_while(Result::ok);
        let address = lines.find_map(|line| Some(line.strip_prefix("serving on ")?.to_owned()));
        // What it says later must not stop it.
        std::thread::spawn(move || lines.for_each(drop));
        (served, format!("http://{}", address.unwrap()))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_gateway_of_another_process_serves_the_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let mock = free();
    std::fs::write(path.join("gateway.yaml"), configuration(mock, "{gpt-4: {}}")).unwrap();
    let (_served, url) = Served::start(path);
    let mock = mock.to_string();
    let target = ["--target", &url, "--mock-listen", &mock, "--key-file", "key"];
    let ran = run(path, &[&["--both", "--lag-limit", "1h"], &target[..]].concat());
    let (told, odd) = (String::from_utf8(ran.stdout).unwrap(), String::from_utf8(ran.stderr));
    // Whether so few requests agree is for chance to say, and how late for the machine.
    assert!(matches!(ran.status.code(), Some(0 | 5 | 99)), "{told}{odd:?}");
    assert!(told.contains(&format!("The gateway ran elsewhere, at {url}")), "{told}");
    assert!(told.contains("Played 40 requests"), "{told}");
    let live = result(path)["live"].clone();
    assert_eq!((&live["speed"], &live["gateway"]["url"]), (&json!(1.0), &json!(url)));
    assert_eq!((&live["lost"], &live["gateway"]["strangers"]), (&json!(0), &json!(0)));
    let fidelity = std::fs::read_to_string(path.join("reports/short/fidelity.json")).unwrap();
    let fidelity: Value = serde_json::from_str(&fidelity).unwrap();
    assert_eq!(fidelity["share_draws"], json!(false));
    let again = std::fs::read_to_string(path.join("reports/short/run.json")).unwrap();
    assert!(again.contains(&format!("--target {url} --mock-listen {mock}")), "{again}");
    assert!(!again.contains(std::fs::read_to_string(path.join("key")).unwrap().trim()));
}

#[test]
fn what_a_gateway_elsewhere_needs_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    std::fs::write(path.join("key"), "admin.secret").unwrap();
    let nowhere = format!("http://{}", free());
    let below = format!("{nowhere}/team/v1");
    let target = ["--target", &nowhere, "--mock-listen", "127.0.0.1:9"];
    let key = ["--key-file", "key"];
    for (arguments, code, told) in [
        (target.to_vec(), 2, "--live"),
        ([&["--live"], &target[..2], &key[..]].concat(), 2, "--mock-listen"),
        ([&["--live"], &target[..]].concat(), 2, "COALMINE_KEY is not set"),
        ([&["--live", "--speed", "10"], &target[..], &key[..]].concat(), 2, "--speed 10"),
        (
            [&["--live", "--target", &below], &target[2..], &key[..]].concat(),
            2,
            "the gateway itself is meant",
        ),
        (
            [&["--live", "--target", "gateway:8080"], &target[2..], &key[..]].concat(),
            2,
            "did you mean http://gateway:8080?",
        ),
        ([&["--live", "--mock-listen", "127.0.0.1:0"], &target[..2], &key[..]].concat(), 2, "port"),
        ([&["--live", "--speed", "1"], &target[..], &key[..]].concat(), 1, "no gateway answers"),
    ] {
        let ran = run(path, &arguments);
        let odd = String::from_utf8(ran.stderr).unwrap();
        assert!(odd.contains(told) && !odd.contains("secret"), "{arguments:?}: {odd}");
        assert_eq!(ran.status.code(), Some(code), "{arguments:?}: {odd}");
    }
    assert!(!path.join("reports").exists(), "nothing was run");
}
