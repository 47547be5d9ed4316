//! The probability of a false rollback, from weighted runs.

use serde::{Deserialize, Serialize};

use super::row::Row;
use crate::gate::EstimatedProbability;
use crate::math;
use crate::stats::{Interval, Moments};
use crate::units::{format_count, format_counted, format_percent};

/// The probability that a version is rolled back that was never bad, from weighted runs.
///
/// It is the mean of the weights of the runs with such a rollback. Of `n` runs whose mean is m with
/// standard error s the interval is `m exp(+-t s / m)`, t the quantile of Student's distribution:
/// Student's interval of the logarithm, which is never below 0. The runs are worth as many of equal
/// weight as `(sum w)^2 / sum w^2` over those with a rollback says (L. Kish, Survey Sampling, 1965,
/// section 11.7); with fewer than 100 nothing is estimated, for the greatest weights may not have
/// come yet.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RareEstimate {
    /// How many runs were made.
    pub runs: u64,
    /// In how many of them, tilted as they were, a version was falsely rolled back.
    pub hits: u64,
    /// How many runs of equal weight those are worth.
    pub effective: f64,
    /// The mean weight of all runs, with a rollback or without: 1 but for chance.
    pub mean_weight: f64,
    /// The probability; absent where the runs do not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The lower end of its interval, likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low: Option<f64>,
    /// The upper end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub high: Option<f64>,
}

impl RareEstimate {
    /// Of the runs of a cell; `None` where they are not weighted.
    pub(super) fn of(rows: &[&Row]) -> Option<Self> {
        let weights: Option<Vec<(bool, f64)>> = rows
            .iter()
            .map(|row| Some((row.false_rollbacks > 0, math::exp(row.rare?.ln_weight))))
            .collect();
        let weights = weights.filter(|weights| !weights.is_empty())?;
        let all: Vec<f64> = weights.iter().map(|(_, weight)| *weight).collect();
        let found: Vec<f64> =
            weights.iter().map(|(hit, weight)| if *hit { *weight } else { 0.0 }).collect();
        let squares: f64 = found.iter().map(|weight| weight * weight).sum();
        let sum: f64 = found.iter().sum();
        let effective = if squares > 0.0 { sum * sum / squares } else { 0.0 };
        let limits = Moments::of(&found)
            .filter(|_| effective >= FEWEST)
            .and_then(|moments| Some((moments.mean, limits(moments)?)));
        Some(Self {
            runs: rows.len() as u64,
            hits: weights.iter().filter(|(hit, _)| *hit).count() as u64,
            effective,
            mean_weight: all.iter().sum::<f64>() / all.len() as f64,
            value: limits.map(|(value, _)| value),
            low: limits.map(|(_, limits)| limits.low),
            high: limits.map(|(_, limits)| limits.high),
        })
    }

    /// Why nothing is estimated, in a sentence; `None` where something is.
    pub fn why_not(&self) -> Option<String> {
        if self.value.is_some() {
            return None;
        }
        if self.hits == 0 {
            return Some(format!(
                "unreliable: none of {} had a false rollback: either nothing that a healthy \
                 version does can make a rule fire, or more seeds are needed",
                format_counted(self.runs, "run", "runs")
            ));
        }
        // Rounded down: 99.9 are not enough.
        let (worth, fewest) = (self.effective.floor() as u64, FEWEST as u64);
        Some(format!(
            "unreliable: effective sample size {worth} of {fewest}: use about {} seeds",
            format_count(self.seeds_needed())
        ))
    }

    /// How many seeds would be enough, were all to stay as it is.
    fn seeds_needed(&self) -> u64 {
        let needed = self.runs as f64 * FEWEST / self.effective.max(1.0);
        // Half as much again, in two digits: what is needed is not known better.
        let wanted = (1.5 * needed).ceil();
        let unit = math::pow(10.0, (math::log10(wanted).floor() - 1.0).max(0.0));
        ((wanted / unit).ceil() * unit) as u64
    }

