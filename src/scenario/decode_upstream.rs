//! Upstreams: how a version answers when nothing is wrong with it.

use crate::chance::Distribution;
use crate::units::Duration;
use crate::upstream::{Behaviour, Bursts, Correlation, Latency, LatencyParts};

use super::check::mistyped;
use super::decode_distribution;
use super::decode_failures::{self, check_sum, sum};
use super::decode_load;
use super::decode_recorded;
use super::diagnostic::{Diagnostic, Diagnostics};
use super::plan::UpstreamPlan;
use super::read::{self, Quantity};
use super::shapes_upstream::UPSTREAM;
use super::tree::{Entry, Node};

/// The upstream at `entry`.
pub(crate) fn decode(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<UpstreamPlan> {
    let node = &entry.node;
    if decode_recorded::is_recorded(node) {
        decode_recorded::check_alone(entry, diagnostics);
        return Some(UpstreamPlan::Recorded);
    }
    let latency = latency(entry, diagnostics);
    let failures = match node.entry("failures") {
        Some(entry) => {
            let failures = decode_failures::decode(&entry.node, diagnostics);
            let own = sum(failures.as_deref().unwrap_or_default());
            check_sum(own, &[], entry.place_of_whole(), diagnostics);
            failures
        }
        None => Some(Vec::new()),
    };
    let correlation = correlation(node, sum(failures.as_deref().unwrap_or_default()), diagnostics);
    let (capacity, rate_limit) = decode_load::decode(node, diagnostics);
    let slowdown_at_full = decode_load::slowdown(node, diagnostics);
    Some(UpstreamPlan::Behaves(Behaviour {
        latency: latency?,
        failures: failures?,
        correlation: correlation?,
        capacity: capacity?,
        slowdown_at_full: slowdown_at_full?,
        rate_limit: rate_limit?,
    }))
}

fn latency(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<Latency> {
    let node = &entry.node;
    let Some(latency) = node.entry("latency") else {
        // A preset without one is none, and told before.
        let told = mistyped(node.entries(), UPSTREAM.fields, "latency") || node.text().is_some();
        if !told && node.get("preset").is_none() {
            let message = "upstream has no \"latency\": nothing says how long answers take";
            let help = "write `latency: {lognormal: {mean: 892ms, p99: 1423ms}}`, or its parts \
                        `latency: {first_token: 300ms, per_output_token: 20ms}`";
            diagnostics.report(Diagnostic::new(entry.place, message).help(help));
        }
        return None;
    };
    let share = node.entry("first_token");
    if latency.node.get("first_token").is_some() {
        if let Some(share) = share {
            let message = "a share of the latency until the first token, beside its parts";
            let help = "remove it: `first_token` among the parts says the time";
            diagnostics.report(Diagnostic::new(share.place, message).help(help));
        }
        return parts(latency, diagnostics);
    }
    if !decode_distribution::is_given(&latency.node) {
        if latency.node.text().is_none() && !mistyped_family(&latency.node) {
            let message = "the latency has no \"first_token\", nor is it given as a whole";
            let help = "write `latency: {first_token: 300ms, per_output_token: 20ms}`, or a \
                        distribution of the time to the complete answer";
            diagnostics.report(Diagnostic::new(latency.place, message).help(help));
        }
        return None;
    }
    for part in PARTS.iter().filter_map(|part| latency.node.entry(part)) {
        let message = format!("`{}` is a part of a latency given by `first_token`", part.key);
        let help = "write `first_token:` beside it in place of the total, or remove it";
        diagnostics.report(Diagnostic::new(part.place, message).help(help));
    }
    let total = decode_distribution::decode(&latency.node, Quantity::Seconds, diagnostics);
    let first_token = read::ratio(node, "first_token")?;
    Some(Latency::Total { total: total?, first_token })
}

/// Whether one of the keys was meant to be the choice that is missing, which is told.
fn mistyped_family(node: &Node) -> bool {
    node.entries().iter().any(|entry| !PARTS.contains(&entry.key.as_str()))
}

fn parts(entry: &Entry, diagnostics: &mut Diagnostics) -> Option<Latency> {
    let node = &entry.node;
    let mut part = |key: &str| match node.get(key) {
        Some(part) => decode_distribution::decode(part, Quantity::Seconds, diagnostics),
        None => Distribution::constant(0.0).ok(),
    };
    let parts = ["connect", "first_token", "per_input_token", "per_output_token", "tail"];
    let [connect, first_token, per_input_token, per_output_token, tail] = parts.map(&mut part);
    if node.get("per_output_token").is_none() {
        let message = "the latency has no \"per_output_token\": time between two tokens";
        let help = "write `per_output_token: 20ms`, or `0s` for answers that come at once";
        diagnostics.report(Diagnostic::new(entry.place, message).help(help));
        return None;
    }
    let at_most = read::duration(node, "at_most");
    if let Some(limit) = node.entry("at_most").filter(|_| at_most == Some(Duration::ZERO)) {
        let message = "`at_most` of a latency is 0s: no answer would take any time";
        let help = "write more than 0s, such as `at_most: 30s`, or remove it: answers then take \
                    as long as their parts";
        diagnostics.report(Diagnostic::new(limit.place, message).help(help));
        return None;
    }
    Some(Latency::Parts(Box::new(LatencyParts {
        connect: connect?,
        first_token: first_token?,
        per_input_token: per_input_token?,
        per_output_token: per_output_token?,
        tail: tail?,
        at_most,
    })))
}

/// `normal` is the sum of the normal failures' probabilities.
fn correlation(node: &Node, normal: f64, diagnostics: &mut Diagnostics) -> Option<Correlation> {
    let (stated, burst) = (node.entry("correlate"), node.entry("burst"));
    match (stated.map(|entry| entry.node.text()), burst) {
        (None | Some(Some("burst")), Some(burst)) => bursts(burst, normal, diagnostics),
        (None | Some(Some("request")), None) => Some(Correlation::Request),
        (Some(Some("user")), None) => Some(Correlation::User),
        (Some(Some("burst")), None) => {
            let place = stated?.place;
            let message = "`correlate: burst` without a burst: nothing says when it comes";
            let help = "write `burst: {enter: 0.1%, leave: 5%, failures: {\"503\": 80%}}`";
            diagnostics.report(Diagnostic::new(place, message).help(help));
            None
        }
        (Some(Some(other @ ("request" | "user"))), Some(burst)) => {
            let message = format!("a burst, where requests fail together by {other}");
            let diagnostic = Diagnostic::new(burst.place, message);
            let diagnostic = diagnostic.note(stated?.place, "`correlate` stands here");
            diagnostics.report(diagnostic.help("remove one of the two"));
            None
        }
        _ => None,
    }
}

fn bursts(entry: &Entry, normal: f64, diagnostics: &mut Diagnostics) -> Option<Correlation> {
    let node = &entry.node;
    let failures = node.entry("failures")?;
    let decoded = decode_failures::decode(&failures.node, diagnostics);
    let own = sum(decoded.as_deref().unwrap_or_default());
    check_sum(own, &[("the normal ones", normal)], failures.place_of_whole(), diagnostics);
    Some(Correlation::Burst(Bursts {
        enter: read::ratio(node, "enter")?,
        leave: read::ratio(node, "leave")?,
        failures: decoded?,
    }))
}

/// The keys that stand beside `first_token` among the parts of a latency.
const PARTS: [&str; 5] = ["per_output_token", "per_input_token", "connect", "tail", "at_most"];
