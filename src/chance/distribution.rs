//! Distributions of quantities that are never negative, by their quantile functions.

use std::fmt;

use super::empirical::Empirical;
use super::mixture::Mixture;
use crate::math;

/// A distribution on the numbers from 0 to 10^18, whose unit its owner fixes (seconds, tokens).
///
/// Built by checked constructors only. A distribution without spread, however it was described,
/// is a constant.
#[derive(Clone, PartialEq, Debug)]
pub struct Distribution(Shape);

/// The families; parameters are valid by construction and no member is degenerate.
#[derive(Clone, PartialEq, Debug)]
enum Shape {
    Constant(f64),
    Uniform { min: f64, max: f64 },
    Exponential { mean: f64 },
    Lognormal { mu: f64, sigma: f64 },
    Empirical(Empirical),
    Mixture(Mixture),
}

impl Distribution {
    /// Always `value`, 0 to 10^18.
    ///
    /// # Errors
    /// `value` out of range.
    pub fn constant(value: f64) -> Result<Self, DistributionError> {
        check(Parameter::Value, value, 0.0, LARGEST)?;
        Ok(Self(Shape::Constant(value)))
    }

    /// Equally likely everywhere from `min` to `max`; 0 <= min <= max <= 10^18.
    ///
    /// # Errors
    /// A bound out of range.
    pub fn uniform(min: f64, max: f64) -> Result<Self, DistributionError> {
        check(Parameter::Min, min, 0.0, LARGEST)?;
        check(Parameter::Max, max, min, LARGEST)?;
        let shape = if min == max { Shape::Constant(min) } else { Shape::Uniform { min, max } };
        Ok(Self(shape))
    }

    /// Exponential: density exp(-x / mean) / mean; mean 0 is the constant 0.
    ///
    /// # Errors
    /// `mean` outside 0 to 10^18.
    pub fn exponential(mean: f64) -> Result<Self, DistributionError> {
        check(Parameter::Mean, mean, 0.0, LARGEST)?;
        let shape = if mean == 0.0 { Shape::Constant(0.0) } else { Shape::Exponential { mean } };
        Ok(Self(shape))
    }

    /// The log-normal distribution of this mean and 99th percentile. With z the normal
    /// 99 % quantile, sigma = z - sqrt(z^2 - 2 ln(p99 / mean)), the smaller root of
    /// ln(p99 / mean) = z sigma - sigma^2 / 2.
    ///
    /// # Errors
    /// `mean` outside 10^-12 to 10^18, or `p99` outside mean to mean * exp(z^2 / 2), which is
    /// 14.97 times the mean: no log-normal distribution has such a pair.
    pub fn lognormal_mean_p99(mean: f64, p99: f64) -> Result<Self, DistributionError> {
        check(Parameter::Mean, mean, SMALLEST, LARGEST)?;
        let z = math::normal_quantile(0.99);
        check(Parameter::P99, p99, mean, mean * math::exp(z * z / 2.0))?;
        // At the upper end rounding could make the radicand a negative zero's width below 0.
        let radicand = (z * z - 2.0 * math::ln(p99 / mean)).max(0.0);
        Ok(Self::lognormal(mean, z - radicand.sqrt()))
    }

    /// The log-normal distribution of this median whose logarithm has standard deviation `sigma`.
    ///
    /// # Errors
    /// `median` outside 10^-12 to 10^18, `sigma` outside 0 to 8.
    pub fn lognormal_median_sigma(median: f64, sigma: f64) -> Result<Self, DistributionError> {
        check(Parameter::Median, median, SMALLEST, LARGEST)?;
        check(Parameter::Sigma, sigma, 0.0, LARGEST_SIGMA)?;
        let shape = if sigma == 0.0 {
            Shape::Constant(median)
        } else {
            Shape::Lognormal { mu: math::ln(median), sigma }
        };
        Ok(Self(shape))
    }

    /// The log-normal distribution of this mean and median: sigma^2 = 2 ln(mean / median).
    ///
    /// # Errors
    /// `mean` outside 10^-12 to 10^18, `median` outside mean * exp(-32) to mean.
    pub fn lognormal_mean_median(mean: f64, median: f64) -> Result<Self, DistributionError> {
        check(Parameter::Mean, mean, SMALLEST, LARGEST)?;
        let lowest = mean * math::exp(-0.5 * LARGEST_SIGMA * LARGEST_SIGMA);
        check(Parameter::Median, median, lowest, mean)?;
        Ok(Self::lognormal(mean, (2.0 * math::ln(mean / median)).sqrt()))
    }

