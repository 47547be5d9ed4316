//! Malformed scenarios and configurations of gateways, and what is answered to them: every
//! `tests/golden/errors/*.yaml` and `gateway-errors/*.yaml` has its expected text beside it. All errors of a file come at once, each with place and remedy.
//!
//! Comment lines `# set: PATH=VALUE` at a file's head are settings as by `--set`. Where an answer
//! differs, the actual one is written below the target folder, for comparing and copying.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::path::{Path, PathBuf};

use coalmine::scenario::{Document, Files, ScenarioError, load, load_gateway};

struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::read(root.join(path)).map_err(|_| "no such file".to_owned())
    }
}

/// What is answered to the file at `path`, if it is refused.
type Answer = fn(Document<'_>) -> Result<(), ScenarioError>;

fn as_scenario(document: Document<'_>) -> Result<(), ScenarioError> {
    load(document, &Disk).map(drop)
}

fn as_gateway(document: Document<'_>) -> Result<(), ScenarioError> {
    load_gateway(document, &Disk).map(drop)
}

fn answered(path: &Path, answer: Answer) -> Result<(), ScenarioError> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let bytes = fs::read(root.join(path)).unwrap();
    let settings: Vec<String> = String::from_utf8_lossy(&bytes)
        .lines()
        .map_while(|line| line.strip_prefix("# set: ").map(str::to_owned))
        .collect();
    let document = Document {
        path,
        bytes: &bytes,
        settings: &settings,
        working_directory: root,
        allow_outside: false,
    };
    answer(document)
}

fn inputs(folder: &str) -> Vec<PathBuf> {
    let files = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap();
    let files = files.map(|entry| entry.unwrap().file_name());
    let mut inputs: Vec<_> = files.map(|name| Path::new(folder).join(name)).collect();
    inputs.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    inputs.sort();
    inputs
}

/// Holds what is answered to every file of a folder against the text beside it.
fn hold(folder: &str, answer: Answer) {
    let mut wrong = Vec::new();
    for path in inputs(folder) {
        let name = path.display().to_string();
        let actual = match answered(&path, answer) {
            Err(error) => error.to_string(),
            Ok(()) => panic!("{name} is accepted"),
        };
        assert!(actual.starts_with("error: "), "{name}: {actual}");
        let expected_path = path.with_extension("txt");
        let expected =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(expected_path));
        if expected.ok().as_deref() != Some(actual.as_str()) {
            let out =
                Path::new(env!("CARGO_TARGET_TMPDIR")).join(Path::new(folder).file_name().unwrap());
            fs::create_dir_all(&out).unwrap();
            let out = out.join(path.file_stem().unwrap()).with_extension("txt");
            fs::write(&out, &actual).unwrap();
            wrong.push(format!("{name} is answered otherwise: see {}", out.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_malformed_scenario_is_answered_with_place_and_remedy() {
    hold("tests/golden/errors", as_scenario);
}

#[test]
fn every_malformed_gateway_is_answered_with_place_and_remedy() {
    hold("tests/golden/gateway-errors", as_gateway);
}

#[test]
fn no_answer_cites_a_secret() {
    for path in inputs("tests/golden/gateway-errors") {
        let answer = answered(&path, as_gateway).unwrap_err().to_string();
        assert!(!answer.contains("hunter2") && !answer.contains("sk-secret"), "{answer}");
        assert!(!answer.contains("me:secret"), "{answer}");
    }
}

#[test]
fn there_are_at_least_twenty_malformed_scenarios() {
    assert!(inputs("tests/golden/errors").len() >= 20);
}
