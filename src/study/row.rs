//! What is kept of one run of a study: a row of small integers.

use serde::{Deserialize, Serialize};

use super::cell::Cell;
use crate::gate::RunValue;
use crate::rare::RareFigure;
use crate::record::{Happening, Record, Rollback};
use crate::result::columns;
use crate::units::{Duration, Timestamp};

/// What is kept of one run: integers, and what lines of the gate ask for beside them. The same run
/// gives the same row.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// The cell that it is of (an index).
    pub cell: u32,
    /// Its seed.
    pub seed: u64,
    /// Requests that were sent.
    pub requests: u64,
    /// Those of them that failed for their clients.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failed: u64,
    /// Rollbacks by rules and judges.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rollbacks: u64,
    /// Those of them of a version that was never bad since its activation.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub false_rollbacks: u64,
    /// Versions that became the stable.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub promotions: u64,
    /// The trigger of the first rollback, in the list of all triggers of the scenario.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trigger: Option<u16>,
    /// When the first rollback was, since the run began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back_after: Option<Duration>,
    /// From the onset to the first breach of the trigger that rolled a bad version back; absent
    /// where none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_to_detect: Option<Duration>,
    /// From the onset to the rollback of a bad version; absent where none was rolled back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_to_rollback: Option<Duration>,
    /// From the first onset to the end of the run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watched: Option<Duration>,
    /// Requests of bad versions from the onset to the last drained one.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub blast_requests: u64,
    /// Those of them that failed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub blast_failed: u64,
    /// Those of them that were answered more than 20 % slower than by the stable.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub blast_slowed: u64,
    /// Whether the harm went on to the end of the run.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub open_ended: bool,
    /// Phases that the traffic ended before.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unreached: u64,
    /// Faults that the traffic ended before, of phases that were reached.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub missed_faults: u64,
    /// What the lines of the gate read, in the order of the cell's readings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<RunValue>,
    /// Of a run that looks for a rare rollback; absent of any other.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rare: Option<RareFigure>,
}

impl Row {
    /// What is kept of the run of `cell` (the one of this index) that left `record` behind.
    pub fn of(index: u32, cell: &Cell, record: &Record) -> Self {
        let scenario = &cell.loaded.scenario;
        let first = record.rollbacks.first();
        let bad = record.rollbacks.iter().find_map(|one| Some((one, one.onset?)));
        let since =
            |when: fn(&Rollback) -> Timestamp| bad.map(|(one, onset)| when(one).since(onset));
        let blasts = || record.blasts.iter();
        let missed = |happening: &Happening| matches!(happening, Happening::FaultMissed { .. });
        let events = record.timeline.events.iter();
        let onset = blasts().map(|blast| blast.onset).min();
        let specs = columns(scenario);
        let readings = cell.lines.readings().iter();
        Self {
            cell: index,
            seed: record.seed,
            requests: record.requests(),
            failed: failed(record),
            rollbacks: record.rollbacks.len() as u64,
            false_rollbacks: record.rollbacks.iter().filter(|one| one.onset.is_none()).count()
                as u64,
            promotions: record.promotions.len() as u64,
            trigger: first.and_then(|one| trigger(one, record)),
            rolled_back_after: first.map(|one| one.at.since(record.start)),
            time_to_detect: since(|one| one.evidence.first_breach),
            time_to_rollback: since(|one| one.at),
            watched: onset.map(|onset| record.end.since(onset)),
            blast_requests: blasts().map(|blast| blast.requests).sum(),
            blast_failed: blasts().map(|blast| blast.failed).sum(),
            blast_slowed: blasts().map(|blast| blast.slowed).sum(),
            open_ended: blasts().any(|blast| blast.drained.is_none()),
            unreached: scenario.phases.len().saturating_sub(record.phases.len()) as u64,
            missed_faults: events.filter(|event| missed(&event.happening)).count() as u64,
            values: readings.map(|reading| RunValue::read(reading, record, &specs)).collect(),
            rare: None,
        }
    }
}

/// Requests that failed for their clients.
fn failed(record: &Record) -> u64 {
    let cells = record.cells.iter().map(|cell| {
        let retried = cell.finals.as_ref().map_or(0, |finals| finals.failed.total());
        cell.tally.failed.total() + retried
    });
    cells.sum::<u64>() + record.refused_for_keys()
}

/// The place of a rollback's trigger in the list of all triggers, model by model.
fn trigger(rollback: &Rollback, record: &Record) -> Option<u16> {
    let model = usize::from(record.model_of(rollback.version)?.0);
    let before: usize = record.models[..model].iter().map(|model| model.triggers.len()).sum();
    let names = &record.models[model].triggers;
    let own = names.iter().position(|name| *name == rollback.evidence.trigger)?;
    u16::try_from(before + own).ok()
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

#[cfg(test)]
mod tests {
    use super::super::cell::trigger_names;
    use super::super::example::{cell, played};
    use super::*;
    use crate::metric::Metric;
    use crate::summary::{Estimate, Method, Selection, Summary};

    fn told(record: &Record, metric: Metric) -> Estimate {
        Summary::of(record).select(Selection::default()).estimate(metric, Method::Display)
    }

    #[test]
    fn a_row_says_what_the_summary_of_the_run_says() {
        let cell = cell(&["p(rollback) > 1%"]);
        let mut rolled_back = 0;
        for seed in 1..=12 {
            let record = played(&cell, seed);
            let row = Row::of(3, &cell, &record);
            assert_eq!((row.cell, row.seed, row.requests), (3, seed, record.requests()));
            let counts = [
                (Metric::Rollbacks, row.rollbacks),
                (Metric::FalseRollbacks, row.false_rollbacks),
                (Metric::Promotions, row.promotions),
                (Metric::BlastRadiusRequests, row.blast_requests),
                (Metric::BlastRadiusFailed, row.blast_failed),
                (Metric::BlastRadiusSlowed, row.blast_slowed),
            ];
            for (metric, own) in counts {
                assert_eq!(told(&record, metric).value, Some(own as f64), "{metric}");
            }
            let share = told(&record, Metric::FinalErrorRate);
            let errors = share.value.unwrap() * share.n as f64;
            assert!((errors - row.failed as f64).abs() < 1e-6, "{errors} {row:?}");
            let times = [
                (Metric::TimeToRollback, row.time_to_rollback),
                (Metric::TimeToDetect, row.time_to_detect),
            ];
            for (metric, own) in times {
                let seconds = told(&record, metric).value;
                assert_eq!(seconds, own.map(Duration::as_secs_f64), "{metric}");
            }
            rolled_back += row.rollbacks;
            let fired =
                row.trigger.map(|at| trigger_names(&cell.loaded.scenario)[usize::from(at)].clone());
            assert_eq!(fired, record.rollbacks.first().map(|one| one.evidence.trigger.clone()));
            assert_eq!(row.values[1], RunValue::Known(row.rollbacks as f64));
        }
        assert!((1..12).contains(&rolled_back), "{rolled_back}: both happen");
    }

    #[test]
    fn a_row_is_read_back_as_it_was_written() {
        let cell = cell(&["median(time_to_rollback) < 1m", "median(latency_avg{phase=bad}) < 1s"]);
        for seed in 1..=4 {
            let row = Row::of(0, &cell, &played(&cell, seed));
            let text = serde_json::to_string(&row).unwrap();
            assert_eq!(serde_json::from_str::<Row>(&text).unwrap(), row, "{text}");
        }
    }
}
