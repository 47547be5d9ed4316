//! What the runs of one cell come to.

use serde::{Deserialize, Serialize};

use super::estimates::{CountQuantile, MeanOfRuns, RunTime, ShareOfRuns, TimeQuantile};
use super::rare_estimate::RareEstimate;
use super::row::Row;
use crate::gate::Judgement;
use crate::metric::Quantile;
use crate::stats::{Moments, PairedShares};
use crate::units::Duration;

/// What the runs of one cell come to.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellReport {
    /// The value of each variation.
    pub values: Vec<String>,
    /// How many runs were made.
    pub runs: u64,
    /// Whether it was stopped as its precision was reached.
    pub stopped: bool,
    /// Requests of all of them.
    pub requests: u64,
    /// Those of them that failed for their clients.
    pub failed: u64,
    /// Runs with a rollback by a rule or judge.
    pub rollback: ShareOfRuns,
    /// Runs with a rollback of a version that was never bad.
    pub false_rollback: ShareOfRuns,
    /// Runs in which a version became the stable.
    pub promotion: ShareOfRuns,
    /// Runs in which a bad version was rolled back within some time from the onset; the longest
    /// last.
    pub within: Vec<Within>,
    /// The time from the onset to the first breach of what rolled the bad version back: median and
    /// 90th percentile over all runs.
    pub time_to_detect: Vec<TimeQuantile>,
    /// The same, to the rollback.
    pub time_to_rollback: Vec<TimeQuantile>,
    /// The shortest time from the onset to the end of a run that did not roll a bad version back;
    /// absent where there is no such run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watched: Option<Duration>,
    /// Failed requests of bad versions.
    pub blast_failed: CountOfRuns,
    /// Their requests.
    pub blast_requests: CountOfRuns,
    /// Their slowed requests.
    pub blast_slowed: CountOfRuns,
    /// Runs in which the harm went on to the end: longer ones would have counted more.
    pub open_ended: u64,
    /// What rolled back first, and in how many runs.
    pub triggers: Vec<(String, u64)>,
    /// In how many runs a bad version had been rolled back by some time from the onset: steps, the
    /// first at the earliest rollback, the last at the latest.
    pub rolled_back_by: Vec<(Duration, u64)>,
    /// Runs in which the traffic ended before a phase, or a fault, began.
    pub cut_short: u64,
    /// How it differs from the first cell, run by run under the same seeds; absent of the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against_first: Option<AgainstFirst>,
    /// What became of the lines that are judged on it; absent where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub judgement: Option<Judgement>,
    /// The probability of a false rollback, where the runs were made to tell that and nothing else:
    /// they are weighted, and no share, time or harm of them means anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rare: Option<RareEstimate>,
}

/// Runs in which a bad version was rolled back within some time.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Within {
    /// From the onset on; absent for any time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<Duration>,
    /// The share of such runs.
    pub share: ShareOfRuns,
}

/// A number of things in each run.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CountOfRuns {
    /// Its mean.
    pub mean: MeanOfRuns,
    /// Its median and its 95th percentile.
    pub quantiles: Vec<CountQuantile>,
}

/// How a cell differs from the first: means of differences, of runs of one seed each.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AgainstFirst {
    /// Of the share of runs with a rollback.
    pub rollback: MeanOfRuns,
    /// Of the share of runs with a false rollback.
    pub false_rollback: MeanOfRuns,
    /// Of the time to rollback in seconds, of pairs in which both have one.
    pub time_to_rollback_seconds: MeanOfRuns,
    /// Of the failed requests of bad versions.
    pub blast_failed: MeanOfRuns,
    /// Of their requests.
    pub blast_requests: MeanOfRuns,
}

impl CellReport {
    /// Of these rows, in the order of their seeds; those of the first cell come with them, where
    /// this is another. Rows count in the list of `triggers`.
    pub(super) fn of(
        values: Vec<String>,
        rows: &[&Row],
        first: Option<&[&Row]>,
        triggers: &[String],
    ) -> Self {
        let n = rows.len() as u64;
        let count = |holds: fn(&Row) -> bool| rows.iter().filter(|row| holds(row)).count() as u64;
        let share = |holds| ShareOfRuns::of(count(holds), n);
        let sum = |part: fn(&Row) -> u64| rows.iter().map(|row| part(row)).sum();
        let counted = |part| CountOfRuns::of(rows, part);
        let never = rows.iter().filter(|row| row.time_to_rollback.is_none());
        let times = sorted(rows, |row| row.time_to_rollback);
        Self {
            values,
            runs: n,
            stopped: false,
            requests: sum(|row| row.requests),
            failed: sum(|row| row.failed),
            rollback: share(is_rolled_back),
            false_rollback: share(is_falsely_rolled_back),
            promotion: share(|row| row.promotions > 0),
            within: within(&times),
            time_to_detect: quantiles(&sorted(rows, |row| row.time_to_detect)),
            time_to_rollback: quantiles(&times),
            watched: never.filter_map(|row| row.watched).min(),
            blast_failed: counted(|row| row.blast_failed),
            blast_requests: counted(|row| row.blast_requests),
            blast_slowed: counted(|row| row.blast_slowed),
            open_ended: count(|row| row.open_ended),
            triggers: fired(rows, triggers),
            rolled_back_by: steps(&times),
            cut_short: count(|row| row.unreached > 0 || row.missed_faults > 0),
            against_first: first.map(|first| AgainstFirst::of(first, rows)),
            judgement: None,
            rare: None,
        }
    }

