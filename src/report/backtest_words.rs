//! What a backtest found in words and tables, for every output.

use std::collections::BTreeSet;

use super::comparison::Grid;
use super::verdict::verdict_word;
use crate::backtest::{
    BacktestReport, Candidate, Finding, Firing, Identity, RecordedEnd, RolledBack, RuleHealth,
    Spared,
};
use crate::gate::{Judgement, LineResult, Verdict};
use crate::record::evidence_text;
use crate::units::{
    Duration, Ratio, format_count, format_counted, format_duration, format_elapsed, format_percent,
    format_set_share, format_significant,
};

/// What stands at the head of a backtest: the verdict, where something was required; else whether
/// the rules of the day come to what was recorded, without which nothing can be judged.
pub(super) struct Head {
    pub(super) word: &'static str,
    pub(super) verdict: Verdict,
    pub(super) title: String,
    pub(super) sentences: Vec<String>,
}

impl Head {
    pub(super) fn of(report: &BacktestReport) -> Self {
        let identity = &report.identity;
        let judged = report.candidates.iter().filter_map(|candidate| match &candidate.judgement {
            Some(Judgement::Judged(judged)) => Some(judged),
            _ => None,
        });
        let lines: Vec<&LineResult> = judged.flat_map(|judged| &judged.lines).collect();
        let (verdict, title) = (report.verdict(), title(report));
        let mut sentences = identity_sentences(report);
        let mut head = match lines.len() as u64 {
            0 => Self { word: identity_word(identity), verdict, title, sentences },
            _ if !identity.holds => {
                Self { word: identity_word(identity), verdict, title, sentences }
            }
            all => {
                let kept = lines.iter().filter(|line| line.verdict == Verdict::Pass).count() as u64;
                let told = match all - kept {
                    0 => format!("{} met", format_counted(all, "requirement", "requirements")),
                    missed => format!(
                        "{} of {} not met",
                        format_count(missed),
                        format_counted(all, "requirement", "requirements")
                    ),
                };
                if let Some(first) = sentences.first_mut() {
                    *first = format!("{}: {first}", identity_word(identity));
                }
                let title = format!("{told}: {title}");
                Self { word: verdict_word(verdict), verdict, title, sentences }
            }
        };
        head.sentences.extend(warnings(report));
        head
    }
}

/// What makes one doubt the rest, in sentences.
fn warnings(report: &BacktestReport) -> Vec<String> {
    let pinned = (report.pinned > 0).then(|| {
        format!(
            "{} went to versions to which the split in force gave nothing: taken as asked for, and \
             no evidence",
            format_counted(report.pinned, "request", "requests")
        )
    });
    pinned
        .into_iter()
        .chain(report.notes.iter().cloned())
        .map(|told| format!("note: {told}"))
        .collect()
}

/// Whether the rules of the day come to what was recorded, in two words.
const fn identity_word(identity: &Identity) -> &'static str {
    if identity.holds { "IDENTITY HOLDS" } else { "IDENTITY FAILS" }
}

/// What was played back.
fn title(report: &BacktestReport) -> String {
    let trace = &report.trace;
    let model = trace.model.as_ref().map_or_else(String::new, |model| format!(" of {model}"));
    let began = trace.began.map_or_else(String::new, |began| format!(", from {began} on"));
    format!(
        "{}: {}{model} in {}{began}",
        trace.file,
        format_counted(trace.requests, "request", "requests"),
        format_elapsed(trace.end),
    )
}

/// How the rules of the day compare with the recording, in sentences.
fn identity_sentences(report: &BacktestReport) -> Vec<String> {
    let Identity { finding, recorded, reasons, .. } = &report.identity;
    let day = report.day();
    let end = recorded.as_ref().map_or_else(String::new, end_text);
    let fires = day.rolled_back.as_ref().map(|told| format_elapsed(told.firing.at));
    let told = match (finding, fires) {
        (Finding::Reproduced, Some(at)) => {
            format!(
                "{}, the rules of the day, fires at {at}, where the recording has {end}",
                day.rules
            )
        }
        (Finding::ByHand, None) => {
            format!("{}, the rules of the day, does not fire: {end} was no rule's doing", day.rules)
        }
        (Finding::ByHand, Some(at)) => format!(
            "{}, the rules of the day, does not fire before {at}: {end} was no rule's doing",
            day.rules
        ),
        (Finding::Quiet, _) => format!(
            "{}, the rules of the day, does not fire, and no canary loses its traffic",
            day.rules
        ),
        _ => {
            let mut told = vec!["what follows cannot be trusted".to_owned()];
            told.extend(reasons.iter().cloned());
            return told;
        }
    };
    vec![told]
}

/// `the end of v2's traffic (51m 43s to 51m 52s)`.
fn end_text(end: &RecordedEnd) -> String {
    let when = match end.earliest == end.latest {
        true => format!("at {}", format_elapsed(end.earliest)),
        false => {
            format!("{} to {}", format_elapsed(end.earliest), format_elapsed(end.latest))
        }
    };
    format!("the end of {}'s traffic ({when})", end.version)
}

