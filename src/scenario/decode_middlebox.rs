//! What stands before the gateway, and whether it does anything there.

use std::num::NonZeroU32;

use crate::middlebox::{CacheSettings, KeyPart, KeyParts};

use super::diagnostic::{Diagnostic, Diagnostics};
use super::plan::Scenario;
use super::read;
use super::tree::{Entry, Node};

/// The cache of the middlebox at `node`.
pub(crate) fn decode(node: &Node, diagnostics: &mut Diagnostics) -> Option<CacheSettings> {
    let node = node.get("cache")?;
    let ttl = read::duration(node, "ttl").filter(|ttl| {
        if ttl.is_zero() {
            let place = node.get("ttl").map_or(node.place, |node| node.place);
            let message = "a cache that keeps answers for 0s keeps none: allowed is more than 0s";
            diagnostics.report(Diagnostic::new(place, message));
        }
        !ttl.is_zero()
    });
    let key = node.entry("key").and_then(|entry| key(entry, diagnostics));
    let entries = read::integer(node, "entries").and_then(|entries| u32::try_from(entries).ok());
    Some(CacheSettings {
        honours_no_store: read::boolean(node, "honours_no_store")?,
        ttl: ttl?,
        key: key?,
        entries: NonZeroU32::new(entries?)?,
        latency: read::duration(node, "latency")?,
    })
}

fn key(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<KeyParts> {
    let items = entry.node.items();
    if items.is_empty() && entry.node.text().is_none() && entry.node.entries().is_empty() {
        let message = "the cache tells no requests apart: all would get one answer";
        let help = "write what it tells them apart by, such as `key: [model, prompt]`";
        diagnostics.report(Diagnostic::new(entry.place, message).help(help));
        return None;
    }
    let parts: Option<Vec<_>> =
        items.iter().map(|item| item.text().and_then(KeyPart::by_name)).collect();
    parts.map(KeyParts::new)
}

/// Warns of a cache that will never give an answer.
pub(crate) fn warn(root: &Node, scenario: &Scenario, diagnostics: &mut Diagnostics) {
    let Some(cache) = scenario.cache else { return };
    let Some(entry) = root.get("middlebox").and_then(|node| node.entry("cache")) else { return };
    let forbidden = scenario.models.iter().all(|model| model.safeguards.no_store);
    if cache.honours_no_store && forbidden {
        let message = "the cache keeps nothing: it honours `no-store`, which every answer says";
        let help = "write `honours_no_store: false`, or switch the safeguard `no_store` off";
        diagnostics.warn(Diagnostic::new(entry.place, message).help(help));
    } else if cache.key.contains(KeyPart::Prompt) && scenario.population().prompts.is_none() {
        let message = "the cache meets no prompt twice: the workload has no `prompts`";
        let help = "write `workload.prompts`, or take `prompt` out of the key";
        diagnostics.warn(Diagnostic::new(entry.place, message).help(help));
    }
}
