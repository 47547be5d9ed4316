//! The command line of `coalmine sweep`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::shared_arguments::{FailOn, ReportFormat, ScenarioArguments, seed, share};
use crate::study::{Precision, Shard, ShardError, Variation};

#[derive(Clone, Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct SweepArguments {
    #[command(subcommand)]
    pub(super) part: Option<SweepParts>,
    /// Of a sweep on this machine; absent of a part of one.
    #[command(flatten)]
    pub(super) terms: Option<TermsArguments>,
    #[command(flatten)]
    pub(super) reading: ScenarioArguments,
    #[command(flatten)]
    pub(super) telling: TellingArguments,
    /// Write the result.json of each run into DIR/runs too: they are large
    #[arg(long, requires = "out", conflicts_with = "rare")]
    pub(super) keep: bool,
    /// How many runs are made at once [default: one for each processor]
    #[arg(long, value_name = "N")]
    pub(super) jobs: Option<NonZeroUsize>,
}

/// What is done for a sweep on several machines.
#[derive(Clone, Debug, Subcommand)]
pub(super) enum SweepParts {
    /// Write a plan for several machines: everything that decides what comes out, and its hash
    Plan(PlanArguments),
    /// Make the runs of one shard of a plan
    #[command(after_help = SHARD_HELP)]
    Run(ShardArguments),
    /// Put the shards of a plan together: the files of a sweep on one machine, byte for byte
    Merge(MergeArguments),
}

/// What is run. Nothing is flattened into it: clap would not see whether it is there.
#[derive(Clone, Debug, Args)]
pub(super) struct TermsArguments {
    /// The scenario file
    pub(super) scenario: PathBuf,
    /// How many runs each combination of values gets, of the same seeds for all
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MOST_SEEDS))]
    pub(super) seeds: u64,
    /// The first seed; the others follow it [default: the scenario's]
    #[arg(long, value_name = "FIRST", allow_negative_numbers = true, value_parser = seed)]
    pub(super) seed: Option<u64>,
    /// A path as --set takes it and the values that it is to take, as a list or as a range from one
    /// end to the other; may be repeated: then every combination is run
    #[arg(long, value_name = "PATH=A,B,C | PATH=A..B:N", value_parser = variation)]
    pub(super) vary: Vec<Variation>,
    /// A line that is judged on the runs of each combination beside those of the scenario that are
    /// over runs, such as "p(rollback) > 90%"; baseline(...) is the first combination; may be
    /// repeated
    #[arg(long, value_name = "LINE")]
    pub(super) gate: Vec<String>,
    /// Stop a combination when half the width of the interval of its probability of a rollback is
    /// this or less, such as 1%; looked at after every 100 runs
    #[arg(long, value_name = "SHARE", value_parser = precision)]
    pub(super) precision: Option<Precision>,
    /// Tell how probable it is that a healthy version is rolled back, down to 1e-9 and beyond, and
    /// nothing else: draws are tilted so that it happens often, and runs are weighted
    #[arg(long, conflicts_with = "precision")]
    pub(super) rare: bool,
}

/// What is told of a sweep.
#[derive(Clone, Debug, Args)]
pub(super) struct TellingArguments {
    /// Where sweep.json, runs.csv, cells.csv, summary.md, sweep.html and the charts go, and what is
    /// done where the sweep is interrupted: the same command goes on from there [default: nowhere]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Do not draw the charts
    #[arg(long)]
    pub(super) no_charts: bool,
    /// Write the tables as runs.parquet and cells.parquet too, with the columns of their CSV; needs
    /// a build with `--features parquet`
    #[arg(long, requires = "out")]
    pub(super) parquet: bool,
    /// Which verdicts make the exit code that of a failure
    #[arg(long, value_enum, default_value_t = FailOn::Inconclusive)]
    pub(super) fail_on: FailOn,
    /// What is printed on stdout
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub(super) format: ReportFormat,
}

#[derive(Clone, Debug, Args)]
pub(super) struct PlanArguments {
    #[command(flatten)]
    pub(super) terms: TermsArguments,
    #[command(flatten)]
    pub(super) reading: ScenarioArguments,
    /// Into how many parts it is divided
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MOST_SHARDS))]
    pub(super) shards: u64,
    /// The plan's file
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    pub(super) output: PathBuf,
}

