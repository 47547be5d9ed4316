//! Rollback rules: checked conditions and judges with their actions.
//!
//! A rule that cannot work as its author meant is refused here, with the field at fault: the
//! thresholds of the wrong unit, the interval longer than the duration. Knows nothing of the
//! files they are written in; [`RawTrigger`] mirrors one element of their `conditions`.

use crate::metric::{Interval, Metric, Unit};
use crate::units::{Duration, Ratio, TagName, VersionId};

/// All triggers of a deployment, with whom to tell.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct RuleSet {
    /// Whether the triggers are checked at all.
    pub enable: bool,
    /// In the order of the file: at one check the first that fires wins.
    pub triggers: Vec<Trigger>,
    /// Where firings are told.
    pub notification: Notification,
}

/// Whom a firing is told to.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Notification {
    /// A Slack incoming webhook.
    pub slack_webhook: Option<String>,
    /// An e-mail address: any text that is not empty.
    pub email: Option<String>,
}

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

/// A comparison of a metric with a threshold that must hold for a duration.
#[derive(Clone, PartialEq, Debug)]
pub struct Condition {
    /// What is compared.
    pub metric: Metric,
    /// How.
    pub operator: Operator,
    /// With what.
    pub threshold: Threshold,
    /// How long it must hold; zero: it fires at the first breach.
    pub duration: Duration,
    /// The stretch of time before a check that the metric is taken over: whole seconds.
    pub window: Duration,
    /// With fewer completions in the window there is no data.
    pub min_requests: u64,
    /// What a check without data does.
    pub no_data: NoData,
}

/// The sequential test of the canary's share of errors (Lindon and Malek, arXiv 2011.03567).
#[derive(Clone, PartialEq, Debug)]
pub struct Judge {
    /// The probability of ever firing on one canary that is no worse; those of several judges and
    /// canaries add up.
    pub alpha: Ratio,
    /// The strength k of the prior on the configured split.
    pub prior_strength: f64,
}

/// How a metric is compared with its threshold.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Operator {
    /// `>`
    Above,
    /// `>=`
    AtLeast,
    /// `<`
    Below,
    /// `<=`
    AtMost,
}

/// A threshold in the unit of its metric.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Threshold {
    /// For shares.
    Ratio(Ratio),
    /// For durations.
    Time(Duration),
    /// For numbers of requests.
    Count(u64),
}

/// What a check does whose window holds too few requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum NoData {
    /// The timer stands still.
    #[default]
    Hold,
    /// The check counts as a breach.
    Breach,
    /// The timer is cleared.
    Clear,
}

/// What a firing does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// All traffic to the holder of `stable`, or its previous holder if that is at fault.
    RollbackToLastStable,
    /// All traffic to this version.
    RollbackTo(Target),
    /// Tell, and do nothing else.
    Notify,
}

/// A version named by its id or by a tag.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Target(String);

impl Target {
    /// The version or tag `name`; `None` where it can be the name of neither.
    pub fn new(name: &str) -> Option<Self> {
        let valid = VersionId::new(name).is_ok() || TagName::new(name).is_ok();
        valid.then(|| Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One element of `conditions` as its file has it: numbers in the unit that their name says.
#[derive(Clone, PartialEq, Debug, Default)]
#[expect(missing_docs, reason = "the fields are those of the file format")]
pub struct RawTrigger {
    pub id: Option<String>,
    pub judge: Option<String>,
    pub metric: Option<String>,
    pub operator: Option<String>,
    pub threshold: Option<f64>,
    pub threshold_ms: Option<f64>,
    pub duration_seconds: Option<f64>,
    pub check_interval_seconds: Option<f64>,
    pub window_seconds: Option<f64>,
    pub min_requests: Option<u64>,
    pub no_data: Option<String>,
    pub version: Option<String>,
    pub action: Option<String>,
    pub alpha: Option<f64>,
    pub prior_strength: Option<f64>,
}

/// Why an element of `conditions` is refused: the field, and what is wrong with it.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct RuleError {
    /// The field of [`RawTrigger`] at fault.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: RuleProblem,
}

/// What can be wrong with a field of a rule.
#[derive(Clone, PartialEq, Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each message says what its variant means")]
pub enum RuleProblem {
    #[error("missing; write {example}")]
    Missing { example: &'static str },
    #[error("{found:?} is unknown; allowed are {allowed}")]
    Unknown { found: String, allowed: String },
    #[error("{found} is out of range; allowed is {allowed}")]
    OutOfRange { found: f64, allowed: &'static str },
    #[error("does not fit {metric}, which is {kind}; use {instead}")]
    WrongUnit { metric: &'static str, kind: &'static str, instead: &'static str },
    #[error("does not belong to a {kind}")]
    Misplaced { kind: &'static str },
    #[error(
        "{found} s is longer than duration_seconds ({duration} s): an incident shorter than the \
         interval could go unseen; use {duration} or less"
    )]
    IntervalAboveDuration { found: f64, duration: f64 },
    #[error(
        "{found} s is shorter than the check interval ({interval} s): requests between two \
             windows would never be looked at; use {interval} or more"
    )]
    WindowBelowInterval { found: f64, interval: f64 },
}

impl RuleSet {
    /// No triggers, nobody to tell.
    pub fn disabled() -> Self {
        Self::default()
    }
}

impl Trigger {
    /// The trigger that `raw` describes, with every default filled in.
    ///
    /// # Errors
    /// The first field that is missing, unknown, out of range, or does not fit the others.
    pub fn new(raw: &RawTrigger) -> Result<Self, RuleError> {
        let kind_and_interval = match &raw.judge {
            Some(name) => judge(raw, name)?,
            None => condition(raw)?,
        };
        let (kind, check_interval) = kind_and_interval;
        let version = match &raw.version {
            None => None,
            Some(name) => Some(target("version", name)?),
        };
        let id = raw.id.clone().unwrap_or_else(|| default_id(&kind));
        Ok(Self { id, version, check_interval, action: action(raw)?, kind })
    }
}

impl Operator {
    /// The operator as it is written.
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Above => ">",
            Self::AtLeast => ">=",
            Self::Below => "<",
            Self::AtMost => "<=",
        }
    }

