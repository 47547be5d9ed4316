//! Distributions of quantities that are never negative, by their quantile functions.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::empirical::Empirical;
use super::family::Family;
use super::parameter::{DistributionError, Parameter, check};
use super::shape::{Mixture, Shape};
use super::table::Table;
use crate::math;

/// A distribution on the numbers from 0 to 10^18, whose unit its owner fixes (seconds, tokens).
///
/// Built by checked constructors only. A distribution without spread, however it was described,
/// is a constant.
#[derive(Clone, PartialEq, Debug)]
pub struct Distribution {
    shape: Shape,
    table: Compiled,
}

/// The table of a distribution, compiled when it is first sampled and shared by all its copies: it
/// follows from the shape, so that it tells no two apart.
#[derive(Clone, Default)]
struct Compiled(Arc<OnceLock<Arc<Table>>>);

impl Distribution {
    /// Always `value`, 0 to 10^18.
    ///
    /// # Errors
    /// `value` out of range.
    pub fn constant(value: f64) -> Result<Self, DistributionError> {
        check(Parameter::Value, value, 0.0, LARGEST)?;
        Ok(Self::of(Shape::Constant(value)))
    }

    /// Equally likely everywhere from `min` to `max`; 0 <= min <= max <= 10^18.
    ///
    /// # Errors
    /// A bound out of range.
    pub fn uniform(min: f64, max: f64) -> Result<Self, DistributionError> {
        check(Parameter::Min, min, 0.0, LARGEST)?;
        check(Parameter::Max, max, min, LARGEST)?;
        let shape = if min == max {
            Shape::Constant(min)
        } else {
            Shape::Family(Family::Uniform { min, max })
        };
        Ok(Self::of(shape))
    }

    /// Exponential: density exp(-x / mean) / mean; mean 0 is the constant 0.
    ///
    /// # Errors
    /// `mean` outside 0 to 10^18.
    pub fn exponential(mean: f64) -> Result<Self, DistributionError> {
        check(Parameter::Mean, mean, 0.0, LARGEST)?;
        let shape = if mean == 0.0 {
            Shape::Constant(0.0)
        } else {
            Shape::Family(Family::Exponential { mean })
        };
        Ok(Self::of(shape))
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
            Shape::Family(Family::Lognormal { mu: math::ln(median), sigma })
        };
        Ok(Self::of(shape))
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

    /// The normal distribution of this mean and standard deviation, given that it is not negative:
    /// what lies below 0 is cut away, so that the mean is larger than `mean`, by 0.15 %
    /// of it where `sd` is a third of `mean`.
    ///
    /// # Errors
    /// `mean` or `sd` outside 0 to 10^18.
    pub fn normal_mean_sd(mean: f64, sd: f64) -> Result<Self, DistributionError> {
        check(Parameter::Mean, mean, 0.0, LARGEST)?;
        check(Parameter::Sd, sd, 0.0, LARGEST)?;
        let shape =
            if sd == 0.0 { Shape::Constant(mean) } else { Shape::Family(Family::normal(mean, sd)) };
        Ok(Self::of(shape))
    }

    /// The gamma distribution of this mean and coefficient of variation (standard deviation over
    /// mean): shape 1 / cv^2, scale mean * cv^2.
    ///
    /// # Errors
    /// `mean` outside 10^-12 to 10^18, `cv` outside 0.01 to 20.
    pub fn gamma_mean_cv(mean: f64, cv: f64) -> Result<Self, DistributionError> {
        check(Parameter::Mean, mean, SMALLEST, LARGEST)?;
        check(Parameter::Cv, cv, SMALLEST_GAMMA_CV, LARGEST_GAMMA_CV)?;
        let square = cv * cv;
        Ok(Self::of(Shape::Family(Family::Gamma { shape: 1.0 / square, scale: mean * square })))
    }

    /// The Weibull distribution: P(X > x) = exp(-(x / scale)^shape). Its tail is heavier than that
    /// of an exponential for a shape below 1, lighter above.
    ///
    /// # Errors
    /// `scale` outside 10^-12 to 10^18, `shape` outside 0.1 to 100.
    pub fn weibull_scale_shape(scale: f64, shape: f64) -> Result<Self, DistributionError> {
        check(Parameter::Scale, scale, SMALLEST, LARGEST)?;
        check(Parameter::Shape, shape, SMALLEST_SHAPE, LARGEST_WEIBULL_SHAPE)?;
        Ok(Self::of(Shape::Family(Family::Weibull { scale, shape })))
    }

