//! How one run's metric differs from the first run's, and what that means.

use serde::{Deserialize, Serialize};

use crate::metric::{Direction, Metric};
use crate::summary::{Estimate, Limits};

/// How a metric of one run differs from that of the first.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Difference {
    /// The run's value less the first's, in the metric's base unit; absent where either is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub absolute: Option<f64>,
    /// The difference as a share of the first run's value: -0.28 is 28 % less. Absent where that is
    /// 0, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative: Option<f64>,
    /// Between which limits the long-run difference lies, in the metric's base unit, at the
    /// comparison's confidence for this difference alone. Absent where it is exact or cannot be
    /// told; a side is absent where so few requests do not bound it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Limits>,
    /// Between which limits the difference lies as a share of the first run's long-run value, which
    /// is not known either: the interval of the ratio of both values, less 1. None is below -1;
    /// absent where the first run's value is 0, a side also where it may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub relative_interval: Option<Limits>,
    /// The probability of a difference at least as great by chance alone; absent where nothing was
    /// tested.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_value: Option<f64>,
    /// The same adjusted for all that was tested in this comparison.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adjusted_p_value: Option<f64>,
    /// What it means.
    pub finding: Finding,
}

/// What a difference means.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finding {
    /// Significant, greater than the smallest effect, and in the wrong direction.
    Worse,
    /// Significant, greater than the smallest effect, and in the right direction.
    Better,
    /// Significant, greater than the smallest effect, of a metric that has no direction.
    Different,
    /// Any of these if requests were independent, which they are not in these runs.
    Undecided,
    /// Significant, and not greater than the smallest effect.
    TooSmall,
    /// Not significant: there may be none, or too little was seen.
    NotShown,
    /// Of figures of one run each: exact for these, and nothing is tested.
    Exact,
    /// One of the two has no data, or too little for the metric to have a value.
    NotComparable,
}

impl Difference {
    /// Of two values of which nothing is tested.
    pub(super) fn untested(first: &Estimate, other: &Estimate) -> Self {
        let finding = match first.has_data() && other.has_data() {
            true => Finding::Exact,
            false => Finding::NotComparable,
        };
        Self { finding, ..Self::between(first.value, other.value) }
    }

    /// Of two values, with neither interval nor test.
    pub(super) fn between(first: Option<f64>, other: Option<f64>) -> Self {
        let absolute = first.zip(other).map(|(first, other)| other - first);
        let base = first.filter(|first| *first != 0.0);
        Self {
            absolute,
            relative: absolute.zip(base).map(|(absolute, base)| absolute / base),
            interval: None,
            relative_interval: None,
            p_value: None,
            adjusted_p_value: None,
            finding: Finding::NotComparable,
        }
    }

    /// What a tested difference means, where requests are `independent` and where they are not.
    pub(super) fn judge(
        &mut self,
        metric: Metric,
        (alpha, smallest_effect): (f64, f64),
        independent: bool,
    ) {
        let Some(p_value) = self.adjusted_p_value else { return };
        // Where the first run's value is 0 every difference is greater than any share of it.
        let effect = self.relative.map_or(f64::INFINITY, f64::abs);
        let more = self.absolute.is_some_and(|absolute| absolute > 0.0);
        self.finding = match metric.direction() {
            _ if p_value > alpha => Finding::NotShown,
            _ if effect <= smallest_effect => Finding::TooSmall,
            _ if !independent => Finding::Undecided,
            Direction::Neutral => Finding::Different,
            Direction::Higher if more => Finding::Better,
            Direction::Lower if !more => Finding::Better,
            Direction::Higher | Direction::Lower => Finding::Worse,
        };
    }
}

/// How often each finding was made.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct FindingCounts {
    /// Worse.
    pub worse: u64,
    /// Better.
    pub better: u64,
    /// Different, of metrics without a direction.
    pub different: u64,
    /// Undecided, for requests are not independent.
    pub undecided: u64,
    /// Significant, and too small to matter.
    pub too_small: u64,
    /// Without a shown difference.
    pub not_shown: u64,
    /// Not comparable: one of the two has no data. What no run has data of is not counted.
    pub not_comparable: u64,
}

impl FindingCounts {
    pub(super) fn add(&mut self, finding: Finding) {
        match finding {
            Finding::Worse => self.worse += 1,
            Finding::Better => self.better += 1,
            Finding::Different => self.different += 1,
            Finding::Undecided => self.undecided += 1,
            Finding::TooSmall => self.too_small += 1,
            Finding::NotShown => self.not_shown += 1,
            Finding::NotComparable => self.not_comparable += 1,
            Finding::Exact => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(metric: Metric, first: f64, other: f64, p: f64, smallest_effect: f64) -> Finding {
        let mut difference = Difference::between(Some(first), Some(other));
        difference.adjusted_p_value = Some(p);
        difference.judge(metric, (0.05, smallest_effect), true);
        difference.finding
    }

    #[test]
    fn a_finding_is_significant_and_greater_than_the_smallest_effect() {
        let latency = |other, p, effect| judged(Metric::LatencyP99, 1.0, other, p, effect);
        assert_eq!(latency(1.1, 0.05, 0.0), Finding::Worse);
        assert_eq!(latency(0.9, 0.05, 0.0), Finding::Better);
        assert_eq!(latency(1.1, 0.051, 0.0), Finding::NotShown);
        assert_eq!(latency(1.25, 0.01, 0.25), Finding::TooSmall);
        assert_eq!(latency(1.26, 0.01, 0.25), Finding::Worse);
        let speed = |other| judged(Metric::TokensPerSecond, 50.0, other, 0.01, 0.0);
        assert_eq!((speed(40.0), speed(60.0)), (Finding::Worse, Finding::Better));
        assert_eq!(judged(Metric::OutputTokensAvg, 50.0, 60.0, 0.01, 0.0), Finding::Different);
    }

    #[test]
    fn where_requests_are_not_independent_nothing_is_found() {
        for (other, p, expected) in [
            (1.3, 0.001, Finding::Undecided),
            (0.7, 0.001, Finding::Undecided),
            (1.1, 0.001, Finding::TooSmall),
            (1.3, 0.2, Finding::NotShown),
        ] {
            let mut difference = Difference::between(Some(1.0), Some(other));
            difference.adjusted_p_value = Some(p);
            difference.judge(Metric::LatencyP99, (0.05, 0.2), false);
            assert_eq!(difference.finding, expected, "{other}");
        }
    }

    #[test]
    fn what_was_0_and_is_not_is_more_than_any_share() {
        assert_eq!(judged(Metric::ErrorRate, 0.0, 0.001, 0.01, 1.0), Finding::Worse);
        assert_eq!(Difference::between(Some(0.0), Some(1.0)).relative, None);
    }

    #[test]
    fn without_a_value_nothing_is_compared() {
        let absent = Estimate::absent(Metric::Rollbacks);
        let one = Estimate { value: Some(1.0), ..Estimate::absent(Metric::Rollbacks) };
        let never = Estimate { infinite: true, ..Estimate::absent(Metric::Rollbacks) };
        assert_eq!(Difference::untested(&absent, &one).finding, Finding::NotComparable);
        let found = Difference::untested(&one, &never);
        assert_eq!((found.finding, found.absolute), (Finding::Exact, None));
    }
}
