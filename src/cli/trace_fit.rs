//! `coalmine trace fit`: from a recording to the scenario that is its twin.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::disk::{write_new, write_whole};
use super::exit::Exit;
use super::open::open_trace;
use super::output::{chart_files, check_folder, write_files};
use super::scratch::exists;
use super::shared_arguments::{duration, seed};
use super::terminal::{Failure, complain, print, width};
use crate::chance::Chance;
use crate::fit::{FitError, Fitted, Goodness, Observed, RecordingSource};
use crate::report::{twin_charts, twin_text};
use crate::trace::{TraceError, TraceReader};
use crate::units::{Duration, ModelId, VersionId};
use crate::workload::{Playback, PlaybackOptions, Window};

#[derive(Clone, Debug, Args)]
pub(super) struct TraceFitArguments {
    /// The trace, in any format that is read
    pub(super) trace: PathBuf,
    /// Where the scenario goes, which must not be there yet [default: stdout, with the report on
    /// stderr]
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,
    /// Replace the scenario if it is there
    #[arg(long, requires = "output")]
    pub(super) force: bool,
    /// What the recorded times are rounded to: rows of one time are spread over so long first
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(super) dequantize: Option<Duration>,
    /// Where the part begins that is fitted [default: with the trace]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub(super) from: Option<Duration>,
    /// How long the part is that is fitted [default: to the end of the trace]
    #[arg(long = "for", value_name = "DURATION", value_parser = duration)]
    pub(super) length: Option<Duration>,
    /// Fit the requests for this model alone; those that name none count as such
    #[arg(long, value_name = "MODEL", value_parser = model)]
    pub(super) model: Option<ModelId>,
    /// The version that the tag `stable` points to [default: of each model the first that answered]
    #[arg(long, value_name = "VERSION", value_parser = version)]
    pub(super) stable: Option<VersionId>,
    /// Seed of the twin that is held against the recording
    #[arg(long, default_value_t = 1, allow_negative_numbers = true, value_parser = seed)]
    pub(super) seed: u64,
    /// How the report is written
    #[arg(long, value_enum, default_value_t = FitFormat::Text)]
    pub(super) format: FitFormat,
    /// Write charts of recording and twin into this folder, as SVG and PNG
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
}

/// How it is told how well a twin does.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum FitFormat {
    /// For people
    Text,
    /// For machines
    Json,
}

pub(super) const TRACE_FIT_HELP: &str = "\
The scenario has the arrivals, token counts, users and sessions of the recording, and for each \
version its latency, failures and price, as far as they were recorded; its comments say how each \
was chosen. The report runs it and holds it against the recording, figure by figure.

Examples:
  coalmine trace fit peak.csv -o twin.yaml
  coalmine trace fit mooncake.jsonl --dequantize 3s --out charts > twin.yaml
  coalmine trace fit gateway.jsonl --stable gpt-4-v1 --from 10m --for 30m -o twin.yaml";

pub(super) fn trace_fit(arguments: &TraceFitArguments) -> Result<Exit, Failure> {
    if let Some(output) = arguments.output.as_deref().filter(|_| !arguments.force)
        && output.exists()
    {
        return Err(exists(output));
    }
    if let Some(out) = &arguments.out {
        check_folder(out)?;
    }
    let (observed, source) = observe(arguments)?;
    let file = arguments.trace.display();
    let failed = |error: FitError| match error {
        FitError::Unplayable { .. } => Failure::internal(format!("error: {file}: {error}")),
        error => Failure::input(format!("error: {file}: {error}")),
    };
    observed.check_model().map_err(failed)?;
    let fitted = Fitted::of(&observed, arguments.stable.as_ref()).map_err(failed)?;
    let yaml = fitted.to_yaml(&name(arguments), &source);
    let goodness = Goodness::of(&observed, &fitted, &yaml, arguments.seed).map_err(failed)?;
    let report = match arguments.format {
        FitFormat::Text => twin_text(&fitted, &goodness, width()),
        FitFormat::Json => json(&goodness)?,
    };
    if let Some(out) = &arguments.out {
        let files = twin_charts(&goodness);
        write_files(out, files.iter().flat_map(chart_files).collect())?;
    }
    match &arguments.output {
        None => {
            complain(&report);
            print(&yaml)?;
        }
        Some(output) => {
            write(output, &yaml, arguments.force)?;
            print(&report)?;
            if arguments.format == FitFormat::Text {
                print(&format!("\nScenario: {}\n", output.display()))?;
            }
        }
    }
    Ok(Exit::Pass)
}

/// Reads the trace, or a part of it.
fn observe(arguments: &TraceFitArguments) -> Result<(Observed, RecordingSource), Failure> {
    let path = &arguments.trace;
    let failed = |error: TraceError| Failure::input(format!("error: {}: {error}", path.display()));
    let reader = TraceReader::new(open_trace(path)?).map_err(failed)?;
    let from = arguments.from.unwrap_or_default();
    let window = (arguments.from.is_some() || arguments.length.is_some()).then(|| Window {
        from,
        length: arguments.length.unwrap_or_else(|| Duration::MAX.saturating_sub(from)),
    });
    let dequantize = arguments.dequantize;
    let options = PlaybackOptions { dequantize, window, ..PlaybackOptions::default() };
    let mut playback = Playback::new(reader, options, Chance::new(arguments.seed, 0), 0);
    let mut observed = match &arguments.model {
        None => Observed::default(),
        Some(model) => Observed::only(model.clone()),
    };
    while let Some(record) = playback.next_record().map_err(failed)? {
        let added = observed.add(&record);
        added.map_err(|error| Failure::input(format!("error: {}: {error}", path.display())))?;
    }
    let accounting = playback.reader().accounting();
    let mut words = Vec::new();
    words.extend(dequantize.map(|over| format!("Times of one value were spread over {over}.")));
    words.extend(window.map(|window| {
        let length = arguments.length.map_or_else(|| "all".to_owned(), |of| of.to_string());
        format!("Fitted was {length} of it from {} on.", window.from)
    }));
    words.extend(arguments.model.as_ref().map(|model| format!("Fitted was {model} alone.")));
    let source = RecordingSource {
        name: path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        sha256: playback.reader().sha256(),
        read: accounting.read,
        left_out: accounting.read - accounting.emitted,
        words,
    };
    Ok((observed, source))
}

/// The scenario's name: that of its file, or of the trace.
fn name(arguments: &TraceFitArguments) -> String {
    let path = arguments.output.as_ref().unwrap_or(&arguments.trace);
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '-' };
    let name: String = stem.chars().map(plain).take(64).collect();
    let name = name.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
    if name.is_empty() { "twin".to_owned() } else { name.to_owned() }
}

fn write(path: &Path, yaml: &str, force: bool) -> Result<(), Failure> {
    let unwritten = |error| Failure::unwritten(path, &error);
    if force {
        return write_whole(path, yaml.as_bytes()).map_err(unwritten);
    }
    match write_new(path, yaml.as_bytes()).map_err(unwritten)? {
        true => Ok(()),
        false => Err(exists(path)),
    }
}

fn json(goodness: &Goodness) -> Result<String, Failure> {
    let text = serde_json::to_string_pretty(goodness).map_err(Failure::internal)?;
    Ok(format!("{text}\n"))
}

fn model(text: &str) -> Result<ModelId, String> {
    ModelId::new(text).map_err(|error| error.to_string())
}

fn version(text: &str) -> Result<VersionId, String> {
    VersionId::new(text).map_err(|error| error.to_string())
}
