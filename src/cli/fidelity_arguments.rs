//! The command line of `coalmine fidelity`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::shared_arguments::{confidence, speed};
use crate::clock::TimeScale;
use crate::fidelity::ToleranceChange;
use crate::stats::Confidence;

#[derive(Clone, Debug, Args)]
pub(super) struct FidelityArguments {
    /// The result of the simulated run: a result.json, or its folder
    pub(super) simulated: PathBuf,
    /// The result of the live run of the same scenario
    pub(super) live: PathBuf,
    /// How far a metric may lie from its simulated value: mean, p50, p90, p99 (of latencies), cost,
    /// error_rate or split with a share, or with sampling for what chance explains; rollback with a
    /// number of checks; may be repeated [default: mean=1%, p50=1%, p90=2%, p99=3%, cost=1%,
    /// error_rate=sampling, split=sampling, rollback=1]
    #[arg(long, value_name = "NAME=LIMIT")]
    pub(super) tolerance: Vec<ToleranceChange>,
    /// The probability that all judged errors lie in their intervals at once
    #[arg(long, value_name = "SHARE", default_value = "95%", value_parser = confidence)]
    pub(super) confidence: Confidence,
    /// How many times as fast as on the wall the live run was: above 20 its latencies are shown
    /// and not judged [default: as its result says]
    #[arg(long, value_name = "N", value_parser = speed)]
    pub(super) speed: Option<TimeScale>,
    /// Where fidelity.html, its charts, fidelity.json and fidelity.md go [default: nowhere]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// What makes the exit code that of a failure [default: nothing]
    #[arg(long, value_enum)]
    pub(super) fail_on: Option<FidelityFailOn>,
    /// What is printed on stdout
    #[arg(long, value_enum, default_value_t = FidelityFormat::Text)]
    pub(super) format: FidelityFormat,
}

/// Which verdicts fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum FidelityFailOn {
    /// Any error that is beyond what is allowed: 99
    Beyond,
    /// That, and any of which too little was seen: 5
    Undecided,
}

/// What is printed on stdout.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum FidelityFormat {
    /// For people
    Text,
    /// For machines: `coalmine schema fidelity` prints the schema
    Json,
    /// For a pull request or a CI job's page
    Markdown,
}

pub(super) const FIDELITY_HELP: &str = "\
Examples:
  coalmine fidelity reports/simulated reports/live
  coalmine fidelity reports/simulated reports/live --out reports/fidelity
  coalmine fidelity reports/simulated reports/live --tolerance p99=5% --fail-on beyond
  coalmine fidelity reports/simulated reports/live --tolerance rollback=0 --format json

`coalmine run SCENARIO --both` makes both runs and this. Both results must be of one scenario. An
error is beyond where its whole interval is; undecided where it may be within or beyond. Where both
runs have one seed they met the same draws, and an error that is no more than is allowed is within,
however wide its interval. The exit code is 0 whatever is found, unless --fail-on says otherwise.";
