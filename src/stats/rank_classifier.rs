//! What Kayenta's judge makes of the rank test of a metric.

use super::interval::Confidence;
use super::rank_test::MannWhitney;

/// Classifies a metric of the canary against the stable's as Kayenta's `NetflixACAJudge` does.
///
/// The canary is high where the lower limit of the shift is above `tolerance |shift|` and the
/// effect size is at least what is allowed, low where the upper limit is below `-tolerance |shift|`
/// and the effect size is at most that; an effect size that cannot be computed does not stand in
/// the way. Equal samples pass untested.
///
/// Kayenta adds noise from a generator to two samples that do not vary, for its ranks to differ;
/// here their only difference is the shift and both its limits, which classifies the same.
///
/// Where most values are equal, such as the errors of quiet minutes, shift and limits lie at one
/// step of the statistic, and how far the search stops from it decides (see [`MannWhitney`]): as in
/// Kayenta, such a finding means little. Longer buckets of time help.
///
/// What it does with many metrics, the score of groups and which metrics are critical, is not for
/// this: one rule asks for one metric.
///
/// Source: spinnaker/kayenta, kayenta-judge, `NetflixACAJudge` and `MannWhitneyClassifier`.
///
/// ```
/// use coalmine::stats::{RankClassifier, RankFinding};
/// let (canary, stable) = ([20.0, 22.0, 21.0, 25.0, 30.0], [1.0, 2.2, 1.1, 2.5, 3.0]);
/// let verdict = RankClassifier::default().classify(&canary, &stable);
/// assert_eq!(verdict.finding, RankFinding::High);
/// ```
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RankClassifier {
    /// In which direction a difference is one.
    pub direction: RankDirection,
    /// How far from 0 a limit of the shift must be, as a share of the shift; 0.25 as in Kayenta.
    pub tolerance: f64,
    /// That of the limits; 98 % as in Kayenta.
    pub confidence: Confidence,
    /// How the size of the difference is measured.
    pub effect: RankEffect,
    /// The least effect size of a canary that is high.
    pub allowed_increase: f64,
    /// The largest effect size of a canary that is low.
    pub allowed_decrease: f64,
    /// Whether values that are no numbers count as 0, an empty sample then passing; else they are
    /// removed.
    pub missing_is_zero: bool,
    /// Removes values this many interquartile ranges beyond the quartiles, 3 in Kayenta, if they
    /// are beyond the first and the last percentile too; `None` keeps all.
    pub outlier_factor: Option<f64>,
}

/// In which direction a difference of the canary's metric is one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RankDirection {
    /// A higher metric.
    Increase,
    /// A lower metric.
    Decrease,
    /// Both.
    Either,
}

/// How the size of a difference is measured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RankEffect {
    /// [`MannWhitney::mean_ratio`]; 1 for none.
    MeanRatio,
    /// [`MannWhitney::superiority`], Kayenta's `cles`; 0.5 for none.
    Superiority,
}

/// How a metric of the canary compares.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RankFinding {
    /// Not told apart from the stable's in the direction that counts.
    Pass,
    /// Higher than the stable's.
    High,
    /// Lower than the stable's.
    Low,
    /// One of the samples is empty.
    NoData,
}

/// A finding with the test that it rests on.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RankVerdict {
    /// What was found.
    pub finding: RankFinding,
    /// The test; `None` where none was made.
    pub test: Option<MannWhitney>,
}

/// Kayenta's: both directions, tolerance 0.25, confidence 98 %, any ratio of the means, what is
/// missing removed, outliers kept.
impl Default for RankClassifier {
    fn default() -> Self {
        Self {
            direction: RankDirection::Either,
            tolerance: 0.25,
            confidence: Confidence::PERCENT_98,
            effect: RankEffect::MeanRatio,
            allowed_increase: 1.0,
            allowed_decrease: 1.0,
            missing_is_zero: false,
            outlier_factor: None,
        }
    }
}

impl RankClassifier {
    /// Classifies the `canary`'s values of a metric against the `stable`'s, each a bucket of time.
    pub fn classify(&self, canary: &[f64], stable: &[f64]) -> RankVerdict {
        let untested = |finding| RankVerdict { finding, test: None };
        let [canary, stable] = [canary, stable].map(|values| self.prepared(values));
        if canary.is_empty() || stable.is_empty() {
            let passes = self.missing_is_zero;
            return untested(if passes { RankFinding::Pass } else { RankFinding::NoData });
        }
        let constant = |value: f64| canary.iter().chain(&stable).all(|other| *other == value);
        if canary == stable || constant(canary[0]) {
            return untested(RankFinding::Pass);
        }
        MannWhitney::of(&canary, &stable, self.confidence).map_or_else(
            || untested(RankFinding::NoData),
            |test| RankVerdict { finding: self.finding(&test), test: Some(test) },
        )
    }

