//! What a rule is good for: how soon it can fire, and how short an outage it still sees.

use crate::engine::{Condition, Operator, Relation, Threshold, Trigger, TriggerKind};
use crate::metric::Measure;
use crate::units::{Duration, Money};

/// How a trigger behaves in time, by its own figures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outlook {
    /// From a version's activation, or from the end of healthy traffic, to the first check at which
    /// the trigger can fire, if every check has data and breaches. A judge may need more checks.
    pub earliest_firing: Duration,
    /// How many checks in a row it takes at least.
    pub checks: u64,
    /// The shortest incident that can make it fire, at steady traffic with enough requests in every
    /// window; shorter ones cannot, unless they come so soon after an activation that the window is
    /// not full yet: it is shorter then, and less fills its share. In the incident all requests
    /// have the property that a share counts (fail, time out), or lie beyond the threshold of a
    /// quantile. What is compared with the stable has a flawless stable beside it.
    /// `None` where that depends on the traffic: for judges, counts, means, multiples of the
    /// stable's share, and comparisons that hold while all is well.
    pub shortest: Option<Duration>,
    /// Whether there is a value of the metric at which the comparison holds.
    pub possible: bool,
}

impl Outlook {
    /// Of `trigger`.
    ///
    /// A timer that starts at check t fires at the first check at or after t + duration, span = n *
    /// interval later, n = ceil(duration / interval). A window w breaches while more than a share s
    /// of it lies in the incident. An incident that begins s * w before t must still fill s * w of
    /// the window that ends at t + span: its length is at least the larger of s * w and
    /// span - w + 2 s w.
    pub fn of(trigger: &Trigger) -> Self {
        let interval = trigger.check_interval;
        let TriggerKind::Condition(condition) = &trigger.kind else {
            let (checks, possible) = (1, true);
            return Self { earliest_firing: interval, checks, shortest: None, possible };
        };
        let checks = condition.duration.as_nanos().div_ceil(interval.as_nanos().max(1));
        let span = Duration::from_nanos(interval.as_nanos().saturating_mul(checks));
        let shortest = breaching_share(condition).map(|share| {
            let filled = condition.window.mul_f64(share);
            let both = span.saturating_add(filled).saturating_add(filled);
            let rest = both.as_nanos().saturating_sub(condition.window.as_nanos());
            filled.max(Duration::from_nanos(rest))
        });
        Self {
            earliest_firing: interval.saturating_add(span),
            checks: checks + 1,
            shortest,
            possible: is_possible(condition),
        }
    }
}

/// The share of a window that an incident must fill to breach the condition.
fn breaching_share(condition: &Condition) -> Option<f64> {
    let rising = matches!(condition.operator, Operator::Above | Operator::AtLeast);
    let threshold = condition.threshold;
    match condition.metric.measure() {
        // The worse value of a success rate is the smaller one.
        Measure::SuccessRate => match threshold {
            Threshold::Ratio(threshold) if !rising => Some(threshold.complement().get()),
            Threshold::Stable(Relation::Plus(more)) if !rising && more < 0.0 => Some(-more),
            _ => None,
        },
        Measure::ErrorRate
        | Measure::ClientErrorRate
        | Measure::RateLimitedRate
        | Measure::TimeoutRate
        | Measure::EmptyRate
        | Measure::LengthFinishRate => match threshold {
            Threshold::Ratio(threshold) if rising => Some(threshold.get()),
            Threshold::Stable(Relation::Plus(more)) if rising && more > 0.0 => Some(more),
            _ => None,
        },
        // Whatever the limit is, more than 1 - q of the window must lie above it.
        Measure::Quantile(_, quantile) if rising => Some(1.0 - quantile.as_f64()),
        _ => None,
    }
}

