//! What describes a trace as tables, before they are laid out for a terminal or Markdown.

use super::comparison::{ENDED_WITH, Grid, ending_label};
use super::figures::NO_DATA;
use crate::exchange::{Class, Classification, Ending};
use crate::profile::{Group, Outcomes, Profile, TimeFigures, TokenFigures, WindowFigures};
use crate::units::{
    Duration, format_count, format_duration, format_money, format_percent, format_significant,
};

/// Requests by windows of some widths, in a column each; `None` where none of them is full.
pub(super) fn windows_grid(profile: &Profile) -> Option<Grid> {
    let shown = profile.windows.iter();
    let shown = shown.filter(|windows| SHOWN_WIDTHS.contains(&windows.width.as_secs()));
    let shown: Vec<&WindowFigures> = shown.filter(|windows| windows.windows > 0).collect();
    let number = |value: Option<f64>| value.map(|value| format_significant(value, 3));
    let row = |label: &str, of: &dyn Fn(&WindowFigures) -> Option<String>| {
        let cells = shown.iter().map(|windows| told(of(windows)));
        std::iter::once(label.to_owned()).chain(cells).collect::<Vec<_>>()
    };
    let rows = vec![
        row("Dispersion (Poisson: 1)", &|windows| number(windows.dispersion)),
        row("Most requests", &|windows| Some(format_count(windows.most))),
        row("Peak over mean", &|windows| number(windows.peak_over_mean)),
        row("Without a request", &|windows| {
            Some(format_percent(windows.empty as f64 / windows.windows as f64))
        }),
    ];
    let header = std::iter::once("Windows of".to_owned());
    let header = header.chain(shown.iter().map(|windows| format_duration(windows.width)));
    (!shown.is_empty()).then(|| Grid { header: header.collect(), rows, names: None })
}

/// How gaps and tokens are distributed, in a row each; `None` where nothing of it is known.
pub(super) fn sizes_grid(profile: &Profile) -> Option<Grid> {
    let times =
        |label: &str, figures: &Option<TimeFigures>| Some(time_row(label, figures.as_ref()?));
    let tokens =
        |label: &str, figures: &Option<TokenFigures>| Some(token_row(label, figures.as_ref()?));
    let rows = [
        times("Time between requests", &profile.gaps),
        tokens("Input tokens", &profile.input),
        tokens("Output tokens", &profile.output),
        times("Latency", &profile.total.latency),
        times("Time to first token", &profile.total.first_token),
    ];
    let rows: Vec<Vec<String>> = rows.into_iter().flatten().collect();
    let header = ["", "Mean", "CV", "P50", "P90", "P99", "Max"].map(str::to_owned).to_vec();
    (!rows.is_empty()).then_some(Grid { header, rows, names: None })
}

/// A row for each of `groups`: how many requests, and what was observed of them. `None` without
/// groups.
pub(super) fn groups_grid(heading: &str, groups: &[Named<'_>], all: u64) -> Option<Grid> {
    let columns = columns(all);
    let is_known = |column: &&Column| groups.iter().any(|(_, group)| (column.of)(group).is_some());
    let shown: Vec<&Column> = columns.iter().filter(is_known).collect();
    let header = std::iter::once(heading).chain(shown.iter().map(|column| column.heading));
    let header = header.map(str::to_owned).collect();
    let row = |(name, group): &Named<'_>| {
        let cells = shown.iter().map(|column| told((column.of)(group)));
        std::iter::once(name.clone()).chain(cells).collect()
    };
    let rows: Vec<Vec<String>> = groups.iter().map(row).collect();
    (!rows.is_empty()).then_some(Grid { header, rows, names: None })
}

