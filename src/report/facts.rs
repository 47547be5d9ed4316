//! What else is to be said of a run, in a sentence each, below its timeline.

use std::collections::BTreeMap;

use super::live_text::live_texts;
use super::lockout_text::refused_clients;
use super::narrative::{ended_harm, version_name};
use crate::engine::SKEW_ALPHA;
use crate::exchange::VersionIndex;
use crate::metric::Metric;
use crate::record::{Arm, Blast, Happening, Record, RuleHealth};
use crate::result::ResultFile;
use crate::run::TraceReport;
use crate::summary::{Method, Selection, Summary};
use crate::units::{
    Ratio, Timestamp, format_count, format_counted, format_duration, format_elapsed, format_percent,
};

/// What is to be said of the run, and of the rules that never could tell.
pub(crate) fn facts(result: &ResultFile) -> Vec<String> {
    run_facts(result).into_iter().chain(blind_rules(&result.record)).collect()
}

/// The harm that was done, the clients, the traces, how a live run went.
pub(crate) fn run_facts(result: &ResultFile) -> Vec<String> {
    let record = &result.record;
    let blasts = blast_texts(record).into_iter();
    let closed = result.scenario.closed_users.map(closed_text);
    blasts
        .chain(false_rollbacks(record))
        .chain(by_command(record))
        .chain(refused_clients(record))
        .chain(bursts(record))
        .chain(skews(record))
        .chain(pins(record))
        .chain(closed)
        .chain(result.traces.iter().map(trace_text))
        .chain(result.live.iter().flat_map(live_texts))
        .collect()
}

/// How long upstreams were in their bad states whose failures come in bursts.
fn bursts(record: &Record) -> impl Iterator<Item = String> {
    let whole = format_duration(record.end.since(record.start));
    record.bursts.iter().map(move |bursts| {
        let version = version_name(record, bursts.version);
        match bursts.count {
            0 => format!("The upstream of {version} was never in its bad state"),
            count => format!(
                "The upstream of {version} was in its bad state for {} of {whole}, in {}",
                format_duration(bursts.total),
                format_counted(count, "burst", "bursts"),
            ),
        }
    })
}

/// The versions that rules or judges took traffic from though they were not bad.
fn false_rollbacks(record: &Record) -> impl Iterator<Item = String> {
    let mut versions: BTreeMap<VersionIndex, Vec<Timestamp>> = BTreeMap::new();
    for rollback in record.rollbacks.iter().filter(|rollback| rollback.onset.is_none()) {
        versions.entry(rollback.version).or_default().push(rollback.at);
    }
    versions.into_iter().map(|(version, times)| {
        let version = version_name(record, version);
        let first = format_elapsed(times[0].since(record.start));
        match times.len() as u64 {
            1 => format!("False rollback of {version} at +{first}: it was not bad"),
            count => format!(
                "False rollbacks of {version}: {}, the first at +{first}: it was not bad then",
                format_count(count)
            ),
        }
    })
}

/// The rollbacks by command, which figures of rollbacks leave out.
fn by_command(record: &Record) -> Option<String> {
    let done = record.timeline.events.iter().filter_map(|event| match event.happening {
        Happening::RolledBack { version: None, target } => {
            Some(ended_harm(record, event.at, target).next().is_some())
        }
        _ => None,
    });
    let done: Vec<bool> = done.collect();
    let ended = done.iter().filter(|ended| **ended).count() as u64;
    let harm = match (done.len() as u64, ended) {
        (0, _) => return None,
        (_, 0) => "of versions that were not bad".to_owned(),
        (1, _) => "which ended the harm that a version did".to_owned(),
        _ => format!("{} of them of a version that was bad", format_count(ended)),
    };
    Some(format!(
        "Rolled back by command {}, {harm}. Figures of rollbacks (rollbacks, false_rollbacks, \
         time_to_rollback, time_to_detect) are about those by rules and judges alone",
        format_counted(done.len() as u64, "time", "times"),
    ))
}

/// The splits that clients did not see as they were set: something between them and the split
/// answers, such as a cache.
fn skews(record: &Record) -> impl Iterator<Item = String> {
    let summary = Summary::of(record);
    record.splits.iter().filter_map(move |span| {
        let phase = usize::from(span.phase);
        let selection =
            Selection { phase: Some(phase), model: Some(span.model), ..Selection::default() };
        let estimate = summary.select(selection).estimate(Metric::SplitPValue, Method::Display);
        estimate.value.filter(|p_value| *p_value < SKEW_ALPHA)?;
        let first = record.versions_of(span.model).start;
        let all: u64 = span.observed.iter().sum();
        let shares = span.observed.iter().zip(&span.weights).zip(first..);
        let shares = shares.map(|((observed, weight), version)| {
            let seen = Ratio::of(*observed, all).map_or(0.0, Ratio::get);
            let version = version_name(record, VersionIndex(version));
            format!("{version} {} instead of {weight}", format_percent(seen))
        });
        Some(format!(
            "Split skew in phase \"{}\": of {} requests clients saw {}",
            record.phases[phase].name,
            format_count(all),
            shares.collect::<Vec<_>>().join(", "),
        ))
    })
}

