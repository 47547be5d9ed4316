//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::admin_arguments::{ADMIN_HELP, AdminArguments};
use super::admin_keys::{KEYS_HELP, KeysArguments};
use super::backtest_arguments::{BACKTEST_HELP, BacktestArguments};
use super::exit::EXIT_CODES;
use super::fidelity_arguments::{FIDELITY_HELP, FidelityArguments};
use super::gate_arguments::{GATE_HELP, GateArguments};
use super::journal::JournalCommands;
use super::live::LiveArguments;
use super::load_arguments::{LOAD_HELP, LoadArguments};
use super::mock::{MOCK_HELP, MockArguments};
use super::serve::{SERVE_HELP, ServeArguments};
pub(super) use super::shared_arguments::{FailOn, OutputFormat, ReportFormat, ScenarioArguments};
use super::shared_arguments::{confidence, seed, share};
use super::sweep_arguments::{SWEEP_HELP, SweepArguments};
use super::trace::TraceCommands;
use super::tune_arguments::{TUNE_HELP, TuneArguments};
use crate::stats::Confidence;
use crate::units::Ratio;

/// Rehearse a model canary before its users meet it.
///
/// coalmine replays recorded or synthetic traffic through the routing and rollback engine, against
/// upstreams with injected latency and failures, in virtual time, and answers with a comparison
/// table, a chart and a verdict.
#[derive(Clone, Debug, Parser)]
#[command(name = "coalmine", version, after_help = EXIT_CODES, max_term_width = 100)]
pub(super) struct Arguments {
    #[command(subcommand)]
    pub(super) command: Subcommands,
}

#[derive(Clone, Debug, Subcommand)]
pub(super) enum Subcommands {
    /// Run a scenario in virtual time or over HTTP; print table and verdict, write the report files
    #[command(after_help = RUN_HELP)]
    Run(RunArguments),
    /// Judge the gates of many scenarios, for CI: one verdict each, and an exit code
    #[command(after_help = GATE_HELP)]
    Gate(GateArguments),
    /// Run a scenario under several values and many seeds: how often, how late, how surely
    #[command(after_help = SWEEP_HELP)]
    Sweep(Box<SweepArguments>),
    /// Seek the rules that let the least harm happen and leave a healthy release alone
    #[command(after_help = TUNE_HELP)]
    Tune(Box<TuneArguments>),
    /// Check scenario files (and the traces that they replay) without running them
    #[command(after_help = VALIDATE_HELP)]
    Validate(ValidateArguments),
    /// Write a commented scenario to begin with
    #[command(after_help = INIT_HELP)]
    Init(InitArguments),
    /// Show what a scenario means: every default, the phases, when each rule can fire
    #[command(after_help = EXPLAIN_HELP)]
    Explain(ExplainArguments),
    /// Make the report files anew from a stored result.json
    #[command(after_help = REPORT_HELP)]
    Report(ReportArguments),
    /// Compare results: what differs from the first, how far, and how sure that is
    #[command(after_help = COMPARE_HELP)]
    Compare(CompareArguments),
    /// Hold a live run against the simulated one of its scenario: errors, tolerances, a verdict
    #[command(after_help = FIDELITY_HELP)]
    Fidelity(FidelityArguments),
    /// Recorded traffic: import it, describe it, export it, or make it from a scenario
    #[command(subcommand)]
    Trace(TraceCommands),
    /// Try rollback rules on recorded traffic: when would they have fired, and whom spared
    #[command(after_help = BACKTEST_HELP)]
    Backtest(BacktestArguments),
    /// Serve: the gateway that routes requests to versions and rolls back the one that fails
    #[command(after_help = SERVE_HELP)]
    Serve(ServeArguments),
    /// Answer as the upstreams of a scenario, over HTTP
    #[command(after_help = MOCK_HELP)]
    Mock(MockArguments),
    /// Send a workload to a server over HTTP, each request at its time, and measure what comes
    #[command(after_help = LOAD_HELP)]
    Load(Box<LoadArguments>),
    /// Verify a gateway's journal, show it, export it
    #[command(subcommand)]
    Journal(JournalCommands),
    /// Administer a gateway that serves: versions, splits, rollouts, rules, history, status
    #[command(after_help = ADMIN_HELP)]
    Admin(AdminArguments),
    /// The access keys of a gateway that serves
    #[command(after_help = KEYS_HELP)]
    Keys(KeysArguments),
    /// Print the JSON Schema of a file format, or the keys of scenario files and configurations
    Schema {
        /// Which format
        #[arg(value_enum)]
        format: SchemaOf,
    },
}

