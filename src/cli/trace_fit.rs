//! `coalmine trace fit`: from a recording to the scenario that is its twin.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::apart::check_apart;
use super::disk::{write_new, write_whole};
use super::exit::Exit;
use super::open::trace_name;
use super::output::{check_folder, write_files};
use super::scratch::{exists, folder_for};
use super::shared_arguments::{duration, seed};
use super::terminal::{Failure, complain, print, width};
use super::trace_rows::{play, window};
use crate::fit::{FitError, Fitted, Goodness, Observed, RecordingSource};
use crate::report::{twin_charts, twin_text};
use crate::units::{Duration, ModelId, VersionId};
use crate::workload::Window;

#[derive(Clone, Debug, Args)]
pub(super) struct TraceFitArguments {
    /// The trace, in any format that is read; `-` reads stdin
    pub(super) trace: PathBuf,
    /// Where the scenario goes, which must not be there yet; - is stdout [default: stdout, with the
    /// report on stderr]
    #[arg(short, long, value_name = "FILE")]
    pub(super) out: Option<PathBuf>,
    /// Replace the scenario if it is there
    #[arg(long, requires = "out")]
    pub(super) force: bool,
    /// What the recorded times are rounded to: rows of one time are spread over so long first
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(super) dequantize: Option<Duration>,
    /// Fit only this stretch, from the beginning of the trace on: 10m..30m
    #[arg(long, value_name = "FROM..TO", value_parser = window)]
    pub(super) window: Option<Window>,
    /// Fit the requests for this model alone; those that name none count as such
    #[arg(long, value_name = "MODEL", value_parser = model)]
    pub(super) model: Option<ModelId>,
    /// The version that the tag `stable` points to [default: of each model the first that answered]
    #[arg(long, value_name = "VERSION", value_parser = version)]
    pub(super) stable: Option<VersionId>,
    /// How long answers take of versions of which the trace does not have it
    #[arg(long, value_name = "TIME", value_parser = latency)]
    pub(super) latency: Option<Duration>,
    /// How many tokens prompts and answers have, of the two what the trace does not have: 620,210
    #[arg(long, value_name = "INPUT,OUTPUT", value_parser = tokens)]
    pub(super) tokens: Option<[u32; 2]>,
    /// Seed of the twin that is held against the recording
    #[arg(long, default_value_t = 1, allow_negative_numbers = true, value_parser = seed)]
    pub(super) seed: u64,
    /// How the report is written
    #[arg(long, value_enum, default_value_t = FitFormat::Text)]
    pub(super) format: FitFormat,
    /// Write charts of recording and twin into this folder, as SVG and PNG
    #[arg(long, value_name = "DIR")]
    pub(super) charts: Option<PathBuf>,
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
was chosen. What was not recorded is not invented: give it by --latency and --tokens, or write it \
into the scenario. The report runs the twin and holds it against the recording, figure by figure.

Examples:
  coalmine trace fit peak.csv --latency 892ms -o twin.yaml
  coalmine trace fit mooncake.jsonl --dequantize 3s --charts charts > twin.yaml
  coalmine trace fit gateway.jsonl --stable gpt-4-v1 --window 10m..40m -o twin.yaml";

pub(super) fn trace_fit(arguments: &TraceFitArguments) -> Result<Exit, Failure> {
    let out = arguments.out.as_deref().filter(|path| *path != Path::new("-"));
    if let Some(out) = out {
        check_apart(("--out", out), &[("the trace", &arguments.trace)])?;
        folder_for(out, arguments.force)?;
    }
    if let Some(charts) = &arguments.charts {
        check_folder(charts, "--charts")?;
    }
    let file = trace_name(&arguments.trace);
    let failed = |error: FitError| match error {
        FitError::Unplayable { .. } => Failure::internal(format!("error: {file}: {error}")),
        error => Failure::input(format!("error: {file}: {error}")),
    };
    let (observed, source) = observe(arguments, &failed)?;
    observed.check_model().map_err(failed)?;
    let mut fitted = Fitted::of(&observed, arguments.stable.as_ref()).map_err(failed)?;
    give(&mut fitted, arguments)?;
    let name = name(out.unwrap_or(&arguments.trace));
    let goodness =
        Goodness::of(&observed, &fitted, &name, &source, arguments.seed).map_err(failed)?;
    let yaml = fitted.to_yaml(&name, &source);
    let report = match arguments.format {
        FitFormat::Text => twin_text(&fitted, &goodness, width()),
        FitFormat::Json => json(&goodness)?,
    };
    let drawn = match &arguments.charts {
        Some(charts) => draw(charts, &goodness)?,
        None => String::new(),
    };
    let report = match arguments.format {
        FitFormat::Text => format!("{report}{drawn}"),
        FitFormat::Json => report,
    };
    match out {
        None => {
            complain(&report);
            print(&yaml)?;
        }
        Some(out) => {
            write(out, &yaml, arguments.force)?;
            print(&report)?;
            if arguments.format == FitFormat::Text {
                print(&format!("\nScenario: {}\n", out.display()))?;
            }
        }
    }
    Ok(Exit::Pass)
}

/// Draws recording and twin into `folder`, which the charts have for themselves; and says which
/// there are.
fn draw(folder: &Path, goodness: &Goodness) -> Result<String, Failure> {
    let charts = twin_charts(goodness);
    if charts.is_empty() {
        return Ok("\nCharts: none, as there is too little to draw\n".to_owned());
    }
    let files = charts.iter().flat_map(|chart| {
        let (svg, png) = (chart.canvas.svg().into_bytes(), chart.canvas.png());
        [(format!("{}.svg", chart.name), svg), (format!("{}.png", chart.name), png)]
    });
    write_files(folder, files.collect())?;
    let names: Vec<&str> = charts.iter().map(|chart| chart.name).collect();
    let folder = folder.display();
    Ok(format!("\nCharts: {folder} has {}, as SVG and PNG\n", names.join(", ")))
}

/// Takes the options' values for what was not recorded; one that has no place is refused.
fn give(fitted: &mut Fitted, arguments: &TraceFitArguments) -> Result<(), Failure> {
    let file = trace_name(&arguments.trace);
    let needless = |option: &str, what: &str| {
        let message = format!(
            "error: {option}: {file} has {what}, and what is recorded is fitted: leave it out"
        );
        Err(Failure { exit: Exit::Usage, message })
    };
    if let Some(latency) = arguments.latency
        && !fitted.give_latency(latency)
    {
        return needless("--latency", "the latency of each version");
    }
    if let Some(tokens) = arguments.tokens
        && !fitted.give_tokens(tokens)
    {
        return needless("--tokens", "the tokens of prompts and answers");
    }
    Ok(())
}

/// Reads the trace, or a part of it.
fn observe(
    arguments: &TraceFitArguments,
    failed: &dyn Fn(FitError) -> Failure,
) -> Result<(Observed, RecordingSource), Failure> {
    let TraceFitArguments { trace, dequantize, window, model, .. } = arguments;
    let mut observed = model.clone().map_or_else(Observed::default, Observed::only);
    // The seed is the twin's: the scenario does not depend on it.
    let playback =
        play(trace, *dequantize, *window, 0, &mut |record| observed.add(record).map_err(failed))?;
    let accounting = playback.reader().accounting();
    let mut words = Vec::new();
    words.extend(dequantize.map(|over| format!("Times of one value were spread over {over}.")));
    words.extend(window.map(|Window { from, length }| {
        format!("Fitted was the stretch from {from} to {}.", from.saturating_add(length))
    }));
    words.extend(model.as_ref().map(|model| format!("Fitted was {model} alone.")));
    let source = RecordingSource {
        name: file_name(trace),
        sha256: playback.reader().sha256(),
        read: accounting.read,
        left_out: accounting.read - accounting.emitted,
        words,
    };
    Ok((observed, source))
}

/// What the trace is called beside the scenario that is made of it.
fn file_name(trace: &Path) -> String {
    match trace.file_name() {
        Some(name) if name != "-" => name.to_string_lossy().into_owned(),
        _ => trace_name(trace),
    }
}

/// The scenario's name: that of the file at `path`.
fn name(path: &Path) -> String {
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

/// How long an answer takes. A bare number is hardly one of seconds where these were minutes.
fn latency(text: &str) -> Result<Duration, String> {
    match text.trim().parse::<f64>() {
        Ok(number) if number >= 60.0 => Err(format!(
            "{text:?} has no unit: write a duration such as 90s, 250ms, 1m30s; did you mean \
             {}ms?",
            text.trim()
        )),
        _ => duration(text),
    }
}

fn model(text: &str) -> Result<ModelId, String> {
    ModelId::new(text).map_err(|error| error.to_string())
}

fn version(text: &str) -> Result<VersionId, String> {
    VersionId::new(text).map_err(|error| error.to_string())
}

/// Tokens of prompts and answers: `620,210`.
fn tokens(text: &str) -> Result<[u32; 2], String> {
    let counts = text.split_once(',').and_then(|(input, output)| {
        Some([input.trim().parse().ok()?, output.trim().parse().ok()?])
    });
    let allowed = |counts: &[u32; 2]| counts.iter().all(|count| *count > 0);
    counts.filter(allowed).ok_or_else(|| {
        format!("these are two whole numbers from 1 to {}, such as 620,210", u32::MAX)
    })
}
