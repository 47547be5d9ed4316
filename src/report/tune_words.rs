//! What a search for rules found in words and tables, for every output.

use super::comparison::Grid;
use super::sweep_words::{mean_text, named_values, share_text};
use crate::study::{RunTime, TimeQuantile};
use crate::tune::{
    Alarms, Combination, FailedCheck, HarmRatio, Normal, Shortfall, Tried, TuneReport, Tuned, Why,
};
use crate::units::{
    Duration, format_count, format_counted, format_duration, format_percent, format_significant,
};

/// What stands at the head: whether rules were found, and for what.
pub(crate) struct TuneHeadline {
    pub(crate) word: &'static str,
    pub(crate) title: String,
    pub(crate) sentences: Vec<String>,
}

impl TuneHeadline {
    pub(crate) fn of(report: &TuneReport) -> Self {
        let best = report.best.map(|place| &report.combinations[place]);
        let word = if best.is_some() { "FOUND" } else { "NOT FOUND" };
        let title = format!(
            "{}: rules for {} against {}, at most {} false rollbacks",
            report.scenario.name,
            report.model,
            format_counted(report.faults.len() as u64, "fault", "faults"),
            chance(report.limit.get()),
        );
        let mut sentences = vec![report.scenario.title.clone()];
        match best {
            Some(best) => sentences.extend(gain(report, best)),
            None => sentences.push(why_none(report).to_owned()),
        }
        Self { word, title, sentences }
    }
}

/// Why no rules are recommended, and what to do.
fn why_none(report: &TuneReport) -> &'static str {
    let found = || report.combinations.iter().map(|combination| &combination.tuned);
    let keeps = |tried: &Tried| tried.alarms.upper <= report.limit.get();
    if found().any(|tuned| tuned.tried.iter().any(|tried| !keeps(tried))) {
        "no rule set that was tried is proved to keep the limit: allow more false rollbacks, or \
         make more runs of the healthy release (--healthy)"
    } else if found().any(|tuned| tuned.present.as_ref().is_some_and(keeps)) {
        "nothing that was tried does less harm than the present rules, which keep the limit: keep \
         them, or try other triggers (--triggers)"
    } else {
        "nothing that was tried lessens the harm of these faults: try other triggers (--triggers), \
         or faults that do more harm"
    }
}

/// What the recommended rules of a combination spare.
fn gain(report: &TuneReport, best: &Combination) -> Vec<String> {
    let Some(name) = &best.tuned.recommended else { return Vec::new() };
    let of = match report.variations.is_empty() {
        true => String::new(),
        false => format!(" with {}", combination_label(report, best)),
    };
    let mut told = vec![format!("recommended: {name}{of}")];
    let ratios = [
        ("all faults", best.tuned.against_present),
        ("the faults that the search has not seen", best.tuned.against_present_held_out),
    ];
    for (faults, ratio) in ratios {
        told.extend(ratio.map(|ratio| {
            format!("harm against that under the present rules, {faults}: {}", ratio_text(ratio))
        }));
    }
    if may_stay(&best.tuned, report.limit.get()) {
        told.push(
            "the present rules keep the limit too, and the difference in harm may be chance: keep \
             them"
                .to_owned(),
        );
    }
    told
}

/// The values of a combination with their names.
pub(crate) fn combination_label(report: &TuneReport, combination: &Combination) -> String {
    named_values(&report.variations, &combination.values)
}

/// `0.31 times [0.27, 0.35], 40 pairs of runs`.
fn ratio_text(ratio: HarmRatio) -> String {
    let HarmRatio { n, value, low, high } = ratio;
    let told = |value| format_significant(value, 3);
    let pairs = format_counted(n, "seed", "seeds");
    format!("{} times [{}, {}] over {pairs}", told(value), told(low), told(high))
}

/// A probability that may be very small.
fn chance(share: f64) -> String {
    match share {
        0.0 => "0 %".to_owned(),
        share if share < 1e-3 => format!("{} %", format_significant(share * 100.0, 2)),
        share => format_percent(share),
    }
}

