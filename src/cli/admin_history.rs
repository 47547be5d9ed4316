//! `coalmine admin history`: the journal entries of a model, from a gateway that serves.

use std::num::NonZeroU64;
use std::ops::ControlFlow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::admin_arguments::HistoryArguments;
use super::admin_ask::{Ask, model_path};
use super::admin_client::Client;
use super::admin_feed::follow;
use super::exit::Exit;
use super::shared_arguments::OutputFormat;
use super::terminal::{Failure, print, print_while_read};
use crate::store::{entry_line, import_entry};

/// What says where an entry belongs.
#[derive(Deserialize)]
struct Address {
    number: u64,
    model: Option<String>,
}

/// `coalmine admin history`
pub(super) async fn history(
    client: &Client,
    arguments: &HistoryArguments,
    format: OutputFormat,
) -> Result<Exit, Failure> {
    if arguments.follow {
        return go_on(client, arguments, format).await;
    }
    let mut left = arguments.limit.map_or(u64::MAX, NonZeroU64::get);
    let mut after = arguments.after;
    let last = arguments.last.map(NonZeroU64::get);
    let mut kept: Vec<Box<RawValue>> = Vec::new();
    while left > 0 {
        let limit = left.min(PAGE);
        let path = model_path(arguments.model.as_str(), "history");
        let ask = Ask::read(path).with("after", &after).with("limit", &limit);
        let answer = client.call(&ask).await?;
        let entries: Vec<Box<RawValue>> = answer.read()?;
        if let Some(last) = entries.last() {
            after = address(last.get())?.number;
        }
        let came = entries.len() as u64;
        if format == OutputFormat::Text && last.is_none() {
            print_entries(&entries)?;
        } else {
            kept.extend(entries);
        }
        if let Some(last) = last {
            kept.drain(..kept.len().saturating_sub(usize::try_from(last).unwrap_or(usize::MAX)));
        }
        left -= came.min(left);
        // Fewer than were asked for: there are no more.
        if came < limit {
            break;
        }
    }
    match format {
        OutputFormat::Text => print_entries(&kept)?,
        OutputFormat::Json => {
            let texts: Vec<&str> = kept.iter().map(|entry| entry.get()).collect();
            print(&format!("[{}]\n", texts.join(",")))?;
        }
    }
    Ok(Exit::Pass)
}

fn print_entries(entries: &[Box<RawValue>]) -> Result<(), Failure> {
    let lines = entries.iter().map(|entry| shown(entry.get(), OutputFormat::Text));
    print(&lines.collect::<Result<String, _>>()?)
}

/// Prints the entries that there are, and those that come.
async fn go_on(
    client: &Client,
    arguments: &HistoryArguments,
    format: OutputFormat,
) -> Result<Exit, Failure> {
    let followed = follow(client, Some(arguments.after), |happening| {
        let is_entry = happening.entry.is_some();
        let model = if is_entry { address(&happening.data)?.model } else { None };
        if model.as_deref() != Some(arguments.model.as_str()) {
            return Ok(ControlFlow::Continue(()));
        }
        print_while_read(&shown(&happening.data, format)?)
    });
    followed.await?;
    Ok(Exit::Pass)
}

/// An entry as a line: as `coalmine journal show` has it, or as it is.
pub(super) fn shown(entry: &str, format: OutputFormat) -> Result<String, Failure> {
    if format == OutputFormat::Json {
        return Ok(format!("{entry}\n"));
    }
    let sealed = import_entry(entry).map_err(|error| {
        let number = address(entry).map_or_else(|_| String::new(), |at| format!(" {}", at.number));
        Failure::internal(format!(
            "error: journal entry{number}: {error}\n  help: --format json prints it as it is"
        ))
    })?;
    Ok(entry_line(&sealed) + "\n")
}

fn address(entry: &str) -> Result<Address, Failure> {
    serde_json::from_str(entry).map_err(|error| {
        Failure::internal(format!("error: the gateway tells what is no journal entry: {error}"))
    })
}

/// The most that a gateway answers at once.
const PAGE: u64 = 1_000;
