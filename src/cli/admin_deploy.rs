//! What moves traffic: `coalmine admin split`, `rollout`, `promote`, `pause`, `resume`, `abort` and
//! `rollback`.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::admin_answer::split_text;
use super::admin_arguments::{AdminCommands, RolloutArguments, Share, SplitArguments};
use super::admin_ask::{Ask, model_path};
use super::admin_client::Client;
use super::exit::Exit;
use super::shared_arguments::OutputFormat;
use super::terminal::Failure;
use crate::engine::{RolloutStep, Slot, Split};
use crate::scenario::load_steps;
use crate::units::ModelId;

/// A command that moves traffic.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Deployment {
    model: ModelId,
    /// As the interface takes it.
    body: Value,
    idempotency_key: Option<String>,
}

/// What the gateway answers.
#[derive(Deserialize)]
struct Deployed {
    status: String,
    model: String,
    split: Map<String, Value>,
    previous_split: Map<String, Value>,
    journal_entry: Option<u64>,
}

impl Deployment {
    /// What a command of the command line asks for; `None`: it moves no traffic.
    ///
    /// # Errors
    /// It makes no sense, whatever the gateway is.
    pub(super) fn of(command: &AdminCommands) -> Result<Option<Self>, Failure> {
        let (model, body, repeat) = match command {
            AdminCommands::Split(it) => (&it.model, split(it)?, &it.repeat),
            AdminCommands::Rollout(it) => (&it.model, rollout(it)?, &it.repeat),
            AdminCommands::Promote(it) => {
                let version = it.version.as_str();
                let body =
                    json!({"action": "promote", "version": version, "redeploy": it.redeploy});
                (&it.model, body, &it.repeat)
            }
            AdminCommands::Pause(it) => (&it.model, json!({"action": "pause"}), &it.repeat),
            AdminCommands::Resume(it) => (&it.model, json!({"action": "resume"}), &it.repeat),
            AdminCommands::Abort(it) => (&it.model, json!({"action": "abort"}), &it.repeat),
            AdminCommands::Rollback(it) => {
                let target = it.version.as_ref().map(|version| version.as_str());
                (&it.model, json!({"action": "rollback", "target_version": target}), &it.repeat)
            }
            _ => return Ok(None),
        };
        let idempotency_key = repeat.key().map(str::to_owned);
        Ok(Some(Self { model: model.clone(), body, idempotency_key }))
    }
}

/// Has it carried out.
pub(super) async fn deploy(
    client: &Client,
    deployment: &Deployment,
    format: OutputFormat,
) -> Result<Exit, Failure> {
    let Deployment { model, body, idempotency_key } = deployment;
    let path = model_path(model.as_str(), "deploy");
    let body = Some(body.to_string().into_bytes());
    let ask = Ask::command(Method::POST, path, body, idempotency_key.as_deref())?;
    client.call(&ask).await?.show(format, |deployed| deployed_text(&deployed))
}

fn deployed_text(deployed: &Deployed) -> String {
    let Deployed { status, model, split, previous_split, journal_entry } = deployed;
    let entry = match journal_entry {
        Some(number) => format!("journal entry {number}"),
        None => "nothing had to change".to_owned(),
    };
    let (status, split) = (status.replace('_', " "), split_text(split));
    format!("{model} {status}: {split} (before: {}); {entry}\n", split_text(previous_split))
}

