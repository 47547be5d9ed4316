//! The few figures that tell a run: what was done about a bad version and when, what it harmed, how
//! often the canary failed.

use super::escape::escape;
use crate::exchange::VersionIndex;
use crate::metric::Metric;
use crate::record::{Record, Rollback};
use crate::report::{metric_label, table_estimate, table_interval, version_name};
use crate::result::ResultFile;
use crate::summary::{Estimate, Method, Selection, Summary};
use crate::units::{format_count, format_duration};

/// A figure with its name and what it rests on.
#[derive(Clone, PartialEq, Eq, Debug)]
struct KeyFigure {
    name: String,
    value: String,
    note: String,
}

/// The figures as a list of terms.
pub(super) fn key_figures(result: &ResultFile) -> String {
    let record = &result.record;
    let figures = [outcome(record), blast_radius(record)];
    let figures = figures.into_iter().chain(refused_for_keys(record));
    let figures = figures.chain(canary_error_rate(record));
    let figures = figures.chain([requests(record), seed(result)]);
    let items: String = figures.map(|figure| figure.render()).collect();
    format!("<dl class=\"figures\">\n{items}</dl>\n")
}

impl KeyFigure {
    fn new(name: &str, value: String, note: String) -> Self {
        Self { name: name.to_owned(), value, note }
    }

    fn render(&self) -> String {
        format!(
            "<div><dt>{}</dt><dd><strong>{}</strong> <small>{}</small></dd></div>\n",
            escape(&self.name),
            escape(&self.value),
            escape(&self.note)
        )
    }
}

/// What was done: the first rollback of a bad version, or else what came instead of it.
fn outcome(record: &Record) -> KeyFigure {
    let of = |rollback: &Rollback| version_name(record, rollback.version).to_owned();
    let timed = record.rollbacks.iter().find_map(|rollback| Some((rollback, rollback.onset?)));
    if let Some((rollback, onset)) = timed {
        let time = format_duration(rollback.at.since(onset));
        return KeyFigure::new("Time to rollback", time, format!("of {}", of(rollback)));
    }
    if let Some(blast) = record.blasts.first() {
        let since = format_duration(blast.onset.since(record.start));
        let note = format!("{} was bad from +{since} on", version_name(record, blast.version));
        return KeyFigure::new("Time to rollback", "never".to_owned(), note);
    }
    if let Some(rollback) = record.rollbacks.first() {
        let after = format!("+{}", format_duration(rollback.at.since(record.start)));
        let note = format!("{} was not bad", of(rollback));
        return KeyFigure::new("False rollback", after, note);
    }
    if let Some(promotion) = record.promotions.first() {
        let after = format!("+{}", format_duration(promotion.at.since(record.start)));
        return KeyFigure::new(
            "Promoted",
            after,
            version_name(record, promotion.version).to_owned(),
        );
    }
    KeyFigure::new("Rollbacks", "none".to_owned(), "no version was bad".to_owned())
}

/// The requests that bad versions failed or slowed.
fn blast_radius(record: &Record) -> KeyFigure {
    let sum = |part: fn(&crate::record::Blast) -> u64| record.blasts.iter().map(part).sum::<u64>();
    let (failed, slowed) = (sum(|blast| blast.failed), sum(|blast| blast.slowed));
    let note = match (record.blasts.is_empty(), record.refused_for_keys()) {
        (true, 0) => "no request was harmed".to_owned(),
        // Who was refused was harmed, though by no version.
        (true, _) => "no version was bad".to_owned(),
        (false, _) => format!(
            "{} failed, {} slowed, of {}",
            format_count(failed),
            format_count(slowed),
            format_count(sum(|blast| blast.requests))
        ),
    };
    let harmed = format_count(failed + slowed);
    KeyFigure::new("Blast radius", harmed, note)
}

/// The requests of clients that were locked out.
fn refused_for_keys(record: &Record) -> Option<KeyFigure> {
    let refused = record.refused_for_keys();
    let note = format!("of {}: clients were locked out", format_count(record.requests()));
    (refused > 0).then(|| KeyFigure::new("Refused for their key", format_count(refused), note))
}

