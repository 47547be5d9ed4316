//! The headers that a gateway sends to its upstreams: which it may, and what they say.

use http::{HeaderName, HeaderValue};

use super::diagnostic::{Diagnostic, Diagnostics};
use super::place::Place;
use super::shape::quote;
use super::tree::{Entry, Node};

/// The headers that `node`, an upstream, has sent along.
pub(crate) fn decode(
    node: &Node,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<(HeaderName, HeaderValue)>> {
    let mut seen: Vec<(HeaderName, Place)> = Vec::new();
    let mut headers = Vec::new();
    let mut complete = true;
    for entry in node.get("headers").map_or(&[][..], Node::entries) {
        let header = header(entry, diagnostics);
        let Some((name, value)) = header else {
            complete = false;
            continue;
        };
        if let Some((_, first)) = seen.iter().find(|(known, _)| *known == name) {
            let message = format!("a second header {}", quote(&entry.key));
            let twice = Diagnostic::new(entry.place, message).note(*first, "the first is here");
            diagnostics.report(twice.help("remove one: capitals make no difference"));
        }
        seen.push((name.clone(), entry.place));
        headers.push((name, value));
    }
    complete.then_some(headers)
}

/// The header that carries the secret of the upstream at `node`, beside those in `headers`.
pub(crate) fn of_key(node: &Node, key: &Node, diagnostics: &mut Diagnostics) -> Option<HeaderName> {
    let named = key.get("header")?;
    let name: HeaderName = named.text()?.parse().ok()?;
    if let Some(why) = refusal(&name) {
        let message = format!("{} cannot carry a secret: {why}", quote(named.text()?));
        let help = "write `header: Authorization`, or the header that the upstream looks for";
        diagnostics.report(Diagnostic::new(named.place, message).help(help));
        return None;
    }
    let mut others = node.get("headers").map_or(&[][..], Node::entries).iter();
    if let Some(other) = others.find(|other| other.key.eq_ignore_ascii_case(name.as_str()))
        && !is_secret(&other.key)
    {
        let message = format!("a second header {}", quote(&other.key));
        let twice = Diagnostic::new(other.place, message).note(named.place, "it carries the key");
        diagnostics.report(twice.help("remove one of the two"));
    }
    Some(name)
}

/// Whether a header of this name carries a secret, as far as names tell.
pub(crate) fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let known = ["authorization", "proxy-authorization", "cookie"].contains(&name.as_str());
    let words = || name.split(['-', '_', '.']);
    known
        || words().any(|word| ["token", "secret", "password", "apikey"].contains(&word))
        || (words().any(|word| word == "key") && words().any(|word| word == "api"))
}

fn header(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<(HeaderName, HeaderValue)> {
    let name: HeaderName = entry.key.parse().ok()?;
    if is_secret(&entry.key) {
        let message = format!("{} carries a secret, which does not belong here", quote(&entry.key));
        let help = match name.as_str() {
            "authorization" => "write `key: {env: NAME}` beside `headers`".to_owned(),
            _ => format!("write `key: {{env: NAME, header: {}}}` beside `headers`", entry.key),
        };
        diagnostics.settle(Diagnostic::new(entry.place, message).help(help));
        // Of its value nothing is told.
        diagnostics.leave(entry.node.place);
        return None;
    }
    if let Some(why) = refusal(&name) {
        let message = format!("{} cannot be set: {why}", quote(&entry.key));
        diagnostics.report(Diagnostic::new(entry.place, message).help("remove it"));
        return None;
    }
    let text = entry.node.text()?;
    if text.trim() != text {
        let message = "a header's value has no white space at its ends";
        let diagnostic = Diagnostic::new(entry.node.place, message);
        diagnostics.report(diagnostic.suggest(Some(text.trim())));
        return None;
    }
    // What other characters mean in a header, nobody agrees on: RFC 9110, 5.5.
    let value = HeaderValue::from_str(text).ok().filter(|_| text.is_ascii());
    if value.is_none() {
        let message = format!("{} is no value of a header: allowed is plain ASCII", quote(text));
        diagnostics.report(Diagnostic::new(entry.node.place, message));
    }
    Some((name, value?))
}

/// Why the gateway sends no header of this name but its own.
fn refusal(name: &HeaderName) -> Option<&'static str> {
    match name.as_str() {
        "connection" | "keep-alive" | "proxy-authenticate" | "proxy-connection" | "te"
        | "trailer" | "transfer-encoding" | "upgrade" => {
            Some("it is between two neighbours on the way alone (RFC 9110, 7.6.1)")
        }
        "host" | "content-length" | "content-type" | "expect" => {
            Some("it follows from the request")
        }
        "accept" | "accept-encoding" => Some("the gateway reads what it passes on"),
        "x-canary-version" | "x-served-version" | "x-assigned-version" => {
            Some("it is between the gateway and its clients")
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_known_by_the_names_of_their_headers() {
        for name in [
            "Authorization",
            "api-key",
            "X-API-Key",
            "x-goog-api-key",
            "Cookie",
            "X-Auth-Token",
            "apikey",
            "client_secret",
        ] {
            assert!(is_secret(name), "{name}");
        }
        for name in ["OpenAI-Organization", "X-Key-Version", "X-Request-Id", "monkey", "X-Tokens"] {
            assert!(!is_secret(name), "{name}");
        }
    }
}
