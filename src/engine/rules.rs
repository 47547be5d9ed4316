//! The rule set: all triggers of a deployment.
//!
//! A rule that cannot work as its author meant is refused where it is made, with the field at
//! fault: the threshold of the wrong unit, the interval longer than the duration. What was accepted
//! can be written down again with every default ([`RuleSet::to_raw`]), and is accepted as the same
//! rule set.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::rule_error::{refuse_if, text};
use super::{
    Judge, RawNotification, RawRules, RuleError, RuleProblem, Safeguards, Trigger, TriggerKind,
};
use crate::exchange::Classification;
use crate::units::Ratio;

/// All triggers of a deployment, with whom to tell.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(try_from = "RawRules", into = "RawRules")]
pub struct RuleSet {
    /// Whether the triggers are checked at all.
    pub enable: bool,
    /// What counts as an error, in windows and for judges.
    pub classification: Classification,
    /// The probability that any judge ever fires on canaries that are no worse: that of the
    /// deployment, shared by its judges and by the canaries that are deployed together. Judges with
    /// an `alpha` of their own have no part in it and add theirs.
    pub alpha: Ratio,
    /// In the order of the file: at one check the first that fires wins. Each has a name of its
    /// own.
    pub triggers: Vec<Trigger>,
    /// Where firings are told.
    pub notification: Notification,
}

/// Whom a firing is told to. Its debug form tells no more than its display.
#[derive(Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Notification {
    /// A Slack incoming webhook.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub slack_webhook: Option<String>,
    /// An e-mail address: any text that is not empty.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
}

/// Why a rule set is refused: in which of its conditions, and what is wrong there.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
pub enum RulesError {
    /// A condition or judge.
    #[error("conditions[{index}]: {error}")]
    Condition {
        /// Its place in `conditions`, from 0.
        index: usize,
        /// What is wrong.
        error: RuleError,
    },
    /// A field beside the conditions.
    #[error(transparent)]
    Field(#[from] RuleError),
}

impl Default for RuleSet {
    /// No triggers, nobody to tell.
    fn default() -> Self {
        Self {
            enable: false,
            classification: Classification::default(),
            alpha: default_alpha(),
            triggers: Vec::new(),
            notification: Notification::default(),
        }
    }
}

impl RuleSet {
    /// The place in this rule set of a trigger of `old` (its place there), if it goes on in this
    /// one where this one replaces that: with its windows, its timer and its count of checks.
    pub fn position_of(&self, old: &Self, trigger: usize) -> Option<usize> {
        // What counts as an error is part of what each of them means.
        let goes_on = self.enable && self.classification == old.classification;
        let trigger = old.triggers.get(trigger).filter(|_| goes_on)?;
        // A judge without an alpha of its own shares what all may spend.
        let shares = matches!(&trigger.kind, TriggerKind::Judge(judge) if judge.shares_alpha());
        let same = self.triggers.iter().position(|new| new == trigger);
        same.filter(|_| !shares || self.alpha == old.alpha)
    }

    /// The rule set that `raw` describes, with every default filled in. A condition without an `id`
    /// is named after what it watches; a second one of the same name gets a number.
    ///
    /// # Errors
    /// The first condition that is refused, or a field beside them.
    pub fn new(raw: &RawRules, safeguards: Safeguards) -> Result<Self, RulesError> {
        let mut triggers: Vec<Trigger> = Vec::with_capacity(raw.conditions.len());
        for (index, condition) in raw.conditions.iter().enumerate() {
            let refused = |error| RulesError::Condition { index, error };
            let mut trigger = Trigger::new(condition, safeguards).map_err(refused)?;
            let is_taken = |id: &str| triggers.iter().any(|other| other.id == id);
            if is_taken(&trigger.id) {
                if let Some(found) = condition.id.clone() {
                    let problem = RuleProblem::Repeated { found };
                    return Err(refused(RuleError { field: "id", problem }));
                }
                let numbered = (2..).map(|number| format!("{} ({number})", trigger.id));
                trigger.id = numbered.into_iter().find(|id| !is_taken(id)).unwrap_or_default();
            }
            triggers.push(trigger);
        }
        let notification = Notification::new(&raw.notification)?;
        Ok(Self {
            enable: raw.enable,
            classification: Classification { rate_limited_is_error: raw.rate_limited_is_error },
            alpha: raw.alpha.map_or_else(|| Ok(default_alpha()), alpha)?,
            triggers,
            notification,
        })
    }

