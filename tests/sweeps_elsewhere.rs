//! Sweeps on several machines: `deploy/ray` on a real cluster of Ray on this one, and what the
//! manifests of `deploy/kubernetes` have pods do. What comes out is what one machine writes.
//!
//! Needs the packages of `tests/python/requirements.txt`, which `.ci/run` installs; without them
//! the tests say that they are left out, unless `REQUIRE_PYTHON_TOOLS` is set.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

const PROJECT: &str = env!("CARGO_MANIFEST_DIR");
const PROGRAM: &str = env!("CARGO_BIN_EXE_coalmine");

/// Of recorded traffic: a trace has to be where the runs are made.
const SWEEP: [&str; 5] = [
    "scenarios/recorded-peak.yaml",
    "--seeds",
    "6",
    "--vary",
    "models.gpt-4.rules.conditions.1.threshold_ms=2500,3500",
];

/// The interpreter that has the package, or none.
#[expect(clippy::print_stderr, reason = "what is left out is told")]
fn python(module: &str) -> Option<PathBuf> {
    let python = std::env::var_os("PYTHON").map(PathBuf::from);
    let python =
        python.unwrap_or_else(|| Path::new(PROJECT).join("target/ci-tools/python/bin/python"));
    let found = Command::new(&python)
        .args(["-c", &format!("import {module}")])
        .stderr(Stdio::null())
        .status();
    if found.is_ok_and(|status| status.success()) {
        return Some(python);
    }
    let required = std::env::var_os("REQUIRE_PYTHON_TOOLS").is_some();
    assert!(!required, "{module} is missing in {python:?}");
    eprintln!("left out: {python:?} has no {module}; .ci/run installs it");
    None
}

/// A folder with the scenario of the sweep and what it names.
fn workplace() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let needed =
        ["scenarios/recorded-peak.yaml", "fixtures/peak-hour.csv", "fixtures/rollback-rules.json"];
    for path in needed {
        let to = folder.path().join(path);
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(Path::new(PROJECT).join(path), to).unwrap();
    }
    folder
}

/// What a command that is to succeed prints.
#[track_caller]
fn printed(command: &mut Command) -> String {
    let ended = command.output().unwrap();
    let [said, told] = [ended.stdout, ended.stderr].map(|text| String::from_utf8(text).unwrap());
    assert!(ended.status.success(), "{command:?}: {}\n{said}{told}", ended.status);
    said
}

/// What the sweep writes on one machine.
fn on_one_machine(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut command = Command::new(PROGRAM);
    command.arg("sweep").args(SWEEP).args(["--fail-on", "fail", "--out", "one"]);
    printed(command.current_dir(folder));
    let files = files_of(&folder.join("one"));
    assert!(files.contains_key(Path::new("sweep.json")), "{:?}", files.keys());
    files
}

/// The bytes of all files of a folder, by their path in it.
fn files_of(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(open) = folders.pop() {
        for entry in std::fs::read_dir(open).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(folder).unwrap().to_owned();
                files.insert(name, std::fs::read(path).unwrap());
            }
        }
    }
    files
}

#[track_caller]
fn same(found: &BTreeMap<PathBuf, Vec<u8>>, expected: &BTreeMap<PathBuf, Vec<u8>>) {
    assert!(found.keys().eq(expected.keys()), "{:?} {:?}", found.keys(), expected.keys());
    for (name, bytes) in expected {
        assert!(found[name] == *bytes, "{} is another", name.display());
    }
}

/// What happens there stands in `tests/python/ray_sweep.py`.
#[test]
fn a_cluster_of_ray_that_loses_a_worker_writes_what_one_machine_writes() {
    let Some(python) = python("ray") else { return };
    let folder = workplace();
    let expected = on_one_machine(folder.path());
    let script = Path::new(PROJECT).join("tests/python/ray_sweep.py");
    let mut command = Command::new(python);
    command.arg(script).arg(PROGRAM).arg(folder.path()).args(SWEEP);
    assert_eq!(printed(&mut command), "ok\n");
    for out in ["killed", "resumed", "sent"] {
        same(&files_of(&folder.path().join(out)), &expected);
    }
}

#[test]
fn the_commands_of_the_manifests_write_what_one_machine_writes() {
    let Some(python) = python("yaml") else { return };
    let folder = workplace();
    let expected = on_one_machine(folder.path());
    let mut plan = Command::new(PROGRAM);
    plan.args(["sweep", "plan"]).args(SWEEP).args(["--shards", "20", "--output", "plan.json"]);
    printed(plan.current_dir(folder.path()));
    let script = Path::new(PROJECT).join("tests/python/kubernetes_sweep.py");
    let said = printed(Command::new(python).arg(script).arg(PROGRAM).arg(folder.path()));
    assert!(said.ends_with("20 shards\n"), "{said}");
    same(&files_of(&folder.path().join("report")), &expected);
}

#[test]
fn the_manifests_keep_the_schemas_of_kubernetes() {
    let Some(python) = python("kubernetes_validate") else { return };
    let validate = |path: &Path| {
        let mut command = Command::new(&python);
        command.args(["-m", "kubernetes_validate", "--strict"]).arg(path);
        command
    };
    let manifests = Path::new(PROJECT).join("deploy/kubernetes");
    for name in ["volume.yaml", "sweep-job.yaml", "merge-job.yaml"] {
        printed(&mut validate(&manifests.join(name)));
    }
    let job = std::fs::read_to_string(manifests.join("sweep-job.yaml")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    for (from, to) in [
        ("completionMode:", "completionsMode:"),
        ("completions: 20", "completions: many"),
        ("action: FailJob", "act: FailJob"),
    ] {
        let path = folder.path().join("broken.yaml");
        assert!(job.contains(from), "{from}");
        std::fs::write(&path, job.replace(from, to)).unwrap();
        let ended = validate(&path).output().unwrap();
        assert!(!ended.status.success(), "{to} was let through");
    }
}

/// Needs no Ray: nothing of it is looked at before the command line is understood.
#[test]
fn the_driver_explains_itself_and_refuses_what_makes_no_sense() {
    let Some(python) = python("argparse") else { return };
    let driver = |arguments: &[&str]| {
        let script = Path::new(PROJECT).join("deploy/ray/sweep.py");
        let ended = Command::new(&python).arg(script).args(arguments).output().unwrap();
        let [said, told] =
            [ended.stdout, ended.stderr].map(|text| String::from_utf8(text).unwrap());
        (ended.status.code().unwrap(), said, told)
    };
    let (code, said, _) = driver(&["--help"]);
    assert!(code == 0 && said.contains("--max-retries") && said.contains("examples:"), "{said}");
    for (arguments, part) in [
        (&["--shards", "5"][..], "--out"),
        (&["--out", "out"], "--shards"),
        (&["--out", "out", "--shards", "0"], "'0' is no whole number from 1 to 10000"),
        (
            &["--out", "out", "--shards", "5", "--coalmine", "no-such-program"],
            "there is no program no-such-program: name it with --coalmine",
        ),
    ] {
        let (code, said, told) = driver(arguments);
        assert!(code == 2 && said.is_empty() && told.contains(part), "{part}: {code} {said}{told}");
    }
}
