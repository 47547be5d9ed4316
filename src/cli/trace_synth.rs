//! `coalmine trace synth`: the requests of a scenario as a trace.

use std::io::{self, Seek};
use std::path::PathBuf;

use clap::Args;

use super::apart::Role;
use super::exit::Exit;
use super::open::{open, open_traces, simulation_failure};
use super::progress::Progress;
use super::scratch::Unnamed;
use super::shared_arguments::{ScenarioArguments, seed};
use super::terminal::{Failure, complain};
use super::trace_export::Output;
use super::trace_format::FormatName;
use super::unfit::Unfit;
use crate::run::{Recorded, record_run};
use crate::trace::{Provenance, Sorter, TraceFormat, TraceReader, Zero};
use crate::units::{Timestamp, format_count, format_counted};

#[derive(Clone, Debug, Args)]
pub(super) struct SynthArguments {
    /// The scenario whose requests are written
    scenario: PathBuf,
    /// Where the trace goes [default: stdout]
    #[arg(short, long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
    /// The format to write
    #[arg(long, value_enum, value_name = "FORMAT", default_value = "coalmine-csv")]
    format: FormatName,
    /// Write what becomes of each request as well: which version answers, how and when
    #[arg(long)]
    outcomes: bool,
    /// Seed of all draws [default: the scenario's]
    #[arg(long, allow_negative_numbers = true, value_parser = seed)]
    seed: Option<u64>,
    #[command(flatten)]
    reading: ScenarioArguments,
}

/// Writes the requests of a scenario.
pub(super) fn run_synth(arguments: &SynthArguments) -> Result<Exit, Failure> {
    let format = TraceFormat::from(arguments.format);
    if arguments.outcomes && !format.keeps_outcomes() {
        let message = format!(
            "error: {format} has no room for what becomes of requests: leave --outcomes out, or \
             choose another --format, such as coalmine-jsonl"
        );
        return Err(Failure { exit: Exit::Usage, message });
    }
    let opened = open(&arguments.scenario, &arguments.reading)?;
    let scenario = &opened.loaded.scenario;
    let traces = scenario.traffic.files().iter().map(|file| ("a trace that is replayed", &**file));
    let read: Vec<Role<'_>> =
        std::iter::once(("the scenario", arguments.scenario.as_path())).chain(traces).collect();
    let output = Output::new(arguments.out.as_deref(), arguments.force, &read)?;
    let seed = arguments.seed.unwrap_or(scenario.seed);
    let what = if arguments.outcomes { Recorded::Outcomes } else { Recorded::Requests };
    let unsorted = |error: io::Error| {
        Failure::internal(format!("error: a temporary file cannot be used: {error}"))
    };
    // Requests end in another order than they are sent.
    let mut names = Unnamed;
    let mut sorter = Sorter::new(&mut names, Zero::Fixed(Some(scenario.start)), true);
    let (mut count, mut failed) = (0, None);
    let mut progress = Progress::new(scenario.expected_requests());
    let refused =
        record_run(scenario, seed, open_traces(scenario)?, what, &mut |at, mut record| {
            count += 1;
            progress.show(count);
            let since = Timestamp::EPOCH + at.since(scenario.start);
            if failed.is_none() {
                failed = sorter.push(since, &mut record).err();
            }
        });
    progress.clear();
    let file = arguments.scenario.display().to_string();
    let refused = refused.map_err(|error| simulation_failure(scenario, &file, error))?;
    if let Some(error) = failed {
        return Err(unsorted(error));
    }
    let sorted = sorter.finish(&Provenance::made_up(count)).map_err(unsorted)?;
    let Some(sorted) = sorted else {
        return Err(Failure::input(format!("error: {file}: the scenario sends no requests")));
    };
    let mut sorted = sorted.file;
    sorted.rewind().map_err(unsorted)?;
    let unread = |error| unsorted(io::Error::other(format!("{error}")));
    let mut reader = TraceReader::new(io::BufReader::new(sorted)).map_err(unread)?;
    let rows = std::iter::from_fn(|| reader.next_record().map_err(unread).transpose());
    let mut unfit = Unfit::refused("choose another --format, such as coalmine-jsonl");
    let written = output.write(format, Some(scenario.start), rows, &mut unfit)?;
    if refused > 0 {
        let refused = format_count(refused);
        complain(&format!("{refused} requests were refused for their key: they are left out"));
    }
    if let Some(path) = &arguments.out {
        complain(&format!("{}: {}", path.display(), format_counted(written, "row", "rows")));
    }
    Ok(Exit::Pass)
}

pub(super) const SYNTH_HELP: &str = "\
Examples:
  coalmine trace synth scenarios/ten-thousand.yaml --format azure -o ten-thousand.csv
  coalmine trace synth scenarios/low-traffic.yaml --outcomes --format litellm -o incident.jsonl
  coalmine trace synth scenarios/ten-thousand.yaml --set workload.requests=1000000 --seed 7

The scenario is played in virtual time, and what a gateway would have logged is written: the same
scenario, seed and build give the same bytes. What only outcomes have (version, status, times, cost)
is left out unless --outcomes is given.";
