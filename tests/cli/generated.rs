//! What is generated from the program is what is committed: the schemas, and the tables in the
//! pages between `<!-- generated: NAME -->` and `<!-- end -->`.
//!
//! `COALMINE_BLESS=1 cargo test --test cli generated` writes them anew.

use coalmine::metric::{Direction, Interval, Metric, Unit};
use coalmine::scenario::{ProblemKind, reference};

use crate::pages::{Page, pages};
use crate::program::{Workplace, project};

const BEGIN: &str = "<!-- generated: ";
const END: &str = "<!-- end -->";

/// The content of the generated part `name`.
fn generate(name: &str) -> Option<String> {
    if let Some(part) = name.strip_prefix("keys of ") {
        let section = reference().into_iter().find(|section| section.name == part);
        return section.map(|section| section.table);
    }
    if let Some(system) = name.strip_prefix("pipeline of ") {
        return pipeline(system);
    }
    match name {
        "metrics for rules and gates" => Some(metrics(Metric::is_windowed)),
        "kinds of problems" => Some(kinds()),
        "transitions of a rollout" => Some(transitions()),
        "every metric" => Some(metrics(|_| true)),
        _ => None,
    }
}

/// The pipeline that `init` writes for a CI system, as a block.
fn pipeline(system: &str) -> Option<String> {
    let path = match system {
        "github" => ".github/workflows/coalmine.yml",
        "gitlab" => ".gitlab-ci.yml",
        _ => return None,
    };
    let place = Workplace::new();
    place.run(&["init", "--ci", system]);
    Some(format!("```yml\n{}```\n", place.read(path)))
}

fn metrics(chosen: impl Fn(Metric) -> bool) -> String {
    let row = |metric: Metric| {
        let unit = match metric.unit() {
            Unit::Count => "count",
            Unit::Ratio => "ratio",
            Unit::PValue => "probability",
            Unit::Time => "time",
            Unit::Tokens => "tokens",
            Unit::Money => "money",
            Unit::TokensPerSecond => "tokens/s",
            Unit::RequestsPerSecond => "requests/s",
        };
        let better = match metric.direction() {
            Direction::Lower => "lower",
            Direction::Higher => "higher",
            Direction::Neutral => "-",
        };
        let interval = match metric.interval() {
            Interval::Exact => "exact",
            Interval::Proportion => "Clopper-Pearson",
            Interval::Mean => "Student's t",
            Interval::Quantile => "order statistics",
        };
        let about = metric.about();
        format!("| `{metric}` | {unit} | {better} | {interval} | {about} |\n")
    };
    let head = "| metric | unit | better | interval | what it is |\n\
                | --- | --- | --- | --- | --- |\n";
    Metric::all()
        .filter(|metric| chosen(*metric))
        .fold(head.to_owned(), |table, metric| table + &row(metric))
}

fn kinds() -> String {
    let row = |kind: ProblemKind| {
        format!("| `{}` | {} | {} |\n", kind.id(), kind.severity().name(), kind.about())
    };
    let head = "| kind | severity | what it is |\n| --- | --- | --- |\n";
    ProblemKind::ALL.map(row).into_iter().fold(head.to_owned(), |table, row| table + &row)
}

/// The table that the rollout's code documents itself by, and a test of its own holds it to.
fn transitions() -> String {
    let source = std::fs::read_to_string(project("src/engine/transition.rs")).unwrap();
    let rows = source.lines().filter_map(|line| line.strip_prefix("//! |"));
    rows.map(|row| format!("|{row}\n")).collect()
}

/// `page` with its generated parts made anew.
fn renewed(page: &Page) -> String {
    let mut lines = page.text.lines();
    let mut text = String::new();
    while let Some(line) = lines.next() {
        text.push_str(&format!("{line}\n"));
        let Some(rest) = line.strip_prefix(BEGIN) else { continue };
        let name = rest.trim_end_matches("-->").trim();
        let part = generate(name).unwrap_or_else(|| panic!("{}: no part {name}", page.path));
        text.push_str(&format!("\n{part}\n{END}\n"));
        assert!(lines.any(|line| line == END), "{}: no {END} after {name}", page.path);
    }
    text
}

/// Compares a committed file with what it is to be, or writes it.
pub(crate) fn hold(path: &str, wanted: &str, stale: &mut Vec<String>) {
    let committed = std::fs::read_to_string(project(path)).unwrap_or_default();
    if committed == wanted {
        return;
    }
    if std::env::var_os("COALMINE_BLESS").is_some() {
        std::fs::write(project(path), wanted).unwrap();
    } else {
        let differs = committed.lines().zip(wanted.lines()).zip(1..).find(|((a, b), _)| a != b);
        let line =
            differs.map_or_else(String::new, |((_, line), number)| format!(":{number}: {line}"));
        stale.push(format!("{path}{line}"));
    }
}

#[test]
fn generated_files_and_tables_are_those_of_the_program() {
    let place = Workplace::new();
    let mut stale = Vec::new();
    for format in [
        "scenario",
        "gateway",
        "result",
        "validation",
        "gate",
        "trace-stats",
        "backtest",
        "load",
        "fidelity",
        "sweep",
        "tune",
        "faults",
    ] {
        let printed = place.run(&["schema", format]).stdout;
        hold(&format!("docs/{format}.schema.json"), &printed, &mut stale);
    }
    for page in pages() {
        hold(&page.path, &renewed(&page), &mut stale);
    }
    let remedy = "COALMINE_BLESS=1 cargo test --test cli generated";
    assert!(stale.is_empty(), "run `{remedy}`, these are stale:\n{}", stale.join("\n"));
}

#[test]
fn every_key_of_the_format_is_in_a_page() {
    let pages = pages();
    for section in reference() {
        let marker = format!("{BEGIN}keys of {} -->", section.name);
        let shown = pages.iter().filter(|page| page.text.contains(&marker)).count();
        assert_eq!(shown, 1, "{shown} pages have {marker}");
    }
}

#[test]
fn the_reference_that_is_printed_has_every_section() {
    let printed = Workplace::new().run(&["schema", "reference"]).stdout;
    for section in reference() {
        let part = format!("## {}\n\n{}", section.name, section.table);
        assert!(printed.contains(&part), "{} is not printed", section.name);
    }
}
