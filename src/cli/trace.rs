//! `coalmine trace`: what is done with recorded traffic.

use clap::Subcommand;

use super::exit::Exit;
use super::terminal::Failure;
use super::trace_export::{EXPORT_HELP, ExportArguments, run_export};
use super::trace_fit::{TRACE_FIT_HELP, TraceFitArguments, trace_fit};
use super::trace_import::{IMPORT_HELP, ImportArguments, run_import};
use super::trace_stats::{STATS_HELP, StatsArguments, run_stats};
use super::trace_synth::{SYNTH_HELP, SynthArguments, run_synth};

#[derive(Clone, Debug, Subcommand)]
pub(super) enum TraceCommands {
    /// Read a log of requests in any known format; write it as a compact trace, sorted and checked
    #[command(after_help = IMPORT_HELP)]
    Import(ImportArguments),
    /// Describe a trace: rate and bursts, sizes, users, errors and latency by version
    #[command(after_help = STATS_HELP)]
    Stats(StatsArguments),
    /// Write a trace in another format
    #[command(after_help = EXPORT_HELP)]
    Export(ExportArguments),
    /// Fit a scenario to a recording: its twin, and how well the twin does
    #[command(after_help = TRACE_FIT_HELP)]
    Fit(TraceFitArguments),
    /// Write the requests of a scenario as a trace, with or without what becomes of them
    #[command(after_help = SYNTH_HELP)]
    Synth(SynthArguments),
}

/// Carries out a command.
pub(super) fn trace(command: &TraceCommands) -> Result<Exit, Failure> {
    match command {
        TraceCommands::Import(arguments) => run_import(arguments),
        TraceCommands::Stats(arguments) => run_stats(arguments),
        TraceCommands::Export(arguments) => run_export(arguments),
        TraceCommands::Fit(arguments) => trace_fit(arguments),
        TraceCommands::Synth(arguments) => run_synth(arguments),
    }
}
