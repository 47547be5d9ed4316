//! A condition: a metric that is compared with a threshold, over a window, for a duration.

use super::check_interval::{LONGEST_WINDOW, bucketed, check_interval};
use super::comparison::{operator, threshold};
use super::rule_error::{refuse_if, required, seconds_in, unknown};
use super::{Operator, RawTrigger, RuleError, RuleProblem, Safeguards, Threshold};
use crate::metric::Metric;
use crate::units::Duration;

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

impl Condition {
    /// Writes its fields down, every default among them.
    pub(super) fn write(&self, raw: &mut RawTrigger) {
        raw.metric = Some(self.metric.name().to_owned());
        raw.operator = Some(self.operator.symbol().to_owned());
        self.threshold.write(self.metric, raw);
        raw.duration_seconds = Some(self.duration.as_secs_f64());
        raw.window_seconds = Some(self.window.as_secs_f64());
        raw.min_requests = Some(self.min_requests);
        let no_data = match self.no_data {
            NoData::Hold => "hold",
            NoData::Breach => "breach",
            NoData::Clear => "clear",
        };
        raw.no_data = Some(no_data.to_owned());
    }
}

pub(super) fn condition(
    raw: &RawTrigger,
    safeguards: Safeguards,
) -> Result<(Condition, Duration), RuleError> {
    for (field, given) in raw.of_judges() {
        refuse_if(given, field, RuleProblem::Misplaced { kind: "condition" })?;
    }
    let metric = metric(raw)?;
    let operator = operator(raw)?;
    let threshold = threshold(raw, metric)?;
    let seconds = required("duration_seconds", raw.duration_seconds, "duration_seconds: 60")?;
    let duration = seconds_in("duration_seconds", seconds, 0.0, 86_400.0, "0 to 86400 seconds")?;
    let check_interval = check_interval(raw, duration, safeguards)?;
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
    Ok((condition, check_interval))
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

/// Default: the duration, at least one check interval, at most an hour; whole seconds.
fn window(raw: &RawTrigger, duration: Duration, interval: Duration) -> Result<Duration, RuleError> {
    let field = "window_seconds";
    let Some(seconds) = raw.window_seconds else {
        return Ok(duration.ceil_secs().max(interval).min(LONGEST_WINDOW));
    };
    let window = bucketed(field, seconds)?;
    let problem =
        RuleProblem::WindowBelowInterval { found: seconds, interval: interval.as_secs_f64() };
    refuse_if(window < interval, field, problem)?;
    Ok(window)
}

/// Below this many requests a rate says little: one failure of ten is 10 %.
const DEFAULT_MIN_REQUESTS: u64 = 10;