#[derive(Clone, Debug, Args)]
pub(super) struct ShardArguments {
    /// The plan's file
    pub(super) plan: PathBuf,
    /// Which part, from 0/N to N-1/N; `env` takes the number from JOB_COMPLETION_INDEX or
    /// SLURM_ARRAY_TASK_ID
    #[arg(long, value_name = "I/N", default_value = "env", value_parser = which)]
    pub(super) shard: WhichShard,
    /// The file of what comes out
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    pub(super) output: PathBuf,
    /// How many runs are made at once [default: one for each processor]
    #[arg(long, value_name = "N")]
    pub(super) jobs: Option<NonZeroUsize>,
    /// Let the plan name traces outside the scenario's folder and the working directory
    #[arg(long)]
    pub(super) allow_outside: bool,
}

/// Which shard is run.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum WhichShard {
    /// What the environment says.
    Environment,
    /// This one.
    Said(Shard),
}

#[derive(Clone, Debug, Args)]
pub(super) struct MergeArguments {
    /// The plan's file
    pub(super) plan: PathBuf,
    /// The files of all its shards, in any order
    #[arg(required = true, value_name = "SHARD")]
    pub(super) shards: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) telling: TellingArguments,
    /// Let the plan name traces outside the scenario's folder and the working directory
    #[arg(long)]
    pub(super) allow_outside: bool,
}

fn variation(text: &str) -> Result<Variation, String> {
    Variation::parse(text).map_err(|error| error.to_string())
}

fn precision(text: &str) -> Result<Precision, String> {
    Precision::new(share(text)?.get()).map_err(|error| error.to_string())
}

fn which(text: &str) -> Result<WhichShard, String> {
    if text == "env" {
        return Ok(WhichShard::Environment);
    }
    text.parse().map(WhichShard::Said).map_err(|error: ShardError| error.to_string())
}

/// Chosen: more seeds of one combination tell nothing more that anybody would act on.
const MOST_SEEDS: u64 = 10_000_000;
/// Chosen: more than any cluster has tasks.
const MOST_SHARDS: u64 = 1_000_000;

pub(super) const SWEEP_HELP: &str = "\
Examples:
  coalmine sweep scenarios/low-traffic.yaml --seeds 200
  coalmine sweep scenarios/low-traffic.yaml --seeds 200 --out reports/low-traffic-sweep \\
    --vary 'phases.dead canary.faults.gpt-4-turbo-v2.0.failures.503=5%..100%:6' \\
    --vary models.gpt-4.rules.conditions.judge.prior_strength=2,10,100
  coalmine sweep scenarios/ten-thousand.yaml --seeds 10000 --precision 1% \\
    --vary models.gpt-4.rules.conditions.0.threshold=0.02,0.05,0.1
  coalmine sweep scenarios/ten-thousand.yaml --seeds 100 --gate 'p(false_rollback) < 5%'
  coalmine sweep scenarios/ten-thousand.yaml --seeds 1000 --rare --gate 'p(false_rollback) < 1e-6'
  coalmine sweep plan scenarios/ten-thousand.yaml --seeds 10000 --shards 5 -o plan.json
  coalmine sweep run plan.json --shard 0/5 -o shard-0.rows
  coalmine sweep merge plan.json shard-*.rows --out reports/sweep

All combinations meet the same traffic, latencies and failures: they differ in nothing but what is
varied, and are compared run by run. Nothing is kept of a run but a row of numbers. On any number of
threads and machines the same bytes come out. Ctrl-C keeps what is done in DIR, and the same command
goes on from there.";

const SHARD_HELP: &str = "\
Examples:
  coalmine sweep run plan.json --shard 3/5 -o shard-3.rows
  coalmine sweep run plan.json -o \"shard-$SLURM_ARRAY_TASK_ID.rows\"

Nothing but the plan (and the traces that it names) is read, and the file is written whole or not at
all. A file that is whole already is left as it is, so that a task may be run again.";