#[derive(Clone, Debug, Args)]
pub(super) struct InitArguments {
    /// The scenario's name, or the path of its file [default: canary]
    pub(super) name: Option<PathBuf>,
    /// Write a pipeline as well that gates all scenarios of the folder (scenarios, unless the name
    /// has one); a scenario is written only where the folder has none, or one is named
    #[arg(long, value_enum, value_name = "SYSTEM")]
    pub(super) ci: Option<CiSystem>,
}

/// A CI system that pipelines are written for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum CiSystem {
    /// GitHub Actions.
    Github,
    /// GitLab CI.
    Gitlab,
}

#[derive(Clone, Debug, Args)]
pub(super) struct RunArguments {
    /// The scenario file
    pub(super) scenario: PathBuf,
    /// Seed of all draws [default: the scenario's]
    #[arg(long, allow_negative_numbers = true, value_parser = seed)]
    pub(super) seed: Option<u64>,
    #[command(flatten)]
    pub(super) reading: ScenarioArguments,
    /// Where the report files go [default: reports/<scenario's name>]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Do not draw the charts
    #[arg(long)]
    pub(super) no_charts: bool,
    /// Which verdicts make the exit code that of a failure
    #[arg(long, value_enum, default_value_t = FailOn::Inconclusive)]
    pub(super) fail_on: FailOn,
    /// What is printed on stdout
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub(super) format: ReportFormat,
    /// Show the 95 % interval of each figure in the table
    #[arg(long)]
    pub(super) intervals: bool,
    #[command(flatten)]
    pub(super) live: LiveArguments,
}

#[derive(Clone, Debug, Args)]
pub(super) struct ValidateArguments {
    /// Scenario files, and folders in and below which those named *.yaml and *.yml are checked
    #[arg(required = true, value_name = "PATH")]
    pub(super) scenarios: Vec<PathBuf>,
    #[command(flatten)]
    pub(super) reading: ScenarioArguments,
    /// What is printed: text for people, or all of it as one document on stdout
    #[arg(long, value_enum, default_value_t = ValidationFormat::Text)]
    pub(super) format: ValidationFormat,
}

/// How it is told what is known of scenario files.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum ValidationFormat {
    /// For people
    Text,
    /// For machines: `coalmine schema validation` prints the schema
    Json,
    /// For code scanning and editors: SARIF 2.1.0
    Sarif,
}

#[derive(Clone, Debug, Args)]
pub(super) struct ExplainArguments {
    /// The scenario file
    pub(super) scenario: PathBuf,
    #[command(flatten)]
    pub(super) reading: ScenarioArguments,
    /// Print the whole scenario instead, as a scenario file with every default written out
    #[arg(long, conflicts_with = "format")]
    pub(super) resolved: bool,
    /// What is printed: text for people, or the resolved scenario as JSON
    #[arg(long, value_enum, default_value_t = OutputFormat::Text)]
    pub(super) format: OutputFormat,
}

#[derive(Clone, Debug, Args)]
pub(super) struct ReportArguments {
    /// A result.json that `run` has written, or its folder
    pub(super) result: PathBuf,
    /// Where the report files go [default: the folder of the result]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Do not draw the charts
    #[arg(long)]
    pub(super) no_charts: bool,
    /// What is printed on stdout
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub(super) format: ReportFormat,
    /// Show the 95 % interval of each figure in the table
    #[arg(long)]
    pub(super) intervals: bool,
}

#[derive(Clone, Debug, Args)]
pub(super) struct CompareArguments {
    /// Two or more results: each a result.json that `run` has written, or its folder. The others
    /// are held against the first
    #[arg(required = true, value_name = "RESULT")]
    pub(super) results: Vec<PathBuf>,
    /// Compare results of different scenarios or traces all the same, and tell in what they differ
    #[arg(long)]
    pub(super) across: bool,
    /// By which share of the first result's value a metric must differ to be called better or
    /// worse, however sure the difference
    #[arg(long, value_name = "SHARE", default_value = "0%", value_parser = share)]
    pub(super) smallest_effect: Ratio,
    /// The confidence of each interval, and of not calling anything different that is not
    #[arg(long, value_name = "SHARE", default_value = "95%", value_parser = confidence)]
    pub(super) confidence: Confidence,
    /// Where comparison.html, its charts, comparison.json, comparison.md and comparison.csv go
    /// [default: nowhere]
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// What makes the exit code that of a failure [default: nothing]
    #[arg(long, value_enum)]
    pub(super) fail_on: Option<CompareFailOn>,
    /// What is printed on stdout
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub(super) format: ReportFormat,
}

