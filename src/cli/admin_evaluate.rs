//! `coalmine admin evaluate`: attaches to a version of a gateway what a rehearsal said of it.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::admin_arguments::EvaluateArguments;
use super::admin_ask::{Ask, model_path, segment};
use super::admin_client::Client;
use super::exit::Exit;
use super::open::open_result;
use super::shared_arguments::OutputFormat;
use super::terminal::Failure;
use crate::gate::Judgement;

#[derive(Deserialize)]
struct Evaluated {
    model: String,
    version_id: String,
    scenario: String,
    seed: u64,
    verdict: String,
}

/// `coalmine admin evaluate`
pub(super) async fn evaluate(
    client: &Client,
    arguments: &EvaluateArguments,
    format: OutputFormat,
) -> Result<Exit, Failure> {
    let metrics = arguments.metrics.iter().map(|(name, value)| (name.clone(), json!(value)));
    let metrics: Map<String, Value> = metrics.collect();
    let (scenario, seed, verdict) = run(arguments)?;
    let body = json!({"scenario": scenario, "seed": seed, "verdict": verdict, "metrics": metrics});
    let part = format!("versions/{}/evaluations", segment(arguments.version.as_str()));
    let path = model_path(arguments.model.as_str(), &part);
    let body = Some(body.to_string().into_bytes());
    let ask = Ask::command(Method::POST, path, body, arguments.repeat.key())?;
    client.call(&ask).await?.show(format, |evaluated: Evaluated| {
        let Evaluated { model, version_id, scenario, seed, verdict } = evaluated;
        format!("{model}: version {version_id} evaluated: {verdict} in {scenario}, seed {seed}\n")
    })
}

/// Scenario, seed and verdict: those of the result, or those that are stated.
fn run(arguments: &EvaluateArguments) -> Result<(String, u64, String), Failure> {
    let Some(named) = &arguments.result else {
        let stated = (arguments.scenario.clone(), arguments.seed, arguments.verdict.clone());
        let (Some(scenario), Some(seed), Some(verdict)) = stated else {
            return Err(Failure::usage(
                "error: without --result, state scenario, seed and verdict",
            ));
        };
        return Ok((scenario, seed, verdict));
    };
    let stored = open_result(named)?;
    let scenario = stored.result.scenario;
    match stored.result.gate {
        Judgement::Judged(judged) => {
            Ok((scenario.name, scenario.seed, judged.verdict.name().to_owned()))
        }
        Judgement::NothingToEvaluate => Err(Failure::input(format!(
            "error: {}: the run had no gate and so no verdict\n  help: state it: --scenario {:?} \
             --seed {} --verdict VERDICT",
            stored.path.display(),
            scenario.name,
            scenario.seed
        ))),
    }
}
