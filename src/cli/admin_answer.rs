//! A gateway's answer: read, and printed as it is or in words.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::admin_ask::Ask;
use super::admin_connection::Connection;
use super::exit::Exit;
use super::shared_arguments::OutputFormat;
use super::terminal::{Failure, print};
use crate::report::visible;

/// What a gateway answered to a request that it did not refuse.
#[derive(Clone, Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// JSON.
    pub(super) text: String,
}

/// A refusal, in OpenAI's form.
#[derive(Deserialize)]
struct Refusal {
    error: Told,
}

#[derive(Deserialize)]
struct Told {
    message: String,
    #[serde(default)]
    param: Option<String>,
    #[serde(default)]
    code: Option<String>,
}

impl Answer {
    /// The answer as one of this form.
    pub(super) fn read<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_str(&self.text).map_err(|error| {
            Failure::internal(format!(
                "error: the answer is none that coalmine {} knows: {error}\n  help: --format json \
                 prints it as it is",
                env!("CARGO_PKG_VERSION")
            ))
        })
    }

    /// Prints it as it is, or what `text` makes of it.
    pub(super) fn show<T: DeserializeOwned>(
        &self,
        format: OutputFormat,
        text: impl FnOnce(T) -> String,
    ) -> Result<Exit, Failure> {
        let shown = match format {
            OutputFormat::Json => format!("{}\n", self.text.trim_end()),
            OutputFormat::Text => visible(&text(self.read()?)),
        };
        print(&shown)?;
        Ok(Exit::Pass)
    }
}

/// What is told of a request that was answered by `status`, no success, and `text`.
pub(super) fn refused(connection: &Connection, ask: &Ask, status: u16, text: &str) -> Failure {
    let url = &connection.url;
    let Ok(Refusal { error: Told { message, param, code } }) = serde_json::from_str(text) else {
        let words = format!(
            "error: {url} answers {status}, and not as a gateway does\n  help: --url or \
             COALMINE_URL says where a gateway is; is something else there, or in between?"
        );
        return Failure::internal(words);
    };
    let message = visible(&message);
    let source = &connection.key_source;
    let code = code.map_or_else(String::new, |code| format!(" {}", visible(&code)));
    let words = format!("error: {message} ({status}{code}, by {url})");
    match status {
        401 => Failure::usage(format!("{words}\n  help: the access key came from {source}")),
        403 => Failure::usage(format!(
            "{words}\n  help: the access key came from {source}; `coalmine keys create` makes \
             others, with the key of an administrator"
        )),
        409 if param.as_deref() == Some("redeploy") => Failure::usage(format!(
            "{words}\n  help: --redeploy deploys it all the same; as a rollback it is done by \
                 `coalmine admin split MODEL VERSION=100% --redeploy`, and where it is the stable \
                 another becomes that by `coalmine admin tag MODEL VERSION stable`"
        )),
        400..=499 if ask.is_of_file => Failure::input(words),
        400..=499 => Failure::usage(words),
        _ => Failure::internal(words),
    }
}

/// A JSON object of shares by the name of their version, in words: `v1 90 %, v2 10 %`.
pub(super) fn split_text(split: &serde_json::Map<String, Value>) -> String {
    let share = |(version, share): (&String, &Value)| {
        let share = share.as_f64().map(crate::units::format_set_share);
        format!("{version} {}", share.unwrap_or_default())
    };
    let shares: Vec<String> = split.iter().map(share).collect();
    if shares.is_empty() { "none".to_owned() } else { shares.join(", ") }
}
