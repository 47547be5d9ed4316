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
use crate::report::visible;

/// `coalmine admin rules`
pub(super) async fn rules(
    client: &Client,
    arguments: &RulesArguments,
    format: OutputFormat,
) -> Result<Exit, Failure> {
    let of = arguments.model.as_ref().map_or("all models", |model| model.as_str());
    let ask = match &arguments.set {
        None if arguments.unset => {
            Ask::command(Method::DELETE, PATH.to_owned(), None, arguments.repeat.key())?
        }
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
    if arguments.unset {
        complain(&format!("{of} has the rules of all models"));
    }
    let shown: Map<String, Value> = answer.read()?;
    for warning in texts(&shown, "warnings") {
        complain(&visible(&format!("warning: {warning}")));
    }
    let own = texts(&shown, OWN);
    if !own.is_empty() {
        complain(&visible(&format!("rules of their own have {}", own.join(", "))));
    }
    // What is not understood is a failure before anything is printed.
    let lines = match format {
        OutputFormat::Json => Vec::new(),
        OutputFormat::Text => rule_set_lines(&rule_set(shown)?),
    };
    answer.show(format, |_: Value| {
        let lines = lines.iter().map(|line| format!("{line}\n"));
        format!("Rules of {of}, in order of precedence\n{}", lines.collect::<String>())
    })
}

/// The texts in a list of an answer; none where it has no such list.
fn texts(answer: &Map<String, Value>, name: &str) -> Vec<String> {
    let list = answer.get(name).and_then(Value::as_array).into_iter().flatten();
    list.filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The rules of an answer, which has more beside them: what was done, and what is odd about them.
fn rule_set(mut answer: Map<String, Value>) -> Result<RuleSet, Failure> {
    for beside in ["status", "warnings", OWN] {
        answer.remove(beside);
    }
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
/// The member that says which models have rules of their own.
const OWN: &str = "models_with_own_rules";