    fn finding(&self, test: &MannWhitney) -> RankFinding {
        let bound = self.tolerance * test.shift.abs();
        let effect = match self.effect {
            RankEffect::MeanRatio => test.mean_ratio,
            RankEffect::Superiority => Some(test.superiority),
        };
        let (high, low) =
            (self.direction != RankDirection::Decrease, self.direction != RankDirection::Increase);
        if high
            && test.limits.low > bound
            && effect.is_none_or(|effect| effect >= self.allowed_increase)
        {
            RankFinding::High
        } else if low
            && test.limits.high < -bound
            && effect.is_none_or(|effect| effect <= self.allowed_decrease)
        {
            RankFinding::Low
        } else {
            RankFinding::Pass
        }
    }

    /// The values in rising order, with what is missing and outliers treated as they should be.
    fn prepared(&self, values: &[f64]) -> Vec<f64> {
        let known = |value: f64| if value.is_nan() { None } else { Some(value) };
        let mut values: Vec<f64> = match self.missing_is_zero {
            true => values.iter().map(|value| known(*value).unwrap_or(0.0)).collect(),
            false => values.iter().filter_map(|value| known(*value)).collect(),
        };
        values.sort_unstable_by(f64::total_cmp);
        if let Some(factor) = self.outlier_factor.filter(|_| !values.is_empty()) {
            let [first, low, high, last] =
                [0.01, 0.25, 0.75, 0.99].map(|share| percentile(&values, share));
            let beyond = factor * (high - low);
            let fences = first.min(low - beyond)..=last.max(high + beyond);
            values.retain(|value| fences.contains(value));
        }
        values
    }
}

