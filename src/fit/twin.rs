//! A twin: the fitted scenario, really run, and what would have been recorded of it.

use std::path::Path;

use super::error::FitError;
use super::observed::Observed;
use super::seen::Seen;
use crate::chance::Chance;
use crate::engine::Sealed;
use crate::exchange::{Ending, VersionIndex};
use crate::record::{Arm, Attempt, Happening, KeyRefusal, Observer, Outcome};
use crate::scenario::{Document, Files, Scenario, Traffic, load};
use crate::simulator::simulate;
use crate::units::Timestamp;
use crate::workload::Source;

/// What would have been recorded of a run of the scenario `yaml` under `seed`; at most so many
/// requests are sent.
///
/// # Errors
/// The scenario cannot be played: a bug, as it was fitted.
pub(super) fn twin(yaml: &str, seed: u64, requests: u64) -> Result<Observed, FitError> {
    let unplayable = |reason: String| FitError::Unplayable { reason };
    let settings = [format!("workload.requests={requests}")];
    let document = Document {
        path: Path::new("fitted.yaml"),
        bytes: yaml.as_bytes(),
        settings: &settings,
        working_directory: Path::new("/"),
        allow_outside: false,
    };
    let loaded = load(document, &NoFiles).map_err(|error| unplayable(error.to_string()))?;
    let scenario = &loaded.scenario;
    let Traffic::Generated(workload) = &scenario.traffic else {
        return Err(unplayable("it replays a trace".to_owned()));
    };
    let chance = Chance::new(seed, 0);
    let mut collector = Collector { scenario, seen: Vec::new() };
    simulate(scenario, chance, Source::generate(workload, chance), &mut collector)
        .map_err(|error| unplayable(error.to_string()))?;
    let mut seen = collector.seen;
    // They ended in another order; of one instant they keep it.
    seen.sort_by_key(|seen| seen.at);
    let mut observed = Observed::default();
    seen.iter().try_for_each(|seen| observed.add_seen(seen))?;
    Ok(observed)
}

/// Keeps what a recording would have of each request.
struct Collector<'a> {
    scenario: &'a Scenario,
    seen: Vec<Seen>,
}

impl Observer for Collector<'_> {
    fn completed(&mut self, outcome: &Outcome) {
        let version = self.scenario.version(outcome.served);
        let model = &self.scenario.models[usize::from(outcome.request.model.0)];
        let observed = &outcome.observed;
        let succeeded = observed.ending == Ending::Success;
        self.seen.push(Seen {
            at: outcome.started.since(self.scenario.start),
            model: Some(model.id.clone()),
            version: Some(version.id.clone()),
            user: Some(u64::from(outcome.request.user)),
            session: Some(u64::from(outcome.request.session)),
            input: Some(outcome.request.input),
            output: Some(outcome.request.output),
            stream: Some(outcome.request.stream),
            ending: Some(observed.ending),
            first_token: observed.first_token.filter(|_| succeeded),
            duration: Some(observed.latency),
            cost: version.price.filter(|_| succeeded).map(|price| {
                price.cost(observed.usage.input.get().into(), observed.usage.output.get().into())
            }),
            ..Seen::default()
        });
    }

    fn assigned(&mut self, _: Timestamp, _: u16, _: VersionIndex, _: Arm) {}
    fn attempt_began(&mut self, _: Timestamp, _: VersionIndex, _: Arm) {}
    fn attempted(&mut self, _: &Attempt) {}
    fn key_rejected(&mut self, _: &KeyRefusal) {}
    fn let_in(&mut self, _: Timestamp, _: u16) {}
    fn became_bad(&mut self, _: Timestamp, _: VersionIndex) {}
    fn journalled(&mut self, _: &Sealed) {}
    fn happened(&mut self, _: Timestamp, _: Happening) {}
}

/// A fitted scenario names no files.
struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &Path) -> Result<Vec<u8>, String> {
        Err("a fitted scenario names no files".to_owned())
    }
}
