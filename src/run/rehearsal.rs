//! A run in virtual time, recorded.

use serde::{Deserialize, Serialize};

use super::ticking::Ticking;
use crate::chance::Chance;
use crate::exchange::{ModelIndex, VersionIndex};
use crate::record::{Record, Recorder, RuleHealth, RunHeader, VersionInfo};
use crate::scenario::{Scenario, Traffic};
use crate::simulator::{Finished, SimulationError, simulate};
use crate::trace::{Accounting, TraceReader};
use crate::workload::{Source, TraceInput};

/// What one run left behind.
#[derive(Clone, PartialEq, Debug)]
pub struct Rehearsal {
    /// Everything that happened.
    pub record: Record,
    /// The trace that was replayed, if one was.
    pub trace: Option<TraceReport>,
}

/// A trace that was replayed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct TraceReport {
    /// Its format and unit; rows read, emitted and dropped.
    pub accounting: Accounting,
    /// The SHA-256 of its bytes; absent where the run ended before the trace did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// Plays `scenario` under `seed` in virtual time. `trace` is the trace that it replays: given
/// exactly if its traffic is one. `tick` is told now and then how many requests have ended.
///
/// # Errors
/// The trace is broken, or the plan asks for what the engine refuses.
///
/// # Panics
/// The scenario replays a trace and none is given: a bug of the caller.
pub fn run_virtual(
    scenario: &Scenario,
    seed: u64,
    trace: Option<TraceInput>,
    tick: &mut dyn FnMut(u64),
) -> Result<Rehearsal, SimulationError> {
    let chance = Chance::new(seed, FIRST_RUN);
    let source = match &scenario.traffic {
        Traffic::Generated(workload) => Source::generate(workload, chance),
        Traffic::Trace { replay, .. } => {
            let input = trace.expect("a scenario that replays a trace is given it");
            Source::replay(TraceReader::new(input)?, replay.clone(), chance)
        }
    };
    let mut observer = Ticking::new(Recorder::new(header(scenario, seed)), tick);
    let Finished { end, engine, source } = simulate(scenario, chance, source, &mut observer)?;
    let triggers = &scenario.model.rules.triggers;
    let rules =
        engine.health(ModelIndex(0)).into_iter().map(|(trigger, slot, health)| RuleHealth {
            trigger: triggers[trigger].id.clone(),
            version: VersionIndex(slot.0),
            checks: health.checks,
            no_data: health.no_data,
            breaches: health.breaches,
            firings: health.firings,
            longest_timer: health.longest_timer,
        });
    let record = observer.into_observer().finish(end, rules.collect());
    let trace = source.trace().map(|reader| TraceReport {
        accounting: reader.accounting().clone(),
        sha256: reader.sha256(),
    });
    Ok(Rehearsal { record, trace })
}

fn header(scenario: &Scenario, seed: u64) -> RunHeader {
    let versions = scenario.model.versions.iter().map(|version| VersionInfo {
        id: version.id.clone(),
        tags: version.tags.clone(),
        price: version.price,
    });
    RunHeader {
        seed,
        start: scenario.start,
        model: scenario.model.id.clone(),
        versions: versions.collect(),
        triggers: scenario.model.rules.triggers.iter().map(|trigger| trigger.id.clone()).collect(),
        phases: scenario.phases.iter().map(|phase| phase.name.clone()).collect(),
    }
}

/// A single run is the first of its seed; a study counts on from it.
const FIRST_RUN: u64 = 0;
