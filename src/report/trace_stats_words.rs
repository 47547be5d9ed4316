//! What describes a trace in sentences: for a terminal, for Markdown, and for those who do not see
//! its charts.

use super::visible::one_line;
use crate::profile::{Correlation, Distinct, Identities, PrefixFigures, Profile, TraceStats};
use crate::units::{
    format_count, format_counted, format_duration, format_percent, format_significant,
};

/// `fixtures/peak-hour.csv: 9,875 requests in 59m 58s, 2.74/s`.
pub(super) fn headline(stats: &TraceStats) -> String {
    let TraceStats { source, profile, .. } = stats;
    let requests = format_counted(profile.requests, "request", "requests");
    let rate = profile.rate.map_or_else(String::new, |rate| format!(", {rate}"));
    format!("{}: {requests} in {}{rate}", one_line(&source.file), profile.span)
}

/// How the trace was read.
pub(super) fn reading(stats: &TraceStats) -> String {
    let TraceStats { source, profile, .. } = stats;
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
    // The trace may end before the stretch that was asked for.
    parts.extend(source.window.map(|[from, length]| {
        let there = format_duration(length.min(profile.span));
        format!("described: {there} from {} on", format_duration(from))
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
    let value = if value == "-0.00" { "0.00".to_owned() } else { value };
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
    let Profile { gaps, input, output, total, .. } = profile;
    let times = [gaps, &total.latency, &total.first_token, &total.failure_latency];
    let times = times.into_iter().flatten().map(|times| times.relative_error).reduce(f64::max);
    let tokens = [input, output].into_iter().flatten();
    let tokens = tokens.map(|tokens| tokens.relative_error).reduce(f64::max);
    let tokens = tokens.filter(|error| *error > 0.0);
    let correlation = profile.correlation.as_ref().map(|correlation| correlation.error);
    let correlation = correlation.filter(|error| *error > 0.0);
    let mut inexact = Vec::new();
    inexact.extend(times.map(|error| format!("quantiles of times (within {})", share(error))));
    inexact.extend(tokens.map(|error| format!("quantiles of tokens (within {})", share(error))));
    inexact.extend(correlation.map(|_| "the rank correlation".to_owned()));
    inexact.extend(estimated(profile));
    match inexact.split_last() {
        None => "All figures are exact.".to_owned(),
        Some((only, [])) => format!("All figures are exact but {only}."),
        Some((last, others)) => {
            format!("All figures are exact but {} and {last}.", others.join(", "))
        }
    }
}

/// The numbers that are estimated, each with what is computed of it.
fn estimated(profile: &Profile) -> impl Iterator<Item = String> {
    let of = |identities: &Option<Identities>| identities.as_ref().map(|own| own.distinct);
    let numbers = [
        ("users", "with it the requests of each", of(&profile.users)),
        ("sessions", "with it the requests of each", of(&profile.sessions)),
        (
            "different blocks",
            "with it the share that came before",
            profile.prefixes.as_ref().map(|prefixes| prefixes.distinct),
        ),
    ];
    numbers.into_iter().filter_map(|(name, computed, distinct)| {
        let deviation = distinct?.relative_deviation;
        let told = || format!("the number of {name} (±{}), {computed}", format_percent(deviation));
        (deviation > 0.0).then(told)
    })
}

fn share(error: f64) -> String {
    format!("{} %", format_significant(error * 100.0, 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::example::{bare_stats, plain_stats};
    use crate::units::Duration;

    #[test]
    fn what_is_not_exact_is_told() {
        let mut profile = plain_stats().profile;
        let exact_but_times = "All figures are exact but quantiles of times (within 0.1 %)";
        assert_eq!(exactness(&profile), format!("{exact_but_times}."));
        profile.correlation.as_mut().unwrap().error = 0.03;
        assert_eq!(exactness(&profile), format!("{exact_but_times} and the rank correlation."));
        let distinct = Distinct { count: 20_000, relative_deviation: 0.0081 };
        let users = Identities { requests: 30_000, distinct, requests_each: 1.5 };
        profile.sessions = Some(Identities {
            distinct: Distinct { relative_deviation: 0.0, ..distinct },
            ..users
        });
        profile.users = Some(users);
        assert_eq!(
            exactness(&profile),
            format!(
                "{exact_but_times}, the rank correlation and the number of users (±0.81 %), with \
                 it the requests of each."
            )
        );
        assert_eq!(exactness(&bare_stats(1).profile), "All figures are exact.");
    }

    #[test]
    fn quantiles_of_failures_are_quantiles_of_times() {
        let mut profile = bare_stats(1).profile;
        profile.total.failure_latency = plain_stats().profile.gaps;
        let expected = "All figures are exact but quantiles of times (within 0.1 %).";
        assert_eq!(exactness(&profile), expected);
    }

    #[test]
    fn a_correlation_of_nearly_0_has_no_sign() {
        let told = |value| correlation(&Correlation { requests: 10, value, error: 0.0 });
        assert!(told(-0.004).contains("rank correlation 0.00 "), "{}", told(-0.004));
        assert!(told(-0.006).contains("rank correlation -0.01 "), "{}", told(-0.006));
    }

    #[test]
    fn of_a_stretch_that_the_trace_ends_in_is_told_what_was_there() {
        let mut stats = plain_stats();
        stats.source.window = Some([300, 86_400].map(Duration::from_secs));
        stats.profile.span = Duration::from_secs(600);
        assert!(reading(&stats).ends_with("described: 10m from 5m on"), "{}", reading(&stats));
    }
}
