//! Rules tried on recorded traffic: what is printed and written, and each exit code.

use serde_json::Value;

use crate::generated::hold;
use crate::program::{Ended, Workplace};

const TRACE: &str = "fixtures/canary-incident.csv";
const DAY: &str = "fixtures/rules-of-the-day.json";
const TIGHTER: &str = "fixtures/canary-incident-tighter-rules.json";
const JUDGE: &str = "fixtures/rules-judge.json";

/// Two requests a second for 12 minutes. Every fifth goes to the canary from minute 4 to minute 9;
/// from minute 6 on every other of those fails, after 200 ms. Of the stable every 200th request
/// fails. All others take a second.
fn incident() -> String {
    let mut text =
        "#coalmine-trace 1\nat_ns,version,input_tokens,output_tokens,status,duration_ns\n"
            .to_owned();
    for number in 0..1_440_u64 {
        let at = number * 500;
        let canary = number % 5 == 4 && (240_000..540_000).contains(&at);
        let failed = match canary {
            true => at >= 360_000 && (at - 362_000) / 2_500 % 2 == 0,
            false => number % 200 == 0,
        };
        let version = if canary { "gpt-4-turbo-v2" } else { "gpt-4-v1" };
        let (output, status, duration) = if failed { (0, 503, 200) } else { (200, 200, 1_000) };
        text.push_str(&format!("{at}000000,{version},600,{output},{status},{duration}000000\n"));
    }
    text
}

fn backtest(place: &Workplace, rules: &[&str], others: &[&str]) -> Ended {
    let rules = rules.iter().flat_map(|file| ["--rules", file]);
    let arguments: Vec<&str> = ["backtest", TRACE].into_iter().chain(rules).collect();
    place.run(&[&arguments[..], others].concat())
}

#[test]
fn the_fixture_is_what_its_description_says() {
    let mut stale = Vec::new();
    hold(TRACE, &incident(), &mut stale);
    assert!(stale.is_empty(), "COALMINE_BLESS=1 writes it anew: {stale:?}");
}

#[test]
fn a_tighter_rule_is_found_to_have_spared_requests() {
    let place = Workplace::with_project();
    let ended = backtest(&place, &[DAY, TIGHTER, JUDGE], &["--incident", "6m..9m"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    assert!(ended.stdout.starts_with("IDENTITY HOLDS  "), "{}", ended.stdout);
    let json = backtest(&place, &[DAY, TIGHTER, JUDGE], &["--format", "json"]).stdout;
    let report: Value = serde_json::from_str(&json).unwrap();
    let tighter = &report["candidates"][1]["rolled_back"];
    // The figures that a pencil gives: see the tests of the module.
    assert_eq!(tighter["firing"]["at"], 437_000_000_000_u64);
    assert_eq!(
        (&tighter["moved"]["requests"], &tighter["moved"]["failed"]),
        (&42.into(), &21.into())
    );
    let again = backtest(&place, &[DAY, TIGHTER, JUDGE], &["--format", "json"]).stdout;
    assert_eq!(again, json, "the same bytes for the same files");
}

#[test]
fn what_is_written_is_valid_by_its_schema_and_whole() {
    let place = Workplace::with_project();
    let lines = ["--require", "time_to_rollback <= 2m", "--incident", "6m", "--out", "told"];
    let ended = backtest(&place, &[DAY, TIGHTER], &lines);
    assert_eq!(ended.code, 0, "{}{}", ended.stdout, ended.stderr);
    assert!(ended.stdout.ends_with("\nBacktest files: told\n"));
    let written = place.files().into_iter().filter(|file| file.starts_with("told"));
    let names = ["backtest.json", "backtest.md", "backtest.png", "backtest.svg"];
    assert_eq!(written.collect::<Vec<_>>(), names.map(|name| format!("told/{name}")));
    let schema: Value = serde_json::from_str(&place.run(&["schema", "backtest"]).stdout).unwrap();
    let report: Value = serde_json::from_str(&place.read("told/backtest.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let problems: Vec<String> =
        validator.iter_errors(&report).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert_eq!(problems, [""; 0]);
    let mut unknown = report;
    unknown["candidates"][0]["wind"] = 3.into();
    assert!(validator.iter_errors(&unknown).next().is_some());
    let markdown = place.read("told/backtest.md");
    assert!(markdown.starts_with("## PASS: 1 requirement met: "), "{markdown}");
    let svg = place.read("told/backtest.svg");
    for text in ["gpt-4-v1 (stable)", "gpt-4-turbo-v2 loses its traffic", "incident", TIGHTER] {
        assert!(svg.contains(text), "{text} is not drawn");
    }
}

#[test]
fn each_end_has_its_exit_code() {
    let place = Workplace::with_project();
    place.write("off.json", "{\"enable\": false, \"conditions\": []}");
    let fails = ["--require", "blast_radius.failed < 3"];
    let baseline = ["--require", "blast_radius.failed < baseline(blast_radius.failed)"];
    let cases: [(&[&str], &[&str], i32, &str); 15] = [
        (&[DAY, TIGHTER], &["--require", "rollbacks == 1"], 0, "PASS  1 requirement met: "),
        (&[DAY, TIGHTER], &fails, 99, "FAIL  1 of 1 requirement not met: "),
        (&[DAY, TIGHTER], &fails, 99, "IDENTITY HOLDS: "),
        (&[DAY, TIGHTER], &fails, 99, "--require number 1"),
        // Of the canary's requests from minute 6 to minute 9 every other fails: 36.
        (&[DAY, TIGHTER], &baseline, 0, "15 against 36"),
        (&[DAY, "off.json"], &[], 0, "the rules are disabled (`enable: false`)"),
        (
            &[DAY],
            &["--incident", "2h..3h"],
            2,
            "the last request that can be used was sent at 11m 59s",
        ),
        (&[DAY], &["--incident", "1m..2m"], 0, "note: the incident from 60 s to 2m is over before"),
        // What would have fired earlier is not what happened.
        (&[TIGHTER, DAY], &[], 6, "IDENTITY FAILS"),
        (&[DAY], &["--rolled-back-by", "rules"], 6, "does not fire, though"),
        (&[DAY], &["--model", "gpt-5"], 2, "help: "),
        (&[DAY], &["--stable", "gpt-4-v3"], 2, "gpt-4-turbo-v2"),
        (&[DAY], &["--require", "error_rate < 1%"], 2, "known are"),
        (&["fixtures/none.json"], &[], 3, "cannot read rules"),
        (&[TRACE], &[], 3, "error: "),
    ];
    for (rules, others, code, part) in cases {
        let ended = backtest(&place, rules, others);
        let told = format!("{}{}", ended.stdout, ended.stderr);
        assert_eq!(ended.code, code, "{rules:?} {others:?}: {told}");
        assert!(told.contains(part), "{rules:?} {others:?}: {told}");
    }
    let unversioned = place.run(&["backtest", "fixtures/peak-hour.csv", "--rules", DAY]);
    assert_eq!(unversioned.code, 4, "{}", unversioned.stderr);
    assert!(unversioned.stderr.contains("none of the"), "{}", unversioned.stderr);
    let piped = place.run(&["backtest", "-", "--rules", DAY]);
    assert_eq!(piped.code, 2);
    #[cfg(unix)]
    {
        // What can be read only once is told so by whatever name.
        let device = place.run(&["backtest", "/dev/null", "--rules", DAY]);
        assert_eq!(device.code, 2, "{}", device.stderr);
        assert!(device.stderr.contains("read twice"), "{}", device.stderr);
    }
    assert_eq!(place.run(&["backtest", "none.csv", "--rules", DAY]).code, 3);
}