/// `0 of 30,000, below 0.01 %`.
pub(crate) fn alarms_text(alarms: &Alarms) -> String {
    let Alarms { hits, n, upper, .. } = *alarms;
    format!("{} of {}, at most {}", format_count(hits), format_count(n), chance(upper))
}

/// All rule sets of a combination: how often they cry wolf, how much harm they let happen.
pub(crate) fn sets_grid(tuned: &Tuned) -> Grid {
    let held_out = everyone(tuned).any(|tried| tried.harm_held_out.is_some());
    let mut header: Vec<String> =
        ["Rules", "Triggers", "Rolled back falsely", "Missed", "Harm"].map(str::to_owned).to_vec();
    if held_out {
        header.push("Harm °".to_owned());
    }
    let row = |tried: &Tried| {
        let mark = if tuned.recommended.as_ref() == Some(&tried.name) { " *" } else { "" };
        let mut row = vec![
            format!("{}{mark}", tried.name),
            format_count(tried.triggers.len() as u64),
            alarms_text(&tried.alarms),
            share_text(tried.missed),
            mean_text(&tried.harm),
        ];
        if held_out {
            row.push(tried.harm_held_out.as_ref().map_or_else(|| NONE.to_owned(), mean_text));
        }
        row
    };
    Grid { header, rows: everyone(tuned).map(row).collect(), names: None }
}

/// The present rules, then the others.
pub(crate) fn everyone(tuned: &Tuned) -> impl Iterator<Item = &Tried> {
    tuned.present.iter().chain(&tuned.tried)
}

/// What rules do to each fault.
pub(crate) fn faults_grid(report: &TuneReport, tried: &Tried) -> Grid {
    let header = ["Fault", "Found", "Median time", "Harm"].map(str::to_owned).to_vec();
    let rows = report.faults.iter().zip(&tried.faults).map(|(fault, did)| {
        let unseen = if fault.held_out { " °" } else { "" };
        vec![
            format!("{}{unseen}", fault.name),
            share_text(did.found),
            median(&did.time_to_rollback),
            mean_text(&did.harm),
        ]
    });
    Grid { header, rows: rows.collect(), names: None }
}

/// Whose doings are shown fault by fault, each under its heading: the present rules and the
/// recommended ones.
pub(crate) fn shown(tuned: &Tuned) -> Vec<(String, &Tried)> {
    let present =
        tuned.present.iter().map(|tried| ("The present rules on each fault".to_owned(), tried));
    let best = tuned.best().map(|tried| (format!("{} on each fault", tried.name), tried));
    present.chain(best).collect()
}

fn median(time: &TimeQuantile) -> String {
    match time.value {
        Some(RunTime::At(time)) => format_duration(time),
        Some(RunTime::Never) | None => NONE.to_owned(),
    }
}

/// Why the present rules fall short: a sentence for each fault that they miss, and one for those
/// that they find late.
pub(crate) fn shortfall_sentences(report: &TuneReport, tuned: &Tuned) -> Vec<String> {
    let name = |short: &Shortfall| &report.faults[short.fault].name;
    let missed = tuned.shortfalls.iter().filter_map(|short| {
        let why = match short.why {
            Why::NeverInBreach => {
                "no comparison ever held, and no judge had evidence enough".to_owned()
            }
            Why::NoData(share) => format!(
                "there were too few requests in the window at {} of the checks, and no comparison \
                 held at the others",
                format_percent(share.get())
            ),
            Why::NotForLong(share) => format!(
                "a comparison held at {} of the checks, and never for as long as it must",
                format_percent(share.get())
            ),
            Why::Late => return None,
        };
        let more =
            if short.more_harm >= 1.0 { format!("; {}", more_harm(short)) } else { String::new() };
        let found = share_text(short.found);
        Some(format!("{}: found in {found} of the runs; in the others {why}{more}", name(short)))
    });
    let mut late: Vec<&Shortfall> =
        tuned.shortfalls.iter().filter(|short| short.why == Why::Late).collect();
    late.sort_by(|one, other| other.more_harm.total_cmp(&one.more_harm));
    let told = late.iter().take(MOST_LATE).map(|short| {
        let more = format_significant(short.more_harm, 3);
        format!("{} ({more})", name(short))
    });
    let told = told.collect::<Vec<_>>().join(", ");
    let more = match late.len().saturating_sub(MOST_LATE) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let late = (!late.is_empty()).then(|| {
        format!(
            "found late, with so many requests more harmed than under the recommended rules: \
             {told}{more}"
        )
    });
    missed.chain(late).collect()
}