    /// The Weibull distribution of this mean and shape: scale mean / Gamma(1 + 1 / shape).
    ///
    /// # Errors
    /// `mean` outside 10^-12 to 10^18, `shape` outside 0.1 to 100.
    pub fn weibull_mean_shape(mean: f64, shape: f64) -> Result<Self, DistributionError> {
        check(Parameter::Mean, mean, SMALLEST, LARGEST)?;
        check(Parameter::Shape, shape, SMALLEST_SHAPE, LARGEST_WEIBULL_SHAPE)?;
        let scale = mean / math::gamma(1.0 + 1.0 / shape);
        Ok(Self::of(Shape::Family(Family::Weibull { scale, shape })))
    }

    /// The Pareto distribution: P(X > x) = (min / x)^shape from `min` on. It has no finite mean for
    /// a shape of 1 or less.
    ///
    /// # Errors
    /// `min` outside 10^-12 to 10^18, `shape` outside 0.1 to 1000.
    pub fn pareto_min_shape(min: f64, shape: f64) -> Result<Self, DistributionError> {
        check(Parameter::Min, min, SMALLEST, LARGEST)?;
        check(Parameter::Shape, shape, SMALLEST_SHAPE, LARGEST_PARETO_SHAPE)?;
        Ok(Self::of(Shape::Family(Family::Pareto { min, shape })))
    }

    /// The Pareto distribution of this mean and shape: min = mean (shape - 1) / shape.
    ///
    /// # Errors
    /// `mean` outside 10^-12 to 10^18, `shape` outside 1.001 to 1000: at 1 there is no mean.
    pub fn pareto_mean_shape(mean: f64, shape: f64) -> Result<Self, DistributionError> {
        check(Parameter::Mean, mean, SMALLEST, LARGEST)?;
        check(Parameter::Shape, shape, SMALLEST_SHAPE_WITH_MEAN, LARGEST_PARETO_SHAPE)?;
        Ok(Self::of(Shape::Family(Family::Pareto { min: mean * (shape - 1.0) / shape, shape })))
    }

    /// This distribution with every value `by` larger.
    ///
    /// # Errors
    /// `by` outside 0 to 10^18.
    pub fn shifted(self, by: f64) -> Result<Self, DistributionError> {
        check(Parameter::By, by, 0.0, LARGEST)?;
        Ok(Self::of(match self.shape {
            Shape::Constant(value) => Shape::Constant(by + value),
            of => Shape::Shifted { by, of: Box::new(of) },
        }))
    }

    /// This distribution with every smaller value raised to `min`, and every larger one lowered to
    /// `max`; without `max` none is lowered.
    ///
    /// # Errors
    /// `min` outside 0 to 10^18, `max` outside min to 10^18.
    pub fn clamped(self, min: f64, max: Option<f64>) -> Result<Self, DistributionError> {
        check(Parameter::Min, min, 0.0, LARGEST)?;
        if let Some(max) = max {
            check(Parameter::Max, max, min, LARGEST)?;
        }
        let max = max.unwrap_or(f64::INFINITY);
        let [lowest, highest] = [0.0, 1.0].map(|u| self.shape.quantile(u).clamp(min, max));
        Ok(Self::of(if lowest == highest {
            Shape::Constant(lowest)
        } else {
            Shape::Clamped { min, max, of: Box::new(self.shape) }
        }))
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
        Ok(Self::of(match table.only_value() {
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
            _ => {
                let shapes = parts.into_iter().map(|(weight, part)| (weight, part.shape)).collect();
                Ok(Self::of(Shape::Mixture(Mixture::new(shapes))))
            }
        }
    }

    /// The smallest value that is exceeded with probability at most 1 - `u`; `u` in [0, 1]. At 1
    /// the largest possible value, which is infinite for most families. Exact to rounding, of gamma
    /// and mixtures to 1e-12 relative.
    ///
    /// # Panics
    /// `u` outside [0, 1].
    pub fn quantile(&self, u: f64) -> f64 {
        assert!((0.0..=1.0).contains(&u), "{u} is no probability");
        self.shape.quantile(u)
    }

    /// The mean; infinite where there is none, see [`Distribution::pareto_min_shape`].
    pub fn mean(&self) -> f64 {
        self.shape.mean()
    }

    /// The 99th percentile.
    pub fn p99(&self) -> f64 {
        self.quantile(0.99)
    }

    /// The family and its parameters.
    pub(super) const fn shape(&self) -> &Shape {
        &self.shape
    }

    /// The table that it is sampled by.
    pub(super) fn table(&self) -> Arc<Table> {
        Arc::clone(self.table.0.get_or_init(|| Arc::new(Table::new(self.shape.clone()))))
    }

    fn of(shape: Shape) -> Self {
        Self { shape, table: Compiled::default() }
    }

    /// Log-normal by mean and sigma: the mean is exp(mu + sigma^2 / 2).
    fn lognormal(mean: f64, sigma: f64) -> Self {
        Self::of(if sigma == 0.0 {
            Shape::Constant(mean)
        } else {
            Shape::Family(Family::Lognormal { mu: math::ln(mean) - 0.5 * sigma * sigma, sigma })
        })
    }
}

impl PartialEq for Compiled {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl fmt::Debug for Compiled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Whether it is compiled yet is nothing that a text may depend on.
        f.write_str("..")
    }
}

/// Chosen: 30 years in nanoseconds fit; sums of billions of values stay finite.
const LARGEST: f64 = 1e18;
/// Chosen: far below a nanosecond in seconds; logarithms of it are harmless.
const SMALLEST: f64 = 1e-12;
/// Chosen: the mean is then e^32 times the median, beyond any use; larger ones would overflow.
const LARGEST_SIGMA: f64 = 8.0;
/// Chosen: below it the distribution is as good as constant, and its function is slow to compute.
const SMALLEST_GAMMA_CV: f64 = 0.01;
/// Chosen: three quarters of all values are then below 10^-46 of the mean.
const LARGEST_GAMMA_CV: f64 = 20.0;
/// Chosen: the quantile at 1 - 2^-53 is then 10^160 times the smallest; less would overflow.
const SMALLEST_SHAPE: f64 = 0.1;
/// Chosen: the standard deviation is then 1.3 % of the mean.
const LARGEST_WEIBULL_SHAPE: f64 = 100.0;
/// Chosen: the standard deviation is then 0.1 % of the mean.
const LARGEST_PARETO_SHAPE: f64 = 1_000.0;
/// Chosen: the mean is then a thousand times the smallest value.
const SMALLEST_SHAPE_WITH_MEAN: f64 = 1.001;

#[cfg(test)]
mod tests {
    use super::super::empirical::Limit;
    use super::*;