    /// Of rows of weighted runs.
    pub(super) fn of_rare(values: Vec<String>, rows: &[&Row], estimate: RareEstimate) -> Self {
        Self {
            runs: rows.len() as u64,
            requests: rows.iter().map(|row| row.requests).sum(),
            rare: Some(estimate),
            ..Self::of(values, &[], None, &[])
        }
    }
}

impl CountOfRuns {
    fn of(rows: &[&Row], part: fn(&Row) -> u64) -> Self {
        let mut counts: Vec<u64> = rows.iter().map(|row| part(row)).collect();
        let mean = MeanOfRuns::of_counts(counts.iter().copied());
        counts.sort_unstable();
        let quantiles = [Quantile::P50, Quantile::P95];
        Self { mean, quantiles: quantiles.map(|one| CountQuantile::of(one, &counts)).to_vec() }
    }
}

impl AgainstFirst {
    fn of(first: &[&Row], rows: &[&Row]) -> Self {
        // Both begin with the same seed and leave none out.
        let pairs = || first.iter().zip(rows).map(|(one, other)| (*one, *other));
        let shares = |holds: fn(&Row) -> bool| {
            let only = |holds: bool, not: bool| u64::from(holds && !not);
            let counted = pairs().fold((0, 0, 0), |(one, two, all), (first, other)| {
                let (a, b) = (holds(first), holds(other));
                (one + only(a, b), two + only(b, a), all + 1)
            });
            MeanOfRuns::of_shares(PairedShares::new(counted.0, counted.1, counted.2))
        };
        let counts = |part: fn(&Row) -> u64| {
            let differences = pairs().map(|(first, other)| part(other) as f64 - part(first) as f64);
            MeanOfRuns::of(Moments::of(&differences.collect::<Vec<_>>()))
        };
        let times = pairs().filter_map(|(first, other)| {
            let [one, two] = [first.time_to_rollback?, other.time_to_rollback?];
            Some(two.as_secs_f64() - one.as_secs_f64())
        });
        Self {
            rollback: shares(is_rolled_back),
            false_rollback: shares(is_falsely_rolled_back),
            time_to_rollback_seconds: MeanOfRuns::of(Moments::of(&times.collect::<Vec<_>>())),
            blast_failed: counts(|row| row.blast_failed),
            blast_requests: counts(|row| row.blast_requests),
        }
    }
}

const fn is_rolled_back(row: &Row) -> bool {
    row.rollbacks > 0
}

const fn is_falsely_rolled_back(row: &Row) -> bool {
    row.false_rollbacks > 0
}

/// A time of each run, the least first.
fn sorted(rows: &[&Row], time: fn(&Row) -> Option<Duration>) -> Vec<RunTime> {
    let of = |row: &&Row| time(row).map_or(RunTime::Never, RunTime::At);
    let mut times: Vec<RunTime> = rows.iter().map(of).collect();
    times.sort_unstable();
    times
}

fn quantiles(times: &[RunTime]) -> Vec<TimeQuantile> {
    [Quantile::P50, Quantile::P90].map(|quantile| TimeQuantile::of(quantile, times)).to_vec()
}

fn within(times: &[RunTime]) -> Vec<Within> {
    let n = times.len() as u64;
    let limits = WITHIN.map(Duration::from_secs).map(Some).into_iter().chain([None]);
    let share = |within: Option<Duration>| {
        let by = within.unwrap_or(Duration::MAX);
        let hits = times.partition_point(|time| *time <= RunTime::At(by)) as u64;
        Within { within, share: ShareOfRuns::of(hits, n) }
    };
    limits.map(share).collect()
}

/// What rolled back first, the most frequent first.
fn fired(rows: &[&Row], triggers: &[String]) -> Vec<(String, u64)> {
    let mut counts = vec![0; triggers.len()];
    for trigger in rows.iter().filter_map(|row| row.trigger) {
        if let Some(count) = counts.get_mut(usize::from(trigger)) {
            *count += 1;
        }
    }
    let named = triggers.iter().cloned().zip(counts).filter(|(_, count)| *count > 0);
    let mut named: Vec<(String, u64)> = named.collect();
    named.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    named
}

