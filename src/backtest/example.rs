//! Recordings for tests, made by hand.

use super::trial::{About, Trial, Tried};
use super::{BacktestError, Plan, Requirement, Survey, Terms, rule_names};
use crate::engine::RuleSet;
use crate::trace::TraceRecord;
use crate::units::{Duration, Tokens, VersionId};

/// A request of a version, all times in milliseconds.
pub(crate) fn request(at: u64, version: &str, status: u16, duration: u64) -> TraceRecord {
    TraceRecord {
        at: Duration::from_millis(at),
        version: Some(id(version)),
        input: Some(Tokens::new(600)),
        output: Some(Tokens::new(200)),
        status: Some(status),
        duration: Some(Duration::from_millis(duration)),
        ..TraceRecord::default()
    }
}

pub(crate) fn id(version: &str) -> VersionId {
    VersionId::new(version).unwrap()
}

/// Two requests a second for 12 minutes. Every fifth goes to v2 from minute 4 to minute 9; from
/// minute 6 on every other of those fails, after 200 ms. Of v1 every 200th request fails. All
/// others take a second.
pub(crate) fn incident() -> Vec<TraceRecord> {
    let record = |number: u64| {
        let at = number * 500;
        let canary = number % 5 == 4 && (240_000..540_000).contains(&at);
        // The first canary's request from minute 6 on is the one at 362 s.
        let failed = match canary {
            true => at >= 360_000 && ((at - 362_000) / 2_500).is_multiple_of(2),
            false => number.is_multiple_of(200),
        };
        let (version, status) = (if canary { "v2" } else { "v1" }, if failed { 503 } else { 200 });
        request(at, version, status, if failed { 200 } else { 1_000 })
    };
    (0..1_440).map(record).collect()
}

/// Rules with these conditions.
pub(crate) fn rules(conditions: &str) -> RuleSet {
    let text = format!("{{\"alpha\": 0.05, \"conditions\": [{conditions}]}}");
    serde_json::from_str(&text).unwrap()
}

/// An error rate above `threshold` for `seconds`.
pub(crate) fn error_rate(threshold: f64, seconds: u64) -> RuleSet {
    rules(&format!(
        "{{\"metric\": \"error_rate\", \"operator\": \">\", \"threshold\": {threshold}, \
         \"duration_seconds\": {seconds}, \"action\": \"rollback_to_last_stable\"}}"
    ))
}

/// What comes of these rules; they are called a.json, b.json and so on.
pub(crate) fn tried(
    records: &[TraceRecord],
    rules: &[RuleSet],
    terms: &Terms,
    requirements: &[&str],
) -> Result<Tried, BacktestError> {
    let mut survey = Survey::new(terms.model.clone());
    records.iter().try_for_each(|record| survey.add(record))?;
    let found = survey.finish()?;
    rule_names(&found, terms)?;
    let plan = Plan::new(found, terms, None, &rules[0])?;
    let named = rules
        .iter()
        .zip('a'..)
        .map(|(rules, letter)| (format!("{letter}.json"), "0".repeat(64), rules.clone()));
    let named: Vec<_> = named.collect();
    let mut trial = Trial::new(&plan, &named)?;
    records.iter().try_for_each(|record| trial.add(record))?;
    let incident = terms.incident.is_some();
    let parse = |line: &&str| Requirement::parse(line, incident).unwrap();
    let requirements: Vec<Requirement> = requirements.iter().map(parse).collect();
    let about = About {
        coalmine: "0.0.0".to_owned(),
        file: "incident.csv".to_owned(),
        sha256: "0".repeat(64),
    };
    trial.finish(about, &requirements)
}

/// From minute `from` to minute `to`.
pub(crate) fn incident_from(from: u64, to: Option<u64>) -> Terms {
    let minutes = |minutes: u64| Duration::from_secs(60 * minutes);
    Terms { incident: Some((minutes(from), to.map(minutes))), ..Terms::default() }
}