    fn close(actual: f64, expected: f64, relative: f64) -> bool {
        (actual - expected).abs() <= relative * expected.abs()
    }

    fn sigma(distribution: &Distribution) -> f64 {
        match distribution.shape {
            Shape::Family(Family::Lognormal { sigma, .. }) => sigma,
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
                assert!(close(
                    distribution.shape.cdf(distribution.quantile(u), Limit::UpTo),
                    u,
                    1e-9
                ));
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
            Distribution::normal_mean_sd(3.0, 0.0),
            Distribution::constant(1.0).unwrap().shifted(2.0),
            Distribution::exponential(1.0).unwrap().clamped(3.0, Some(3.0)),
            Distribution::uniform(4.0, 5.0).unwrap().clamped(0.0, Some(3.0)),
            Distribution::uniform(1.0, 2.0).unwrap().clamped(3.0, None),
        ] {
            assert_eq!(distribution.unwrap().shape.only_value(), Some(3.0));
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
            Distribution::normal_mean_sd(1.0, -1.0),
            Distribution::gamma_mean_cv(1.0, 0.0),
            Distribution::gamma_mean_cv(0.0, 1.0),
            Distribution::weibull_scale_shape(1.0, 0.05),
            Distribution::pareto_mean_shape(1.0, 1.0),
            Distribution::exponential(1.0).unwrap().shifted(f64::INFINITY),
            Distribution::exponential(1.0).unwrap().clamped(2.0, Some(1.0)),
        ] {
            assert!(matches!(refused, Err(DistributionError::OutOfRange { .. })), "{refused:?}");
        }
    }

    #[test]
    fn quantiles_of_a_mixture_agree_with_scipy() {
        // 0.9 lognorm(s=0.5, scale=100) + 0.1 expon(scale=2000): scipy.optimize.brentq on the cdf.
        let mixture = Distribution::mixture(vec![
            (9.0, Distribution::lognormal_median_sigma(100.0, 0.5).unwrap()),
            (1.0, Distribution::exponential(2_000.0).unwrap()),
        ])
        .unwrap();
        let pairs = [
            (0.001, 16.811248386840646),
            (0.3, 80.14114228172132),
            (0.9, 295.0312311856622),
            (0.99, 4605.170185989763),
            (0.9999, 13815.510557964388),
        ];
        for (u, value) in pairs {
            let found = mixture.quantile(u);
            assert!((found - value).abs() <= 1e-10 * value, "{u}: {found}");
        }
    }

