//! `coalmine sweep`: the same bytes on any number of threads and shards, what is refused, what is
//! kept of an interrupted one, and each exit code.

use std::path::PathBuf;

use serde_json::Value;

use crate::program::{Ended, Workplace};

/// A canary of which every fifth answer fails, under a rule that wants more or less of them.
const SCENARIO: &str = "
schema: 1
name: small
title: A canary that fails now and then
seed: 7
vars: {failing: 20%}
workload:
  arrivals: {poisson: 4/s}
  tokens: {input: 600, output: 200}
models:
  m:
    versions:
      v1: {tags: [stable], upstream: {latency: 250ms}}
      v2: {tags: [beta], upstream: {latency: 200ms}}
    rules:
      conditions:
        - {id: errors, metric: error_rate, operator: '>', threshold: 0.2, duration_seconds: 5,
           check_interval_seconds: 5, window_seconds: 20, min_requests: 5,
           action: rollback_to_last_stable}
phases:
  - {name: before, for: 10s, split: {v1: 50%, v2: 50%}}
  - {name: bad, until: rollback, within: 30s,
     faults: {v2: [{failures: {'503': '${failing}'}}]}}
gate:
  - rollbacks <= 1
  - p(promotion) < 50%
seeds: 20
";

const VARY: [&str; 4] = [
    "--vary",
    "models.m.rules.conditions.errors.threshold=0.2,0.3",
    "--vary",
    "vars.failing=0%..40%:3",
];

const FILES: [&str; 5] = ["cells.csv", "runs.csv", "summary.md", "sweep.html", "sweep.json"];

/// With that scenario, as `small.yaml`.
pub(crate) fn place() -> Workplace {
    let place = Workplace::new();
    place.write("small.yaml", SCENARIO);
    place
}

pub(crate) fn sweep(place: &Workplace, arguments: &[&str]) -> Ended {
    place.run(&[&["sweep", "small.yaml", "--no-charts"], arguments].concat())
}

/// So few runs do not decide every line: that is no failure here.
pub(crate) const LENIENT: [&str; 2] = ["--fail-on", "fail"];

pub(crate) fn swept(place: &Workplace, arguments: &[&str]) -> Value {
    let ended = sweep(place, &[arguments, &["--format", "json"]].concat());
    serde_json::from_str(&ended.stdout).unwrap_or_else(|_| panic!("{}", ended.stderr))
}

/// The bytes of the files of a sweep.
fn bytes(place: &Workplace, folder: &str) -> Vec<Vec<u8>> {
    FILES.map(|file| std::fs::read(place.path(folder).join(file)).unwrap()).to_vec()
}

