//! `coalmine admin rules`: the rollback rules of a gateway, shown and replaced.

use std::io::Read;
use std::path::Path;

use reqwest::Method;
use serde_json::{Map, Value};

use super::admin_arguments::RulesArguments;
use super::admin_ask::Ask;
use super::admin_client::Client;
use super::exit::Exit;
use super::explain_rules::rule_set_lines;
use super::shared_arguments::OutputFormat;
use super::terminal::{Failure, complain};
use crate::engine::{RawRules, RuleSet, Safeguards};

/// `coalmine admin rules`
pub(super) async fn rules(
    client: &Client,
    arguments: &RulesArguments,
    format: OutputFormat,
) -> Result<Exit, Failure> {
    let of = arguments.model.as_ref().map_or("all models", |model| model.as_str());
    let ask = match &arguments.set {
        None => Ask::read(PATH.to_owned()),
        Some(file) => {
            let body = Some(read_rules(file)?);
            let ask = Ask::command(Method::PUT, PATH.to_owned(), body, arguments.repeat.key())?;
            Ask { is_of_file: true, ..ask }
        }
    };
    let ask = match &arguments.model {
        Some(model) => ask.with("model", model),
        None => ask,
    };
    let answer = client.call(&ask).await?;
    if arguments.set.is_some() {
        complain(&format!("the rules of {of} are replaced"));
    }
    // What is not understood is a failure before anything is printed.
    let lines = match format {
        OutputFormat::Json => Vec::new(),
        OutputFormat::Text => rule_set_lines(&rule_set(answer.read()?)?),
    };
    answer.show(format, |_: Value| {
        let lines = lines.iter().map(|line| format!("{line}\n"));
        format!("Rules of {of}, in order of precedence\n{}", lines.collect::<String>())
    })
}

/// The rules of an answer, which has a status beside them where they were replaced.
fn rule_set(mut answer: Map<String, Value>) -> Result<RuleSet, Failure> {
    answer.remove("status");
    let raw: RawRules =
        serde_json::from_value(Value::Object(answer)).map_err(|error| unknown(&error))?;
    RuleSet::new(&raw, Safeguards::default()).map_err(|error| unknown(&error))
}

fn unknown(error: &dyn std::fmt::Display) -> Failure {
    Failure::internal(format!(
        "error: these are no rules that coalmine {} knows: {error}\n  help: --format json prints \
         them as they are",
        env!("CARGO_PKG_VERSION")
    ))
}

/// The bytes of a file of rules, which must be JSON; what they say is for the gateway to judge.
fn read_rules(file: &Path) -> Result<Vec<u8>, Failure> {
    let read = if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::stdin().lock().read_to_end(&mut bytes).map(|_| bytes)
    } else {
        std::fs::read(file)
    };
    let shown = file.display();
    let bytes = read.map_err(|error| {
        Failure::input(format!("error: cannot read the rules {shown}: {error}"))
    })?;
    serde_json::from_slice::<Map<String, Value>>(&bytes)
        .map_err(|error| Failure::input(format!("error: {shown} is no JSON object: {error}")))?;
    Ok(bytes)
}

const PATH: &str = "/v1/deploy/rollback-rules";