    /// As lines of the gate are judged on it.
    pub(super) fn for_gate(&self) -> EstimatedProbability {
        let limits = self.low.zip(self.high).map(|(low, high)| Interval { low, high });
        let told = match (self.why_not(), self.value, limits) {
            (None, Some(value), Some(Interval { low, high })) => format!(
                "{value:.2e} [{low:.2e}, {high:.2e}] from {}",
                format_counted(self.runs, "weighted run", "weighted runs")
            ),
            (why, ..) => why.unwrap_or_default(),
        };
        EstimatedProbability { value: self.value, limits, runs: self.runs, told }
    }

    /// How far the estimate may be off, as a share of it.
    pub fn precision(&self) -> Option<String> {
        let (value, low, high) = (self.value?, self.low?, self.high?);
        Some(format_percent(0.5 * (high - low) / value))
    }
}

/// Student's interval of the logarithm of a mean.
fn limits(moments: Moments) -> Option<Interval> {
    let Moments { count, mean, variance } = moments;
    let freedom = count.checked_sub(1).filter(|freedom| *freedom > 0)? as f64;
    let error = (variance / count as f64).sqrt() / mean;
    let width = math::student_t_quantile(0.975, freedom) * error;
    let factor = math::exp(width);
    (mean > 0.0).then(|| Interval { low: mean / factor, high: (mean * factor).min(1.0) })
}

/// Chosen: an estimate from fewer has an error of a tenth and more, and its heaviest runs, which
/// decide it, may not have come. From the design of the statistics.
const FEWEST: f64 = 100.0;

#[cfg(test)]
mod tests {
    use super::super::example::row;
    use super::super::rare_row::RareRow;
    use super::*;

    fn estimate(weights: &[(bool, f64)]) -> RareEstimate {
        let made = (0..).zip(weights).map(|(seed, (hit, weight))| Row {
            false_rollbacks: u64::from(*hit),
            rare: Some(RareRow { ln_weight: weight.ln() }),
            ..row(0, seed, *hit)
        });
        let rows: Vec<Row> = made.collect();
        RareEstimate::of(&rows.iter().collect::<Vec<_>>()).unwrap()
    }

    #[test]
    fn it_is_the_mean_weight_of_runs_with_a_rollback() {
        // 200 of 400 with 1e-6: mean 5e-7, variance of 0 and 1e-6 with equal shares (n / (n - 1))
        // 2.506e-13, error 2.503e-8, 5.006 %; t(399) = 1.96593; exp(0.098418) = 1.10342.
        let found = estimate(&[(true, 1e-6), (false, 1.5)].repeat(200));
        assert_eq!((found.runs, found.hits), (400, 200));
        let near =
            |found: f64, wanted: f64| assert!((found / wanted - 1.0).abs() < 1e-4, "{found}");
        near(found.effective, 200.0);
        near(found.value.unwrap(), 5e-7);
        near(found.low.unwrap(), 5e-7 / 1.103_42);
        near(found.high.unwrap(), 5e-7 * 1.103_42);
        near(found.mean_weight, 0.750_000_5);
        assert_eq!(found.why_not(), None);
    }

    #[test]
    fn few_runs_and_a_few_heavy_ones_tell_nothing() {
        let few = estimate(&[(true, 1e-6), (false, 1.0)].repeat(99));
        assert_eq!((few.value, few.low, few.high), (None, None, None));
        let why = few.why_not().unwrap();
        assert!(why.contains("effective sample size 99 of 100: use about 310 seeds"), "{why}");
        // One weighs as much as 1,000 others: (2e-3)^2 / (1e-6 + 1e-9) is 4.
        let mut weights = vec![(true, 1e-6); 1_000];
        weights.push((true, 1e-3));
        let heavy = estimate(&weights);
        assert!((heavy.effective - 3.996).abs() < 0.01, "{}", heavy.effective);
        assert_eq!(heavy.value, None);
        let none = estimate(&[(false, 1.0); 50]);
        assert!(none.why_not().unwrap().contains("none of 50 runs"), "{none:?}");
    }
}
