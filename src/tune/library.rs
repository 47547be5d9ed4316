//! The triggers that rules are put together from: thresholds, durations, intervals and windows,
//! relations to the stable, and judges, spread over what anybody would try.

use super::yardstick::Yardstick;
use crate::engine::RawTrigger;
use crate::units::{Duration, format_significant};

/// The triggers that are tried where the user gives none: conditions on errors and latency,
/// absolute and against the stable, and judges, whose probabilities of a false alarm (alpha) are at
/// most `false_rollback`; sequential ones only where requests are assigned `by_chance`. Thresholds
/// within reach of what is `normal` are left out. Each has a name of its own, and rolls back to the
/// last stable.
pub(super) fn library(normal: &Yardstick, false_rollback: f64, by_chance: bool) -> Vec<RawTrigger> {
    let mut all = Vec::new();
    all.extend(error_conditions(normal));
    all.extend(latency_conditions(normal));
    all.extend(judges(normal, false_rollback));
    let needs_chance = |raw: &RawTrigger| raw.judge.as_deref() == Some("sequential");
    all.retain(|raw| by_chance || !needs_chance(raw));
    all
}

/// How long a condition must hold: over a window of so many seconds at the first breach, or for a
/// duration.
const TIMINGS: [Timing; 6] = [
    Timing { duration: 0.0, window: Some(10.0), interval: Some(1.0) },
    Timing { duration: 0.0, window: Some(30.0), interval: None },
    Timing { duration: 0.0, window: Some(60.0), interval: None },
    Timing { duration: 15.0, window: None, interval: None },
    Timing { duration: 30.0, window: None, interval: None },
    Timing { duration: 60.0, window: None, interval: None },
];

#[derive(Clone, Copy)]
struct Timing {
    duration: f64,
    window: Option<f64>,
    interval: Option<f64>,
}

impl Timing {
    fn words(self) -> String {
        match self.window {
            Some(window) => format!("at once over {window} s"),
            None => format!("for {} s", self.duration),
        }
    }
}

fn error_conditions(normal: &Yardstick) -> Vec<RawTrigger> {
    // Nearer to what is normal chance alone would fire them.
    let in_reach = |threshold: &&f64| **threshold > 3.0 * normal.error_rate.get();
    let mut all = Vec::new();
    for threshold in ERROR_RATES.iter().filter(in_reach) {
        for timing in TIMINGS {
            for least in LEAST_REQUESTS {
                let percent = format_significant(threshold * 100.0, 3);
                let id = format!(
                    "errors above {percent} % {}, {least} requests or more",
                    timing.words()
                );
                let raw = condition(id, "error_rate", timing, least);
                all.push(RawTrigger { threshold: Some(*threshold), ..raw });
            }
            let percent = format_significant(threshold * 100.0, 3);
            let id = format!("errors {percent} points above the stable {}", timing.words());
            all.push(RawTrigger {
                threshold: Some(*threshold),
                ..against_stable(condition(id, "error_rate", timing, RELATIVE_LEAST), "difference")
            });
        }
    }
    all
}

fn latency_conditions(normal: &Yardstick) -> Vec<RawTrigger> {
    let mut all = Vec::new();
    let against = [
        ("latency_p50", "P50", 20),
        ("latency_p95", "P95", 60),
        ("ttft_p95", "P95 to the first token", 60),
    ];
    for (metric, word, least) in against {
        for times in TIMES_STABLE {
            for timing in TIMINGS {
                let id = format!("{word} above {times} times the stable {}", timing.words());
                let raw = against_stable(condition(id, metric, timing, least), "ratio");
                all.push(RawTrigger { threshold: Some(times), ..raw });
            }
        }
    }
    let absolute = [
        ("latency_p50", "P50", normal.latency_p50, 20),
        ("latency_p99", "P99", normal.latency_p99, 100),
    ];
    for (metric, word, usual, least) in absolute {
        let Some(usual) = usual else { continue };
        for times in TIMES_NORMAL {
            let limit = rounded_millis(usual, times);
            for timing in &TIMINGS[2..] {
                let id = format!("{word} above {limit} ms {}", timing.words());
                let raw = condition(id, metric, *timing, least);
                all.push(RawTrigger { threshold_ms: Some(limit), ..raw });
            }
        }
    }
    all
}

fn judges(normal: &Yardstick, false_rollback: f64) -> Vec<RawTrigger> {
    let mut all = Vec::new();
    let alphas = [1.0, 0.25, 0.1].map(|share| (share * false_rollback).clamp(1e-12, 0.5));
    for alpha in alphas {
        let shown = format_significant(alpha, 3);
        for block in BURST_BLOCKS {
            for effect in [0.5, 2.0] {
                let id =
                    format!("judge of errors, effect {effect}, bursts of {block} s, alpha {shown}");
                all.push(judge(id, "sequential", None, alpha, Some((effect, block))));
            }
            for effect in [0.0, 0.2] {
                let id = format!(
                    "judge of slow requests, effect {effect}, bursts of {block} s, alpha {shown}"
                );
                all.push(judge(
                    id,
                    "sequential",
                    Some("latency_p95"),
                    alpha,
                    Some((effect, block)),
                ));
            }
        }
        for share in OBJECTIVES.iter().filter(|share| **share > 2.0 * normal.error_rate.get()) {
            let percent = format_significant(share * 100.0, 3);
            let id = format!("objective: errors below {percent} %, alpha {shown}");
            let raw = judge(id, "objective", Some("error_rate"), alpha, None);
            all.push(RawTrigger { threshold: Some(*share), ..raw });
        }
    }
    all
}

