//! The families of smooth distributions: quantile, distribution function, mean, limited mean.
//!
//! Sources: the formulas stand in any table of distributions; those of the limited mean in S. A.
//! Klugman, H. H. Panjer and G. E. Willmot, Loss Models (2012), appendix A. Each is tested against
//! numerical integration.

use crate::math;

/// A family and its parameters, which are valid by construction; none is degenerate.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Family {
    Uniform {
        min: f64,
        max: f64,
    },
    Exponential {
        mean: f64,
    },
    Lognormal {
        mu: f64,
        sigma: f64,
    },
    /// A normal distribution given that it is not negative; `cut` is the probability of what is cut
    /// away, at most 1/2.
    Normal {
        mean: f64,
        sd: f64,
        cut: f64,
    },
    Gamma {
        shape: f64,
        scale: f64,
    },
    Weibull {
        scale: f64,
        shape: f64,
    },
    Pareto {
        min: f64,
        shape: f64,
    },
}

impl Family {
    /// The normal distribution of this mean and standard deviation, cut off at 0.
    pub(super) fn normal(mean: f64, sd: f64) -> Self {
        Self::Normal { mean, sd, cut: math::normal_cdf(-mean / sd) }
    }

    /// The quantile at `u` in [0, 1].
    pub(super) fn quantile(&self, u: f64) -> f64 {
        match self {
            Self::Uniform { min, max } => min + u * (max - min),
            Self::Exponential { mean } => -mean * math::ln_1p(-u),
            Self::Lognormal { mu, sigma } => math::exp(mu + sigma * math::normal_quantile(u)),
            Self::Normal { mean, sd, cut } => {
                // Each half from its own end, so that both tails are exact.
                let kept = 1.0 - cut;
                let z = if u <= 0.5 {
                    math::normal_quantile(cut + u * kept)
                } else {
                    -math::normal_quantile((1.0 - u) * kept)
                };
                (mean + sd * z).max(0.0)
            }
            Self::Gamma { shape, scale } => scale * math::gamma_quantile(u, *shape),
            Self::Weibull { scale, shape } => scale * math::pow(-math::ln_1p(-u), 1.0 / shape),
            Self::Pareto { min, shape } => min * math::pow(1.0 - u, -1.0 / shape),
        }
    }

    /// The probability of values up to `x`.
    pub(super) fn cdf(&self, x: f64) -> f64 {
        match self {
            Self::Uniform { min, max } => ((x - min) / (max - min)).clamp(0.0, 1.0),
            Self::Exponential { mean } => -math::exp_m1(-x.max(0.0) / mean),
            Self::Pareto { min, shape } => -math::exp_m1(-shape * math::ln((x / min).max(1.0))),
            _ if x <= 0.0 => 0.0,
            Self::Lognormal { mu, sigma } => math::normal_cdf((math::ln(x) - mu) / sigma),
            Self::Normal { mean, sd, cut } => 1.0 - math::normal_cdf((mean - x) / sd) / (1.0 - cut),
            Self::Gamma { shape, scale } => math::incomplete_gamma(*shape, x / scale),
            Self::Weibull { scale, shape } => -math::exp_m1(-math::pow(x / scale, *shape)),
        }
    }

    /// The mean; infinite for a Pareto distribution of shape 1 or less.
    pub(super) fn mean(&self) -> f64 {
        match self {
            Self::Uniform { min, max } => min + 0.5 * (max - min),
            Self::Exponential { mean } => *mean,
            Self::Lognormal { mu, sigma } => math::exp(mu + 0.5 * sigma * sigma),
            Self::Normal { mean, sd, cut } => {
                mean + sd * math::normal_density(mean / sd) / (1.0 - cut)
            }
            Self::Gamma { shape, scale } => shape * scale,
            Self::Weibull { scale, shape } => scale * math::gamma(1.0 + 1.0 / shape),
            Self::Pareto { min, shape } if *shape > 1.0 => min * shape / (shape - 1.0),
            Self::Pareto { .. } => f64::INFINITY,
        }
    }

