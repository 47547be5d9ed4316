//! `coalmine mock`: the upstreams of a scenario, over HTTP.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use serde_json::Value;

use super::exit::Exit;
use super::open::open;
use super::shared_arguments::{ScenarioArguments, seed};
use super::signals::Signals;
use super::terminal::{Failure, complain};
use crate::chance::Distribution;
use crate::clock::{TimeScale, WallClock};
use crate::mock::{DescribedBehaviour, MockSettings, MockVersion, serve};
use crate::scenario::Loaded;

#[derive(Clone, Debug, Args)]
pub(super) struct MockArguments {
    /// The scenario whose versions it answers as
    pub(super) scenario: PathBuf,
    #[command(flatten)]
    pub(super) reading: ScenarioArguments,
    /// Where it listens; the port 0 is any free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    pub(super) listen: SocketAddr,
    /// Seed of all draws [default: the scenario's]
    #[arg(long, allow_negative_numbers = true, value_parser = seed)]
    pub(super) seed: Option<u64>,
    /// How many times as fast as the wall's its time passes
    #[arg(long, value_name = "N", default_value = "1", value_parser = time_scale)]
    pub(super) time_scale: TimeScale,
    /// How many tokens answers have whose requests do not say
    #[arg(long, value_name = "N", default_value_t = 200)]
    pub(super) output_tokens: u32,
}

pub(super) const MOCK_HELP: &str = "\
It answers POST /v1/chat/completions, plain and streamed, as the scenario's versions do: by \
`model` a request asks for one, by its id, or by the name of its model where that has one version. \
Its failures happen on the wire: connections are reset, streams stop without an end. GET and PUT \
/admin/behaviour show and change how it behaves, /admin/stats counts.

Examples:
  coalmine mock scenarios/ten-thousand.yaml
  coalmine mock scenarios/ten-thousand.yaml --listen 127.0.0.1:9000 --time-scale 10";

pub(super) fn mock(arguments: &MockArguments) -> Result<Exit, Failure> {
    let opened = open(&arguments.scenario, &arguments.reading)?;
    let settings = settings(arguments, &opened.loaded)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::internal)?;
    let mut signals = Signals::notice(&runtime)?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(arguments.listen).await.map_err(|error| {
            Failure::internal(format!("error: cannot listen at {}: {error}", arguments.listen))
        })?;
        let address = listener.local_addr().map_err(Failure::internal)?;
        let names: Vec<&str> =
            settings.versions.iter().flat_map(|v| &v.models).map(String::as_str).collect();
        complain(&format!("answering on {address} as {}", names.join(", ")));
        serve(listener, settings, signals.end())
            .await
            .map_err(|error| Failure::input(format!("error: {error}")))
    })?;
    Ok(Exit::Pass)
}

fn settings(arguments: &MockArguments, loaded: &Loaded) -> Result<MockSettings, Failure> {
    let mut versions = Vec::new();
    for (place, model) in loaded.scenario.models.iter().enumerate() {
        for (number, version) in model.versions.iter().enumerate() {
            let mut models = vec![version.id.to_string()];
            if model.versions.len() == 1 {
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
    let tokens = Distribution::constant(f64::from(arguments.output_tokens));
    Ok(MockSettings {
        versions,
        seed: arguments.seed.unwrap_or(loaded.scenario.seed),
        clock: WallClock::new(arguments.time_scale),
        tokens: tokens.map_err(Failure::internal)?,
        trust_harness: false,
    })
}

fn time_scale(text: &str) -> Result<TimeScale, String> {
    let times: f64 = text.parse().map_err(|_| "a time scale is a number".to_owned())?;
    TimeScale::new(times).map_err(|error| error.to_string())
}