    /// The rule set as its file could have it, with every default written: [`RuleSet::new`] makes
    /// the same of it.
    pub fn to_raw(&self) -> RawRules {
        let Notification { slack_webhook, email } = self.notification.clone();
        RawRules {
            enable: self.enable,
            rate_limited_is_error: self.classification.rate_limited_is_error,
            alpha: Some(self.alpha.get()),
            conditions: self.triggers.iter().map(Trigger::to_raw).collect(),
            notification: RawNotification { slack_webhook, email },
        }
    }

    /// The probability that any of its judges ever fires on canaries that are no worse and deployed
    /// together, at most: that which they share, and the own ones (union bound). `None`: there is
    /// no judge that holds to one.
    pub fn false_alarms(&self) -> Option<f64> {
        let bound: Vec<_> = self.judges().filter(|(_, judge)| judge.has_alpha()).collect();
        let shares = bound.iter().any(|(_, judge)| judge.shares_alpha());
        let own = bound.iter().filter_map(|(_, judge)| judge.alpha).map(Ratio::get);
        let shared = if shares { self.alpha.get() } else { 0.0 };
        (!bound.is_empty()).then(|| (own.sum::<f64>() + shared).min(1.0))
    }

    /// The triggers that are judges, each with what it is.
    pub fn judges(&self) -> impl Iterator<Item = (&Trigger, &Judge)> {
        self.triggers.iter().filter_map(|trigger| match &trigger.kind {
            TriggerKind::Judge(judge) => Some((trigger, judge)),
            TriggerKind::Condition(_) => None,
        })
    }
}

/// Those who are told. Of a webhook its host alone: whoever knows the rest can write to it.
impl fmt::Display for Notification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slack = self.slack_webhook.as_deref().map(|url| {
            let address = url.split_once("://").map_or(url, |(_, address)| address);
            format!("Slack ({})", address.split(['/', '?', '#']).next().unwrap_or_default())
        });
        let recipients: Vec<_> = slack.into_iter().chain(self.email.clone()).collect();
        f.write_str(&recipients.join(" and "))
    }
}

impl fmt::Debug for Notification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Notification({self})")
    }
}

impl Notification {
    /// Whether it names nobody.
    pub fn is_nobody(&self) -> bool {
        *self == Self::default()
    }

    fn new(raw: &RawNotification) -> Result<Self, RuleError> {
        for (field, value) in [("slack_webhook", &raw.slack_webhook), ("email", &raw.email)] {
            value.as_deref().map_or(Ok(()), |value| text(field, value))?;
        }
        let RawNotification { slack_webhook, email } = raw.clone();
        Ok(Self { slack_webhook, email })
    }
}

/// A journal holds rule sets that were accepted once: they are whatever the safeguards say now.
impl TryFrom<RawRules> for RuleSet {
    type Error = RulesError;
    fn try_from(raw: RawRules) -> Result<Self, RulesError> {
        Self::new(&raw, Safeguards { refuse_long_interval: false, ..Safeguards::default() })
    }
}

impl From<RuleSet> for RawRules {
    fn from(rules: RuleSet) -> Self {
        rules.to_raw()
    }
}

fn alpha(found: f64) -> Result<Ratio, RuleError> {
    let problem = RuleProblem::OutOfRange { found, allowed: "1e-12 to 0.5" };
    refuse_if(!(1e-12..=0.5).contains(&found), "alpha", problem.clone())?;
    Ratio::new(found).map_err(|_| RuleError { field: "alpha", problem })
}