    /// The mean of the smaller of the variate and `limit`, 0 to 10^18.
    pub(super) fn limited_mean(&self, limit: f64) -> f64 {
        let above = || 1.0 - self.cdf(limit);
        match self {
            Self::Uniform { min, .. } | Self::Pareto { min, .. } if limit <= *min => limit,
            _ if limit <= 0.0 => 0.0,
            Self::Uniform { max, .. } if limit >= *max => self.mean(),
            Self::Uniform { min, max } => {
                let below = (limit - min) / (max - min);
                below * 0.5 * (min + limit) + (1.0 - below) * limit
            }
            Self::Exponential { mean } => -mean * math::exp_m1(-limit / mean),
            Self::Lognormal { mu, sigma } => {
                let z = (math::ln(limit) - mu) / sigma;
                self.mean() * math::normal_cdf(z - sigma) + limit * math::normal_cdf(-z)
            }
            Self::Normal { mean, sd, cut } => {
                let z = (limit - mean) / sd;
                let part = mean * (math::normal_cdf(z) - cut)
                    - sd * (math::normal_density(z) - math::normal_density(mean / sd));
                part / (1.0 - cut) + limit * above()
            }
            Self::Gamma { shape, scale } => {
                let x = limit / scale;
                self.mean() * math::incomplete_gamma(shape + 1.0, x)
                    + limit * math::incomplete_gamma_upper(*shape, x)
            }
            Self::Weibull { scale, shape } => {
                let x = math::pow(limit / scale, *shape);
                self.mean() * math::incomplete_gamma(1.0 + 1.0 / shape, x) + limit * math::exp(-x)
            }
            // min + the integral of (min / x)^shape, which is smooth at shape 1.
            Self::Pareto { min, shape } => {
                let (log, power) = (math::ln(limit / min), 1.0 - shape);
                let integral = if (power * log).abs() < 1e-8 {
                    log * (1.0 + 0.5 * power * log)
                } else {
                    math::exp_m1(power * log) / power
                };
                min + min * integral
            }
        }
    }