/// Whether the comparison holds for any value: no share is above 1, and nothing is below 0.
fn is_possible(condition: &Condition) -> bool {
    let least = match condition.threshold {
        Threshold::Ratio(share) if condition.operator == Operator::Above => {
            return share.get() < 1.0;
        }
        Threshold::Ratio(share) => share.get() > 0.0,
        Threshold::Count(count) => count > 0,
        Threshold::Number(number) => number > 0.0,
        Threshold::Money(money) => money > Money::default(),
        Threshold::Time(_) | Threshold::Stable(_) => true,
    };
    least || condition.operator != Operator::Below
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{RawTrigger, Safeguards};

    fn outlook(metric: &str, duration: f64, interval: Option<f64>, window: Option<f64>) -> Outlook {
        let latency = metric.starts_with("latency") || metric.starts_with("ttft");
        let raw = RawTrigger {
            metric: Some(metric.to_owned()),
            operator: Some(">".to_owned()),
            threshold: (!latency).then_some(0.05),
            threshold_ms: latency.then_some(3_000.0),
            duration_seconds: Some(duration),
            check_interval_seconds: interval,
            window_seconds: window,
            action: Some("notify".to_owned()),
            ..RawTrigger::default()
        };
        Outlook::of(&Trigger::new(&raw, Safeguards::default()).unwrap())
    }

    #[test]
    fn the_documents_rule_fires_75_seconds_after_activation_at_the_earliest() {
        let outlook = outlook("error_rate", 60.0, None, None);
        assert_eq!(outlook.earliest_firing, Duration::from_secs(75));
        // Two windows of 60 s, 60 s apart, of which 3 s each must fail: 6 s around their seam.
        assert_eq!(outlook.shortest, Some(Duration::from_secs(6)));
    }

    #[test]
    fn a_rule_without_duration_fires_at_its_first_check() {
        let outlook = outlook("error_rate", 0.0, None, Some(60.0));
        assert_eq!(outlook.earliest_firing, Duration::from_secs(5));
        assert_eq!(outlook.shortest, Some(Duration::from_secs(3)));
    }

    #[test]
    fn a_window_shorter_than_the_duration_asks_for_a_longer_outage() {
        // Checks at 0 and 60; windows of 20 s; 1 s of each must fail: from -1 s to 41 s.
        let outlook = outlook("error_rate", 60.0, Some(20.0), Some(20.0));
        assert_eq!(outlook.shortest, Some(Duration::from_secs(42)));
    }

    #[test]
    fn a_quantile_is_a_share_of_slow_requests() {
        let outlook = outlook("latency_p99", 30.0, Some(10.0), None);
        assert_eq!(outlook.earliest_firing, Duration::from_secs(40));
        let shortest = outlook.shortest.unwrap();
        assert!((shortest.as_secs_f64() - 0.6).abs() < 1e-6, "{shortest}");
    }

    fn compared(metric: &str, operator: &str, form: &str, threshold: f64) -> Outlook {
        let raw = RawTrigger {
            metric: Some(metric.to_owned()),
            operator: Some(operator.to_owned()),
            compare_to: Some("stable".to_owned()),
            form: Some(form.to_owned()),
            threshold: Some(threshold),
            duration_seconds: Some(0.0),
            window_seconds: Some(60.0),
            action: Some("notify".to_owned()),
            ..RawTrigger::default()
        };
        Outlook::of(&Trigger::new(&raw, Safeguards::default()).unwrap())
    }

    #[test]
    fn every_share_is_filled_by_what_it_counts() {
        for metric in [
            "client_error_rate",
            "rate_limited_rate",
            "timeout_rate",
            "empty_rate",
            "length_finish_rate",
        ] {
            let outlook = outlook(metric, 60.0, None, None);
            assert_eq!(outlook.shortest, Some(Duration::from_secs(6)), "{metric}");
        }
        for metric in ["ttft_p50", "latency_all_p50"] {
            // Half of each of two windows of 60 s, 60 s apart.
            let outlook = outlook(metric, 60.0, None, None);
            assert_eq!(outlook.shortest, Some(Duration::from_secs(60)), "{metric}");
        }
        for metric in ["latency_avg", "ttft_avg"] {
            assert_eq!(outlook(metric, 60.0, None, None).shortest, None, "{metric}");
        }
    }

    #[test]
    fn beside_a_flawless_stable_a_difference_is_a_share() {
        let seconds = |outlook: Outlook| outlook.shortest.map(Duration::as_secs_f64);
        assert_eq!(seconds(compared("error_rate", ">", "difference", 0.1)), Some(6.0));
        assert_eq!(seconds(compared("success_rate", "<", "difference", -0.1)), Some(6.0));
        assert_eq!(seconds(compared("latency_p50", ">", "ratio", 1.5)), Some(30.0));
        assert_eq!(seconds(compared("error_rate", ">", "ratio", 2.0)), None, "of what?");
        assert_eq!(seconds(compared("success_rate", "<", "ratio", 0.9)), None);
        assert_eq!(seconds(compared("error_rate", "<", "difference", 0.1)), None, "all is well");
    }

    #[test]
    fn a_rule_takes_a_check_more_than_its_duration_has_intervals() {
        let checks = |duration, interval| outlook("error_rate", duration, interval, None).checks;
        assert_eq!((checks(60.0, None), checks(60.0, Some(25.0)), checks(0.0, None)), (5, 4, 1));
    }

    #[test]
    fn what_no_value_satisfies_is_found() {
        let possible = |metric: &str, operator: &str, threshold| {
            let raw = RawTrigger {
                metric: Some(metric.to_owned()),
                operator: Some(operator.to_owned()),
                threshold: Some(threshold),
                duration_seconds: Some(0.0),
                action: Some("notify".to_owned()),
                ..RawTrigger::default()
            };
            Outlook::of(&Trigger::new(&raw, Safeguards::default()).unwrap()).possible
        };
        assert!(!possible("error_rate", ">", 1.0) && possible("error_rate", ">=", 1.0));
        assert!(!possible("success_rate", "<", 0.0) && possible("success_rate", "<=", 0.0));
        assert!(!possible("requests", "<", 0.0) && possible("requests", "<", 1.0));
        assert!(
            !possible("cost_per_1k_tokens", "<", 0.0) && possible("tokens_per_second", ">", 0.0)
        );
    }
}
