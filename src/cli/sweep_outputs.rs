//! What a sweep leaves behind: its files, what is printed, the exit code.

use std::path::Path;

use super::arguments::{FailOn, ReportFormat};
use super::exit::Exit;
use super::output::{chart_files, replace_files, style};
use super::sweep_arguments::TellingArguments;
use super::terminal::{Failure, print};
use crate::gate::Verdict;
use crate::page::sweep_page;
use crate::report::{
    SWEEP_CHARTS, sweep_cells_csv, sweep_charts, sweep_markdown, sweep_runs_csv, sweep_text,
};
#[cfg(feature = "parquet")]
use crate::report::{sweep_cells_parquet, sweep_runs_parquet};
use crate::study::{Cell, Ledger, SweepReport};

/// Whether this build can write what is asked for; to be known before anything is run.
pub(super) fn check_telling(arguments: &TellingArguments) -> Result<(), Failure> {
    if arguments.parquet && !cfg!(feature = "parquet") {
        return Err(Failure::usage(
            "error: --parquet: this build writes no Parquet\n  help: build coalmine with `cargo \
             install --features parquet`, or take runs.csv and cells.csv: they have the same \
             columns",
        ));
    }
    Ok(())
}

/// Writes the files of a sweep and prints it.
pub(super) fn tell(
    report: &SweepReport,
    cells: &[Cell],
    ledger: &Ledger,
    arguments: &TellingArguments,
) -> Result<Exit, Failure> {
    if let Some(out) = &arguments.out {
        write(report, cells, ledger, (out, arguments))?;
    }
    print(&match arguments.format {
        ReportFormat::Json => report.to_json(),
        ReportFormat::Markdown => sweep_markdown(report),
        ReportFormat::Csv => sweep_cells_csv(report),
        ReportFormat::Text => sweep_text(report, style(true)),
    })?;
    if let (Some(out), ReportFormat::Text) = (&arguments.out, arguments.format) {
        print(&format!("\nSweep files: {}\n", out.display()))?;
    }
    Ok(exit(report, arguments.fail_on))
}

/// Everything is rendered before the first file is touched.
fn write(
    report: &SweepReport,
    cells: &[Cell],
    ledger: &Ledger,
    (folder, arguments): (&Path, &TellingArguments),
) -> Result<(), Failure> {
    let drawn = if arguments.no_charts { Vec::new() } else { sweep_charts(report) };
    let mut files = vec![
        ("sweep.json".to_owned(), report.to_json().into_bytes()),
        ("runs.csv".to_owned(), sweep_runs_csv(report, cells, ledger.rows()).into_bytes()),
        ("cells.csv".to_owned(), sweep_cells_csv(report).into_bytes()),
        ("summary.md".to_owned(), sweep_markdown(report).into_bytes()),
        ("sweep.html".to_owned(), sweep_page(report, &drawn).into_bytes()),
    ];
    #[cfg(feature = "parquet")]
    if arguments.parquet {
        files.push(("runs.parquet".to_owned(), sweep_runs_parquet(report, cells, ledger.rows())));
        files.push(("cells.parquet".to_owned(), sweep_cells_parquet(report)));
    }
    files.extend(drawn.iter().flat_map(chart_files));
    replace_files(folder, files, &own_files())
}

/// What a sweep may leave in its folder and does not always.
fn own_files() -> Vec<String> {
    let charts = SWEEP_CHARTS.iter();
    let charts = charts.flat_map(|name| ["svg", "png"].map(|kind| format!("charts/{name}.{kind}")));
    let tables = ["runs.parquet", "cells.parquet"].map(str::to_owned);
    tables.into_iter().chain(charts).collect()
}

/// The code for the gravest verdict of all cells.
fn exit(report: &SweepReport, fail_on: FailOn) -> Exit {
    match report.verdict() {
        None | Some(Verdict::Pass) => Exit::Pass,
        Some(Verdict::Inconclusive) if fail_on == FailOn::Fail => Exit::Pass,
        Some(Verdict::Inconclusive) => Exit::Inconclusive,
        Some(Verdict::Fail) => Exit::GateFailed,
        Some(Verdict::Invalid) => Exit::InvalidRun,
    }
}
