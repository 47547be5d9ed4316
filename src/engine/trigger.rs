//! A trigger: something that is checked on a grid of times and can fire, made from one element of a
//! rule set's `conditions`.

use super::action::{action, target};
use super::condition::condition;
use super::judge_fields::judge;
use super::rule_error::text;
use super::{
    Action, Condition, Judge, RawTrigger, Relation, RuleError, Safeguards, Target, Threshold,
};
use crate::metric::Unit;
use crate::units::{Duration, format_significant};

/// Something that is checked on a grid of times and can fire: a condition or a judge.
#[derive(Clone, PartialEq, Debug)]
pub struct Trigger {
    /// Its name in events and evidence: the file's, or made from what it watches.
    pub id: String,
    /// The version it watches; `None`: every canary.
    pub version: Option<Target>,
    /// Time between checks: whole seconds, at least one.
    pub check_interval: Duration,
    /// What a firing does.
    pub action: Action,
    /// What is checked.
    pub kind: TriggerKind,
}

/// What a trigger checks.
#[derive(Clone, PartialEq, Debug)]
pub enum TriggerKind {
    /// A metric against a threshold, for a duration.
    Condition(Condition),
    /// The canary against the stable.
    Judge(Judge),
}

impl Trigger {
    /// As its file could have it, with every default written.
    pub(super) fn to_raw(&self) -> RawTrigger {
        let mut raw = RawTrigger {
            id: Some(self.id.clone()),
            version: self.version.as_ref().map(|version| version.as_str().to_owned()),
            check_interval_seconds: Some(self.check_interval.as_secs_f64()),
            action: Some(self.action.to_string()),
            ..RawTrigger::default()
        };
        match &self.kind {
            TriggerKind::Condition(condition) => condition.write(&mut raw),
            TriggerKind::Judge(judge) => judge.write(&mut raw),
        }
        raw
    }

    /// Whether it compares with the stable: it can watch no stable then.
    pub const fn is_relative(&self) -> bool {
        match &self.kind {
            TriggerKind::Condition(condition) => condition.threshold.is_relative(),
            TriggerKind::Judge(judge) => judge.is_relative(),
        }
    }

    /// The trigger that `raw` describes, with every default filled in.
    ///
    /// # Errors
    /// The first field that is missing, unknown, out of range, or does not fit the others.
    pub fn new(raw: &RawTrigger, safeguards: Safeguards) -> Result<Self, RuleError> {
        let (kind, check_interval) = match &raw.judge {
            Some(name) => {
                let (judge, interval) = judge(raw, name, safeguards)?;
                (TriggerKind::Judge(judge), interval)
            }
            None => {
                let (condition, interval) = condition(raw, safeguards)?;
                (TriggerKind::Condition(condition), interval)
            }
        };
        let version = match &raw.version {
            None => None,
            Some(name) => Some(target("version", name)?),
        };
        let id = match &raw.id {
            None => default_id(&kind),
            Some(id) => {
                text("id", id)?;
                id.clone()
            }
        };
        Ok(Self { id, version, check_interval, action: action(raw)?, kind })
    }
}

