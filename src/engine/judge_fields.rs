//! A judge from the fields that its file gives it: which belong to which, their ranges, their
//! defaults.

use super::check_interval::{LONGEST_WINDOW, bucketed, check_interval};
use super::comparison::threshold;
use super::judge::{Judge, JudgeTest, Objective, Ranks, Slowness};
use super::rule_error::{refuse_if, required, seconds_in, unknown};
use super::{RawTrigger, RuleError, RuleProblem, Safeguards, Threshold};
use crate::metric::{Direction, Measure, Metric, Sample};
use crate::units::{Duration, Ratio};

/// The judge called `name`, and the time between its checks.
pub(super) fn judge(
    raw: &RawTrigger,
    name: &str,
    safeguards: Safeguards,
) -> Result<(Judge, Duration), RuleError> {
    let (test, interval) = match name {
        "sequential" => (sequential(raw)?, check_interval(raw, Duration::ZERO, safeguards)?),
        "objective" => (
            objective(raw).map(JudgeTest::Objective)?,
            check_interval(raw, Duration::ZERO, safeguards)?,
        ),
        "mann_whitney" => {
            let ranks = ranks(raw)?;
            (JudgeTest::Ranks(ranks), ranks.bucket)
        }
        other => return Err(unknown("judge", other, JUDGES)),
    };
    let alpha = raw.alpha.map(|found| ratio_in("alpha", found, 1e-12, 0.5, "1e-12 to 0.5"));
    Ok((Judge { alpha: alpha.transpose()?, test }, interval))
}

fn sequential(raw: &RawTrigger) -> Result<JudgeTest, RuleError> {
    let metric = metric(raw, Some(Metric::ErrorRate))?;
    if metric == Metric::ErrorRate {
        return errors(raw);
    }
    let is_measure =
        matches!(metric.measure(), Measure::Quantile(Sample::Latency | Sample::FirstToken, _));
    if !is_measure {
        let known = names(|measure| {
            matches!(measure, Measure::Quantile(Sample::Latency | Sample::FirstToken, _))
        });
        return Err(unknown("metric", metric.name(), &format!("error_rate, {known}")));
    }
    let kind = "sequential judge of slow requests";
    let allowed = ["alpha", "effect", "window_seconds", "burst_block_seconds"];
    refuse_others(raw, kind, &allowed)?;
    let effect = in_range("effect", raw.effect.unwrap_or(SLOWER), 0.0, 100.0, "0 to 100")?;
    let seconds = raw.window_seconds.unwrap_or(MEASURED_OVER);
    let window = seconds_in("window_seconds", seconds, 10.0, 3_600.0, "10 to 3600 seconds")?;
    // It is made of stretches of ten seconds.
    let window = Duration::from_secs(window.ceil_secs().as_secs().next_multiple_of(10));
    let burst_block = burst_block(raw)?;
    Ok(JudgeTest::Slowness(Slowness { metric, effect, window, burst_block }))
}

fn errors(raw: &RawTrigger) -> Result<JudgeTest, RuleError> {
    if let Some(found) = raw.prior_strength {
        refuse_others(raw, "judge with a prior_strength", &["alpha", "prior_strength"])?;
        let prior_strength = in_range("prior_strength", found, 0.01, 1e4, "0.01 to 10000")?;
        return Ok(JudgeTest::ErrorShare { prior_strength });
    }
    let allowed = ["alpha", "effect", "burst_block_seconds"];
    refuse_others(raw, "sequential judge of errors", &allowed)?;
    let effect = in_range("effect", raw.effect.unwrap_or(MORE_ERRORS), 0.0, 100.0, "0 to 100")?;
    Ok(JudgeTest::ErrorRatio { effect, burst_block: burst_block(raw)? })
}

fn objective(raw: &RawTrigger) -> Result<Objective, RuleError> {
    let metric = metric(raw, None)?;
    refuse_others(raw, "judge of an objective", &["alpha", "threshold", "threshold_ms"])?;
    let is_countable = |measure: Measure| match measure {
        Measure::ErrorRate
        | Measure::ClientErrorRate
        | Measure::RateLimitedRate
        | Measure::TimeoutRate
        | Measure::EmptyRate
        | Measure::LengthFinishRate => true,
        Measure::Quantile(sample, _) => sample != Sample::FirstToken,
        _ => false,
    };
    if !is_countable(metric.measure()) {
        return Err(unknown("metric", metric.name(), &names(is_countable)));
    }
    let (share, limit) = match (threshold(raw, metric)?, metric.measure()) {
        (Threshold::Time(limit), Measure::Quantile(_, quantile)) => {
            (Ratio::new(1.0 - quantile.as_f64()).unwrap_or_default(), Some(limit))
        }
        (Threshold::Ratio(share), _) => (share, None),
        _ => return Err(unknown("metric", metric.name(), &names(is_countable))),
    };
    let allowed =
        "more than 0 and less than 1: whether it is always or never is no question of chance";
    let problem = RuleProblem::OutOfRange { found: share.get(), allowed };
    refuse_if(share.get() <= 0.0 || share.get() >= 1.0, "threshold", problem)?;
    Ok(Objective { metric, share, limit })
}

