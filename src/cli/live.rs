//! `coalmine run --live`: a scenario over HTTP, in one process.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::thread;

use clap::Args;

use super::apart::{Role, check_apart};
use super::interrupt::Interrupt;
use super::live_target::{Chosen, TargetArguments};
use super::load_raw::RawLog;
use super::open::{open_traces, simulation_failure};
use super::open_files;
use super::progress::Progress;
use super::quoting::shell_word;
use super::shared_arguments::{duration, speed};
use super::terminal::{Failure, complain};
use crate::clock::TimeScale;
use crate::live::{LiveError, LiveSettings, LiveWatch, run_live};
use crate::record::Outcome;
use crate::run::{Recorded, Rehearsal, trace_record};
use crate::scenario::Scenario;
use crate::units::{Duration, format_counted};

#[derive(Clone, Debug, Args)]
pub(super) struct LiveArguments {
    /// Send the requests over HTTP, through a gateway to a mock of the upstreams
    #[arg(long, help_heading = LIVE, group = "over_http")]
    pub(super) live: bool,
    /// Play it both in virtual time and over HTTP, and say how well the two agree
    #[arg(long, help_heading = LIVE, group = "over_http", conflicts_with = "live")]
    pub(super) both: bool,
    /// How many times as fast as on the wall its time runs: 0.001 to 10000 [default: 1]
    #[arg(
        long,
        help_heading = LIVE,
        value_name = "N",
        requires = "over_http",
        value_parser = speed,
    )]
    pub(super) speed: Option<TimeScale>,
    /// The run shows nothing where the P99 of the dispatch lag is longer, in its own time
    #[arg(
        long,
        help_heading = LIVE,
        value_name = "TIME",
        requires = "over_http",
        default_value = "250ms",
        value_parser = duration,
    )]
    pub(super) lag_limit: Duration,
    #[command(flatten)]
    pub(super) target: TargetArguments,
    /// Write every request that has ended into this file, as a trace that `trace stats`, `backtest`
    /// and scenarios read
    #[arg(long, help_heading = LIVE, value_name = "FILE", requires = "over_http")]
    pub(super) record: Option<PathBuf>,
    /// Replace the file of --record if it is there
    #[arg(long, help_heading = LIVE, requires = "record")]
    pub(super) force: bool,
}

impl LiveArguments {
    /// As they would be given again.
    pub(super) fn as_given(&self) -> String {
        let mut given = match (self.live, self.both) {
            (true, _) => " --live".to_owned(),
            (_, true) => " --both".to_owned(),
            _ => return String::new(),
        };
        if let Some(speed) = self.speed {
            given.push_str(&format!(" --speed {}", speed.times()));
        }
        if self.lag_limit != LAG_LIMIT {
            given.push_str(&format!(" --lag-limit {}", self.lag_limit.to_literal()));
        }
        given.push_str(&self.target.as_given());
        if let Some(record) = &self.record {
            given.push_str(&format!(" --record {}", shell_word(&record.display().to_string())));
            given.push_str(" --force");
        }
        given
    }
}

/// A run over HTTP that can begin: all that its arguments can have wrong has been looked at.
pub(super) struct LivePlay<'a> {
    arguments: &'a LiveArguments,
    file: &'a Path,
    log: Option<RawLog>,
    chosen: Option<Chosen>,
}

impl<'a> LivePlay<'a> {
    /// That of a scenario which is read from `file`, where the arguments ask for one.
    pub(super) fn of(
        arguments: &'a LiveArguments,
        file: &'a Path,
    ) -> Result<Option<Self>, Failure> {
        if !(arguments.live || arguments.both) {
            return Ok(None);
        }
        let log = arguments.record.as_ref().map(|path| {
            let read: [Role<'_>; 1] = [("the scenario", file)];
            check_apart(("--record", path), &read)?;
            RawLog::new(path, arguments.force)
        });
        let log = log.transpose()?;
        let chosen = arguments.target.chosen(arguments.speed)?;
        Ok(Some(Self { arguments, file, log, chosen }))
    }

    /// Plays `scenario`.
    pub(super) fn play(self, scenario: &Scenario, seed: u64) -> Result<Rehearsal, Failure> {
        let Self { arguments, file, log, chosen } = self;
        let traces = open_traces(scenario)?;
        let interrupt = Interrupt::notice()?;
        // Each request in flight has several sockets.
        open_files::allow_all();
        let settings = LiveSettings {
            scale: arguments.speed.unwrap_or(TimeScale::REAL),
            threads: thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            lag_limit: arguments.lag_limit,
            elsewhere: chosen.as_ref().map(|chosen| chosen.gateway.clone()),
        };
        let mut progress = Progress::new(scenario.expected_requests());
        let mut sink = |outcome: &Outcome| {
            if let Some(log) = &log {
                log.push(outcome.started, trace_record(scenario, Recorded::Outcomes, outcome));
            }
        };
        let watch = LiveWatch {
            is_asked_to_stop: &|| interrupt.is_asked(),
            tick: &mut |done| progress.show(done),
            sink: &mut sink,
        };
        let rehearsal = run_live(scenario, seed, traces, &settings, watch);
        progress.clear();
        let rehearsal = rehearsal
            .map_err(|error| live_failure((scenario, file), chosen.as_ref(), &interrupt, error))?;
        if let (Some(log), Some(path)) = (log, &arguments.record) {
            let rows = log.finish()?;
            complain(&format!("{}: {}", path.display(), format_counted(rows, "row", "rows")));
        }
        Ok(rehearsal)
    }
}

fn live_failure(
    (scenario, file): (&Scenario, &Path),
    chosen: Option<&Chosen>,
    interrupt: &Interrupt,
    error: LiveError,
) -> Failure {
    let file = file.display().to_string();
    match (error, chosen) {
        (LiveError::Elsewhere { why, .. }, Some(chosen)) => chosen.failure(&why),
        (LiveError::Left { error, left }, _) => {
            left.told().for_each(|told| complain(&told));
            live_failure((scenario, Path::new(&file)), chosen, interrupt, *error)
        }
        (error @ LiveError::Refused { .. }, Some(_)) => Failure::input(format!("error: {error}")),
        (error, _) => here_failure((scenario, &file), interrupt, error),
    }
}

fn here_failure(
    (scenario, file): (&Scenario, &str),
    interrupt: &Interrupt,
    error: LiveError,
) -> Failure {
    match error {
        LiveError::Simulation(error) => simulation_failure(scenario, file, error),
        error @ LiveError::Unfit(_) => Failure::input(format!("error: {file}: {error}")),
        LiveError::Interrupted => {
            interrupt.check().err().unwrap_or_else(|| Failure::internal("error: interrupted"))
        }
        other => Failure::internal(format!("error: {other}")),
    }
}

const LIVE: &str = "Over HTTP";
/// As the argument has it.
const LAG_LIMIT: Duration = Duration::from_millis(250);
