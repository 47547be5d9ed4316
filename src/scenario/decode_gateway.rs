//! The plan of a gateway: its addresses, its limits, and what its upstreams, models and
//! notifications make of the rest.

use std::net::SocketAddr;

use super::decode_gateway_models;
use super::decode_gateway_upstreams;
use super::decode_notify;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::files::Folder;
use super::gateway_plan::{
    GatewayPlan, KeysPlan, Limits, LogFormat, LogLevel, LogPlan, RecordPlan, StatePlan,
};
use super::place::Place;
use super::read;
use super::shape::quote;
use super::shapes_gateway::IN_MEMORY;
use super::suggest::nearest;
use super::tree::{Entry, Node, Value};

/// The plan that the checked and filled tree `root` says.
pub(crate) fn decode(
    root: &Node,
    folder: &Folder,
    diagnostics: &mut Diagnostics,
) -> Option<GatewayPlan> {
    let listen = root.entry("listen").and_then(|entry| listen(entry, diagnostics));
    let upstreams = root
        .entry("upstreams")
        .and_then(|entry| decode_gateway_upstreams::decode(entry, folder, diagnostics));
    let models = decode_gateway_models::decode(root, diagnostics);
    let state = root.get("state").and_then(|node| state(node, folder, diagnostics));
    let limits = root.get("limits").and_then(|node| limits(node, diagnostics));
    let notify = decode_notify::decode(root, folder, diagnostics);
    Some(GatewayPlan {
        listen: listen?,
        state: state?,
        upstreams: upstreams?,
        models: models?,
        limits: limits?,
        keys: KeysPlan { grace: read::duration(root.get("keys")?, "grace")? },
        notify: notify?,
        drain_delay: read::duration(root, "drain_delay")?,
        drain: read::duration(root, "drain")?,
        log: log(root.get("log")?)?,
        record: match root.get("record") {
            Some(node) => Some(record(node, folder)?),
            None => None,
        },
    })
}

fn record(node: &Node, folder: &Folder) -> Option<RecordPlan> {
    let file = node.get("file")?;
    Some(RecordPlan {
        file: folder.lead(file.text()?, file.place),
        bytes: read::integer(node, "bytes")?,
        keep: read::at_once(node, "keep")?,
    })
}

fn listen(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<Vec<SocketAddr>> {
    let mut seen: Vec<(SocketAddr, Place)> = Vec::new();
    let items = entry.node.items();
    for item in items {
        let Some(address) = item.text().and_then(|text| text.parse::<SocketAddr>().ok()) else {
            continue;
        };
        let twice = seen.iter().find(|(known, _)| *known == address && address.port() != 0);
        if let Some((_, first)) = twice {
            let message = format!("the address {address} stands twice");
            let twice = Diagnostic::new(item.place, message).note(*first, "it stands here first");
            diagnostics.report(twice.help("remove one of the two"));
        }
        seen.push((address, item.place));
    }
    if matches!(&entry.node.value, Value::List(items) if items.is_empty()) {
        let message = "listen is empty: nobody could reach the gateway";
        let help = "write an address such as 127.0.0.1:8080";
        diagnostics.report(Diagnostic::new(entry.place, message).help(help));
    }
    let complete = !items.is_empty() && seen.len() == items.len();
    complete.then(|| seen.into_iter().map(|(address, _)| address).collect())
}

fn state(node: &Node, folder: &Folder, diagnostics: &mut Diagnostics) -> Option<StatePlan> {
    let text = node.text()?;
    if text == IN_MEMORY {
        return Some(StatePlan::Memory);
    }
    // SQLite would keep such a file in memory, or in a place of its own.
    if text.starts_with(':') || text.starts_with("file:") {
        let message = format!("{} is no path of a file", quote(text));
        let diagnostic = Diagnostic::new(node.place, message);
        diagnostics.report(match nearest(text, [IN_MEMORY]) {
            Some(meant) => diagnostic.suggest(Some(meant)),
            None => diagnostic.help(format!("write a path, or `{IN_MEMORY}`")),
        });
        return None;
    }
    Some(StatePlan::File(folder.lead(text, node.place)))
}

fn limits(node: &Node, diagnostics: &mut Diagnostics) -> Option<Limits> {
    let [read_timeout, idle_timeout, write_timeout] = TIMEOUTS
        .map(|key| node.get(key).and_then(|at| read::positive_duration(key, at, diagnostics)));
    Some(Limits {
        body_bytes: read::integer(node, "body_bytes")?,
        header_bytes: read::integer(node, "header_bytes")?.try_into().ok()?,
        headers: read::integer(node, "headers")?.try_into().ok()?,
        answer_bytes: read::integer(node, "answer_bytes")?,
        requests: read::at_once(node, "requests")?,
        connections: read::at_once(node, "connections")?,
        read_timeout: read_timeout?,
        idle_timeout: idle_timeout?,
        write_timeout: write_timeout?,
    })
}

const TIMEOUTS: [&str; 3] = ["read_timeout", "idle_timeout", "write_timeout"];

fn log(node: &Node) -> Option<LogPlan> {
    let format = match read::text(node, "format")? {
        "text" => LogFormat::Text,
        "json" => LogFormat::Json,
        _ => return None,
    };
    let level = match read::text(node, "level")? {
        "error" => LogLevel::Error,
        "warn" => LogLevel::Warn,
        "info" => LogLevel::Info,
        "debug" => LogLevel::Debug,
        "trace" => LogLevel::Trace,
        _ => return None,
    };
    Some(LogPlan { format, level })
}
