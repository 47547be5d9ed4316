//! The command line of `coalmine gate`.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::shared_arguments::{FailOn, ScenarioArguments, seed};
use crate::scenario::MOST_SEEDS;

#[derive(Clone, Debug, Args)]
pub(super) struct GateArguments {
    /// Scenario files, and folders to search for them
    #[arg(required = true, value_name = "PATH")]
    pub(super) paths: Vec<PathBuf>,
    /// Gate only scenarios of this name; `*` stands for any letters; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(super) only: Vec<String>,
    /// How many runs each gate is judged on, of the scenario's seed and those that follow it
    /// [default: what the scenario says, else 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=MOST_SEEDS))]
    pub(super) seeds: Option<u64>,
    /// The first seed, for all scenarios [default: each scenario's]
    #[arg(long, allow_negative_numbers = true, value_parser = seed)]
    pub(super) seed: Option<u64>,
    #[command(flatten)]
    pub(super) reading: ScenarioArguments,
    /// Which verdicts make the exit code that of a failure
    #[arg(long, value_enum, default_value_t = FailOn::Inconclusive)]
    pub(super) fail_on: FailOn,
    /// What lines with `baseline(...)` are held against: a file or a folder that --save-baseline
    /// has written, or a result.json or its folder
    #[arg(long, value_name = "PATH")]
    pub(super) baseline: Option<PathBuf>,
    /// Store the runs for later gates: as NAME.baseline.json of each scenario in this folder, or as
    /// this file where it ends in .json and there is one scenario
    #[arg(long, value_name = "PATH")]
    pub(super) save_baseline: Option<PathBuf>,
    /// Write the verdicts as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub(super) junit: Option<PathBuf>,
    /// Write the verdicts as Markdown, for a comment on a merge request
    #[arg(long, value_name = "FILE")]
    pub(super) summary: Option<PathBuf>,
    /// Tell GitHub: annotations on the lines that fail, the job's summary, the step's outputs
    #[arg(long)]
    pub(super) github: bool,
    /// Write the report files of each scenario, of its first run, into DIR/<scenario's name>
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// How many runs are made at once [default: one for each processor]
    #[arg(long, value_name = "N")]
    pub(super) jobs: Option<NonZeroUsize>,
    /// What is printed on stdout
    #[arg(long, value_enum, default_value_t = GateFormat::Text)]
    pub(super) format: GateFormat,
}

/// What is printed of a suite on stdout.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum GateFormat {
    /// For people.
    Text,
    /// For machines; `coalmine schema gate` prints its JSON Schema.
    Json,
    /// What --summary writes.
    Markdown,
}

pub(super) const GATE_HELP: &str = "\
Examples:
  coalmine gate scenarios/
  coalmine gate scenarios/ --only 'pitfall-*' --junit target/coalmine.xml
  coalmine gate scenarios/slow-burn.yaml --seeds 20
  coalmine gate scenarios/ --save-baseline baseline/
  coalmine gate scenarios/ --baseline baseline/ --fail-on fail
  coalmine gate scenarios/ --out reports --junit junit.xml --github
  coalmine gate scenarios/ --format json | jq '.scenarios[] | select(.outcome != \"pass\")'

In folders *.yaml and *.yml are scenarios, but for hidden ones and those that are only a part of
others. A line of the gate passes only if the whole interval of its estimate holds, fails only if
the whole interval fails, and is inconclusive between; the output says how many requests or runs
would decide it. A line about exact figures must hold in every run. --fail-on fail lets an
inconclusive gate, and a scenario without one, end with 0.";