    /// The log-normal distribution of this mean and coefficient of variation (standard deviation
    /// over mean): sigma^2 = ln(1 + cv^2).
    ///
    /// # Errors
    /// `mean` outside 10^-12 to 10^18, `cv` outside 0 to 1000.
    pub fn lognormal_mean_cv(mean: f64, cv: f64) -> Result<Self, DistributionError> {
        check(Parameter::Mean, mean, SMALLEST, LARGEST)?;
        check(Parameter::Cv, cv, 0.0, 1_000.0)?;
        Ok(Self::lognormal(mean, math::ln_1p(cv * cv).sqrt()))
    }

    /// A table of (probability, quantile), linear between its points. Probabilities rise strictly
    /// from 0 to 1, values do not fall.
    ///
    /// # Errors
    /// Fewer than two points, probabilities that do not start at 0, rise and end at 1, values that
    /// fall or lie outside 0 to 10^18.
    pub fn empirical(points: Vec<(f64, f64)>) -> Result<Self, DistributionError> {
        for (_, value) in &points {
            check(Parameter::Value, *value, 0.0, LARGEST)?;
        }
        let table = Empirical::new(points)?;
        Ok(Self(match table.only_value() {
            Some(value) => Shape::Constant(value),
            None => Shape::Empirical(table),
        }))
    }

    /// One of several distributions, each chosen with a probability proportional to its weight.
    ///
    /// # Errors
    /// A weight outside 0 to 10^18, or none above 0.
    pub fn mixture(components: Vec<(f64, Self)>) -> Result<Self, DistributionError> {
        for (weight, _) in &components {
            check(Parameter::Weight, *weight, 0.0, LARGEST)?;
        }
        let mut parts = components;
        parts.retain(|(weight, _)| *weight > 0.0);
        match parts.len() {
            0 => Err(DistributionError::NoWeight),
            1 => Ok(parts.swap_remove(0).1),
            _ => Ok(Self(Shape::Mixture(Mixture::new(parts)))),
        }
    }

    /// The smallest value that is exceeded with probability at most 1 - `u`; `u` in [0, 1]. At 1
    /// the largest possible value, which is infinite for log-normal and exponential. Exact to
    /// rounding, of a mixture to 1e-12 relative.
    ///
    /// # Panics
    /// `u` outside [0, 1].
    pub fn quantile(&self, u: f64) -> f64 {
        assert!((0.0..=1.0).contains(&u), "{u} is no probability");
        match &self.0 {
            Shape::Constant(value) => *value,
            Shape::Uniform { min, max } => min + u * (max - min),
            Shape::Exponential { mean } => -mean * math::ln_1p(-u),
            Shape::Lognormal { mu, sigma } => math::exp(mu + sigma * math::normal_quantile(u)),
            Shape::Empirical(table) => table.quantile(u),
            Shape::Mixture(mixture) => mixture.quantile(u),
        }
    }

    /// The quantile as [`Distribution::quantile`] has it, of which is known that it lies in
    /// [low, high]: spares a mixture most of the search.
    pub(super) fn quantile_between(&self, u: f64, low: f64, high: f64) -> f64 {
        match &self.0 {
            Shape::Mixture(mixture) if high.is_finite() => mixture.quantile_between(u, low, high),
            _ => self.quantile(u),
        }
    }

    /// The mean.
    pub fn mean(&self) -> f64 {
        match &self.0 {
            Shape::Constant(value) => *value,
            Shape::Uniform { min, max } => min + 0.5 * (max - min),
            Shape::Exponential { mean } => *mean,
            Shape::Lognormal { mu, sigma } => math::exp(mu + 0.5 * sigma * sigma),
            Shape::Empirical(table) => table.mean(),
            Shape::Mixture(mixture) => mixture.mean(),
        }
    }

    /// The 99th percentile.
    pub fn p99(&self) -> f64 {
        self.quantile(0.99)
    }

    /// The probability of values up to `x`.
    pub(super) fn cdf(&self, x: f64, limit: Limit) -> f64 {
        match &self.0 {
            Shape::Constant(value) => f64::from(match limit {
                Limit::Below => x > *value,
                Limit::UpTo => x >= *value,
            }),
            Shape::Uniform { min, max } => ((x - min) / (max - min)).clamp(0.0, 1.0),
            Shape::Exponential { mean } => -math::exp_m1(-x.max(0.0) / mean),
            Shape::Lognormal { .. } if x <= 0.0 => 0.0,
            Shape::Lognormal { mu, sigma } => math::normal_cdf((math::ln(x) - mu) / sigma),
            Shape::Empirical(table) => table.cdf(x, limit),
            Shape::Mixture(mixture) => mixture.cdf(x, limit),
        }
    }