fn ranks(raw: &RawTrigger) -> Result<Ranks, RuleError> {
    let metric = metric(raw, None)?;
    let allowed = ["check_interval_seconds", "window_seconds", "tolerance", "confidence"];
    refuse_others(raw, "mann_whitney judge", &allowed)?;
    let has_worse = |metric: Metric| metric.direction() != Direction::Neutral;
    if !has_worse(metric) {
        let known = Metric::all().filter(|metric| metric.is_windowed() && has_worse(*metric));
        let known: Vec<_> = known.map(Metric::name).collect();
        return Err(unknown("metric", metric.name(), &known.join(", ")));
    }
    let seconds = |field, given: Option<f64>, default| {
        given.map_or(Ok(default), |seconds| bucketed(field, seconds))
    };
    let bucket = seconds("check_interval_seconds", raw.check_interval_seconds, BUCKET)?;
    let allowed = "10 to 3600 seconds: ranks are of stretches with a value each";
    let problem = RuleProblem::OutOfRange { found: bucket.as_secs_f64(), allowed };
    refuse_if(bucket < SHORTEST_BUCKET, "check_interval_seconds", problem)?;
    let window = seconds("window_seconds", raw.window_seconds, LONGEST_WINDOW)?;
    let allowed = "five check intervals to 3600 seconds: of fewer values there is nothing to tell";
    let problem = RuleProblem::OutOfRange { found: window.as_secs_f64(), allowed };
    refuse_if(window < bucket * FEWEST_BUCKETS, "window_seconds", problem)?;
    let tolerance = raw.tolerance.unwrap_or(TOLERANCE);
    let tolerance = in_range("tolerance", tolerance, 0.0, 10.0, "0 to 10")?;
    let confidence = raw.confidence.unwrap_or(CONFIDENCE);
    let allowed = "0.5 to 0.9999 (0.98 is 98 %)";
    let confidence = ratio_in("confidence", confidence, 0.5, 0.9999, allowed)?;
    Ok(Ranks { metric, bucket, window, tolerance, confidence })
}

/// What the file names, or the default.
fn metric(raw: &RawTrigger, default: Option<Metric>) -> Result<Metric, RuleError> {
    let name = match (raw.metric.as_deref(), default) {
        (None, Some(default)) => return Ok(default),
        (name, _) => required("metric", name, "metric: error_rate")?,
    };
    let metric = Metric::by_name(name).filter(|metric| metric.is_windowed());
    metric.ok_or_else(|| unknown("metric", name, &names(|_| true)))
}

fn burst_block(raw: &RawTrigger) -> Result<Duration, RuleError> {
    let seconds = raw.burst_block_seconds.unwrap_or(BURST_BLOCK);
    seconds_in("burst_block_seconds", seconds, 0.0, 3_600.0, "0 to 3600 seconds")
}

/// Refuses what belongs to conditions, or to other judges.
fn refuse_others(raw: &RawTrigger, kind: &'static str, allowed: &[&str]) -> Result<(), RuleError> {
    let given = [
        ("operator", raw.operator.is_some()),
        ("threshold", raw.threshold.is_some()),
        ("threshold_ms", raw.threshold_ms.is_some()),
        ("compare_to", raw.compare_to.is_some()),
        ("as", raw.form.is_some()),
        ("duration_seconds", raw.duration_seconds.is_some()),
        ("window_seconds", raw.window_seconds.is_some()),
        ("min_requests", raw.min_requests.is_some()),
        ("no_data", raw.no_data.is_some()),
    ];
    for (field, is_given) in given.into_iter().chain(raw.of_judges()) {
        let misplaced = is_given && !allowed.contains(&field);
        refuse_if(misplaced, field, RuleProblem::Misplaced { kind })?;
    }
    Ok(())
}

/// The metrics of rules that are made like this.
fn names(is_meant: impl Fn(Measure) -> bool) -> String {
    let meant = Metric::all().filter(|metric| metric.is_windowed() && is_meant(metric.measure()));
    meant.map(Metric::name).collect::<Vec<_>>().join(", ")
}

fn in_range(
    field: &'static str,
    found: f64,
    least: f64,
    most: f64,
    allowed: &'static str,
) -> Result<f64, RuleError> {
    let problem = RuleProblem::OutOfRange { found, allowed };
    refuse_if(!(least..=most).contains(&found), field, problem)?;
    Ok(found)
}

fn ratio_in(
    field: &'static str,
    found: f64,
    least: f64,
    most: f64,
    allowed: &'static str,
) -> Result<Ratio, RuleError> {
    in_range(field, found, least, most, allowed)?;
    let problem = RuleProblem::OutOfRange { found, allowed };
    Ratio::new(found).map_err(|_| RuleError { field, problem })
}

const JUDGES: &str = "sequential, objective, mann_whitney";
/// From the design of the statistics: not worse by half.
const MORE_ERRORS: f64 = 0.5;
/// From the design of the statistics: the smallest slowdown that was found within minutes at a few
/// requests a second.
const SLOWER: f64 = 0.2;
/// From the design of the statistics: drift that both versions share moves the measure with it.
const MEASURED_OVER: f64 = 300.0;
/// From the design of the statistics: it took bursts of both versions from 64 % false alarms to
/// none.
const BURST_BLOCK: f64 = 10.0;
/// Chosen: as Kayenta's metrics are recorded, a value a minute.
const BUCKET: Duration = Duration::from_secs(60);
/// Chosen: an hour of them is ranked in well below a millisecond.
const SHORTEST_BUCKET: Duration = Duration::from_secs(10);
/// Chosen: of fewer on each side not even complete separation reaches 98 %.
pub(super) const FEWEST_BUCKETS: u64 = 5;
/// Kayenta's: `NetflixACAJudge`, `MannWhitneyClassifier(tolerance = 0.25, confLevel = 0.98)`.
const TOLERANCE: f64 = 0.25;
const CONFIDENCE: f64 = 0.98;