/// The error rate of the version beside the stable that has the highest.
fn canary_error_rate(record: &Record) -> Option<KeyFigure> {
    let summary = Summary::of(record);
    let rate = |version| {
        let selection = Selection { version: Some(version), ..Selection::default() };
        summary.select(selection).estimate(Metric::ErrorRate, Method::Display)
    };
    let is_stable = |version: &VersionIndex| {
        let tags = record.version(*version).map(|info| &info.tags[..]).unwrap_or_default();
        tags.iter().any(|tag| tag.as_str() == "stable")
    };
    let all = (0..record.versions().count() as u16).map(VersionIndex);
    let rates = all.filter(|version| !is_stable(version)).map(|version| (version, rate(version)));
    let measured = rates.filter_map(|(version, rate)| Some((rate.value?, version, rate)));
    let (_, version, worst) = measured.reduce(|a, b| if b.0 > a.0 { b } else { a })?;
    let label = metric_label(Metric::ErrorRate);
    let name = format!("{label} of {}", version_name(record, version));
    let note = format!("{} over the whole run", basis(&worst));
    Some(KeyFigure { name, value: table_estimate(&worst), note })
}

/// An estimate's interval and what it was made from.
fn basis(estimate: &Estimate) -> String {
    let count = format!("of {}", format_count(estimate.n));
    match table_interval(estimate) {
        Some(interval) => format!("{interval} {count}"),
        None => count,
    }
}

fn requests(record: &Record) -> KeyFigure {
    let span = format!("in {}", format_duration(record.end.since(record.start)));
    KeyFigure::new("Requests", format_count(record.requests()), span)
}

fn seed(result: &ResultFile) -> KeyFigure {
    // What the clock says of a live run differs from run to run.
    let again = if result.live.is_some() { "requests" } else { "run" };
    let note = format!("gives the same {again} again");
    KeyFigure::new("Seed", result.scenario.seed.to_string(), note)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::result::example::{eventful, rolled_back};

    #[test]
    fn a_rollback_is_timed_from_the_onset() {
        let figure = outcome(&rolled_back(0.5));
        // The onset is at 1,200 s, the rollback at 1,275 s.
        assert_eq!(figure.value, "75 s");
        assert_eq!(figure.note, "of gpt-4-turbo-v2");
    }

    #[test]
    fn what_came_instead_of_a_rollback_is_told() {
        let mut record = rolled_back(0.5);
        record.rollbacks[0].onset = None;
        let blasts = std::mem::take(&mut record.blasts);
        assert_eq!(outcome(&record).name, "False rollback");
        record.rollbacks.clear();
        assert_eq!(outcome(&record).value, "none");
        assert_eq!(blast_radius(&record).value, "0");
        record.blasts = blasts;
        assert_eq!(outcome(&record).value, "never");
        assert_eq!(outcome(&record).note, "gpt-4-turbo-v2 was bad from +20m on");
    }

    #[test]
    fn refused_requests_are_a_figure_and_harm() {
        let mut record = eventful();
        let refused: u64 = record.key_rejections.iter().map(|rejections| rejections.count).sum();
        let figure = refused_for_keys(&record).unwrap();
        assert_eq!(figure.value, refused.to_string());
        assert!(figure.note.starts_with(&format!("of {}", format_count(record.requests()))));
        record.blasts.clear();
        assert_eq!(blast_radius(&record).note, "no version was bad");
        record.key_rejections.clear();
        assert_eq!(
            (refused_for_keys(&record), blast_radius(&record).note.as_str()),
            (None, "no request was harmed")
        );
    }

    #[test]
    fn an_error_rate_says_that_it_is_of_the_whole_run() {
        let figure = canary_error_rate(&rolled_back(0.5)).unwrap();
        assert_eq!(figure.name, "Error rate of gpt-4-turbo-v2");
        assert!(figure.note.ends_with(" over the whole run"), "{}", figure.note);
    }

    #[test]
    fn harm_is_the_sum_of_failed_and_slowed() {
        let figure = blast_radius(&rolled_back(0.5));
        assert_eq!(
            (figure.value.as_str(), figure.note.as_str()),
            ("9", "6 failed, 3 slowed, of 75")
        );
    }
}
