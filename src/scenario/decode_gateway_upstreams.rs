//! The upstreams of a gateway: where they are, what is sent along, how long they may take.

use crate::units::Duration;

use super::decode_credential;
use super::decode_headers;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::endpoint_url::EndpointUrl;
use super::files::Folder;
use super::gateway_plan::{Timeouts, UpstreamEndpoint, UpstreamKey};
use super::read;
use super::shape::{Literal, quote};
use super::suggest::{listing, nearest};
use super::tree::{Entry, Node, Scalar};

/// The upstreams in `entry`.
pub(crate) fn decode(
    entry: &Entry,
    folder: &Folder,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<UpstreamEndpoint>> {
    let entries = entry.node.entries();
    if entries.is_empty() && entry.node.text().is_none() && entry.node.items().is_empty() {
        let message = "upstreams is empty: nothing could answer";
        let help = "write `NAME: {url: https://...}`";
        diagnostics.report(Diagnostic::new(entry.place, message).help(help));
    }
    let made: Vec<_> = entries.iter().map(|entry| upstream(entry, folder, diagnostics)).collect();
    let made: Option<Vec<_>> = made.into_iter().collect();
    made.filter(|made| !made.is_empty())
}

fn upstream(
    entry: &Entry,
    folder: &Folder,
    diagnostics: &mut Diagnostics,
) -> Option<UpstreamEndpoint> {
    let node = &entry.node;
    let url = read::text(node, "url").and_then(|url| EndpointUrl::new(url).ok());
    let headers = decode_headers::decode(node, diagnostics);
    let key = match node.get("key") {
        Some(key) => {
            let header = decode_headers::of_key(node, key, diagnostics);
            let credential = decode_credential::decode(key, folder);
            credential
                .zip(header)
                .map(|(credential, header)| Some(UpstreamKey { credential, header }))
        }
        None => Some(None),
    };
    if let (Some(key), Some(url)) = (node.entry("key"), &url)
        && !url.is_secure()
        && !url.is_local()
    {
        let message = format!("the key goes over the network in the clear, to {}", url.origin());
        diagnostics.warn(Diagnostic::new(key.place, message).help("reach the upstream by https"));
    }
    let timeouts = node.get("timeouts").and_then(|node| timeouts(node, diagnostics));
    let name = Scalar { text: entry.key.clone(), quoted: true };
    Literal::Upstream.check(&name).ok()?;
    Some(UpstreamEndpoint {
        name: name.text,
        url: url?,
        key: key?,
        headers: headers?,
        timeouts: timeouts?,
        concurrency: read::at_once(node, "concurrency")?,
    })
}

fn timeouts(node: &Node, diagnostics: &mut Diagnostics) -> Option<Timeouts> {
    let [connect, first_byte, idle, total, idle_connection] =
        ["connect", "first_byte", "idle", "total", "idle_connection"]
            .map(|key| node.get(key).and_then(|at| read::positive_duration(key, at, diagnostics)));
    let total = total?;
    // A part that could last longer than the whole never ends by itself.
    let within = |part: Option<Duration>| part.map(|part| part.min(total));
    Some(Timeouts {
        connect: within(connect)?,
        first_byte: within(first_byte)?,
        idle: within(idle)?,
        total,
        idle_connection: idle_connection?,
    })
}

/// Reports that `name`, which `node` holds, is none of the upstreams in `root`.
pub(crate) fn check_name(name: &Node, root: &Node, diagnostics: &mut Diagnostics) {
    let Some(text) = name.text() else { return };
    let known = || {
        let entries = root.get("upstreams").map_or(&[][..], Node::entries);
        entries.iter().map(|entry| entry.key.as_str())
    };
    if known().any(|known| known == text) {
        return;
    }
    let diagnostic = Diagnostic::new(name.place, format!("{} is no upstream", quote(text)));
    diagnostics.report(match nearest(text, known()) {
        Some(meant) => diagnostic.suggest(Some(meant)),
        None => diagnostic.help(format!("known upstreams: {}", listing(known()))),
    });
}
