//! What a rule set was found to do: to each bad release, to a healthy one, and beside another set.

use serde::{Deserialize, Serialize};

use super::played::Played;
use super::search::{ONE_SIDED, upper};
use crate::engine::RawRules;
use crate::metric::Quantile;
use crate::scenario::NamedFault;
use crate::stats::{Confidence, Interval, Moments};
use crate::study::{MeanOfRuns, RunTime, ShareOfRuns, TimeQuantile};

/// A rule set and what it was found to do, in runs that no search has used.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tried {
    /// Its name in the report: `present`, or a letter.
    pub name: String,
    /// The names of its triggers that can take the canary's traffic away.
    pub triggers: Vec<String>,
    /// The rules, as a gateway takes them, but for whom they notify: that may hold a secret.
    pub rules: RawRules,
    /// The probability of a false rollback that its judges promise whatever the traffic; assumed,
    /// not measured. Absent where conditions take part, which promise nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promised: Option<f64>,
    /// How often it rolled a healthy release back.
    pub alarms: Alarms,
    /// The harm of a bad release, each fault with its weight: failed and slowed requests.
    pub harm: MeanOfRuns,
    /// The same of the faults that the search has not seen; absent where there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub harm_held_out: Option<MeanOfRuns>,
    /// Runs of bad releases that it did not roll back.
    pub missed: ShareOfRuns,
    /// What it did to each fault, in their order.
    pub faults: Vec<OnFault>,
}

/// How often a healthy release was rolled back.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Alarms {
    /// In how many runs.
    pub hits: u64,
    /// Of how many.
    pub n: u64,
    /// The one-sided upper limit of its probability (Clopper and Pearson).
    pub upper: f64,
    /// The confidence of that.
    pub confidence: f64,
}

/// What a rule set did to one fault.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OnFault {
    /// Runs in which it rolled the canary back after the onset.
    pub found: ShareOfRuns,
    /// The median time from the onset to that, runs without it counted as later than all others.
    pub time_to_rollback: TimeQuantile,
    /// Failed and slowed requests.
    pub harm: MeanOfRuns,
}

/// A harm as a share of another, of the same faults and seeds.
#[derive(Clone, Copy, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HarmRatio {
    /// Over how many seeds.
    pub n: u64,
    /// The ratio of the sums.
    pub value: f64,
    /// The lower end of its 95 % interval: Student's, of the ratio made linear (delta method), over
    /// pairs of one seed.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

impl Alarms {
    /// Of so many runs, of which so many were rolled back, at this one-sided confidence.
    pub fn of(hits: u64, n: u64, confidence: Confidence) -> Self {
        Self { hits, n, upper: upper(hits, n, confidence), confidence: confidence.get() }
    }

    /// At 95 %.
    pub fn at_95(hits: u64, n: u64) -> Self {
        Self::of(hits, n, ONE_SIDED)
    }
}

impl OnFault {
    /// Of these runs.
    pub(super) fn of(runs: &[&Played]) -> Self {
        let time = |run: &&Played| run.found_after.map_or(RunTime::Never, RunTime::At);
        let mut times: Vec<RunTime> = runs.iter().map(time).collect();
        times.sort_unstable();
        let found = runs.iter().filter(|run| run.found_after.is_some()).count() as u64;
        Self {
            found: ShareOfRuns::of(found, runs.len() as u64),
            time_to_rollback: TimeQuantile::of(Quantile::P50, &times),
            harm: MeanOfRuns::of_counts(runs.iter().map(|run| run.harm)),
        }
    }
}

/// By seed, the expected harm of a bad release: the mean over faults, each with its weight. `runs`
/// are those of each fault, in the order of the seeds.
pub(super) fn expected(faults: &[(&NamedFault, &[Played])]) -> Vec<f64> {
    let weights: f64 = faults.iter().map(|(fault, _)| fault.weight).sum();
    let seeds = faults.iter().map(|(_, runs)| runs.len()).min().unwrap_or(0);
    let of_seed = |seed: usize| {
        let harms = faults.iter().map(|(fault, runs)| fault.weight * runs[seed].harm as f64);
        harms.sum::<f64>() / weights
    };
    (0..seeds).map(of_seed).collect()
}