/// How the requests of `groups` ended, in a column each; `None` where all are known to have
/// succeeded, or nothing is known.
pub(super) fn endings_grid(groups: &[Named<'_>]) -> Option<Grid> {
    let observed = groups.iter().filter_map(|(name, group)| Some((name, group.outcomes.as_ref()?)));
    let observed: Vec<(&String, &Outcomes)> = observed.collect();
    let endings = observed.iter().flat_map(|(_, outcomes)| &outcomes.endings);
    let mut endings: Vec<Ending> = endings.map(|counted| counted.ending).collect();
    endings.sort_unstable();
    endings.dedup();
    let of = |outcomes: &Outcomes, ending: Ending| {
        let counted = outcomes.endings.iter().find(|counted| counted.ending == ending);
        format_count(counted.map_or(0, |counted| counted.requests))
    };
    let row = |ending: &Ending| {
        let cells = observed.iter().map(|(_, outcomes)| of(outcomes, *ending));
        std::iter::once(label(*ending)).chain(cells).collect()
    };
    let rows = endings.iter().map(row).collect();
    let header = std::iter::once(ENDED_WITH.to_owned());
    let header = header.chain(observed.iter().map(|(name, _)| (*name).clone())).collect();
    let is_told = endings.iter().any(|ending| *ending != Ending::Success);
    is_told.then_some(Grid { header, rows, names: None })
}

/// A group with what it is called.
pub(super) type Named<'a> = (String, &'a Group);

/// What a figure of a group is, in words; `None` where it has none.
type Told = Box<dyn Fn(&Group) -> Option<String>>;

/// A figure of a group.
struct Column {
    heading: &'static str,
    of: Told,
}

fn columns(all: u64) -> Vec<Column> {
    let column = |heading, of: Told| Column { heading, of };
    let time = |times: Option<&TimeFigures>, of: fn(&TimeFigures) -> Duration| {
        times.map(|times| format_duration(of(times)))
    };
    vec![
        column("Requests", Box::new(|group| Some(format_count(group.requests)))),
        column(
            "Share",
            Box::new(move |group| Some(format_percent(group.requests as f64 / all.max(1) as f64))),
        ),
        column("Error rate", Box::new(error_rate)),
        column(
            "Clustering of failures",
            Box::new(|group| {
                let clustering = group.outcomes.as_ref()?.clustering?;
                Some(format_significant(clustering.value, 3))
            }),
        ),
        column(
            "Average latency",
            Box::new(move |group| time(group.latency.as_ref(), |of| of.mean)),
        ),
        column("P50", Box::new(move |group| time(group.latency.as_ref(), |of| of.p50))),
        column("P95", Box::new(move |group| time(group.latency.as_ref(), |of| of.p95))),
        column("P99", Box::new(move |group| time(group.latency.as_ref(), |of| of.p99))),
        column(
            "P50 first token",
            Box::new(move |group| time(group.first_token.as_ref(), |of| of.p50)),
        ),
        column(
            "Tokens/s",
            Box::new(|group| group.tokens_per_second.map(|speed| format_significant(speed, 3))),
        ),
        column("Cost each", Box::new(|group| group.cost.map(|cost| format_money(cost.usd_each)))),
    ]
}

/// `0.12 % [0.08 %, 0.17 %]`.
fn error_rate(group: &Group) -> Option<String> {
    let rate = group.outcomes.as_ref()?.error_rate?;
    let [value, low, high] = [rate.value, rate.low, rate.high].map(format_percent);
    Some(format!("{value} [{low}, {high}]"))
}

/// As the comparison of a run calls it.
fn label(ending: Ending) -> String {
    match ending.class(Classification::default()) {
        Class::Success => "Success".to_owned(),
        class => ending_label(&ending.name(), class == Class::Error),
    }
}

fn time_row(label: &str, figures: &TimeFigures) -> Vec<String> {
    let TimeFigures { mean, cv, p50, p90, p99, max, .. } = figures;
    let [mean, p50, p90, p99, max] = [mean, p50, p90, p99, max].map(|time| format_duration(*time));
    vec![label.to_owned(), mean, variation(*cv), p50, p90, p99, max]
}

fn token_row(label: &str, figures: &TokenFigures) -> Vec<String> {
    let TokenFigures { mean, cv, p50, p90, p99, max, .. } = figures;
    let [mean, p50, p90, p99] = [mean, p50, p90, p99].map(|count| format_significant(*count, 4));
    let max = format_count(u64::from(max.get()));
    vec![label.to_owned(), mean, variation(*cv), p50, p90, p99, max]
}

fn variation(cv: Option<f64>) -> String {
    told(cv.map(|cv| format_significant(cv, 3)))
}

fn told(cell: Option<String>) -> String {
    cell.unwrap_or_else(|| NO_DATA.to_owned())
}

/// The widths in seconds of the windows that are shown: those of published figures, and the widest.
const SHOWN_WIDTHS: [u64; 4] = [1, 10, 60, 600];