fn condition(id: String, metric: &str, timing: Timing, least: u64) -> RawTrigger {
    RawTrigger {
        id: Some(id),
        metric: Some(metric.to_owned()),
        operator: Some(">".to_owned()),
        duration_seconds: Some(timing.duration),
        window_seconds: timing.window,
        check_interval_seconds: timing.interval,
        min_requests: Some(least),
        action: Some(ROLL_BACK.to_owned()),
        ..RawTrigger::default()
    }
}

fn against_stable(raw: RawTrigger, form: &str) -> RawTrigger {
    let (compare_to, form) = (Some("stable".to_owned()), Some(form.to_owned()));
    RawTrigger { compare_to, form, ..raw }
}

fn judge(
    id: String,
    name: &str,
    metric: Option<&str>,
    alpha: f64,
    of_events: Option<(f64, f64)>,
) -> RawTrigger {
    RawTrigger {
        id: Some(id),
        judge: Some(name.to_owned()),
        metric: metric.map(str::to_owned),
        alpha: Some(alpha),
        effect: of_events.map(|(effect, _)| effect),
        burst_block_seconds: of_events.map(|(_, block)| block),
        action: Some(ROLL_BACK.to_owned()),
        ..RawTrigger::default()
    }
}

/// So many times a time, in milliseconds to three digits.
fn rounded_millis(time: Duration, times: f64) -> f64 {
    let millis = time.as_secs_f64() * 1e3 * times;
    format!("{millis:.2e}").parse().unwrap_or(millis)
}

const ROLL_BACK: &str = "rollback_to_last_stable";
/// Chosen, as all that follows: from what a busy canary shows within a minute to an outage.
const ERROR_RATES: [f64; 6] = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
/// From what the smallest traffic has in a window to what makes chance rare.
const LEAST_REQUESTS: [u64; 2] = [10, 50];
/// A share is compared with another that is as uncertain.
const RELATIVE_LEAST: u64 = 20;
const TIMES_STABLE: [f64; 4] = [1.2, 1.5, 2.0, 3.0];
const TIMES_NORMAL: [f64; 3] = [1.25, 1.5, 2.0];
/// The default of the judges, and one for upstreams that fail request by request.
const BURST_BLOCKS: [f64; 2] = [10.0, 1.0];
const OBJECTIVES: [f64; 3] = [0.01, 0.02, 0.05];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{RawRules, RuleSet, Safeguards};
    use crate::units::Ratio;

    fn normal(error_rate: f64) -> Yardstick {
        Yardstick {
            error_rate: Ratio::new(error_rate).unwrap(),
            latency_p50: Some(Duration::from_millis(1_200)),
            latency_p99: Some(Duration::from_millis(2_156)),
        }
    }

    #[test]
    fn every_trigger_is_one_that_the_engine_takes_under_a_name_of_its_own() {
        let conditions = library(&normal(0.0012), 1e-4, true);
        let raw = RawRules { conditions: conditions.clone(), ..RawRules::default() };
        let rules = RuleSet::new(&raw, Safeguards::default()).unwrap();
        assert_eq!(rules.triggers.len(), conditions.len());
        assert!((200..=300).contains(&conditions.len()), "{}", conditions.len());
    }

    #[test]
    fn thresholds_lie_above_what_is_normal_and_judges_keep_within_the_limit() {
        let all = library(&normal(0.03), 1e-3, true);
        let errors = all.iter().filter(|raw| raw.metric.as_deref() == Some("error_rate"));
        let absolute = errors.filter(|raw| raw.judge.is_none() && raw.compare_to.is_none());
        assert!(absolute.clone().all(|raw| raw.threshold.unwrap() > 0.09));
        assert!(absolute.count() > 0);
        assert!(all.iter().filter_map(|raw| raw.alpha).all(|alpha| alpha <= 1e-3));
        let limits: Vec<f64> = all.iter().filter_map(|raw| raw.threshold_ms).collect();
        // 1.5 times 1.2 s, and twice 2.156 s to three digits.
        assert!(limits.contains(&1_800.0) && limits.contains(&4_310.0), "{limits:?}");
    }

    #[test]
    fn where_turns_decide_and_not_chance_there_are_no_sequential_judges() {
        let all = library(&normal(0.001), 1e-3, false);
        assert!(all.iter().all(|raw| raw.judge.as_deref() != Some("sequential")));
        assert!(all.iter().any(|raw| raw.judge.as_deref() == Some("objective")));
    }

    #[test]
    fn without_a_success_there_is_no_latency_to_go_by() {
        let unknown = Yardstick { latency_p50: None, latency_p99: None, ..normal(0.0) };
        assert!(library(&unknown, 1e-4, true).iter().all(|raw| raw.threshold_ms.is_none()));
    }
}