/// The mean of what was expected by seed.
pub(super) fn mean(expected: &[f64]) -> MeanOfRuns {
    MeanOfRuns::of(Moments::of(expected))
}

/// The harm `of` a rule set as a share of that of another; `None` where either had none, so that
/// nothing is known of the ratio, or where there are fewer than two pairs.
///
/// With r the ratio of the sums and y the mean of the other, `d = (x_i - r y_i) / y` has the mean 0
/// and the standard error of r (delta method): r with Student's interval of d.
pub(super) fn ratio(of: &[f64], other: &[f64]) -> Option<HarmRatio> {
    let (sum, base) = (of.iter().sum::<f64>(), other.iter().sum::<f64>());
    if sum <= 0.0 || base <= 0.0 {
        return None;
    }
    let (value, mean) = (sum / base, base / other.len() as f64);
    let linear: Vec<f64> = of.iter().zip(other).map(|(x, y)| (x - value * y) / mean).collect();
    let moments = Moments::of(&linear)?;
    let limits = Interval::student(moments, Confidence::PERCENT_95)?;
    let (low, high) = ((value + limits.low).max(0.0), value + limits.high);
    Some(HarmRatio { n: moments.count, value, low, high })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Duration;

    fn run(harm: u64, found: Option<u64>) -> Played {
        let found_after = found.map(Duration::from_secs);
        Played { harm, found_after, health: Vec::new() }
    }

    fn fault(weight: f64) -> NamedFault {
        let (name, held_out, faults) = ("a".to_owned(), false, Vec::new());
        NamedFault { name, weight, held_out, faults }
    }

    #[test]
    fn a_run_without_a_rollback_is_later_than_all_others() {
        let runs = [run(1, Some(60)), run(2, None), run(30, None)];
        let on = OnFault::of(&runs.iter().collect::<Vec<_>>());
        assert_eq!((on.found.hits, on.found.n), (1, 3));
        assert_eq!(on.time_to_rollback.value, Some(RunTime::Never));
        assert_eq!(on.harm.value, Some(11.0));
    }

    #[test]
    fn harm_is_expected_over_faults_by_their_weights_and_compared_seed_by_seed() {
        let (often, seldom) = (fault(3.0), fault(1.0));
        let many = [run(10, None), run(20, None)];
        let few = [run(50, None), run(0, None)];
        let harms = expected(&[(&often, &many), (&seldom, &few)]);
        // (3 x 10 + 50) / 4, (3 x 20 + 0) / 4.
        assert_eq!(harms, [20.0, 15.0]);
        // Half of it in each seed: the ratio is 0.5 without any doubt.
        let half = ratio(&[10.0, 7.5], &harms).unwrap();
        assert_eq!((half.n, half.value), (2, 0.5));
        assert!((half.low - 0.5).abs() < 1e-12 && (half.high - 0.5).abs() < 1e-12, "{half:?}");
        assert_eq!(ratio(&[0.0, 0.0], &[1.0, 2.0]), None);
        assert_eq!(ratio(&[1.0, 2.0], &[0.0, 0.0]), None);
        // x 1, 2, 4 against y 2, 5, 5: r = 7/12, d = (x - r y) / 4 = -1/24, -11/48, 13/48; their
        // variance is (4 + 121 + 169) / 2 / 2304 and t with 2 degrees of freedom 4.302653.
        let of_three = ratio(&[1.0, 2.0, 4.0], &[2.0, 5.0, 5.0]).unwrap();
        let half = 4.302_652_73 * (294.0_f64 / 2.0 / 2_304.0 / 3.0).sqrt();
        assert!((of_three.high - 7.0 / 12.0 - half).abs() < 1e-7, "{of_three:?}");
    }
}