    /// The single value, where there is only one.
    pub(super) fn only_value(&self) -> Option<f64> {
        if let Shape::Constant(value) = self.0 { Some(value) } else { None }
    }

    /// Appends the values at which the distribution function has a jump or a corner.
    pub(super) fn add_corners(&self, corners: &mut Vec<f64>) {
        match &self.0 {
            Shape::Constant(value) => corners.push(*value),
            Shape::Uniform { min, max } => corners.extend([*min, *max]),
            Shape::Exponential { .. } => corners.push(0.0),
            Shape::Lognormal { .. } => (),
            Shape::Empirical(table) => corners.extend(table.values()),
            Shape::Mixture(mixture) => mixture.add_corners(corners),
        }
    }

    /// Log-normal by mean and sigma: the mean is exp(mu + sigma^2 / 2).
    fn lognormal(mean: f64, sigma: f64) -> Self {
        Self(if sigma == 0.0 {
            Shape::Constant(mean)
        } else {
            Shape::Lognormal { mu: math::ln(mean) - 0.5 * sigma * sigma, sigma }
        })
    }
}

/// Which of the two values of a distribution function at a jump is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Limit {
    /// The probability of values below x.
    Below,
    /// The probability of values up to and including x.
    UpTo,
}

/// What a number that describes a distribution is called.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[expect(missing_docs, reason = "each is the name of the parameter it stands for")]
pub enum Parameter {
    Value,
    Min,
    Max,
    Mean,
    P99,
    Median,
    Sigma,
    Cv,
    Weight,
    Probability,
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Value => "value",
            Self::Min => "min",
            Self::Max => "max",
            Self::Mean => "mean",
            Self::P99 => "p99",
            Self::Median => "median",
            Self::Sigma => "sigma",
            Self::Cv => "cv",
            Self::Weight => "weight",
            Self::Probability => "probability",
        })
    }
}

/// Why parameters define no distribution.
#[derive(Clone, Copy, PartialEq, Debug, thiserror::Error)]
pub enum DistributionError {
    /// A parameter is NaN or outside its range, which may depend on the other parameters.
    #[error("{parameter} {value:?} is outside {low:?} to {high:?}")]
    OutOfRange {
        /// Which.
        parameter: Parameter,
        /// What it was.
        value: f64,
        /// The smallest allowed.
        low: f64,
        /// The largest allowed.
        high: f64,
    },
    /// A quantile table is too short.
    #[error("a quantile table of {points} points is too short: at least 2 are needed")]
    TooFewPoints {
        /// How many there were.
        points: usize,
    },
    /// A quantile table does not cover all probabilities.
    #[error("probabilities from {first:?} to {last:?} do not run from 0 to 1")]
    OpenEnds {
        /// The first probability.
        first: f64,
        /// The last probability.
        last: f64,
    },
    /// A column of a quantile table runs backwards, or a probability repeats.
    #[error("{parameter} {value:?} at point {index} (from 0) may not follow {previous:?}")]
    Unordered {
        /// Probability or value.
        parameter: Parameter,
        /// Which point, from 0.
        index: usize,
        /// What it was.
        value: f64,
        /// What the point before had.
        previous: f64,
    },
    /// Nothing in a mixture has a weight above 0.
    #[error("no component of the mixture has a weight above 0")]
    NoWeight,
}

/// Fails unless `value` lies in [low, high]; NaN does not.
fn check(parameter: Parameter, value: f64, low: f64, high: f64) -> Result<(), DistributionError> {
    if (low..=high).contains(&value) {
        Ok(())
    } else {
        Err(DistributionError::OutOfRange { parameter, value, low, high })
    }
}

/// Chosen: 30 years in nanoseconds fit; sums of billions of values stay finite.
const LARGEST: f64 = 1e18;
/// Chosen: far below a nanosecond in seconds; logarithms of it are harmless.
const SMALLEST: f64 = 1e-12;
/// Chosen: the mean is then e^32 times the median, beyond any use; larger ones would overflow.
const LARGEST_SIGMA: f64 = 8.0;

#[cfg(test)]
mod tests {
    use super::*;

    fn close(actual: f64, expected: f64, relative: f64) -> bool {
        (actual - expected).abs() <= relative * expected.abs()
    }

    fn sigma(distribution: &Distribution) -> f64 {
        match distribution.0 {
            Shape::Lognormal { sigma, .. } => sigma,
            _ => f64::NAN,
        }
    }

