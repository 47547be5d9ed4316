//! What a scenario's models mean: how requests are assigned, what becomes of those that fail, what
//! is guarded against, and the versions.

use crate::engine::{Assignment, Fallback, Policies, RetryPolicy};
use crate::scenario::{ModelPlan, StickyBy, Truth, VersionPlan};
use crate::units::{Price, Ratio, format_counted, format_significant};
use crate::upstream::{Behaviour, Bursts, Correlation, Failure};

/// The lines about a model.
pub(super) fn model_lines(model: &ModelPlan) -> Vec<String> {
    let mut lines = vec![format!("Model {}", model.id)];
    for version in &model.versions {
        lines.push(version_line(version));
        let limits = version.behaviour().into_iter().flat_map(limits);
        lines.extend(limits.map(|limit| format!("    {limit}")));
    }
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
        let jitter = match backoff.jitter() {
            Ratio::ZERO => String::new(),
            jitter => format!(", less up to {jitter} of it by chance"),
        };
        format!(
            "up to {} on {}, after {} to {}{jitter}{}",
            format_counted(retry.attempts().into(), "retry", "retries"),
            on.join(", "),
            backoff.first(),
            backoff.max(),
            retry_after(retry),
        )
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

/// What becomes of the wait that an answer asks for, which only a 429 does.
fn retry_after(retry: &RetryPolicy) -> String {
    if !retry.honours_retry_after() {
        return String::new();
    }
    if retry.retries_rate_limits() {
        let max = retry.backoff().max();
        format!(", or as long as `retry-after` of a 429 asks for, but never longer than {max}")
    } else {
        "; no answer that is retried on has a `retry-after`".to_owned()
    }
}

fn failures(failures: &[Failure]) -> String {
    let failures: Vec<_> = failures
        .iter()
        .map(|failure| format!("{} {}", failure.probability, failure.kind))
        .collect();
    if failures.is_empty() { "none".to_owned() } else { failures.join(", ") }
}

/// What an upstream's answers depend on beside the request itself.
fn limits(behaviour: &Behaviour) -> impl Iterator<Item = String> {
    let rate: Vec<_> = behaviour.rate_limit.words().collect();
    let rate = (!rate.is_empty()).then(|| format!("rate limit: {}, else 429", rate.join(", ")));
    let capacity = behaviour.capacity.map(|capacity| {
        let slowdown = behaviour.slowdown_at_full;
        let slower = match slowdown > 1.0 {
            true => {
                let factor = format_significant(slowdown, 4);
                format!("; slowdown: {factor} times as long when all are occupied")
            }
            false => String::new(),
        };
        format!("capacity: {capacity}{slower}")
    });
    let together = match &behaviour.correlation {
        Correlation::Request => None,
        Correlation::User => {
            Some("failures together: all requests of one user fail alike, or none".to_owned())
        }
        Correlation::Burst(Bursts { enter, leave, failures: more }) => Some(format!(
            "failures together: bursts, of which one begins in a second with {enter} and ends with \
             {leave}; in them: {}",
            failures(more)
        )),
    };
    rate.into_iter().chain(capacity).chain(together)
}

fn version_line(version: &VersionPlan) -> String {
    let tags: Vec<_> = version.tags.iter().map(|tag| tag.as_str()).collect();
    let tags = if tags.is_empty() { String::new() } else { format!(" [{}]", tags.join(", ")) };
    let answers = match version.behaviour() {
        Some(Behaviour { latency, failures: kinds, .. }) => {
            format!("latency {latency}; failures: {}", failures(kinds))
        }
        None => "answers as the trace has recorded it".to_owned(),
    };
    let price = version.price.map_or_else(|| "not given".to_owned(), price);
    let truth = match version.truth {
        Truth::DuringFaults => "",
        Truth::Healthy => "; never counts as bad",
        Truth::Bad => "; always counts as bad",
    };
    format!("  {}{tags}: {answers}; price {price}{truth}", version.id)
}

fn price(price: Price) -> String {
    let Price { input_per_1k, output_per_1k } = price;
    if input_per_1k == output_per_1k {
        format!("{input_per_1k} for 1,000 tokens")
    } else {
        format!("{input_per_1k} for 1,000 tokens of input, {output_per_1k} of output")
    }
}
