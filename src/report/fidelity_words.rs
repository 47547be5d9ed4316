//! How well a live run agrees with the simulated one, in words and rows of text, before it is laid
//! out for a terminal, Markdown or a page. Knows none of them.

use super::comparison::Grid;
use super::figures::{
    NO_DATA, change, change_interval, metric_label, signed_interval, signed_value, table_value,
};
use super::run_comparison::percent;
use crate::fidelity::{
    Allowed, Deviation, Fidelity, Finding, MetricError, RollbackError, RolledBack, VersionErrors,
};
use crate::metric::{Metric, Unit};
use crate::units::{format_count, format_counted, format_duration, format_significant};

/// What stands at the head.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct FidelityHeadline {
    /// The verdict in capitals.
    pub(crate) word: &'static str,
    /// What it rests on, in a phrase.
    pub(crate) found: String,
    /// Each error that makes it so, up to a bound.
    pub(crate) details: Vec<String>,
}

impl FidelityHeadline {
    pub(crate) fn of(fidelity: &Fidelity) -> Self {
        let counts = fidelity.counts;
        let judged = format_counted(counts.judged(), "judged error", "judged errors");
        let of_judged = |count: u64| format!("{} of {judged}", format_count(count));
        let (word, found) = match fidelity.verdict {
            Finding::Beyond => {
                let are = if counts.beyond == 1 { "is" } else { "are" };
                let beyond = of_judged(counts.beyond);
                ("BEYOND", format!("{beyond} {are} beyond what is allowed"))
            }
            Finding::Undecided => {
                let undecided = of_judged(counts.undecided);
                ("UNDECIDED", format!("{undecided} may be within or beyond what is allowed"))
            }
            Finding::Within => ("WITHIN", format!("{judged}, all within what is allowed")),
            Finding::Unjudged => {
                ("NOTHING JUDGED", "no version has enough requests in both runs".to_owned())
            }
        };
        Self { word, found, details: details(fidelity) }
    }
}

/// The errors and rollbacks that make the verdict what it is.
fn details(fidelity: &Fidelity) -> Vec<String> {
    if !matches!(fidelity.verdict, Finding::Beyond | Finding::Undecided) {
        return Vec::new();
    }
    let is_it = |finding| finding == fidelity.verdict;
    let rollbacks = fidelity.rollbacks.iter().filter(|own| is_it(own.finding)).map(rollback_text);
    let errors = fidelity.errors().filter(|(_, error)| is_it(error.finding));
    let errors = errors.map(|(version, error)| {
        let told = error.judged().map(|own| deviation_text(error.metric, own, " "));
        format!(
            "{}: {} {}, allowed: {}",
            place(fidelity, version),
            error_label(error.metric),
            told.unwrap_or_else(|| NO_DATA.to_owned()),
            allowed_text(error.metric, error.allowed)
        )
    });
    let sent = is_it(fidelity.requests).then(|| {
        let [simulated, live] =
            [&fidelity.simulated, &fidelity.live].map(|run| format_count(run.requests));
        format!("{simulated} requests were simulated and {live} sent")
    });
    let mut all: Vec<String> = sent.into_iter().chain(rollbacks).chain(errors).collect();
    let more = all.len().saturating_sub(MOST_DETAILS);
    all.truncate(MOST_DETAILS);
    all.extend((more > 0).then(|| format!("and {}", format_counted(more as u64, "more", "more"))));
    all
}

/// Which version in which phase: `canary, gpt-4-v2`, with its model where there are several.
pub(crate) fn place(fidelity: &Fidelity, errors: &VersionErrors) -> String {
    let several = fidelity.versions.iter().any(|other| other.model != errors.model);
    let model = if several { format!("{} ", errors.model) } else { String::new() };
    format!("{}, {model}{}", errors.phase, errors.version)
}

/// How many requests a version got in either run.
pub(crate) fn requests_text(errors: &VersionErrors) -> String {
    let [simulated, live] = errors.requests.map(format_count);
    format!("{simulated} requests simulated, {live} live")
}

/// A metric's name for reading.
pub(crate) fn error_label(metric: Metric) -> &'static str {
    match metric {
        Metric::Share => "Split share",
        other => metric_label(other),
    }
}

/// An error and its sampling error: `+1.2 % [-0.3 %, +2.7 %]`, without the interval where that says
/// no more.
pub(crate) fn deviation_text(metric: Metric, deviation: Deviation, between: &str) -> String {
    let [error, interval] = deviation_parts(metric, deviation);
    if interval.is_empty() { error } else { format!("{error}{between}{interval}") }
}

