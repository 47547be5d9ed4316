//! `coalmine report`: every output anew from a stored result.

use std::path::Path;

use super::arguments::{OutputFormat, ReportArguments};
use super::exit::Exit;
use super::output::{Output, RESULT_JSON, write_reports};
use super::terminal::{Failure, print};
use crate::result::ResultFile;

pub(super) fn report(arguments: &ReportArguments) -> Result<Exit, Failure> {
    let named = &arguments.result;
    let path = if named.is_dir() { &named.join(RESULT_JSON) } else { named };
    let text = std::fs::read_to_string(path).map_err(|error| {
        Failure::input(format!("error: cannot read result {}: {error}", path.display()))
    })?;
    let result = ResultFile::from_json(&text)
        .map_err(|error| Failure::input(format!("error: {}: {error}", path.display())))?;
    let beside = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let out = arguments.out.as_deref().or(beside).unwrap_or_else(|| Path::new("."));
    write_reports(&result, out, !arguments.no_charts, None)?;
    let output = match arguments.format {
        OutputFormat::Json => Output::Json,
        OutputFormat::Text => Output::Text { intervals: arguments.intervals },
    };
    print(&output.render(&result))?;
    if arguments.format == OutputFormat::Text {
        print(&format!("\nReport files: {}\n", out.display()))?;
    }
    Ok(Exit::Pass)
}