/// The versions whose figures hold requests that a client pinned to them, whatever the split said.
fn pins(record: &Record) -> impl Iterator<Item = String> {
    let summary = Summary::of(record);
    let versions = record.models.iter().map(|model| model.versions.len()).sum::<usize>();
    (0..versions).filter_map(move |index| {
        let version = VersionIndex(u16::try_from(index).ok()?);
        let count = |arm| {
            let selection = Selection { version: Some(version), arm, ..Selection::default() };
            summary.select(selection).requests().completed()
        };
        let (pinned, all) = (count(Some(Arm::Pinned)), count(None));
        (pinned > 0).then(|| {
            format!(
                "Pinned requests of {}: {} of {}, whatever the split said. They are counted in \
                 its figures and in lines of the gate that name it, but for those that say \
                 arm=stable or arm=canary",
                version_name(record, version),
                format_count(pinned),
                format_count(all),
            )
        })
    })
}

/// What a closed workload leaves out.
fn closed_text(users: u64) -> String {
    format!(
        "Closed workload: {} waited for each answer before sending on, so what an overloaded \
         upstream would have been sent by others is missing",
        format_counted(users, "user", "users"),
    )
}

/// The rules that never had data on a version that they watched: they could not have fired.
pub(crate) fn blind_rules(record: &Record) -> impl Iterator<Item = String> {
    let is_blind = |health: &&RuleHealth| {
        let blind = health.checks > 0 && health.no_data == health.checks;
        // A rule that takes silence for a breach is not blind to it.
        blind && health.breaches == 0 && !health.judge
    };
    record.rules.iter().filter(is_blind).map(|health| {
        let checks = match health.checks {
            1 => "its only check did not see".to_owned(),
            checks => format!("none of its {} checks saw", format_count(checks)),
        };
        let version = version_name(record, health.version);
        format!(
            "Rule {} never had data on {version}: {checks} the requests that it needs, so it could \
             not fire",
            health.trigger
        )
    })
}

/// The harm that each bad version did, in a sentence each.
fn blast_texts(record: &Record) -> Vec<String> {
    let text = |blast: &Blast| {
        let until = match blast.drained {
            Some(drained) => format!("for {}", format_duration(drained.since(blast.onset))),
            None => "to the end of the run".to_owned(),
        };
        format!(
            "Blast radius of {}: {} from the onset (+{}) {until}; {}; {} answered more than 20 % \
             slower",
            version_name(record, blast.version),
            format_counted(blast.requests, "request", "requests"),
            format_elapsed(blast.onset.since(record.start)),
            harm(blast),
            match blast.slowed {
                0 => "none was".to_owned(),
                slowed => format_counted(slowed, "was", "were"),
            },
        )
    };
    record.blasts.iter().map(text).collect()
}

/// How many requests failed, and how many of them would have anyway.
fn harm(blast: &Blast) -> String {
    let failed = match blast.failed {
        0 => return "none failed".to_owned(),
        failed => format_count(failed),
    };
    let anyway = match blast.failed_anyway {
        0 => "none".to_owned(),
        anyway => format_count(anyway),
    };
    format!("{failed} failed, {anyway} of them would have failed on the stable too")
}

