//! The probability of a false rollback, from weighted runs or from replicates of splitting.

use serde::{Deserialize, Serialize};

use super::row::Row;
use crate::gate::EstimatedProbability;
use crate::math;
use crate::rare::{HEAVIEST, RareFigure};
use crate::stats::{Confidence, Interval, Moments};
use crate::units::{format_count, format_counted, format_percent};

/// The probability that a version is rolled back that was never bad.
///
/// It is the mean of what each run estimates: its weight where it has such a rollback and 0 where
/// not, or what a replicate of splitting comes to. Of `n` of them whose mean is m with standard
/// error s the interval is `m exp(+-t s / m)`, t the quantile of Student's distribution: Student's
/// interval of the logarithm, which is never below 0.
///
/// They are worth as many of equal weight as `(sum w)^2 / sum w^2` says (L. Kish, Survey Sampling,
/// 1965, section 11.7). Nothing is estimated from weighted runs worth fewer than 100, nor from
/// replicates with an error of more than half: what is heaviest may not have come yet.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RareEstimate {
    /// How.
    pub method: RareMethod,
    /// How many runs, or replicates, were made.
    pub runs: u64,
    /// In how many of them, tilted as they were, a version was falsely rolled back; how many
    /// replicates reached one.
    pub hits: u64,
    /// How many of equal weight those are worth.
    pub effective: f64,
    /// The mean weight of all runs, with a rollback or without: 1 but for chance. Absent of
    /// replicates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean_weight: Option<f64>,
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

/// How a rare probability is estimated.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RareMethod {
    /// By importance sampling.
    Weighted,
    /// By multilevel splitting.
    Splitting,
}