/// Which findings of a comparison fail.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum CompareFailOn {
    /// Any metric that is worse than in the first result, or a gate that has come to fail.
    Worse,
}

/// A file format with a schema.
#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
pub(super) enum SchemaOf {
    /// Scenario files
    Scenario,
    /// Configurations of gateways
    Gateway,
    /// result.json
    Result,
    /// What `validate --format json` prints
    Validation,
    /// What `gate --format json` prints
    Gate,
    /// What `backtest --format json` prints
    Backtest,
    /// What `trace stats --format json` prints
    TraceStats,
    /// What `load --format json` prints
    Load,
    /// What `fidelity --format json` prints
    Fidelity,
    /// What `sweep --format json` prints
    Sweep,
    /// What `tune --format json` prints
    Tune,
    /// Lists of faults, for `tune --against`
    Faults,
    /// Every key of scenario files and configurations with its default and meaning, as Markdown
    Reference,
}

const COMPARE_HELP: &str = "\
Examples:
  coalmine compare reports/main reports/branch
  coalmine compare reports/main reports/branch --smallest-effect 5% --fail-on worse
  coalmine compare reports/rules-a reports/rules-b --across
  coalmine compare reports/seed-1 reports/seed-2 reports/seed-3 --out reports/seeds
  coalmine compare reports/main reports/branch --format markdown >> \"$GITHUB_STEP_SUMMARY\"

Results of different scenarios or traces are refused, and told what differs, unless --across is
given: two sets of rules are different scenarios. A difference is found where its p-value, adjusted
for all that are tested, is at most 1 less the confidence. The exit code is 0 whatever is found,
unless --fail-on says otherwise.";

const RUN_HELP: &str = "\
Examples:
  coalmine run scenarios/ten-thousand.yaml
  coalmine run scenarios/ten-thousand.yaml --seed 7 --out /tmp/seed-7
  coalmine run scenarios/ten-thousand.yaml --set workload.requests=100000 --no-charts
  coalmine run scenarios/ten-thousand.yaml --set models.gpt-4.rules.conditions.0.threshold=0.02
  coalmine run scenarios/ten-thousand.yaml --set phases.incident.within=10m
  coalmine run scenarios/false-alarm.yaml --format json | jq .gate.verdict
  coalmine run scenarios/false-alarm.yaml --format markdown >> $GITHUB_STEP_SUMMARY
  coalmine run scenarios/ten-thousand.yaml --live --speed 10
  coalmine run scenarios/ten-thousand.yaml --live --speed 10 --record ten-thousand.trace
  coalmine run scenarios/ten-thousand.yaml --both --speed 10
  coalmine run scenarios/false-alarm.yaml --live --target http://gw:8080 --mock-listen 10.0.0.7:9000

In a path the items of a list go by their number from 0, or by their name, title or id.

The same scenario, seed and build give the same bytes of result.json; what may differ from run to
run is in run.json. With --live the requests go over HTTP, through a gateway to a mock of the
upstreams, at free ports of this machine: what the clock says then differs from run to run. With
--target a gateway that runs elsewhere serves; docs/live.md says what it needs.";

const INIT_HELP: &str = "\
Examples:
  coalmine init
  coalmine init scenarios/gpt-5.yaml
  coalmine init --ci github
  coalmine init --ci gitlab gpt-5

Beside the scenario stands scenario.schema.json, by which editors complete and check it. Pipelines
are for the root of a repository; docs/ci.md says what they do. What is there is never overwritten:
every file is written, or none.";

const VALIDATE_HELP: &str = "\
Examples:
  coalmine validate scenarios
  coalmine validate scenarios/ten-thousand.yaml --set seed=7
  coalmine validate scenarios --format sarif > coalmine.sarif
  coalmine validate scenarios --format json | jq '.files[] | select(.ok | not) | .problems[]'

Of a folder, hidden files are left out, and files that others of it are made with and that are no
scenario by themselves: those lack one of the keys that every scenario has. The exit code is the
worst of all files.";

const EXPLAIN_HELP: &str = "\
Examples:
  coalmine explain scenarios/low-traffic.yaml
  coalmine explain scenarios/low-traffic.yaml --resolved > scenarios/low-traffic-whole.yaml
  coalmine explain scenarios/low-traffic.yaml --format json | jq .models";

const REPORT_HELP: &str = "\
Examples:
  coalmine report reports/ten-thousand
  coalmine report old/result.json --out /tmp/again --format json

The exit code tells whether the files could be made: 0 whatever the stored verdict is.";
