//! Results compared: what is found, what is refused, what is written.

use coalmine::result::ResultFile;
use serde_json::Value;

use crate::program::{Ended, Workplace};

/// Two versions at half of the traffic each; the second answers after `latency`.
fn scenario(threshold: &str, latency: &str) -> String {
    format!(
        "schema: 1
name: small
workload: {{arrivals: {{poisson: 20/s}}, requests: 1200, tokens: {{input: 600, output: 200}}}}
models:
  gpt-4:
    versions:
      old: {{tags: [stable], upstream: {{latency: {{lognormal: {{mean: 250ms, p99: 800ms}}}}}}}}
      new: {{upstream: {{latency: {{lognormal: {{mean: {latency}, p99: 900ms}}}}}}}}
    rules:
      conditions:
        - metric: error_rate
          operator: \">\"
          threshold: {threshold}
          duration_seconds: 60
          action: rollback_to_last_stable
phases: [{{name: all, for: rest, split: {{old: 50%, new: 50%}}}}]
"
    )
}

/// A place with runs of the scenario: `a`, `b` under another seed, `rules` with another threshold,
/// `slow` with a slower second version.
fn place() -> Workplace {
    let place = Workplace::new();
    let runs = [
        ("a", "0.05", "300ms", "1"),
        ("b", "0.05", "300ms", "2"),
        ("rules", "0.04", "300ms", "1"),
        ("slow", "0.05", "400ms", "1"),
    ];
    for (name, threshold, latency, seed) in runs {
        place.play(&scenario(threshold, latency), seed, name);
    }
    place
}

fn compare(place: &Workplace, arguments: &[&str]) -> Ended {
    place.run(&[&["compare"], arguments].concat())
}

#[test]
fn runs_of_two_seeds_are_compared_and_nothing_is_found() {
    let place = place();
    for results in [["a", "b"], ["a/result.json", "b"]] {
        let ended = compare(&place, &[&results[..], &["--fail-on", "worse"]].concat());
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        assert!(ended.stdout.starts_with("NO DIFFERENCE SHOWN  "), "{}", ended.stdout);
        assert_eq!(ended.stderr, "");
    }
    let itself = compare(&place, &["a", "a"]).stdout;
    assert!(itself.starts_with("THE SAME  it is the same result\n\n"), "{itself}");
    assert!(itself.contains("±0 %") && !itself.contains("+0.1 %"), "{itself}");
}

#[test]
fn another_scenario_is_refused_with_what_differs() {
    let place = place();
    let refused = compare(&place, &["a", "b", "rules"]);
    assert_eq!((refused.code, &refused.stdout[..]), (2, ""));
    assert_eq!(
        refused.stderr,
        "error: rules is not of the same scenario as a:\n  \
         models.gpt-4.rules.conditions.0.threshold: 0.05 / 0.04\n  \
         --across compares them all the same, and tells this\n"
    );
    let told = compare(&place, &["a", "b", "rules", "--across"]);
    assert_eq!(told.code, 0, "{}", told.stderr);
    let line = "  C: models.gpt-4.rules.conditions.0.threshold: 0.05 / 0.04\n";
    assert!(told.stdout.contains(line), "{}", told.stdout);
}

#[test]
fn what_is_worse_fails_where_it_is_to() {
    let place = place();
    let code = |arguments: &[&str]| {
        let ended = compare(&place, &[&["a", "slow", "--across"], arguments].concat());
        assert!(ended.stdout.starts_with("WORSE  ") || ended.code == 0, "{}", ended.stdout);
        ended.code
    };
    assert_eq!(code(&[]), 0);
    assert_eq!(code(&["--fail-on", "worse"]), 99);
    // A third more is less than a half.
    assert_eq!(code(&["--fail-on", "worse", "--smallest-effect", "50%"]), 0);
    let small = compare(&place, &["a", "slow", "--across", "--smallest-effect", "50%"]).stdout;
    assert!(small.starts_with("TOO SMALL TO MATTER  "), "{small}");
    let turned = compare(&place, &["slow", "a", "--across", "--fail-on", "worse"]);
    assert!(turned.stdout.starts_with("BETTER  ") && turned.code == 0, "{}", turned.stdout);
}

#[test]
fn a_gate_that_has_come_to_fail_is_worse() {
    let place = Workplace::new();
    for (name, failed, code) in [("a", 1_200, 0), ("b", 0, 99), ("same", 1_100, 0)] {
        let text = scenario("0.05", "300ms") + &format!("gate: [\"requests >= {failed}\"]\n");
        let text = if name == "b" { text.replace(">=", "<=") } else { text };
        place.write("small.yaml", text);
        let ended = place.run(&["run", "small.yaml", "--no-charts", "--out", name]);
        assert_eq!(ended.code, code, "{}", ended.stderr);
    }
    let worse = compare(&place, &["a", "b", "--fail-on", "worse"]);
    assert_eq!(worse.code, 99, "{}", worse.stderr);
    assert!(worse.stdout.starts_with("WORSE  gate: PASS in A, FAIL in B; "), "{}", worse.stdout);
    let better = compare(&place, &["b", "a", "--fail-on", "worse"]);
    assert!(better.stdout.starts_with("BETTER  gate: FAIL in A, "), "{}", better.stdout);
    let same = compare(&place, &["a", "same", "--fail-on", "worse"]);
    assert!(same.stdout.starts_with("THE SAME  every figure is the same\n\n"), "{}", same.stdout);
    assert_eq!((better.code, same.code), (0, 0));
}

