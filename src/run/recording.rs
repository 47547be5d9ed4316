//! A run in virtual time as a trace: what a gateway's log of it would hold.

use super::rehearsal::{FIRST_RUN, source_of};
use crate::chance::Chance;
use crate::engine::Sealed;
use crate::exchange::VersionIndex;
use crate::record::{Arm, Attempt, Happening, KeyRefusal, Observer, Outcome};
use crate::scenario::Scenario;
use crate::simulator::{SimulationError, simulate};
use crate::trace::{Failure, TraceRecord};
use crate::units::Timestamp;
use crate::workload::TraceInput;

/// What of a run is recorded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Recorded {
    /// What was sent.
    Requests,
    /// What was sent, which version answered and how.
    Outcomes,
}

/// Plays `scenario` under `seed` in virtual time and hands each request to `sink` with the instant
/// at which it was sent, in the order in which requests end. How many requests were refused for
/// their key: no version saw them, and they are not recorded.
///
/// # Errors
/// A trace that the scenario replays is broken, or the plan asks for what the engine refuses.
///
/// # Panics
/// There are not as many traces as the scenario replays: a bug of the caller.
pub fn record_run(
    scenario: &Scenario,
    seed: u64,
    traces: Vec<TraceInput>,
    what: Recorded,
    sink: &mut dyn FnMut(Timestamp, TraceRecord),
) -> Result<u64, SimulationError> {
    let chance = Chance::new(seed, FIRST_RUN);
    let source = source_of(scenario, traces, chance)?;
    let mut recording = Recording { scenario, what, sink, refused: 0 };
    simulate(scenario, chance, source, &mut recording)?;
    Ok(recording.refused)
}

struct Recording<'a> {
    scenario: &'a Scenario,
    what: Recorded,
    sink: &'a mut dyn FnMut(Timestamp, TraceRecord),
    refused: u64,
}

/// A request of `scenario` that has ended as a row of a trace, but for when it was sent.
pub fn trace_record(scenario: &Scenario, what: Recorded, outcome: &Outcome) -> TraceRecord {
    let Outcome { request, served, observed, .. } = outcome;
    let sent = TraceRecord {
        model: Some(scenario.models[usize::from(request.model.0)].id.clone()),
        user: Some(request.user.into()),
        session: Some(request.session.into()),
        input: Some(request.input),
        output: Some(request.output),
        stream: Some(request.stream),
        ..TraceRecord::default()
    };
    if what == Recorded::Requests {
        return sent;
    }
    let version = scenario.version(*served);
    let usage = observed.usage;
    let cost =
        version.price.map(|price| price.cost(usage.input.get().into(), usage.output.get().into()));
    TraceRecord {
        version: Some(version.id.clone()),
        output: Some(usage.output),
        status: observed.ending.answered_status(),
        failure: Failure::of(observed.ending),
        first_token: observed.first_token,
        duration: Some(observed.latency),
        cost,
        ..sent
    }
}

impl Observer for Recording<'_> {
    fn assigned(&mut self, _: Timestamp, _: u16, _: VersionIndex, _: Arm) {}

    fn attempt_began(&mut self, _: Timestamp, _: VersionIndex, _: Arm) {}

    fn attempted(&mut self, _: &Attempt) {}

    fn completed(&mut self, outcome: &Outcome) {
        let record = trace_record(self.scenario, self.what, outcome);
        (self.sink)(outcome.started, record);
    }

    fn key_rejected(&mut self, _: &KeyRefusal) {
        self.refused += 1;
    }

    fn let_in(&mut self, _: Timestamp, _: u16) {}

    fn became_bad(&mut self, _: Timestamp, _: VersionIndex) {}

    fn journalled(&mut self, _: &Sealed) {}

    fn happened(&mut self, _: Timestamp, _: Happening) {}
}
