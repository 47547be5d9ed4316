//! The files of a report, and what is printed of it.

use std::io::ErrorKind;
use std::path::Path;

use super::disk::write_whole;
use super::exit::Exit;
use super::provenance::RunFile;
use super::shared_arguments::ReportFormat;
use super::terminal::{Failure, shows_unicode, wants_colour, width};
use crate::fidelity::Fidelity;
use crate::page::report_page;
use crate::report::{
    RunChart, Style, fidelity_charts, fidelity_markdown, markdown_summary, run_charts, table_csv,
    terminal_report,
};
use crate::result::ResultFile;

/// What is printed of `result` on stdout. `intervals`: whether text shows those of the table.
pub(super) fn printed(result: &ResultFile, format: ReportFormat, intervals: bool) -> String {
    match format {
        ReportFormat::Json => result.to_json(),
        ReportFormat::Markdown => markdown_summary(result),
        ReportFormat::Csv => table_csv(result),
        ReportFormat::Text => terminal_report(result, style(intervals)),
    }
}

/// How stdout is written to.
pub(super) fn style(intervals: bool) -> Style {
    Style { width: width(), colour: wants_colour(), unicode: shows_unicode(), intervals }
}

/// How well a live run agrees with the simulated one, and the result of that.
pub(super) struct Agreement {
    pub(super) told: Fidelity,
    pub(super) simulated: ResultFile,
}

/// Writes the report files of `result` into `folder`. Everything is rendered before the first file
/// is touched. `run` says how the result was made, where that is known; `agreement`, how well it
/// agrees with a simulated run, where that was looked at.
pub(super) fn write_reports(
    result: &ResultFile,
    folder: &Path,
    charts: bool,
    run: Option<&RunFile>,
    agreement: Option<&Agreement>,
) -> Result<(), Failure> {
    let mut files = vec![
        (RESULT_JSON.to_owned(), result.to_json().into_bytes()),
        ("table.csv".to_owned(), table_csv(result).into_bytes()),
        ("summary.md".to_owned(), markdown_summary(result).into_bytes()),
    ];
    if let Some(run) = run {
        files.push((RUN_JSON.to_owned(), run.to_json().map_err(Failure::internal)?.into_bytes()));
    }
    let mut drawn = if charts { run_charts(result) } else { Vec::new() };
    if let Some(Agreement { told, simulated }) = agreement {
        files.push((FIDELITY_JSON.to_owned(), told.to_json().into_bytes()));
        files.push(("fidelity.md".to_owned(), fidelity_markdown(told).into_bytes()));
        if charts {
            drawn.extend(fidelity_charts(told, [simulated, result]));
        }
    }
    files.extend(drawn.iter().flat_map(chart_files));
    let provenance = run.map(RunFile::provenance);
    let told = agreement.map(|agreement| &agreement.told);
    let page = report_page(result, provenance.as_ref(), told, &drawn);
    files.push(("report.html".to_owned(), page.into_bytes()));
    write_files(folder, files)
}

/// A chart as SVG and as PNG, each with its name.
pub(super) fn chart_files(chart: &RunChart) -> [(String, Vec<u8>); 2] {
    [
        (format!("charts/{}.svg", chart.name), chart.canvas.svg().into_bytes()),
        (format!("charts/{}.png", chart.name), chart.canvas.png()),
    ]
}

/// Writes each file by its name into `folder`.
pub(super) fn write_files(folder: &Path, files: Vec<(String, Vec<u8>)>) -> Result<(), Failure> {
    for (name, bytes) in files {
        let path = folder.join(name);
        write_whole(&path, &bytes).map_err(|error| Failure::unwritten(&path, &error))?;
    }
    Ok(())
}

/// The same, and removes those of `own` that are not among them: what an earlier command left there
/// is not of this one.
pub(super) fn replace_files(
    folder: &Path,
    files: Vec<(String, Vec<u8>)>,
    own: &[String],
) -> Result<(), Failure> {
    let written: Vec<String> = files.iter().map(|(name, _)| name.clone()).collect();
    write_files(folder, files)?;
    for name in own.iter().filter(|name| !written.contains(name)) {
        let path = folder.join(name);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(Failure::unwritten(&path, &error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Refuses a folder for files that is none, or that cannot be written to, before there is anything
/// that would be lost.
pub(super) fn check_folder(out: &Path, option: &str) -> Result<(), Failure> {
    let here = Path::new(".");
    let known = out.ancestors().find(|path| path.exists()).unwrap_or(here);
    let shown = known.display();
    let why = if known.is_file() {
        format!("{shown} is a file")
    } else if let Err(error) = tempfile::tempfile_in(known) {
        format!("{shown} cannot be written to ({error})")
    } else {
        return Ok(());
    };
    Err(Failure {
        exit: Exit::Usage,
        message: format!(
            "error: report files cannot go to {}: {why}; name a folder with {option}",
            out.display()
        ),
    })
}

/// The file that all others can be made from.
pub(super) const RESULT_JSON: &str = "result.json";

/// How well a live run agrees with the simulated one.
pub(super) const FIDELITY_JSON: &str = "fidelity.json";

/// The file that tells how a result was made.
pub(super) const RUN_JSON: &str = "run.json";