/// The versions of the recording.
pub(super) fn versions_grid(report: &BacktestReport) -> Grid {
    let header = ["Version", "Requests", "Failed", "Error rate", "First", "Last"];
    let rows = report.versions.iter().map(|version| {
        let stable = if version.id == report.stable { " (stable)" } else { "" };
        let rate = version.failed as f64 / version.requests.max(1) as f64;
        vec![
            format!("{}{stable}", version.id),
            format_count(version.requests),
            format_count(version.failed),
            format_percent(rate),
            format_elapsed(version.first),
            format_elapsed(version.last),
        ]
    });
    Grid { header: header.map(str::to_owned).to_vec(), rows: rows.collect(), names: None }
}

/// Under which splits the recording is played back, in a sentence each.
pub(super) fn split_sentences(report: &BacktestReport) -> Vec<String> {
    let splits = report.splits.iter().map(|split| {
        let shares = split.shares.iter();
        let shares: Vec<String> = shares
            .map(|(version, weight)| format!("{version} {}", format_set_share(*weight)))
            .collect();
        let source = match split.observed {
            Some(requests) => {
                format!("as {} went", format_counted(requests, "request", "requests"))
            }
            None => "as is said".to_owned(),
        };
        format!("split from {}: {} ({source})", format_elapsed(split.from), shares.join(", "))
    });
    let mut told: Vec<String> = splits.collect();
    told.extend(report.ends.iter().map(|end| {
        let after = format_counted(end.requests_after, "request", "requests");
        format!(
            "{}, by what is {}; {after} of others follow",
            end_text(end),
            match end.said {
                true => "said",
                false => "recorded",
            }
        )
    }));
    if let Some(from) = report.incident_from {
        let to = report
            .incident_to
            .map_or_else(|| "on".to_owned(), |to| format!("to {}", format_elapsed(to)));
        told.push(format!("incident: from {} {to}, as is said", format_elapsed(from)));
    }
    told
}

/// What each rule set would have done.
pub(super) fn rules_grid(report: &BacktestReport) -> Grid {
    let mut header = vec![
        "Rules",
        "Rolls back at",
        "Earlier by",
        "Failed until then",
        "Moved",
        "Of them failed",
    ];
    header.extend(["Spared", "Spared, bounds"]);
    let alarms = report.incident_from.is_some();
    header.extend(alarms.then_some("False alarms"));
    let shown = shown_files(report);
    let rows = report.candidates.iter().enumerate().map(|(index, candidate)| {
        let mut row = vec![name(shown[index], index)];
        row.extend(figures(candidate));
        row.extend(candidate.false_alarms.map(format_count));
        row
    });
    let header = header.into_iter().map(str::to_owned).collect();
    Grid { header, rows: rows.collect(), names: None }
}

/// The files of the rule sets, without their folders where they differ without them.
pub(super) fn shown_files(report: &BacktestReport) -> Vec<&str> {
    let paths = || report.candidates.iter().map(|candidate| candidate.rules.as_str());
    let short: Vec<&str> = paths().map(file_name).collect();
    match short.iter().collect::<BTreeSet<_>>().len() == short.len() {
        true => short,
        false => paths().collect(),
    }
}

/// The last part of a path, whatever machine it is of.
fn file_name(path: &str) -> &str {
    path.rsplit(['/', '\\']).next().filter(|name| !name.is_empty()).unwrap_or(path)
}

/// The name of a rule set of this file; the first is that of the day.
fn name(file: &str, index: usize) -> String {
    if index == 0 { format!("{file} (of the day)") } else { file.to_owned() }
}

fn figures(candidate: &Candidate) -> [String; 7] {
    let failed = format_count(candidate.harmed_failed);
    let Some(RolledBack { firing, earlier, moved }) = &candidate.rolled_back else {
        let none = || NONE.to_owned();
        return ["never".to_owned(), none(), failed, none(), none(), none(), none()];
    };
    let Spared { least, most, expected } = moved.spared;
    let expected = expected.map_or_else(
        || "unknown".to_owned(),
        |told| {
            let [value, low, high] =
                [told.value, told.low, told.high].map(|value| format_significant(value, 3));
            format!("{value} [{low}, {high}]")
        },
    );
    [
        format_elapsed(firing.at),
        earlier.map_or_else(|| NONE.to_owned(), earlier_text),
        failed,
        format_count(moved.requests),
        format_count(moved.failed),
        expected,
        format!("{} to {}", signed(least), format_count(most)),
    ]
}

fn earlier_text(nanos: i64) -> String {
    let length = format_duration(Duration::from_nanos(nanos.unsigned_abs()));
    if nanos < 0 { format!("-{length}") } else { length }
}

fn signed(count: i64) -> String {
    let text = format_count(count.unsigned_abs());
    if count < 0 { format!("-{text}") } else { text }
}