/// An error, and its interval: empty where that says no more.
pub(super) fn deviation_parts(metric: Metric, deviation: Deviation) -> [String; 2] {
    let Deviation { error, interval } = deviation;
    let is_difference = MetricError::is_difference(metric);
    let error = match is_difference {
        true => signed_value(Unit::Ratio, error),
        false => change(error * 100.0),
    };
    let Some(limits) = interval else { return [error, "[unbounded]".to_owned()] };
    let told = match is_difference {
        true => signed_interval(Unit::Ratio, limits),
        false => change_interval(limits),
    };
    let says_more = told != format!("[{error}, {error}]");
    [error, if says_more { told } else { String::new() }]
}

/// What is allowed: `1 %`, `0.5 pp`.
pub(crate) fn allowed_text(metric: Metric, allowed: Allowed) -> String {
    match allowed {
        Allowed::SamplingError => "chance".to_owned(),
        Allowed::UpTo(share) if MetricError::is_difference(metric) => {
            format!("{} pp", format_significant(share.get() * 100.0, 6))
        }
        Allowed::UpTo(share) => percent(share.get()),
    }
}

/// A finding for reading.
pub(crate) const fn fidelity_word(finding: Finding) -> &'static str {
    match finding {
        Finding::Within => "within",
        Finding::Beyond => "beyond",
        Finding::Undecided => "undecided",
        Finding::Unjudged => "not judged",
    }
}

/// How much room a table of errors takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum ErrorForm {
    /// Intervals beside errors.
    Wide,
    /// Intervals below errors, what is allowed below findings.
    Compact,
}

/// The errors of a version in a phase as rows of text.
pub(super) fn errors_grid(fidelity: &Fidelity, version: &VersionErrors, form: ErrorForm) -> Grid {
    let less = !fidelity.overheads.is_empty();
    let mut header = vec!["Metric", "Simulated", "Live", "Error"];
    header.extend(less.then_some("Less overhead"));
    header.extend(match form {
        ErrorForm::Wide => &["Allowed", "Finding"][..],
        ErrorForm::Compact => &["Finding (allowed)"],
    });
    let rows = version.errors.iter().map(|error| errors_row(error, less, form)).collect();
    Grid { header: header.into_iter().map(str::to_owned).collect(), rows, names: None }
}

fn errors_row(error: &MetricError, less: bool, form: ErrorForm) -> Vec<String> {
    let metric = error.metric;
    let value = |value: Option<f64>| {
        value.map_or_else(|| NO_DATA.to_owned(), |value| table_value(metric.unit(), value))
    };
    let between = if form == ErrorForm::Wide { " " } else { "\n" };
    let deviation = |deviation: Option<Deviation>| {
        let told = deviation.map(|own| deviation_text(metric, own, between));
        told.unwrap_or_else(|| NO_DATA.to_owned())
    };
    let mut row = vec![error_label(metric).to_owned(), value(error.simulated), value(error.live)];
    row.push(deviation(error.raw));
    row.extend(less.then(|| deviation(error.less_overhead)));
    let (allowed, finding) =
        (allowed_text(metric, error.allowed), fidelity_word(error.finding).to_owned());
    match form {
        ErrorForm::Wide => row.extend([allowed, finding]),
        ErrorForm::Compact => row.push(format!("{finding}\n({allowed})")),
    }
    row
}

/// What the harness added, as rows of text.
pub(super) fn overheads_grid(fidelity: &Fidelity) -> Grid {
    let header = ["Overhead", "Measured", "Mean", "P50", "P90", "P99", "Mean on the wall"];
    let rows = fidelity.overheads.iter().map(|own| {
        let wall = own.mean.mul_f64(1.0 / fidelity.speed);
        let figures = [own.mean, own.p50, own.p90, own.p99, wall].map(format_duration);
        [own.name.clone(), format_count(own.count)].into_iter().chain(figures).collect()
    });
    Grid { header: header.map(str::to_owned).to_vec(), rows: rows.collect(), names: None }
}

/// A rollback of either run in a phrase.
pub(crate) fn rollback_text(rollback: &RollbackError) -> String {
    let RollbackError { version, simulated, live, .. } = rollback;
    let after = |own: &RolledBack| format_duration(own.after);
    let told = |own: &RolledBack| format!("{} by {}", after(own), own.trigger);
    let found = match (simulated, live) {
        (Some(simulated), Some(live)) if simulated.trigger == live.trigger => format!(
            "{} (simulated after {}, live after {}, by {})",
            checks_text(rollback),
            after(simulated),
            after(live),
            live.trigger
        ),
        (Some(simulated), Some(live)) => {
            let when = checks_text(rollback);
            format!("{when} (simulated after {}, live after {})", told(simulated), told(live))
        }
        (Some(simulated), None) => {
            format!("simulated after {}, and never in the live run", told(simulated))
        }
        (None, Some(live)) => format!("live after {}, and never simulated", told(live)),
        (None, None) => "never".to_owned(),
    };
    format!("Rollback of {version}: {}, {found}", fidelity_word(rollback.finding))
}

