//! The house rules, read from the source: direction of imports, rings, bans per floor, places,
//! sizes, leftovers, unused files. Each check is a function over paths and texts, and each has
//! tests that feed it what it must refuse.

mod bans;
mod evidence;
mod finding;
mod floors;
mod imports;
mod layout;
mod token;

use std::fs;
use std::path::Path;

use finding::{Finding, Source};

/// Breaches that are known and wait for their repair: check, path, why. An entry that no longer
/// matches a breach fails the test, so that none outlives its repair.
const KNOWN: &[(&str, &str, &str)] = &[];

#[test]
fn the_source_keeps_the_house_rules() {
    let sources = sources();
    let modules = imports::modules(&sources);
    let mut findings = imports::rings(&sources);
    for source in &sources {
        findings.extend(imports::direction(source, &modules));
        findings.extend(bans::bans(source));
        findings.extend(layout::layout(source));
    }
    let others = files(&["src"]).into_iter().filter(|path| !path.ends_with(".rs"));
    findings.extend(others.filter_map(|path| layout::place(&path)));
    report(&findings, KNOWN);
}

#[test]
fn nothing_unfinished_is_left_outside_the_source() {
    let texts = texts(&["tests", "benches", "scenarios", "fixtures", "docs", "ci", ".ci"]);
    let texts = texts.into_iter().filter(|(path, _)| !path.starts_with("tests/tidy/"));
    let findings: Vec<_> = texts.flat_map(|(path, text)| layout::leftovers(&path, &text)).collect();
    report(&findings, &[]);
}

#[test]
fn every_scenario_and_fixture_is_named_somewhere() {
    let paths: Vec<_> = files(&["scenarios", "fixtures"]);
    let paths: Vec<_> = paths.into_iter().filter(|path| !path.ends_with("README.md")).collect();
    let mut named = texts(&["src", "tests", "benches", "scenarios", "fixtures"]);
    named.retain(|(path, _)| {
        let kept = [".rs", ".yaml", "README.md"].iter().any(|end| path.ends_with(end));
        kept && !path.starts_with("tests/tidy/")
    });
    named.extend(read("README.md").map(|text| ("README.md".to_owned(), text)));
    report(&evidence::unnamed(&paths, &named), &[]);
}

#[test]
fn the_package_has_its_papers() {
    for path in ["CHANGELOG.md", "CONTRIBUTING.md", "LICENSE-MIT", "LICENSE-APACHE", "deny.toml"] {
        assert!(read(path).is_some_and(|text| text.lines().count() > 5), "{path} is missing");
    }
}

#[test]
fn the_architecture_page_shows_the_floors_as_they_are() {
    let page = read("docs/architecture.md").expect("docs/architecture.md is missing");
    let mut shown = Vec::new();
    for row in page.lines().filter_map(|line| line.strip_prefix("| ")) {
        let mut cells = row.split('|').map(str::trim);
        let floor = cells.next().and_then(|cell| cell.parse::<u8>().ok());
        let module = cells.next().map(|cell| cell.trim_matches('`'));
        shown.extend(floor.zip(module).map(|(floor, module)| (module, floor)));
    }
    assert_eq!(shown, floors::FLOORS, "docs/architecture.md against tests/tidy/floors.rs");
}

fn report(findings: &[Finding], known: &[(&str, &str, &str)]) {
    let matches = |entry: &(&str, &str, &str), finding: &Finding| {
        entry.0 == finding.check && entry.1 == finding.path
    };
    let stale = known.iter().filter(|entry| !findings.iter().any(|f| matches(entry, f)));
    let stale: Vec<String> = stale.map(|e| format!("no longer needed in KNOWN: {e:?}")).collect();
    let fresh = findings.iter().filter(|f| !known.iter().any(|entry| matches(entry, f)));
    let lines: Vec<String> = fresh.map(Finding::to_string).chain(stale).collect();
    assert!(lines.is_empty(), "{} breaches:\n{}", lines.len(), lines.join("\n"));
}

/// All Rust files of `src/`.
fn sources() -> Vec<Source> {
    let texts = texts(&["src"]).into_iter().filter(|(path, _)| path.ends_with(".rs"));
    texts.map(|(path, text)| Source::new(&path, &text)).collect()
}

/// The text files below `folders`, by path.
fn texts(folders: &[&str]) -> Vec<evidence::Text> {
    let paths = files(folders).into_iter();
    paths.filter_map(|path| read(&path).map(|text| (path, text))).collect()
}

/// A file of the package; `None` if it is missing or no text.
fn read(path: &str) -> Option<String> {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).ok()
}

/// All files below `folders`, sorted, from the package's root with `/`.
fn files(folders: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    let mut waiting: Vec<String> = folders.iter().map(|folder| (*folder).to_owned()).collect();
    while let Some(folder) = waiting.pop() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&folder);
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            let Ok(name) = entry.file_name().into_string() else { continue };
            let hidden = name.starts_with('.') || name == "__pycache__";
            let path = format!("{folder}/{name}");
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && !hidden => waiting.push(path),
                Ok(kind) if kind.is_file() && !hidden => found.push(path),
                _ => {}
            }
        }
    }
    found.sort();
    found
}

#[test]
#[should_panic(expected = "src/a.rs:3: [ban] what; remedy")]
fn a_breach_fails_with_its_place_and_remedy() {
    let source = Source::new("src/a.rs", "");
    report(&[source.finding("ban", 3, "what".to_owned(), "remedy")], &[]);
}

#[test]
#[should_panic(expected = "no longer needed")]
fn a_known_breach_that_was_mended_fails() {
    report(&[], &[("ban", "src/a.rs", "waits for its repair")]);
}
