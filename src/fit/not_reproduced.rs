//! What a recording has and its twin does not.

use super::fitted::Fitted;
use super::observed::{Observed, SeenVersion};
use crate::units::{Duration, Rate, format_count, format_counted, format_elapsed, format_rate};

/// What the recording has and a twin does not: a sentence each.
pub(super) fn not_reproduced(observed: &Observed, fitted: &Fitted) -> Vec<String> {
    let mut words = Vec::new();
    of_conversations(observed, &mut words);
    of_rate(observed, fitted, &mut words);
    of_splits(fitted, &mut words);
    of_unnamed(observed, &mut words);
    let left_out = observed.users.left_out + observed.sessions.left_out;
    if left_out > 0 {
        words.push(
            "There are more than a million users or sessions: the first million count.".to_owned(),
        );
    }
    if observed.extras.empty_answers > 0 {
        words.push(format!(
            "The answers of {} have no tokens: the twin's have one or more.",
            counted(observed.extras.empty_answers)
        ));
    }
    if fitted.has_latency() {
        words.push(
            "Latency does not depend on load or on the time: queues, slow hours and warm caches \
             are part of the quantiles only."
                .to_owned(),
        );
    }
    words
}

/// A rate that is not what it was.
fn of_rate(observed: &Observed, fitted: &Fitted, words: &mut Vec<String>) {
    let half = observed.counts.seconds().len() / 2;
    let sums = [&observed.counts.seconds()[..half], &observed.counts.seconds()[half..]];
    let [before, after] = sums.map(|part| part.iter().map(|c| f64::from(*c)).sum::<f64>());
    let long = fitted.arrivals.recorded[2].unwrap_or(1.0).max(1.0);
    let is_flat = fitted.arrivals.candidate().model.name() != "piecewise";
    if is_flat && half > 0 && (after - before).abs() > 3.0 * (long * (after + before)).sqrt() {
        let rate = |count: f64| {
            Rate::per(count, Duration::from_secs(half as u64)).map_or_else(String::new, format_rate)
        };
        words.push(format!(
            "The rate went from {} in the first half to {} in the second: the twin's stays.",
            rate(before),
            rate(after)
        ));
    }
}

/// Versions that were sent requests only for a while.
fn of_splits(fitted: &Fitted, words: &mut Vec<String>) {
    for version in fitted.models.iter().flat_map(|model| &model.versions) {
        let (first, last) = version.active;
        let margin = fitted.span.mul_f64(0.05);
        if first > margin || last + margin < fitted.span {
            words.push(format!(
                "{} was sent requests from {} to {} only: the twin's split holds throughout.",
                version.id,
                format_elapsed(first),
                format_elapsed(last)
            ));
        }
    }
}

/// Requests of which no model or version is known, where it is of others.
fn of_unnamed(observed: &Observed, words: &mut Vec<String>) {
    let mut unnamed = |versions: &[&SeenVersion], what: &str| {
        let requests: u64 = versions.iter().map(|version| version.requests).sum();
        let failed = versions.iter().map(|version| u64::from(version.outcomes.total().failed));
        let failed = match failed.sum::<u64>() {
            0 => String::new(),
            failed => format!(" ({} failed)", format_count(failed)),
        };
        if requests > 0 {
            words.push(format!(
                "{} name no {what}: they count as arrivals; how they ended is left out{failed}.",
                counted(requests)
            ));
        }
    };
    let named = observed.models.iter().any(|model| model.id.is_some());
    let has_no_model = |version: &SeenVersion| named && observed.models[version.model].id.is_none();
    let has_name = |of: usize| {
        observed.versions.iter().any(|version| version.model == of && version.id.is_some())
    };
    let versions = || observed.versions.iter();
    let without: Vec<_> = versions().filter(|version| has_no_model(version)).collect();
    unnamed(&without, "model");
    let without: Vec<_> =
        versions().filter(|v| !has_no_model(v) && v.id.is_none() && has_name(v.model)).collect();
    unnamed(&without, "version");
}

/// What clients have to do with each other, or with the answers, in the recording.
fn of_conversations(observed: &Observed, words: &mut Vec<String>) {
    let extras = observed.extras;
    let requests = counted;
    if extras.prefixes > 0 {
        words.push(format!(
            "{} share the beginnings of prompts: the twin's prompts share nothing.",
            requests(extras.prefixes)
        ));
    }
    if extras.parents > 0 {
        words.push(format!(
            "{} follow another in a conversation: the twin's do not wait for an answer.",
            requests(extras.parents)
        ));
    }
    if extras.closed_by_client > 0 {
        words.push(format!(
            "The clients of {} left before the answer: the twin's stay.",
            requests(extras.closed_by_client)
        ));
    }
}

fn counted(requests: u64) -> String {
    format_counted(requests, "request", "requests")
}