fn checks_text(rollback: &RollbackError) -> String {
    let Some(checks) = rollback.checks else {
        return "at another time, and how often its rule checks is not known".to_owned();
    };
    let interval = rollback.check_interval.map(format_duration);
    let every = interval.map_or_else(String::new, |every| format!(" of one every {every}"));
    match checks {
        0 => "at the same check".to_owned(),
        1 => format!("at the next check{every}"),
        -1 => format!("at the check before{every}"),
        2.. => format!("{checks} checks later{every}"),
        _ => format!("{} checks earlier{every}", checks.unsigned_abs()),
    }
}

/// What the tables' words and numbers mean.
pub(crate) fn fidelity_legend(fidelity: &Fidelity) -> String {
    format!(
        "Errors are those of the live run, in percent of the simulated value or, of shares of \
         requests, in percentage points (pp). All {} judged ones lie in their intervals at once \
         with a confidence of {}. \"chance\" allows what the interval explains",
        format_count(fidelity.intervals),
        percent(fidelity.confidence),
    )
}

/// Chosen: whoever wants all of them reads the tables.
const MOST_DETAILS: usize = 6;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fidelity::example::{slower, small, with_overheads};
    use crate::summary::Limits;
    use crate::units::{Duration, Ratio, VersionId};

    fn rollback(checks: Option<i64>) -> RollbackError {
        let rolled_back =
            || Some(RolledBack { after: Duration::from_secs(60), trigger: "slow".to_owned() });
        RollbackError {
            version: VersionId::new("v2").unwrap(),
            simulated: rolled_back(),
            live: rolled_back(),
            check_interval: Some(Duration::from_secs(15)),
            checks,
            allowed_checks: 1,
            finding: Finding::Within,
        }
    }

    #[test]
    fn rollbacks_are_told_in_checks() {
        for (checks, told) in [
            (Some(0), "at the same check ("),
            (Some(1), "at the next check of one every 15 s ("),
            (Some(-1), "at the check before of one every 15 s ("),
            (Some(3), "3 checks later of one every 15 s ("),
            (Some(-2), "2 checks earlier of one every 15 s ("),
            (None, "at another time, and how often its rule checks is not known ("),
        ] {
            let text = rollback_text(&rollback(checks));
            let expected = format!(
                "Rollback of v2: within, {told}simulated after 60 s, live after 60 s, by slow)"
            );
            assert_eq!(text, expected);
        }
        let other = Some(RolledBack { after: Duration::from_secs(75), trigger: "bad".to_owned() });
        let other = RollbackError { live: other, ..rollback(Some(1)) };
        let text = rollback_text(&other);
        assert!(text.ends_with("(simulated after 60 s by slow, live after 75 s by bad)"), "{text}");
        let none = RollbackError { live: None, ..rollback(None) };
        let text = rollback_text(&none);
        assert!(
            text.ends_with("simulated after 60 s by slow, and never in the live run"),
            "{text}"
        );
    }

    #[test]
    fn errors_are_told_with_what_chance_explains() {
        let limits = |low, high| Some(Limits { low, high });
        let of = |error, interval| Deviation { error, interval };
        for (metric, deviation, told) in [
            (
                Metric::LatencyP50,
                of(0.012, limits(Some(-0.003), Some(0.027))),
                "+1.2 % [-0.3 %, +2.7 %]",
            ),
            (
                Metric::ErrorRate,
                of(0.0005, limits(Some(-0.001), None)),
                "+0.05 pp [-0.10 pp, unbounded]",
            ),
            (Metric::CostPer1kTokens, of(0.0, limits(Some(0.0), Some(0.0))), "±0 %"),
            (Metric::LatencyP99, of(0.03, None), "+3 % [unbounded]"),
        ] {
            assert_eq!(deviation_text(metric, deviation, " "), told);
        }
        let one = Allowed::UpTo(Ratio::from_percent(1));
        assert_eq!(allowed_text(Metric::LatencyP50, one), "1 %");
        assert_eq!(allowed_text(Metric::ErrorRate, one), "1 pp");
        assert_eq!(allowed_text(Metric::ErrorRate, Allowed::SamplingError), "chance");
    }

    #[test]
    fn the_head_says_what_makes_the_verdict() {
        let beyond = FidelityHeadline::of(&slower());
        assert_eq!(beyond.word, "BEYOND");
        assert!(beyond.details[0].starts_with("Rollback of "), "{:?}", beyond.details);
        assert!(beyond.details[1].contains(": Average latency +2 % ["), "{:?}", beyond.details);
        assert!(beyond.details[1].ends_with(", allowed: 1 %"), "{:?}", beyond.details);
        assert_eq!(FidelityHeadline::of(&small()).word, "UNDECIDED");
        let within = FidelityHeadline::of(&with_overheads(10.0));
        assert_eq!((within.word, within.details.len()), ("WITHIN", 0));
    }
}
