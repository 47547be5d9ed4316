//! `coalmine admin events`: what happens in a gateway, as it happens.

use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::admin_answer::split_text;
use super::admin_arguments::EventsArguments;
use super::admin_client::Client;
use super::admin_feed::{Happening, follow};
use super::admin_history::shown;
use super::admin_status::Status;
use super::exit::Exit;
use super::shared_arguments::OutputFormat;
use super::terminal::{Failure, print_while_read};
use crate::report::visible;

/// What the engine tells beside its journal.
#[derive(Deserialize)]
struct Told {
    at: String,
    model: Option<String>,
    data: Value,
}

/// `coalmine admin events`
pub(super) async fn events(
    client: &Client,
    arguments: &EventsArguments,
    format: OutputFormat,
) -> Result<Exit, Failure> {
    let followed = follow(client, arguments.after, |happening| {
        let is_metrics = happening.name == METRICS;
        let text = match (format, is_metrics && !arguments.metrics) {
            (_, true) => String::new(),
            (OutputFormat::Json, _) => json_line(happening)?,
            (OutputFormat::Text, _) => text_lines(happening)?,
        };
        print_while_read(&text)
    });
    followed.await?;
    Ok(Exit::Pass)
}

fn json_line(happening: &Happening) -> Result<String, Failure> {
    let data: &RawValue =
        serde_json::from_str(&happening.data).map_err(|e| unknown(happening, &e))?;
    let (entry, name) = (json!(happening.entry), json!(happening.name));
    Ok(format!("{{\"id\":{entry},\"event\":{name},\"data\":{data}}}\n"))
}

fn text_lines(happening: &Happening) -> Result<String, Failure> {
    let unknown = |error| unknown(happening, &error);
    if happening.entry.is_some() {
        return shown(&happening.data, OutputFormat::Text);
    }
    if happening.name == METRICS {
        let status: Status = serde_json::from_str(&happening.data).map_err(unknown)?;
        return Ok(visible(&status.lines()));
    }
    let told: Told = serde_json::from_str(&happening.data).map_err(unknown)?;
    let (at, name) = (&told.at, happening.name.replace('_', " "));
    let model = told.model.as_deref().unwrap_or("-");
    Ok(visible(&format!("-  {at}  {model}  {name}{}\n", details(&told.data))))
}

/// What is said of an event, as far as it is a word, a number or a split: evidence stands in the
/// journal entry that follows.
fn details(data: &Value) -> String {
    let members = data.as_object().into_iter().flatten();
    let detail = |(name, value): (&String, &Value)| match value {
        Value::String(text) => Some(format!("{name} {text}")),
        Value::Number(number) => Some(format!("{name} {number}")),
        Value::Array(items) => {
            let items: Option<Vec<&str>> = items.iter().map(Value::as_str).collect();
            Some(format!("{name} {}", items?.join(" ")))
        }
        Value::Object(shares) if name == "split" => Some(split_text(shares)),
        _ => None,
    };
    let details: Vec<String> = members.filter_map(detail).collect();
    if details.is_empty() { String::new() } else { format!(": {}", details.join(", ")) }
}

fn unknown(happening: &Happening, error: &serde_json::Error) -> Failure {
    let name = visible(&happening.name);
    Failure::internal(format!("error: the event {name} has a form that is not known: {error}"))
}

/// The name of the events that tell each second how all stands.
const METRICS: &str = "metrics";

#[cfg(test)]
mod tests {
    use super::*;

    fn told(name: &str, data: &Value) -> String {
        let data = json!({"at": "2026-11-30T09:00:00Z", "model": "gpt-4", "data": data});
        let happening = Happening { entry: None, name: name.to_owned(), data: data.to_string() };
        text_lines(&happening).unwrap()
    }

    #[test]
    fn an_event_is_a_line_without_its_evidence() {
        let data = json!({"rule": "errors", "version": "v2", "evidence": {"trigger": "errors"}});
        assert_eq!(
            told("breach_began", &data),
            "-  2026-11-30T09:00:00Z  gpt-4  breach began: rule errors, version v2\n"
        );
        let split = json!({"split": {"v1": 0.9, "v2": 0.1}});
        assert!(told("split_changed", &split).ends_with("split changed: v1 90 %, v2 10 %\n"));
        let list = json!({"versions": ["v1", "v2"]});
        assert!(told("observation_lost", &list).ends_with("versions v1 v2\n"));
        assert!(told("drained", &Value::Null).ends_with("  drained\n"));
    }

    #[test]
    fn json_lines_hold_the_data_as_it_came() {
        let happening = Happening {
            entry: Some(7),
            name: "journal".to_owned(),
            data: r#"{"b":1.0,"a":2}"#.to_owned(),
        };
        let line = r#"{"id":7,"event":"journal","data":{"b":1.0,"a":2}}"#;
        assert_eq!(json_line(&happening).unwrap(), format!("{line}\n"));
        assert!(json_line(&Happening { data: "{".to_owned(), ..happening }).is_err());
    }
}
