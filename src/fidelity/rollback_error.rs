//! How far the rollbacks of the live run lie from the simulated ones.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::finding::Finding;
use super::settings::Sides;
use crate::exchange::VersionIndex;
use crate::record::{Record, Rollback};
use crate::units::{Duration, ModelId, VersionId};

/// A rollback of a version in both runs, or in one of them.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct RollbackError {
    /// The version that was rolled back.
    pub version: VersionId,
    /// In the simulated run; absent where it was not rolled back there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub simulated: Option<RolledBack>,
    /// In the live run, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub live: Option<RolledBack>,
    /// How often the trigger of the simulated rollback checks; absent where there is none, or the
    /// result does not say.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "check_interval_ns")]
    pub check_interval: Option<Duration>,
    /// How many checks later the live rollback came, below 0: earlier. Absent where one of them is
    /// missing or the interval is not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checks: Option<i64>,
    /// How many checks it may come earlier or later.
    pub allowed_checks: u64,
    /// What it means. There is one rollback in each run: by how much chance would move it is not
    /// known.
    pub finding: Finding,
}

/// When and by what a version was rolled back.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RolledBack {
    /// How long after the beginning of the run, in engine time.
    #[serde(rename = "after_ns")]
    pub after: Duration,
    /// The name of the trigger.
    pub trigger: String,
}

/// Every rollback of either run: the first of a version goes with the first of it in the other run,
/// and so on.
pub(super) fn rollback_errors(sides: &Sides<'_>, allowed_checks: u64) -> Vec<RollbackError> {
    let (simulated, live) = (sides.simulated.result, sides.live.result);
    let versions = (0..simulated.record.versions().count() as u16).map(VersionIndex);
    let errors = versions.flat_map(|version| {
        let [one, other] = [simulated, live].map(|result| rollbacks(&result.record, version));
        let pairs = 0..one.len().max(other.len());
        let pairs = pairs.map(move |place| (one.get(place).cloned(), other.get(place).cloned()));
        pairs.filter_map(move |(one, other)| {
            let id = simulated.record.version(version)?.id.clone();
            let model = simulated.record.model_of(version)?;
            let model = &simulated.record.models.get(usize::from(model.0))?.id;
            let rules = rules_of(&simulated.scenario.resolved, model);
            Some(RollbackError::of(id, (one, other), rules, allowed_checks))
        })
    });
    errors.collect()
}

impl RollbackError {
    fn of(
        version: VersionId,
        (simulated, live): (Option<RolledBack>, Option<RolledBack>),
        rules: &Value,
        allowed_checks: u64,
    ) -> Self {
        let trigger = simulated.as_ref().map(|rolled_back| rolled_back.trigger.as_str());
        let check_interval = trigger
            .and_then(|trigger| interval_of(rules, trigger))
            .filter(|interval| !interval.is_zero());
        let both = simulated.as_ref().zip(live.as_ref());
        let checks =
            both.and_then(|(simulated, live)| checks(simulated.after, live.after, check_interval));
        let finding = match (both, checks) {
            (None, _) => Finding::Beyond,
            (Some(_), None) => Finding::Unjudged,
            // Another rule has seen something else.
            (Some((one, other)), _) if one.trigger != other.trigger => Finding::Beyond,
            (Some(_), Some(checks)) if checks.unsigned_abs() <= allowed_checks => Finding::Within,
            (Some(_), Some(_)) => Finding::Beyond,
        };
        Self { version, simulated, live, check_interval, checks, allowed_checks, finding }
    }
}

/// The rollbacks of a version, in their order.
fn rollbacks(record: &Record, version: VersionIndex) -> Vec<RolledBack> {
    let own = record.rollbacks.iter().filter(|rollback| rollback.version == version);
    let told = |rollback: &Rollback| RolledBack {
        after: rollback.at.since(record.start),
        trigger: rollback.evidence.trigger.clone(),
    };
    own.map(told).collect()
}

/// How many checks `live` comes later than `simulated`, to the nearest; 0 without an interval where
/// both come at the same time.
fn checks(simulated: Duration, live: Duration, interval: Option<Duration>) -> Option<i64> {
    if simulated == live {
        return Some(0);
    }
    let later = live.as_secs_f64() - simulated.as_secs_f64();
    Some((later / interval?.as_secs_f64()).round() as i64)
}