    #[test]
    fn a_constant_inside_a_mixture_is_met_exactly() {
        let mixture = Distribution::mixture(vec![
            (1.0, Distribution::constant(40.0).unwrap()),
            (1.0, Distribution::uniform(0.0, 100.0).unwrap()),
        ])
        .unwrap();
        // Below 40 the share is x / 200, at 40 it jumps from 0.2 to 0.7.
        for (u, value) in [(0.1, 20.0), (0.201, 40.0), (0.5, 40.0), (0.7, 40.0), (0.9, 80.0)] {
            assert!((mixture.quantile(u) - value).abs() <= 1e-10, "{u}");
        }
        assert_eq!(mixture.quantile(0.45), 40.0);
        assert_eq!(mixture.mean(), 45.0);
        assert_eq!((mixture.quantile(0.0), mixture.quantile(1.0)), (0.0, 100.0));
    }

    #[test]
    fn a_gap_between_components_is_leapt() {
        let mixture = Distribution::mixture(vec![
            (3.0, Distribution::uniform(1.0, 2.0).unwrap()),
            (1.0, Distribution::uniform(1_000.0, 2_000.0).unwrap()),
        ])
        .unwrap();
        assert!((mixture.quantile(0.7499) - 1.999_866_666_7).abs() < 1e-9);
        assert!((mixture.quantile(0.7501) - 1_000.4).abs() < 1e-6);
    }

    #[test]
    fn a_mixture_needs_a_weight() {
        let constant = Distribution::constant(1.0).unwrap();
        assert!(Distribution::mixture(vec![]).is_err());
        assert!(Distribution::mixture(vec![(0.0, constant.clone())]).is_err());
        assert!(Distribution::mixture(vec![(-1.0, constant.clone())]).is_err());
        let only = Distribution::mixture(vec![
            (0.0, Distribution::exponential(2.0).unwrap()),
            (5.0, constant),
        ]);
        assert_eq!(only.unwrap().shape.only_value(), Some(1.0));
    }

    #[test]
    fn shifting_moves_every_quantile_and_the_mean() {
        let plain = Distribution::lognormal_median_sigma(10.0, 1.0).unwrap();
        let shifted = plain.clone().shifted(3.0).unwrap();
        for u in [0.0, 0.2, 0.99] {
            assert_eq!(shifted.quantile(u), 3.0 + plain.quantile(u));
        }
        assert_eq!(shifted.mean(), 3.0 + plain.mean());
        assert_eq!(shifted.shape().cdf(13.0, Limit::UpTo), plain.shape().cdf(10.0, Limit::UpTo));
    }

    #[test]
    fn clamping_gathers_both_ends_at_the_bounds() {
        // Of an exponential of mean 100, 1 - e^-0.2 lies below 20 and e^-3 above 300.
        let clamped = Distribution::exponential(100.0).unwrap().clamped(20.0, Some(300.0)).unwrap();
        assert_eq!((clamped.quantile(0.1), clamped.quantile(0.96)), (20.0, 300.0));
        let cdf = |x, limit| clamped.shape().cdf(x, limit);
        assert_eq!((cdf(20.0, Limit::Below), cdf(300.0, Limit::UpTo)), (0.0, 1.0));
        assert!(close(cdf(20.0, Limit::UpTo), 0.18126924692201818, 1e-14));
        assert!(close(cdf(300.0, Limit::Below), 0.950212931632136, 1e-14));
        // 20 + 100 (e^-0.2 - e^-3).
        assert!(close(clamped.mean(), 96.89436847101179, 1e-14));
        // min(X, 50) of it: 20 + 100 (e^-0.2 - e^-0.5).
        let twice = clamped.clamped(0.0, Some(50.0)).unwrap();
        assert!(close(twice.mean(), 41.22000933653485, 1e-14));
    }

    #[test]
    fn the_mean_of_a_clamped_mixture_is_that_of_its_parts() {
        // min(X, 60) over 0.5 of 10 + uniform(0, 100) and 0.5 of the table: 0.5 (60 - 12.5) + 0.5 *
        // (0.25 * 50 + 0.75 * 60) by hand.
        let shifted = Distribution::uniform(0.0, 100.0).unwrap().shifted(10.0).unwrap();
        let table = Distribution::empirical(vec![(0.0, 40.0), (0.25, 60.0), (1.0, 90.0)]).unwrap();
        let mixture = Distribution::mixture(vec![(1.0, shifted), (1.0, table)]).unwrap();
        assert!(close(mixture.clamped(0.0, Some(60.0)).unwrap().mean(), 52.5, 1e-14));
    }
}