/// What became of a trace's rows, in a sentence.
fn trace_text(trace: &TraceReport) -> String {
    let answered = trace.answered.iter().map(|one| {
        let (own, lent) = (format_count(one.own), format_count(one.lent));
        format!("{} answered {own} requests as recorded, {lent} by answers of others", one.version)
    });
    let accounting = &trace.accounting;
    let dropped = accounting.dropped.iter().map(|(reason, dropped)| {
        let what = reason.words();
        let numbers: Vec<String> = dropped.lines.iter().map(u64::to_string).collect();
        let more = if dropped.count > numbers.len() as u64 { ", ..." } else { "" };
        let count = format_count(dropped.count);
        // Of rows that were passed over by the block nobody knows the numbers.
        let examples = match numbers.is_empty() {
            true => String::new(),
            false => format!(" ({}s {}{more})", accounting.numbered(), numbers.join(", ")),
        };
        format!("{count} dropped as {what}{examples}")
    });
    let turns = match trace.turns {
        1 => String::new(),
        turns => format!(" in {} turns", format_count(turns)),
    };
    let file = trace.file.as_ref().map_or_else(String::new, |file| format!(" {file}"));
    let parts = [format!(
        "Trace{file} ({}, times in {}): {} rows read{turns}, {} sent",
        accounting.format,
        accounting.unit,
        format_count(accounting.read),
        format_count(accounting.emitted),
    )];
    parts.into_iter().chain(dropped).chain(answered).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::{Bursts, Tally};
    use crate::result::example::{eventful, rolled_back, without_gate};
    use crate::units::Duration;

    /// The facts that begin with this word.
    fn facts_of(word: &str, result: &ResultFile) -> Vec<String> {
        facts(result).into_iter().filter(|fact| fact.starts_with(word)).collect()
    }

    #[test]
    fn a_split_that_clients_do_not_see_is_told_with_what_they_saw() {
        let mut result = without_gate();
        let told = |result: &ResultFile| facts_of("Split", result);
        assert_eq!(told(&result), [""; 0]);
        result.record = eventful();
        result.record.splits[0].observed = vec![50, 400];
        assert_eq!(
            told(&result),
            ["Split skew in phase \"canary at 10 %\": of 450 requests clients saw gpt-4-v1 \
              11.11 % instead of 90.00 %, gpt-4-turbo-v2 88.89 % instead of 10.00 %"]
        );
    }

    #[test]
    fn bursts_are_told_with_how_long_they_lasted() {
        let mut result = ResultFile { record: eventful(), ..without_gate() };
        let told = |result: &ResultFile| facts_of("The upstream", result);
        let bursts =
            "The upstream of gpt-4-turbo-v2 was in its bad state for 65 s of 1h, in 2 bursts";
        assert_eq!(told(&result), [bursts]);
        result.record.bursts = vec![Bursts::new(VersionIndex(0), [])];
        assert_eq!(told(&result), ["The upstream of gpt-4-v1 was never in its bad state"]);
        result.record.bursts.clear();
        assert_eq!(told(&result), [""; 0]);
    }

    #[test]
    fn false_rollbacks_are_told_by_version() {
        let mut result = ResultFile { record: rolled_back(1.0), ..without_gate() };
        let told = |result: &ResultFile| facts_of("False", result);
        assert_eq!(told(&result), [""; 0], "it was bad");
        result.record.rollbacks[0].onset = None;
        // The rollback is at 1,275 s.
        let once = "False rollback of gpt-4-turbo-v2 at +21m 15s: it was not bad";
        assert_eq!(told(&result), [once]);
        let again = result.record.rollbacks[0].clone();
        result.record.rollbacks.push(again);
        assert_eq!(
            told(&result),
            ["False rollbacks of gpt-4-turbo-v2: 2, the first at +21m 15s: it was not bad then"]
        );
    }

    #[test]
    fn rollbacks_by_command_are_told_with_the_figures_that_leave_them_out() {
        let mut result = without_gate();
        let told = |result: &ResultFile| facts_of("Rolled back", result);
        assert_eq!(told(&result), [""; 0]);
        let onset = result.record.start + Duration::from_secs(1_200);
        let happening = Happening::RolledBack { version: None, target: VersionIndex(0) };
        result.record.timeline.push(onset, happening.clone());
        let figures = "Figures of rollbacks (rollbacks, false_rollbacks, time_to_rollback, \
                       time_to_detect) are about those by rules and judges alone";
        let once = "Rolled back by command 1 time";
        // It has no blasts, and so no version was bad.
        assert_eq!(told(&result), [format!("{once}, of versions that were not bad. {figures}")]);
        result.record.blasts = rolled_back(1.0).blasts;
        assert_eq!(
            told(&result),
            [format!("{once}, which ended the harm that a version did. {figures}")]
        );
        result.record.timeline.push(result.record.end, happening);
        let twice = "Rolled back by command 2 times, 1 of them of a version that was bad.";
        assert!(told(&result)[0].starts_with(twice), "{:?}", told(&result));
    }

    #[test]
    fn pinned_requests_among_those_of_a_version_are_told() {
        let mut result = ResultFile { record: eventful(), ..without_gate() };
        let told = |result: &ResultFile| facts_of("Pinned", result);
        assert_eq!(told(&result), [""; 0]);
        let record = &mut result.record;
        let split: u64 = record
            .cells
            .iter()
            .filter(|cell| cell.version == VersionIndex(1))
            .map(|cell| cell.tally.completed())
            .sum();
        let mut pinned = record.cells[0].clone();
        (pinned.version, pinned.arm) = (VersionIndex(1), Arm::Pinned);
        pinned.tally = Tally { succeeded: 7, assigned: 7, ..Tally::default() };
        record.cells.push(pinned);
        let all = format_count(split + 7);
        assert_eq!(
            told(&result),
            [format!(
                "Pinned requests of gpt-4-turbo-v2: 7 of {all}, whatever the split said. They are \
                 counted in its figures and in lines of the gate that name it, but for those that \
                 say arm=stable or arm=canary"
            )]
        );
    }

    #[test]
    fn a_rule_that_never_had_data_is_told_and_a_judge_without_errors_is_not() {
        let mut result = ResultFile { record: eventful(), ..without_gate() };
        let told = |result: &ResultFile| facts_of("Rule", result);
        assert_eq!(
            told(&result),
            ["Rule error_rate > 5 % for 60 s never had data on gpt-4-turbo-v2: none of its 12 \
              checks saw the requests that it needs, so it could not fire"]
        );
        result.record.rules[1].judge = true;
        assert_eq!(told(&result), [""; 0]);
    }
}
