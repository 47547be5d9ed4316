//! What `coalmine gate` writes and prints: reports, baselines, JUnit, Markdown, verdicts.

use std::path::{Path, PathBuf};

use super::arguments::FailOn;
use super::baselines::file_name;
use super::disk::{check_writable, write_whole};
use super::exit::Exit;
use super::gate_arguments::{GateArguments, GateFormat};
use super::gated::Gated;
use super::github;
use super::output::{check_folder, style, write_reports};
use super::provenance::RunFile;
use super::terminal::{Failure, print};
use crate::report::{GITHUB_COMMENT_LIMIT, suite_junit, suite_markdown, suite_text};
use crate::result::ResultFile;
use crate::suite::SuiteReport;
use crate::units::Duration;

/// Refuses files and folders that cannot be written, before there is anything that would be lost.
pub(super) fn check_outputs(arguments: &GateArguments) -> Result<(), Failure> {
    let GateArguments { out, junit, summary, save_baseline, .. } = arguments;
    if let Some(out) = out {
        check_folder(out, "--out")?;
        writable(out)?;
    }
    for (file, option) in [(junit, "--junit"), (summary, "--summary")] {
        let Some(file) = file else { continue };
        if file.is_dir() {
            return Err(usage(format!("error: {} is a folder; name a file", file.display())));
        }
        check_folder(parent(file), option)?;
        writable(parent(file))?;
    }
    if let Some(path) = save_baseline {
        let folder = if is_file(path) { parent(path) } else { path };
        check_folder(folder, "--save-baseline")?;
        writable(folder)?;
    }
    Ok(())
}

/// Refuses files that would be written over by each other, or over what is read.
pub(super) fn check_files(arguments: &GateArguments, read: &[&str]) -> Result<(), Failure> {
    let GateArguments { junit, summary, save_baseline, .. } = arguments;
    let baseline = save_baseline.as_ref().filter(|path| is_file(path));
    if let Some(path) = baseline.filter(|_| read.len() != 1) {
        let (path, count) = (path.display(), read.len());
        return Err(usage(format!(
            "error: {path} is one file, and there are {count} scenarios: name a folder"
        )));
    }
    let resolved = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let mut taken: Vec<PathBuf> = read.iter().map(|file| resolved(Path::new(file))).collect();
    for path in [junit.as_ref(), summary.as_ref(), baseline].into_iter().flatten() {
        let own = resolved(path);
        if taken.contains(&own) {
            return Err(usage(format!(
                "error: {} is a scenario, or written twice: name another file",
                path.display()
            )));
        }
        taken.push(own);
    }
    Ok(())
}

fn writable(folder: &Path) -> Result<(), Failure> {
    check_writable(folder).map_err(|error| {
        Failure::internal(format!("error: cannot write into {}: {error}", folder.display()))
    })
}

fn parent(file: &Path) -> &Path {
    file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."))
}

/// Whether a path for a baseline names a file, not a folder.
fn is_file(path: &Path) -> bool {
    !path.is_dir() && path.extension().is_some_and(|extension| extension == "json")
}

fn usage(message: String) -> Failure {
    Failure { exit: Exit::Usage, message }
}

/// Writes and prints all that is asked for. What could not be written takes nobody's verdict away:
/// it is printed all the same.
pub(super) fn write_outputs(
    report: &SuiteReport,
    gated: &[Gated],
    arguments: &GateArguments,
) -> Result<(), Failure> {
    let written = write_files(report, gated, arguments);
    print(&match arguments.format {
        GateFormat::Text => suite_text(report, style(false)),
        GateFormat::Json => report.to_json(),
        GateFormat::Markdown => suite_markdown(report, GITHUB_COMMENT_LIMIT),
    })?;
    written
}

fn write_files(
    report: &SuiteReport,
    gated: &[Gated],
    arguments: &GateArguments,
) -> Result<(), Failure> {
    write_baselines(gated, arguments)?;
    let lenient = arguments.fail_on == FailOn::Fail;
    if let Some(file) = &arguments.junit {
        let took: Vec<Duration> = gated.iter().map(|gated| gated.took).collect();
        write(file, &suite_junit(report, &took, lenient))?;
    }
    if let Some(file) = &arguments.summary {
        write(file, &suite_markdown(report, GITHUB_COMMENT_LIMIT))?;
    }
    if arguments.github {
        github::tell(report, lenient, arguments.format == GateFormat::Text)?;
    }
    // The largest come last: what is small has room longer.
    for (folder, (result, run)) in gated.iter().filter_map(reported) {
        write_reports(result, Path::new(folder), true, Some(run), None)?;
    }
    Ok(())
}

fn reported(gated: &Gated) -> Option<(&str, &(ResultFile, RunFile))> {
    let folder = gated.told.report.as_deref()?;
    Some((folder, gated.played.as_ref()?.report.as_ref()?))
}

/// Writes the runs of each scenario for later gates. A file by itself holds those of one.
fn write_baselines(gated: &[Gated], arguments: &GateArguments) -> Result<(), Failure> {
    let Some(path) = &arguments.save_baseline else { return Ok(()) };
    for one in gated {
        let Some(baseline) = &one.baseline else { continue };
        let file: PathBuf = match is_file(path) {
            true => path.clone(),
            false => path.join(file_name(&one.told.name)),
        };
        write(&file, &baseline.to_json())?;
    }
    Ok(())
}

fn write(file: &Path, text: &str) -> Result<(), Failure> {
    write_whole(file, text.as_bytes()).map_err(|error| Failure::unwritten(file, &error))
}
