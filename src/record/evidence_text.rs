//! The evidence of a firing in words: what a trigger saw.

use crate::engine::{
    AgainstObjective, Comparison, ErrorShares, EventRatio, Evidence, Level, RankShift, Reading,
    Relation,
};
use crate::math;
use crate::metric::{Unit, format_value};
use crate::units::{
    Duration, Ratio, format_count, format_duration, format_p_value, format_percent,
    format_set_share, format_significant,
};

/// Which trigger fired and what it saw, in words. `counted` is what its windows hold: requests or
/// attempts.
pub fn evidence_text(evidence: &Evidence, counted: &str) -> String {
    format!("{}: {}", evidence.trigger, seen_text(evidence, counted))
}

/// What a trigger saw, in words.
pub fn seen_text(evidence: &Evidence, counted: &str) -> String {
    let seen = reading_text(&evidence.reading, counted);
    match evidence.held.is_zero() {
        true => seen,
        false => format!("{seen}, held for {}", format_duration(evidence.held)),
    }
}

/// What was read, in words.
pub fn reading_text(reading: &Reading, counted: &str) -> String {
    match reading {
        Reading::Share { metric, hits, requests, operator, threshold, window } => {
            let share = Ratio::of(*hits, *requests).map_or(0.0, Ratio::get);
            format!(
                "{metric} {} ({} of {} {counted}) {operator} {} in {}",
                format_percent(share),
                format_count(*hits),
                format_count(*requests),
                format_set_share(threshold.get()),
                format_duration(*window),
            )
        }
        Reading::Count { metric, requests, operator, threshold, window } => format!(
            "{metric} {} {operator} {} in {}",
            format_count(*requests),
            format_count(*threshold),
            format_duration(*window),
        ),
        Reading::Amount { metric, value, requests, operator, threshold, window } => format!(
            "{metric} {} {operator} {} in {} ({} {counted})",
            format_value(metric.unit(), *value),
            format_value(metric.unit(), *threshold),
            format_duration(*window),
            format_count(*requests),
        ),
        Reading::Time {
            metric,
            value,
            above,
            requests,
            in_flight,
            operator,
            threshold,
            window,
        } => {
            // Where so many have not ended that nobody knows it, it is beyond the threshold.
            let value =
                value.map_or_else(String::new, |value| format!("{} ", format_duration(value)));
            let above = above
                .map_or_else(String::new, |above| format!(", {} above it", format_count(above)));
            format!(
                "{metric} {value}{operator} {} in {} ({} {counted}{above}, {} in flight)",
                format_duration(*threshold),
                format_duration(*window),
                format_count(*requests),
                format_count(*in_flight),
            )
        }
        Reading::Compared(comparison) => comparison_text(comparison, counted),
        Reading::NoData { metric, requests, min_requests, stable, window } => format!(
            "{metric} has {} of the {} {counted} that it needs in {}{}",
            format_count(*requests),
            format_count(*min_requests),
            format_duration(*window),
            stable.map_or_else(String::new, stable_text),
        ),
        Reading::Sequential(shares) => sequential_text(shares),
        Reading::EventRatio(ratio) => event_ratio_text(ratio),
        Reading::Objective(against) => objective_text(against, counted),
        Reading::Ranks(shift) => ranks_text(shift),
    }
}

fn stable_text(stable: Level) -> String {
    format!(", the stable {}", format_count(stable.requests))
}

fn sequential_text(shares: &ErrorShares) -> String {
    // The test answers to a canary that is better, too.
    let favour = if shares.excess <= 0.0 { " in the canary's favour" } else { "" };
    format!(
        "{} errors against {} of the stable at {} of the traffic, {}{favour}",
        format_count(shares.canary_errors),
        format_count(shares.stable_errors),
        format_set_share(shares.expected_share),
        significance_text(shares.ln_evidence, shares.alpha),
    )
}

fn event_ratio_text(ratio: &EventRatio) -> String {
    let events = match ratio.slow_above {
        Some(above) => format!("requests slower than {}", format_duration(above)),
        None => "errors".to_owned(),
    };
    let blocks = match ratio.burst_block.is_zero() {
        true => String::new(),
        false => format!(" (one in {} counts)", format_duration(ratio.burst_block)),
    };
    format!(
        "{} {events} against {} of the stable at {} of the traffic{blocks}, more than {} more \
         frequent: {}",
        format_count(ratio.canary_events),
        format_count(ratio.stable_events),
        format_set_share(ratio.expected_share),
        format_set_share(ratio.allowed_excess),
        significance_text(ratio.ln_evidence, ratio.alpha),
    )
}

fn objective_text(against: &AgainstObjective, counted: &str) -> String {
    let share = Ratio::of(against.hits, against.requests).map_or(0.0, Ratio::get);
    let limit = against
        .limit
        .map_or_else(String::new, |limit| format!(" beyond {}", format_duration(limit)));
    format!(
        "{}: {} of {} {counted}{limit}, {}, where {} are allowed: {}",
        against.metric,
        format_count(against.hits),
        format_count(against.requests),
        format_percent(share),
        format_set_share(against.objective.get()),
        significance_text(against.ln_evidence, against.alpha),
    )
}