/// What the columns of the table mean.
pub(super) fn legend(report: &BacktestReport) -> String {
    let since = match report.incident_from {
        Some(_) => " from the beginning of the incident",
        None => "",
    };
    format!(
        "Earlier: than the recorded end of the version's traffic. Failed until then: requests of \
         canaries that failed{since} until the rollback, or to the end. Moved: requests that \
         others than its target got in the recording after the rollback. Spared: their failures, \
         less those that the target would have had, if it had served them as it served its own \
         meanwhile, with the 95 % interval of Clopper and Pearson; its bounds hold whatever the \
         target would have done."
    )
}

/// What each rule set fired on: a line for the rule set, and those of its firings.
pub(super) fn firings(report: &BacktestReport) -> Vec<(String, Vec<String>)> {
    let told = report.candidates.iter().enumerate().map(|(index, candidate)| {
        let shown = candidate.firings.iter().take(MOST_FIRINGS);
        let mut lines: Vec<String> = shown.map(firing_text).collect();
        let more = candidate.firings.len().saturating_sub(MOST_FIRINGS) as u64;
        let more = more + candidate.more_firings;
        if more > 0 {
            lines.push(format_counted(more, "more firing", "more firings"));
        }
        let silent = candidate.health.iter().filter(|health| health.firings == 0);
        lines.extend(silent.map(silence_text));
        lines.extend(
            candidate.blind.iter().map(|(trigger, what)| {
                format!("{trigger}: left out: the trace does not say {what}")
            }),
        );
        if candidate.disabled {
            lines.push("nothing is checked: the rules are disabled (`enable: false`)".to_owned());
        } else if lines.is_empty() {
            lines.push("nothing is checked: no rule watches a version of the recording".to_owned());
        }
        (name(&candidate.rules, index), lines)
    });
    told.collect()
}

/// Why a trigger does not fire.
fn silence_text(health: &RuleHealth) -> String {
    let checks = format_counted(health.checks, "check", "checks");
    let on = format!("{} on {}", health.trigger, health.version);
    match health.no_data == health.checks {
        _ if health.checks == 0 => {
            format!("{on}: is never checked: its interval is longer than the version's traffic")
        }
        true if health.judge => {
            format!("{on}: could never fire: none of {checks} had enough to compare")
        }
        false if health.judge => {
            let came = health.progress.map_or(0.0, Ratio::get);
            format!("{on}: does not fire in {checks}: came {} of the way", format_percent(came))
        }
        true => format!("{on}: could never fire: none of {checks} had enough requests"),
        false => format!(
            "{on}: does not fire in {checks}: {} with too few requests, {} in breach",
            format_count(health.no_data),
            format_count(health.breaches),
        ),
    }
}

fn firing_text(firing: &Firing) -> String {
    let Firing { at, version, action, target, false_alarm, evidence, .. } = firing;
    let alarm = match false_alarm {
        Some(true) => ", a false alarm",
        _ => "",
    };
    let goes = match target {
        Some(_) => String::new(),
        None => format!(" ({action}: moves nothing)"),
    };
    let seen = evidence_text(evidence, "requests");
    format!("{}, {version}{alarm}{goes}: {seen}", format_elapsed(*at))
}

/// What else is to be known, in sentences.
pub(super) fn notes(report: &BacktestReport) -> Vec<String> {
    let mut notes = Vec::new();
    let trace = &report.trace;
    let unusable = trace.unusable;
    if unusable.sum() > 0 {
        notes.push(format!(
            "{} could not be used: {} without a version, {} without a duration, {} without an \
             ending",
            format_counted(unusable.sum(), "request", "requests"),
            format_count(unusable.without_version),
            format_count(unusable.without_duration),
            format_count(unusable.without_ending),
        ));
    }
    if trace.others > 0 {
        notes.push(format!(
            "{} of other models",
            format_counted(trace.others, "request is", "requests are")
        ));
    }
    if !report.stable_said {
        notes.push(format!(
            "{} is taken for the stable, as it was there before any other; --stable says otherwise",
            report.stable
        ));
    }
    notes
}

const NONE: &str = "-";

/// Chosen: more of one rule set hide the others.
const MOST_FIRINGS: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::VersionId;

    #[test]
    fn a_trigger_that_stays_silent_is_told_with_what_kept_it() {
        let told = |judge, [checks, no_data, breaches]: [u64; 3], progress| {
            silence_text(&RuleHealth {
                trigger: "one".to_owned(),
                version: VersionId::new("v2").unwrap(),
                judge,
                checks,
                no_data,
                breaches,
                firings: 0,
                progress: Ratio::new(progress).ok().filter(|_| judge),
            })
        };
        for (found, expected) in [
            (told(false, [0, 0, 0], 0.0), "is never checked: its interval is longer than"),
            (told(false, [9, 9, 0], 0.0), "could never fire: none of 9 checks had enough requests"),
            (told(false, [9, 2, 3], 0.0), "in 9 checks: 2 with too few requests, 3 in breach"),
            (told(true, [9, 9, 0], 0.0), "none of 9 checks had enough to compare"),
            (told(true, [9, 2, 0], 0.4331), "in 9 checks: came 43.31 % of the way"),
        ] {
            assert!(found.starts_with("one on v2: ") && found.contains(expected), "{found}");
        }
    }
}