/// Between the order statistics around 1 + (n - 1) share, in proportion (R's type 7).
fn percentile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let below = sorted[place as usize];
    let above = sorted[(place as usize + 1).min(sorted.len() - 1)];
    below + (place - place.trunc()) * (above - below)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Kayenta's own tests set it.
    fn classifier() -> RankClassifier {
        let confidence = Confidence::PERCENT_95;
        RankClassifier { tolerance: 0.1, confidence, ..RankClassifier::default() }
    }

    fn finding(classifier: RankClassifier, canary: &[f64], stable: &[f64]) -> RankFinding {
        classifier.classify(canary, stable).finding
    }

    #[test]
    fn findings_agree_with_kayentas_own_tests() {
        // The short ones of its ClassifierSuite; its other 20 were tried once and agree, too.
        let bounded = |low: f64, high: f64| RankClassifier {
            allowed_decrease: low,
            allowed_increase: high,
            ..classifier()
        };
        let (rising, raised) = ([1.0, 2.2, 1.1, 2.5, 3.0], [20.0, 22.0, 21.0, 25.0, 30.0]);
        let (zero, one, ten) = ([0.0; 5], [1.0; 5], [10.0; 5]);
        let slow = [54.9, 54.5, 55.1, 55.6, 57.4];
        let cases: [(RankClassifier, &[f64], &[f64], RankFinding); 13] = [
            (bounded(0.8, 1.2), &raised, &rising, RankFinding::High),
            (bounded(0.5, 1.0), &[10.0, 12.2, 10.1, 12.5, 23.0], &raised, RankFinding::Pass),
            (
                classifier(),
                &[2.0, 2.0, 2.0, 2.0, 3.0],
                &[10.0, 20.2, 10.1, 20.5, 30.0],
                RankFinding::Low,
            ),
            (classifier(), &[1.0, 1.0, 1.0], &[1.0, 1.0], RankFinding::Pass),
            (
                classifier(),
                &[1.0, 2.0, 3.0, 4.0, 5.0],
                &[5.0, 4.0, 3.0, 2.0, 1.0],
                RankFinding::Pass,
            ),
            (classifier(), &[0.0, 1.0, 1.0, 1.0, 1.0], &one, RankFinding::Pass),
            (classifier(), &[], &rising, RankFinding::NoData),
            (classifier(), &[1.0, 1.0, 1.0, 1.0, 10.0], &one, RankFinding::Pass),
            (classifier(), &ten, &one, RankFinding::High),
            (classifier(), &ten, &zero, RankFinding::High),
            (bounded(0.8, 1.2), &slow, &zero, RankFinding::High),
            (bounded(0.8, 1.2), &zero, &slow, RankFinding::Low),
            (bounded(0.8, 1.2), &zero, &zero, RankFinding::Pass),
        ];
        for (classifier, canary, stable, expected) in cases {
            assert_eq!(finding(classifier, canary, stable), expected, "{canary:?}, {stable:?}");
        }
    }

    #[test]
    fn only_the_direction_that_counts_is_found() {
        let (low, high) = ([1.0, 2.2, 1.1, 2.5, 3.0], [20.0, 22.0, 21.0, 25.0, 30.0]);
        let towards = |direction| RankClassifier { direction, ..classifier() };
        let (increase, decrease) =
            (towards(RankDirection::Increase), towards(RankDirection::Decrease));
        assert_eq!(finding(increase, &high, &low), RankFinding::High);
        assert_eq!(finding(decrease, &high, &low), RankFinding::Pass);
        assert_eq!(finding(increase, &low, &high), RankFinding::Pass);
        assert_eq!(finding(decrease, &low, &high), RankFinding::Low);
    }

    #[test]
    fn the_effect_size_must_reach_what_is_allowed() {
        // Ratio of the means 118 / 9.8; every value of the one is above every one of the other.
        let (low, high) = ([1.0, 2.2, 1.1, 2.5, 3.0], [20.0, 22.0, 21.0, 25.0, 30.0]);
        for (effect, reached, missed) in
            [(RankEffect::MeanRatio, 12.0, 12.1), (RankEffect::Superiority, 1.0, 1.01)]
        {
            let with =
                |allowed_increase| RankClassifier { effect, allowed_increase, ..classifier() };
            assert_eq!(finding(with(reached), &high, &low), RankFinding::High, "{effect:?}");
            assert_eq!(finding(with(missed), &high, &low), RankFinding::Pass, "{effect:?}");
        }
    }

    #[test]
    fn a_limit_within_the_tolerance_of_the_shift_passes() {
        let canary: Vec<f64> = (4..14).map(f64::from).collect();
        let stable: Vec<f64> = (0..10).map(f64::from).collect();
        let test = classifier().classify(&canary, &stable).test.unwrap();
        let share = test.limits.low / test.shift;
        assert!(share > 0.1 && share < 1.0, "{test:?}");
        let with = |tolerance| RankClassifier { tolerance, ..classifier() };
        assert_eq!(finding(with(share * 0.99), &canary, &stable), RankFinding::High);
        assert_eq!(finding(with(share * 1.01), &canary, &stable), RankFinding::Pass);
        // The same the other way round, where the upper limit decides.
        let test = classifier().classify(&stable, &canary).test.unwrap();
        let share = test.limits.high / test.shift;
        assert_eq!(finding(with(share * 0.99), &stable, &canary), RankFinding::Low);
        assert_eq!(finding(with(share * 1.01), &stable, &canary), RankFinding::Pass);
    }

    #[test]
    fn missing_values_are_removed_or_zero() {
        let canary = [f64::NAN, 5.0, f64::NAN, 6.0, 7.0, 5.5];
        let stable = [1.0, 1.2, 0.9, 1.1, 1.3];
        let zero = RankClassifier { missing_is_zero: true, ..classifier() };
        for (classifier, values) in
            [(classifier(), &[5.0, 5.5, 6.0, 7.0][..]), (zero, &[0.0, 0.0, 5.0, 5.5, 6.0, 7.0])]
        {
            let expected = MannWhitney::of(values, &stable, Confidence::PERCENT_95);
            assert!(expected.is_some());
            assert_eq!(classifier.classify(&canary, &stable).test, expected);
        }
        assert_eq!(finding(zero, &[], &stable), RankFinding::Pass);
        assert_eq!(finding(classifier(), &[f64::NAN], &stable), RankFinding::NoData);
    }

    #[test]
    fn outliers_beyond_both_fences_are_removed() {
        // numpy.percentile at 1, 25, 75 and 99 %: -30.85, 22, 25 and 48.5. Three times 3 beyond the
        // quartiles are 13 and 34, so that the percentiles are the fences and 40 stays.
        let canary =
            [21., 23., 24., 25., 50., 29., 23., 21., 22., 24., 23., 25., 22., 24., -40., 40.];
        let kept = RankClassifier { outlier_factor: Some(3.0), ..classifier() }.prepared(&canary);
        let expected = [21., 21., 22., 22., 23., 23., 23., 24., 24., 24., 25., 25., 29., 40.];
        assert_eq!(kept, expected);
        // 100 times 3 beyond the quartiles lies nothing.
        let wide = RankClassifier { outlier_factor: Some(100.0), ..classifier() };
        assert_eq!(wide.prepared(&canary).len(), canary.len());
    }

    #[test]
    fn where_most_values_are_zero_the_search_decides_as_kayentas_does() {
        // All crossings lie at a shift of 0: these are where R's zeroin stops, written down apart.
        let sample = |counted: &[(f64, usize)]| -> Vec<f64> {
            counted.iter().flat_map(|&(value, times)| std::iter::repeat_n(value, times)).collect()
        };
        let canary = sample(&[(0.0, 146), (1.6, 40), (4.0, 24)]);
        let stable = sample(&[(0.0, 198), (1.5, 12)]);
        let verdict = RankClassifier::default().classify(&canary, &stable);
        let test = verdict.test.unwrap();
        let found = [test.limits.low, test.shift, test.limits.high];
        let expected =
            [4.901_122_246_529_004e-5, 1.409_157_966_832_259_7e-5, 5.510_997_781_097_518e-5];
        for (found, expected) in found.into_iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{test:?}");
        }
        assert_eq!(verdict.finding, RankFinding::High);
    }
}
