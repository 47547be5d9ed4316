//! The JUnit document of a gate, read by what reads such documents: a parser of Python's registry,
//! Jenkins' schema, and what GitLab takes out of each case (`tests/python/junit_readers.py`).
//!
//! Needs the packages of `tests/python/requirements.txt`, and the schema; `.ci/run` installs both.
//! Where they are not, the test says so and passes, unless `REQUIRE_PYTHON_TOOLS` is set.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::program::{Workplace, project};

/// The document that a test of the library keeps, of a suite with every outcome.
fn document() -> String {
    let kept = std::fs::read_to_string(project("tests/snapshots/suite_junit.snap")).unwrap();
    let (_, document) = kept.split_once("\n---\n").unwrap();
    document.to_owned()
}

/// The command that reads a file, if all that it needs is there.
#[expect(clippy::print_stderr, reason = "a test says what it leaves out")]
fn readers(document: &Path) -> Option<Command> {
    let python = std::env::var_os("PYTHON").map(PathBuf::from);
    let python = python.unwrap_or_else(|| project("target/ci-tools/python/bin/python").into());
    let mut command = Command::new(&python);
    command.args(["-c", "import junitparser, xmlschema"]);
    let has_packages = command.output().is_ok_and(|output| output.status.success());
    let schema = std::env::var_os("JUNIT_SCHEMA").map(PathBuf::from);
    let schema = schema.unwrap_or_else(|| project("target/ci-tools/junit-10.xsd").into());
    if has_packages && schema.is_file() {
        let mut command = Command::new(python);
        command.arg(project("tests/python/junit_readers.py")).arg(document).arg(schema);
        return Some(command);
    }
    let required = std::env::var_os("REQUIRE_PYTHON_TOOLS").is_some();
    assert!(!required, "there is no junitparser, no xmlschema or no {}", schema.display());
    eprintln!("left out: there is no junitparser, xmlschema or schema, which .ci/run installs");
    None
}

/// Whether the readers find in a document what they are to find, and what they say.
fn read(document: &str) -> Option<(bool, String)> {
    let place = Workplace::new();
    place.write("document.xml", document);
    let output = readers(&place.path("document.xml"))?.output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    Some((output.status.success(), String::from_utf8(said).unwrap()))
}

#[test]
fn every_reader_finds_every_case_as_it_came_out() {
    let Some((is_fine, said)) = read(&document()) else { return };
    assert!(is_fine, "{said}");
}

#[test]
fn the_readers_find_what_is_wrong_with_a_document() {
    for (written, spoilt, told) in [
        (" classname=", " class=", "Jenkins' schema: "),
        ("type=\"inconclusive\"", "type=\"fail\"", "wanted ('failed', 'inconclusive', "),
        ("expect: fail", "expect: pass", "wanted 'expect: fail'"),
        ("failures=\"3\"", "failures=\"2\"", "counts of checkout"),
        ("reports/checkout/charts", "reports/charts", "GitLab: chart of checkout"),
        ("again: coalmine gate scenarios/checkout.yaml", "again", "tells 'again: "),
    ] {
        let document = document();
        assert!(document.contains(written), "{written}");
        let Some((is_fine, said)) = read(&document.replace(written, spoilt)) else { return };
        assert!(!is_fine && said.contains(told), "{spoilt}: {said}");
    }
}
