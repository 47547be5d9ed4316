//! The difference of two means whose variances may differ.

use super::interval::{Confidence, Interval, Moments};
use super::measured::Measured;
use crate::math;

/// Welch's comparison of two means of independent observations.
///
/// Source: B. L. Welch, The generalization of Student's problem when several different population
/// variances are involved, Biometrika 34 (1947), 28-35, doi:10.1093/biomet/34.1-2.28.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Welch {
    /// The second mean less the first.
    difference: f64,
    /// The standard error of the difference.
    error: f64,
    /// Degrees of freedom after Welch and Satterthwaite; infinite where nothing varies.
    freedom: f64,
}

impl Welch {
    /// The comparison of `second` with `first`: with e = variance / n of each, the error is
    /// `sqrt(e_1 + e_2)` and the degrees of freedom are
    /// `(e_1 + e_2)^2 / (e_1^2 / (n_1 - 1) + e_2^2 / (n_2 - 1))`.
    ///
    /// `None` with fewer than two observations on either side.
    pub fn of(first: Moments, second: Moments) -> Option<Self> {
        if first.count < 2 || second.count < 2 {
            return None;
        }
        let part = |moments: Moments| moments.variance / moments.count as f64;
        let (one, two) = (part(first), part(second));
        let sum = one + two;
        // As shares of the sum, whose squares neither vanish nor overflow.
        let per_freedom = |part: f64, moments: Moments| {
            (part / sum) * (part / sum) / (moments.count as f64 - 1.0)
        };
        let freedom = match sum > 0.0 {
            true => 1.0 / (per_freedom(one, first) + per_freedom(two, second)),
            false => f64::INFINITY,
        };
        Some(Self { difference: second.mean - first.mean, error: sum.sqrt(), freedom })
    }

    /// The interval of the difference, `difference +- t error`. Exact for normal observations of
    /// equal variance, close for many others when both samples are large; the difference itself
    /// where neither side varies.
    pub fn interval(self, confidence: Confidence) -> Interval {
        let half = self.half(self.error, confidence);
        Interval { low: self.difference - half, high: self.difference + half }
    }

    /// One of the two means with its share in that interval: `mean +- t sqrt(variance / n)`, with
    /// the degrees of freedom of both together, so that the two combined by
    /// [`Measured::difference`] are [`Welch::interval`] again.
    pub fn measured(self, mean: Moments, confidence: Confidence) -> Measured {
        let half = self.half((mean.variance / mean.count as f64).sqrt(), confidence);
        let limits = Interval { low: mean.mean - half, high: mean.mean + half };
        Measured { value: mean.mean, limits }
    }

    /// How far an interval reaches on either side for this standard error.
    fn half(self, error: f64, confidence: Confidence) -> f64 {
        match error > 0.0 {
            true => error * math::student_t_quantile(1.0 - confidence.tail(), self.freedom),
            false => 0.0,
        }
    }

    /// The two-sided p-value that the means are equal. Where neither side varies, 1 for equal means
    /// and 0 for others.
    pub fn p_value(self) -> f64 {
        if self.error > 0.0 {
            return math::student_t_tails(self.difference / self.error, self.freedom);
        }
        if self.difference == 0.0 { 1.0 } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: f64, expected: f64) -> bool {
        (found - expected).abs() <= 1e-9 * expected.abs()
    }

    fn moments(count: u64, mean: f64, variance: f64) -> Moments {
        Moments { count, mean, variance }
    }

    #[test]
    fn two_samples_agree_with_scipy() {
        // scipy.stats.ttest_ind(y, x, equal_var=False) of the samples of Welch's test's usual
        // textbook example, 15 and 16 values.
        let first = moments(15, 20.82, 7.867428571428571);
        let second = moments(16, 23.76875, 7.480958333333335);
        let found = Welch::of(first, second).unwrap();
        assert!(close(found.p_value(), 0.00609632548840835), "{}", found.p_value());
        assert!(close(found.freedom, 28.75697786176386));
        let interval = found.interval(Confidence::PERCENT_95);
        assert!(close(interval.low, 0.9109130607116831), "{interval:?}");
        assert!(close(interval.high, 4.986586939288324), "{interval:?}");
        let [one, two] = [first, second].map(|mean| found.measured(mean, Confidence::PERCENT_95));
        let combined = two.difference(one);
        assert!(close(combined.low, interval.low) && close(combined.high, interval.high));
        let interval = found.interval(Confidence::new(0.99).unwrap());
        assert!(close(interval.low, 0.20171758617750823), "{interval:?}");
        assert!(close(interval.high, 5.695782413822499), "{interval:?}");
    }

    #[test]
    fn large_and_uneven_samples_agree_with_scipy() {
        // scipy.stats.ttest_ind_from_stats(1.2, 0.5, 10^6, 1.203, .., equal_var=False).
        let first = moments(1_000_000, 1.2, 0.25);
        let small = Welch::of(first, moments(40, 1.203, 0.49)).unwrap();
        assert!(close(small.p_value(), 0.9785142369718198), "{}", small.p_value());
        let large = Welch::of(first, moments(900_000, 1.203, 0.25)).unwrap();
        assert!(close(large.p_value(), 3.635952353113717e-05), "{}", large.p_value());
    }

    #[test]
    fn equal_observations_leave_no_doubt_and_single_ones_nothing_else() {
        let constant = moments(10, 5.0, 0.0);
        let same = Welch::of(constant, constant).unwrap();
        assert_eq!(same.p_value(), 1.0);
        assert_eq!(same.interval(Confidence::PERCENT_95), Interval { low: 0.0, high: 0.0 });
        let other = Welch::of(constant, moments(10, 7.0, 0.0)).unwrap();
        assert_eq!(other.p_value(), 0.0);
        assert_eq!(other.interval(Confidence::PERCENT_95), Interval { low: 2.0, high: 2.0 });
        assert_eq!(Welch::of(constant, moments(1, 5.0, 0.0)), None);
    }
}
