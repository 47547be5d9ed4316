//! A live run held against the simulated one: what is judged, what is refused, what is written. Two
//! simulated runs stand in for the two.

use coalmine::fidelity::{Fidelity, Finding};

use crate::program::{Ended, Workplace};

/// Two versions at half of the traffic each; the second answers after `latency`.
fn scenario(latency: &str) -> String {
    format!(
        "schema: 1
name: small
workload: {{arrivals: {{poisson: 20/s}}, requests: 1200, tokens: {{input: 600, output: 200}}}}
models:
  gpt-4:
    versions:
      old: {{tags: [stable], upstream: {{latency: {{lognormal: {{mean: 250ms, p99: 800ms}}}}}}}}
      new: {{upstream: {{latency: {latency}}}}}
phases: [{{name: all, for: rest, split: {{old: 50%, new: 50%}}}}]
"
    )
}

/// A place with runs of the scenario: `a`, `b` under another seed, `other` with another latency.
fn place() -> Workplace {
    let place = Workplace::new();
    for (name, latency, seed) in [("a", "300ms", "1"), ("b", "300ms", "2"), ("other", "400ms", "1")]
    {
        place.play(&scenario(latency), seed, name);
    }
    place
}

fn fidelity(place: &Workplace, arguments: &[&str]) -> Ended {
    place.run(&[&["fidelity"], arguments].concat())
}

#[test]
fn a_run_agrees_with_itself() {
    let place = place();
    let ended = fidelity(&place, &["a", "a/result.json", "--fail-on", "undecided"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{}", ended.stdout);
    assert!(ended.stdout.starts_with("WITHIN  13 judged errors, all within"), "{}", ended.stdout);
    let fast = fidelity(&place, &["a", "a", "--speed", "60"]).stdout;
    assert!(fast.starts_with("WITHIN  5 judged errors, all within"), "{fast}");
    assert!(fast.contains("At 60 times the speed of the wall only split"), "{fast}");
}

#[test]
fn too_little_is_undecided_and_fails_where_it_is_to() {
    let place = place();
    let code = |more: &[&str]| fidelity(&place, &[&["a", "b"], more].concat()).code;
    assert_eq!(code(&[]), 0);
    assert_eq!(code(&["--fail-on", "beyond"]), 0);
    assert_eq!(code(&["--fail-on", "undecided"]), 5);
    let told = fidelity(&place, &["a", "b"]).stdout;
    assert!(told.starts_with("UNDECIDED  "), "{told}");
}

#[test]
fn tolerances_are_those_that_are_named() {
    let place = place();
    let within = |tolerances: &[&str]| {
        let options = tolerances.iter().flat_map(|one| ["--tolerance", one]);
        let arguments: Vec<&str> =
            ["a", "b", "--format", "json"].into_iter().chain(options).collect();
        let told = fidelity(&place, &arguments);
        assert_eq!(told.code, 0, "{}", told.stderr);
        let read: Fidelity = serde_json::from_str(&told.stdout).unwrap();
        // The other version always takes as long.
        let old = read.versions.iter().find(|own| own.version.as_str() == "old").unwrap();
        let within = old.errors.iter().filter(|error| error.finding == Finding::Within);
        within.map(|error| error.metric.name().to_owned()).collect::<Vec<_>>()
    };
    // Their splits differ by more than a percentage point, as 1,200 requests may.
    assert_eq!(within(&[]), ["error_rate"]);
    let named = within(&["mean=100%", "p50=sampling", "split=20%"]);
    assert_eq!(named, ["latency_avg", "latency_p50", "error_rate", "share"]);
    for (wrong, told) in [
        ("p95=1%", "\"p95\" has no tolerance; allowed are mean, p50, p90, p99"),
        ("p99", "write NAME=LIMIT"),
        ("rollback=1%", "allowed are 0 to 1000"),
    ] {
        let refused = fidelity(&place, &["a", "b", "--tolerance", wrong]);
        assert_eq!(refused.code, 2);
        assert!(refused.stderr.contains(told), "{}", refused.stderr);
    }
    let refused = fidelity(&place, &["a", "b", "--speed", "0"]);
    assert!(refused.code == 2 && refused.stderr.contains("0.001 to 10000"), "{}", refused.stderr);
}

#[test]
fn another_scenario_is_refused_with_what_differs() {
    let place = place();
    let refused = fidelity(&place, &["a", "other"]);
    assert_eq!((refused.code, refused.stdout.as_str()), (2, ""));
    let told = "error: other is not of the same scenario as a:\n  models.gpt-4.versions.new.";
    assert!(refused.stderr.starts_with(told), "{}", refused.stderr);
    let missing = fidelity(&place, &["a", "nowhere"]);
    assert_eq!(missing.code, 3);
}

#[test]
fn the_files_are_written_and_a_report_is_not_written_over() {
    let place = place();
    let ended = fidelity(&place, &["a", "b", "--out", "told"]);
    assert!(ended.stdout.ends_with("\nFidelity files: told\n"), "{}", ended.stdout);
    let written: Vec<String> =
        place.files().into_iter().filter(|path| path.starts_with("told/")).collect();
    let charts = ["errors", "latency"]
        .into_iter()
        .flat_map(|name| ["png", "svg"].map(|kind| format!("told/charts/fidelity_{name}.{kind}")));
    let texts = ["html", "json", "md"].map(|kind| format!("told/fidelity.{kind}"));
    assert_eq!(written, charts.chain(texts).collect::<Vec<_>>());
    let json = fidelity(&place, &["a", "b", "--format", "json"]).stdout;
    assert_eq!(place.read("told/fidelity.json"), json);
    let markdown = fidelity(&place, &["a", "b", "--format", "markdown"]).stdout;
    assert_eq!(place.read("told/fidelity.md"), markdown);
    let refused = fidelity(&place, &["a", "b", "--out", "a"]);
    assert_eq!(refused.code, 2);
    assert!(refused.stderr.contains("a holds the report of a run"), "{}", refused.stderr);
}