fn more_harm(short: &Shortfall) -> String {
    let more = format_significant(short.more_harm, 3);
    format!("{more} requests more are harmed than under the recommended rules")
}

/// What is normal for the stable and the canary, without a fault.
pub(crate) fn normal_sentence(tuned: &Tuned) -> String {
    let told = |normal: &Normal| {
        let time = |time: Option<Duration>| time.map_or_else(|| NONE.to_owned(), format_duration);
        format!(
            "{} errors, P50 {}, P99 {}",
            format_percent(normal.error_rate.get()),
            time(normal.latency_p50),
            time(normal.latency_p99)
        )
    };
    format!(
        "Without a fault of its own: stable {}; canary {}.",
        told(&tuned.normal),
        told(&tuned.normal_canary)
    )
}

/// Whether the present rules may stay: they keep the limit as well, and the difference may be
/// chance.
fn may_stay(tuned: &Tuned, limit: f64) -> bool {
    let keeps = tuned.present.as_ref().is_some_and(|present| present.alarms.upper <= limit);
    keeps && tuned.against_present.is_some_and(|ratio| ratio.high >= 1.0)
}

/// How the search went.
pub(crate) fn rounds_sentence(tuned: &Tuned) -> String {
    let told = tuned.rounds.iter().map(|round| {
        format!(
            "{} in {} of each fault and {} of the healthy release",
            format_counted(round.triggers, "trigger", "triggers"),
            format_counted(round.seeds, "run", "runs"),
            format_count(round.healthy)
        )
    });
    let told = told.collect::<Vec<_>>().join("; then ");
    let checks = format_counted(tuned.checks, "check", "checks");
    let failed: String = tuned.failed.iter().map(failed_sentence).collect();
    let Some(last) = tuned.tried.first().or(tuned.present.as_ref()) else {
        return format!("Searched: {told}.");
    };
    let healthy = format_count(last.alarms.n);
    let each = if tuned.checks == 1 { "" } else { " each" };
    let bad = last.faults.first().map_or(0, |fault| fault.found.n);
    format!(
        "Searched: {told}. Then {checks} of {healthy} runs of the healthy release{each}; and with \
         the last of them {} of each fault with the rules in force. No round has used their \
         seeds.{failed}",
        format_counted(bad, "run", "runs"),
    )
}

fn failed_sentence(failed: &FailedCheck) -> String {
    let FailedCheck { triggers, alarms } = failed;
    format!(" A check disproved {}: {}.", triggers.join(" with "), alarms_text(alarms))
}

/// What the tables mean, in sentences.
pub(crate) fn tune_legend(report: &TuneReport) -> Vec<String> {
    let confidences = report.combinations.iter().flat_map(|one| everyone(&one.tuned));
    let confidence = confidences.map(|tried| tried.alarms.confidence).fold(0.0, f64::max);
    let mut legend = vec![
        "Measured in runs of which the search has used neither seeds nor, where they are marked \
         °, faults. Harm: requests of a bad canary that failed, or took more than 20 % longer than \
         by the stable, of a release with one of the faults, each as often as its weight says, to \
         the end of the scenario: what is missed would go on. In brackets 95 % intervals: \
         Student's of means and ratios, Wilson's of shares."
            .to_owned(),
        format!(
            "Rolled back falsely: runs of the healthy release; at most: the one-sided upper limit \
             of Clopper and Pearson at 95 %, for the set that the check was to prove at {}, since \
             there may be three checks.",
            format_percent(confidence)
        ),
        "Assumed: that releases, traffic and upstreams are like those of the scenario and the \
         faults; errors independent of each other, unless the scenario says otherwise."
            .to_owned(),
    ];
    if report.combinations.iter().any(|one| one.tuned.recommended.is_some()) {
        legend.push("* : recommended.".to_owned());
    }
    legend
}

/// Chosen: the worst are what is read.
const MOST_LATE: usize = 8;
const NONE: &str = "–";
