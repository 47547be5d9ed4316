//! Secrets in the configuration of a gateway: they do not belong there, and where they stand all
//! the same they are not told again.
//!
//! A line that holds one, or may hold one, is not shown beside a problem; a text where a secret is
//! looked for is refused without being cited.

use super::decode_headers::is_secret;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::place::Sources;
use super::secret_url::SecretUrl;
use super::shape::{Literal, Shape};
use super::shapes_gateway::GATEWAY;
use super::tree::{Entry, Node, Scalar, Value};

/// Reports secrets that are written out, and sees to it that no line is shown that may hold one.
pub(crate) fn cover(root: &Node, sources: &mut Sources, diagnostics: &mut Diagnostics) {
    let mut covering = Covering { sources, diagnostics };
    covering.strangers(root, Some(GATEWAY));
    for upstream in root.get("upstreams").map_or(&[][..], Node::entries) {
        let node = &upstream.node;
        covering.strangers(node, GATEWAY.below("upstreams"));
        covering.credential("key", node);
        // A user in a URL, or a query, is hardly anything else.
        let tells = |url: &str| url.contains(['@', '?']);
        if let Some(url) = node.get("url").filter(|url| url.text().is_some_and(tells)) {
            covering.lines(url);
        }
        for header in node.get("headers").map_or(&[][..], Node::entries) {
            if is_secret(&header.key) {
                covering.lines(&header.node);
                // That it stands here is told where it is read.
                covering.diagnostics.leave(header.node.place);
            }
        }
    }
    for model in root.get("models").map_or(&[][..], Node::entries) {
        let shape = GATEWAY.below("models");
        covering.strangers(&model.node, shape);
        let versions = model.node.get("versions").map_or(&[][..], Node::entries);
        for version in versions {
            covering.strangers(&version.node, shape.and_then(|shape| shape.below("versions")));
        }
        if let Some(webhook) = slack_webhook(&model.node) {
            covering.lines(webhook);
        }
    }
    let Some(notify) = root.get("notify") else { return };
    covering.strangers(notify, GATEWAY.below("notify"));
    for key in ["slack", "webhook"] {
        if let Some(webhook) = notify.get(key) {
            covering.lines(webhook);
            covering.credential("secret", webhook);
        }
    }
    if let (Some(smtp), Some(shape)) = (notify.get("smtp"), GATEWAY.below("notify")) {
        covering.strangers(smtp, shape.below("smtp"));
        covering.credential("password", smtp);
    }
}

/// Sees to it that no line is shown that may hold a secret by the words in it: all that can be done
/// about a text that is no tree.
pub(crate) fn cover_by_words(sources: &mut Sources) {
    sources.cover_lines(is_telling);
}

/// Puts into a complete tree what may be shown of its secrets: of URLs the host.
pub(crate) fn hide(root: &mut Node) {
    for model in root.get_mut("models").map_or(&mut [][..], Node::entries_mut) {
        let rules = model.node.get_mut("rules").and_then(|rules| rules.get_mut("notification"));
        if let Some(webhook) = rules.and_then(|notification| notification.get_mut("slack_webhook"))
        {
            hide_url(webhook);
        }
    }
    for key in ["slack", "webhook"] {
        let webhook = root.get_mut("notify").and_then(|notify| notify.get_mut(key));
        if let Some(url) = webhook.and_then(|webhook| webhook.get_mut("url")) {
            hide_url(url);
        }
    }
}

fn hide_url(node: &mut Node) {
    let shown = match node.text().map(SecretUrl::new) {
        Some(Ok(url)) => format!("{url:?}"),
        _ => "...".to_owned(),
    };
    node.value = Value::Scalar(Scalar { text: shown, quoted: true });
}

fn slack_webhook(model: &Node) -> Option<&Node> {
    model.get("rules")?.get("notification")?.get("slack_webhook")
}

/// Whether the words of `text` are those of secrets.
fn is_telling(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    TELLING.iter().any(|word| text.contains(word))
}

/// Whether a key in `entry` is one of secrets.
fn tells(entry: &Entry) -> bool {
    let mut items = entry.node.items().iter().flat_map(Node::entries);
    is_telling(&entry.key) || entry.node.entries().iter().any(tells) || items.any(tells)
}

struct Covering<'a> {
    sources: &'a mut Sources,
    diagnostics: &'a mut Diagnostics,
}

impl Covering<'_> {
    /// What says where a secret is found, at the key `key` of `node`.
    fn credential(&mut self, key: &str, node: &Node) {
        let Some(credential) = node.get(key) else { return };
        let message = "a secret does not belong here: write where it is found";
        let help = format!("write `{key}: {{env: NAME}}` or `{key}: {{file: PATH}}`");
        if credential.text().is_some() {
            self.diagnostics.settle(Diagnostic::new(credential.place, message).help(help.as_str()));
        }
        for entry in credential.entries().iter().filter(|entry| entry.node.text().is_none()) {
            // `{sk-...}` is a map with a key of which nothing is said.
            if !["env", "file", "header"].contains(&entry.key.as_str()) {
                self.diagnostics.settle(Diagnostic::new(entry.place, message).help(help.as_str()));
            }
        }
        if let Some(header) = credential.get("header")
            && header.scalar().is_some_and(|name| Literal::Header.check(name).is_err())
        {
            // `Bearer sk-...` for one is not cited.
            let message = "no name of a header";
            let help = "write the name alone, such as `header: api-key`";
            self.diagnostics.settle(Diagnostic::new(header.place, message).help(help));
        }
        let says = |entry: &Entry| match (entry.key.as_str(), entry.node.scalar()) {
            ("env", Some(name)) => Literal::Environment.check(name).is_ok(),
            ("header", Some(name)) => Literal::Header.check(name).is_ok(),
            ("file", Some(_)) => true,
            _ => false,
        };
        let entries = credential.entries();
        if entries.is_empty() || !entries.iter().all(says) {
            self.lines(credential);
        }
    }

    /// What stands at keys of `node` that its `shape` does not know and that are those of secrets:
    /// `api_key` for one.
    fn strangers(&mut self, node: &Node, shape: Option<Shape>) {
        let Some(shape) = shape else { return };
        for entry in node.entries() {
            if shape.field(&entry.key).is_none() && tells(entry) {
                self.lines(&entry.node);
            }
        }
    }

    fn lines(&mut self, node: &Node) {
        for place in node.places() {
            self.sources.cover(place);
        }
    }
}

/// Words of lines that may hold a secret.
const TELLING: [&str; 7] = ["key", "token", "secret", "pass", "auth", "webhook", "url"];
