//! Malformed scenarios and what is answered to them: every `tests/golden/errors/*.yaml` has its
//! expected text beside it. All errors of a file come at once, each with place and remedy.
//!
//! Comment lines `# set: PATH=VALUE` at a file's head are settings as by `--set`. Where an answer
//! differs, the actual one is written below the target folder, for comparing and copying.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::fs;
use std::path::{Path, PathBuf};

use coalmine::scenario::{Document, Files, Loaded, ScenarioError, load};

struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> Result<Vec<u8>, String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        fs::read(root.join(path)).map_err(|_| "no such file".to_owned())
    }
}

fn load_file(path: &Path) -> Result<Loaded, ScenarioError> {
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
    load(document, &Disk)
}

fn inputs() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/errors");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    let mut inputs: Vec<_> =
        files.map(|name| Path::new("tests/golden/errors").join(name)).collect();
    inputs.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    inputs.sort();
    inputs
}

#[test]
fn every_malformed_scenario_is_answered_with_place_and_remedy() {
    let mut wrong = Vec::new();
    for path in inputs() {
        let name = path.display().to_string();
        let actual = match load_file(&path) {
            Err(error) => error.to_string(),
            Ok(_) => panic!("{name} is accepted"),
        };
        assert!(actual.starts_with("error: "), "{name}: {actual}");
        let expected_path = path.with_extension("txt");
        let expected =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(expected_path));
        if expected.ok().as_deref() != Some(actual.as_str()) {
            let stem = path.file_stem().unwrap();
            let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join(stem).with_extension("txt");
            fs::write(&out, &actual).unwrap();
            wrong.push(format!("{name} is answered otherwise: see {}", out.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn there_are_at_least_twenty_malformed_scenarios() {
    assert!(inputs().len() >= 20);
}
