//! `coalmine trace stats`: what describes a recorded trace.

use std::path::{Path, PathBuf};

use clap::Args;

use super::exit::Exit;
use super::open::trace_name;
use super::output::{chart_files, check_folder, style, write_files};
use super::shared_arguments::{ReportFormat, duration, seed};
use super::terminal::{Failure, print};
use super::trace_rows::{play, window};
use crate::profile::{ProfileMeter, TraceSource, TraceStats};
use crate::report::{trace_stats_charts, trace_stats_csv, trace_stats_markdown, trace_stats_text};
use crate::units::Duration;
use crate::workload::Window;

#[derive(Clone, Debug, Args)]
pub(super) struct StatsArguments {
    /// The trace; `-` reads stdin
    pub(super) trace: PathBuf,
    /// What is printed on stdout
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub(super) format: ReportFormat,
    /// Where stats.json, stats.csv, stats.md and the charts go [default: nowhere]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Spread rows of one time over so long at random: what the recorded times are rounded to
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(super) dequantize: Option<Duration>,
    /// Describe only this stretch, from the beginning of the trace on: 10m..30m
    #[arg(long, value_name = "FROM..TO", value_parser = window)]
    pub(super) window: Option<Window>,
    /// Seed of the draws by which rows are spread
    #[arg(long, default_value_t = 0, value_parser = seed)]
    pub(super) seed: u64,
}

pub(super) fn run_stats(arguments: &StatsArguments) -> Result<Exit, Failure> {
    if let Some(out) = &arguments.out {
        check_folder(out, "--out")?;
    }
    let stats = read(arguments)?;
    if let Some(out) = &arguments.out {
        write(&stats, out)?;
    }
    print(&match arguments.format {
        ReportFormat::Text => trace_stats_text(&stats, style(false)),
        ReportFormat::Json => stats.to_json(),
        ReportFormat::Markdown => trace_stats_markdown(&stats),
        ReportFormat::Csv => trace_stats_csv(&stats),
    })?;
    if let Some(out) = arguments.out.as_ref().filter(|_| arguments.format == ReportFormat::Text) {
        print(&format!("\nTrace files: {}\n", out.display()))?;
    }
    Ok(Exit::Pass)
}

/// Reads the trace to its end.
fn read(arguments: &StatsArguments) -> Result<TraceStats, Failure> {
    let StatsArguments { trace, dequantize, window, seed, .. } = arguments;
    let mut meter = ProfileMeter::default();
    let playback = play(trace, *dequantize, *window, *seed, &mut |record| {
        meter.add(record);
        Ok(())
    })?;
    // Where rows came later, silence at the end of the stretch was recorded.
    if let Some(window) = window.filter(|_| playback.passed_window()) {
        meter.end(window.length);
    }
    let reader = playback.reader();
    let source = TraceSource {
        file: trace_name(trace),
        sha256: reader.sha256(),
        began: reader.began(),
        accounting: reader.accounting().clone(),
        dequantized: *dequantize,
        window: window.map(|window| [window.from, window.length]),
    };
    Ok(TraceStats::new(source, meter.profile()))
}

/// Everything is rendered before the first file is touched.
fn write(stats: &TraceStats, folder: &Path) -> Result<(), Failure> {
    let texts = [
        ("stats.json", stats.to_json()),
        ("stats.csv", trace_stats_csv(stats)),
        ("stats.md", trace_stats_markdown(stats)),
    ];
    let texts = texts.map(|(name, text)| (name.to_owned(), text.into_bytes()));
    let charts = trace_stats_charts(stats);
    write_files(folder, texts.into_iter().chain(charts.iter().flat_map(chart_files)).collect())
}

pub(super) const STATS_HELP: &str = "\
Examples:
  coalmine trace stats fixtures/peak-hour.csv
  coalmine trace stats conversations.jsonl --dequantize 3s --out reports/conversations
  coalmine trace stats gateway.trace --window 30m..60m --format json | jq .profile.versions

What the trace does not have is left out. docs/trace-stats.md says what each figure means.";