fn ranks_text(shift: &RankShift) -> String {
    let in_unit = |value: f64| match shift.metric.unit() {
        Unit::Time if value < 0.0 => {
            format!("-{}", format_duration(Duration::from_nanos(-value as u64)))
        }
        Unit::Time => format_duration(Duration::from_nanos(value as u64)),
        unit => format_value(unit, value),
    };
    format!(
        "{} shifted by {} [{}, {}] against the stable's over {} and {} stretches of {}, beyond {} \
         with {} confidence for one look",
        shift.metric,
        in_unit(shift.shift),
        in_unit(shift.low),
        in_unit(shift.high),
        format_count(shift.canary_buckets),
        format_count(shift.stable_buckets),
        format_duration(shift.bucket),
        in_unit(shift.tolerance),
        format_set_share(shift.confidence.get()),
    )
}

/// What the evidence is worth: it is the inverse of a p-value that holds whenever it is looked at.
fn significance_text(ln_evidence: f64, alpha: Ratio) -> String {
    let p_value = math::exp(-ln_evidence).min(1.0);
    format!("{} at alpha = {}", p_value_text(p_value), format_significant(alpha.get(), 3))
}

/// A version's figure against the stable's.
fn comparison_text(comparison: &Comparison, counted: &str) -> String {
    let Comparison { metric, operator, threshold, stable, .. } = comparison;
    let in_unit = |value: f64| match metric.unit() {
        Unit::Time => format_duration(Duration::from_nanos(value.max(0.0) as u64)),
        unit => format_value(unit, value),
    };
    let figure = |value: Option<f64>| value.map_or_else(|| "unknown".to_owned(), in_unit);
    let relation = match threshold {
        Relation::Times(factor) => format!("{} times", format_significant(*factor, 4)),
        Relation::Plus(more) if *more < 0.0 => format!("{} less than", in_unit(-more)),
        Relation::Plus(more) => format!("{} more than", in_unit(*more)),
    };
    let beyond = |above| format!(", {} beyond it", format_count(above));
    format!(
        "{metric} {} {operator} {} ({relation} the stable's {} of {} {counted}) in {} ({} \
         {counted}{}, {} in flight)",
        figure(comparison.value),
        in_unit(comparison.limit),
        figure(stable.value),
        format_count(stable.requests),
        format_duration(comparison.window),
        format_count(comparison.requests),
        comparison.above.map_or_else(String::new, beyond),
        format_count(comparison.in_flight),
    )
}

/// `p = 0.003`, `p < 0.0001`.
pub fn p_value_text(p_value: f64) -> String {
    match format_p_value(p_value) {
        bound if bound.starts_with('<') => format!("p {bound}"),
        number => format!("p = {number}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Operator;
    use crate::metric::Metric;

    #[test]
    fn a_judge_tells_its_p_value_and_its_share_of_alpha_as_plain_numbers() {
        let told_of = |ln_evidence, excess| {
            let alpha = Ratio::new(0.0005).unwrap();
            let (canary_errors, stable_errors, expected_share) = (7, 1, 0.05);
            let shares = ErrorShares {
                canary_errors,
                stable_errors,
                expected_share,
                excess,
                ln_evidence,
                alpha,
            };
            reading_text(&Reading::Sequential(shares), "requests")
        };
        let told = |ln_evidence| told_of(ln_evidence, 6.6);
        let seen = "7 errors against 1 of the stable at 5 % of the traffic";
        // exp(-7.7) = 0.000453, exp(-9.3) = 0.0000914, exp(-0.001) = 0.999.
        assert_eq!(told(7.7), format!("{seen}, p = 0.00045 at alpha = 0.0005"));
        assert_eq!(told(9.3), format!("{seen}, p < 0.0001 at alpha = 0.0005"));
        assert_eq!(told(0.001), format!("{seen}, p = 1 at alpha = 0.0005"));
        assert!(told(-3.0).contains("p = 1 "), "evidence for the canary is none against it");
        let better = format!("{seen}, p = 0.00045 at alpha = 0.0005 in the canary's favour");
        assert_eq!(told_of(7.7, -1.5), better);
    }

    #[test]
    fn a_quantile_that_nobody_knows_yet_is_told_by_what_is_beyond_the_threshold() {
        let reading = |value| Reading::Time {
            metric: Metric::LatencyP99,
            value,
            above: Some(3),
            requests: 3,
            in_flight: 3,
            operator: Operator::Above,
            threshold: Duration::from_secs(3),
            window: Duration::from_secs(30),
        };
        let told = |value| reading_text(&reading(value), "requests");
        let rest = "> 3 s in 30 s (3 requests, 3 above it, 3 in flight)";
        assert_eq!(told(None), format!("latency_p99 {rest}"));
        assert_eq!(told(Some(Duration::from_secs(4))), format!("latency_p99 4 s {rest}"));
    }

    #[test]
    fn windows_that_hold_attempts_are_told_as_attempts() {
        let (metric, window) = (Metric::ErrorRate, Duration::from_secs(60));
        let (requests, min_requests, stable) = (4, 10, None);
        let reading = Reading::NoData { metric, requests, min_requests, stable, window };
        let told = |counted| reading_text(&reading, counted);
        assert_eq!(told("attempts"), "error_rate has 4 of the 10 attempts that it needs in 60 s");
        assert_eq!(told("requests"), "error_rate has 4 of the 10 requests that it needs in 60 s");
    }
}