/// Times at which more runs have been rolled back than before, thinned where there are many.
fn steps(times: &[RunTime]) -> Vec<(Duration, u64)> {
    let mut steps: Vec<(Duration, u64)> = Vec::new();
    for (time, count) in times.iter().zip(1_u64..) {
        let RunTime::At(time) = time else { break };
        match steps.last_mut().filter(|(last, _)| last == time) {
            Some(last) => last.1 = count,
            None => steps.push((*time, count)),
        }
    }
    let every = steps.len().div_ceil(MOST_STEPS).max(1);
    let last = steps.len().saturating_sub(1);
    let kept = steps.into_iter().enumerate().filter(|(at, _)| at % every == 0 || *at == last);
    kept.map(|(_, step)| step).collect()
}

/// In seconds. Chosen: one check of a usual rule and its duration, what a person needs to see a
/// page, and what a canary usually gets.
const WITHIN: [u64; 3] = [60, 300, 1_200];

/// Chosen: more are not told apart in a chart.
const MOST_STEPS: usize = 200;

#[cfg(test)]
mod tests {
    use super::super::example::row;
    use super::*;

    /// A row with a rollback after so many seconds and so many failures.
    fn made(seed: u64, seconds: Option<u64>, failed: u64) -> Row {
        let time = seconds.map(Duration::from_secs);
        Row {
            time_to_rollback: time,
            time_to_detect: time,
            blast_failed: failed,
            watched: Some(Duration::from_secs(1_000 + seed)),
            ..row(0, seed, time.is_some())
        }
    }

    fn report(rows: &[Row], first: Option<&[Row]>) -> CellReport {
        let rows: Vec<&Row> = rows.iter().collect();
        let first = first.map(|rows| rows.iter().collect::<Vec<_>>());
        let triggers = ["a", "b"].map(str::to_owned);
        CellReport::of(vec!["1%".to_owned()], &rows, first.as_deref(), &triggers)
    }

    #[test]
    fn shares_times_and_harm_are_those_of_the_rows() {
        let rows = [
            made(1, Some(50), 5),
            made(2, Some(70), 7),
            made(3, None, 90),
            made(4, Some(2_000), 40),
        ];
        let found = report(&rows, None);
        assert_eq!((found.runs, found.requests, found.failed), (4, 4_000, 4));
        assert_eq!((found.rollback.hits, found.false_rollback.hits), (3, 0));
        let within: Vec<u64> = found.within.iter().map(|within| within.share.hits).collect();
        assert_eq!(within, [1, 2, 2, 3]);
        let seconds = |seconds| Some(RunTime::At(Duration::from_secs(seconds)));
        let values: Vec<_> = found.time_to_rollback.iter().map(|one| one.value).collect();
        assert_eq!(values, [seconds(70), Some(RunTime::Never)]);
        assert_eq!(found.watched, Some(Duration::from_secs(1_003)));
        assert_eq!(found.blast_failed.mean.value, Some(35.5));
        assert_eq!(found.blast_failed.quantiles[1].value, Some(90));
        let steps: Vec<(u64, u64)> =
            found.rolled_back_by.iter().map(|(time, count)| (time.as_secs(), *count)).collect();
        assert_eq!(steps, [(50, 1), (70, 2), (2_000, 3)]);
        assert_eq!(found.triggers, [("a".to_owned(), 3)]);
    }

    #[test]
    fn differences_are_between_runs_of_one_seed() {
        let first: Vec<Row> = (1..=4).map(|seed| made(seed, Some(50 * seed), 10 * seed)).collect();
        let other: Vec<Row> = (1..=3)
            .map(|seed| made(seed, (seed != 2).then_some(50 * seed + seed), 10 * seed + 2))
            .collect();
        let found = report(&other, Some(&first)).against_first.unwrap();
        // The fourth seed has no run here; in the second pair one has no time.
        assert_eq!((found.blast_failed.n, found.blast_failed.value), (3, Some(2.0)));
        assert_eq!((found.blast_failed.low, found.blast_failed.high), (Some(2.0), Some(2.0)));
        let times = found.time_to_rollback_seconds;
        assert_eq!((times.n, times.value), (2, Some(2.0)));
        assert_eq!((found.rollback.n, found.rollback.value), (3, Some(-1.0 / 3.0)));
        assert_eq!(found.false_rollback.value, Some(0.0));
        assert!(found.false_rollback.high > Some(0.0), "no point where nothing differs");
    }

    #[test]
    fn a_course_of_many_steps_is_thinned_and_keeps_its_ends() {
        let rows: Vec<Row> = (1..=1_000).map(|seed| made(seed, Some(seed), 0)).collect();
        let steps = report(&rows, None).rolled_back_by;
        assert!(steps.len() <= MOST_STEPS + 1, "{}", steps.len());
        assert_eq!(steps[0], (Duration::from_secs(1), 1));
        assert_eq!(steps[steps.len() - 1], (Duration::from_secs(1_000), 1_000));
        assert_eq!(report(&rows[..0], None).rolled_back_by, []);
    }
}
