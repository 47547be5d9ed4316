//! What limits an upstream: how much it answers at once, and how much it accepts over time.

use crate::units::Quota;
use crate::upstream::{Capacity, RateLimit};

use super::diagnostic::{Diagnostic, Diagnostics};
use super::read;
use super::tree::{Entry, Node};

/// The capacity and the rate limit of an upstream or a fault; nothing for what could not be made
/// out.
pub(crate) fn decode(
    node: &Node,
    diagnostics: &mut Diagnostics,
) -> (Option<Option<Capacity>>, Option<RateLimit>) {
    let capacity = match node.entry("capacity") {
        Some(entry) => capacity(&entry.node, diagnostics).map(Some),
        None => Some(None),
    };
    let rate_limit = match node.entry("rate_limit") {
        Some(entry) => rate_limit(entry, diagnostics),
        None => Some(RateLimit::default()),
    };
    (capacity, rate_limit)
}

/// By which factor answers take longer at full capacity.
pub(crate) fn slowdown(node: &Node, diagnostics: &mut Diagnostics) -> Option<f64> {
    let Some(slowdown) = node.entry("slowdown") else { return Some(1.0) };
    if node.get("capacity").is_none() {
        let message = "a slowdown without a capacity: nothing ever fills";
        let help = "write `capacity: {concurrency: 64}` beside it";
        diagnostics.report(Diagnostic::new(slowdown.place, message).help(help));
    }
    read::number(&slowdown.node, "at_full")
}

fn capacity(node: &Node, diagnostics: &mut Diagnostics) -> Option<Capacity> {
    let waits = read::text(node, "on_full")? == "wait";
    let queue = node.entry("queue");
    if let Some(queue) = queue.filter(|_| waits) {
        let message = "a queue of limited length, where there is always room to wait";
        let help = "remove it, or say what is answered by `on_full: 429`";
        diagnostics.report(Diagnostic::new(queue.place, message).help(help));
    }
    let queue = match queue {
        _ if waits => None,
        Some(_) => Some(u32::try_from(read::integer(node, "queue")?).ok()?),
        None => Some(0),
    };
    // Who always finds room to wait is never answered it.
    let on_full = if waits { 503 } else { u16::try_from(read::integer(node, "on_full")?).ok()? };
    let concurrency = u32::try_from(read::integer(node, "concurrency")?).ok()?;
    Some(Capacity { concurrency, queue, on_full })
}

fn rate_limit(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<RateLimit> {
    let node = &entry.node;
    if node.text().is_none() && node.entries().is_empty() {
        let message = "the rate limit limits nothing";
        let help = "write `requests: 500/m`, or `tokens: 90000/m`";
        diagnostics.report(Diagnostic::new(entry.place, message).help(help));
    }
    let quota = |key: &str| match node.get(key) {
        Some(quota) => Quota::parse(quota.text()?).ok().map(Some),
        None => Some(None),
    };
    Some(RateLimit { requests: quota("requests")?, tokens: quota("tokens")? })
}