    #[test]
    fn a_lognormal_has_the_mean_and_p99_it_was_made_from() {
        for (mean, p99, expected) in [(1_247.0, 2_156.0, 0.2486), (892.0, 1_423.0, 0.2103)] {
            let lognormal = Distribution::lognormal_mean_p99(mean, p99).unwrap();
            assert!(close(sigma(&lognormal), expected, 5e-4));
            assert!(close(lognormal.mean(), mean, 1e-13));
            assert!(close(lognormal.p99(), p99, 1e-13));
        }
    }

    #[test]
    fn the_four_descriptions_of_a_lognormal_agree() {
        let one = Distribution::lognormal_median_sigma(200.0, 0.7).unwrap();
        let mean = 200.0 * math::exp(0.245);
        let cv = math::exp_m1(0.49).sqrt();
        for other in [
            Distribution::lognormal_mean_median(mean, 200.0).unwrap(),
            Distribution::lognormal_mean_cv(mean, cv).unwrap(),
            Distribution::lognormal_mean_p99(mean, one.p99()).unwrap(),
        ] {
            for u in [0.001, 0.5, 0.9, 0.999_999] {
                assert!(close(other.quantile(u), one.quantile(u), 1e-12), "{u}");
            }
        }
    }

    #[test]
    fn quantiles_agree_with_scipy() {
        // scipy.stats: uniform(2, 3), expon(scale=3), lognorm(s=1.5, scale=10), by ppf.
        let cases = [
            (Distribution::uniform(2.0, 5.0), [2.003, 3.5, 4.997]),
            (
                Distribution::exponential(3.0),
                [0.0030015010007506003, 2.0794415416798357, 20.723265836946407],
            ),
            (
                Distribution::lognormal_median_sigma(10.0, 1.5),
                [0.09702725444761903, 10.0, 1030.6382528218999],
            ),
        ];
        for (distribution, expected) in cases {
            let distribution = distribution.unwrap();
            for (u, value) in [0.001, 0.5, 0.999].into_iter().zip(expected) {
                assert!(close(distribution.quantile(u), value, 1e-13), "{u}");
            }
        }
    }

    #[test]
    fn quantile_and_distribution_function_are_inverse() {
        for distribution in [
            Distribution::uniform(2.0, 5.0).unwrap(),
            Distribution::exponential(3.0).unwrap(),
            Distribution::lognormal_median_sigma(10.0, 1.5).unwrap(),
        ] {
            for u in [1e-6, 0.2, 0.5, 0.99] {
                assert!(close(distribution.cdf(distribution.quantile(u), Limit::UpTo), u, 1e-9));
            }
        }
    }

    #[test]
    fn a_distribution_without_spread_is_a_constant() {
        for distribution in [
            Distribution::uniform(3.0, 3.0),
            Distribution::lognormal_mean_p99(3.0, 3.0),
            Distribution::lognormal_median_sigma(3.0, 0.0),
            Distribution::lognormal_mean_median(3.0, 3.0),
            Distribution::lognormal_mean_cv(3.0, 0.0),
            Distribution::empirical(vec![(0.0, 3.0), (1.0, 3.0)]),
        ] {
            assert_eq!(distribution.unwrap().only_value(), Some(3.0));
        }
    }

    #[test]
    fn parameters_that_define_no_distribution_are_refused_with_their_range() {
        let error = Distribution::lognormal_mean_p99(100.0, 90.0).unwrap_err();
        let DistributionError::OutOfRange { parameter, value, low, high } = error else {
            panic!("{error}");
        };
        assert_eq!((parameter, value, low), (Parameter::P99, 90.0, 100.0));
        // e^(z^2/2) with z = scipy.stats.norm.ppf(0.99).
        assert!(close(high, 1496.8488362247688, 1e-12));
        assert!(Distribution::lognormal_mean_p99(100.0, high).is_ok());
        assert_eq!(
            Distribution::uniform(5.0, 4.0).unwrap_err().to_string(),
            "max 4.0 is outside 5.0 to 1e18"
        );
        for refused in [
            Distribution::constant(-1.0),
            Distribution::constant(f64::NAN),
            Distribution::constant(f64::INFINITY),
            Distribution::exponential(-0.1),
            Distribution::lognormal_mean_p99(0.0, 1.0),
            Distribution::lognormal_mean_p99(100.0, 1_500.0),
            Distribution::lognormal_median_sigma(1.0, 8.1),
            Distribution::lognormal_mean_median(1.0, 1.1),
            Distribution::lognormal_mean_cv(1.0, f64::NAN),
        ] {
            assert!(matches!(refused, Err(DistributionError::OutOfRange { .. })), "{refused:?}");
        }
    }
}
