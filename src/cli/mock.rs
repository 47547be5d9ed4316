//! `coalmine mock`: the upstreams of a scenario, or known ones, over HTTP.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use clap::builder::PossibleValuesParser;
use serde_json::{Value, json};

use super::exit::Exit;
use super::open::open;
use super::open_files;
use super::shared_arguments::{ScenarioArguments, seed, speed, time};
use super::signals::Signals;
use super::terminal::{Failure, complain};
use crate::chance::Distribution;
use crate::clock::{TimeScale, WallClock};
use crate::mock::{
    DescribedBehaviour, MockAdmin, MockError, MockPlace, MockReport, MockServer, MockSettings,
    MockVersion, Numbering,
};
use crate::scenario::{Loaded, PRESETS};
use crate::units::{Duration, format_counted};

#[derive(Clone, Debug, Args)]
pub(super) struct MockArguments {
    /// The scenario whose versions it answers as
    #[arg(required_unless_present = "presets")]
    pub(super) scenario: Option<PathBuf>,
    /// A known model or server that it answers as, by this name; may be repeated
    #[arg(long = "preset", value_name = "NAME", value_parser = PossibleValuesParser::new(PRESETS))]
    pub(super) presets: Vec<String>,
    #[command(flatten)]
    pub(super) reading: ScenarioArguments,
    /// Where it listens; the port 0 is any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    pub(super) listen: SocketAddr,
    /// Where it is administered instead; then nobody can connect while all requests are refused
    #[arg(long, value_name = "ADDRESS")]
    pub(super) admin: Option<SocketAddr>,
    /// How many threads serve [default: as many as there are cores]
    #[arg(long, value_name = "N")]
    pub(super) threads: Option<NonZeroUsize>,
    /// Seed of all draws [default: the scenario's, or 0]
    #[arg(long, allow_negative_numbers = true, value_parser = seed)]
    pub(super) seed: Option<u64>,
    /// How many times as fast as the wall's its time passes
    #[arg(long, value_name = "N", default_value = "1", value_parser = speed)]
    pub(super) time_scale: TimeScale,
    /// How many tokens answers have whose requests do not say
    #[arg(
        long, value_name = "N", default_value_t = 200,
        value_parser = clap::value_parser!(u32).range(1..=1_000_000)
    )]
    pub(super) output_tokens: u32,
    /// How long requests under way may take when it is to end
    #[arg(long, value_name = "DURATION", default_value = "5s", value_parser = time)]
    pub(super) drain: Duration,
}

pub(super) const MOCK_HELP: &str = "\
It answers POST /v1/chat/completions, plain and streamed, as the scenario's versions do: by \
`model` a request asks for one, by its id, or by the name of its model where that has one version. \
Its failures happen on the wire: connections are reset, streams stop without an end. GET and PUT \
/admin/behaviour and /admin/faults show and change how it behaves, /admin/stats counts, and says \
how late it was. docs/mock.md has all of it.

Examples:
  coalmine mock scenarios/ten-thousand.yaml
  coalmine mock scenarios/ten-thousand.yaml --listen 127.0.0.1:9000 --time-scale 10
  coalmine mock --preset gpt-4 --preset vllm-8b-h100
  coalmine mock --preset gpt-4 --admin 127.0.0.1:8082
  curl -X PUT 127.0.0.1:8082/admin/faults \\
    -d '{\"gpt-4\": [{\"for\": \"2m\", \"failures\": {\"503\": \"30%\"}}]}'";