    /// Whether `left` compares with `right` this way.
    pub fn holds<T: PartialOrd + Copy>(self, left: T, right: T) -> bool {
        match self {
            Self::Above => left > right,
            Self::AtLeast => left >= right,
            Self::Below => left < right,
            Self::AtMost => left <= right,
        }
    }
}

fn condition(raw: &RawTrigger) -> Result<(TriggerKind, Duration), RuleError> {
    for (field, given) in
        [("alpha", raw.alpha.is_some()), ("prior_strength", raw.prior_strength.is_some())]
    {
        refuse_if(given, field, RuleProblem::Misplaced { kind: "condition" })?;
    }
    let metric = metric(raw)?;
    let operator = operator(raw)?;
    let threshold = threshold(raw, metric)?;
    let seconds = required("duration_seconds", raw.duration_seconds, "duration_seconds: 60")?;
    let duration = seconds_in("duration_seconds", seconds, 0.0, 86_400.0, "0 to 86400 seconds")?;
    let check_interval = check_interval(raw, duration)?;
    let window = window(raw, duration, check_interval)?;
    let no_data = match raw.no_data.as_deref() {
        None | Some("hold") => NoData::Hold,
        Some("breach") => NoData::Breach,
        Some("clear") => NoData::Clear,
        Some(other) => return Err(unknown("no_data", other, "hold, breach, clear")),
    };
    let min_requests = raw.min_requests.unwrap_or(DEFAULT_MIN_REQUESTS);
    let condition =
        Condition { metric, operator, threshold, duration, window, min_requests, no_data };
    Ok((TriggerKind::Condition(condition), check_interval))
}

fn judge(raw: &RawTrigger, name: &str) -> Result<(TriggerKind, Duration), RuleError> {
    if name != "sequential" {
        return Err(unknown("judge", name, "sequential"));
    }
    let misplaced = [
        ("operator", raw.operator.is_some()),
        ("threshold", raw.threshold.is_some()),
        ("threshold_ms", raw.threshold_ms.is_some()),
        ("duration_seconds", raw.duration_seconds.is_some()),
        ("window_seconds", raw.window_seconds.is_some()),
        ("min_requests", raw.min_requests.is_some()),
        ("no_data", raw.no_data.is_some()),
    ];
    for (field, given) in misplaced {
        refuse_if(given, field, RuleProblem::Misplaced { kind: "judge" })?;
    }
    if let Some(metric) = raw.metric.as_deref().filter(|metric| *metric != "error_rate") {
        return Err(unknown("metric", metric, "error_rate (the one that this judge compares)"));
    }
    let alpha = raw.alpha.unwrap_or(DEFAULT_ALPHA);
    let in_range = (1e-12..=0.5).contains(&alpha);
    let problem = RuleProblem::OutOfRange { found: alpha, allowed: "1e-12 to 0.5" };
    let alpha = Ratio::new(alpha).ok().filter(|_| in_range);
    let alpha = alpha.ok_or(RuleError { field: "alpha", problem })?;
    let prior_strength = raw.prior_strength.unwrap_or(DEFAULT_PRIOR_STRENGTH);
    let problem = RuleProblem::OutOfRange { found: prior_strength, allowed: "0.01 to 10000" };
    refuse_if(!(0.01..=1e4).contains(&prior_strength), "prior_strength", problem)?;
    let kind = TriggerKind::Judge(Judge { alpha, prior_strength });
    Ok((kind, check_interval(raw, Duration::ZERO)?))
}

