//! What others read in the SARIF that `validate` prints: the schema of the standard, and a reader.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::linted::{said, tool};
use crate::machine::project;
use crate::pipelines::Repository;

/// What a reader makes of the log of these `arguments`; `None` where there is no reader.
fn read(repository: &Repository, arguments: &[&str]) -> Option<Vec<Value>> {
    let mut python = tool("python")?;
    let (_, log) = repository.run(&[&["validate", "--format", "sarif"], arguments].concat());
    repository.write("log.sarif", &log);
    let path = repository.folder.path().join("log.sarif");
    let read = python.arg(project("tests/python/read_sarif.py")).arg(path).output().unwrap();
    assert!(read.status.success(), "{}", said(&read));
    Some(serde_json::from_slice(&read.stdout).unwrap())
}

#[test]
fn a_reader_of_sarif_finds_every_problem_with_its_place() {
    let repository = Repository::new();
    let broken = "schema: 1\nname: a\nname: b\nseed: -1\nphases: {a: [}]}\n";
    repository.write("s/a b.yaml", "schema: 1\nschema: 1\n");
    repository.write("s/ö.yaml", broken);
    let Some(records) = read(&repository, &["s", "missing.yaml", "--set", "seed=x"]) else {
        return;
    };
    let of = |name: &str| -> Vec<Value> {
        let found = records.iter().filter(|record| record["Location"] == name);
        found.map(|record| json!([record["Line"], record["Severity"], record["Code"]])).collect()
    };
    // The second `schema`, and what a scenario must have besides.
    assert!(of("s/a b.yaml").contains(&json!([2, "error", "broken-yaml"])), "{records:?}");
    assert!(of("s/a b.yaml").contains(&json!([1, "error", "invalid-setting"])), "{records:?}");
    // A bracket that was never opened, in line 5.
    assert!(of("s/ö.yaml").contains(&json!([5, "error", "broken-yaml"])), "{records:?}");
    assert_eq!(of("missing.yaml"), [json!([1, "error", "unreadable-file"])]);
}

#[test]
fn every_malformed_scenario_keeps_the_schema_of_sarif() {
    let repository = Repository::new();
    let folder = project("tests/golden/errors");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "yaml"))
        .collect();
    files.sort();
    let files: Vec<&str> = files.iter().map(|path| path.to_str().unwrap()).collect();
    let Some(records) = read(&repository, &files) else { return };
    let (_, document) = repository.run(&[&["validate", "--format", "json"], &files[..]].concat());
    let document: Value = serde_json::from_str(&document).unwrap();
    let problems = document["files"].as_array().unwrap().iter();
    let problems = problems.flat_map(|file| file["problems"].as_array().unwrap()).count();
    // Those of shared files are told once.
    assert!(records.len() > 200 && records.len() <= problems, "{} {problems}", records.len());
    assert!(records.iter().all(|record| record["Tool"] == "coalmine" && record["Line"] != 0));
}

#[test]
fn valid_scenarios_leave_no_result() {
    let repository = Repository::new();
    let scenario = project("scenarios/ten-thousand.yaml");
    let Some(records) = read(&repository, &["--allow-outside", scenario.to_str().unwrap()]) else {
        return;
    };
    assert_eq!(records, [json!(null); 0]);
}