/// Plans, runs every shard and puts them together.
fn in_shards(place: &Workplace, arguments: &[&str], shards: u64, out: &str) {
    let number = shards.to_string();
    let plan =
        [&["sweep", "plan", "small.yaml", "--shards", &number, "-o", "plan.json"], arguments];
    let ended = place.run(&plan.concat());
    assert_eq!((ended.code, ended.stdout.as_str()), (0, ""), "{}", ended.stderr);
    // Only the plan is read.
    std::fs::rename(place.path("small.yaml"), place.path("away.yaml")).unwrap();
    let names: Vec<String> = (0..shards).map(|index| format!("{index}.rows")).collect();
    for (index, name) in names.iter().enumerate() {
        let shard = format!("{index}/{shards}");
        let ended = place.run(&["sweep", "run", "plan.json", "--shard", &shard, "-o", name]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
    }
    let mut merge = vec!["sweep", "merge", "plan.json", "--no-charts", "--out", out];
    merge.extend(LENIENT);
    merge.extend(names.iter().rev().map(String::as_str));
    let ended = place.run(&merge);
    std::fs::rename(place.path("away.yaml"), place.path("small.yaml")).unwrap();
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    // Those of another sweep are not written over.
    names.iter().for_each(|name| std::fs::remove_file(place.path(name)).unwrap());
}

#[test]
fn any_number_of_threads_and_shards_gives_the_same_bytes() {
    let place = place();
    for terms in [&["--seeds", "20"][..], &["--seeds", "300", "--precision", "6%"]] {
        let arguments =
            [terms, &VARY, &["--gate", "p(rollback) >= baseline(p(rollback))"]].concat();
        for jobs in ["1", "2", "7"] {
            let ended = sweep(
                &place,
                &[&arguments, &LENIENT[..], &["--jobs", jobs, "--out", jobs]].concat(),
            );
            assert_eq!(ended.code, 0, "{}", ended.stderr);
            assert!(ended.stdout.ends_with(&format!("\nSweep files: {jobs}\n")));
        }
        in_shards(&place, &arguments, 5, "shards");
        let first = bytes(&place, "1");
        for other in ["2", "7", "shards"] {
            assert!(bytes(&place, other) == first, "{other}");
        }
    }
    let report: Value = serde_json::from_str(&place.read("1/sweep.json")).unwrap();
    let cells = report["cells"].as_array().unwrap();
    let runs: Vec<u64> = cells.iter().map(|cell| cell["runs"].as_u64().unwrap()).collect();
    // Nothing fails in the first and the fourth: 100 runs tell 6 %.
    assert_eq!((runs.len(), runs[0], runs[3]), (6, 100, 100));
    assert!(cells[0]["stopped"] == true && runs.iter().all(|runs| runs % 100 == 0));
    let files = place.files();
    assert!(!files.iter().any(|file| file.ends_with(".partial") || file.ends_with(".tmp")));
}

#[test]
fn rare_rollbacks_are_estimated_and_any_number_of_threads_and_shards_gives_the_same_bytes() {
    let place = place();
    let healthy = ["--vary", "vars.failing=0%,1%", "--set", "phases.0.for=2m"];
    let failing =
        ["--set", "models.m.versions.v2.upstream={latency: 200ms, failures: {'500': 1%}}"];
    let rule = [
        "--set",
        "models.m.rules.conditions.errors.duration_seconds=0",
        "--set",
        "models.m.rules.conditions.errors.check_interval_seconds=20",
    ];
    let line = ["--gate", "p(false_rollback) < 1e-9"];
    let terms = ["--seeds", "1500", "--rare"];
    let arguments = [&terms[..], &healthy, &failing, &rule, &line].concat();
    for jobs in ["1", "3"] {
        let ended = sweep(&place, &[&arguments[..], &["--jobs", jobs, "--out", jobs]].concat());
        assert_eq!(ended.code, 99, "{}{}", ended.stdout, ended.stderr);
    }
    let first = bytes(&place, "1");
    assert!(bytes(&place, "3") == first);
    let schema: Value = serde_json::from_str(&place.run(&["schema", "sweep"]).stdout).unwrap();
    let report: Value = serde_json::from_str(&place.read("1/sweep.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let problems: Vec<String> =
        validator.iter_errors(&report).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert_eq!(problems, [""; 0]);
    let rare = &report["cells"][0]["rare"];
    let value = rare["value"].as_f64().unwrap_or_else(|| panic!("{rare}"));
    assert!(rare["method"] == "weighted" && value > 1e-9 && value < 1e-2, "{rare}");
    // Nothing is counted of runs that are not what would happen.
    assert_eq!(report["cells"][0]["rollback"]["n"], 0);
    let runs = place.read("1/runs.csv");
    assert_eq!(runs.lines().count(), 1 + 2 * 1_500);
    assert!(runs.lines().next().unwrap().ends_with(",requests,ln_weight,ln_probability"), "{runs}");
}

#[test]
fn what_weighted_runs_do_not_tell_is_refused() {
    let place = place();
    let cases = [
        (&["--precision", "1%"][..], 2, "cannot be used with"),
        (&["--keep", "--out", "x"], 2, "cannot be used with"),
        (&["--gate", "p(rollback) < 1%"], 2, "cannot be judged with --rare"),
        (
            &["--set", "models.m.rules.conditions.errors.action=notify"],
            2,
            "no trigger that rolls back",
        ),
    ];
    for (arguments, code, part) in cases {
        let ended = sweep(&place, &[&["--seeds", "5", "--rare"][..], arguments].concat());
        assert_eq!(ended.code, code, "{}", ended.stderr);
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
}

#[test]
fn what_is_written_is_valid_by_its_schema_and_each_run_has_a_row() {
    let place = place();
    let ended = sweep(&place, &[&["--seeds", "12", "--out", "told"], &VARY[..], &LENIENT].concat());
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let schema: Value = serde_json::from_str(&place.run(&["schema", "sweep"]).stdout).unwrap();
    let report: Value = serde_json::from_str(&place.read("told/sweep.json")).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let problems: Vec<String> =
        validator.iter_errors(&report).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert_eq!(problems, [""; 0]);
    let runs = place.read("told/runs.csv");
    assert_eq!(runs.lines().count(), 1 + 6 * 12);
    let header: Vec<&str> = runs.lines().next().unwrap().split(',').collect();
    let paths = ["models.m.rules.conditions.errors.threshold", "vars.failing", "cell", "seed"];
    assert_eq!(header[..4], paths);
    assert_eq!(header[header.len() - 1], "p(promotion)");
    // Counted by hand from the rows: the third cell, of threshold 0.2 and 40 % of failures.
    let third: Vec<Vec<&str>> = runs
        .lines()
        .skip(1)
        .map(|line| line.split(',').collect::<Vec<_>>())
        .filter(|row| row[2] == "2")
        .collect();
    let column = |name: &str| header.iter().position(|column| *column == name).unwrap();
    let hits = third.iter().filter(|row| row[column("rollbacks")] != "0").count() as u64;
    let failed: u64 =
        third.iter().map(|row| row[column("blast_failed")].parse::<u64>().unwrap()).sum();
    let cell = &report["cells"][2];
    assert_eq!((&cell["values"][1], &cell["rollback"]["hits"]), (&"40%".into(), &hits.into()));
    assert_eq!(cell["blast_failed"]["mean"]["value"], failed as f64 / 12.0);
    assert!(hits > 0 && third.iter().any(|row| row[column("trigger")] == "errors"));
    assert_eq!(place.read("told/cells.csv").lines().count(), 7);
    let markdown = place.read("told/summary.md");
    assert!(markdown.contains("| 0.2 | 40% | 12 |"), "{markdown}");
    let csv = sweep(&place, &[&["--seeds", "12", "--format", "csv"], &VARY[..], &LENIENT].concat());
    assert_eq!(csv.stdout, place.read("told/cells.csv"));
}

#[test]
fn cells_meet_the_same_draws() {
    let place = place();
    // A rule that can never fire is no other traffic.
    let vary = ["--vary", "models.m.rules.conditions.errors.threshold=0.9,0.95", "--seeds", "8"];
    let report = swept(&place, &vary);
    let cells = report["cells"].as_array().unwrap();
    for key in ["requests", "failed", "blast_failed"] {
        assert_eq!(cells[0][key], cells[1][key], "{key}");
    }
    let against = &cells[1]["against_first"]["blast_failed"];
    assert_eq!((&against["value"], &against["n"]), (&0.0.into(), &8.into()));
}

#[test]
fn all_errors_of_all_cells_are_told_before_any_run() {
    let place = place();
    let bad = ["--vary", "models.m.rules.conditions.errors.threshold=0.2,no,0.3,maybe"];
    let more = ["--vary", "vars.failing=10%,200%", "--seeds", "3", "--out", "out"];
    let ended = sweep(&place, &[&bad[..], &more].concat());
    assert_eq!((ended.code, ended.stdout.as_str()), (3, ""));
    for part in ["\"no\"", "\"maybe\"", "200%", "vars.failing=10%", "more combinations"] {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
    assert!(!place.path("out").exists());
}

#[test]
fn what_makes_no_sense_is_refused_with_a_remedy() {
    let place = place();
    let cases: [(&[&str], i32, &str); 14] = [
        (&[], 2, "--seeds"),
        (&["--seeds", "0"], 2, "0 is not in 1.."),
        (&["--seeds", "3", "--vary", "a=1,1"], 2, "a takes 1 twice"),
        (&["--seeds", "3", "--vary", "a"], 2, "PATH=FROM..TO:COUNT"),
        (&["--seeds", "3", "--vary", "seed=1,2"], 2, "under the same seeds"),
        (&["--seeds", "3", "--vary", "a=1,2", "--vary", "a=3"], 2, "stands there twice"),
        (&["--seeds", "3", "--vary", "a=1..9:9999", "--vary", "b=1..9:9999"], 2, "10,000,000 runs"),
        (&["--seeds", "3", "--vary", "wind=1,2"], 3, "the file has no \"wind\""),
        (&["--seeds", "3", "--precision", "0%"], 2, "more than 0% and at most 50%"),
        (&["--seeds", "3", "--gate", "p(rollback) <"], 2, "--gate \"p(rollback) <\""),
        (&["--seeds", "3", "--gate", "error_rate < 1%"], 2, "median(error_rate)"),
        (
            &["--seeds", "3", "--gate", "p(rollback{phase=x}) < 1%"],
            2,
            "no phase \"x\"; known: before",
        ),
        (&["--seeds", "3", "--keep"], 2, "--out"),
        (&["--seeds", "3", "--out", "small.yaml"], 2, "small.yaml is a file"),
    ];
    for (arguments, code, part) in cases {
        let ended = sweep(&place, arguments);
        assert_eq!(ended.code, code, "{arguments:?}: {}", ended.stderr);
        assert!(ended.stderr.contains(part), "{arguments:?}: {}", ended.stderr);
    }
    assert_eq!(place.run(&["sweep", "none.yaml", "--seeds", "3"]).code, 3);
    assert_eq!(place.run(&["sweep"]).code, 2);
}

#[test]
fn lines_are_judged_cell_by_cell_and_the_gravest_is_the_exit_code() {
    let place = place();
    let vary = ["--seeds", "40", "--vary", "vars.failing=0%,60%"];
    let cases = [
        ("p(rollback) <= 100%", 0),
        // Nothing fails in the first cell, and nearly always something in the second.
        ("p(rollback) > 50%", 99),
        ("p(rollback) < 50%", 99),
        ("median(blast_radius.failed) < 1000", 0),
        ("p(rollback) >= baseline(p(rollback))", 0),
        ("p(false_rollback) < 5%", 5),
        ("rollbacks <= 1", 0),
    ];
    for (line, code) in cases {
        let ended = sweep(&place, &[&vary[..], &["--gate", line]].concat());
        assert_eq!(ended.code, code, "{line}: {}{}", ended.stdout, ended.stderr);
    }
    let report = swept(&place, &[&vary[..], &["--gate", "p(rollback) > 50%"]].concat());
    let verdicts: Vec<&Value> = report["cells"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cell| &cell["judgement"]["lines"][1]["verdict"])
        .collect();
    assert_eq!(verdicts, ["fail", "pass"]);
    let lenient =
        sweep(&place, &[&vary[..], &["--gate", "p(false_rollback) < 5%"], &LENIENT].concat());
    assert_eq!(lenient.code, 0);
}

#[test]
fn with_keep_the_result_of_each_run_is_that_of_the_run_by_itself() {
    let place = place();
    let vary = ["--vary", "vars.failing=0%,40%", "--seeds", "2", "--seed", "11"];
    let ended = sweep(&place, &[&vary[..], &["--keep", "--out", "o"], &LENIENT].concat());
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    let kept = place.files().into_iter().filter(|file| file.starts_with("o/runs/"));
    let names = ["0-seed-11", "0-seed-12", "1-seed-11", "1-seed-12"];
    assert_eq!(kept.collect::<Vec<_>>(), names.map(|name| format!("o/runs/cell-{name}.json")));
    let alone = ["--seed", "12", "--set", "vars.failing=40%", "--no-charts", "--out", "r"];
    place.run(&[&["run", "small.yaml"], &alone[..]].concat());
    assert!(place.read("o/runs/cell-1-seed-12.json") == place.read("r/result.json"));
}

/// The scenario is a pipe, so that the program is known to be at work when the signal comes; it is
/// noticed when the first run has been made.
#[cfg(unix)]
#[test]
fn an_interrupted_sweep_goes_on_from_what_it_kept() {
    let place = Workplace::new();
    let pipe = place.path("small.yaml");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let arguments = ["sweep", "small.yaml", "--no-charts", "--seeds", "30", "--out", "o"];
    let child = place.start(&arguments);
    let mut writer = std::fs::OpenOptions::new().write(true).open(&pipe).unwrap();
    let kill = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(kill.unwrap().success());
    // Runs that take their time: none but the first are made before the signal is noticed.
    let slow = SCENARIO.replace("within: 30s", "within: 20000s").replace("0.2,", "0.9,");
    std::io::Write::write_all(&mut writer, slow.as_bytes()).unwrap();
    drop(writer);
    let ended = Ended::of(child.wait_with_output().unwrap());
    assert_eq!((ended.code, ended.stdout.as_str()), (130, ""), "{}", ended.stderr);
    assert!(
        ended.stderr.contains("of 30 runs were made; kept in o/sweep.partial"),
        "{}",
        ended.stderr
    );
    assert_eq!(place.files(), ["o/sweep.partial", "small.yaml"]);
    std::fs::remove_file(&pipe).unwrap();
    place.write("small.yaml", &slow);
    let other = place.run(&[&arguments[..4], &["31", "--out", "o"]].concat());
    assert_eq!(other.code, 2);
    assert!(other.stderr.contains("holds the runs of another sweep"), "{}", other.stderr);
    let again = place.run(&[&arguments[..], &LENIENT].concat());
    assert_eq!(again.code, 0, "{}", again.stderr);
    assert!(again.stderr.starts_with("going on from "), "{}", again.stderr);
    let whole = place.run(&[&arguments[..6], &["whole"], &LENIENT[..]].concat());
    assert_eq!((whole.code, whole.stderr.as_str()), (0, ""));
    assert!(bytes(&place, "o") == bytes(&place, "whole"));
    assert!(!place.path("o/sweep.partial").exists());
}

#[test]
fn what_is_left_of_an_interrupted_sweep_is_not_used_where_it_is_torn() {
    let place = place();
    std::fs::create_dir(place.path("o")).unwrap();
    place.write("o/sweep.partial", "{\"coalmine_sweep_rows\":1,\"plan\":\"x\"");
    let ended = sweep(&place, &["--seeds", "3", "--out", "o"]);
    assert_eq!(ended.code, 3);
    assert!(ended.stderr.contains("help: remove it to begin anew"), "{}", ended.stderr);
}

#[test]
fn a_shard_is_made_once_and_its_number_comes_from_the_cluster() {
    let place = place();
    let plan = ["sweep", "plan", "small.yaml", "--seeds", "6", "--shards", "3", "-o", "plan.json"];
    assert_eq!(place.run(&plan).code, 0);
    let run = |variables: &[(&str, &str)], file: &str| {
        let variables: Vec<(&str, PathBuf)> =
            variables.iter().map(|(name, value)| (*name, PathBuf::from(value))).collect();
        place.run_with(&["sweep", "run", "plan.json", "-o", file], &variables)
    };
    let first = run(&[("JOB_COMPLETION_INDEX", "1")], "a.rows");
    assert_eq!((first.code, first.stderr.as_str()), (0, "a.rows: shard 1/3, 2 runs\n"));
    let made = place.read("a.rows");
    let again = run(&[("JOB_COMPLETION_INDEX", "1")], "a.rows");
    assert_eq!((again.code, again.stderr.as_str()), (0, "a.rows: shard 1/3 is there already\n"));
    // A torn one is made anew, to the same bytes.
    place.write("a.rows", &made[..made.len() / 2]);
    assert_eq!(run(&[("SLURM_ARRAY_TASK_ID", "1")], "a.rows").code, 0);
    assert_eq!(place.read("a.rows"), made);
    type Variables<'a> = &'a [(&'a str, &'a str)];
    let cases: [(Variables<'_>, &str, &str); 5] = [
        (&[], "b.rows", "which of 3 shards?"),
        (&[("JOB_COMPLETION_INDEX", "3")], "b.rows", "JOB_COMPLETION_INDEX is \"3\""),
        (&[("SLURM_ARRAY_TASK_ID", "x")], "b.rows", "counted from 0 to 2"),
        (&[("JOB_COMPLETION_INDEX", "2")], "a.rows", "holds shard 1/3"),
        (&[("JOB_COMPLETION_INDEX", "2")], "small.yaml", "is no shard"),
    ];
    for (variables, file, part) in cases {
        let ended = run(variables, file);
        assert_eq!(ended.code, 2, "{part}");
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
    let beyond = place.run(&["sweep", "run", "plan.json", "--shard", "1/4", "-o", "b.rows"]);
    assert!(beyond.stderr.contains("the plan has 3 shards, from 0/3 to 2/3"), "{}", beyond.stderr);
}

#[test]
fn shards_that_are_missing_twice_foreign_or_torn_are_refused_by_name() {
    let place = place();
    let plan = |seeds: &str, file: &str| {
        let ended = place.run(&[
            "sweep",
            "plan",
            "small.yaml",
            "--seeds",
            seeds,
            "--shards",
            "2",
            "-o",
            file,
        ]);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
    };
    let run = |plan: &str, shard: &str, file: &str| {
        assert_eq!(place.run(&["sweep", "run", plan, "--shard", shard, "-o", file]).code, 0);
    };
    plan("4", "plan.json");
    plan("5", "other.json");
    run("plan.json", "0/2", "0.rows");
    run("plan.json", "1/2", "1.rows");
    run("other.json", "1/2", "foreign.rows");
    place.write("torn.rows", &place.read("1.rows").as_bytes()[..300]);
    let cases: [(&[&str], &str); 6] = [
        (&["0.rows"], "shard 1/2 is missing"),
        (&["0.rows", "1.rows", "0.rows"], "0.rows: it is shard 0/2, as 0.rows is"),
        (&["0.rows", "foreign.rows"], "foreign.rows: it is of another sweep"),
        (&["0.rows", "torn.rows"], "torn.rows: it is torn"),
        (&["0.rows", "plan.json"], "plan.json: it is no file of rows"),
        (&["0.rows", "none.rows"], "cannot read shard none.rows"),
    ];
    for (shards, part) in cases {
        let ended = place.run(&[&["sweep", "merge", "plan.json"], shards].concat());
        assert_eq!((ended.code, ended.stdout.as_str()), (3, ""), "{shards:?}");
        assert!(ended.stderr.contains(part), "{shards:?}: {}", ended.stderr);
    }
    let text = place.read("plan.json").replace("0.2", "0.1");
    place.write("changed.json", text);
    let changed = place.run(&["sweep", "run", "changed.json", "--shard", "0/2", "-o", "c.rows"]);
    assert_eq!(changed.code, 3);
    assert!(changed.stderr.contains("was changed after it was made"), "{}", changed.stderr);
    assert!(!place.path("c.rows").exists());
    let many = ["sweep", "plan", "small.yaml", "--seeds", "4", "--shards", "2", "-o", "p.json"];
    let many = place.run(&[&many[..], &["--precision", "1%"]].concat());
    assert!(
        many.stderr.contains("2 shards are more than there are combinations, 1"),
        "{}",
        many.stderr
    );
}