fn metric(raw: &RawTrigger) -> Result<Metric, RuleError> {
    let name = required("metric", raw.metric.as_deref(), "metric: error_rate")?;
    let metric = Metric::by_name(name).filter(|metric| metric.is_windowed());
    metric.ok_or_else(|| {
        let names: Vec<_> =
            Metric::all().filter(|metric| metric.is_windowed()).map(Metric::name).collect();
        unknown("metric", name, &names.join(", "))
    })
}

fn operator(raw: &RawTrigger) -> Result<Operator, RuleError> {
    match required("operator", raw.operator.as_deref(), "operator: \">\"")? {
        ">" => Ok(Operator::Above),
        ">=" => Ok(Operator::AtLeast),
        "<" => Ok(Operator::Below),
        "<=" => Ok(Operator::AtMost),
        other => Err(unknown("operator", other, ">, >=, <, <=")),
    }
}

fn threshold(raw: &RawTrigger, metric: Metric) -> Result<Threshold, RuleError> {
    let wrong = |kind, instead| RuleProblem::WrongUnit { metric: metric.name(), kind, instead };
    match metric.unit() {
        Unit::Time => {
            let problem = wrong("a time", "threshold_ms");
            refuse_if(raw.threshold.is_some(), "threshold", problem)?;
            let millis = required("threshold_ms", raw.threshold_ms, "threshold_ms: 3000")?;
            let allowed = "more than 0, up to 86400000 milliseconds";
            let problem = RuleProblem::OutOfRange { found: millis, allowed };
            refuse_if(!(millis > 0.0 && millis <= 86_400_000.0), "threshold_ms", problem)?;
            Ok(Threshold::Time(Duration::from_secs_f64(millis / 1_000.0)))
        }
        unit => {
            let share = metric.interval() == Interval::Proportion;
            let kind = if share { "a share" } else { "a number" };
            refuse_if(raw.threshold_ms.is_some(), "threshold_ms", wrong(kind, "threshold"))?;
            let value = required("threshold", raw.threshold, "threshold: 0.05")?;
            if unit == Unit::Ratio {
                let allowed = "0 to 1 (0.05 is 5 %)";
                let problem = RuleProblem::OutOfRange { found: value, allowed };
                let ratio = Ratio::new(value);
                ratio.map(Threshold::Ratio).map_err(|_| RuleError { field: "threshold", problem })
            } else {
                let allowed = "a whole number from 0 to 1e15";
                let whole = (0.0..=1e15).contains(&value) && value.fract() == 0.0;
                let problem = RuleProblem::OutOfRange { found: value, allowed };
                refuse_if(!whole, "threshold", problem)?;
                Ok(Threshold::Count(value as u64))
            }
        }
    }
}

/// Default: 5 s for duration 0; else the smaller of the duration and max(5 s, duration / 4).
/// Rounded up to whole seconds, since windows are made of one-second buckets.
fn check_interval(raw: &RawTrigger, duration: Duration) -> Result<Duration, RuleError> {
    let field = "check_interval_seconds";
    let Some(seconds) = raw.check_interval_seconds else {
        let quarter = Duration::from_nanos(duration.as_nanos() / 4);
        let default = if duration.is_zero() {
            LEAST_DEFAULT_INTERVAL
        } else {
            duration.min(quarter.max(LEAST_DEFAULT_INTERVAL))
        };
        return Ok(default.ceil_secs());
    };
    let allowed = "more than 0, up to 3600 seconds";
    let interval = seconds_in(field, seconds, f64::MIN_POSITIVE, 3_600.0, allowed)?;
    if !duration.is_zero() && interval > duration {
        let problem =
            RuleProblem::IntervalAboveDuration { found: seconds, duration: duration.as_secs_f64() };
        return Err(RuleError { field, problem });
    }
    Ok(interval.ceil_secs())
}

/// Default: the duration, at least one check interval, at most an hour; whole seconds.
fn window(raw: &RawTrigger, duration: Duration, interval: Duration) -> Result<Duration, RuleError> {
    let field = "window_seconds";
    let Some(seconds) = raw.window_seconds else {
        return Ok(duration.ceil_secs().max(interval).min(LONGEST_WINDOW));
    };
    let allowed = "more than 0, up to 3600 seconds";
    let window = seconds_in(field, seconds, f64::MIN_POSITIVE, 3_600.0, allowed)?.ceil_secs();
    let problem =
        RuleProblem::WindowBelowInterval { found: seconds, interval: interval.as_secs_f64() };
    refuse_if(window < interval, field, problem)?;
    Ok(window)
}

