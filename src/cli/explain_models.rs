//! What a scenario's models mean: how requests are assigned, what becomes of those that fail, what
//! is guarded against, and the versions.

use crate::engine::{Assignment, Fallback, Policies};
use crate::scenario::{ModelPlan, StickyBy, Truth, VersionPlan};
use crate::units::{Price, format_counted};

/// The lines about a model.
pub(super) fn model_lines(model: &ModelPlan) -> Vec<String> {
    let mut lines = vec![format!("Model {}", model.id)];
    lines.extend(model.versions.iter().map(version));
    lines.push(format!("  assignment: {}", assignment(model)));
    lines.push(format!("  failed attempts: {}", policies(&model.policies)));
    lines.push(format!("  pinned requests: told above {}", model.policies.max_pinned));
    let off: Vec<_> = model.safeguards.switched_off().collect();
    lines.push(match off.as_slice() {
        [] => "  safeguards: all on".to_owned(),
        off => format!("  safeguards switched off: {}", off.join(", ")),
    });
    lines
}

fn assignment(model: &ModelPlan) -> String {
    let owner = match model.sticky_by {
        StickyBy::User => "user",
        StickyBy::Session => "session",
        StickyBy::Client => "client",
    };
    match model.assignment {
        Assignment::Random => "random, by each request's own draw".to_owned(),
        Assignment::Even => {
            "even, in turns: each version is within one request of its share".to_owned()
        }
        Assignment::Sticky => format!(
            "sticky: the requests of one {owner} stay with a version while the weights stay, and \
             a growing canary takes from the stable only"
        ),
    }
}

fn policies(policies: &Policies) -> String {
    let retry = policies.retry.as_ref().map(|retry| {
        let on: Vec<_> = retry.on().iter().map(ToString::to_string).collect();
        let backoff = retry.backoff();
        format!(
            "up to {} on {}, after {} to {}, less up to {} of it by chance",
            format_counted(retry.attempts().into(), "retry", "retries"),
            on.join(", "),
            backoff.first(),
            backoff.max(),
            backoff.jitter(),
        ) + if retry.honours_retry_after() { ", or as long as `retry-after` asks for" } else { "" }
    });
    let fallback = policies.fallback.map(|fallback| match fallback {
        Fallback::Stable => "one attempt more on the stable at last".to_owned(),
    });
    let all: Vec<_> = retry.into_iter().chain(fallback).collect();
    match all.as_slice() {
        [] => "their clients see them, nothing is tried again".to_owned(),
        all => all.join("; "),
    }
}

fn version(version: &VersionPlan) -> String {
    let tags: Vec<_> = version.tags.iter().map(|tag| tag.as_str()).collect();
    let tags = if tags.is_empty() { String::new() } else { format!(" [{}]", tags.join(", ")) };
    let latency = &version.behaviour.latency;
    let failures = version.behaviour.failures.iter();
    let failures: Vec<_> =
        failures.map(|failure| format!("{} {}", failure.probability, failure.kind)).collect();
    let failures = if failures.is_empty() { "none".to_owned() } else { failures.join(", ") };
    let price = version.price.map_or_else(|| "not given".to_owned(), price);
    let truth = match version.truth {
        Truth::DuringFaults => "",
        Truth::Healthy => "; never counts as bad",
        Truth::Bad => "; always counts as bad",
    };
    format!("  {}{tags}: latency {latency}; failures: {failures}; price {price}{truth}", version.id)
}

fn price(price: Price) -> String {
    let Price { input_per_1k, output_per_1k } = price;
    if input_per_1k == output_per_1k {
        format!("{input_per_1k} for 1,000 tokens")
    } else {
        format!("{input_per_1k} for 1,000 tokens of input, {output_per_1k} of output")
    }
}
