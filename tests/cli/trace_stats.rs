//! `coalmine trace stats`: what it prints, what it writes, and what it refuses.

use serde_json::Value;

use crate::program::Workplace;

const TRACE: &str = "#coalmine-trace 1
at_ns,version,input_tokens,output_tokens,status,duration_ns
0,v1,100,10,200,1000000000
500000000,v2,200,20,503,20000000
2500000000,v1,300,30,200,3000000000
4000000000,v1,400,40,200,2000000000
";

fn with_trace(text: &str) -> Workplace {
    let place = Workplace::new();
    place.write("a.csv", text);
    place
}

fn json(place: &Workplace, arguments: &[&str]) -> Value {
    let ended = place.run(&[&["trace", "stats", "a.csv", "--format", "json"], arguments].concat());
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{}", ended.stdout);
    let value = serde_json::from_str(&ended.stdout).unwrap();
    let schema = place.run(&["schema", "trace-stats"]).stdout;
    let schema: Value = serde_json::from_str(&schema).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let problems: Vec<String> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
    assert_eq!(problems, [""; 0]);
    value
}

#[test]
fn the_document_is_valid_and_has_what_pencil_and_paper_give() {
    let value = json(&with_trace(TRACE), &[]);
    let profile = &value["profile"];
    assert_eq!((&profile["requests"], &profile["span_ns"]), (&4.into(), &4_000_000_000_u64.into()));
    assert_eq!(profile["input_tokens"]["mean"], 250.0);
    // Equal ranks: the more input, the more output.
    assert_eq!(profile["token_correlation"]["value"], 1.0);
    let versions = profile["versions"].as_array().unwrap();
    assert_eq!(
        (&versions[0]["version"], &versions[0]["latency"]["mean_ns"]),
        (&"v1".into(), &2_000_000_000_u64.into())
    );
    assert_eq!(versions[1]["outcomes"]["error_rate"]["value"], 1.0);
    assert_eq!(versions[0]["tokens_per_second"], 80.0 / 6.0);
    assert_eq!(value["source"]["accounting"]["read"], 4);
}

#[test]
fn a_stretch_is_described_by_itself() {
    let value = json(&with_trace(TRACE), &["--window", "400ms..3s"]);
    assert_eq!(value["profile"]["requests"], 2);
    assert_eq!(value["source"]["accounting"]["dropped"]["outside_window"]["count"], 2);
    assert_eq!(value["source"]["window_ns"], serde_json::json!([400_000_000, 2_600_000_000_u64]));
}

#[test]
fn silence_at_the_end_of_a_stretch_is_described_where_the_trace_goes_on() {
    let rows = (0..30).chain([600]).map(|second| format!("{second}000000000,1,1\n"));
    let header = "#coalmine-trace 1\nat_ns,input_tokens,output_tokens\n";
    let place = with_trace(&(header.to_owned() + &rows.collect::<String>()));
    let value = json(&place, &["--window", "0s..5m"]);
    let profile = &value["profile"];
    assert_eq!(profile["requests"], 30);
    assert_eq!(profile["span_ns"], 300_000_000_000_u64);
    assert_eq!(profile["requests_per_second"], 0.1);
    let second = &profile["windows"][0];
    assert_eq!((&second["windows"], &second["empty"]), (&300.into(), &270.into()));
    assert_eq!(profile["total"]["course"]["slots"].as_array().unwrap().len(), 300);
    // The trace ends after 10 minutes: nothing is known of the time after that.
    let value = json(&place, &["--window", "10s..24h"]);
    assert_eq!(value["profile"]["span_ns"], 590_000_000_000_u64);
    let stretch = ["trace", "stats", "a.csv", "--window", "10s..24h", "--format", "markdown"];
    let printed = place.run(&stretch).stdout;
    assert!(printed.contains("described: 9m 50s from 10 s on"), "{printed}");
}

#[test]
fn files_and_charts_go_where_they_are_asked_for() {
    let place = with_trace(TRACE);
    let ended = place.run(&["trace", "stats", "a.csv", "--out", "out"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    assert!(ended.stdout.ends_with("\nTrace files: out\n"), "{}", ended.stdout);
    // Four seconds are one slot: their rate is a figure, no chart.
    let charts = ["gaps", "outcomes", "tokens"];
    let charts = charts
        .iter()
        .flat_map(|name| ["png", "svg"].map(|kind| format!("out/charts/{name}.{kind}")));
    let files = ["stats.csv", "stats.json", "stats.md"].map(|name| format!("out/{name}"));
    let expected: Vec<String> =
        ["a.csv".to_owned()].into_iter().chain(charts).chain(files).collect();
    assert_eq!(place.files(), expected);
    for (file, format) in [("stats.json", "json"), ("stats.csv", "csv"), ("stats.md", "markdown")] {
        let printed = place.run(&["trace", "stats", "a.csv", "--format", format]).stdout;
        assert_eq!(place.read(&format!("out/{file}")), printed, "{file}");
    }
}

#[test]
fn what_cannot_be_described_is_refused_with_its_place() {
    let header = "#coalmine-trace 1\nat_ns,input_tokens,output_tokens\n";
    let broken = format!("{header}5,1,1\n3,1,1\n");
    let unknown = &["trace", "stats", "b.csv"][..];
    let known = &["trace", "stats", "a.csv"][..];
    let empty = &["trace", "stats", "a.csv", "--window", "600ms..2s"][..];
    let after = &["trace", "stats", "a.csv", "--window", "20s..1m"][..];
    for (text, arguments, code, said) in [
        ("", known, 3, "a.csv:1: the trace is empty"),
        (header, known, 3, "the trace has a header but no rows"),
        (&broken, known, 3, "a.csv:4: "),
        (TRACE, unknown, 3, "cannot read trace b.csv"),
        (TRACE, &["trace", "stats", "a.csv", "--window", "3s..1s"], 2, "does not come after"),
        (TRACE, &["trace", "stats", "a.csv", "--out", "a.csv"], 2, "a.csv is a file"),
        (TRACE, empty, 3, "no request between 600 ms and 2 s"),
        (TRACE, after, 3, "no request between 20 s and 60 s"),
    ] {
        let place = with_trace(text);
        let ended = place.run(arguments);
        assert_eq!(ended.code, code, "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(said), "{arguments:?}: {}", ended.stderr);
        assert_eq!(ended.stdout, "");
    }
}

#[test]
fn a_trace_of_arrivals_alone_is_described() {
    let value = json(&with_trace("#coalmine-trace 1\nat_ns\n0\n0\n0\n"), &[]);
    let profile = value["profile"].as_object().unwrap();
    assert_eq!(profile["requests"], 3);
    for absent in ["requests_per_second", "input_tokens", "token_correlation", "versions", "users"]
    {
        assert!(!profile.contains_key(absent), "{absent}");
    }
}