/// The part of a resolved scenario that is of a model: rules of two models can have one name.
fn rules_of<'a>(resolved: &'a Value, model: &ModelId) -> &'a Value {
    let models = resolved.get("models").and_then(Value::as_array);
    let own = models.and_then(|all| all.iter().find(|one| one["id"] == model.as_str()));
    own.unwrap_or(resolved)
}

/// How often the trigger of this name checks, wherever in a resolved scenario its rules stand.
fn interval_of(resolved: &Value, trigger: &str) -> Option<Duration> {
    match resolved {
        Value::Object(map) => {
            let is_it = map.get("id").is_some_and(|id| id == trigger);
            let own = map.get("check_interval_seconds").filter(|_| is_it).and_then(Value::as_f64);
            own.map(Duration::from_secs_f64)
                .or_else(|| map.values().find_map(|part| interval_of(part, trigger)))
        }
        Value::Array(items) => items.iter().find_map(|part| interval_of(part, trigger)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::example::simulated;
    use super::*;
    use crate::compare::RunInput;
    use crate::result::ResultFile;

    fn errors(simulated: &ResultFile, live: &ResultFile, allowed: u64) -> Vec<RollbackError> {
        let run = |result| RunInput { label: "", sha256: "", result };
        rollback_errors(&Sides::new(run(simulated), run(live)), allowed)
    }

    /// Whose rollback comes so many seconds later, or earlier.
    fn moved(seconds: i64) -> ResultFile {
        let mut result = simulated();
        let rollback = &mut result.record.rollbacks[0];
        let at = rollback.at.as_nanos() + seconds * 1_000_000_000;
        rollback.at = crate::units::Timestamp::from_nanos(at);
        result
    }

    #[test]
    fn rollbacks_are_told_apart_in_checks() {
        for (seconds, checks, finding) in [
            (0, 0, Finding::Within),
            (15, 1, Finding::Within),
            (-15, -1, Finding::Within),
            // A check of a run whose clock began a little later.
            (7, 0, Finding::Within),
            (16, 1, Finding::Within),
            (30, 2, Finding::Beyond),
            (-45, -3, Finding::Beyond),
        ] {
            let [error] = &errors(&simulated(), &moved(seconds), 1)[..] else { panic!("one") };
            assert_eq!((error.checks, error.finding), (Some(checks), finding), "{seconds}");
            assert_eq!(error.check_interval, Some(Duration::from_secs(15)));
        }
        assert_eq!(errors(&simulated(), &moved(30), 2)[0].finding, Finding::Within);
        let after = errors(&simulated(), &moved(15), 0)[0].live.as_ref().unwrap().after;
        assert_eq!(after, Duration::from_secs(1_290));
    }

    #[test]
    fn a_rollback_that_one_run_lacks_is_beyond() {
        let mut none = simulated();
        none.record.rollbacks.clear();
        for (one, other) in [(simulated(), none.clone()), (none.clone(), simulated())] {
            let [error] = &errors(&one, &other, 1_000)[..] else { panic!("one") };
            assert_eq!((error.checks, error.finding), (None, Finding::Beyond));
        }
        assert!(errors(&none, &none, 1).is_empty());
    }

    #[test]
    fn a_second_rollback_of_a_version_goes_with_the_second() {
        let (mut twice, mut thrice) = (simulated(), simulated());
        let later = |seconds| {
            let mut rollback = simulated().record.rollbacks[0].clone();
            rollback.at = rollback.at + Duration::from_secs(seconds);
            rollback
        };
        twice.record.rollbacks.push(later(600));
        thrice.record.rollbacks.extend([later(615), later(900)]);
        let checks: Vec<_> =
            errors(&twice, &thrice, 1).iter().map(|error| (error.checks, error.finding)).collect();
        let expected =
            [(Some(0), Finding::Within), (Some(1), Finding::Within), (None, Finding::Beyond)];
        assert_eq!(checks, expected);
    }

    #[test]
    fn without_an_interval_only_the_same_instant_can_be_judged() {
        let (mut one, mut other) = (simulated(), moved(15));
        for result in [&mut one, &mut other] {
            result.scenario.resolved = serde_json::json!({});
        }
        assert_eq!(errors(&one, &other, 1)[0].finding, Finding::Unjudged);
        assert_eq!(errors(&one, &one, 1)[0].finding, Finding::Within);
    }
}
