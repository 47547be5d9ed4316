//! Which draws a rule counts, where each request's own draw decides whether it counts, and why a
//! rule is not of that kind.

use super::survey::{Check, Survey};
use crate::chance::{Chance, Purpose};
use crate::engine::{
    Action, Assignment, Condition, NoData, Operator, Threshold, Trigger, TriggerKind, share_hit,
};
use crate::exchange::{Class, ModelIndex, Request, VersionIndex};
use crate::metric::{Measure, Sample};
use crate::scenario::{ModelPlan, Scenario};
use crate::units::{Duration, RequestId};
use crate::upstream::{Correlation, Region, Responder, Setting};

/// A rule that counts how often draws fall into a region.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Counted {
    /// Of which draws.
    pub(super) purpose: Purpose,
    /// Those that count.
    pub(super) region: Region,
    /// The share of hits beyond which the rule is broken.
    pub(super) limit: f64,
    /// Whether it is broken at that share already.
    pub(super) at_limit: bool,
    pub(super) window: Duration,
    pub(super) duration: Duration,
    pub(super) interval: Duration,
    /// With fewer requests there is no data.
    pub(super) least: u64,
    /// How long after it was sent a hit is counted.
    pub(super) delay: Duration,
}

impl Counted {
    /// What a trigger counts of a version.
    ///
    /// # Errors
    /// It is not of that kind: why, as a fragment that says what it looks at.
    pub(super) fn of(scenario: &Scenario, survey: &Survey, check: &Check) -> Result<Self, String> {
        let model = &scenario.models[usize::from(check.model.0)];
        let trigger = &model.rules.triggers[check.trigger];
        let condition = condition(trigger)?;
        let upstream = Upstream::of(scenario, survey, (check.model, check.version))?;
        let (window, duration) = (condition.window, condition.duration);
        let base = Self {
            purpose: Purpose::Failure,
            region: Region::default(),
            limit: 0.0,
            at_limit: matches!(condition.operator, Operator::AtLeast | Operator::AtMost),
            window,
            duration,
            interval: trigger.check_interval,
            least: condition.min_requests.max(1),
            delay: Duration::ZERO,
        };
        match (condition.metric.measure(), condition.threshold) {
            (Measure::Quantile(sample, quantile), Threshold::Time(limit)) => {
                let purpose = Purpose::Latency;
                let region = upstream.slow(sample, limit, condition.operator)?;
                // More than so many of a thousand, whether the value at the limit counts or not.
                let limit_share = (1_000 - quantile.per_mille()) as f64 / 1e3;
                let base = Self { purpose, region, limit: limit_share, delay: limit, ..base };
                Ok(Self { at_limit: false, ..base })
            }
            (measure, Threshold::Ratio(limit)) => {
                let limit = share_limit(measure, condition.operator, limit.get())?;
                let (region, delay) = upstream.failing(measure)?;
                Ok(Self { region, delay, limit, ..base })
            }
            _ => Err(format!("{} is no share of requests", condition.metric)),
        }
    }

    /// For how long it has to be seen broken, check by check.
    pub(super) fn held(&self) -> Duration {
        self.interval * self.duration.as_nanos().div_ceil(self.interval.as_nanos())
    }

    /// The fewest hits of about so many requests by which it is broken. Requests come whole: where
    /// the limit is a tenth, four of 40 are not enough, and four of 39 are.
    pub(super) fn breaching(&self, requests: f64) -> f64 {
        let share = requests.round() * self.limit;
        if self.at_limit {
            (share - ROUNDING).ceil().max(1.0)
        } else {
            (share + ROUNDING).floor() + 1.0
        }
    }
}

/// Whether a trigger takes traffic away at all.
pub(super) const fn rolls_back(trigger: &Trigger) -> bool {
    matches!(trigger.action, Action::RollbackToLastStable | Action::RollbackTo(_))
}

/// Why the draws of a model's requests cannot be tilted one by one; `None` where they can.
pub(super) fn hindrance(scenario: &Scenario, index: ModelIndex) -> Option<String> {
    let model: &ModelPlan = &scenario.models[usize::from(index.0)];
    if scenario.rule_sets(index).count() > 1 {
        return Some("a command replaces its rules".to_owned());
    }
    if model.policies.retry.is_some() || model.policies.fallback.is_some() {
        return Some("failed requests are sent again".to_owned());
    }
    None
}

/// Whether requests of a model are assigned each for itself.
pub(super) fn is_random(model: &ModelPlan) -> bool {
    model.assignment == Assignment::Random
}

