//! A run in virtual time, recorded.

use serde::{Deserialize, Serialize};

use super::live_facts::LiveFacts;
use super::ticking::Ticking;
use crate::chance::Chance;
use crate::director::TriggerHealth;
use crate::engine::TriggerKind;
use crate::exchange::ModelIndex;
use crate::record::{ModelInfo, Record, Recorder, RuleHealth, RunHeader, VersionInfo};
use crate::scenario::{Scenario, Traffic, VersionPlan};
use crate::simulator::{Finished, SimulationError, simulate};
use crate::trace::Accounting;
use crate::units::VersionId;
use crate::workload::{Answered, Source, TraceInput};

/// What one run left behind.
#[derive(Clone, PartialEq, Debug)]
pub struct Rehearsal {
    /// Everything that happened.
    pub record: Record,
    /// The traces that were replayed, in the order of the scenario.
    pub traces: Vec<TraceReport>,
    /// What is known of it beside that, where its requests went over HTTP.
    pub live: Option<LiveFacts>,
}

/// A trace that was replayed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TraceReport {
    /// Its path, as the plan has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// Its format and unit; rows read, emitted and dropped.
    pub accounting: Accounting,
    /// The SHA-256 of its bytes; absent where the run ended before the trace did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
    /// How the versions that answer as recorded did so; with the first trace, for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub answered: Vec<AnsweredAsRecorded>,
    /// How often it was begun.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub turns: u64,
}

/// How many requests a version answered as it was recorded to.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AnsweredAsRecorded {
    /// The version.
    pub version: VersionId,
    /// Requests that got the answer which they had in the recording.
    pub own: u64,
    /// Requests that got an answer which another request had: the split had sent them elsewhere.
    pub lent: u64,
}

/// Plays `scenario` under `seed` in virtual time. `traces` are those that it replays, in
/// the order of their files in the plan. `tick` is told now and then how many requests have ended.
///
/// # Errors
/// A trace is broken, or the plan asks for what the engine refuses.
///
/// # Panics
/// There are not as many traces as the scenario replays: a bug of the caller.
pub fn run_virtual(
    scenario: &Scenario,
    seed: u64,
    traces: Vec<TraceInput>,
    tick: &mut dyn FnMut(u64),
) -> Result<Rehearsal, SimulationError> {
    let chance = Chance::new(seed, FIRST_RUN);
    let source = source_of(scenario, traces, chance)?;
    let mut observer = Ticking::new(Recorder::new(header(scenario, seed)), tick);
    let finished = simulate(scenario, chance, source, &mut observer)?;
    let Finished { end, triggers, bursts, source, .. } = finished;
    let record = observer.into_observer().finish(end, rule_health(scenario, &triggers), bursts);
    let traces = trace_reports(scenario, &source);
    Ok(Rehearsal { record, traces, live: None })
}

/// Plays `scenario` under `seed` in virtual time, as [`run_virtual`] does, for whoever makes many
/// runs and draws none of them: the record has all but traffic over time.
///
/// # Errors
/// The same.
///
/// # Panics
/// Likewise.
pub fn run_summed(
    scenario: &Scenario,
    seed: u64,
    traces: Vec<TraceInput>,
) -> Result<Record, SimulationError> {
    let chance = Chance::new(seed, FIRST_RUN);
    let source = source_of(scenario, traces, chance)?;
    let mut recorder = Recorder::without_series(header(scenario, seed));
    let Finished { end, triggers, bursts, .. } = simulate(scenario, chance, source, &mut recorder)?;
    Ok(recorder.finish(end, rule_health(scenario, &triggers), bursts))
}

/// What is to be told of the traces that `scenario` replays, of which `source` has sent all that
/// was sent.
pub fn trace_reports(scenario: &Scenario, source: &Source) -> Vec<TraceReport> {
    let traces = source.traces().zip(scenario.traffic.files()).map(|(reader, file)| TraceReport {
        file: Some(file.display().to_string()),
        accounting: reader.accounting().clone(),
        sha256: reader.sha256(),
        answered: Vec::new(),
        turns: reader.turns(),
    });
    let mut traces: Vec<_> = traces.collect();
    if let Some(first) = traces.first_mut() {
        let told = |answered: Answered| AnsweredAsRecorded {
            version: scenario.version(answered.version).id.clone(),
            own: answered.own,
            lent: answered.lent,
        };
        first.answered = source.answered().map(told).collect();
    }
    traces
}

/// The requests of `scenario`, which replays `traces`.
///
/// # Errors
/// A trace is broken.
///
/// # Panics
/// There are not as many traces as the scenario replays: a bug of the caller.
pub fn source_of(
    scenario: &Scenario,
    traces: Vec<TraceInput>,
    chance: Chance,
) -> Result<Source, SimulationError> {
    match &scenario.traffic {
        Traffic::Generated(workload) => Ok(Source::generate(workload, chance)),
        Traffic::Replayed { replay, .. } => Ok(Source::replay(traces, replay, chance)?),
    }
}

/// How the triggers of each model fared, by name.
pub fn rule_health(scenario: &Scenario, triggers: &[TriggerHealth]) -> Vec<RuleHealth> {
    let named = |one: &TriggerHealth| {
        let trigger = scenario.triggers(one.model).nth(one.trigger)?;
        let health = one.health;
        Some(RuleHealth {
            trigger: trigger.id.clone(),
            judge: matches!(trigger.kind, TriggerKind::Judge(_)),
            version: one.version,
            checks: health.checks,
            no_data: health.no_data,
            breaches: health.breaches,
            firings: health.firings,
            longest_timer: health.longest_timer,
            progress: health.progress,
        })
    };
    triggers.iter().filter_map(named).collect()
}

/// What is known of a run of `scenario` before it begins.
pub fn header(scenario: &Scenario, seed: u64) -> RunHeader {
    let version = |version: &VersionPlan| VersionInfo {
        id: version.id.clone(),
        tags: version.tags.clone(),
        price: version.price,
    };
    let models = (0..).map(ModelIndex).zip(&scenario.models).map(|(index, model)| ModelInfo {
        id: model.id.clone(),
        assignment: model.assignment,
        versions: model.versions.iter().map(version).collect(),
        triggers: scenario.triggers(index).map(|trigger| trigger.id.clone()).collect(),
    });
    RunHeader {
        seed,
        start: scenario.start,
        models: models.collect(),
        clients: scenario.population().clients.iter().map(|client| client.key.clone()).collect(),
        phases: scenario.phases.iter().map(|phase| phase.name.clone()).collect(),
    }
}

/// A single run is the first of its seed; a study counts on from it.
pub const FIRST_RUN: u64 = 0;

const fn once() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_once(turns: &u64) -> bool {
    *turns == 1
}