#[test]
fn every_format_tells_the_same() {
    let place = place();
    let all =
        |format: &str| compare(&place, &["a", "slow", "b", "--across", "--format", format]).stdout;
    let json: Value = serde_json::from_str(&all("json")).unwrap();
    let worse = json["findings"][0]["worse"].as_u64().unwrap();
    assert!(worse > 0 && json["findings"][1]["worse"] == 0, "{}", json["findings"]);
    assert_eq!(json["runs"][1]["label"], "slow");
    let markdown = all("markdown");
    assert!(markdown.starts_with("## WORSE: in 1 of the 2 runs held against A\n"), "{markdown}");
    let counted = format!("B: {worse} metric");
    assert!(markdown.contains(&counted) && all("text").contains(&counted), "{markdown}");
    let csv = all("csv");
    let rows = csv.lines().filter(|line| line.ends_with(",true,worse"));
    assert_eq!(rows.count() as u64, worse, "{csv}");
}

#[test]
fn files_are_written_where_they_are_wanted() {
    let place = place();
    let before = place.files();
    let ended = compare(&place, &["a", "slow", "--across", "--out", "compared/here"]);
    assert!(ended.stdout.ends_with("\nComparison files: compared/here\n"), "{}", ended.stdout);
    let written: Vec<_> = place.files().into_iter().filter(|file| !before.contains(file)).collect();
    let charts = ["differences", "error_rates", "latency_distribution", "latency_percentiles"];
    let charts = charts.map(|name| ["png", "svg"].map(|kind| format!("charts/{name}.{kind}")));
    let texts = ["csv", "html", "json", "md"].map(|kind| format!("comparison.{kind}"));
    let names = charts.into_iter().flatten().chain(texts);
    let expected: Vec<_> = names.map(|name| format!("compared/here/{name}")).collect();
    assert_eq!(written, expected);
    let page = place.read("compared/here/comparison.html");
    assert!(page.contains("<strong>WORSE</strong>") && page.len() < 1_000_000, "{}", page.len());
    for (name, format) in [("csv", "csv"), ("json", "json"), ("md", "markdown")] {
        let printed = compare(&place, &["a", "slow", "--across", "--format", format]).stdout;
        assert_eq!(place.read(&format!("compared/here/comparison.{name}")), printed);
    }
    let taken = compare(&place, &["a", "b", "--out", "small.yaml"]);
    assert_eq!(taken.code, 2, "{}", taken.stderr);
    assert!(taken.stderr.contains("small.yaml is a file; name a folder"), "{}", taken.stderr);
}

#[test]
fn what_is_no_result_is_refused_by_name() {
    let place = place();
    let whole = place.read("a/result.json");
    place.write("cut.json", &whole[..whole.len() / 2]);
    let newer = ResultFile::SCHEMA + 1;
    place.write("other.json", format!("{{\"schema\": {newer}, \"coalmine\": \"9.9.9\"}}"));
    let cases = [
        (&["a", "gone"][..], 3, "error: cannot read result gone: "),
        (&["a", "gone"], 3, "name a result.json that `coalmine run` has written, or its folder"),
        (&["a", "."], 3, "error: cannot read result ./result.json: "),
        (&["a", "small.yaml"], 3, "error: small.yaml: not a result file of coalmine: "),
        (&["cut.json", "a"], 3, "error: cut.json: not a result file of coalmine: "),
        (&["a", "other.json"], 3, "written by coalmine 9.9.9, is newer than"),
        (&["a"], 2, "one result has nothing to be compared with: name two or more"),
        (&["a", "b", "--confidence", "100%"], 2, "a confidence is 50% or more and below 100%"),
        (&["a", "b", "--confidence", "5%"], 2, "a confidence is 50% or more and below 100%"),
        (&["a", "b", "--smallest-effect", "5"], 2, "did you mean 5%?"),
        (&["a", "b", "--fail-on", "better"], 2, "[possible values: worse]"),
    ];
    for (arguments, code, part) in cases {
        let ended = compare(&place, arguments);
        assert_eq!((ended.code, &ended.stdout[..]), (code, ""), "{arguments:?}");
        assert!(ended.stderr.contains(part), "{arguments:?}: {}", ended.stderr);
    }
}

#[test]
fn a_result_of_the_format_before_is_compared_too() {
    let place = place();
    let text = place.read("a/result.json");
    let [present, before] = [0, 1].map(|age| format!("\"schema\": {}", ResultFile::SCHEMA - age));
    assert!(text.contains(&present));
    place.write("older.json", text.replacen(&present, &before, 1));
    let ended = compare(&place, &["older.json", "b"]);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
}

#[test]
fn eight_runs_are_compared_with_the_first() {
    let place = place();
    let ended = compare(&place, &["a", "b", "a", "b", "a", "b", "a", "b"]);
    assert!(
        ended.stdout.starts_with("NO DIFFERENCE SHOWN  in 4 of the 7 runs held against A\n"),
        "{}",
        ended.stdout
    );
    assert!(ended.stdout.contains("\n  H: ") && ended.stdout.contains("\n  H  b\n"));
}
