//! `coalmine compare`: several stored results against the first of them.

use std::path::Path;

use super::arguments::{CompareArguments, CompareFailOn, CompareFormat};
use super::digest::digest;
use super::disk::write_whole;
use super::exit::Exit;
use super::open::{StoredResult, open_result};
use super::output::{RESULT_JSON, check_folder};
use super::terminal::{Failure, print, shows_unicode, wants_colour, width};
use crate::compare::{RunComparison, RunInput, Settings, compare as compare_runs};
use crate::page::comparison_page;
use crate::report::{
    Style, comparison_charts, comparison_csv, comparison_markdown, comparison_report,
};
use crate::result::ResultFile;

pub(super) fn compare(arguments: &CompareArguments) -> Result<Exit, Failure> {
    let [_, _, ..] = &arguments.results[..] else {
        return Err(usage("error: one result has nothing to be compared with: name two or more"));
    };
    if let Some(out) = &arguments.out {
        check_folder(out)?;
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
        write_files(&comparison, &opened, out)?;
    }
    print(&render(&comparison, arguments.format))?;
    if let Some(out) = arguments.out.as_ref().filter(|_| arguments.format == CompareFormat::Text) {
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

fn render(comparison: &RunComparison, format: CompareFormat) -> String {
    match format {
        CompareFormat::Text => {
            let (colour, unicode) = (wants_colour(), shows_unicode());
            let style = Style { width: width(), colour, unicode, intervals: true };
            comparison_report(comparison, style)
        }
        CompareFormat::Json => comparison.to_json(),
        CompareFormat::Markdown => comparison_markdown(comparison),
        CompareFormat::Csv => comparison_csv(comparison),
    }
}

/// Writes the files of a comparison into `folder`. Everything is rendered before the first file is
/// touched.
fn write_files(
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
    let mut files = Vec::from(texts);
    for chart in &charts {
        files.push((format!("charts/{}.svg", chart.name), chart.canvas.svg().into_bytes()));
        files.push((format!("charts/{}.png", chart.name), chart.canvas.png()));
    }
    for (name, bytes) in files {
        let path = folder.join(name);
        write_whole(&path, &bytes).map_err(|error| {
            Failure::internal(format!("error: cannot write {}: {error}", path.display()))
        })?;
    }
    Ok(())
}

fn usage(message: &str) -> Failure {
    Failure { exit: Exit::Usage, message: message.to_owned() }
}