/// What it watches, in one word: `error_rate > 5.00 % for 60 s`.
fn default_id(kind: &TriggerKind) -> String {
    match kind {
        TriggerKind::Judge(judge) => format!("judge: {} {}", judge.name(), judge.metric()),
        TriggerKind::Condition(condition) => {
            let threshold = match condition.threshold {
                Threshold::Ratio(ratio) => format_significant(ratio.get(), 6),
                Threshold::Time(time) => time.to_literal(),
                Threshold::Count(count) => count.to_string(),
                Threshold::Number(number) => format_significant(number, 6),
                Threshold::Money(money) => format_significant(money.as_usd(), 6),
                Threshold::Stable(Relation::Times(factor)) => {
                    format!("{} x stable", format_significant(factor, 6))
                }
                Threshold::Stable(Relation::Plus(more)) => {
                    let sign = if more < 0.0 { '-' } else { '+' };
                    let more = match condition.metric.unit() {
                        Unit::Time => Duration::from_nanos(more.abs() as u64).to_literal(),
                        _ => format_significant(more.abs(), 6),
                    };
                    format!("stable {sign} {more}")
                }
            };
            let Condition { metric, operator, duration, .. } = condition;
            format!("{metric} {} {threshold} for {}", operator.symbol(), duration.to_literal())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::JudgeTest;

    fn error_rate_for(duration: f64) -> RawTrigger {
        RawTrigger {
            metric: Some("error_rate".to_owned()),
            operator: Some(">".to_owned()),
            threshold: Some(0.05),
            duration_seconds: Some(duration),
            action: Some("rollback_to_last_stable".to_owned()),
            ..RawTrigger::default()
        }
    }

    fn interval_and_window(raw: &RawTrigger) -> (u64, u64) {
        let trigger = Trigger::new(raw, Safeguards::default()).unwrap();
        let TriggerKind::Condition(condition) = trigger.kind else { panic!("a condition") };
        (trigger.check_interval.as_secs(), condition.window.as_secs())
    }

    #[test]
    fn the_default_interval_is_a_quarter_of_the_duration_but_at_least_five_seconds() {
        let cases = [
            (0.0, (5, 5)),
            (3.0, (3, 3)),
            (0.5, (1, 1)),
            (7.5, (5, 8)),
            (30.0, (8, 30)),
            (60.0, (15, 60)),
            (120.0, (30, 120)),
            (7_200.0, (1_800, 3_600)),
        ];
        for (duration, expected) in cases {
            assert_eq!(interval_and_window(&error_rate_for(duration)), expected, "{duration}");
        }
    }

    #[test]
    fn an_interval_above_the_duration_is_refused_with_the_reason() {
        let raw = RawTrigger { check_interval_seconds: Some(120.0), ..error_rate_for(60.0) };
        let error = Trigger::new(&raw, Safeguards::default()).unwrap_err();
        assert_eq!(error.field, "check_interval_seconds");
        assert!(error.to_string().contains("could go unseen; use 60 or less"), "{error}");
        // With duration 0 there is nothing for the interval to exceed.
        let raw = RawTrigger { check_interval_seconds: Some(120.0), ..error_rate_for(0.0) };
        assert_eq!(interval_and_window(&raw), (120, 120));
    }

    #[test]
    fn fields_that_make_no_sense_are_refused_by_name() {
        let base = || error_rate_for(60.0);
        let cases = [
            ("threshold_ms", RawTrigger { threshold_ms: Some(50.0), ..base() }),
            ("threshold", RawTrigger { threshold: Some(1.5), ..base() }),
            ("threshold", RawTrigger { threshold: Some(f64::NAN), ..base() }),
            ("threshold", RawTrigger { threshold: None, ..base() }),
            ("duration_seconds", error_rate_for(-1.0)),
            ("duration_seconds", error_rate_for(f64::NAN)),
            ("metric", RawTrigger { metric: Some("eror_rate".to_owned()), ..base() }),
            ("metric", RawTrigger { metric: Some("rollbacks".to_owned()), ..base() }),
            ("operator", RawTrigger { operator: Some("=>".to_owned()), ..base() }),
            ("no_data", RawTrigger { no_data: Some("skip".to_owned()), ..base() }),
            ("action", RawTrigger { action: Some("panic".to_owned()), ..base() }),
            ("action", RawTrigger { action: Some("rollback_to: ".to_owned()), ..base() }),
            ("window_seconds", RawTrigger { window_seconds: Some(5.0), ..base() }),
            ("window_seconds", RawTrigger { window_seconds: Some(4_000.0), ..base() }),
            ("judge", RawTrigger { judge: Some("oracle".to_owned()), ..base() }),
        ];
        for (field, raw) in cases {
            assert_eq!(
                Trigger::new(&raw, Safeguards::default()).unwrap_err().field,
                field,
                "{raw:?}"
            );
        }
        let latency = RawTrigger { metric: Some("latency_p99".to_owned()), ..base() };
        assert_eq!(Trigger::new(&latency, Safeguards::default()).unwrap_err().field, "threshold");
    }

    #[test]
    fn a_judge_takes_no_threshold_and_has_the_defaults_of_the_design() {
        let raw = RawTrigger {
            judge: Some("sequential".to_owned()),
            action: Some("notify".to_owned()),
            ..RawTrigger::default()
        };
        let trigger = Trigger::new(&raw, Safeguards::default()).unwrap();
        assert_eq!(trigger.check_interval, Duration::from_secs(5));
        let TriggerKind::Judge(judge) = trigger.kind else { panic!("a judge") };
        let burst_block = Duration::from_secs(10);
        assert_eq!(judge.test, JudgeTest::ErrorRatio { effect: 0.5, burst_block });
        let raw = RawTrigger { threshold: Some(0.05), ..raw };
        assert_eq!(Trigger::new(&raw, Safeguards::default()).unwrap_err().field, "threshold");
    }
}
