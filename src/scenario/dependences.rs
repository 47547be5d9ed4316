//! What makes the requests of one run bear on each other.

use serde_json::Value;

/// What makes the requests of a run bear on each other, in words; empty where nothing does.
/// `resolved` is the resolved form of its scenario, `closed` whether users wait for their answers
/// before they send on.
pub fn dependences(resolved: &Value, closed: bool) -> Vec<&'static str> {
    let closed = closed.then_some("users wait for their answers");
    let played = ["models", "phases"].map(|key| resolved.get(key));
    let mut reasons: Vec<&str> = Vec::new();
    for reason in played.into_iter().flatten().flat_map(bindings).chain(closed) {
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    reasons
}

/// What in a resolved scenario binds requests to each other.
fn bindings(value: &Value) -> Vec<&'static str> {
    match value {
        Value::Array(items) => items.iter().flat_map(bindings).collect(),
        Value::Object(map) => {
            let own = BINDINGS.iter().filter(|(key, _)| map.contains_key(*key));
            let own = own.map(|(_, reason)| *reason);
            let users = map.get("correlate").is_some_and(|kind| kind == "user");
            let users = users.then_some("all requests of a user fail together");
            own.chain(users).chain(map.values().flat_map(bindings)).collect()
        }
        _ => Vec::new(),
    }
}

/// Keys of an upstream or a fault, and what they mean for its requests.
const BINDINGS: [(&str, &str); 3] = [
    ("capacity", "upstreams answer only so many at once"),
    ("rate_limit", "upstreams accept only so many over time"),
    ("burst", "failures come in bursts"),
];