fn action(raw: &RawTrigger) -> Result<Action, RuleError> {
    let name = raw.action.as_deref();
    match required("action", name, "action: rollback_to_last_stable")? {
        "rollback_to_last_stable" => Ok(Action::RollbackToLastStable),
        "notify" => Ok(Action::Notify),
        other => match other.strip_prefix("rollback_to:") {
            Some(name) => Ok(Action::RollbackTo(target("action", name.trim())?)),
            None => Err(unknown("action", other, ACTIONS)),
        },
    }
}

fn target(field: &'static str, name: &str) -> Result<Target, RuleError> {
    Target::new(name).ok_or_else(|| unknown(field, name, "a version id or a tag"))
}

fn seconds_in(
    field: &'static str,
    seconds: f64,
    least: f64,
    most: f64,
    allowed: &'static str,
) -> Result<Duration, RuleError> {
    let problem = RuleProblem::OutOfRange { found: seconds, allowed };
    refuse_if(!(least..=most).contains(&seconds), field, problem)?;
    Ok(Duration::from_secs_f64(seconds))
}

fn required<T>(
    field: &'static str,
    value: Option<T>,
    example: &'static str,
) -> Result<T, RuleError> {
    value.ok_or(RuleError { field, problem: RuleProblem::Missing { example } })
}

fn refuse_if(refuse: bool, field: &'static str, problem: RuleProblem) -> Result<(), RuleError> {
    if refuse { Err(RuleError { field, problem }) } else { Ok(()) }
}

fn unknown(field: &'static str, found: &str, allowed: &str) -> RuleError {
    let found = found.chars().take(60).collect();
    RuleError { field, problem: RuleProblem::Unknown { found, allowed: allowed.to_owned() } }
}

/// What it watches, in one word: `error_rate > 5.00 % for 60 s`.
fn default_id(kind: &TriggerKind) -> String {
    match kind {
        TriggerKind::Judge(_) => "judge: sequential error_rate".to_owned(),
        TriggerKind::Condition(condition) => {
            let threshold = match condition.threshold {
                Threshold::Ratio(ratio) => crate::units::format_significant(ratio.get(), 6),
                Threshold::Time(time) => time.to_literal(),
                Threshold::Count(count) => count.to_string(),
            };
            let Condition { metric, operator, duration, .. } = condition;
            format!("{metric} {} {threshold} for {}", operator.symbol(), duration.to_literal())
        }
    }
}

/// Below this many requests a rate says little: one failure of ten is 10 %.
const DEFAULT_MIN_REQUESTS: u64 = 10;
/// From the design of the statistics: one false alarm in a thousand deployments.
const DEFAULT_ALPHA: f64 = 0.001;
/// From the same: the prior strength with the shortest runs of errors at common splits.
const DEFAULT_PRIOR_STRENGTH: f64 = 10.0;
const LEAST_DEFAULT_INTERVAL: Duration = Duration::from_secs(5);
const LONGEST_WINDOW: Duration = Duration::from_secs(3_600);
const ACTIONS: &str = "rollback_to_last_stable, rollback_to:<version or tag>, notify";

#[cfg(test)]
mod tests {
    use super::*;

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
        let trigger = Trigger::new(raw).unwrap();
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
        let error = Trigger::new(&raw).unwrap_err();
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
            ("alpha", RawTrigger { alpha: Some(0.1), ..base() }),
            ("window_seconds", RawTrigger { window_seconds: Some(5.0), ..base() }),
            ("window_seconds", RawTrigger { window_seconds: Some(4_000.0), ..base() }),
            ("judge", RawTrigger { judge: Some("oracle".to_owned()), ..base() }),
        ];
        for (field, raw) in cases {
            assert_eq!(Trigger::new(&raw).unwrap_err().field, field, "{raw:?}");
        }
        let latency = RawTrigger { metric: Some("latency_p99".to_owned()), ..base() };
        assert_eq!(Trigger::new(&latency).unwrap_err().field, "threshold");
    }

    #[test]
    fn a_judge_takes_its_error_probability_and_no_threshold() {
        let raw = RawTrigger {
            judge: Some("sequential".to_owned()),
            action: Some("notify".to_owned()),
            ..RawTrigger::default()
        };
        let trigger = Trigger::new(&raw).unwrap();
        assert_eq!(trigger.check_interval, Duration::from_secs(5));
        let TriggerKind::Judge(judge) = trigger.kind else { panic!("a judge") };
        assert_eq!(judge.alpha.get(), 0.001);
        let raw = RawTrigger { threshold: Some(0.05), ..raw };
        assert_eq!(Trigger::new(&raw).unwrap_err().field, "threshold");
    }
}
