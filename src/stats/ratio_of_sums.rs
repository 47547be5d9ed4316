//! A ratio of two sums over the same observations, and the difference of two such ratios.

use super::interval::{Confidence, Interval};
use super::measured::Measured;
use crate::math;

/// The ratio `r = sum x / sum y` over observations (x, y), such as cost per token over requests,
/// with its standard error by the delta method.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RatioOfSums {
    count: u64,
    ratio: f64,
    error: f64,
}

impl RatioOfSums {
    /// The ratio of `numerator` to `denominator`, sums over `count` observations. With
    /// `residual_squares = sum (x - r y)^2`, the standard error is
    /// `sqrt(n / (n - 1) residual_squares) / sum y`.
    ///
    /// `None` with fewer than two observations, and where the denominator is not positive.
    ///
    /// Source: W. G. Cochran, Sampling Techniques (3rd ed., 1977), section 6.4, without the
    /// correction for a finite population.
    pub fn new(
        count: u64,
        numerator: f64,
        denominator: f64,
        residual_squares: impl Fn(f64) -> f64,
    ) -> Option<Self> {
        if count < 2 || denominator <= 0.0 {
            return None;
        }
        let n = count as f64;
        let ratio = numerator / denominator;
        let squares = residual_squares(ratio).max(0.0);
        Some(Self { count, ratio, error: (n / (n - 1.0) * squares).sqrt() / denominator })
    }

    /// How many observations.
    pub const fn count(self) -> u64 {
        self.count
    }

    /// The ratio.
    pub const fn ratio(self) -> f64 {
        self.ratio
    }

    /// Its standard error, in the ratio's unit.
    pub const fn error(self) -> f64 {
        self.error
    }

    /// Whether it could have come out otherwise: not where every observation has the same ratio, as
    /// cost per token has under one price for all tokens. Errors that are lost in the rounding of
    /// the ratio count as none.
    pub fn varies(self) -> bool {
        self.error > ROUNDING * self.ratio.abs()
    }

    /// The ratio with its normal interval, `ratio +- z error`.
    pub fn measured(self, confidence: Confidence) -> Measured {
        let half = -math::normal_quantile(confidence.tail()) * self.error;
        let limits = Interval { low: self.ratio - half, high: self.ratio + half };
        Measured { value: self.ratio, limits }
    }

    /// The interval of `self` - `base`, two ratios of independent samples, and the two-sided
    /// p-value that they are equal: with e the root of the sum of the squared errors,
    /// `difference +- z e` and `2 (1 - Phi(|difference| / e))`. Close for large samples. Errors and
    /// differences that are lost in the rounding of the ratios count as none: then the interval is
    /// the difference itself, and p is 1 for equal ratios and 0 for others.
    pub fn difference(self, base: Self, confidence: Confidence) -> (Interval, f64) {
        let rounding = ROUNDING * self.ratio.abs().max(base.ratio.abs());
        let exact = |value: f64| if value.abs() <= rounding { 0.0 } else { value };
        let difference = exact(self.ratio - base.ratio);
        let error = exact((self.error * self.error + base.error * base.error).sqrt());
        if error == 0.0 {
            let p_value = if difference == 0.0 { 1.0 } else { 0.0 };
            return (Interval { low: difference, high: difference }, p_value);
        }
        let half = -math::normal_quantile(confidence.tail()) * error;
        let interval = Interval { low: difference - half, high: difference + half };
        (interval, 2.0 * math::normal_cdf(-(difference / error).abs()))
    }
}

/// Chosen: well above what the rounding of sums of 10^12 terms amounts to, and far below any
/// difference of prices.
const ROUNDING: f64 = 1e-11;

#[cfg(test)]
mod tests {
    use super::*;

    /// The ratio of the sums of (x, y).
    fn of(pairs: &[(f64, f64)]) -> RatioOfSums {
        let sum = |part: fn(&(f64, f64)) -> f64| pairs.iter().map(part).sum();
        let squares =
            |ratio: f64| pairs.iter().map(|(x, y)| (x - ratio * y) * (x - ratio * y)).sum();
        RatioOfSums::new(pairs.len() as u64, sum(|pair| pair.0), sum(|pair| pair.1), squares)
            .unwrap()
    }

    const ONE: [(f64, f64); 6] =
        [(12.0, 10.0), (15.0, 11.0), (11.0, 10.0), (19.0, 14.0), (14.0, 13.0), (13.0, 9.0)];
    const OTHER: [(f64, f64); 5] =
        [(10.0, 11.0), (16.0, 12.0), (9.0, 10.0), (12.0, 13.0), (14.0, 12.0)];

    #[test]
    fn ratios_agree_with_linearised_means() {
        // numpy: gradient (1 / mean y, -mean x / mean y^2) and covariance of the two means.
        let (one, other) = (of(&ONE), of(&OTHER));
        assert!((one.ratio() - 1.2537313432835822).abs() < 1e-14);
        assert!((one.error() - 0.06212725001575752).abs() < 1e-14, "{one:?}");
        assert!((other.ratio() - 1.0517241379310345).abs() < 1e-14);
        assert!((other.error() - 0.08808910219329444).abs() < 1e-14, "{other:?}");
        let (interval, p_value) = other.difference(one, Confidence::PERCENT_95);
        assert!((interval.low + 0.41327900566000386).abs() < 1e-12, "{interval:?}");
        assert!((interval.high - 0.009264594954908473).abs() < 1e-12, "{interval:?}");
        assert!((p_value - 0.06092814614979383).abs() < 1e-12, "{p_value}");
        let [one, other] = [one, other].map(|ratio| ratio.measured(Confidence::PERCENT_95));
        let combined = other.difference(one);
        assert!((combined.low - interval.low).abs() < 1e-12, "{combined:?}");
        assert!((combined.high - interval.high).abs() < 1e-12, "{combined:?}");
    }

    #[test]
    fn prices_that_do_not_vary_differ_without_doubt() {
        let of_price = |price: f64| {
            let pairs: Vec<_> = (1..=1_000).map(|y| (price * f64::from(y), f64::from(y))).collect();
            of(&pairs)
        };
        let confidence = Confidence::PERCENT_95;
        assert!(!of_price(0.005).varies() && of(&ONE).varies());
        let (interval, p_value) = of_price(0.005).difference(of_price(0.008), confidence);
        assert!((interval.low + 0.003).abs() < 1e-15 && interval.low == interval.high);
        assert_eq!(p_value, 0.0);
        // 1/3 of different sums, which round differently.
        let third = RatioOfSums::new(10, 1e7 / 3.0, 1e7, |_| 1e-20).unwrap();
        let rounded = RatioOfSums::new(10, 77.0 / 3.0, 77.0, |_| 0.0).unwrap();
        assert!(!third.varies());
        let (interval, p_value) = third.difference(rounded, confidence);
        assert_eq!((interval.low, interval.high, p_value), (0.0, 0.0, 1.0));
    }

    #[test]
    fn a_single_observation_has_no_error() {
        assert_eq!(RatioOfSums::new(1, 3.0, 2.0, |_| 0.0), None);
        assert_eq!(RatioOfSums::new(5, 3.0, 0.0, |_| 0.0), None);
    }
}