/// From the design of the statistics: one false alarm in a thousand deployments.
fn default_alpha() -> Ratio {
    Ratio::new(0.001).expect("a ratio")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::RawTrigger;
    use crate::metric::{Metric, Unit};

    fn strict(raw: &RawRules) -> Result<RuleSet, RulesError> {
        RuleSet::new(raw, Safeguards::default())
    }

    fn error_rate() -> RawTrigger {
        RawTrigger {
            metric: Some("error_rate".to_owned()),
            operator: Some(">".to_owned()),
            threshold: Some(0.05),
            duration_seconds: Some(60.0),
            action: Some("notify".to_owned()),
            ..RawTrigger::default()
        }
    }

    fn rules(conditions: &[RawTrigger]) -> RawRules {
        RawRules { conditions: conditions.to_vec(), ..RawRules::default() }
    }

    #[test]
    fn the_documents_rules_are_accepted_as_they_stand() {
        let text = include_str!("../../fixtures/rollback-rules.json");
        let rules = strict(&serde_json::from_str(text).unwrap()).unwrap();
        assert_eq!((rules.enable, rules.triggers.len(), rules.alpha.get()), (true, 3, 0.001));
        assert_eq!(rules.notification.email.as_deref(), Some("ops@example.com"));
    }

    #[test]
    fn conditions_without_a_name_get_one_each() {
        let ids = |conditions: &[RawTrigger]| -> Vec<String> {
            let rules = strict(&rules(conditions)).unwrap();
            rules.triggers.into_iter().map(|trigger| trigger.id).collect()
        };
        let shorter = RawTrigger { window_seconds: Some(30.0), ..error_rate() };
        assert_eq!(
            ids(&[error_rate(), shorter.clone()]),
            ["error_rate > 0.05 for 1m", "error_rate > 0.05 for 1m (2)"]
        );
        let named = RawTrigger { id: Some("errors".to_owned()), ..error_rate() };
        assert_eq!(ids(&[named.clone(), shorter]), ["errors", "error_rate > 0.05 for 1m"]);
        let twice = strict(&rules(&[named.clone(), named])).unwrap_err().to_string();
        assert!(twice.contains("conditions[1]: id: a second condition"), "{twice}");
    }

    #[test]
    fn unknown_fields_are_refused_wherever_they_stand() {
        for text in [
            r#"{"conditions": [], "enabled": true}"#,
            r#"{"conditions": [{"metrics": "error_rate"}]}"#,
            r#"{"conditions": [{"alphas": 0.01}]}"#,
            r#"{"conditions": [], "notification": {"slack": "x"}}"#,
            r#"{"enable": true}"#,
        ] {
            assert!(serde_json::from_str::<RawRules>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn what_stands_beside_the_conditions_is_checked_too() {
        for found in [0.0, 0.6, -1.0, f64::NAN] {
            let raw = RawRules { alpha: Some(found), ..RawRules::default() };
            assert!(strict(&raw).unwrap_err().to_string().starts_with("alpha: "), "{found}");
        }
        let mut raw = RawRules::default();
        raw.notification.email = Some(" ".to_owned());
        assert!(strict(&raw).unwrap_err().to_string().starts_with("email: is empty"));
    }

    #[test]
    fn a_long_interval_is_accepted_where_the_safeguard_is_off() {
        let long = RawTrigger { check_interval_seconds: Some(90.0), ..error_rate() };
        assert!(strict(&rules(std::slice::from_ref(&long))).is_err());
        let off = Safeguards { refuse_long_interval: false, ..Safeguards::default() };
        let accepted = RuleSet::new(&rules(&[long]), off).unwrap();
        // What was accepted once is read again from a journal, whatever the safeguards say now.
        let text = serde_json::to_string(&accepted).unwrap();
        assert_eq!(serde_json::from_str::<RuleSet>(&text).unwrap(), accepted);
    }

    fn arb_metric() -> impl Strategy<Value = Metric> {
        let windowed: Vec<_> = Metric::all().filter(|metric| metric.is_windowed()).collect();
        prop::sample::select(windowed)
    }

    /// Thresholds of all forms, most of them allowed.
    fn arb_threshold() -> impl Strategy<Value = RawTrigger> {
        let form = prop_oneof![Just(None), Just(Some("ratio")), Just(Some("difference"))];
        let operator = prop::sample::select(vec![">", ">=", "<", "<="]);
        (arb_metric(), operator, form, 0.0..=1.0_f64, any::<u32>()).prop_map(
            |(metric, operator, form, share, number)| {
                let in_millis = metric.unit() == Unit::Time && form != Some("ratio");
                let value = match metric.unit() {
                    Unit::Time if in_millis => f64::from(number % 10_000_000) * share,
                    Unit::Count if form.is_none() => f64::from(number),
                    Unit::Money => share * 10.0,
                    Unit::Ratio => share,
                    _ => f64::from(number % 1_000) * share,
                };
                RawTrigger {
                    metric: Some(metric.name().to_owned()),
                    operator: Some(operator.to_owned()),
                    compare_to: form.map(|_| "stable".to_owned()),
                    form: form.map(str::to_owned),
                    threshold: (!in_millis).then_some(value),
                    threshold_ms: in_millis.then_some(value),
                    ..RawTrigger::default()
                }
            },
        )
    }

    fn arb_condition() -> impl Strategy<Value = RawTrigger> {
        let seconds = || prop_oneof![Just(0.0), 0.1..=10.0_f64, 1.0..=86_400.0_f64];
        let words = prop::sample::select(vec!["hold", "breach", "clear"]);
        let actions = ["rollback_to_last_stable", "rollback_to:v1", "pause", "notify"];
        let timing = (seconds(), prop::option::of(seconds()), prop::option::of(seconds()));
        let rest = (prop::option::of(0..1_000_u64), prop::option::of(words));
        let target = (prop::sample::select(actions.to_vec()), any::<bool>());
        (arb_threshold(), timing, rest, target).prop_map(
            |(raw, (duration, interval, window), (least, no_data), (action, named))| RawTrigger {
                duration_seconds: Some(duration),
                check_interval_seconds: interval,
                window_seconds: window,
                min_requests: least,
                no_data: no_data.map(str::to_owned),
                version: named.then(|| "beta".to_owned()),
                action: Some(action.to_owned()),
                ..raw
            },
        )
    }

    fn is_time(metric: Option<Metric>) -> bool {
        metric.is_some_and(|metric| metric.unit() == Unit::Time)
    }

    /// Judges of all kinds, most of them allowed.
    fn arb_judge() -> impl Strategy<Value = RawTrigger> {
        let judges = prop::sample::select(vec!["sequential", "objective", "mann_whitney"]);
        let numbers = || prop::option::weighted(0.3, 0.01..=0.99_f64);
        let seconds = || prop::option::weighted(0.3, 1.0..=3_600.0_f64);
        let of_test = (numbers(), numbers(), numbers(), numbers());
        (judges, prop::option::of(arb_metric()), of_test, (seconds(), seconds(), seconds()))
            .prop_map(
                |(judge, metric, (prior, effect, alpha, share), (block, window, interval))| {
                    RawTrigger {
                        judge: Some(judge.to_owned()),
                        metric: metric.map(|metric| metric.name().to_owned()),
                        action: Some("notify".to_owned()),
                        prior_strength: prior,
                        effect,
                        alpha,
                        threshold: share.filter(|_| judge == "objective" && !is_time(metric)),
                        threshold_ms: share
                            .filter(|_| judge == "objective" && is_time(metric))
                            .map(|share| (share * 5e9).round() / 1e6),
                        tolerance: share.filter(|_| judge == "mann_whitney"),
                        burst_block_seconds: block.filter(|_| judge == "sequential"),
                        window_seconds: window,
                        check_interval_seconds: interval,
                        ..RawTrigger::default()
                    }
                },
            )
    }

    proptest! {
        #[test]
        fn what_is_shown_is_accepted_unchanged(
            conditions in prop::collection::vec(
                prop_oneof![4 => arb_condition(), 1 => arb_judge()], 0..6,
            ),
            (enable, rate_limited_is_error) in any::<(bool, bool)>(),
            alpha in prop::option::of(1e-12..=0.5_f64),
            email in prop::option::of("[a-z@. ]{0,5}"),
            refuse_long_interval in any::<bool>(),
        ) {
            let safeguards = Safeguards { refuse_long_interval, ..Safeguards::default() };
            let notification = RawNotification { email, slack_webhook: None };
            let raw =
                RawRules { enable, rate_limited_is_error, alpha, conditions, notification };
            let Ok(rules) = RuleSet::new(&raw, safeguards) else { return Ok(()) };
            let shown = serde_json::to_string(&rules.to_raw()).unwrap();
            let read: RawRules = serde_json::from_str(&shown).unwrap();
            prop_assert_eq!(&read, &rules.to_raw());
            let again = RuleSet::new(&read, safeguards);
            prop_assert_eq!(again.as_ref(), Ok(&rules), "{}", shown);
        }
    }
}
