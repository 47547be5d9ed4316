//! The official client of OpenAI against a mock.
//!
//! Needs the packages of `tests/python/requirements.txt`, which `.ci/run` installs; without them
//! the test says that it is left out, unless `REQUIRE_PYTHON_TOOLS` is set.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use coalmine::units::Duration;
use serde_json::json;

use crate::limits::mock;

/// The interpreter that has the client, or none.
#[expect(clippy::print_stderr, reason = "what is left out is told")]
fn python() -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let python = std::env::var_os("PYTHON").map(PathBuf::from);
    let python = python.unwrap_or_else(|| folder.join("target/ci-tools/python/bin/python"));
    let found = Command::new(&python).args(["-c", "import openai"]).stderr(Stdio::null()).status();
    if found.is_ok_and(|status| status.success()) {
        return Some(python);
    }
    assert!(std::env::var_os("REQUIRE_PYTHON_TOOLS").is_none(), "openai is missing in {python:?}");
    eprintln!("left out: {python:?} has no openai; .ci/run installs it");
    None
}

#[test]
fn the_official_client_reads_all_that_a_mock_says() {
    let Some(python) = python() else { return };
    let mock = mock(&json!({"latency": "2ms"}), None);
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/openai_mock.py");
    let base = format!("http://{}", mock.address());
    let ended = Command::new(python).arg(script).arg(base).output().unwrap();
    let told = String::from_utf8(ended.stderr).unwrap();
    assert!(ended.status.success(), "{told}");
    assert_eq!(String::from_utf8(ended.stdout).unwrap(), "ok\n");
    mock.stop(Duration::ZERO);
}
