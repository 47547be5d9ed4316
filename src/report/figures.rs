//! How metrics are named and their values written wherever a person reads them.

use crate::metric::{Metric, Unit, format_value};
use crate::summary::{Estimate, Limits};
pub(crate) use crate::units::format_change as change;
use crate::units::{Duration, format_millis};

/// A metric's name for reading; that of the registry for those without a common one.
pub(crate) fn metric_label(metric: Metric) -> &'static str {
    match metric {
        Metric::LatencyAvg => "Average latency",
        Metric::LatencyP50 => "P50 latency",
        Metric::LatencyP90 => "P90 latency",
        Metric::LatencyP95 => "P95 latency",
        Metric::LatencyP99 => "P99 latency",
        Metric::LatencyP999 => "P99.9 latency",
        Metric::ErrorRate => "Error rate",
        Metric::SuccessRate => "Success rate",
        Metric::CostPer1kTokens => "Cost per 1K tokens",
        Metric::FinalErrorRate => "Error rate for clients",
        Metric::Requests => "Requests",
        Metric::Attempts => "Attempts",
        Metric::TtftAvg => "Time to first token",
        Metric::TtftP50 => "P50 time to first token",
        Metric::TtftP90 => "P90 time to first token",
        Metric::TtftP95 => "P95 time to first token",
        Metric::TtftP99 => "P99 time to first token",
        other => other.name(),
    }
}

/// A value in the form of the comparison table, where figures of one row are compared: latencies
/// under two minutes in milliseconds, unlike elsewhere.
pub(crate) fn table_value(unit: Unit, value: f64) -> String {
    let duration = Duration::from_secs_f64(value);
    if unit == Unit::Time && duration < Duration::from_secs(120) {
        return format_millis(duration);
    }
    format_value(unit, value)
}

/// An estimate's value in the form of the comparison table; a dash without data, and `n/a` for a
/// quantile of too few values to have one.
pub(crate) fn table_estimate(estimate: &Estimate) -> String {
    match estimate.value {
        Some(_) if estimate.is_of_too_few() => format!("n/a (n={})", estimate.n),
        Some(value) => table_value(estimate.metric.unit(), value),
        None if estimate.infinite => "never".to_owned(),
        None => NO_DATA.to_owned(),
    }
}

/// An interval in the form of the comparison table: `[881 ms, 903 ms]`; `None` for exact values.
pub(crate) fn table_interval(estimate: &Estimate) -> Option<String> {
    let told = !estimate.exact && !estimate.is_of_too_few();
    let limits = estimate.interval.filter(|_| told)?;
    let unit = estimate.metric.unit();
    Some(interval(limits, |value| table_value(unit, value)))
}

/// The limits of a change, as shares: `[-0.7 %, +1.6 %]`.
pub(crate) fn change_interval(limits: Limits) -> String {
    interval(limits, |share| change(share * 100.0))
}

/// A difference in the unit of what differs, with its sign: `-12 ms`, `±0`. Differences of shares
/// are in percentage points, `+0.05 pp`, for a change in percent stands beside them.
pub(crate) fn signed_value(unit: Unit, value: f64) -> String {
    let money = unit == Unit::Money && value.abs() < LEAST_MONEY;
    let text = table_value(unit, if money { 0.0 } else { value.abs() });
    if !text.contains(|letter| matches!(letter, '1'..='9')) {
        return match unit {
            Unit::Time => "±0 ms".to_owned(),
            Unit::Ratio => "±0 pp".to_owned(),
            _ => format!("±{text}"),
        };
    }
    let text = match unit {
        Unit::Ratio => text.replace('%', "pp"),
        _ => text,
    };
    format!("{}{text}", if value < 0.0 { "-" } else { "+" })
}

/// The limits of a difference: `[-12 ms, +3 ms]`.
pub(crate) fn signed_interval(unit: Unit, limits: Limits) -> String {
    interval(limits, |value| signed_value(unit, value))
}

fn interval(limits: Limits, format: impl Fn(f64) -> String) -> String {
    let side = |limit: Option<f64>| limit.map_or_else(|| "unbounded".to_owned(), &format);
    format!("[{}, {}]", side(limits.low), side(limits.high))
}

/// That in which money is summed: what is less comes of the division.
const LEAST_MONEY: f64 = 1e-12;

/// What stands in a table where nothing was measured.
pub(crate) const NO_DATA: &str = "–";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_carry_their_sign_and_unit() {
        assert_eq!(signed_value(Unit::Time, -0.0124), "-12 ms");
        assert_eq!(signed_value(Unit::Ratio, 0.0005), "+0.05 pp");
        assert_eq!(signed_value(Unit::Money, 0.003), "+$0.003");
        assert_eq!(signed_value(Unit::Count, 0.0), "±0");
        assert_eq!(signed_value(Unit::Time, -0.000_04), "±0 ms");
        assert_eq!(signed_value(Unit::Time, -0.000_06), "-0.1 ms");
        assert_eq!(signed_value(Unit::Money, -1.7e-18), "±$0");
        let limits = Limits { low: Some(-0.007), high: None };
        assert_eq!(change_interval(limits), "[-0.7 %, unbounded]");
        assert_eq!(signed_interval(Unit::Time, limits), "[-7.0 ms, unbounded]");
    }

    #[test]
    fn a_quantile_of_few_values_is_not_shown() {
        let quantile = |metric, n| {
            let interval = Some(Limits { low: Some(0.5), high: None });
            let value = Some(1.0);
            Estimate { value, n, interval, exact: false, ..Estimate::absent(metric) }
        };
        assert_eq!(table_estimate(&quantile(Metric::LatencyP99, 7)), "n/a (n=7)");
        assert_eq!(table_interval(&quantile(Metric::LatencyP99, 7)), None);
        assert_eq!(table_estimate(&quantile(Metric::LatencyP99, 99)), "n/a (n=99)");
        assert_eq!(table_estimate(&quantile(Metric::LatencyP99, 100)), "1,000 ms");
        assert_eq!(table_estimate(&quantile(Metric::LatencyP95, 20)), "1,000 ms");
        assert_eq!(table_estimate(&quantile(Metric::LatencyP50, 1)), "1,000 ms");
    }

    #[test]
    fn latencies_in_tables_are_in_milliseconds() {
        assert_eq!(table_value(Unit::Time, 1.247), "1,247 ms");
        assert_eq!(table_value(Unit::Time, 450.0), "7m 30s");
        assert_eq!(table_value(Unit::Ratio, 0.0012), "0.12 %");
    }
}
