//! The evidence of a firing in one line: the figures that a trigger saw, for a journal that is read
//! on a terminal. The whole of it is in the export.

use crate::engine::{Comparison, ErrorShares, Evidence, Reading};
use crate::metric::Unit;
use crate::units::{
    Duration, Ratio, format_count, format_duration, format_money, format_percent, format_set_share,
    format_significant,
};

/// What a trigger saw, and on which version.
pub fn evidence_text(evidence: &Evidence) -> String {
    let Evidence { trigger, version, held, reading, .. } = evidence;
    let seen = reading_text(reading);
    let held = match held.is_zero() {
        true => String::new(),
        false => format!(", held for {}", format_duration(*held)),
    };
    format!("trigger {trigger} on {version}: {seen}{held}")
}

fn reading_text(reading: &Reading) -> String {
    match reading {
        Reading::Share { metric, hits, requests, operator, threshold, window } => format!(
            "{metric} {} ({} of {}) {operator} {} in {}",
            format_percent(Ratio::of(*hits, *requests).map_or(0.0, Ratio::get)),
            format_count(*hits),
            format_count(*requests),
            format_set_share(threshold.get()),
            format_duration(*window),
        ),
        Reading::Time { metric, value, above, requests, operator, threshold, window, .. } => {
            let value = value.map_or_else(|| "unended".to_owned(), format_duration);
            format!(
                "{metric} {value} {operator} {} in {} ({}{})",
                format_duration(*threshold),
                format_duration(*window),
                above.map_or_else(String::new, |above| format!("{} of ", format_count(above))),
                format_count(*requests),
            )
        }
        Reading::Count { metric, requests, operator, threshold, window } => format!(
            "{metric} {} {operator} {} in {}",
            format_count(*requests),
            format_count(*threshold),
            format_duration(*window),
        ),
        Reading::Amount { metric, value, requests, operator, threshold, window } => format!(
            "{metric} {} {operator} {} in {} ({})",
            figure(metric.unit(), *value),
            figure(metric.unit(), *threshold),
            format_duration(*window),
            format_count(*requests),
        ),
        Reading::Compared(comparison) => comparison_text(comparison),
        Reading::NoData { metric, requests, min_requests, window, .. } => format!(
            "{metric} has {} requests in {}, of the {} that it needs",
            format_count(*requests),
            format_duration(*window),
            format_count(*min_requests),
        ),
        Reading::Sequential(shares) => shares_text(shares),
    }
}

fn comparison_text(comparison: &Comparison) -> String {
    let Comparison { metric, value, requests, operator, stable, limit, window, .. } = comparison;
    // Of a comparison, times are in nanoseconds.
    let text = |value: f64| match metric.unit() {
        Unit::Time => format_duration(Duration::from_nanos(value.max(0.0) as u64)),
        unit => figure(unit, value),
    };
    format!(
        "{metric} {} {operator} {} beside the stable's {} in {} ({})",
        value.map_or_else(|| "unended".to_owned(), text),
        text(*limit),
        stable.value.map_or_else(|| "none".to_owned(), text),
        format_duration(*window),
        format_count(*requests),
    )
}

fn shares_text(shares: &ErrorShares) -> String {
    let ErrorShares { canary_errors, stable_errors, expected_share, alpha, .. } = shares;
    format!(
        "{} errors against {} of the stable, at {} of the traffic, alpha {}",
        format_count(*canary_errors),
        format_count(*stable_errors),
        format_set_share(*expected_share),
        format_significant(alpha.get(), 3),
    )
}

fn figure(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Ratio => format_percent(value),
        Unit::Money => format_money(value),
        _ => format_significant(value, 4),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Level, Operator, Relation};
    use crate::metric::Metric;
    use crate::units::{Timestamp, VersionId};

    const WINDOW: Duration = Duration::from_secs(60);

    fn text(reading: Reading) -> String {
        let check = Timestamp::from_second(90);
        evidence_text(&Evidence {
            trigger: "errors".to_owned(),
            version: VersionId::new("v2").unwrap(),
            check,
            first_breach: Timestamp::from_second(30),
            held: Duration::from_secs(60),
            duration: Duration::from_secs(60),
            reading,
        })
    }

    #[test]
    fn a_share_is_told_with_what_it_was_counted_from() {
        let reading = Reading::Share {
            metric: Metric::ErrorRate,
            hits: 12,
            requests: 100,
            operator: Operator::Above,
            threshold: Ratio::from_percent(5),
            window: WINDOW,
        };
        assert_eq!(
            text(reading),
            "trigger errors on v2: error_rate 12.00 % (12 of 100) > 5 % in 60 s, held for 60 s"
        );
    }

    #[test]
    fn a_latency_is_told_with_its_unit_and_one_that_never_ended_without() {
        let time = |value| Reading::Time {
            metric: Metric::LatencyP99,
            value,
            above: Some(7),
            requests: 100,
            in_flight: 2,
            operator: Operator::Above,
            threshold: Duration::from_secs(3),
            window: WINDOW,
        };
        let known = text(time(Some(Duration::from_millis(3_200))));
        assert!(known.contains("latency_p99 3.2 s > 3 s in 60 s (7 of 100)"), "{known}");
        let unknown = text(time(None));
        assert!(unknown.contains("latency_p99 unended > 3 s"), "{unknown}");
    }

    #[test]
    fn a_comparison_of_latencies_is_told_in_time_not_in_nanoseconds() {
        let compared = text(Reading::Compared(Comparison {
            metric: Metric::LatencyAvg,
            value: Some(4e8),
            above: None,
            requests: 50,
            in_flight: 0,
            operator: Operator::Above,
            threshold: Relation::Times(1.5),
            stable: Level { value: Some(2e8), requests: 90 },
            limit: 3e8,
            window: WINDOW,
        }));
        let told = "latency_avg 400 ms > 300 ms beside the stable's 200 ms in 60 s (50)";
        assert!(compared.contains(told), "{compared}");
    }
}
