//! What describes a trace in sentences: for a terminal, for Markdown, and for those who do not see
//! its charts.

use super::visible::one_line;
use crate::profile::{
    Correlation, Distinct, Identities, PrefixFigures, Profile, TraceSource, TraceStats,
};
use crate::units::{
    format_count, format_counted, format_duration, format_percent, format_significant,
};

/// `fixtures/peak-hour.csv: 9,874 requests in 60m, 2.74/s`.
pub(super) fn headline(stats: &TraceStats) -> String {
    let TraceStats { source, profile, .. } = stats;
    let requests = format_counted(profile.requests, "request", "requests");
    let rate = profile.rate.map_or_else(String::new, |rate| format!(", {rate}"));
    format!("{}: {requests} in {}{rate}", one_line(&source.file), profile.span)
}

/// How the trace was read.
pub(super) fn reading(source: &TraceSource) -> String {
    let accounting = &source.accounting;
    let mut parts = vec![format!("{}, times in {}", accounting.format, accounting.unit)];
    parts.extend(source.began.map(|began| format!("began {began}")));
    let read = format_counted(accounting.read, "row read", "rows read");
    let dropped = accounting.read.saturating_sub(accounting.emitted);
    parts.push(match dropped {
        0 => format!("{read}, none left out"),
        count => format!("{read}, {} left out", format_count(count)),
    });
    parts.extend(
        source
            .accounting
            .dropped
            .iter()
            .map(|(reason, dropped)| format!("{} {}", format_count(dropped.count), reason.words())),
    );
    parts.extend(source.window.map(|[from, length]| {
        format!("described: {} from {} on", format_duration(length), format_duration(from))
    }));
    parts.extend(
        source
            .dequantized
            .map(|quantum| format!("rows of one time spread over {}", format_duration(quantum))),
    );
    parts.join("; ")
}

/// What else is known, in a sentence each, and how exact the figures are.
pub(super) fn facts(profile: &Profile) -> Vec<String> {
    let correlation = profile.correlation.as_ref().map(correlation);
    let streamed = profile.streamed.map(|part| {
        let share = format_percent(part.count as f64 / part.of.max(1) as f64);
        let known = format_count(part.of);
        format!("Streamed: {share} of the {known} requests of which it is known")
    });
    let identities = |name: &str, identities: &Option<Identities>| {
        identities.as_ref().map(|identities| identity(name, identities))
    };
    [
        correlation,
        streamed,
        identities("Users", &profile.users),
        identities("Sessions", &profile.sessions),
        profile.prefixes.as_ref().map(prefixes),
        Some(exactness(profile)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn correlation(correlation: &Correlation) -> String {
    let Correlation { requests, value, error } = correlation;
    let value = format!("{value:.2}");
    let within = match *error {
        0.0 => "exact".to_owned(),
        error => format!("within {} at worst", format_significant(error, 1)),
    };
    format!(
        "Input and output tokens: rank correlation {value} ({within}, {})",
        format_counted(*requests, "request", "requests")
    )
}

fn identity(name: &str, identities: &Identities) -> String {
    let Identities { requests, distinct, requests_each } = identities;
    format!(
        "{name}: {}, with {} requests each of the {} that have one",
        distinct_text(*distinct),
        format_significant(*requests_each, 3),
        format_count(*requests)
    )
}

fn distinct_text(distinct: Distinct) -> String {
    let count = format_count(distinct.count);
    match distinct.relative_deviation {
        0.0 => count,
        deviation => format!("{count} (estimated, ±{})", format_percent(deviation)),
    }
}

fn prefixes(prefixes: &PrefixFigures) -> String {
    format!(
        "Prompts: {} blocks of {} tokens, {} different: {} have come before",
        format_count(prefixes.blocks),
        format_count(prefixes.block_tokens),
        distinct_text(prefixes.distinct),
        format_percent(prefixes.reused)
    )
}

/// What is exact, and how far off the rest may be.
fn exactness(profile: &Profile) -> String {
    let tokens = [&profile.input, &profile.output].into_iter().flatten();
    let tokens = tokens.map(|tokens| tokens.relative_error).reduce(f64::max);
    let times = [&profile.gaps, &profile.total.latency, &profile.total.first_token];
    let times = times.into_iter().flatten().map(|times| times.relative_error).reduce(f64::max);
    let mut inexact = Vec::new();
    inexact.extend(times.map(|error| format!("quantiles of times (within {})", share(error))));
    let tokens = tokens.filter(|error| *error > 0.0);
    inexact.extend(tokens.map(|error| format!("quantiles of tokens (within {})", share(error))));
    match inexact.is_empty() {
        true => "All figures are exact.".to_owned(),
        false => format!("All figures are exact but {}.", inexact.join(" and ")),
    }
}

fn share(error: f64) -> String {
    format!("{} %", format_significant(error * 100.0, 1))
}