fn condition(trigger: &Trigger) -> Result<&Condition, String> {
    let condition = match &trigger.kind {
        TriggerKind::Condition(condition) => condition,
        TriggerKind::Judge(judge) => return Err(format!("it is a judge ({})", judge.name())),
    };
    if condition.threshold.is_relative() {
        return Err("it compares with the stable".to_owned());
    }
    if condition.no_data == NoData::Breach {
        return Err("it is broken where there is no data".to_owned());
    }
    Ok(condition)
}

/// The share of hits beyond which a rule on this share is broken.
fn share_limit(measure: Measure, operator: Operator, limit: f64) -> Result<f64, String> {
    let upwards = matches!(operator, Operator::Above | Operator::AtLeast);
    match measure {
        Measure::SuccessRate if !upwards => Ok(1.0 - limit),
        Measure::ErrorRate
        | Measure::ClientErrorRate
        | Measure::RateLimitedRate
        | Measure::TimeoutRate
        | Measure::EmptyRate
            if upwards =>
        {
            Ok(limit)
        }
        _ => Err("it does not count failures that are too many".to_owned()),
    }
}

/// A version's upstream, as its requests meet it.
struct Upstream<'a> {
    scenario: &'a Scenario,
    model: &'a ModelPlan,
    responder: Responder,
    sample: Request,
}

impl<'a> Upstream<'a> {
    fn of(
        scenario: &'a Scenario,
        survey: &Survey,
        (index, version): (ModelIndex, VersionIndex),
    ) -> Result<Self, String> {
        let plan = scenario.version(version);
        let id = &plan.id;
        let Some(behaviour) = plan.behaviour() else {
            return Err(format!("{id} answers as recorded"));
        };
        let faults = scenario.phases.iter().flat_map(|phase| &phase.faults);
        let mut of_version = faults.filter(|(named, _)| named.possible().contains(&version));
        match &behaviour.correlation {
            Correlation::Request => {}
            Correlation::User => return Err(format!("all requests of a user of {id} fail alike")),
            Correlation::Burst(_) => return Err(format!("failures of {id} come in bursts")),
        }
        if behaviour.is_limited() || of_version.any(|(_, fault)| fault.limits()) {
            return Err(format!("the capacity or rate of {id} is limited"));
        }
        let Some(sample) = survey.sample(index).copied() else {
            return Err(format!("no request of {} ended", scenario.models[0].id));
        };
        let (chance, start) = (Chance::new(0, 0), scenario.start);
        let setting = Setting { chance, version, start, may_be_limited: false };
        let model = &scenario.models[usize::from(index.0)];
        let responder = Responder::new(behaviour, setting);
        Ok(Self { scenario, model, responder, sample })
    }

    /// The draws by which requests fail as `measure` counts them, and how long it takes.
    fn failing(&self, measure: Measure) -> Result<(Region, Duration), String> {
        let draws = Chance::new(0, 0).request(RequestId(0), 0);
        let mut hits = Vec::new();
        let (mut weight, mut delay) = (0.0, 0.0);
        for (stretch, plan) in self.responder.failures(&self.sample, self.scenario.start, draws) {
            let observed = plan.observe(&self.sample, self.scenario.limits);
            let class = observed.ending.class(self.model.rules.classification);
            if share_hit(measure, class, &observed) == Some(true)
                || (measure == Measure::SuccessRate && class == Class::Error)
            {
                hits.push(stretch);
                let size = (stretch.1 - stretch.0) as f64;
                weight += size;
                delay += size * observed.latency.as_secs_f64();
            }
        }
        let region = Region::new(hits);
        let limits = self.scenario.limits;
        let late = self.responder.slower_than(limits.upstream.min(limits.client));
        let late = late.map_or(0.0, |late| late.probability());
        if late > NEGLIGIBLE * region.probability() {
            let id = &self.model.id;
            return Err(format!("answers that come too late count as failures of {id}"));
        }
        let delay = if weight > 0.0 { delay / weight } else { 0.0 };
        Ok((region, Duration::from_secs_f64(delay)))
    }

    /// The draws by which answers take longer than `limit`.
    fn slow(&self, sample: Sample, limit: Duration, operator: Operator) -> Result<Region, String> {
        if !matches!(operator, Operator::Above | Operator::AtLeast) {
            return Err("it fires where answers are fast".to_owned());
        }
        if sample == Sample::FirstToken {
            return Err("it looks at first tokens".to_owned());
        }
        let region = self.responder.slower_than(limit);
        let Some(region) = region else {
            return Err("several draws decide how long an answer takes".to_owned());
        };
        Ok(region)
    }
}

/// Chosen: a hundredth more hits than is reckoned with makes the tilt a little worse, no more.
const NEGLIGIBLE: f64 = 0.01;
/// What a whole number that was multiplied may be off by.
const ROUNDING: f64 = 1e-9;