    /// Appends the values at which the distribution function has a corner.
    pub(super) fn add_corners(&self, corners: &mut Vec<f64>) {
        match self {
            Self::Uniform { min, max } => corners.extend([*min, *max]),
            Self::Exponential { .. } | Self::Normal { .. } => corners.push(0.0),
            Self::Gamma { .. } | Self::Weibull { .. } => corners.push(0.0),
            Self::Pareto { min, .. } => corners.push(*min),
            Self::Lognormal { .. } => (),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::empirical::Limit;
    use super::*;
    use crate::chance::Distribution;

    fn close(actual: f64, expected: f64, relative: f64) -> bool {
        (actual - expected).abs() <= relative * expected.abs()
    }

    /// Name and distribution, in the order of the expected values below.
    fn all() -> Vec<(&'static str, Distribution)> {
        let all = [
            ("normal(100, 40)", Distribution::normal_mean_sd(100.0, 40.0)),
            ("normal(0, 40)", Distribution::normal_mean_sd(0.0, 40.0)),
            ("gamma(100, 0.5)", Distribution::gamma_mean_cv(100.0, 0.5)),
            ("gamma(100, 3)", Distribution::gamma_mean_cv(100.0, 3.0)),
            ("weibull(100, 0.7)", Distribution::weibull_scale_shape(100.0, 0.7)),
            ("weibull(mean 100, 2.5)", Distribution::weibull_mean_shape(100.0, 2.5)),
            ("pareto(100, 0.8)", Distribution::pareto_min_shape(100.0, 0.8)),
            ("pareto(mean 100, 2.2)", Distribution::pareto_mean_shape(100.0, 2.2)),
            ("uniform(20, 120)", Distribution::uniform(20.0, 120.0)),
            ("exponential(100)", Distribution::exponential(100.0)),
            ("lognormal(100, 0.9)", Distribution::lognormal_median_sigma(100.0, 0.9)),
        ];
        all.into_iter().map(|(name, made)| (name, made.unwrap())).collect()
    }

    #[test]
    fn quantiles_agree_with_scipy() {
        // scipy.stats: truncnorm, halfnorm, gamma, weibull_min, pareto, uniform, expon, lognorm by
        // ppf at 0.01 and 0.5, by isf at 1e-9.
        let expected = [
            [14.37046268536362, 100.31130959632753, 339.95274978807583],
            [0.501338780322771, 26.979590007843267, 244.3764081947759],
            [20.58121715863463, 91.80151872127243, 728.8451640935702],
            [5.5112396774961e-16, 1.0775742443992762, 14455.378391932005],
            [0.13994978958124588, 59.23901129521337, 7597.217654167936],
            [17.898616322678034, 97.33687811510259, 378.90514972914826],
            [101.26421647957709, 237.8414230005442, 17782794100389.227],
            [54.79520646692347, 74.74641734837037, 672461.8578774903],
            [21.0, 70.0, 119.9999999],
            [1.0050335853501442, 69.31471805599453, 2072.326583694641],
            [12.32287263500208, 100.0, 22096.986030499873],
        ];
        for ((name, distribution), expected) in all().into_iter().zip(expected) {
            for (u, value) in [0.01, 0.5, 1.0 - 1e-9].into_iter().zip(expected) {
                let found = distribution.quantile(u);
                // 1 - 1e-9 is off by up to 5.6e-17, which a shape of 0.8 magnifies to 7e-8.
                assert!(close(found, value, 2e-7), "{name} at {u}: {found} against {value}");
            }
        }
    }

    #[test]
    fn means_and_limited_means_agree_with_integrals() {
        // scipy.integrate.quad of sf from 0 to the limit, in pieces; the mean by scipy.stats.
        let expected = [
            [100.705513019477, 48.356971363281, 95.426052622424, 100.705513019477],
            [31.915382432115, 27.868432967678, 31.903085098552, 31.915382432115],
            [100.0, 48.121474759298, 90.33571467675, 100.0],
            [100.0, 15.632772977816, 31.086706432024, 99.999838370766],
            [126.582350605728, 35.286286305155, 67.550310782955, 126.582350598598],
            [100.0, 48.196784824033, 93.26578988108, 100.0],
            [f64::INFINITY, 50.0, 126.936976030892, 855.94321575479],
            [100.0, 50.0, 83.969186018302, 99.912564540356],
            [70.0, 45.5, 70.0, 70.0],
            [100.0, 39.346934028737, 72.746820696599, 100.0],
            [149.930250005677, 46.083144462303, 90.788742195418, 149.929946232308],
        ];
        for ((name, distribution), expected) in all().into_iter().zip(expected) {
            let limited = |limit| distribution.clone().clamped(0.0, Some(limit)).unwrap().mean();
            let found = [distribution.mean(), limited(50.0), limited(130.0), limited(1e4)];
            for (found, expected) in found.into_iter().zip(expected) {
                let same = found == expected || close(found, expected, 1e-9);
                assert!(same, "{name}: {found} against {expected}");
            }
        }
    }

    #[test]
    fn the_limited_mean_of_a_pareto_is_smooth_at_shape_one() {
        // min (1 + ln(limit / min)).
        let expected = 10.0 * (1.0 + math::ln(100.0));
        for shape in [1.0, 1.0 + 1e-10, 1.0 - 1e-7] {
            let family = Family::Pareto { min: 10.0, shape };
            assert!(close(family.limited_mean(1_000.0), expected, 1e-6), "{shape}");
        }
    }

    #[test]
    fn quantile_and_distribution_function_are_inverse() {
        for (name, distribution) in all() {
            for u in [1e-6, 0.01, 0.3, 0.5, 0.8, 0.999, 1.0 - 1e-9] {
                let back = distribution.shape().cdf(distribution.quantile(u), Limit::UpTo);
                assert!((back - u).abs() < 1e-12, "{name} at {u}: {back}");
            }
        }
    }
}
