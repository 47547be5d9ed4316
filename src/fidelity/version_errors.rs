//! The errors of one version in one phase.

use serde::{Deserialize, Serialize};

use super::finding::Chances;
use super::harness::{Delay, Harness};
use super::metric_error::{Measured, MetricError};
use super::settings::{Settings, Sides};
use crate::exchange::VersionIndex;
use crate::metric::{Measure, Metric};
use crate::record::Record;
use crate::summary::{Selected, Selection, Summary};
use crate::units::{Duration, ModelId, VersionId};

/// The errors of one version in one phase.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct VersionErrors {
    /// The name of the phase.
    pub phase: String,
    /// Whose version it is.
    pub model: ModelId,
    /// The version.
    pub version: VersionId,
    /// How many requests it was assigned, in the simulated run and in the live one.
    pub requests: [u64; 2],
    /// Its errors; metrics of which neither run has data are left out.
    pub errors: Vec<MetricError>,
}

/// A version in a phase, not judged yet.
struct Place<'a> {
    phase: &'a str,
    version: VersionIndex,
    /// Its requests in the simulated run and in the live one.
    sides: [Selected<'a>; 2],
    measured: Vec<Measured>,
}

/// The errors of every version in every phase in which it got requests in either run, in the order
/// of the phases; and how many of them are judged.
pub(super) fn version_errors(
    sides: &Sides<'_>,
    harness: &Harness,
    settings: &Settings,
    chances: Chances,
) -> (Vec<VersionErrors>, usize) {
    let records = [sides.simulated, sides.live].map(|run| &run.result.record);
    let places = places(records);
    let speed = harness.speed.times();
    let is_judged =
        |measured: &&Measured| is_judged(measured.metric, speed) && measured.is_comparable();
    let judged = places.iter().map(|place| place.measured.iter().filter(is_judged).count()).sum();
    let confidence = settings.confidence.shared_by(judged);
    let delay: Option<Delay> = harness.delay();
    let errors = places.into_iter().map(|place| {
        let Place { phase, version, sides: [simulated, live], measured } = place;
        let errors = measured.into_iter().map(|one| {
            let allowed = settings.tolerances.of(one.metric);
            let allowed = one.at_least(LEAST_ON_THE_WALL.mul_f64(speed), allowed);
            let chances = Some(chances).filter(|_| is_judged(&&one));
            let requests = (&simulated, &live);
            one.error(requests, delay.as_ref(), (allowed, confidence), chances)
        });
        let errors = errors.collect();
        let requests = [&simulated, &live].map(|side| side.attempts().assigned);
        let (model, version) = names(records[0], version)?;
        Some(VersionErrors { phase: phase.to_owned(), model, version, requests, errors })
    });
    (errors.flatten().collect(), judged)
}

/// Whether errors of a metric say something at this speed: what the harness adds to a latency
/// grows with it.
fn is_judged(metric: Metric, speed: f64) -> bool {
    let at_any_speed = metric == Metric::Share || metric.measure() == Measure::ErrorRate;
    at_any_speed || speed <= MOST_JUDGED_SPEED
}

fn places([simulated, live]: [&Record; 2]) -> Vec<Place<'_>> {
    // Both are of one scenario: the one that reached more phases has those of the other, too.
    let most = if live.phases.len() > simulated.phases.len() { live } else { simulated };
    let mut places = Vec::new();
    for (index, phase) in most.phases.iter().enumerate() {
        for version in (0..simulated.versions().count() as u16).map(VersionIndex) {
            let selection =
                Selection { phase: Some(index), version: Some(version), ..Selection::default() };
            let sides = [simulated, live].map(|record| Summary::of(record).select(selection));
            let any = sides
                .iter()
                .any(|side| side.attempts().assigned > 0 || side.attempts().completed() > 0);
            if any {
                let [one, other] = &sides;
                let measured = METRICS.iter().filter_map(|of| Measured::of(*of, one, other));
                let measured = measured.collect();
                places.push(Place { phase: &phase.name, version, sides, measured });
            }
        }
    }
    places
}

fn names(record: &Record, version: VersionIndex) -> Option<(ModelId, VersionId)> {
    let model = record.models.get(usize::from(record.model_of(version)?.0))?;
    Some((model.id.clone(), record.version(version)?.id.clone()))
}

/// What is held against each other of a version in a phase.
const METRICS: [Metric; 11] = [
    Metric::LatencyAvg,
    Metric::LatencyP50,
    Metric::LatencyP90,
    Metric::LatencyP99,
    Metric::TtftAvg,
    Metric::TtftP50,
    Metric::TtftP90,
    Metric::TtftP99,
    Metric::ErrorRate,
    Metric::Share,
    Metric::CostPer1kTokens,
];

/// What is allowed of any time at least, on the wall. Chosen: what a request spends in two sockets
/// and a gateway, which no upstream's latency has; a share of a first token of 20 ms would be less.
const LEAST_ON_THE_WALL: Duration = Duration::from_micros(500);

/// Chosen: at 20 times the speed a timer that ends 0.1 ms late adds 2 ms of engine time to every
/// wait, the tolerance of a latency of 200 ms.
pub(super) const MOST_JUDGED_SPEED: f64 = 20.0;
