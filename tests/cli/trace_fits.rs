//! `coalmine trace fit`: where scenario and report go, and what stands in for what was not recorded.

use serde_json::{Value, json};

use crate::program::{Workplace, project};

/// Arrivals alone: a request about every 700 ms for five minutes.
fn arrivals() -> String {
    let row = |number: u64| format!("{}\n", number * 700_000_000 + number * number % 997 * 400_000);
    format!("#coalmine-trace 1\nat_ns\n{}", (0..430).map(row).collect::<String>())
}

fn with_arrivals() -> Workplace {
    let place = Workplace::new();
    place.write("log.csv", arrivals());
    place
}

#[test]
fn what_was_not_recorded_is_told_and_the_scenario_lacks_it() {
    let place = with_arrivals();
    let ended = place.run(&["trace", "fit", "log.csv", "-o", "twin.yaml", "--format", "json"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    let missing = json!([
        {"what": "input_tokens"}, {"what": "output_tokens"},
        {"what": "latency", "version": "recorded"},
    ]);
    assert_eq!(report["missing"], missing);
    let checked = place.run(&["validate", "twin.yaml"]);
    assert_eq!(checked.code, 3, "{}", checked.stdout);
    let told = format!("{}{}", checked.stdout, checked.stderr);
    assert!(told.contains("tokens") && told.contains("latency"), "{told}");
}

#[test]
fn with_what_is_given_the_scenario_runs() {
    let place = with_arrivals();
    let given = ["--latency", "892ms", "--tokens", "620,210", "-o", "twin.yaml"];
    let ended = place.run(&[&["trace", "fit", "log.csv"][..], &given].concat());
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    assert!(!ended.stdout.contains("Not recorded"), "{}", ended.stdout);
    let yaml = place.read("twin.yaml");
    for line in ["    input: 620", "    output: 210", "          latency: 892ms"] {
        assert!(yaml.lines().any(|found| found == line), "{line}\n{yaml}");
    }
    let ran = place.run(&["run", "twin.yaml", "--format", "json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

/// An hour in which the gateway gave up after 30 s, and a stretch of it in which no request to the
/// canary failed: the twins' error rates are the recorded ones within their sampling error, and
/// times to the first token, of which 3 requests in 10 have one, are as recorded.
#[test]
fn the_twin_of_the_incident_fails_as_often_and_begins_as_fast() {
    let place = Workplace::new();
    let log = project("fixtures/incident-litellm.jsonl.gz");
    let ended = place.run(&["trace", "import", &log, "-o", "hour.trace"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    for (window, canary) in [("0s..1h", 50.0 / 576.0), ("20m..37m", 0.0)] {
        let window = ["--window", window, "--format", "json", "-o", "twin.yaml", "--force"];
        let ended = place.run(&[&["trace", "fit", "hour.trace"][..], &window].concat());
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        let report: Value = serde_json::from_str(&ended.stdout).unwrap();
        let figures = report["figures"].as_array().unwrap();
        let named = |of: &str, name: &str| {
            figures.iter().find(|figure| figure["of"] == of && figure["name"] == name).unwrap()
        };
        for version in ["gpt-4-v1", "gpt-4-turbo-v2"] {
            let rate = named(version, "error rate");
            assert_eq!(rate["fits"], true, "{rate}");
            let first = named(&format!("{version} first token"), "mean");
            assert_eq!(first["fits"], true, "{first}");
        }
        let rate = named("gpt-4-turbo-v2", "error rate");
        let [recorded, twin] = ["recorded", "twin"].map(|side| rate[side].as_f64().unwrap());
        assert!((recorded - canary).abs() < 1e-9, "{rate}");
        assert!(canary > 0.0 || twin == 0.0, "{rate}");
    }
}

/// Tokens and latencies were not recorded, so that there is one chart.
#[test]
fn charts_go_into_the_folder_and_the_report_says_which() {
    let place = with_arrivals();
    let charts = ["-o", "twin.yaml", "--charts", "drawn"];
    let ended = place.run(&[&["trace", "fit", "log.csv"][..], &charts].concat());
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let told = "\nCharts: drawn has twin_dispersion, as SVG and PNG\n";
    assert!(ended.stdout.contains(told), "{}", ended.stdout);
    let drawn = ["drawn/twin_dispersion.png", "drawn/twin_dispersion.svg"];
    for file in drawn {
        assert!(place.path(file).is_file(), "{file}");
    }
}

/// Of which file a checksum is: whoever imports a log has that of the log before.
#[test]
fn the_checksum_says_of_which_file_it_is() {
    let place = with_arrivals();
    let ended = place.run(&["trace", "fit", "log.csv"]);
    assert!(
        ended.stdout.contains("\n# The SHA-256 of log.csv, as it was read:\n# "),
        "{}",
        ended.stdout
    );
}

#[test]
fn the_seed_is_the_twins_alone() {
    let place = with_arrivals();
    let rounded = |number: u64| format!("{}\n", number / 4 * 3_000_000_000);
    let rows: String = (0..400).map(rounded).collect();
    place.write("rounded.csv", format!("#coalmine-trace 1\nat_ns\n{rows}"));
    let fit = |trace: &[&str], seed: &str| {
        let ended = place.run(&[&["trace", "fit", "--seed", seed], trace].concat());
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        (ended.stdout, ended.stderr)
    };
    for trace in [&["log.csv"][..], &["rounded.csv", "--dequantize", "3s"]] {
        let (one, other) = (fit(trace, "1"), fit(trace, "2"));
        assert_eq!(one.0, other.0, "the scenario goes to stdout");
        assert_ne!(one.1, other.1, "the report to stderr");
    }
}

#[test]
fn what_has_no_place_or_no_sense_is_refused() {
    let place = with_arrivals();
    place.write("there.yaml", "a file of somebody's");
    let text = "#coalmine-trace 1\nat_ns,input_tokens,output_tokens,status,duration_ns\n";
    let row = |number: u64| format!("{},100,10,200,1000000000\n", number * 900_000_000);
    place.write("whole.csv", format!("{text}{}", (0..100).map(row).collect::<String>()));
    let cases: [(&[&str], i32, &str); 8] = [
        (&["log.csv", "-o", "there.yaml"], 2, "--force"),
        (&["log.csv", "--force"], 2, "--out"),
        (&["log.csv", "--tokens", "620"], 2, "620,210"),
        (&["log.csv", "--tokens", "0,210"], 2, "from 1 to 4294967295"),
        (&["log.csv", "--latency", "0s"], 2, "more than 0s"),
        (&["log.csv", "--window", "2h..3h"], 3, "no request between 2h and 3h"),
        (&["whole.csv", "--latency", "1s"], 2, "--latency: whole.csv has the latency"),
        (&["whole.csv", "--tokens", "1,1"], 2, "--tokens: whole.csv has the tokens"),
    ];
    for (arguments, code, words) in cases {
        let ended = place.run(&[&["trace", "fit"][..], arguments].concat());
        assert_eq!(ended.code, code, "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(words), "{arguments:?}: {}", ended.stderr);
        assert_eq!(ended.stdout, "", "{arguments:?}");
    }
    assert_eq!(place.read("there.yaml"), "a file of somebody's");
    assert_eq!(place.files(), ["log.csv", "there.yaml", "whole.csv"]);
}