fn split(arguments: &SplitArguments) -> Result<Value, Failure> {
    let shares = &arguments.shares;
    let mut split = Map::new();
    for Share { version, weight } in shares {
        if split.insert(version.as_str().to_owned(), json!(weight.get())).is_some() {
            return Err(Failure::usage(format!(
                "error: {} is named twice; allowed is one share for each version",
                version.as_str()
            )));
        }
    }
    // Their number is that of the words of a command line, far below that of slots.
    let weights: Vec<_> =
        shares.iter().zip(0..).map(|(share, slot)| (Slot(slot), share.weight)).collect();
    Split::new(shares.len(), &weights).map_err(|error| {
        let given =
            shares.iter().map(|share| format!("{}={}", share.version.as_str(), share.weight.get()));
        Failure::usage(format!(
            "error: {error}\n  given: {}\n  help: name every version that is to get traffic, with \
             shares such as v1=90% v2=10%",
            given.collect::<Vec<_>>().join(" ")
        ))
    })?;
    Ok(json!({"action": "split", "split": split, "redeploy": arguments.redeploy}))
}

fn rollout(arguments: &RolloutArguments) -> Result<Value, Failure> {
    let ladder = load_steps("--steps", &arguments.steps).map_err(Failure::usage)?;
    let steps: Vec<Value> = ladder.steps().iter().map(step).collect();
    let version = arguments.version.as_str();
    let mut body = json!({
        "action": "rollout", "version": version, "steps": steps, "redeploy": arguments.redeploy,
    });
    if let Some(bake) = arguments.bake {
        body["bake"] = json!(bake.to_literal());
    }
    Ok(body)
}

fn step(step: &RolloutStep) -> Value {
    let RolloutStep { weight, hold, require, pause } = *step;
    json!({"weight": weight.get(), "hold": hold.to_literal(), "require": require, "pause": pause})
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::super::admin_arguments::AdminArguments;
    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        admin: AdminArguments,
    }

    fn read(words: &[&str]) -> Result<Value, Failure> {
        let line = Line::try_parse_from([&["admin"], words].concat());
        let line = line.map_err(|error| Failure::usage(error.to_string()))?;
        Ok(Deployment::of(&line.admin.command)?.unwrap().body)
    }

    #[test]
    fn a_split_is_sent_as_numbers_and_sums_to_1() {
        let split = json!({"v1": 0.9, "v2": 0.1});
        let body = json!({"action": "split", "split": split, "redeploy": true});
        assert_eq!(read(&["split", "m", "v1=90%", "v2=0.1", "--redeploy"]), Ok(body));
        for (shares, told) in [
            (&["v1=90%", "v2=20%"][..], "weights sum to 1.1; they must sum to 1 (100 %)"),
            (&["v1=90%"], "weights sum to 0.9"),
            (&["v1=50%", "v1=50%"], "v1 is named twice"),
        ] {
            let failure = read(&[&["split", "m"], shares].concat()).unwrap_err();
            assert!(failure.message.contains(told), "{}", failure.message);
        }
    }

    #[test]
    fn a_rollout_is_sent_in_literals_that_lose_nothing() {
        let steps = "[{weight: 5%, hold: 90s}, {weight: 50%, hold: 1h, require: 500, pause: true}]";
        let body = json!({
            "action": "rollout", "version": "beta", "redeploy": false, "bake": "1d2h",
            "steps": [
                {"weight": 0.05, "hold": "1m30s", "require": null, "pause": false},
                {"weight": 0.5, "hold": "1h", "require": 500, "pause": true},
            ],
        });
        assert_eq!(read(&["rollout", "m", "beta", "--steps", steps, "--bake", "26h"]), Ok(body));
    }

    #[test]
    fn a_deployment_is_told_with_what_was_before() {
        let deployed = |entry| Deployed {
            status: "rolled_back".to_owned(),
            model: "org/name".to_owned(),
            split: json!({"v1": 1.0}).as_object().unwrap().clone(),
            previous_split: json!({"v1": 0.875, "v2": 0.125}).as_object().unwrap().clone(),
            journal_entry: entry,
        };
        assert_eq!(
            deployed_text(&deployed(Some(7))),
            "org/name rolled back: v1 100 % (before: v1 87.5 %, v2 12.5 %); journal entry 7\n"
        );
        assert!(deployed_text(&deployed(None)).ends_with("; nothing had to change\n"));
    }
}