pub(super) fn mock(arguments: &MockArguments) -> Result<Exit, Failure> {
    let settings = settings(arguments)?;
    let names: Vec<String> = settings.versions.iter().flat_map(|v| v.models.clone()).collect();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::internal)?;
    // Before anything is to be said, so that none is missed.
    let mut signals = Signals::notice(&runtime)?;
    open_files::allow_all();
    let cores = || std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    let threads = arguments.threads.unwrap_or_else(cores);
    let admin = arguments.admin.map_or(MockAdmin::Beside, MockAdmin::At);
    let place = MockPlace { clients: arguments.listen, admin, threads };
    let server = MockServer::start(settings, place).map_err(|error| not_started(&error))?;
    complain(&format!("answering on {} as {}", server.address(), names.join(", ")));
    if arguments.admin.is_some() {
        complain(&format!("administered on {}", server.admin_address()));
    }
    runtime.block_on(signals.end());
    complain("stopping: waiting for requests under way");
    let drain = arguments.drain;
    let stopping = runtime.spawn_blocking(move || server.stop(drain));
    let stopped = runtime.block_on(async {
        tokio::select! {
            stopped = stopping => Some(stopped),
            () = signals.end() => None,
        }
    });
    match stopped {
        Some(Ok(report)) => {
            complain(&told(&report));
            Ok(Exit::Pass)
        }
        Some(Err(error)) => Err(Failure::internal(format!("error: {error}"))),
        None => {
            complain("stopped at once, by a second signal: requests under way are cut off");
            // The thread that waits for them would be waited for.
            runtime.shutdown_background();
            Ok(Exit::Interrupted)
        }
    }
}

/// What is said at the end: how much it did, and how far it can be trusted.
fn told(report: &MockReport) -> String {
    let MockReport { requests, lateness, .. } = report;
    let requests = format_counted(*requests, "request", "requests");
    let sent = lateness.sent();
    let quantiles = (sent.quantile(500), sent.quantile(990), sent.max());
    let (Some(p50), Some(p99), Some(max)) = quantiles else {
        return format!("stopped after {requests}");
    };
    let held_up = match lateness.held_up() {
        0 => String::new(),
        count => format!("; {} held up by clients", format_counted(count, "piece", "pieces")),
    };
    let pieces = format_counted(sent.count(), "piece", "pieces");
    format!(
        "stopped after {requests}; {pieces} of answers sent late by P50 {p50}, P99 {p99}, \
         at most {max}{held_up}"
    )
}

fn not_started(error: &MockError) -> Failure {
    let message = format!("error: {error}");
    match error {
        MockError::Listen { .. } | MockError::Thread { .. } => Failure::internal(message),
        _ => Failure::input(message),
    }
}

fn settings(arguments: &MockArguments) -> Result<MockSettings, Failure> {
    let mut versions = Vec::new();
    let mut scenario_seed = None;
    if let Some(path) = &arguments.scenario {
        let opened = open(path, &arguments.reading)?;
        versions = of_scenario(&opened.loaded)?;
        scenario_seed = Some(opened.loaded.scenario.seed);
    }
    for preset in &arguments.presets {
        let behaviour = DescribedBehaviour::read(&json!({"preset": preset}));
        let behaviour =
            behaviour.map_err(|error| Failure::internal(format!("error: {preset}: {error}")))?;
        versions.push(MockVersion { models: vec![preset.clone()], behaviour });
    }
    let tokens = Distribution::constant(f64::from(arguments.output_tokens));
    Ok(MockSettings {
        versions,
        seed: arguments.seed.or(scenario_seed).unwrap_or_default(),
        clock: WallClock::new(arguments.time_scale),
        tokens: tokens.map_err(Failure::internal)?,
        numbering: Numbering::Counted,
        news: None,
    })
}

/// The versions of a scenario.
fn of_scenario(loaded: &Loaded) -> Result<Vec<MockVersion>, Failure> {
    let mut versions = Vec::new();
    for (place, model) in loaded.scenario.models.iter().enumerate() {
        for (number, version) in model.versions.iter().enumerate() {
            let mut models = vec![version.id.to_string()];
            if model.versions.len() == 1 && models[0] != *model.id.as_str() {
                models.push(model.id.to_string());
            }
            // The resolved scenario lists them in the plan's order.
            let path = format!("/models/{place}/versions/{number}/upstream");
            let upstream = loaded.resolved.pointer(&path);
            let behaviour = DescribedBehaviour::read(upstream.unwrap_or(&Value::Null));
            let behaviour = behaviour.map_err(|error| {
                Failure::input(format!("error: the upstream of {}: {error}", version.id))
            })?;
            versions.push(MockVersion { models, behaviour });
        }
    }
    Ok(versions)
}
