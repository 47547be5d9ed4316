//! `coalmine compare`: several stored results against the first of them.

use std::path::Path;

use super::arguments::{CompareArguments, CompareFailOn, ReportFormat};
use super::digest::digest;
use super::exit::Exit;
use super::open::{StoredResult, open_result};
use super::output::{self, RESULT_JSON, chart_files, check_folder, style};
use super::terminal::{Failure, print};
use crate::compare::{RunComparison, RunInput, Settings, compare as compare_runs};
use crate::page::comparison_page;
use crate::report::{comparison_charts, comparison_csv, comparison_markdown, comparison_report};
use crate::result::ResultFile;

pub(super) fn compare(arguments: &CompareArguments) -> Result<Exit, Failure> {
    let [_, _, ..] = &arguments.results[..] else {
        return Err(usage("error: one result has nothing to be compared with: name two or more"));
    };
    if let Some(out) = &arguments.out {
        check_folder(out, "--out")?;
        if out.join(RESULT_JSON).exists() {
            return Err(usage(&format!(
                "error: {} holds the report of a run, whose charts those of the comparison would \
                 replace: name another folder with --out",
                out.display()
            )));
        }
    }
    let opened = arguments.results.iter().map(|named| Opened::read(named));
    let opened: Vec<Opened> = opened.collect::<Result<_, _>>()?;
    let inputs: Vec<RunInput<'_>> = opened.iter().map(Opened::input).collect();
    let settings = Settings {
        confidence: arguments.confidence,
        smallest_effect: arguments.smallest_effect,
        across: arguments.across,
    };
    let comparison = compare_runs(&inputs, &settings).map_err(|refused| {
        usage(&format!("error: {refused}\n  --across compares them all the same, and tells this"))
    })?;
    if let Some(out) = &arguments.out {
        write_comparison(&comparison, &opened, out)?;
    }
    print(&render(&comparison, arguments.format))?;
    if let Some(out) = arguments.out.as_ref().filter(|_| arguments.format == ReportFormat::Text) {
        print(&format!("\nComparison files: {}\n", out.display()))?;
    }
    let fails = arguments.fail_on == Some(CompareFailOn::Worse) && comparison.is_worse();
    Ok(if fails { Exit::GateFailed } else { Exit::Pass })
}

/// A result that was read.
struct Opened {
    label: String,
    sha256: String,
    result: ResultFile,
}

impl Opened {
    fn read(named: &Path) -> Result<Self, Failure> {
        let StoredResult { path, text, result } = open_result(named)?;
        let sha256 = digest(&path, text.as_bytes()).sha256;
        Ok(Self { label: named.display().to_string(), sha256, result })
    }

    fn input(&self) -> RunInput<'_> {
        RunInput { label: &self.label, sha256: &self.sha256, result: &self.result }
    }
}

fn render(comparison: &RunComparison, format: ReportFormat) -> String {
    match format {
        ReportFormat::Text => comparison_report(comparison, style(true)),
        ReportFormat::Json => comparison.to_json(),
        ReportFormat::Markdown => comparison_markdown(comparison),
        ReportFormat::Csv => comparison_csv(comparison),
    }
}

/// Writes the files of a comparison into `folder`. Everything is rendered before the first file is
/// touched.
fn write_comparison(
    comparison: &RunComparison,
    opened: &[Opened],
    folder: &Path,
) -> Result<(), Failure> {
    let results: Vec<&ResultFile> = opened.iter().map(|opened| &opened.result).collect();
    let charts = comparison_charts(comparison, &results);
    let texts = [
        ("comparison.json", comparison.to_json()),
        ("comparison.md", comparison_markdown(comparison)),
        ("comparison.csv", comparison_csv(comparison)),
        ("comparison.html", comparison_page(comparison, &charts)),
    ];
    let texts = texts.map(|(name, text)| (name.to_owned(), text.into_bytes()));
    let files = texts.into_iter().chain(charts.iter().flat_map(chart_files));
    output::write_files(folder, files.collect())
}

fn usage(message: &str) -> Failure {
    Failure { exit: Exit::Usage, message: message.to_owned() }
}