impl RareEstimate {
    /// Of the runs of a cell; `None` where they do not look for rare rollbacks.
    pub(super) fn of(rows: &[&Row]) -> Option<Self> {
        let figures: Option<Vec<RareFigure>> = rows.iter().map(|row| row.rare).collect();
        let figures = figures.filter(|figures| !figures.is_empty())?;
        let method = match figures[0] {
            RareFigure::Weighted { .. } => RareMethod::Weighted,
            RareFigure::Split { .. } => RareMethod::Splitting,
        };
        let weights: Vec<f64> = figures.iter().map(|figure| weight(*figure)).collect();
        let found = rows.iter().zip(&weights);
        let found: Vec<f64> = found
            .map(|(row, weight)| if row.false_rollbacks > 0 { *weight } else { 0.0 })
            .collect();
        let squares: f64 = found.iter().map(|weight| weight * weight).sum();
        let sum: f64 = found.iter().sum();
        // Rounded to what sums of weights tell: a hundred equal ones are worth a hundred.
        let effective = if squares > 0.0 { (1e6 * sum * sum / squares).round() / 1e6 } else { 0.0 };
        let moments = Moments::of(&found).filter(|moments| match method {
            RareMethod::Weighted => effective >= FEWEST,
            RareMethod::Splitting => {
                moments.count >= FEWEST_CLIMBS && relative_error(*moments) <= MOST_ERROR
            }
        });
        let limits = moments.and_then(|moments| Some((moments.mean, limits(moments)?)));
        let mean_weight = weights.iter().sum::<f64>() / weights.len() as f64;
        Some(Self {
            method,
            runs: rows.len() as u64,
            hits: rows.iter().filter(|row| row.false_rollbacks > 0).count() as u64,
            effective,
            mean_weight: Some(mean_weight).filter(|_| method == RareMethod::Weighted),
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
        let runs = format_counted(self.runs, "run", "runs");
        let why = match self.method {
            _ if self.hits == 0 => format!(
                "unreliable: none of {runs} had a false rollback: either nothing that a healthy \
                 version does can make a rule fire, or more seeds are needed"
            ),
            RareMethod::Splitting if self.runs < FEWEST_CLIMBS => format!(
                "unreliable: {runs} of splitting do not tell how far they are off: use \
                 {FEWEST_CLIMBS} seeds at least"
            ),
            RareMethod::Splitting => format!(
                "unreliable: {runs} of splitting leave an error of more than half: use more seeds"
            ),
            // Rounded down: 99.9 are not enough.
            RareMethod::Weighted => format!(
                "unreliable: effective sample size {} of {}: use about {} seeds",
                self.effective.floor() as u64,
                FEWEST as u64,
                format_count(self.seeds_needed())
            ),
        };
        let bound = self.at_most().map(|bound| format!("; it is at most {bound:.1e} (95 %)"));
        Some(why + &bound.unwrap_or_default())
    }

    /// An upper limit at 95 %, one-sided, that holds for as few runs as there are: no weighted run
    /// weighs more than [`HEAVIEST`], so that the probability is at most so many times that of a
    /// rollback in a tilted run, whose limit is that of Clopper and Pearson. `None` of splitting,
    /// and where that limit is none.
    pub fn at_most(&self) -> Option<f64> {
        let tilted = Interval::clopper_pearson(self.hits, self.runs, BOTH_SIDES).high;
        let bound = HEAVIEST * tilted;
        Some(bound).filter(|bound| self.method == RareMethod::Weighted && *bound < 1.0)
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
                match self.method {
                    RareMethod::Weighted => {
                        format_counted(self.runs, "weighted run", "weighted runs")
                    }
                    RareMethod::Splitting => {
                        format_counted(self.runs, "run of splitting", "runs of splitting")
                    }
                }
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

/// What a run estimates that has a false rollback.
fn weight(figure: RareFigure) -> f64 {
    match figure {
        RareFigure::Weighted { ln_weight } => math::exp(ln_weight),
        RareFigure::Split { ln_probability } => ln_probability.map_or(0.0, math::exp),
    }
}

/// The standard error of a mean as a share of it; infinite where there is no telling.
fn relative_error(moments: Moments) -> f64 {
    let Moments { count, mean, variance } = moments;
    let known = count > 1 && mean > 0.0;
    if known { (variance / count as f64).sqrt() / mean } else { f64::INFINITY }
}

/// Student's interval of the logarithm of a mean.
fn limits(moments: Moments) -> Option<Interval> {
    let Moments { count, mean, .. } = moments;
    let freedom = count.checked_sub(1).filter(|freedom| *freedom > 0)? as f64;
    let width = math::student_t_quantile(0.975, freedom) * relative_error(moments);
    let factor = math::exp(width);
    (mean > 0.0).then(|| Interval { low: mean / factor, high: (mean * factor).min(1.0) })
}

/// Of which either limit alone has 95 %.
const BOTH_SIDES: Confidence = Confidence::PERCENT_90;
/// Chosen: an estimate from fewer has an error of a tenth and more, and its heaviest runs, which
/// decide it, may not have come. From the design of the statistics.
const FEWEST: f64 = 100.0;
/// Likewise.
const MOST_ERROR: f64 = 0.5;
/// Chosen: fewer differ twentyfold where they happen to be near each other, and pass for sure.
const FEWEST_CLIMBS: u64 = 10;

#[cfg(test)]
mod tests {
    use super::super::example::row;
    use super::*;

    fn estimate(weights: &[(bool, f64)]) -> RareEstimate {
        let made = (0..).zip(weights).map(|(seed, (hit, weight))| Row {
            false_rollbacks: u64::from(*hit),
            rare: Some(RareFigure::Weighted { ln_weight: math::ln(*weight) }),
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
        near(found.mean_weight.unwrap(), 0.750_000_5);
        assert_eq!(found.why_not(), None);
    }

    #[test]
    fn few_runs_and_a_few_heavy_ones_tell_nothing() {
        let few = estimate(&[(true, 1e-6), (false, 1.0)].repeat(99));
        assert_eq!((few.value, few.low, few.high), (None, None, None));
        let why = few.why_not().unwrap();
        assert!(why.contains("effective sample size 99 of 100: use about 300 seeds"), "{why}");
        // One weighs as much as 1,000 others: (2e-3)^2 / (1e-6 + 1e-9) is 4.
        let mut weights = vec![(true, 1e-6); 1_000];
        weights.push((true, 1e-3));
        let heavy = estimate(&weights);
        assert!((heavy.effective - 3.996).abs() < 0.01, "{}", heavy.effective);
        assert_eq!(heavy.value, None);
        let none = estimate(&[(false, 1.0); 50]);
        assert!(none.why_not().unwrap().contains("none of 50 runs"), "{none:?}");
        assert_eq!(none.at_most(), None, "20 times 1 - 0.05^(1/50) is 1.16");
    }

    #[test]
    fn runs_without_a_rollback_bound_it_by_the_heaviest_weight() {
        let none = estimate(&[(false, 1.0); 1_500]);
        // 20 (1 - 0.05^(1/1500)).
        let bound = none.at_most().unwrap();
        assert!((bound / 3.990_4e-2 - 1.0).abs() < 1e-4, "{bound}");
        let why = none.why_not().unwrap();
        assert!(why.ends_with("; it is at most 4.0e-2 (95 %)"), "{why}");
    }

    #[test]
    fn replicates_of_splitting_are_averaged_and_must_agree() {
        let of = |probabilities: &[Option<f64>]| {
            let made = (0..).zip(probabilities).map(|(seed, probability)| {
                let ln_probability = probability.map(math::ln);
                let rare = Some(RareFigure::Split { ln_probability });
                let false_rollbacks = u64::from(probability.is_some());
                Row { false_rollbacks, rare, ..row(0, seed, false) }
            });
            let rows: Vec<Row> = made.collect();
            RareEstimate::of(&rows.iter().collect::<Vec<_>>()).unwrap()
        };
        // 1, 2 and 3 times 1e-7, four times each: mean 2e-7, variance 8/11 e-14, error 1e-7
        // sqrt(8/132), 12.309 %; t(11) = 2.200985; exp(0.270922) = 1.311173.
        let three = [Some(1e-7), Some(2e-7), Some(3e-7)];
        let found = of(&three.repeat(4));
        assert_eq!((found.method, found.mean_weight), (RareMethod::Splitting, None));
        assert!((found.value.unwrap() / 2e-7 - 1.0).abs() < 1e-9, "{found:?}");
        assert!((found.high.unwrap() / 2e-7 - 1.311_173).abs() < 1e-3, "{found:?}");
        let few = of(&three.repeat(3));
        assert_eq!(few.value, None);
        assert!(few.why_not().unwrap().ends_with("use 10 seeds at least"), "{few:?}");
        let mut one = vec![None; 11];
        one.push(Some(1e-7));
        assert_eq!(of(&one).value, None);
    }
}
