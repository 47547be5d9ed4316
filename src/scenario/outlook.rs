//! What a rule is good for: how soon it can fire, and how short an outage it still sees.

use crate::engine::{Condition, Operator, Threshold, Trigger, TriggerKind};
use crate::metric::Measure;
use crate::units::Duration;

/// How a trigger behaves in time, by its own figures.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outlook {
    /// From a version's activation, or from the end of healthy traffic, to the first check at which
    /// the trigger can fire, if every check has data and breaches. A judge may need more checks.
    pub earliest_firing: Duration,
    /// The shortest outage of all requests (for a latency: all slower than the threshold) that can
    /// make it fire, at steady traffic with enough requests in every window; shorter ones cannot,
    /// unless they come so soon after an activation that the window is not full yet: it is shorter
    /// then, and less fills its share.
    /// `None` where that depends on the traffic: for judges, counts and means.
    pub shortest_outage: Option<Duration>,
}

impl Outlook {
    /// Of `trigger`.
    ///
    /// A timer that starts at check t fires at the first check at or after t + duration, span = n *
    /// interval later, n = ceil(duration / interval). A window w breaches while more than a share s
    /// of it lies in the outage. An outage that begins s * w before t must still fill s * w of the
    /// window that ends at t + span: its length is at least the larger of s * w and
    /// span - w + 2 s w.
    pub fn of(trigger: &Trigger) -> Self {
        let interval = trigger.check_interval;
        let TriggerKind::Condition(condition) = &trigger.kind else {
            return Self { earliest_firing: interval, shortest_outage: None };
        };
        let checks = condition.duration.as_nanos().div_ceil(interval.as_nanos().max(1));
        let span = Duration::from_nanos(interval.as_nanos().saturating_mul(checks));
        let shortest_outage = breaching_share(condition).map(|share| {
            let filled = condition.window.mul_f64(share);
            let both = span.saturating_add(filled).saturating_add(filled);
            let rest = both.as_nanos().saturating_sub(condition.window.as_nanos());
            filled.max(Duration::from_nanos(rest))
        });
        Self { earliest_firing: interval.saturating_add(span), shortest_outage }
    }
}

/// The share of a window that an outage must fill to breach the condition.
fn breaching_share(condition: &Condition) -> Option<f64> {
    let rising = matches!(condition.operator, Operator::Above | Operator::AtLeast);
    match (condition.metric.measure(), condition.threshold) {
        (Measure::ErrorRate, Threshold::Ratio(threshold)) if rising => Some(threshold.get()),
        (Measure::SuccessRate, Threshold::Ratio(threshold)) if !rising => {
            Some(threshold.complement().get())
        }
        (Measure::Quantile(_, quantile), Threshold::Time(_)) if rising => {
            Some(1.0 - quantile.as_f64())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{RawTrigger, Safeguards};

    fn outlook(metric: &str, duration: f64, interval: Option<f64>, window: Option<f64>) -> Outlook {
        let latency = metric.starts_with("latency");
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
        assert_eq!(outlook.shortest_outage, Some(Duration::from_secs(6)));
    }

    #[test]
    fn a_rule_without_duration_fires_at_its_first_check() {
        let outlook = outlook("error_rate", 0.0, None, Some(60.0));
        assert_eq!(outlook.earliest_firing, Duration::from_secs(5));
        assert_eq!(outlook.shortest_outage, Some(Duration::from_secs(3)));
    }

    #[test]
    fn a_window_shorter_than_the_duration_asks_for_a_longer_outage() {
        // Checks at 0 and 60; windows of 20 s; 1 s of each must fail: from -1 s to 41 s.
        let outlook = outlook("error_rate", 60.0, Some(20.0), Some(20.0));
        assert_eq!(outlook.shortest_outage, Some(Duration::from_secs(42)));
    }

    #[test]
    fn a_quantile_is_a_share_of_slow_requests() {
        let outlook = outlook("latency_p99", 30.0, Some(10.0), None);
        assert_eq!(outlook.earliest_firing, Duration::from_secs(40));
        let shortest = outlook.shortest_outage.unwrap();
        assert!((shortest.as_secs_f64() - 0.6).abs() < 1e-6, "{shortest}");
    }
}
